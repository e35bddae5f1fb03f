"""The file of users: what it may say, and that every fault is reported with its line and without a secret."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._file_users import LARGEST_FILE, FileUser, parse_users
from konnectd.option import ConfigErrors
from konnectd.protocol.end_user import EndUser
from tests.support.keys import quick_hash

HASH = quick_hash("secret")


def entry(*lines: str, username: str = "alice", password: str = HASH) -> str:
    """Write an entry; its first line is ``username``."""
    return "\n  ".join((f"- username: {username}", f"password: {password}", *lines)) + "\n"


def faults(text: str) -> list[str]:
    """Return what the operator is told; nothing if the file is good."""
    try:
        parse_users(text, "users.yaml")
    except ConfigErrors as errors:
        return [str(fault) for fault in errors.faults]
    return []


class GoodFileTests(SynchronousTestCase):
    """What a file may say."""

    def one(self, *lines: str, username: str = "alice") -> EndUser:
        """Read a file with one user."""
        (user,) = parse_users("users:\n" + entry(*lines, username=username), "users.yaml")
        return user.end_user

    def test_everything(self) -> None:
        """Every key goes where it belongs."""
        (user,) = parse_users(
            "# people\nusers:\n"
            + entry(
                "name: Alice Liddell",
                "given_name: Alice",
                "family_name: Liddell",
                "email: alice@example.org",
                "email_verified: yes",
                "id: 1001",
                "uuid: 6f8a3b52-0a4e-4c4e-9d34-7f6f4e1c0001",
                "groups: [readers, 'wonder land', readers]",
                "subject: alice-1865",
                "disabled: true",
            ),
            "users.yaml",
        )

        self.assertEqual(
            user,
            FileUser(
                EndUser(
                    user_id="alice-1865",
                    subject="alice-1865",
                    username="alice",
                    name="Alice Liddell",
                    given_name="Alice",
                    family_name="Liddell",
                    email="alice@example.org",
                    email_verified=True,
                    numeric_id=1001,
                    unique_id="6f8a3b52-0a4e-4c4e-9d34-7f6f4e1c0001",
                    groups=("readers", "wonder land"),
                ),
                HASH,
                disabled=True,
            ),
        )

    def test_least(self) -> None:
        """A name and a hash are enough, and the name is the subject, exactly as written."""
        self.assertEqual(self.one(username="Alice"), EndUser(user_id="Alice", subject="Alice", username="Alice"))

    def test_uuid_is_not_the_subject(self) -> None:
        """Giving somebody a uuid later does not change who they are."""
        self.assertEqual(self.one("uuid: 6f8a3b52").subject, "alice")

    def test_names_that_look_like_something_else(self) -> None:
        """A name is what is written, also when YAML would make a number, a date or a truth of it."""
        for name in ("0123", "yes", "1e3", "2024-01-01", "0x1f", "off"):
            self.assertEqual(self.one(username=name).username, name)

    def test_zero(self) -> None:
        """Zero is an id."""
        self.assertEqual(self.one("id: 0").numeric_id, 0)

    def test_disabled_without_password(self) -> None:
        """A disabled person needs no password."""
        (user,) = parse_users("users:\n- username: alice\n  disabled: yes\n", "users.yaml")

        self.assertEqual((user.password_hash, user.disabled), ("", True))

    def test_shared_address(self) -> None:
        """Two people may share an address."""
        text = "users:\n" + entry("email: a@example.org") + entry("email: a@example.org", username="bob")

        self.assertEqual(faults(text), [])

    def test_own_address_as_name(self) -> None:
        """A person's user name may be their own address."""
        self.assertEqual(self.one("email: a@example.org", username="A@example.org").email, "a@example.org")


class FaultTests(SynchronousTestCase):
    """What is wrong is said with file and line."""

    def check(self, text: str, *expected: str) -> None:
        """Check what the operator is told."""
        self.assertEqual(faults(text), [f"users.yaml:{line}" for line in expected])

    def check_line(self, line: str, problem: str) -> None:
        """Check what is said about one line of an entry, which is the fourth of the file."""
        self.check("users:\n" + entry(line), f"4: file_users: {problem}")

    def test_all_at_once(self) -> None:
        """All faults are reported in one go, in the order of the file."""
        self.check(
            "users:\n"
            "- username: alice\n"
            "  password: wonderland\n"
            "  mail: alice@example.org\n"
            "  id: -1\n"
            "- name: Nobody\n"
            "-\n"
            "- username: ALICE\n"
            "  email_verified: perhaps\n"
            "more: 1\n",
            "3: file_users: password must be a hash, not the password itself; make one with: "
            "konnectd utils hash-password",
            "4: file_users: mail is not a key of a user; known are username, password, subject, name, given_name, "
            "family_name, email, email_verified, id, uuid, groups, disabled, address, middle_name, nickname, profile, "
            "picture, website, gender, birthdate, zoneinfo, locale, updated_at, phone_number, phone_number_verified",
            "5: file_users: id must be a whole number that is not negative",
            "6: file_users: username is missing",
            "6: file_users: password is missing; only a disabled user can be without one",
            "7: file_users: each user must be a mapping that begins with username",
            "8: file_users: password is missing; only a disabled user can be without one",
            "9: file_users: email_verified must be yes or no",
            "10: file_users: only users may stand here, once",
        )

    def test_plain_password(self) -> None:
        """A password in plain text is refused with the command to run, and not repeated."""
        for password in ("wonderland", "'12345'", "'*'", "0"):
            (told,) = faults("users:\n" + entry(password=password))

            self.assertIn("konnectd utils hash-password", told)
            self.assertNotIn("wonderland", told)

    def test_other_hashes(self) -> None:
        """Only complete argon2id hashes are taken, and none is repeated."""
        for text in (
            "$2b$12$abcdefghijklmnopqrstuuK5Xn0cTtFzXwJ0Hyy5S3sS8zOkzO1Wy",
            "$6$salt$abc",
            HASH.replace("argon2id", "argon2i"),
            HASH.replace("argon2id", "argon2d"),
            HASH.rpartition("$")[0],
            HASH[:40],
            HASH + "$x",
            HASH.replace("m=8", "m=x"),
            HASH.replace("m=8", "m=7"),
            HASH.replace("p=1", "p=0"),
            HASH.replace("t=1", "t=0"),
            HASH.replace("v=19", "v=20"),
            f"{HASH}{'A' * ((5 - len(HASH.rpartition('$')[2])) % 4)}",
            "$".join((*HASH.split("$")[:4], "c2FsdA", HASH.split("$")[5])),
            "$".join((*HASH.split("$")[:5], "c2hvcnQ")),
        ):
            (told,) = faults("users:\n" + entry(password=text))

            self.assertIn("is no complete argon2id hash; make one with", told)
            self.assertNotIn("$", told)

    def test_too_costly_hash(self) -> None:
        """A hash that would stop every sign-in is refused."""
        for text in (HASH.replace("m=8", "m=4000000000"), HASH.replace("t=1", "t=1000")):
            self.assertIn("take too long", faults("users:\n" + entry(password=text))[0])

    def test_values(self) -> None:
        """Each value must be what its key asks for."""
        blank = "must have 1 to 255 printable characters and no blanks around them"
        self.check_line("name: ' Alice'", f"name {blank}")
        self.check_line('name: "a\\nb"', f"name {blank}")
        self.check_line(f"uuid: {'x' * 256}", f"uuid {blank}")
        self.check_line("subject: ''", f"subject {blank}")
        self.check_line("name:", "name has no value; leave the line out")
        self.check_line("name: [Alice]", "name must be a single value")
        self.check_line("email: alice", "email must be an email address")
        self.check_line("email: alice@", "email must be an email address")
        self.check_line("email: a b@example.org", "email must be an email address")
        self.check_line("id: 1.5", "id must be a whole number that is not negative")
        self.check_line("id: '٣'", "id must be a whole number that is not negative")
        self.check_line(f"id: {2**63}", "id must be a whole number that is not negative")
        self.check_line(f"id: {'9' * 5000}", "id must be a whole number that is not negative")
        self.check_line("disabled: 2", "disabled must be yes or no")
        self.check_line("groups: readers", "groups must be a list of names")
        self.check_line("groups: [[a]]", "a group must be a single value")
        self.check_line("groups: ['']", f"a group {blank}")

    def test_keys(self) -> None:
        """A key stands once and is text; merging entries is not offered."""
        self.check("users:\n" + entry("name: A", "name: B"), "5: file_users: name is there twice")
        for line in ("? [a]\n  : b", "<<: {name: x}"):
            self.assertIn("4: file_users: ", faults("users:\n" + entry(line))[0])

    def test_same_name(self) -> None:
        """Two people whose names differ only in case or composition are one too many."""
        for one, other in (("alice", "ALICE"), ("zoé", '"ZOE\\u0301"'), ("straße", "STRASSE")):
            self.check(
                "users:\n" + entry(username=one) + entry(username=other),
                "4: file_users: username is the same as that of the user in line 2, perhaps in other case",
            )

    def test_same_ids(self) -> None:
        """Two people with one subject, number or uuid would be one person for clients."""
        for key, value in (("subject", "a"), ("id", "7"), ("uuid", "u")):
            self.check(
                "users:\n" + entry(f"{key}: {value}") + entry(f"{key}: {value}", username="bob"),
                f"5: file_users: {key} is the same as that of the user in line 2, perhaps in other case",
            )

    def test_subject_of_a_renamed_person(self) -> None:
        """A new person can not take the name that somebody else keeps as their subject."""
        text = "users:\n" + entry("subject: alice", username="liddell") + entry()

        self.check(text, "5: file_users: subject is the same as that of the user in line 2, perhaps in other case")

    def test_name_that_is_an_address(self) -> None:
        """Nobody can take another's address as a user name, in either order."""
        bob = entry("email: Bob@example.org", username="bob")
        thief = entry(username="bob@example.org")

        self.check("users:\n" + bob + thief, "2: file_users: email is the username of the user in line 5")
        self.check("users:\n" + thief + bob, "4: file_users: email is the username of the user in line 2")

    def test_no_users(self) -> None:
        """A file without users is a fault, in whatever way it has none."""
        self.check("", "1: file_users: is empty")
        self.check("# nothing\n", "1: file_users: is empty")
        self.check("- username: alice\n", "1: file_users: must be a mapping with the one key users")
        for text in ("users:\n", "users: []\n", "users: {}\n", "users: alice\n"):
            self.check(text, "1: file_users: users must be a list with at least one user")

    def test_no_yaml(self) -> None:
        """What is no YAML is reported with its line, without quoting the file."""
        told = faults("users:\n- username: alice\n  password: 'wonderland\n")
        self.assertEqual((len(told), "wonderland" in told[0]), (1, False))
        self.assertIn("users.yaml:4: file_users: is no YAML", told[0])
        self.check(
            "users:\n- \x00\n", "1: file_users: is no YAML: it has characters that are not allowed, or is too deep"
        )
        self.check("[" * 5000, "1: file_users: is no YAML: it has characters that are not allowed, or is too deep")
        self.check("x" * (LARGEST_FILE + 1), f"1: file_users: is larger than {LARGEST_FILE} characters")

    def test_tags_make_nothing(self) -> None:
        """A file can not make the daemon build objects or grow without end."""
        self.assertEqual(
            faults("users:\n" + entry("name: !!python/object/apply:os.system [id]")),
            ["users.yaml:4: file_users: name must be a single value"],
        )
        bomb = "".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))

        self.assertTrue(faults(f"users:\n  - &a0 [x]\n{bomb}"))

    @settings(deadline=None, max_examples=150)
    @given(
        st.text(st.characters(), max_size=60)
        | st.lists(
            st.sampled_from(
                [
                    "users:",
                    "\n",
                    "- ",
                    "  ",
                    "username: ",
                    "a",
                    "password: ",
                    HASH,
                    "groups: [",
                    "]",
                    "*a",
                    "&a ",
                    "{",
                    "}",
                    "? ",
                    ": ",
                    "!!x ",
                ]
            ),
            max_size=25,
        ).map("".join)
    )
    def test_any_text(self, text: str) -> None:
        """Whatever is in the file, the answer is users or faults with a line."""
        for fault in faults(text):
            self.assertRegex(fault, r"\Ausers\.yaml:\d+: file_users: ")
