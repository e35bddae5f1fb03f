"""Row 18: what a proxy says, and what others have it say; and what its word is worth (rows 10 and 11)."""

from ipaddress import ip_network

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import Answer, ToSignIn
from konnectd.flows.browser import Browser, Recognized
from konnectd.protocol.progress import Progress
from konnectd.web.proxies import Proxies
from tests.support.connection import Bench, Connection, request, route
from tests.support.endpoints import Seen
from tests.support.people import ALICE
from tests.support.provider import Provider

PROXY, STRANGER = "192.0.2.7", "192.0.2.99"
ALICE_IS_THERE, MALLORY = "X-Forwarded-User: alice", "X-Forwarded-User: mallory"


class Row18Tests(SynchronousTestCase):
    """An endpoint behind one trusted proxy."""

    def told(self, peer: str, *headers: str) -> list[tuple[str, str]]:
        """Ask once, and return who and where it was taken to come from; nothing when it was refused."""
        seen = Seen()
        bench = Bench.of(route("/a", seen), proxies=Proxies(networks=(ip_network(PROXY),)))
        wire = StringTransport(peerAddress=IPv4Address("TCP", peer, 1), lenient=True)
        Connection(bench.site, wire).ask(request("GET", "/a", *headers))
        return [(one.recognized, one.client) for one in seen.requests]

    def test_row_18_stranger(self) -> None:
        """Who is no trusted proxy says nothing about anybody."""
        self.assertEqual(self.told(STRANGER, MALLORY, "X-Forwarded-For: 198.51.100.9"), [("", STRANGER)])

    def test_row_18_twice(self) -> None:
        """Of two names neither counts."""
        self.assertEqual(self.told(PROXY, MALLORY, ALICE_IS_THERE), [])

    def test_row_18_joined(self) -> None:
        """Nor of two that somebody has made one header of."""
        self.assertEqual(self.told(PROXY, f"{MALLORY}, alice"), [])

    def test_row_18_invented_address(self) -> None:
        """What a browser says of its address stands before what the proxy says, and does not count."""
        self.assertEqual(self.told(PROXY, "X-Forwarded-For: 203.0.113.1, 198.51.100.9"), [("", "198.51.100.9")])


class PersonCase(SynchronousTestCase):
    """Alice, whom the proxy has recognized, at an application of the house."""

    def setUp(self) -> None:
        """Sign her in."""
        self.provider = Provider()
        self.browser = self.after(self.behind("alice"))

    def behind(self, username: str, browser: Browser | None = None) -> Browser:
        """Return a browser as it comes when the proxy says who is there."""
        return Browser(browser.sealed if browser is not None else {}, Recognized(username))

    def ask(self, browser: Browser, **changes: str | None) -> Answer:
        """Let an application of the house ask."""
        return self.provider.ask(browser, **{"client_id": "mail", **changes})

    def after(self, browser: Browser) -> Browser:
        """Return a browser after an application has asked."""
        return browser.after(self.ask(browser).cookies)


class Row10Tests(PersonCase):
    """A word that is said with every request is no proof for one of them."""

    def test_row_10_word(self) -> None:
        """Who forgets their cookies and is signed in anew has not typed the password that a request wants."""
        begun = self.ask(self.browser, prompt="login")
        interaction = begun.interaction if isinstance(begun, ToSignIn) else ""
        self.provider.clock.advance(1)
        anew = self.after(self.behind("alice"))

        self.assertIsInstance(self.ask(anew, prompt="login", interaction=interaction), ToSignIn)

    def test_row_10_covers(self) -> None:
        """By the rule alone: however young, it is not for the request that is under way."""
        now = self.provider.clock.now()
        made = self.provider.sign_in.prove(ALICE, recognized="alice", amr=()).logon

        self.assertFalse(Progress(fingerprint="f", started_at=now - 1).covers(made))


class Row11Tests(PersonCase):
    """A session that somebody else has left behind."""

    def test_row_11_next_person(self) -> None:
        """It does not count when the proxy names another person, be it a known one or not."""
        for name in ("bob", "carol"):
            self.assertIsNone(self.provider.sign_in.find(self.behind(name, self.browser)), name)
