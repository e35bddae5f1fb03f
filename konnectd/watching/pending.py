"""What the process waits for at a moment: timers, coroutines, connections and threads, by the names of code alone.

Arguments, local variables and results are not looked at: tokens and passwords are among them. Addresses of peers are
shown without their ports.
"""

import gc
import inspect
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from types import CodeType, CoroutineType
from typing import Any

from konnectd.watching.profile import Stack, listing, stack_of

#: Of each kind no more are shown one by one.
MOST_SHOWN = 1000
_DEEPEST = 64


def describe(reactor: Any) -> str:  # noqa: ANN401 - Twisted's reactor has no one type
    """Return everything, as text; it takes a fraction of a second in which nothing else is done."""
    parts = (
        ("Timers", _lines(timers(reactor))),
        ("Connections and listeners", _lines(connections(reactor))),
        ("Coroutines", listing(coroutines())),
        ("Threads", listing(threads())),
    )
    return "\n".join(f"{heading}\n{'=' * len(heading)}\n{text or 'none'}" for heading, text in parts)


def timers(reactor: Any) -> Iterator[str]:  # noqa: ANN401 - see above
    """Yield what is planned, the next first."""
    now = reactor.seconds()
    calls = sorted(reactor.getDelayedCalls(), key=lambda call: call.getTime())
    for call in calls[:MOST_SHOWN]:
        yield f"in {call.getTime() - now:8.2f} s  {_function(call.func)}"


def connections(reactor: Any) -> Iterator[str]:  # noqa: ANN401 - see above
    """Yield how many there are of each kind, from the same peer, in the same state."""
    readers: list[Any] = getattr(reactor, "getReaders", list)()
    seen: Counter[str] = Counter(_connection(reader) for reader in readers)
    for text, count in sorted(seen.items())[:MOST_SHOWN]:
        yield f"{count:6}  {text}"


def coroutines() -> Iterator[tuple[str, Stack]]:
    """Yield each way in which coroutines of ours wait, with how many do."""
    seen: Counter[Stack] = Counter()
    for found in gc.get_objects():
        if isinstance(found, CoroutineType) and inspect.getcoroutinestate(found) == inspect.CORO_SUSPENDED:
            seen[_awaits(found)] += 1
    inner = {stack[place:] for stack in seen for place in range(1, len(stack))}
    for stack, count in seen.most_common(MOST_SHOWN):
        if stack not in inner:  # one that another one waits for is shown with that
            yield f"{count} waiting", stack


def threads() -> Iterator[tuple[str, Stack]]:
    """Yield where each thread is."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - there is no other way to see them
        yield names.get(ident, "thread"), stack_of(frame)


def _lines(texts: Iterator[str]) -> str:
    """Write one text a line."""
    return "".join(f"{text}\n" for text in texts)


def _function(function: Any) -> str:  # noqa: ANN401 - whatever can be called
    """Name what is called; of a partial call the code behind it, never what that would be called with."""
    while hasattr(function, "func"):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _connection(reader: Any) -> str:  # noqa: ANN401 - whatever the reactor reads from
    """Name one thing that the reactor reads from."""
    kind = _kind(reader)
    protocol = getattr(reader, "protocol", None)
    behind = f" for {_kind(protocol)}" if protocol is not None else ""
    idle = getattr(protocol, "idle", None)
    state = "" if not isinstance(idle, bool) else ", idle" if idle else ", busy"
    return f"{kind}{behind}{state}{_peer(reader)}"


def _kind(found: object) -> str:
    """Name the class of an object."""
    return f"{type(found).__module__}.{type(found).__qualname__}"


def _peer(reader: Any) -> str:  # noqa: ANN401 - see above
    """Say who is at the other end, or where is listened."""
    for word, name in (("from", "getPeer"), ("at", "getHost")):
        try:
            address = getattr(reader, name)()
        except (AttributeError, NotImplementedError, OSError):
            continue
        host = getattr(address, "host", None)
        if host is not None:
            port = f" port {address.port}" if word == "at" else ""
            return f", {word} {host}{port}"
    return ""


def _awaits(coroutine: "CoroutineType[Any, Any, Any]") -> Stack:
    """Return a coroutine and what it waits for, from the outermost to the innermost."""
    found: list[str] = []
    waiting: Any = coroutine
    while waiting is not None and len(found) < _DEEPEST:
        frame = getattr(waiting, "cr_frame", None)
        if frame is None:
            found.append(_kind(waiting))
            break
        found.append(_place(frame.f_code, frame.f_lineno))
        waiting = waiting.cr_await
    return tuple(found)


def _place(code: CodeType, line: int) -> str:
    """Name a place in code."""
    return f"{code.co_qualname} ({'/'.join(code.co_filename.split('/')[-2:])}:{line})"
