"""The thread in which the SQLite store waits for its disk, so that the reactor never does.

What was asked while one transaction was on its way to the disk shares the next one: the busier the daemon, the fewer
waits for the disk has each request.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Any, Final, TypeAlias

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.logger import Logger
from twisted.python.failure import Failure

from konnectd.interfaces import BackendUnavailableError
from konnectd.stores._sqlite_file import Step, Value

#: How long one waits for an answer, in seconds: longer than a transaction waits for other processes.
TIMEOUT: Final = 5.0
#: How many may wait; more than that come to a disk that hangs, and are better told so at once.
MOST_WAITING: Final = 2000
#: How many share a transaction at most, so that other processes have their turn.
MOST_TOGETHER: Final = 200

#: Twisted's reactor or what stands for it; its interfaces have no types.
Reactor: TypeAlias = Any

log = Logger()


@frozen(eq=False)
class _Job:
    """A step and who waits for its answer."""

    step: Step = field(repr=False)
    answered: Deferred[Value]


class Lane:
    """A thread that begins with the first step, and carries out steps one after the other."""

    def __init__(
        self,
        reactor: Reactor,
        run: Callable[[Sequence[Step]], list[Value]],
        close: Callable[[], None],
        timeout: float = TIMEOUT,
    ) -> None:
        """Prepare; a thread that began now would not live through the process going to the background.

        Args:
            reactor: for time, and to come back to.
            run: carries out steps, in the thread.
            close: called in the thread when it ends.
            timeout: how long one waits for an answer, in seconds.
        """
        self._reactor = reactor
        self._run = run
        self._close = close
        self._timeout = timeout
        self._thread: Thread | None = None
        self._changed = Condition()
        # Both are guarded by the condition.
        self._waiting: deque[_Job] = deque()
        self._closed = False
        self._ended: Deferred[None] = Deferred()

    async def do(self, step: Step) -> Value:
        """Carry out a step and return its answer.

        Raises:
            BackendUnavailableError: it is not known to have been carried out.
        """
        job = _Job(step, Deferred())
        with self._changed:
            if self._closed:
                raise BackendUnavailableError("the store is closed")
            if len(self._waiting) >= MOST_WAITING:
                raise BackendUnavailableError(f"the store has {MOST_WAITING} questions to answer already")
            self._waiting.append(job)
            self._changed.notify()
        self._begin()
        try:
            return await job.answered.addTimeout(self._timeout, self._reactor)
        except DeferredTimeoutError as error:
            raise BackendUnavailableError(f"the store did not answer in {self._timeout:g} s") from error

    async def close(self) -> None:
        """Carry out what was asked for, and end the thread; one that hangs is left behind."""
        with self._changed:
            already, self._closed = self._closed, True
            self._changed.notify()
        if already or self._thread is None:
            return
        try:
            await self._ended.addTimeout(self._timeout, self._reactor)
        except DeferredTimeoutError:
            log.warn("the store did not close in {seconds} s; it is left as it is", seconds=self._timeout)

    def _begin(self) -> None:
        """Start the thread, once. It must not keep the process when the disk hangs."""
        if self._thread is None:
            self._thread = Thread(target=self._work, name="konnectd store", daemon=True)
            self._thread.start()

    # In the thread

    def _work(self) -> None:
        """Carry out steps until there will be no more."""
        while jobs := self._take():
            outcome = self._carry_out(jobs)
            self._reactor.callFromThread(_deliver, jobs, outcome)
        self._close()
        self._reactor.callFromThread(_end, self._ended)

    def _take(self) -> Sequence[_Job]:
        """Wait for jobs and return some; none when the lane is closed and empty.

        Those nobody waits for any more are left out: carrying them out late helps nobody.
        """
        with self._changed:
            while True:
                jobs: list[_Job] = []
                while self._waiting and len(jobs) < MOST_TOGETHER:
                    job = self._waiting.popleft()
                    if not job.answered.called:
                        jobs.append(job)
                if jobs or self._closed:
                    return jobs
                self._changed.wait()

    def _carry_out(self, jobs: Sequence[_Job]) -> list[Value] | Failure:
        """Return all answers, or why there are none."""
        try:
            return self._run([job.step for job in jobs])
        except Exception:
            # Whatever it is, the thread has to live on, and those who wait have to be told.
            return Failure()  # type: ignore[no-untyped-call] # without types


def _deliver(jobs: Sequence[_Job], outcome: list[Value] | Failure) -> None:
    """Tell those who still wait. In the reactor."""
    answers = [outcome] * len(jobs) if isinstance(outcome, Failure) else outcome
    for job, answer in zip(jobs, answers, strict=True):
        if job.answered.called:
            continue
        if isinstance(answer, Failure):
            job.answered.errback(answer)
        else:
            job.answered.callback(answer)


def _end(ended: Deferred[None]) -> None:
    """Tell that the thread has ended, if somebody still waits for that. In the reactor."""
    if not ended.called:
        ended.callback(None)
