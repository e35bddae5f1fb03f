"""Logos of clients: fetched once for everybody, kept for a while, and asked for within limits."""

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.client_logo import (
    FRESH,
    MOST_A_MINUTE,
    MOST_AT_ONCE,
    MOST_BYTES,
    MOST_KEPT,
    PAUSE,
    ClientLogos,
    LogoAnswer,
    NoLogo,
)
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.client import Client
from konnectd.protocol.client_logo import Logo
from tests.support.fakes import FixedClock, Registry, run
from tests.support.logos import PNG
from tests.support.steps import Run, WaitingFetch, in_turns
from tests.support.web_of_clients import WebOfClients

#: As large as a logo can be.
LARGE = 64 * 1024


def address(number: int) -> str:
    """Return where the logo of a client is."""
    return f"https://app-{number}.example.org/logo.png"


def clients(count: int, *, dynamic: bool = False) -> tuple[Client, ...]:
    """Return clients called by their numbers, each with a logo."""
    return tuple(Client(client_id=str(number), logo_uri=address(number), dynamic=dynamic) for number in range(count))


class LogoCase(SynchronousTestCase):
    """Has clients, a web they have logos in, and a clock."""

    def setUp(self) -> None:
        """Begin with one client whose logo is there."""
        self.clock, self.web = FixedClock(), WebOfClients()
        self.registry = Registry(*clients(1))
        self.web.pages[address(0)] = PNG
        self.logos = ClientLogos(clients=self.registry, fetch=self.web, clock=self.clock)

    def register(self, *registered: Client, content: bytes = PNG) -> None:
        """Register clients whose logos are all there."""
        for client in registered:
            self.registry.clients[client.client_id] = client
            self.web.pages[client.logo_uri] = content

    def find(self, client_id: str = "0") -> LogoAnswer:
        """Ask for a logo."""
        return run(self.logos.find(client_id))

    def assertNone(self, answer: LogoAnswer | None, words: str) -> None:
        """Fail unless there is no logo, for a reason with some words in it."""
        self.assertIsInstance(answer, NoLogo)
        self.assertIn(words, str(answer))


class FindTests(LogoCase):
    """What is found."""

    def test_logo(self) -> None:
        """The picture that stands at the registered address."""
        self.assertEqual(self.find(), Logo(media_type="image/png", content=PNG))
        self.assertEqual(self.web.asked, [address(0)])

    def test_nobody_is_asked(self) -> None:
        """For a client that is unknown, or has no logo at an https address, nobody is asked."""
        self.register(Client(client_id="bare"), Client(client_id="plain", logo_uri="http://app.example.org/logo.png"))
        for client_id in ("", "unknown", address(0), "bare", "plain"):
            self.assertIsInstance(self.find(client_id), NoLogo, client_id)

        self.assertEqual(self.web.asked, [])

    def test_no_picture(self) -> None:
        """What is no picture is not shown."""
        self.web.pages[address(0)] = b"<svg/>"

        self.assertNone(self.find(), "no PNG")

    def test_no_answer(self) -> None:
        """Nor is anything shown of a server that does not answer, and the log can say so."""
        self.web.pages.clear()

        self.assertNone(self.find(), "does not answer")

    def test_silent_registry(self) -> None:
        """A registry that does not answer is told as such."""
        self.registry.silent = True

        with self.assertRaises(BackendUnavailableError):
            self.find()


class KeepingTests(LogoCase):
    """For how long nobody is asked again."""

    def asked_after(self, *seconds: int) -> Sequence[int]:
        """Return how often the server had been asked each time somebody wanted the logo, some seconds after another."""
        counts = []
        for pause in seconds:
            self.clock.advance(pause)
            self.find()
            counts.append(len(self.web.asked))
        return counts

    def test_logo(self) -> None:
        """A logo is kept for an hour."""
        self.assertEqual(self.asked_after(0, 0, FRESH - 1, 1, FRESH - 1), [1, 1, 1, 2, 2])

    def test_failure(self) -> None:
        """Who has no picture is asked once a minute, whoever wants it how often."""
        for content in (None, b"no picture"):
            self.setUp()
            self.web.pages = {} if content is None else {address(0): content}

            self.assertEqual(self.asked_after(0, 0, PAUSE - 1, 1, PAUSE - 1), [1, 1, 1, 2, 2])

    def test_failure_ends(self) -> None:
        """A server that answers again is heard, and one that is lost loses its logo when the hour is over."""
        self.web.pages.clear()
        self.find()
        self.web.pages[address(0)] = PNG
        self.clock.advance(PAUSE)
        self.assertIsInstance(self.find(), Logo)
        self.web.pages.clear()
        self.clock.advance(FRESH)

        self.assertIsInstance(self.find(), NoLogo)

    def test_new_address(self) -> None:
        """A client that registers another address has another logo at once."""
        self.find()
        self.register(Client(client_id="0", logo_uri=address(1)), content=b"GIF89a")

        self.assertEqual(self.find(), Logo(media_type="image/gif", content=b"GIF89a"))

    def test_one_address(self) -> None:
        """Clients that share an address share what is kept of it."""
        self.register(Client(client_id="twin", logo_uri=address(0)))
        self.find()
        self.find("twin")

        self.assertEqual(len(self.web.asked), 1)

    def test_number(self) -> None:
        """Of many, those that nobody has wanted for longest are forgotten."""
        self.register(*clients(MOST_KEPT + 1))
        for number in range(MOST_KEPT):
            self.find(str(number))
        self.find("0")
        self.find(str(MOST_KEPT))
        before = len(self.web.asked)
        self.find("0")
        self.assertEqual(len(self.web.asked), before)
        self.find("1")

        self.assertEqual(len(self.web.asked), before + 1)

    def test_bytes(self) -> None:
        """Large ones are forgotten sooner, so that all together have a size that does not grow."""
        fitting = MOST_BYTES // LARGE
        self.register(*clients(fitting + 1), content=PNG.ljust(LARGE, b"\0"))
        for number in (*range(fitting), *range(fitting)):
            self.find(str(number))
        self.assertEqual(len(self.web.asked), fitting)
        self.find(str(fitting))
        self.find("0")

        self.assertEqual(self.web.asked[fitting:], [address(fitting), address(0)])


class WaitingTests(LogoCase):
    """While a server thinks."""

    def setUp(self) -> None:
        """Begin with a web that takes its time."""
        super().setUp()
        self.logos = ClientLogos(clients=self.registry, fetch=WaitingFetch(self.web), clock=self.clock)

    def test_together(self) -> None:
        """Who comes while the server is asked waits for its answer instead of being told that there is none."""
        for turns in ((0, 1), (0, 0, 1), (0, 0, 0, 1), (0, 1, 1, 0)):
            self.clock.advance(FRESH)
            runs = in_turns(turns, self.logos.find("0"), self.logos.find("0"))

            self.assertEqual([type(each.answer) for each in runs], [Logo, Logo], turns)

    def test_leaving(self) -> None:
        """Who asks and leaves at once, again and again, makes us ask once a minute."""
        for _ in range(3):
            leaving = Run(self.logos.find("0"))
            leaving.step()
            leaving.step()
            leaving.coroutine.close()

        self.assertEqual(len(self.web.asked), 1)
        self.clock.advance(PAUSE)
        self.assertIsInstance(in_turns((), self.logos.find("0"))[0].answer, Logo)

    def test_one_leaves(self) -> None:
        """Who stays gets the logo although somebody else left, and so does who comes after that."""
        leaving, staying = Run(self.logos.find("0")), Run(self.logos.find("0"))
        leaving.step()
        staying.step()
        leaving.coroutine.close()
        late = Run(self.logos.find("0"))
        while not (staying.done and late.done):
            staying.step()
            late.step()

        self.assertEqual([type(staying.answer), type(late.answer)], [Logo, Logo])

    def test_slow_servers(self) -> None:
        """Slow servers of strangers keep a few turns; until one is free only the operator's clients have more."""
        self.register(*clients(MOST_AT_ONCE + 1, dynamic=True), Client(client_id="ours", logo_uri=address(999)))
        waiting = [Run(self.logos.find(str(number))) for number in range(MOST_AT_ONCE)]
        for each in waiting:
            each.step()
        refused, joined, ours = (Run(self.logos.find(name)) for name in (str(MOST_AT_ONCE), "0", "ours"))
        for each in (refused, joined, ours):
            each.step()

        self.assertTrue(refused.done)
        self.assertNone(refused.answer, "too many")
        self.assertEqual((joined.done, ours.done), (False, False))
        for each in (*waiting, joined, ours):
            while not each.done:
                each.step()
        self.assertIsInstance(in_turns((), self.logos.find(str(MOST_AT_ONCE)))[0].answer, Logo)


class AllowanceTests(LogoCase):
    """What clients that registered themselves make us ask."""

    def test_minute(self) -> None:
        """However many there are, they share what may be asked within a minute."""
        self.register(*clients(2 * MOST_A_MINUTE, dynamic=True))
        answers = [self.find(str(number)) for number in range(MOST_A_MINUTE + 1)]
        self.assertEqual([type(answer) for answer in answers], [Logo] * MOST_A_MINUTE + [NoLogo])
        self.clock.advance(60)

        self.assertIsInstance(self.find(str(MOST_A_MINUTE)), Logo)
        self.assertEqual(len(self.web.asked), MOST_A_MINUTE + 1)

    def test_circle(self) -> None:
        """More clients than are kept, asked for in a circle, do not make it more."""
        self.register(*clients(MOST_KEPT + 1, dynamic=True))
        for _ in range(3):
            for number in range(MOST_KEPT + 1):
                self.find(str(number))

        self.assertEqual(len(self.web.asked), MOST_A_MINUTE)

    def test_operators_clients(self) -> None:
        """Clients of the operator's file have their logos nevertheless."""
        self.register(*clients(MOST_A_MINUTE + 1, dynamic=True), Client(client_id="ours", logo_uri=address(999)))
        for number in range(MOST_A_MINUTE + 1):
            self.find(str(number))

        self.assertIsInstance(self.find("ours"), Logo)
