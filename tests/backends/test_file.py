"""Users from a file: who is let in, who is found again, and what the operator is told."""

from pathlib import Path
from typing import Any

from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import file
from konnectd.backends._file_users import parse_users
from konnectd.backends._passwords import hash_password, matches
from konnectd.backends.file import FileBackend, FileUser
from konnectd.interfaces import PasswordBackend, RefusalReason, Refused
from konnectd.option import ConfigErrors
from konnectd.protocol.end_user import EndUser
from tests.contracts.backends import NamingContract
from tests.support.fakes import run
from tests.support.keys import quick_hash
from tests.support.people import ALICE, BOB

CAROL = EndUser(user_id="carol", subject="carol", username="carol", email="team@example.org")
DAVE = EndUser(user_id="dave", subject="dave", username="dave", email="Team@example.org")
ZOE = EndUser(user_id="Zoé", subject="Zoé", username="Zoé", email="zoé@example.org")


class InlineChecker:
    """Checks passwords at once, and keeps which hashes it was asked about."""

    def __init__(self) -> None:
        """Begin with no question."""
        self.asked: list[str] = []
        self.closed = False

    async def matches(self, password_hash: str, password: str) -> bool:
        """Check."""
        self.asked.append(password_hash)
        return matches(password_hash, password)

    async def close(self) -> None:
        """Remember it."""
        self.closed = True


class CredulousChecker:
    """Takes every password for the right one."""

    async def matches(self, password_hash: str, password: str) -> bool:
        """Say yes to any text."""
        return bool(password_hash and password)

    async def close(self) -> None:
        """Do nothing."""


def user(person: EndUser, password: str, *, disabled: bool = False) -> FileUser:
    """Return an entry with a hash that is quick to check."""
    return FileUser(person, quick_hash(password), disabled)


class FileBackendContractTests(NamingContract, SynchronousTestCase):
    """It does what every backend that checks passwords does."""

    def make_backend(self) -> PasswordBackend:
        """Return it with the person the contract asks for."""
        return FileBackend([user(ALICE, "wonderland")], InlineChecker())


class LogonTests(SynchronousTestCase):
    """Who is let in."""

    def setUp(self) -> None:
        """Take some people."""
        self.checker = InlineChecker()
        self.backend = FileBackend(
            [
                user(ALICE, "wonderland"),
                user(BOB, "builder", disabled=True),
                user(CAROL, "carol's"),
                user(DAVE, "dave's"),
                user(ZOE, "pässword \U0001f511"),
            ],
            self.checker,
        )

    def logon(self, username: str, password: str) -> object:
        """Sign in."""
        return run(self.backend.logon(username, password))

    def test_right_password(self) -> None:
        """The right password lets in whom it belongs to."""
        self.assertEqual(self.logon("alice", "wonderland"), ALICE)
        self.assertEqual(self.logon("Zoé", "pässword \U0001f511"), ZOE)

    def test_wrong_password(self) -> None:
        """A wrong password does not, nor one that only looks like the right one or is another's."""
        for password in ("Wonderland", "wonderland ", "wonderlan", "wonderland\x00", "builder", "\ud800", "x" * 5000):
            self.assertEqual(self.logon("alice", password), Refused(RefusalReason.WRONG_PASSWORD))

    def test_hash_is_no_password(self) -> None:
        """Whoever has seen the file can not use a hash as a password."""
        self.assertEqual(self.logon("alice", quick_hash("wonderland")), Refused(RefusalReason.WRONG_PASSWORD))

    def test_empty_password(self) -> None:
        """The empty password is refused before anything else, whoever it is for."""
        for username in ("alice", "nobody", ""):
            self.assertEqual(self.logon(username, ""), Refused(RefusalReason.EMPTY_PASSWORD))
        self.assertEqual(self.checker.asked, [])

    def test_case_and_composition(self) -> None:
        """Case, outer blanks and the way an accent is composed do not matter in a name."""
        for username in ("ALICE", " alice\t", "Alice"):
            self.assertEqual(self.logon(username, "wonderland"), ALICE)
        for username in ("zoé", "ZOE\u0301", "Zoe\u0301"):
            self.assertEqual(self.logon(username, "pässword \U0001f511"), ZOE)

    def test_by_email(self) -> None:
        """An address that one person has signs that person in."""
        self.assertEqual(self.logon("Alice@Example.org", "wonderland"), ALICE)

    def test_shared_email(self) -> None:
        """An address that two people have signs in neither, whatever the password; their user names do."""
        for password in ("carol's", "dave's", "x"):
            self.assertEqual(self.logon("team@example.org", password), Refused(RefusalReason.AMBIGUOUS))
        self.assertEqual(self.logon("dave", "dave's"), DAVE)

    def test_unknown_user(self) -> None:
        """Nobody is let in under a name nobody has."""
        for username in ("", "alic", "alice@", "@example.org", "*", "alice\x00", "\ud800", "a" * 100_000):
            self.assertEqual(self.logon(username, "wonderland"), Refused(RefusalReason.UNKNOWN_USER))

    def test_unknown_user_costs_as_much(self) -> None:
        """An unknown user, a shared address and a wrong password each cost one hash with the same parameters."""
        for username in ("alice", "nobody", "team@example.org"):
            self.logon(username, "wrong")

        self.assertEqual(
            [asked.split("$")[1:4] for asked in self.checker.asked], [["argon2id", "v=19", "m=8,t=1,p=1"]] * 3
        )
        self.assertEqual({len(asked) for asked in self.checker.asked}, {len(quick_hash("wonderland"))})

    def test_disabled(self) -> None:
        """A disabled person is refused, and only the right password finds out that this is why."""
        self.assertEqual(self.logon("bob", "builder"), Refused(RefusalReason.DISABLED))
        self.assertEqual(self.logon("bob", "wrong"), Refused(RefusalReason.WRONG_PASSWORD))

    def test_found_by_name(self) -> None:
        """Somebody else's word for a name means whom the name signs in, an address too, with or without a hash."""
        backend = FileBackend([FileUser(ALICE), user(ZOE, "x")], self.checker)
        found = [run(backend.find_by_username(name)) for name in ("alice", "ALICE@example.org", "zoé")]

        self.assertEqual(found, [ALICE, ALICE, ZOE])

    def test_not_found_by_name(self) -> None:
        """It means nobody when several have that address, or when the person is disabled."""
        found = [run(self.backend.find_by_username(name)) for name in ("team@example.org", "bob")]

        self.assertEqual(found, [None, None])

    def test_without_hash(self) -> None:
        """A person without a hash is let in by no password, and costs as much as the others."""
        backend = FileBackend([FileUser(ALICE), user(ZOE, "x")], self.checker)

        self.assertEqual(run(backend.logon("alice", "x")), Refused(RefusalReason.WRONG_PASSWORD))
        self.assertIn("m=8,t=1,p=1", self.checker.asked[0])

    def test_checker_that_says_yes(self) -> None:
        """Even if the hash of nobody had a password, nobody and people without a hash would not be let in by it."""
        backend = FileBackend([FileUser(ALICE), user(BOB, "x")], CredulousChecker())

        self.assertEqual(run(backend.logon("alice", "x")), Refused(RefusalReason.WRONG_PASSWORD))
        self.assertEqual(run(backend.logon("nobody", "x")), Refused(RefusalReason.UNKNOWN_USER))
        self.assertEqual(run(backend.logon("bob", "y")), BOB)

    def test_find(self) -> None:
        """A person is found again by their id, exactly, unless they are gone or disabled."""
        found = [
            run(self.backend.find(user_id)) for user_id in ("alice", "Zoé", "bob", "ALICE", "alice@example.org", "")
        ]

        self.assertEqual(found, [ALICE, ZOE, None, None, None, None])

    def test_find_by_username(self) -> None:
        """A name means whom it would sign in: nobody who is disabled, and nobody where two have the address."""
        names = ("alice", "ALICE@example.org", "zoé", "bob", "team@example.org", "nobody", "")
        found = [run(self.backend.find_by_username(name)) for name in names]

        self.assertEqual(found, [ALICE, ALICE, ZOE, None, None, None, None])

    def test_close(self) -> None:
        """Closing lets go of the threads."""
        run(self.backend.check())
        run(self.backend.close())

        self.assertTrue(self.checker.closed)


class CapabilityTests(SynchronousTestCase):
    """What the backend says of itself."""

    def test_name(self) -> None:
        """Its name is part of everybody's subject and must never change."""
        backend = FileBackend([user(ALICE, "x")], InlineChecker())

        self.assertEqual(backend.name, "identifier-file")
        self.assertIsInstance(backend, PasswordBackend)

    def test_scopes(self) -> None:
        """Scopes for ids are offered when somebody has one."""
        common = ("profile", "email", "groups", "konnect/raw_sub")

        self.assertEqual(FileBackend([user(BOB, "x")], InlineChecker()).scopes, common)
        self.assertEqual(
            FileBackend([user(BOB, "x"), user(ALICE, "x")], InlineChecker()).scopes,
            (*common, "konnect/uuid", "konnect/id"),
        )

    def test_option(self) -> None:
        """It has one option, under the names of its kind."""
        (option,) = file.OPTIONS

        self.assertEqual((option.name, option.key, option.env), ("file-users", "file_users", ("FILE_USERS",)))


class BuildTests(SynchronousTestCase):
    """How it is made from a file."""

    def setUp(self) -> None:
        """Take a path."""
        self.path = Path(self.mktemp())

    def build(self, text: str | bytes, mode: int = 0o600) -> PasswordBackend:
        """Write the file and make the backend."""
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.path.chmod(mode)
        return file.build({"file_users": str(self.path)}, None)

    def faults(self, options: dict[str, Any]) -> list[str]:
        """Return what the operator is told."""
        with self.assertRaises(ConfigErrors) as caught:
            file.build(options, None)
        return [str(fault) for fault in caught.exception.faults]

    def test_file(self) -> None:
        """People in the file are found."""
        backend = self.build(f"users:\n- username: bob\n  password: {quick_hash('builder')}\n  name: Bob Builder\n")

        self.assertEqual(getattr(run(backend.find("bob")), "name", ""), "Bob Builder")

    def test_no_option(self) -> None:
        """Without the option the operator is told which."""
        for options in ({}, {"file_users": None}, {"file_users": ""}):
            self.assertEqual(self.faults(options), ["file_users: is needed: the path of the file with the users"])

    def test_missing_file(self) -> None:
        """A file that is not there, or no file, is reported with its path."""
        self.assertEqual(
            self.faults({"file_users": str(self.path)}),
            [f"{self.path}: file_users: can not be read: No such file or directory"],
        )
        self.assertIn("Is a directory", self.faults({"file_users": str(Path.cwd())})[0])

    def test_no_text(self) -> None:
        """A file in another encoding is reported."""
        self.path.write_bytes(b"users:\n- username: zo\xe9\n")

        self.assertEqual(self.faults({"file_users": str(self.path)}), [f"{self.path}: file_users: is not UTF-8 text"])

    def test_readable_by_everybody(self) -> None:
        """A file whose hashes everybody can read gives a warning, a private one does not."""
        events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        text = f"users:\n- username: bob\n  password: {quick_hash('builder')}\n"
        self.build(text, 0o640)
        self.assertEqual([event for event in events if event.get("path") == str(self.path)], [])
        self.build(text, 0o644)

        self.assertEqual([event["path"] for event in events if "path" in event], [str(self.path)])

    def test_users_in_no_file(self) -> None:
        """A backend can be made of people with passwords in plain text, for a demonstration."""
        entry = FileUser.with_password(BOB, "builder")
        backend = file.build_from([entry], None)

        self.assertEqual(run(backend.find("bob")), BOB)
        self.assertTrue(matches(entry.password_hash, "builder"))
        self.assertNotIn("builder", repr(entry) + entry.password_hash)
        self.assertNotIn("$", repr(entry))

    def test_example(self) -> None:
        """The example file can be used as it is, and the passwords of its people are those it tells."""
        example = Path(file.__file__).parents[2] / "etc" / "users.yaml"
        backend = FileBackend(parse_users(example.read_text(), str(example)), InlineChecker())

        self.assertEqual(getattr(run(backend.logon("alice", "wonderland")), "username", ""), "alice")
        self.assertEqual(getattr(run(backend.logon("bob@example.org", "builder")), "username", ""), "bob")

    def test_todays_hash(self) -> None:
        """A hash made today has the parameters recommended today."""
        self.assertRegex(hash_password("x"), r"\A\$argon2id\$v=19\$m=65536,t=3,p=4\$")
