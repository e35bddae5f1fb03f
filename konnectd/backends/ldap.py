"""Users from an LDAP directory: OpenLDAP, 389 Directory Server, FreeIPA, Active Directory and others.

A sign-in is one search, as the service account, for the entry of whom the typed name may mean, and one bind with that
entry's DN and the typed password. Both use connections that are open already. What a person typed never becomes part of
a filter's text, an empty password never reaches a server, and a name that nobody has costs as much time as a wrong
password.

The parts are private modules: ``_ldap_settings`` reads options, ``_ldap_directory`` searches and binds, ``_ldap_entry``
makes people of entries, ``_ldap_standing`` decides who may not sign in, ``_ldap_groups`` finds groups and
``_ldap_decoy`` takes time.
"""

from collections.abc import Mapping
from typing import Any

from twisted.logger import Logger

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import Entry, SearchRequest, SearchScope
from konnectd.backends._ldap_connection import Reactor
from konnectd.backends._ldap_decoy import Decoy
from konnectd.backends._ldap_dial import Dialer, Endpoint, Server, Servers
from konnectd.backends._ldap_directory import Directory, check_search
from konnectd.backends._ldap_entry import clean_name, is_searchable
from konnectd.backends._ldap_filter import all_of
from konnectd.backends._ldap_groups import GroupMode, Groups
from konnectd.backends._ldap_options import OPTIONS
from konnectd.backends._ldap_settings import Settings, read_settings
from konnectd.backends._ldap_standing import ATTRIBUTES as STANDING_ATTRIBUTES
from konnectd.backends._ldap_standing import judge_bind, judge_entry, judge_signed_in
from konnectd.backends._ldap_tls import client_options
from konnectd.backends._trust import Trust
from konnectd.interfaces import BackendUnavailableError, LogonAnswer, RefusalReason, Refused
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol import standard_claims
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import EMAIL, GROUPS, NUMERIC_ID, PROFILE, RAW_SUBJECT, UNIQUE_ID
from konnectd.vitals import PoolUse

__all__ = ["OPTIONS", "LdapBackend", "build"]

#: One entry is somebody, two are a fault of the directory, and there is no need to know how many more there are.
_TWO = 2

#: Reasons that concern the account rather than what was typed: an operator may be asked about them.
_ACCOUNT_REASONS = frozenset({RefusalReason.DISABLED, RefusalReason.LOCKED, RefusalReason.EXPIRED})

log = Logger()


class LdapBackend:
    """People in a directory."""

    name = "identifier-ldap"

    def __init__(self, settings: Settings, reactor: Reactor, dialer: Dialer) -> None:
        """Prepare; no connection is made before there is something to ask.

        Args:
            settings: where everything is in the directory.
            reactor: for time.
            dialer: makes connections.
        """
        self._settings = settings
        self._reactor = reactor
        self._dialer = dialer
        self._mapping = settings.mapping
        self._directory = Directory(
            reactor,
            dialer,
            settings.credentials,
            bind_connections=settings.bind_connections,
            timeout=settings.timeout,
        )
        self._decoy = Decoy(reactor, settings.base_dn, self._directory.bind)
        self._groups = Groups(settings.groups, self._directory.search)
        self._attributes = (*self._mapping.attributes, *STANDING_ATTRIBUTES)
        has_groups = settings.groups.mode is not GroupMode.OFF
        further = tuple(source.claim for source in self._mapping.claims)
        self.scopes: tuple[str, ...] = (
            PROFILE,
            EMAIL,
            UNIQUE_ID,
            RAW_SUBJECT,
            *((NUMERIC_ID,) if self._mapping.numeric_id else ()),
            *standard_claims.opened_by(further),
            *((GROUPS,) if has_groups else ()),
        )
        self.claims: tuple[str, ...] = (
            "name",
            "family_name",
            "given_name",
            "email",
            "email_verified",
            *standard_claims.filled(further),
            *(("groups",) if has_groups else ()),
        )

    async def check(self) -> None:
        """Try every server: reach it, make sure who it is, sign in, read the bases.

        Raises:
            ConfigErrors: a setting is wrong, and which; a server that can not be reached does not hide what another
                one says.
            BackendUnavailableError: no server could be reached.
        """
        wrong: dict[str, ConfigError] = {}
        unreachable: list[faults.LdapError] = []
        for server in self._settings.servers:
            if not (server.tls or self._settings.starttls or server.is_loopback):
                log.warn("Passwords travel to {server} in the clear: use ldaps:// or ldap_starttls", server=str(server))
            try:
                await self._check_server(server)
            except faults.LdapError as fault:
                blamed = fault.config_error()
                if blamed is None:
                    unreachable.append(fault)
                else:
                    wrong[str(fault)] = blamed
        if len(unreachable) == len(self._settings.servers):
            raise BackendUnavailableError("; ".join(map(str, unreachable))) from unreachable[0]
        for reason in unreachable:
            log.warn("One of several LDAP servers failed the check at start: {fault}", fault=str(reason))
        if wrong:
            raise ConfigErrors(wrong.values())

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password as a person typed them.

        Raises:
            BackendUnavailableError: the directory did not answer.

        Spec: RFC 4513 5.1.2 (a bind with an empty password succeeds without proving anything).
        """
        if not password or password.startswith("\0"):
            return Refused(RefusalReason.EMPTY_PASSWORD)
        with faults.told_outside():
            answer = await self._logon(username, password)
        if isinstance(answer, Refused):
            self._log_refusal(username, answer.reason)
        return answer

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person as they are now, with their groups; None when they may not sign in any more.

        Raises:
            BackendUnavailableError: the directory did not answer.
        """
        with faults.told_outside():
            request = self._request_for(user_id)
            entry = await self._find_only(request, user_id) if request is not None else None
            if entry is None or not self._mapping.is_subject(entry, user_id):
                return None
            reason = judge_entry(entry, self._now())
            if reason is not None:
                log.info("{user!r} has lost the right to be signed in: {reason}", user=user_id, reason=reason.value)
                return None
            groups = await self._groups.of(entry, self._mapping.username(entry))
            # The subject stays as it was issued, even if the directory now writes it in another case.
            return self._mapping.end_user(entry, user_id, groups)

    async def find_by_username(self, username: str) -> EndUser | None:
        """Return the person a name means, for those whose sign-in somebody else has vouched for.

        Raises:
            BackendUnavailableError: the directory did not answer.
        """
        with faults.told_outside():
            found = await self._search_login(username)
            if isinstance(found, Refused) or judge_entry(found, self._now()) is not None:
                return None
            return self._mapping.end_user(found, self._mapping.subject(found))

    async def probe(self) -> None:
        """Ask something that every server answers.

        Raises:
            BackendUnavailableError: no server did.
        """
        try:
            await self._directory.probe()
        except faults.LdapError as fault:
            raise BackendUnavailableError(str(fault)) from fault

    def pools(self) -> tuple[PoolUse, ...]:
        """Return how connections are used at this moment."""
        return self._directory.pools()

    async def close(self) -> None:
        """Let go of connections and timers."""
        await self._directory.close()

    async def _logon(self, username: str, password: str) -> LogonAnswer:
        """Search, and bind: as whom was found, or as nobody when that is nobody."""
        found = await self._search_login(username)
        if isinstance(found, Refused) or not _is_sendable(password):
            await self._decoy.spend()
            return found if isinstance(found, Refused) else self._refuse(found, RefusalReason.WRONG_PASSWORD)
        answer = await self._decoy.watch(found.dn, password)
        reason = judge_bind(answer)
        if reason is None:
            reason = judge_signed_in(found, self._now())
        elif reason is RefusalReason.WRONG_PASSWORD and judge_entry(found, self._now()) is RefusalReason.LOCKED:
            # Servers that keep locks to themselves answer like this to the right password too.
            reason = RefusalReason.LOCKED
        if reason in _ACCOUNT_REASONS and answer.text:
            log.info("The server said about {user!r}: {text!r}", user=username, text=answer.text)
        if reason is not None:
            return self._refuse(found, reason)
        if answer.grace_logons is not None:
            log.info("The password of {user!r} has expired: {n} logons left", user=username, n=answer.grace_logons)
        return self._mapping.end_user(found, self._mapping.subject(found))

    def _refuse(self, entry: Entry, reason: RefusalReason) -> Refused:
        """Refuse somebody who exists; attempts under all of their names count together."""
        return Refused(reason, principal=self._mapping.subject(entry))

    async def _search_login(self, username: str) -> Entry | Refused:
        """Return the one entry that a typed name means."""
        name = clean_name(username)
        if name is None:
            return Refused(RefusalReason.UNKNOWN_USER)
        request = SearchRequest(
            base=self._settings.base_dn,
            scope=self._settings.scope,
            filter=all_of(self._settings.user_filter, self._mapping.login_filter(name)),
            attributes=self._attributes,
            size_limit=_TWO,
        )
        answer = await self._directory.search(request, "ldap_basedn")
        if answer.truncated or len(answer.entries) > 1:
            return Refused(RefusalReason.AMBIGUOUS)
        if not answer.entries or not self._mapping.has_login(answer.entries[0], name):
            return Refused(RefusalReason.UNKNOWN_USER)
        return answer.entries[0]

    def _request_for(self, user_id: str) -> SearchRequest | None:
        """Return the search for a subject; None when it can be nobody's."""
        if not is_searchable(user_id):
            return None
        attributes = (*self._attributes, *self._groups.attributes)
        if not self._mapping.sub:
            return SearchRequest(
                base=user_id,
                scope=SearchScope.BASE,
                filter=self._settings.user_filter,
                attributes=attributes,
                size_limit=_TWO,
            )
        subject = self._mapping.subject_filter(user_id)
        if subject is None:
            return None
        return SearchRequest(
            base=self._settings.base_dn,
            scope=self._settings.scope,
            filter=all_of(self._settings.user_filter, subject),
            attributes=attributes,
            size_limit=_TWO,
        )

    async def _find_only(self, request: SearchRequest, user_id: str) -> Entry | None:
        """Return the one entry a search finds."""
        answer = await self._directory.search(request, "ldap_basedn" if self._mapping.sub else "")
        if answer.truncated or len(answer.entries) > 1:
            log.warn("Several entries have the subject {user!r}; none of them is used", user=user_id)
            return None
        return answer.entries[0] if answer.entries else None

    async def _check_server(self, server: Server) -> None:
        """Try one server.

        Raises:
            LdapError: it can not be used as the settings say.
        """
        connection = await self._dialer.connect(server, self._settings.credentials)
        try:
            bases = {"ldap_basedn": self._settings.base_dn}
            if self._settings.groups.mode is GroupMode.SEARCH:
                bases[self._settings.groups.base_option] = self._settings.groups.base
            for option, base in bases.items():
                request = SearchRequest(base=base, scope=SearchScope.BASE)
                check_search(request, await connection.search(request), option)
            anybody = SearchRequest(
                base=self._settings.base_dn,
                scope=self._settings.scope,
                filter=self._settings.user_filter,
                size_limit=1,
            )
            if not (await connection.search(anybody)).entries:
                log.warn("LDAP server {server} shows nobody whom ldap_filter matches", server=str(server))
        finally:
            await connection.close()

    def _log_refusal(self, username: str, reason: RefusalReason) -> None:
        """Tell the operator who was refused and why, as loudly as it concerns them.

        A name that is nobody's may be a password that somebody typed into the wrong field.
        """
        if reason is RefusalReason.AMBIGUOUS:
            log.warn("Several entries have the name {user!r}; none of them can sign in", user=username)
        elif reason in _ACCOUNT_REASONS:
            log.info("Sign-in of {user!r} refused: {reason}", user=username, reason=reason.value)
        elif reason is RefusalReason.UNKNOWN_USER:
            log.debug("Sign-in of a name that may be nobody's refused: {reason}", reason=reason.value)
        else:
            log.debug("Sign-in of {user!r} refused: {reason}", user=username, reason=reason.value)

    def _now(self) -> int:
        """Return seconds since the epoch."""
        return int(self._reactor.seconds())


def build(
    options: Mapping[str, Any],
    reactor: Reactor,
    *,
    insecure: bool = False,
    endpoint: Endpoint | None = None,
) -> LdapBackend:
    """Make the backend from options.

    Args:
        options: parsed, by `Option.dest`.
        reactor: for the network and for time.
        insecure: accept any certificate.
        endpoint: makes the way to a server, instead of TCP.

    Raises:
        ConfigErrors: everything that is wrong with the options.
    """
    settings = read_settings(options)
    trust = Trust(settings.certificates)
    try:
        tls = {server: client_options(server.host, trust, insecure=insecure) for server in settings.servers}
    except ValueError as error:
        raise ConfigErrors(
            [ConfigError("ldap_uri", f"has a host name that can not be in a certificate: {error}")]
        ) from error
    dialer = Dialer(
        reactor,
        Servers(settings.servers, reactor),
        tls.__getitem__,
        starttls=settings.starttls,
        timeout=settings.timeout,
        endpoint=endpoint,
    )
    return LdapBackend(settings, reactor, dialer)


def _is_sendable(password: str) -> bool:
    """Tell whether a password may go to a server: as UTF-8, and whole whatever the server takes for its end."""
    return "\0" not in password and password.encode("utf-8", "replace").decode() == password
