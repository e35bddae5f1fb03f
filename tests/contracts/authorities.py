"""What every kind of external authority must do."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from konnectd.authority import (
    LONGEST_REFERENCE,
    Authority,
    AuthorityError,
    Departure,
    ExternalIdentity,
    Rebuff,
    Returned,
    Wish,
)
from konnectd.jsontext import read, write
from konnectd.protocol.parameters import Parameters
from tests.support.fakes import run

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object

#: Of what a departure remembers, in bytes: it is kept in a cookie.
MOST_REMEMBERED = 1024


class AuthorityContract(Base):
    """Mix into a test case and override what makes an authority and what plays its other end."""

    authority: Authority

    def setUp(self) -> None:
        """Take an authority that is ready."""
        super().setUp()
        self.authority = self.make_authority()

    def make_authority(self) -> Authority:
        """Return an authority whose other end is there and knows ``alice``."""
        raise NotImplementedError

    def silence(self) -> None:
        """Let the other end not answer any more."""
        raise NotImplementedError

    def consent(self, departure: Departure) -> Returned:
        """Return what a browser brings back that was sent there, and whose person signed in as ``alice``."""
        raise NotImplementedError

    def refusal(self, departure: Departure) -> Returned:
        """Return what a browser brings back whose person has said no there."""
        raise NotImplementedError

    def depart(self) -> Departure:
        """Send somebody there."""
        return run(self.authority.depart(Wish(), "state"))

    def arrive(self, returned: Returned, departure: Departure) -> ExternalIdentity:
        """Come back, with what was remembered as a cookie has kept it."""
        remembered = read(write(dict(departure.remembered)))
        return run(self.authority.arrive(returned, remembered if isinstance(remembered, dict) else {}))

    def rebuff(self, returned: Returned, departure: Departure) -> Rebuff:
        """Return why nobody is signed in."""
        return self.assertRaises(AuthorityError, self.arrive, returned, departure).rebuff

    def test_departure_is_absolute(self) -> None:
        """The browser is sent to an address of the web."""
        self.assertIn(urlsplit(self.depart().location).scheme, {"https", "http"})

    def test_departure_fits_a_cookie(self) -> None:
        """What is remembered is small."""
        self.assertLess(len(write(dict(self.depart().remembered))), MOST_REMEMBERED)

    def test_departure_keeps_no_secret_in_the_address(self) -> None:
        """No two departures are alike, so nobody can foresee what the answer has to say."""
        self.assertNotEqual(self.depart().location, self.depart().location)

    def test_identity(self) -> None:
        """Whoever signed in there is known by name here."""
        departure = self.depart()

        self.assertEqual(self.arrive(self.consent(departure), departure).name, "alice")

    def test_reference_fits_a_cookie(self) -> None:
        """What is kept in the logon is short."""
        departure = self.depart()

        self.assertLessEqual(len(self.arrive(self.consent(departure), departure).reference), LONGEST_REFERENCE)

    def test_held_is_json(self) -> None:
        """What is kept in the store comes out again as it was."""
        departure = self.depart()
        held = dict(self.arrive(self.consent(departure), departure).held)

        self.assertEqual(read(write(held)), held)

    def test_refusal(self) -> None:
        """Whoever says no there is nobody here."""
        departure = self.depart()

        self.assertEqual(self.rebuff(self.refusal(departure), departure), Rebuff.DENIED)

    def test_answer_to_another_departure(self) -> None:
        """What belongs to another trip is not taken."""
        departure, other = self.depart(), self.depart()

        self.assertEqual(self.rebuff(self.consent(other), departure), Rebuff.INVALID)

    def test_nothing_remembered(self) -> None:
        """What belongs to no trip is not taken."""
        departure = self.depart()
        empty = Departure(location=departure.location)

        self.assertEqual(self.rebuff(self.consent(departure), empty), Rebuff.INVALID)

    def test_empty_answer(self) -> None:
        """A browser that brings nothing signs nobody in."""
        departure = self.depart()
        empty = Returned(doorway=self.consent(departure).doorway, parameters=Parameters({}))

        self.assertEqual(self.rebuff(empty, departure), Rebuff.INVALID)

    def test_not_there(self) -> None:
        """An authority that does not answer is unavailable, at once."""
        self.silence()
        error = self.assertRaises(AuthorityError, self.depart)

        self.assertEqual(error.rebuff, Rebuff.UNAVAILABLE)

    def test_check_says_that_it_is_not_there(self) -> None:
        """The operator is told so as well."""
        self.silence()
        error = self.assertRaises(AuthorityError, lambda: run(self.authority.check()))

        self.assertEqual(error.rebuff, Rebuff.UNAVAILABLE)

    def test_check_says_what_was_found(self) -> None:
        """The operator is told what was found."""
        self.assertNotEqual(run(self.authority.check()), "")

    def test_leaving_without_anything_held(self) -> None:
        """Whoever leaves is sent somewhere with the state, or nowhere, however little is known of them."""
        run(self.authority.check())
        departure = run(self.authority.leave({}, "farewell"))

        self.assertTrue(departure is None or "farewell" in departure.location or departure.fields)

    def test_close(self) -> None:
        """It can be let go of."""
        self.assertIsNone(run(self.authority.close()))
