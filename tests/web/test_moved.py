"""Addresses that endpoints have had with Konnect."""

from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application
from tests.support.assembly import FORM_HEADER, Daemon
from tests.support.visitor import Visitor

AUTHORIZE, ENDSESSION = "/old/authorize", "/old/goodbye"
INNER = "/signin/v1/identifier/_/"


class MovedTests(SynchronousTestCase):
    """A client that still asks there."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(f"--authorization-endpoint-uri={AUTHORIZE}", f"--endsession-endpoint-uri={ENDSESSION}")

    def test_query(self) -> None:
        """A browser is sent on with the very query it has brought, in whatever form that is."""
        for query in ("?scope=openid&state=a%20b+%C3%A9", "?x=https://evil.example/", "?", ""):
            answer = self.daemon.get(AUTHORIZE + query)
            with self.subTest(query=query):
                self.assertEqual(answer.status, 307)
                self.assertEqual(answer.header("Location"), f"{INNER}authorize{query if query != '?' else ''}")

    def test_form(self) -> None:
        """A form is posted again: the status tells the browser to."""
        answer = self.daemon.ask("POST", ENDSESSION, FORM_HEADER, body=b"state=x")

        self.assertEqual((answer.status, answer.header("Location")), (307, f"{INNER}endsession"))

    def test_sign_in(self) -> None:
        """Whoever is signed in comes back with a code: the cookies are there where it leads."""
        application, visitor = Application(self.daemon), Visitor(self.daemon)
        application.sign_in(visitor)
        there = self.daemon.get(f"{AUTHORIZE}?{urlencode(application.parameters())}").header("Location")

        self.assertIn("code", application.told(visitor.open(there)))

    def test_metadata(self) -> None:
        """Clients that look it up are told the address that needs no detour."""
        self.assertNotIn("/old/", self.daemon.get("/.well-known/openid-configuration").body.decode())

    def test_too_long(self) -> None:
        """What no server would take is refused with a page, as at the endpoint itself."""
        answer = self.daemon.get(f"{AUTHORIZE}?{'x' * 12_000}")

        self.assertEqual((answer.status, answer.header("Location")), (400, ""))

    def test_nobody_asked(self) -> None:
        """Without the options there are no such addresses."""
        self.assertEqual(Daemon().get("/konnect/v1/authorize").status, 404)
