"""Letting the clock say nothing about who exists: every refusal takes as long as refusals have taken lately.

For a name that nobody has, a bind is really made, to a DN that can not exist and with a password made up for it, so
that waiting for a connection, the way to the server and a server that is down weigh the same for everybody. A server
that finds no entry has nothing to hash, though, so it answers sooner; and a timer wakes up a little late, which the
fastest answers would show. So both kinds of refusal wait until the same moment: nine of ten recent refusals were over
by then. The tenth one, which took longer, is imitated for unknown names by drawing from the recent ones. That follows
the server's hash, its load and their scatter by itself. Who shows the right password never waits.

What a person typed as a password is never sent anywhere but to their own entry.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from secrets import choice, token_hex
from typing import TypeAlias

from twisted.internet.task import deferLater

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import BindAnswer
from konnectd.backends._ldap_connection import Reactor

#: How many refusals are remembered.
_REMEMBERED = 64

Bind: TypeAlias = Callable[[str, str], Awaitable[BindAnswer]]


class Decoy:
    """Knows how long refusals take, and takes as long."""

    def __init__(self, reactor: Reactor, base_dn: str, bind: Bind) -> None:
        """Know nothing yet.

        Args:
            reactor: for time.
            base_dn: below it are the DNs that do not exist.
            bind: tries a password.
        """
        self._reactor = reactor
        self._base_dn = base_dn
        self._bind = bind
        self._refusals: deque[float] = deque(maxlen=_REMEMBERED)
        self._successes: deque[float] = deque(maxlen=_REMEMBERED)

    async def watch(self, dn: str, password: str) -> BindAnswer:
        """Try a real password, and when it is refused, not before other refusals are told.

        Raises:
            LdapError: there was no answer.
        """
        started_at = self._reactor.seconds()
        answer = await self._bind(dn, password)
        took = self._reactor.seconds() - started_at
        if answer.code == faults.SUCCESS:
            self._successes.append(took)
            return answer
        await self._wait_until(started_at + self._usual())
        if answer.code == faults.INVALID_CREDENTIALS:
            self._refusals.append(took)
        return answer

    async def spend(self) -> None:
        """Take as long as a wrong password would, and fail when that would.

        Raises:
            LdapError: no password can be checked now.
        """
        started_at = self._reactor.seconds()
        known = self._refusals or self._successes
        longest = max(self._usual(), choice(known) if known else 0.0)
        await self._bind(f"cn=nobody-{token_hex(16)},{self._base_dn}", token_hex(8))
        await self._wait_until(started_at + longest)

    def _usual(self) -> float:
        """Return how long nine of ten refusals took; before there were any, how long right passwords took."""
        known = sorted(self._refusals or self._successes)
        return known[len(known) * 9 // 10] if known else 0.0

    async def _wait_until(self, moment: float) -> None:
        """Wait until a moment, unless it has passed."""
        left = moment - self._reactor.seconds()
        if left > 0:
            await deferLater(self._reactor, left)
