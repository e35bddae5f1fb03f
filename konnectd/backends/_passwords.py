"""Password hashes (argon2id) and the few threads that check them, so that the reactor never waits for one.

A hash takes a good part of a second and some ten megabytes on purpose. So there are few threads, and the number of
checks that wait for one has a limit beyond which sign-ins are turned away at once: a flood of them can fill neither
the memory nor the queue.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from os import cpu_count, urandom
from typing import Any, Final, Protocol

from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from konnectd.interfaces import BackendUnavailableError

#: How many hashes are checked at the same time at most.
THREADS: Final = max(1, min(4, cpu_count() or 1))
#: How many checks are under way or wait before further ones are turned away.
WAITING: Final = 64
#: A hash beyond this is a slip of the hand that would stop every sign-in: 1 GiB, or 64 rounds.
MOST_MEMORY_KIB: Final = 1024 * 1024
MOST_ROUNDS: Final = 64

#: In bytes. A shorter salt is refused by the algorithm, a shorter hash can be guessed.
SHORTEST_SALT: Final = 8
SHORTEST_HASH: Final = 16

_BASE64 = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3})?"
_HASH = re.compile(rf"\$argon2id\$v=(?:16|19)\$m=[0-9]{{1,10}},t=[0-9]{{1,10}},p=[0-9]{{1,3}}\${_BASE64}\${_BASE64}")
_STOPPED = "no more passwords are checked, because the daemon stops"
_COMMAND = "make one with: konnectd utils hash-password"


def check_hash(text: str) -> str:
    """Return an argon2id hash that can be checked in reasonable time.

    Raises:
        ValueError: it is none, in words for operators that do not repeat it.
    """
    if not text.startswith("$"):
        raise ValueError(f"must be a hash, not the password itself; {_COMMAND}")
    if _HASH.fullmatch(text) is None or not _complete(extract_parameters(text)):
        raise ValueError(f"is no complete argon2id hash; {_COMMAND}")
    parameters = extract_parameters(text)
    if parameters.memory_cost > MOST_MEMORY_KIB or parameters.time_cost > MOST_ROUNDS:
        raise ValueError(f"is a hash that would take too long to check; {_COMMAND}")
    return text


def _complete(parameters: Parameters) -> bool:
    """Tell whether numbers are such that a hash can be checked at all. Spec: RFC 9106 3.1."""
    return (
        parameters.memory_cost >= 8 * parameters.parallelism > 0
        and parameters.time_cost > 0
        and parameters.salt_len >= SHORTEST_SALT
        and parameters.hash_len >= SHORTEST_HASH
    )


def hash_password(password: str) -> str:
    """Return a hash that `matches` understands, with the parameters recommended today."""
    return PasswordHasher().hash(_bytes(password))


def matches(password_hash: str, password: str) -> bool:
    """Tell whether a password is the one behind a hash; takes long.

    Raises:
        BackendUnavailableError: there is not enough memory to tell.
    """
    try:
        return PasswordHasher().verify(password_hash, _bytes(password))
    except VerifyMismatchError:
        return False
    except VerificationError as error:
        raise BackendUnavailableError("a password could not be checked") from error


def dummy_hash(hashes: Iterable[str]) -> str:
    """Return a hash nobody has the password of, as costly to check as the costliest of the given ones."""
    known = [extract_parameters(text) for text in hashes] or [RFC_9106_LOW_MEMORY]
    cost = max(known, key=lambda parameters: parameters.memory_cost * parameters.time_cost)
    salt, digest = (b64encode(urandom(size)).rstrip(b"=").decode() for size in (cost.salt_len, cost.hash_len))
    return f"$argon2id$v={cost.version}$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}${salt}${digest}"


def _bytes(password: str) -> bytes:
    """Write what was typed; half a surrogate pair is somebody's wrong password, not our fault."""
    return password.encode("utf-8", "surrogatepass")


class PasswordChecker(Protocol):
    """Checks a password somewhere that does not hold anybody up."""

    async def matches(self, password_hash: str, password: str) -> bool:
        """Tell whether a password is the one behind a hash.

        Raises:
            BackendUnavailableError: there are too many to check already.
        """
        ...

    async def close(self) -> None:
        """Let go of threads."""
        ...


class ThreadedChecker:
    """Checks passwords in a few threads of its own, which begin with the first check."""

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 - Twisted's reactor has no type that says what it can do
        matches: Callable[[str, str], bool] = matches,
        threads: int = THREADS,
        waiting: int = WAITING,
    ) -> None:
        """Keep the limits."""
        self._reactor = reactor
        self._matches = matches
        self._most = waiting
        self._under_way = 0
        self._closed = False
        self._pool = ThreadPool(minthreads=0, maxthreads=threads, name="passwords")

    async def matches(self, password_hash: str, password: str) -> bool:
        """Tell whether a password is the one behind a hash.

        Raises:
            BackendUnavailableError: there are too many to check already, or no more are checked.
        """
        if self._closed:
            raise BackendUnavailableError(_STOPPED)
        if self._under_way >= self._most:
            raise BackendUnavailableError(f"{self._most} passwords are waiting to be checked already")
        if not self._pool.started:
            self._pool.start()
        self._under_way += 1
        answer: Deferred[bool] = Deferred()

        def check() -> bool:
            if self._closed:
                raise BackendUnavailableError(_STOPPED)
            # Nobody waits any more, when the browser left while this was in the queue.
            return not answer.called and self._matches(password_hash, password)

        def report(_success: bool, result: Any) -> None:  # noqa: ANN401, FBT001 - the form ThreadPool calls
            self._reactor.callFromThread(self._settle, answer, result)

        self._pool.callInThreadWithCallback(report, check)
        return await answer

    async def close(self) -> None:
        """Let the checks that have begun come to their end, turn away those that wait, and stop the threads."""
        self._closed = True
        if self._pool.started:
            self._pool.stop()

    def _settle(self, answer: Deferred[bool], result: bool | Failure) -> None:  # noqa: FBT001 - comes from a thread
        """Hand over an answer; only now is its place free, whether or not somebody still waits for it."""
        self._under_way -= 1
        if answer.called:
            return
        if isinstance(result, Failure):
            answer.errback(result)
        else:
            answer.callback(result)
