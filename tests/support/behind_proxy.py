"""A browser behind a proxy that is trusted, or behind one that is not; and a backend that is of no use for that."""

from konnectd.interfaces import LogonAnswer
from konnectd.protocol.end_user import EndUser
from tests.support.assembly import FORM_HEADER, Daemon
from tests.support.connection import Heard
from tests.support.people import ALICE
from tests.support.visitor import Visitor

#: The word that makes every connection of tests one of a trusted proxy: they come from 192.0.2.7.
TRUST = "--trusted-proxy=192.0.2.7"


class Proxied(Visitor):
    """A browser whose requests all get headers on their way.

    Attributes:
        added: the headers.
        user_agent: what the browser says it is.
    """

    def __init__(self, daemon: Daemon, *added: str, user_agent: str = "") -> None:
        """Open it for the first time."""
        super().__init__(daemon)
        self.added = added
        self.user_agent = user_agent

    @classmethod
    def of(cls, daemon: Daemon, username: str) -> "Proxied":
        """Return the browser of somebody whom the proxy has recognized."""
        return cls(daemon, f"X-Forwarded-User: {username}")

    def send(
        self,
        method: str,
        url: str,
        body: str = "",
        *headers: str,
        cross_site: bool = False,
        body_header: str = FORM_HEADER,
    ) -> Heard:
        """Ask once, by way of the proxy."""
        agent = (f"User-Agent: {self.user_agent}",) if self.user_agent else ()
        added = (*headers, *agent, *self.added)
        return super().send(method, url, body, *added, cross_site=cross_site, body_header=body_header)


class Nameless:
    """A backend that can not find anybody by name."""

    name = "identifier-test"
    scopes: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    async def check(self) -> None:
        """Do nothing."""

    async def find(self, user_id: str) -> EndUser | None:
        """Know Alice."""
        return ALICE if user_id == ALICE.user_id else None

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Let everybody in as Alice."""
        return ALICE

    async def close(self) -> None:
        """Do nothing."""
