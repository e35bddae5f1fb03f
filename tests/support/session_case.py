"""What tests of a backend with sessions of its own begin with: a browser in front of the assembled daemon."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.devices import TV
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.requests import CLIENTS, MAIL, NOTES
from tests.support.session_people import SessionPeople
from tests.support.visitor import Visit, Visitor

INNER = "/signin/v1/identifier/_/"
LOGON = "__Secure-KKT"
#: Alice as a groupware server has her.
WITH_GROUPWARE = evolve(ALICE, identity={"kc.i.us": "e3Ia1ed3TfSoazjHIj5hFQ"})


class SessionCase(SynchronousTestCase):
    """A browser in front of the daemon."""

    words: tuple[str, ...] = ()
    longest: int | None = None

    def setUp(self) -> None:
        """Assemble."""
        self.people = SessionPeople(WITH_GROUPWARE, BOB, passwords=PASSWORDS, longest_access_token=self.longest)
        self.daemon = Daemon(*self.words, backend=self.people, clients=(*CLIENTS, TV))
        self.mail = Application(self.daemon, MAIL)
        self.notes = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)

    def lose(self) -> None:
        """Let the backend lose its session with Alice."""
        self.people.lost.add("alice")

    def submit(self, page: Visit, username: str = "alice") -> Visit:
        """Sign in at a page."""
        return self.visitor.submit(page, username=username, password=PASSWORDS[username])

    def left(self) -> list[str]:
        """Let the background come round, and return who has left so far."""
        self.daemon.reactor.advance(0)
        return self.people.left
