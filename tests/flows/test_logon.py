"""A name and a password, and the limit to guessing."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import Browser
from konnectd.flows.logon import (
    LONGEST_PASSWORD,
    LONGEST_USERNAME,
    MOST_TRIES,
    TRIES_TTL,
    LogonForm,
    Outcome,
    SignedIn,
    TooManyTries,
)
from konnectd.interfaces import BackendUnavailableError, LogonAnswer, RefusalReason, Refused
from tests.support.fakes import People, SilentStore, memory_store, run
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.provider import Provider, after
from tests.support.steps import WaitingBackend, WaitingStore, in_turns


class Aliases(People):
    """People who sign in by user name or mail address in any case, as a directory lets them."""

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a password under any of somebody's names; a refusal tells whose account was tried."""
        name = username.casefold()
        user = next((user for user in self.users.values() if name in {user.username, user.email}), None)
        answer = await super().logon(user.username if user else username, password)
        return evolve(answer, principal=user.subject) if user and isinstance(answer, Refused) else answer


class PasswordLogonTests(SynchronousTestCase):
    """Signing in by password."""

    def setUp(self) -> None:
        """Begin with nobody having tried."""
        self.people = Aliases(ALICE, BOB, passwords=PASSWORDS)
        self.provider = Provider(backend=self.people)

    def try_(self, username: str, password: str = "wrong") -> Outcome:
        """Type a name and a password."""
        return run(self.provider.logon(LogonForm(username=username, password=password)))

    def exhaust(self, *usernames: str) -> None:
        """Use up all tries, in turn under some names."""
        for number in range(MOST_TRIES):
            self.assertIsInstance(self.try_(usernames[number % len(usernames)]), Refused)

    def test_right(self) -> None:
        """Who proves who they are holds a logon of the account, whatever name was typed, blanks aside."""
        for name in ("alice", " alice ", "alice@example.org", "Alice@Example.ORG"):
            outcome = self.try_(name, "wonderland")
            browser = after(Browser(), outcome.cookies if isinstance(outcome, SignedIn) else ())
            logon = self.provider.sign_in.find(browser)

            self.assertEqual((logon.username, logon.amr) if logon else None, ("alice", ("pwd",)), name)

    def test_wrong(self) -> None:
        """A wrong password signs nobody in."""
        self.assertEqual(self.try_("alice"), Refused(RefusalReason.WRONG_PASSWORD, principal="alice"))
        self.assertEqual(self.try_("stranger"), Refused(RefusalReason.UNKNOWN_USER))

    def test_never_reaches_the_backend(self) -> None:
        """No name, no password, or more of either than anybody has, is refused before anybody is asked."""
        for name, password in (
            ("", "x"),
            ("   ", "x"),
            ("alice", ""),
            ("a" * (LONGEST_USERNAME + 1), "x"),
            ("alice", "x" * (LONGEST_PASSWORD + 1)),
        ):
            self.assertIsInstance(self.try_(name, password), Refused, name[:9])

        self.assertEqual(self.people.tried, [])

    def test_longest(self) -> None:
        """The longest name and password are tried."""
        self.try_("a" * LONGEST_USERNAME, "x" * LONGEST_PASSWORD)

        self.assertEqual(self.people.tried, ["a" * LONGEST_USERNAME])

    def test_limit(self) -> None:
        """After so many wrong passwords the right one has to wait as well, and for others nothing changes."""
        self.exhaust("alice")

        self.assertIsInstance(self.try_("alice", "wonderland"), TooManyTries)
        self.assertIsInstance(self.try_("bob", "builder"), SignedIn)

    def test_one_less(self) -> None:
        """Before that the right one counts."""
        for _ in range(MOST_TRIES - 1):
            self.try_("alice")

        self.assertIsInstance(self.try_("alice", "wonderland"), SignedIn)

    def test_limit_spares_the_backend(self) -> None:
        """Nobody is asked about a name that has had its tries."""
        self.exhaust("alice")
        self.try_("ALICE", "wonderland")

        self.assertEqual(len(self.people.tried), MOST_TRIES)

    def test_limit_over_aliases(self) -> None:
        """Tries count on the account, under whatever of its names, in whatever case."""
        self.exhaust("alice", "alice@example.org", "ALICE", "Alice@example.org")

        for name in ("alice", "alice@example.org", "ALICE@EXAMPLE.ORG"):
            self.assertIsInstance(self.try_(name, "wonderland"), TooManyTries, name)

    def test_unknown_names_look_the_same(self) -> None:
        """A name that nobody has runs out of tries like any other, so the limit does not tell which names there are."""
        for name in ("alice", "nobody"):
            answers = [type(self.try_(name)) for _ in range(MOST_TRIES + 1)]

            self.assertEqual(answers, [Refused] * MOST_TRIES + [TooManyTries], name)

    def test_limit_ends(self) -> None:
        """After some minutes, counted from the first try, the right password counts again."""
        self.try_("alice")
        self.provider.clock.advance(TRIES_TTL - 1)
        for _ in range(MOST_TRIES - 1):
            self.try_("alice")
        self.assertIsInstance(self.try_("alice", "wonderland"), TooManyTries)
        self.provider.clock.advance(1)

        self.assertIsInstance(self.try_("alice", "wonderland"), SignedIn)

    def test_right_ones_do_not_count(self) -> None:
        """Who knows the password may sign in as often as they like."""
        outcomes = {type(self.try_("alice", "wonderland")) for _ in range(MOST_TRIES * 2)}

        self.assertEqual(outcomes, {SignedIn})

    def test_what_was_typed_is_not_kept(self) -> None:
        """A password typed into the field of the name does not get into the store's names."""
        keys: list[str] = []

        class Seen(SilentStore):
            """A store that tells what it is asked for."""

            async def get(self, key: str) -> str | None:
                """Note the name of an entry."""
                keys.append(key)
                return None

            async def increment(self, key: str, ttl: int) -> int:
                """Note the name of a counter."""
                keys.append(key)
                return 1

        run(Provider(store=Seen()).logon(LogonForm(username="MyPassw0rd", password="x")))

        self.assertTrue(keys)
        self.assertFalse([key for key in keys if "passw0rd" in key.lower()])

    def test_strange_text(self) -> None:
        """Text that can not be encoded is a name nobody has."""
        self.assertIsInstance(self.try_("\ud800", "\udfff"), Refused)

    def test_silence(self) -> None:
        """When backend or store do not answer nobody is signed in, and the store counts no try."""
        self.people.silent = True
        self.assertRaises(BackendUnavailableError, self.try_, "alice", "wonderland")
        self.people.silent = False

        self.assertIsInstance(self.try_("alice", "wonderland"), SignedIn)
        form = LogonForm(username="alice", password="wonderland")
        with self.assertRaises(BackendUnavailableError):
            run(Provider(backend=self.people, store=SilentStore()).logon(form))

    def test_nothing_is_shown(self) -> None:
        """What was typed can not get into a log."""
        self.assertNotIn("alice", repr(LogonForm(username="alice", password="wonderland")))
        self.assertNotIn("wonderland", repr(LogonForm(username="alice", password="wonderland")))

    @settings(deadline=None, max_examples=20)
    @given(st.lists(st.integers(0, MOST_TRIES - 1), max_size=80), st.booleans())
    def test_many_guesses_at_once(self, turns: list[int], names_account: bool) -> None:
        """However wrong passwords meet, each of them counts, whether or not the backend says whose account it was."""
        people = Aliases(ALICE, passwords=PASSWORDS) if names_account else People(ALICE, passwords=PASSWORDS)
        provider = Provider(backend=people)
        logon = evolve(provider.logon, backend=WaitingBackend(people), store=WaitingStore(memory_store(provider.clock)))
        wrong = [logon(LogonForm(username="alice", password=f"guess {n}")) for n in range(MOST_TRIES)]
        runs = in_turns(turns, *wrong)
        self.assertEqual({type(done.answer) for done in runs}, {Refused})
        late = in_turns((), logon(LogonForm(username="alice", password="wonderland")))

        self.assertIsInstance(late[0].answer, TooManyTries)

    def test_guess_that_had_begun(self) -> None:
        """A right guess that passed the first look before the others were counted learns nothing either."""
        for people in (Aliases(ALICE, passwords=PASSWORDS), People(ALICE, passwords=PASSWORDS)):
            provider = Provider(backend=people)
            store = memory_store(provider.clock)
            slow = evolve(provider.logon, backend=WaitingBackend(people), store=store)
            quick = evolve(provider.logon, store=store)
            right = slow(LogonForm(username="alice", password="wonderland"))
            right.send(None)
            for number in range(MOST_TRIES):
                run(quick(LogonForm(username="alice", password=f"guess {number}")))

            self.assertIsInstance(run(right), TooManyTries)
