"""What a browser keeps while its person is at an external authority."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trip import (
    LONGEST_PIECE,
    MOST_PIECES,
    Trip,
    cookie_name,
    first_names,
    names,
    pieces,
    used_trip_key,
    whole,
)

TRIP = Trip(
    state="s",
    authority_id="corp",
    started_at=7,
    leaving=True,
    query=Parameters({"client_id": "mail"}),
    after="https://a.example",
    unasked=True,
    remembered={"n": 1},
)


class TripTests(SynchronousTestCase):
    """Written and read."""

    def test_there_and_back(self) -> None:
        """What was written is read."""
        self.assertEqual(Trip.from_json(TRIP.to_json()), TRIP)

    def test_another_version(self) -> None:
        """What another version wrote is none."""
        self.assertIsNone(Trip.from_json({**TRIP.to_json(), "v": 2}))

    def test_row_25_state_is_not_shown(self) -> None:
        """The state stands in no log."""
        self.assertNotIn("s3cret", repr(Trip(state="s3cret", authority_id="a", started_at=0)))


class NameTests(SynchronousTestCase):
    """What it is called."""

    def test_konnect(self) -> None:
        """The cookie is called as Konnect calls it: a digest of the state."""
        name = cookie_name("state")

        self.assertEqual((name[:5], len(name)), ("KKTS-", 48))

    def test_any_text(self) -> None:
        """Whatever a browser sends has a name."""
        self.assertEqual(len(cookie_name("\ud800")), 48)

    def test_row_25_used(self) -> None:
        """That it is over is noted without the state itself."""
        self.assertNotIn("s3cret", used_trip_key("s3cret"))


class PieceTests(SynchronousTestCase):
    """Long trips."""

    def test_short(self) -> None:
        """A short one is one cookie."""
        self.assertEqual(pieces("KKTS-a", "x"), (("KKTS-a", "x"),))

    def test_long(self) -> None:
        """A long one is put together again."""
        text = "".join(str(number % 10) for number in range(LONGEST_PIECE * MOST_PIECES))

        self.assertEqual(whole("KKTS-a", dict(pieces("KKTS-a", text) or ())), text)

    def test_row_27_too_long(self) -> None:
        """There is an end."""
        self.assertIsNone(pieces("KKTS-a", "x" * (LONGEST_PIECE * MOST_PIECES + 1)))

    def test_names(self) -> None:
        """All its cookies can be told from those of others."""
        kept = ["KKTS-a", "KKTS-a.1", "KKTS-b", "KKT"]

        self.assertEqual((names("KKTS-a", kept), first_names(kept)), (("KKTS-a", "KKTS-a.1"), ("KKTS-a", "KKTS-b")))
