"""Letting things happen a few at a time, so that everybody else is served in between.

Fifty people who sign in at the same moment are fifty requests to write and fifty answers to read. Done in one go, that
keeps the reactor for as long as all of them take together.
"""

from collections import deque

from twisted.internet.defer import Deferred

from konnectd.backends._kopano_dial import Reactor

#: How many things happen between two looks of the reactor at everything else.
MOST_IN_A_ROW = 4


class Pace:
    """Holds back whatever comes too quickly, in the order in which it came."""

    def __init__(self, reactor: Reactor, most: int = MOST_IN_A_ROW) -> None:
        """Hold nothing back yet.

        Args:
            reactor: looks at everything else.
            most: how many things may happen before it does.
        """
        self._reactor = reactor
        self._most = most
        self._left = most
        self._held: deque[Deferred[None]] = deque()

    async def keep(self) -> None:
        """Wait until it is one's turn."""
        if self._left == self._most:
            self._reactor.callLater(0, self._go_on)
        if self._left > 0:
            self._left -= 1
            return
        waiting: Deferred[None] = Deferred()
        self._held.append(waiting)
        await waiting

    def _go_on(self) -> None:
        """Let the next ones have their turn; who has given up needs none."""
        self._left = self._most
        while self._held and self._left > 0:
            waiting = self._held.popleft()
            if not waiting.called:
                if self._left == self._most:
                    self._reactor.callLater(0, self._go_on)
                self._left -= 1
                waiting.callback(None)
