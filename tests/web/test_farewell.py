"""Where somebody goes who has left, and what the page about it says."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.endsession import Left
from konnectd.paths import Paths
from konnectd.protocol.client import Client
from konnectd.web.farewell import way_out
from konnectd.web.urls import Urls
from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.fakes import SilentStore
from tests.support.markup import elements
from tests.support.requests import BYE, MAIL
from tests.support.visitor import Visit, Visitor

PATHS = Paths.below("")
PAGE = f"{PATHS.inner}signedout?left=f-1"
OWN = "https://portal.example.com/bye"
END_SESSION = "/signin/v1/identifier/_/endsession"
FRONT: Client = evolve(MAIL, client_id="front", name="Front", frontchannel_logout_uri="https://notes.example.org/f")
BACK: Client = evolve(MAIL, client_id="back", name="Back", backchannel_logout_uri="https://notes.example.org/b")
BOTH: Client = evolve(FRONT, client_id="both", name="Both", backchannel_logout_uri="https://notes.example.org/b")
ODD: Client = evolve(FRONT, client_id="odd", name="Odd", frontchannel_logout_uri="https://[::1]/f")


class WayOutTests(SynchronousTestCase):
    """Where a browser goes."""

    def test_table(self) -> None:
        """To the page where it must be seen or nothing else is, else to the client or the operator's own page."""
        ours = Urls(paths=PATHS, sign_in=PATHS.identifier, signed_out=PATHS.goodbye)
        own = evolve(ours, signed_out=OWN)
        cases = (
            (ours, Left(""), PATHS.goodbye),
            (own, Left(""), OWN),
            (ours, Left(BYE), BYE),
            (ours, Left("", (), "f-1"), PAGE),
            (own, Left("", (), "f-1"), OWN),
            (ours, Left(BYE, (), "f-1"), BYE),
            (ours, Left(BYE, (), "f-1", frames=True), PAGE),
            (own, Left("", (), "f-1", frames=True), PAGE),
        )
        for urls, left, wanted in cases:
            self.assertEqual(way_out(urls, left), wanted)


class PageTests(SynchronousTestCase):
    """What the page says."""

    def leave(self, *clients: Client, daemon: Daemon | None = None, query: str = "") -> Visit:
        """Let Alice sign in to clients and out again."""
        self.daemon = daemon or Daemon(clients=clients)
        self.visitor = Visitor(self.daemon)
        for number, client in enumerate(clients):
            app = Application(self.daemon, client)
            (app.arrive if number else app.sign_in)(self.visitor)
        return self.visitor.submit(self.visitor.open(END_SESSION + query), signout="1")

    def onward(self, visit: Visit) -> list[str]:
        """Return where the page leads, and whether it does so by itself."""
        links = (e.attributes for e in elements(visit.answer.body) if e.name == "a")
        return [f"{link['href']}{' by itself' if 'data-onward' in link else ''}" for link in links]

    def test_kinds(self) -> None:
        """Each application is there once, with what is known of it."""
        visit = self.leave(FRONT, BACK, BOTH, ODD)

        for words in (
            "Front was asked to sign you out",
            "Back is being told",
            "Both is being told",
            "Odd did not answer",
        ):
            self.assertIn(words, visit.text)
        self.assertEqual(len([e for e in elements(visit.answer.body) if e.name == "iframe"]), 2)

    def test_other_addresses(self) -> None:
        """Whatever somebody sends in place of a sign-out's name, what is kept about one is not taken for another."""
        visit = self.leave(BACK)
        self.daemon.reactor.pump([1.0] * 2)
        for more in (":0", ":1", "x", "%20", "", "x" * 5000):
            answer = self.daemon.get(f"{visit.path}?left={visit.url.partition('left=')[2]}{more}")

            self.assertIn(answer.status, {200} if not more else {302}, more)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_nowhere(self) -> None:
        """Who is not awaited stays, and may look again while something is open."""
        visit = self.leave(BACK)

        self.assertEqual([link.partition("?")[0] for link in self.onward(visit)], [f"{PATHS.inner}signedout"])
        self.daemon.web.statuses["https://notes.example.org/b"] = 200
        self.daemon.reactor.advance(0)
        self.assertEqual(self.onward(self.visitor.open(visit.url)), [])

    def test_own_page(self) -> None:
        """Where the operator has a page, the frames come first and then that."""
        daemon = Daemon(f"--signed-out-uri={OWN}", clients=(FRONT, BACK))
        visit = self.leave(FRONT, daemon=daemon)

        self.assertEqual(self.onward(visit), [f"{OWN} by itself"])

    def test_silent_store(self) -> None:
        """When what came of it can not be read, the page says so and not something else."""
        daemon = Daemon(store=SilentStore())

        self.assertEqual(daemon.get(f"{PATHS.inner}signedout?left=f-1").status, 503)
