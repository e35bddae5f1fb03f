"""The backend, a person, and what an application would get to know of them."""

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends.file import FileUser, build_from
from konnectd.doctor import people
from konnectd.doctor.finding import Finding, Level
from konnectd.doctor.people import Sight
from konnectd.interfaces import BackendUnavailableError, PasswordBackend
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.pairwise import Pairwise
from tests.support.asked import told, worst
from tests.support.assembly import Daemon
from tests.support.behind_proxy import Nameless
from tests.support.fakes import People, run
from tests.support.people import ALICE, BOB

APP = Client(client_id="app", secret="very-secret", redirect_uris=("https://app.example.com/cb",))
FULL = Client(client_id="full", redirect_uris=APP.redirect_uris, scope_claims_in_id_token=True)
SECTOR = Client(client_id="sector", redirect_uris=APP.redirect_uris, pairwise=Pairwise("app.example.com", b"s" * 32))
CAROL = EndUser(user_id="carol", subject="carol", username="carol")


class Wrong(People):
    """A backend whose check finds something."""

    def __init__(self, error: Exception) -> None:
        """Keep what is found."""
        super().__init__()
        self.error = error

    async def check(self) -> None:
        """Find it."""
        raise self.error


class Forgetful(People):
    """A backend that knows people by name, and not by subject."""

    async def find_by_username(self, username: str) -> EndUser | None:
        """Return somebody."""
        if self.silent:
            raise BackendUnavailableError("the server is down")
        return ALICE


def backend() -> PasswordBackend:
    """Return three people in a file, and one who may not sign in."""
    users = [FileUser(end_user=user, password_hash="") for user in (ALICE, BOB, CAROL)]
    gone = EndUser(user_id="dave", subject="dave", username="dave")
    return build_from([*users, FileUser(end_user=gone, password_hash="", disabled=True)], MemoryReactorClock())


class BackendTests(SynchronousTestCase):
    """What the backend says about its settings."""

    def look(self, found: PasswordBackend) -> list[Finding]:
        """Look."""
        return run(people.look_at_backend(Daemon(backend=found).world))

    def test_good(self) -> None:
        """All is well."""
        self.assertEqual(worst(self.look(People())), [])

    def test_wrong_setting(self) -> None:
        """Each setting that is wrong is a fault of its own."""
        error = ConfigErrors([ConfigError("ldap_binddn", "is refused"), ConfigError("ldap_basedn", "is not there")])
        found = self.look(Wrong(error))

        self.assertEqual((worst(found), "Mend ldap_basedn" in told(found)), ([("fault", "backend")] * 2, True))

    def test_silent(self) -> None:
        """A server that is down is one."""
        self.assertIn("it is down", told(self.look(Wrong(BackendUnavailableError("it is down")))))


class PersonTests(SynchronousTestCase):
    """One person."""

    def look(
        self, username: str, client_id: str = "", scope: str = "", found: PasswordBackend | None = None
    ) -> tuple[list[Finding], Sight | None]:
        """Look."""
        world = Daemon(backend=found or backend(), clients=(APP, FULL, SECTOR)).world
        return run(people.look_at_person(world, username, client_id, scope))

    def sight(self, username: str, client_id: str = "", scope: str = "") -> Sight:
        """Return what an application gets to know."""
        _, sight = self.look(username, client_id, scope)
        if sight is None:
            raise AssertionError("nothing")
        return sight

    def test_claims(self) -> None:
        """Scopes open claims at userinfo; the ID token has who and for whom."""
        sight = self.sight("alice", "app", "openid email")

        self.assertEqual((sight.userinfo["email"], "name" in sight.userinfo), (ALICE.email, False))
        self.assertEqual((sight.id_token["aud"], "email" in sight.id_token), ("app", False))

    def test_as_the_client_is_registered(self) -> None:
        """A client that has everything in its ID tokens gets it there."""
        self.assertEqual(self.sight("alice", "full", "email").id_token["email"], ALICE.email)

    def test_pairwise(self) -> None:
        """A client with pairwise subjects knows people by names of its own, in both places."""
        mine, other = self.sight("alice", "sector"), self.sight("alice", "app", "openid")

        self.assertEqual(mine.id_token["sub"], mine.userinfo["sub"])
        self.assertNotEqual(mine.userinfo["sub"], other.userinfo["sub"])

    def test_everything(self) -> None:
        """Without a scope, everything there is is shown."""
        self.assertEqual(self.sight("alice").userinfo["groups"], list(ALICE.groups))

    def test_dropped_scope(self) -> None:
        """A scope that nobody can have is told."""
        found, sight = self.look("alice", "app", "openid bogus")

        self.assertEqual((sight and sight.scope, "bogus" in told(found)), (("openid",), True))

    def test_no_email(self) -> None:
        """Somebody without an address is told."""
        self.assertEqual(worst(self.look("carol")[0]), [("warning", "person")])

    def test_nobody(self) -> None:
        """Unknown and disabled people are faults, and nothing is shown of them."""
        for name in ("nobody", "dave", ""):
            with self.subTest(name=name):
                found, sight = self.look(name)

                self.assertEqual((worst(found), sight), ([("fault", "person")], None))

    def test_no_client(self) -> None:
        """So is a client that is not registered, or a scope that is none."""
        self.assertEqual(worst(self.look("alice", "bogus")[0]), [("fault", "client")])
        self.assertEqual(worst(self.look("alice", "app", 'a"b')[0]), [("fault", "client")])

    def test_other_backends(self) -> None:
        """A backend that can not look up names is no fault; one that is silent or contradicts itself is."""
        silent = Forgetful()
        silent.silent = True

        self.assertEqual([each.level for each in self.look("alice", found=Nameless())[0]], [Level.HINT])
        self.assertEqual(worst(self.look("alice", found=silent)[0]), [("fault", "person")])
        self.assertIn("not by subject", told(self.look("alice", found=Forgetful())[0]))

    def test_not_shown(self) -> None:
        """What is known of a person stands in no log by accident."""
        self.assertNotIn(ALICE.email, repr(self.sight("alice")))
