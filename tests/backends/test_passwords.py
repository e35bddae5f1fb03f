"""Passwords are checked in few threads, few wait for one, and a cancelled check frees its place when it is done."""

from threading import Event
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import TestCase

from konnectd.backends._passwords import ThreadedChecker, dummy_hash, matches
from konnectd.interfaces import BackendUnavailableError
from tests.support.keys import quick_hash


class GatedHash:
    """Stands for a slow hash: nothing is checked until the gate is opened."""

    def __init__(self) -> None:
        """Begin with the gate closed."""
        self.gate = Event()
        self.begun = Event()
        self.checked: list[str] = []

    def __call__(self, password_hash: str, password: str) -> bool:
        """Wait, then compare."""
        self.begun.set()
        self.gate.wait(30)
        self.checked.append(password)
        return password_hash == password


class ThreadedCheckerTests(TestCase):
    """The checker in threads."""

    def setUp(self) -> None:
        """Take one thread and room for three."""
        from twisted.internet import reactor  # noqa: PLC0415 - only now, so that trial chooses it

        self.reactor: Any = reactor
        self.slow = GatedHash()
        self.checker = ThreadedChecker(reactor, self.slow, threads=1, waiting=3)
        self.addCleanup(self.finish)

    def finish(self) -> "Deferred[None]":
        """Open the gate and stop the threads."""
        self.slow.gate.set()
        return self.start(self.checker.close())

    def start(self, coroutine: Any) -> "Deferred[Any]":  # noqa: ANN401 - any coroutine
        """Drive a coroutine that waits for the reactor."""
        return Deferred.fromCoroutine(coroutine)

    async def test_answers(self) -> None:
        """Each question gets its own answer."""
        self.slow.gate.set()
        answers = [self.start(self.checker.matches("a", password)) for password in ("a", "b", "a")]

        self.assertEqual([await answer for answer in answers], [True, False, True])

    async def test_real_hashes(self) -> None:
        """Real hashes are checked in threads of their own."""
        checker = ThreadedChecker(self.reactor)
        answers = [await checker.matches(quick_hash("secret"), password) for password in ("secret", "other")]
        await checker.close()

        self.assertEqual(answers, [True, False])

    async def test_too_many(self) -> None:
        """Beyond the limit a sign-in is turned away at once, and there is room again afterwards."""
        waiting = [self.start(self.checker.matches("a", "a")) for _ in range(3)]
        self.failureResultOf(self.start(self.checker.matches("a", "a")), BackendUnavailableError)
        self.slow.gate.set()

        self.assertEqual([await answer for answer in waiting], [True] * 3)
        self.assertTrue(await self.checker.matches("a", "a"))

    async def test_leaving_frees_no_place_at_once(self) -> None:
        """Whoever asks and leaves keeps the place until a thread is done, so leaving can not fill the queue."""
        gone = [self.start(self.checker.matches("a", f"gone {number}")) for number in range(3)]
        for answer in gone:
            answer.cancel()
            self.failureResultOf(answer, CancelledError)
        self.failureResultOf(self.start(self.checker.matches("a", "a")), BackendUnavailableError)

    async def test_nobody_waits_any_more(self) -> None:
        """A check whose asker left before it began is not made."""
        first = self.start(self.checker.matches("a", "first"))
        self.slow.begun.wait(30)
        gone = self.start(self.checker.matches("a", "gone"))
        last = self.start(self.checker.matches("a", "last"))
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        self.slow.gate.set()
        await first
        await last

        self.assertEqual(self.slow.checked, ["first", "last"])

    async def test_fault_in_a_thread(self) -> None:
        """What goes wrong in a thread comes out where it was asked, and the place is free again."""

        def fail(_password_hash: str, _password: str) -> bool:
            raise ZeroDivisionError

        checker = ThreadedChecker(self.reactor, fail, waiting=1)
        for _ in range(2):
            with self.assertRaises(ZeroDivisionError):
                await checker.matches("a", "a")
        await checker.close()

    async def test_close(self) -> None:
        """Closing ends what has begun and turns away the rest: nobody is told that a right password was wrong."""
        answers = [self.start(self.checker.matches("a", "a")) for _ in range(3)]
        self.slow.begun.wait(30)
        self.slow.gate.set()
        await self.checker.close()

        self.assertTrue(await answers[0])
        for answer in answers[1:]:
            try:
                self.assertTrue(await answer)
            except BackendUnavailableError:
                continue
        self.failureResultOf(self.start(self.checker.matches("a", "a")), BackendUnavailableError)

    async def test_close_without_use(self) -> None:
        """A checker that was never asked has nothing to stop."""
        await ThreadedChecker(self.reactor).close()


class MatchTests(TestCase):
    """One hash and one password."""

    def test_match(self) -> None:
        """A hash matches its password, whatever characters that has, and no other."""
        for password in ("secret", "pässword \U0001f511", "x" * 5000, "a\x00b"):
            self.assertTrue(matches(quick_hash(password), password))
            self.assertFalse(matches(quick_hash(password), password + "\ud800"))

    def test_no_memory(self) -> None:
        """When a hash can not be computed, that is no wrong password."""
        with self.assertRaises(BackendUnavailableError):
            matches(quick_hash("secret").replace("m=8", "m=1"), "secret")


class DummyHashTests(TestCase):
    """The hash of nobody."""

    def test_as_costly_as_the_costliest(self) -> None:
        """It has the parameters of the costliest hash there is, and no password of theirs."""
        cheap = quick_hash("secret")
        costly = cheap.replace("m=8,t=1", "m=16,t=2")
        dummy = dummy_hash([cheap, costly, cheap])

        self.assertTrue(dummy.startswith("$argon2id$v=19$m=16,t=2,p=1$"))
        self.assertFalse(matches(dummy, "secret"))

    def test_without_any_hash(self) -> None:
        """Without any other hash it has the parameters recommended today."""
        self.assertTrue(dummy_hash([]).startswith("$argon2id$v=19$m=65536,t=3,p=4$"))

    def test_never_the_same(self) -> None:
        """It is another one at each start."""
        self.assertNotEqual(dummy_hash([]), dummy_hash([]))
