"""A directory as the rest of the backend sees it: searches and binds over two pools of connections.

Which connection is used, and what happens when it dies, is decided in the pools; what an answer means is decided by
those who ask.
"""

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import BindAnswer, SearchAnswer, SearchRequest
from konnectd.backends._ldap_connection import Reactor
from konnectd.backends._ldap_dial import Credentials, Dialer
from konnectd.backends._ldap_pool import ROOT, Pool
from konnectd.vitals import PoolUse

#: Connections for searches, and how many searches each has under way at most.
SEARCH_CONNECTIONS = 4
SEARCHES_AT_A_TIME = 32

#: Answers to a search that the one who asked has to look at; all others mean that there is none.
_TELLING = frozenset({faults.SUCCESS, faults.SIZE_LIMIT_EXCEEDED, faults.NO_SUCH_OBJECT, faults.INVALID_DN_SYNTAX})

#: What servers say of a base that is not there, or that they do not show.
_MISSING_BASE = frozenset(
    {faults.NO_SUCH_OBJECT, faults.INVALID_DN_SYNTAX, faults.REFERRAL, faults.INSUFFICIENT_ACCESS_RIGHTS}
)


class Directory:
    """Searches as the service account, and binds as anybody."""

    def __init__(
        self,
        reactor: Reactor,
        dialer: Dialer,
        credentials: Credentials | None,
        *,
        bind_connections: int,
        timeout: float,
    ) -> None:
        """Begin without connections.

        Args:
            reactor: for time.
            dialer: makes connections.
            credentials: of the service account; None searches anonymously.
            bind_connections: how many passwords are checked at a time at most.
            timeout: for each operation and for waiting for a connection, in seconds.
        """
        self._searches = Pool(
            reactor,
            dialer.servers,
            lambda: dialer.dial(credentials),
            size=SEARCH_CONNECTIONS,
            share=SEARCHES_AT_A_TIME,
            timeout=timeout,
        )
        self._binds = Pool(
            reactor, dialer.servers, lambda: dialer.dial(None), size=bind_connections, share=1, timeout=timeout
        )

    async def search(self, request: SearchRequest, base_option: str = "") -> SearchAnswer:
        """Search.

        Args:
            request: what to search for.
            base_option: the setting that names the base, if one does; then a base that is missing is a fault.

        Raises:
            LdapError: there was no answer, or one that says nothing about entries.
        """
        answer = await self._searches.run(lambda connection: connection.search(request))
        return check_search(request, answer, base_option)

    async def bind(self, dn: str, password: str) -> BindAnswer:
        """Try a password.

        Raises:
            LdapError: there was no answer.
        """
        return await self._binds.run(lambda connection: connection.bind(dn, password))

    async def probe(self) -> None:
        """Ask something that every server answers.

        Raises:
            LdapError: there was no answer.
        """
        await self._searches.run(lambda connection: connection.search(ROOT))

    def pools(self) -> tuple[PoolUse, ...]:
        """Return how connections are used at this moment."""
        return self._searches.use("ldap-search"), self._binds.use("ldap-bind")

    async def close(self) -> None:
        """End all connections."""
        await self._searches.close()
        await self._binds.close()


def check_search(request: SearchRequest, answer: SearchAnswer, base_option: str = "") -> SearchAnswer:
    """Return an answer that says something about entries.

    Raises:
        MissingBaseError: the base that a setting names can not be read.
        ResultError: the server answered something else.
    """
    if base_option and answer.code in _MISSING_BASE:
        raise faults.MissingBaseError(base_option, request.base, answer.code, answer.text)
    if answer.code not in _TELLING:
        raise faults.ResultError(f"the server did not search {request.base!r}", answer.code, answer.text)
    return answer
