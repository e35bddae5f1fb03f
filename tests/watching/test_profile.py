"""Tests of profiles, of what is pending, and of their pages."""

import json
import sys
import threading
from collections.abc import Awaitable
from typing import Any

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.watching.pending import describe
from konnectd.watching.pprof import PENDING, PROFILE, Pprof
from konnectd.watching.profile import DEEPEST, MOST_STACKS, Profile, sample, stack_of

SECRET = "c4n4ry-in-an-argument"
reactor: Any = real_reactor


def ask(path: str, query: str = "", host: str = "127.0.0.1:6060") -> HttpRequest:
    """Make a request."""
    return HttpRequest(method="GET", path=path, query=query, headers={"host": host})


async def waits(_secret: str, gate: Awaitable[None]) -> None:
    """Wait with something secret at hand."""
    await gate


def deep(levels: int) -> tuple[str, ...]:
    """Return the stack of a deep recursion."""
    return deep(levels - 1) if levels else stack_of(sys._getframe())  # noqa: SLF001 - there is no other way


class ProfileTests(SynchronousTestCase):
    """What a profile says."""

    def test_busy_code_is_seen(self) -> None:
        """Where a thread is, is in the profile, with its name."""
        end = threading.Event()
        thread = threading.Thread(target=end.wait, name="a;b\nc")
        thread.start()
        profile = sample(0.2, threading.Event())
        end.set()
        thread.join()
        found = [line for line in profile.collapsed().splitlines() if line.startswith("a?b?c;")]

        self.assertIn("Event.wait (", found[0])

    def test_stop(self) -> None:
        """It ends early when somebody says so."""
        stop = threading.Event()
        stop.set()

        self.assertEqual(sample(60, stop).counts, {})

    def test_depth(self) -> None:
        """An endless recursion makes no endless line."""
        self.assertEqual(len(deep(300)), DEEPEST)

    def test_number(self) -> None:
        """Nor do many different stacks fill the memory."""
        frame, number = sys._getframe(), iter(range(1 << 30))  # noqa: SLF001 - there is no other way
        look = lambda: {next(number): frame for _ in range(MOST_STACKS)}  # noqa: E731 - short
        counts = sample(0.05, threading.Event(), look).counts

        self.assertLessEqual(len(counts), MOST_STACKS + 1)

    def test_speedscope(self) -> None:
        """Its frames are numbered once, and each sample has a weight."""
        found = json.loads(json.dumps(Profile({("a", "b"): 3, ("a", "c"): 1}, 0.5).speedscope("x")))
        (only,) = found["profiles"]

        self.assertEqual(found["shared"]["frames"], [{"name": "a"}, {"name": "b"}, {"name": "c"}])
        self.assertEqual((only["samples"], only["weights"], only["endValue"]), ([[0, 1], [0, 2]], [1.5, 0.5], 2.0))


class PendingTests(SynchronousTestCase):
    """What the process waits for."""

    def test_timers(self) -> None:
        """Timers are named by the code they call, never by what they call it with."""
        clock = Clock()
        clock.callLater(5, print, SECRET)
        text = describe(clock)

        self.assertIn("in     5.00 s  builtins.print", text)
        self.assertNotIn(SECRET, text)

    def test_coroutines(self) -> None:
        """A coroutine that waits is there with what it waits for, and without what it was given."""
        gate: Deferred[None] = Deferred()
        waiting = Deferred.fromCoroutine(waits(SECRET, gate))
        text = describe(Clock())
        gate.callback(None)
        self.successResultOf(waiting)

        self.assertIn("    waits (watching/test_profile.py:", text)
        self.assertNotIn(SECRET, text)
        self.assertNotIn("    waits (watching/test_profile.py:", describe(Clock()))

    def test_threads(self) -> None:
        """Threads are there with where they are."""
        self.assertIn("MainThread\n", describe(Clock()))


class PageTests(TestCase):
    """The pages."""

    def setUp(self) -> None:
        """Make them."""
        self.pprof = Pprof(reactor)

    async def profile(self, query: str) -> HttpResponse:
        """Ask for a profile."""
        return await self.pprof.on_profile(ask(PROFILE, query))

    async def test_profile(self) -> None:
        """A profile is taken while the reactor goes on."""
        answer = await self.profile("seconds=1")

        self.assertEqual(answer.status, 200)
        self.assertIn("MainThread;", answer.body.decode())

    async def test_speedscope(self) -> None:
        """The other form is JSON."""
        answer = await self.profile("seconds=1&format=speedscope")

        self.assertIn("speedscope", json.loads(answer.body)["$schema"])

    async def test_bounds(self) -> None:
        """Nobody takes a profile of an hour, or of nothing."""
        for query in (
            "seconds=0",
            "seconds=61",
            "seconds=-1",
            "seconds=x",
            "seconds=1e9",
            "seconds=%C2%B2",
            "format=x",
        ):
            self.assertEqual((await self.profile(query)).status, 400, query)

    async def test_one_at_a_time(self) -> None:
        """A second one has to wait; the first one can be ended."""
        first = Deferred.fromCoroutine(self.profile("seconds=30"))
        second = await self.profile("seconds=1")
        self.pprof.stopService()

        self.assertEqual((second.status, (await first).status), (503, 200))

    async def test_whoever_leaves_ends_it(self) -> None:
        """When nobody waits for a profile any more, the next one can be taken."""
        first = Deferred.fromCoroutine(self.profile("seconds=30"))
        first.addErrback(lambda _: None)
        first.cancel()

        self.assertEqual((await self.profile("seconds=1")).status, 200)

    async def test_pending(self) -> None:
        """The real reactor can be looked into."""
        answer = await self.pprof.on_pending(ask(PENDING))

        self.assertIn("Connections and listeners\n=", answer.body.decode())

    async def test_other_names(self) -> None:
        """A page of a web site that has this machine's address under its own name gets nothing."""
        for host in ("evil.example", "127.0.0.1.evil.example:6060", "", "10.0.0.1", "localhost.evil.example"):
            for respond in (self.pprof.on_index, self.pprof.on_pending, self.pprof.on_profile):
                self.assertEqual((await respond(ask(PROFILE, "seconds=1", host))).status, 403, host)

    async def test_own_names(self) -> None:
        """This machine's own names are answered, with a port or without."""
        for host in ("localhost", "localhost:6060", "127.0.0.1", "[::1]:6060", "[::1]", "127.0.0.9:1"):
            self.assertEqual((await self.pprof.on_index(ask(PROFILE, "", host))).status, 200, host)

    async def test_remote(self) -> None:
        """Where others may ask, they use their own names for us."""
        answer = await Pprof(reactor, remote=True).on_index(ask(PROFILE, "", "konnectd.internal"))

        self.assertEqual(answer.status, 200)
