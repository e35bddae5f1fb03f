"""The clock and the chance of this machine."""

import time

from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import Clock, Entropy
from konnectd.world import SystemClock, SystemEntropy
from tests.support.fakes import CountingEntropy


class ClockTests(SynchronousTestCase):
    """The machine's clock."""

    def test_whole_seconds(self) -> None:
        """It tells the time in whole seconds since the epoch."""
        clock: Clock = SystemClock()
        before, now, after = int(time.time()), clock.now(), int(time.time())

        self.assertIsInstance(now, int)
        self.assertTrue(before <= now <= after)


class EntropyTests(SynchronousTestCase):
    """Chance, real and countable."""

    def test_length(self) -> None:
        """A token has as many characters as base64url without padding needs, from the fake too."""
        for entropy in (SystemEntropy(), CountingEntropy()):
            lengths = [len(entropy.token(size)) for size in (16, 24, 31, 32, 33)]

            self.assertEqual(lengths, [22, 32, 42, 43, 44])

    def test_characters(self) -> None:
        """A token can stand in a URL and a cookie as it is."""
        entropy: Entropy = SystemEntropy()

        self.assertRegex("".join(entropy.token() for _ in range(50)), r"\A[A-Za-z0-9_-]+\Z")

    def test_never_twice(self) -> None:
        """No two tokens are equal."""
        for entropy in (SystemEntropy(), CountingEntropy()):
            tokens = {entropy.token() for _ in range(200)}

            self.assertEqual(len(tokens), 200)
