"""A whole life of the Kopano backend, and that nothing secret is in its log."""

from collections.abc import Iterable

from konnectd.interfaces import BackendUnavailableError
from tests.support.kopano import codes
from tests.support.kopano.troubles import CloseBefore, Raw, Refuse
from tests.support.kopano_case import SERVICE, Case, PersonCase
from tests.support.loglines import LogLines

#: A server that repeats what it was sent, as a broken one might.
_PARROT = (
    "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><e:Fault>"
    "<faultstring>can not read: {}</faultstring></e:Fault></e:Body></e:Envelope>"
)


def parrot(text: str) -> Raw:
    """Return an answer with some text in it."""
    body = _PARROT.format(text).encode()
    head = f"HTTP/1.1 500 Internal Server Error\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return Raw(head.encode() + body, close=True)


class _LifeCase(Case):
    """What both lives have in common."""

    def attempt(self, name: str, password: str) -> None:
        """Try to sign in, whatever comes of it, and log what an error would."""
        waiting = self.begin(self.backend.logon(name, password))
        self.reactor.wait(11)
        waiting.addErrback(lambda failure: failure.trap(BackendUnavailableError) and self.errors.append(str(failure)))
        self.successResultOf(waiting)

    def setUp(self) -> None:
        """Listen to everything."""
        super().setUp()
        self.errors: list[str] = []
        self.log = LogLines(self)

    def assert_silent(self, *more: str) -> None:
        """Check that no secret that was sent or received is in the log, nor in any error."""
        sessions = {str(asked.session) for asked in self.server.asked if asked.session}
        passwords = {str(asked.values.get("szPassword") or "") for asked in self.server.calls_of("logon")}
        told = self.log.text() + "".join(self.errors)

        self.assertGreater(len(sessions), 1)
        self.assertGreater(len(passwords), 3)
        self.assertGreater(len(told), 1000)
        self.assertEqual(list(found(told, sessions | passwords | set(more))), [])


def found(text: str, secrets: Iterable[str]) -> Iterable[str]:
    """Yield the secrets that are in a text, or whose beginning is."""
    return (secret for secret in secrets if secret and secret[:12] in text)


class PersonLifeTests(PersonCase, _LifeCase):
    """Sessions of people."""

    def test_silent(self) -> None:
        """Sign-ins of all kinds, tokens, losses, trouble and the end: no password, token or session id is told."""
        self.done(self.backend.check())
        alice = self.sign_in()
        for name, password in (
            ("alice", "wrong-password"),
            ("nobody", "my-other-password"),
            ("SYSTEM", "guessed-by-x"),
        ):
            self.attempt(name, password)
        for trouble in (parrot("alice-secret"), CloseBefore(), CloseBefore(), Refuse(codes.BAD_CHARWIDTH)):
            self.server.troubles.plan(trouble, "logon")
            self.attempt("alice", "alice-secret")
        self.attempt("alice", "broken\x01password")
        self.server.restart()
        self.find(alice)
        tokens = [self.vouch.token]
        for refused in (True, True, False):
            self.server.settings.enable_sso = not refused
            self.server.restart()
            waiting = self.begin(self.backend.find(alice.user_id))
            waiting.addErrback(lambda failure: self.errors.append(str(failure)))
            tokens.append(self.vouch.token)
        self.server.restart()
        self.server.troubles.plan(parrot("ssoLogon"), "ssoLogon")
        waiting = self.begin(self.backend.find(alice.user_id))
        waiting.addErrback(lambda failure: self.errors.append(str(failure)))
        self.sign_in("bob")
        self.done(self.backend.leave(alice.user_id))
        self.done(self.backend.close())

        self.assert_silent(*tokens, "broken\x01password", "guessed-by-x")


class ServiceLifeTests(_LifeCase):
    """A session of the service."""

    options = SERVICE

    def test_silent(self) -> None:
        """Sign-ins of all kinds, losses, trouble and the end: no password or session id is told."""
        self.done(self.backend.check())
        alice = self.sign_in()
        for name, password in (
            ("alice", "wrong-password"),
            ("nobody", "my-other-password"),
            ("SYSTEM", "guessed-by-x"),
        ):
            self.attempt(name, password)
        for trouble in (parrot("alice-secret"), CloseBefore(), CloseBefore(), Refuse(codes.BAD_CHARWIDTH)):
            self.server.troubles.plan(trouble, "logon")
            self.attempt("alice", "alice-secret")
        self.server.restart()
        self.find(alice)
        self.server.restart()
        self.server.troubles.plan(parrot("svc-secret"), "logon")
        waiting = self.begin(self.backend.find(alice.user_id))
        waiting.addErrback(lambda failure: self.errors.append(str(failure)))
        self.reactor.wait(500)
        self.find(alice)
        self.done(self.backend.close())

        self.assert_silent("guessed-by-x", "svc-secret")
