"""Answers that have to be waited for: what goes on when a coroutine has stopped at its first Deferred.

Most answers need no waiting and never get here. One of those that do ends in one of three ways: it arrives, the
browser leaves, or it takes too long.
"""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import server

from konnectd.http import HttpResponse
from konnectd.web.transport import Request

Reply: TypeAlias = Coroutine[Deferred[Any], Any, HttpResponse]


class Begun(Generator[Deferred[Any], Any, HttpResponse]):
    """Stands in for a coroutine that was started by hand, as such a one can not be awaited any more."""

    def __init__(self, reply: Reply, waits_for: Deferred[Any]) -> None:
        """Take over a coroutine.

        Args:
            reply: it has stopped once.
            waits_for: what it stopped at.
        """
        self._reply = reply
        self._waits_for: Deferred[Any] | None = waits_for

    def send(self, result: Any, /) -> Deferred[Any]:  # noqa: ANN401 - what a Deferred brings can be anything
        """Go on; the first time, say again what it waits for."""
        first, self._waits_for = self._waits_for, None
        return self._reply.send(result) if first is None else first

    def throw(self, *error: Any) -> Deferred[Any]:
        """Go on with a failure."""
        return self._reply.throw(*error)

    def close(self) -> None:
        """End early: nobody holds what it waits for any more."""
        self._reply.close()

    def __await__(self) -> Generator[Deferred[Any], Any, HttpResponse]:
        return self


async def resume(reply: Reply, waits_for: Deferred[Any]) -> HttpResponse:
    """Go on with a coroutine that has stopped once, at what it waits for."""
    return await Begun(reply, waits_for)


class Waiting:
    """One answer under way.

    Attributes:
        over: fires when there is nothing to wait for any more; may be canceled.
    """

    def __init__(
        self,
        request: server.Request,
        reply: Reply,
        finish: Callable[[HttpResponse], None],
        too_late: Callable[[], HttpResponse],
        stray: Callable[[Failure], HttpResponse],
    ) -> None:
        """Begin to wait.

        Args:
            request: whose connection tells that the browser left, or that the time is over.
            reply: goes on when what it waits for arrives.
            finish: sends the answer.
            too_late: makes the answer when the time is over.
            stray: makes the answer when it was canceled though nobody here did it.
        """
        self._finish = finish
        self._too_late = too_late
        self._stray = stray
        self._done = False
        self.over: Deferred[None] = Deferred(lambda _: self._leave())
        request.notifyFinish().addErrback(lambda _: self._leave())
        if isinstance(request, Request):
            request.wait(self._expire)
        self._reply: Deferred[HttpResponse] = Deferred.fromCoroutine(reply)
        self._reply.addCallbacks(self._arrive, self._fail)

    def _arrive(self, answer: HttpResponse) -> None:
        """Send the answer if somebody still waits for it."""
        if not self._done:
            self._end(answer)

    def _fail(self, failure: Failure) -> None:
        """Nothing when we canceled it; else something behind us was canceled, and the browser is still there."""
        if not self._done:
            self._end(self._stray(failure))

    def _expire(self) -> None:
        """Answer that it takes too long, and stop what goes on."""
        if not self._done:
            self._end(self._too_late())
            self._reply.cancel()

    def _leave(self) -> None:
        """Stop what goes on; there is nobody to answer."""
        if not self._done:
            self._done = True
            self._reply.cancel()

    def _end(self, answer: HttpResponse) -> None:
        """Send the last word."""
        self._done = True
        self._finish(answer)
        self.over.callback(None)
