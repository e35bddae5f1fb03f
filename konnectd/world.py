"""The time of day and chance of this machine.

Everything else takes them as arguments, so that a test can say what time it is and what comes out of the dice.
"""

import time
from os import urandom

from konnectd.base64url import b64url


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return seconds since the epoch."""
        return int(time.time())


class SystemEntropy:
    """The operating system's random numbers."""

    def token(self, size: int = 32) -> str:
        """Return base64url without padding of ``size`` random bytes."""
        return b64url(urandom(size))
