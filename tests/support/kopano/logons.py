"""How the server finds out who somebody is, in its own order, with its two ways around the password.

A certificate goes first, whatever the flags say; then the user of the process at the other end of a unix socket, unless
a flag forbids it; the password is asked last. This is how the real one does it, so that a client can be seen not to
fall for it.
"""

import re

from tests.support.kopano import answers, codes
from tests.support.kopano.answers import Answer
from tests.support.kopano.people import SYSTEM, People, Person
from tests.support.kopano.requests import Call, FaultError
from tests.support.kopano.sessions import Peer, Sessions, Transport
from tests.support.kopano.settings import Settings
from tests.support.kopano.sso import PREFIX, TokenError, read_entry_id

_VERSION = re.compile(r"(?:0,)?([0-9]+),([0-9]+)(?:,[0-9]+)*")
_NO_CHARWIDTH = "Error -2147221245"


class Logons:
    """Lets people in or not."""

    def __init__(self, people: People, sessions: Sessions, settings: Settings) -> None:
        """Look at what there is."""
        self._people = people
        self._sessions = sessions
        self._settings = settings

    def logon(self, call: Call, peer: Peer) -> Answer:
        """Answer a logon with a name."""
        capabilities = call.number("ulCapabilities")
        if not capabilities & codes.CAPABILITY_UNICODE:
            return answers.logon("logonResponse", codes.BAD_CHARWIDTH, 0, None)
        if _is_too_old(call.text("szVersion")):
            return answers.logon("logonResponse", codes.INVALID_VERSION, 0, codes.SERVER_CAPABILITIES)
        person = self._impersonated(self._authenticated(call, peer), call.text("szImpersonateUser"))
        if person is None:
            return answers.logon("logonResponse", codes.LOGON_FAILED, 0, codes.SERVER_CAPABILITIES)
        if call.number("ulFlags") & codes.FLAG_NO_SESSION:
            # It looks like one, and is not.
            number = self._sessions.new_number(capabilities)
        else:
            number = self._sessions.begin(person.number, peer, capabilities)
        return _success("logonResponse", number, capabilities)

    def sso_logon(self, call: Call, peer: Peer) -> Answer:
        """Answer a logon with a token.

        Raises:
            FaultError: the client can not do unicode.
        """
        given = call.binary("lpInput")
        if not given or call.text("szUsername") is None or call.text("clientVersion") is None:
            return answers.logon("ssoLogonResponse", codes.LOGON_FAILED, 0, None)
        refusal = self._sso_refusal(call)
        person = None if refusal else self._vouched_for(call, given)
        if person is None:
            code = refusal or codes.LOGON_FAILED
            return answers.logon("ssoLogonResponse", code, 0, codes.SERVER_CAPABILITIES)
        capabilities = call.number("clientCaps")
        if not capabilities & codes.CAPABILITY_UNICODE:
            raise FaultError(_NO_CHARWIDTH)
        number = self._sessions.begin(person.number, peer, capabilities)
        return _success("ssoLogonResponse", number, capabilities)

    def _sso_refusal(self, call: Call) -> int:
        """Return why a token is not even looked at, or 0."""
        if _is_too_old(call.text("clientVersion")):
            return codes.INVALID_VERSION
        # An exchange in several steps is never begun here, so nobody can go on with one.
        if call.number("ulSessionId"):
            return codes.END_OF_SESSION
        if call.text("szImpersonateUser") is None or call.text("szClientApp") is None:
            return codes.LOGON_FAILED
        return codes.SUCCESS

    def _vouched_for(self, call: Call, given: bytes) -> Person | None:
        """Return whom a token stands for, and who is meant to be."""
        issuer, expected = self._settings.issuer, call.text("szUsername")
        if not self._settings.enable_sso or issuer is None or not given.startswith(PREFIX):
            return None
        try:
            who = issuer.verify(given.removeprefix(PREFIX).decode("ascii"))
            if expected and not read_entry_id(expected).is_same(who):
                return None
        except (TokenError, UnicodeDecodeError):
            return None
        return self._impersonated(self._people.by_entry_id(who), call.text("szImpersonateUser"))

    def _authenticated(self, call: Call, peer: Peer) -> Person | None:
        """Return who has proven to be somebody, in whatever way."""
        name = call.text("szUsername")
        person = self._people.by_name(name) if name else None
        if person is None:
            return None
        # Both of these read the one to be impersonated without looking whether there is one.
        if call.text("szImpersonateUser") is not None:
            if self._has_trusted_key(peer):
                return person
            if not call.number("ulFlags") & codes.FLAG_NO_PEER and self._is_trusted_user(peer, person.name):
                return person
        return person if _has_password(person, call.text("szPassword")) else None

    def _has_trusted_key(self, peer: Peer) -> bool:
        """Say whether somebody showed a certificate that opens everything."""
        return peer.public_key in self._settings.trusted_keys

    def _is_trusted_user(self, peer: Peer, name: str) -> bool:
        """Say whether a process is believed who it says it is."""
        if peer.transport is not Transport.UNIX or peer.uid is None:
            return False
        settings = self._settings
        if peer.uid == settings.own_uid or peer.uid in settings.local_admins:
            return True
        return settings.local_users and settings.uid_of(name) == peer.uid

    def _impersonated(self, person: Person | None, name: str | None) -> Person | None:
        """Return as whom somebody acts."""
        if person is None or not name:
            return person
        return self._people.by_name(name) if person.admin else None


def _has_password(person: Person, password: str | None) -> bool:
    """Say whether somebody may sign in with a password."""
    if person.name == SYSTEM or not person.is_active or not password:
        return False
    return password == person.password


def _is_too_old(version: str | None) -> bool:
    """Say whether a version can be read and is too old."""
    match = _VERSION.fullmatch(version or "")
    return match is not None and int(match[1]) < codes.LEAST_MAJOR


def _success(name: str, number: int, capabilities: int) -> Answer:
    """Answer that it went well."""
    echoed = codes.SERVER_CAPABILITIES | capabilities & codes.ECHOED_CAPABILITIES
    return answers.answered(
        answers.logon(name, codes.SUCCESS, number, echoed),
        chunked=bool(capabilities & codes.CAPABILITY_ENHANCED_ICS),
    )
