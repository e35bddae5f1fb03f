"""What every backend that checks passwords must do, and what further kinds of backends must do besides."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from konnectd.interfaces import NamingBackend, PasswordBackend, RefusalReason, Refused, SessionBackend
from konnectd.protocol.end_user import EndUser
from tests.support.fakes import run

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object

Answer = TypeVar("Answer")

#: Whom the backend under test knows.
USERNAME = "alice"
PASSWORD = "wonderland"

#: Names that are nobody's, whatever a backend does with them.
ODD_NAMES = ("", " ", "*", "a*", "alice\0", "\0", "al\nice", ")(uid=*", "alice)(|(uid=*", "\\", "x" * 100_000, "\ud800")


class BackendContract(Base):
    """Mix into a test case and override `make_backend`.

    Attributes:
        tells_who_is_known: the log learns whether a refused name is anybody's; some sources do not say.
    """

    backend: PasswordBackend
    tells_who_is_known = True

    def setUp(self) -> None:
        """Take a backend."""
        super().setUp()
        self.backend = self.make_backend()

    def make_backend(self) -> PasswordBackend:
        """Return a backend that knows `USERNAME`, whose password is `PASSWORD`, and nobody like `ODD_NAMES`."""
        raise NotImplementedError

    def drive(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Return what a coroutine returns."""
        return run(coroutine)

    def known(self) -> EndUser:
        """Return the person the backend knows, signed in."""
        user = self.drive(self.backend.logon(USERNAME, PASSWORD))
        if isinstance(user, Refused):
            self.fail(f"refused: {user.reason}")
        return user

    def nobody(self) -> Refused:
        """Return what a name comes to that nobody has."""
        return Refused(RefusalReason.UNKNOWN_USER if self.tells_who_is_known else RefusalReason.WRONG_PASSWORD)

    def test_kind(self) -> None:
        """It is a backend that checks passwords, with a name that goes into tokens."""
        self.assertIsInstance(self.backend, PasswordBackend)
        self.assertRegex(self.backend.name, r"\Aidentifier-[a-z]+\Z")

    def test_declares_what_it_serves(self) -> None:
        """Its scopes and claims are told once each."""
        for words in (self.backend.scopes, self.backend.claims):
            self.assertIsInstance(words, tuple)
            self.assertEqual(len(words), len(set(words)))

    def test_check(self) -> None:
        """With good settings the check at start passes."""
        self.assertIsNone(self.drive(self.backend.check()))

    def test_right_password(self) -> None:
        """The right password signs the person in, with a subject."""
        user = self.known()

        self.assertEqual(user.username, USERNAME)
        self.assertTrue(user.subject)

    def test_case_of_name(self) -> None:
        """The case of a name does not matter, and the name is then the backend's."""
        user = self.drive(self.backend.logon(USERNAME.upper(), PASSWORD))

        self.assertEqual(user, self.known())

    def test_wrong_password_names_account(self) -> None:
        """A wrong password counts against the account, under whichever of its names it was tried."""
        for name in (USERNAME, USERNAME.upper()):
            answer = self.drive(self.backend.logon(name, "x"))

            account = self.known().subject if self.tells_who_is_known else ""
            self.assertEqual(getattr(answer, "principal", None), account, name)

    def test_wrong_password(self) -> None:
        """Any other password is refused."""
        for password in (PASSWORD + "x", PASSWORD.upper(), PASSWORD + "\0", "*", "\ud800", PASSWORD + " "):
            answer = self.drive(self.backend.logon(USERNAME, password))

            self.assertEqual(answer, Refused(RefusalReason.WRONG_PASSWORD))

    def test_empty_password(self) -> None:
        """The empty password is refused before anything else, whoever it is for."""
        for name in (USERNAME, "nobody", ""):
            answer = self.drive(self.backend.logon(name, ""))

            self.assertEqual(answer, Refused(RefusalReason.EMPTY_PASSWORD))

    def test_unknown_user(self) -> None:
        """A name that nobody has is refused."""
        answer = self.drive(self.backend.logon("nobody", PASSWORD))

        self.assertEqual(answer, self.nobody())

    def test_odd_names(self) -> None:
        """Names made to break something are names that nobody has."""
        for name in ODD_NAMES:
            answer = self.drive(self.backend.logon(name, PASSWORD))

            self.assertEqual(answer, self.nobody(), repr(name[:20]))

    def test_find(self) -> None:
        """Who signed in is found again by their id, as the same person."""
        user = self.known()

        found = self.drive(self.backend.find(user.user_id))

        self.assertIsNotNone(found)
        if found is not None:
            self.assertEqual((found.user_id, found.subject), (user.user_id, user.subject))
            self.assertEqual((found.username, found.name, found.email), (user.username, user.name, user.email))

    def test_find_nobody(self) -> None:
        """Ids that nobody has find nobody."""
        for user_id in ("nobody", *ODD_NAMES):
            self.assertIsNone(self.drive(self.backend.find(user_id)), repr(user_id[:20]))

    def test_close_twice(self) -> None:
        """Closing a closed backend does nothing."""
        self.drive(self.backend.close())

        self.assertIsNone(self.drive(self.backend.close()))


class NamingContract(BackendContract):
    """Mix into a test case of a backend that finds people by name, in the place of `BackendContract`."""

    def find_by_username(self, username: str) -> EndUser | None:
        """Return whom a name means."""
        if not isinstance(self.backend, NamingBackend):
            self.fail("it finds nobody by name")
        return self.drive(self.backend.find_by_username(username))

    def test_find_by_username(self) -> None:
        """A name means the person who signs in with it."""
        self.assertEqual(self.find_by_username(USERNAME), self.known())

    def test_find_by_username_in_any_case(self) -> None:
        """Its case does not matter, as when signing in."""
        self.assertEqual(self.find_by_username(USERNAME.upper()), self.known())

    def test_find_nobody_by_username(self) -> None:
        """Names that nobody has, and those made to break something, mean nobody."""
        for name in ("nobody", *ODD_NAMES):
            self.assertIsNone(self.find_by_username(name), repr(name[:20]))


class SessionContract(BackendContract):
    """Mix into a test case of a backend with sessions of its own, in the place of `BackendContract`."""

    def sessions(self) -> SessionBackend:
        """Return the backend as what it is."""
        if not isinstance(self.backend, SessionBackend):
            self.fail("it keeps no sessions")
        return self.backend

    def test_bound_of_access_tokens(self) -> None:
        """It says for how long access tokens are of use, or that it does not matter."""
        longest = self.sessions().longest_access_token

        self.assertTrue(longest is None or longest > 0)

    def test_leave(self) -> None:
        """Who has left can sign in again."""
        self.drive(self.sessions().leave(self.known().user_id))

        self.assertEqual(self.known().username, USERNAME)

    def test_leave_twice(self) -> None:
        """That somebody leaves who has left, or never came, changes nothing and is no fault."""
        user_id = self.known().user_id
        for _ in range(2):
            self.assertIsNone(self.drive(self.sessions().leave(user_id)))
        self.assertIsNone(self.drive(self.sessions().leave("nobody")))
