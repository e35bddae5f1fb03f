"""What a request carries that was at an external authority; the rest is in `tests.protocol.test_interaction`."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.progress import Progress

PROGRESS = Progress(fingerprint="f", started_at=1)


class AwayTests(SynchronousTestCase):
    """That it was there, and what came of it."""

    def test_there_and_back(self) -> None:
        """What was written is read."""
        away = evolve(PROGRESS, away=True, refusal="access_denied")

        self.assertEqual(Progress.from_json(away.to_json()), away)

    def test_nothing_more(self) -> None:
        """One that was nowhere looks as it always has."""
        self.assertEqual(set(PROGRESS.to_json()), {"v", "f", "iat", "sid", "acc"})

    def told(self, refusal: str) -> str:
        """Return what the client is told."""
        return str(self.assertRaises(OAuthError, evolve(PROGRESS, refusal=refusal).check).code)

    def test_refusals(self) -> None:
        """The client is told one of two words, whatever is sealed in."""
        self.assertEqual(
            [self.told(word) for word in ("temporarily_unavailable", "access_denied", "anything")],
            ["temporarily_unavailable", "access_denied", "access_denied"],
        )

    def test_no_refusal(self) -> None:
        """Without one nothing is said."""
        self.assertIsNone(PROGRESS.check())
