"""Decisions in the log: each refused request leaves one line with a reference, and what may be told of it."""

import re

from twisted.trial.unittest import SynchronousTestCase

from konnectd.explain import Line
from konnectd.protocol.trail import LONGEST_VALUE
from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.loglines import LogLines
from tests.support.registering import ON, REGISTER, SelfRegistered, register
from tests.support.requests import MAIL, NOTES
from tests.support.visitor import Visitor


class NotesCase(SynchronousTestCase):
    """A daemon whose log is read."""

    words: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Assemble, and listen."""
        self.log = LogLines(self)
        self.daemon = Daemon(*self.words)
        self.mail = Application(self.daemon, MAIL)
        self.notes = Application(self.daemon, NOTES)

    def lines(self, level: str = "info") -> list[Line]:
        """Return the decisions in the log."""
        return [line for text in self.log.lines(level) if (line := Line.parse(text)) is not None]

    def assertTold(self, level: str = "info", /, **facts: object) -> Line:
        """Fail unless one decision was told, with some facts."""
        (line,) = self.lines(level)
        self.assertEqual({name: getattr(line.told.trail, name) for name in facts}, facts)
        return line


class AuthorizeTests(NotesCase):
    """The authorization endpoint."""

    def test_by_redirect(self) -> None:
        """What the browser carries to a client is told, too: who asked, for what, and why not."""
        self.mail.arrive(Visitor(self.daemon), scope="profile groups nonsense")

        line = self.assertTold(
            at="authorize",
            answered="redirect",
            status="302",
            reason="scope-without-openid",
            error="invalid_scope",
            client="mail",
            response_type="code",
            asked=("profile", "groups", "nonsense"),
            dropped=("nonsense",),
        )
        self.assertTrue(line.told.reference)

    def test_every_day(self) -> None:
        """A silent renewal when nobody is signed in happens every day, and is for the curious alone."""
        self.mail.arrive(Visitor(self.daemon), prompt="none")

        self.assertEqual(self.lines("debug"), [])

    def test_page(self) -> None:
        """The reference of a page is the one in the line."""
        visit = Visitor(self.daemon).open(self.mail.url(redirect_uri="https://mail.example.org/other?x=y"))
        line = self.assertTold(at="authorize", answered="page", status="400", reason="redirect-uri-unregistered")

        self.assertIn(line.told.reference, visit.text)
        self.assertEqual((line.told.trail.client, line.told.trail.host), ("mail", "mail.example.org"))
        self.assertTrue(line.told.trail.differs)

    def test_stranger(self) -> None:
        """Of a client that nobody knows its host is told, not what it calls itself."""
        Visitor(self.daemon).open(self.mail.url(client_id="s3cret-in-the-wrong-place"))

        self.assertTold(reason="client-unregistered", client="")
        self.assertNotIn("s3cret", self.log.text())

    def test_granted(self) -> None:
        """A request that is granted is not told of."""
        self.mail.code(Visitor(self.daemon))

        self.assertEqual(self.lines("trace"), [])

    def test_wrong_password(self) -> None:
        """What the backend says of a sign-in is told with the application that waits, not who it was."""
        visitor = Visitor(self.daemon)
        visitor.submit(self.mail.arrive(visitor), username="alice", password="wrong-password")

        self.assertEqual(self.lines("info"), [])
        self.assertTold("debug", at="sign-in", reason="wrong-credentials", client="mail", backend="wrong_password")
        self.assertNotIn("alice", "".join(self.log.lines()))

    def test_method(self) -> None:
        """A page that does not take a method says so, with a reference and what it takes; programs get plain words."""
        entry = self.daemon.post(self.daemon.settings.paths.identifier, "", "Origin: null")
        token = self.daemon.get(self.daemon.settings.paths.token)

        self.assertEqual((entry.status, token.status, token.body.strip()), (405, 405, b"405 Method Not Allowed"))
        self.assertIn("GET", entry.header("Allow"))
        line = self.assertTold(reason="method", answered="page", status="405")
        self.assertIn(line.told.reference.encode(), entry.body)


class ProgramTests(NotesCase):
    """Endpoints for programs."""

    def test_token(self) -> None:
        """A refused token request is told with its client, which is known before anything else."""
        self.mail.redeem("no-such-code")

        self.assertTold(
            at="token",
            answered="json",
            status="400",
            reason="code-unknown",
            error="invalid_grant",
            client="mail",
            grant_type="authorization_code",
        )

    def test_wrong_secret(self) -> None:
        """A wrong secret is told with the client whose it is not; of an unknown client there is no name."""
        for client_id, told in ((NOTES.client_id, "notes"), ("stranger", "")):
            header = self.notes.basic(client_id, "wrong")
            self.notes.ask_token(header, grant_type="authorization_code")

            self.assertEqual([self.lines()[-1].told.trail.client, self.lines()[-1].told.trail.status], [told, "401"])
        self.assertEqual({line.told.trail.reason for line in self.lines()}, {"client-credentials"})

    def test_others(self) -> None:
        """So are requests at the endpoints beside it."""
        paths = self.daemon.settings.paths
        for path, name in (
            (paths.par, "par"),
            (paths.revoke, "revoke"),
            (paths.introspect, "introspect"),
            (paths.device_authorization, "device-authorization"),
        ):
            self.daemon.post(path, "scope=groups", self.notes.basic())
            told = self.lines()[-1].told.trail
            with self.subTest(path=path):
                self.assertEqual((told.at, told.client, told.answered), (name, "notes", "json"))

    def test_userinfo(self) -> None:
        """A token that is over is told with its client, at level debug."""
        code = self.mail.code(Visitor(self.daemon))
        token = re.findall(rb'"access_token": ?"([^"]+)', self.mail.redeem(code).body)[0].decode()
        self.mail.redeem(code)
        self.log.events.clear()
        self.mail.userinfo(token)
        self.daemon.get(self.daemon.settings.paths.userinfo)

        self.assertEqual(self.lines("info"), [])
        self.assertEqual(
            [(line.told.trail.reason, line.told.trail.client) for line in self.lines("debug")],
            [("access-token-invalid", "mail"), ("access-token-missing", "")],
        )

    def test_unavailable(self) -> None:
        """What does not answer is a warning, in the adapter's words."""
        code = self.mail.code(Visitor(self.daemon))
        self.daemon.people.silent = True
        self.mail.redeem(code)

        line = self.assertTold("warn", at="token", status="503", reason="backend-unavailable")
        self.assertTrue(line.told.words)


class RegistrationTests(NotesCase):
    """Where clients register themselves."""

    words = (ON,)

    def test_registration(self) -> None:
        """Who registers wrongly has no name yet; who shows a wrong token for a client has the name of that."""
        client_id = SelfRegistered.begin(self.daemon).client.client_id
        register(self.daemon, {"redirect_uris": ["https://app.example.org/*"]})
        told = self.lines()[-1].told.trail
        self.daemon.ask("GET", f"{REGISTER}?client_id={client_id}", "Authorization: Bearer wrong")
        shown = self.lines()[-1].told.trail

        self.assertEqual((told.reason, told.client), ("registration-redirect-uri", ""))
        self.assertEqual((shown.reason, shown.client), ("registration-token", client_id[:LONGEST_VALUE]))


class TalkativeTests(NotesCase):
    """At level debug."""

    words = ("--log-level=debug",)

    def test_everything(self) -> None:
        """Requests that are granted are told as well: the pages on the way, what was dropped, and what was granted."""
        self.mail.redeem(self.mail.code(Visitor(self.daemon), scope="openid profile nonsense"))

        told = [(line.told.trail.at, line.told.trail.answered, line.told.trail.granted) for line in self.lines("debug")]
        self.assertEqual(
            told,
            [
                ("authorize", "sign-in", ()),
                ("authorize", "redirect", ("openid", "profile")),
                ("token", "json", ("openid", "profile")),
            ],
        )
        self.assertEqual({line.told.trail.client for line in self.lines("debug")}, {"mail"})
        self.assertEqual(self.lines("debug")[1].told.trail.dropped, ("nonsense",))

    def test_every_day(self) -> None:
        """So are silent renewals that find nobody, but never as something that an operator should look at."""
        self.mail.arrive(Visitor(self.daemon), prompt="none")

        self.assertEqual(self.lines("info"), [])
        self.assertTold("debug", reason="nobody-fits", client="mail", prompt="none")
