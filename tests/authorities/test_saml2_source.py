"""When an identity provider is asked what it is, and for how long its answer counts."""

import gc

from twisted.internet.defer import CancelledError, Deferred

from konnectd.authorities._saml2_metadata import IdentityProvider
from konnectd.authorities._saml2_settings import Saml2Settings
from konnectd.authorities._saml2_source import (
    LONGEST_SECONDS,
    RETRY_SECONDS,
    SHORTEST_SECONDS,
    USUAL_SECONDS,
    MetadataSource,
)
from konnectd.authority import AuthorityError, Heard, Question
from tests.support.fakes import NOON, run
from tests.support.saml_case import SamlCase, SamlWorld, saml_entry
from tests.support.saml_provider import IDP, metadata_of, stamp


class SourceTests(SamlCase):
    """Asking."""

    def asked_after(self, *moments: int) -> list[int]:
        """Return how often it was asked, after each of some spans in seconds."""
        found = []
        for seconds in moments:
            self.world.clock.advance(seconds)
            self.depart()
            found.append(self.world.asked)
        return found

    def test_usual(self) -> None:
        """It is asked at the first departure and again after some hours, while what is known is used."""
        self.assertEqual(self.asked_after(0, USUAL_SECONDS - 1, 1, 0), [1, 1, 2, 2])

    def test_cache_duration(self) -> None:
        """It says for how long."""
        self.world.document = metadata_of(attributes=' cacheDuration="PT1H"')

        self.assertEqual(self.asked_after(0, 3599, 1), [1, 1, 2])

    def test_bounds(self) -> None:
        """Within bounds."""
        self.world.document = metadata_of(attributes=' cacheDuration="PT1S"')
        self.assertEqual(self.asked_after(0, SHORTEST_SECONDS - 1, 1), [1, 1, 2])

        self.world.document = metadata_of(attributes=' cacheDuration="P1Y"')
        self.assertEqual(self.asked_after(SHORTEST_SECONDS, LONGEST_SECONDS - 1, 1), [3, 3, 4])

    def test_freshness(self) -> None:
        """Where it does not say, the server may."""
        self.world.fresh_for = 900

        self.assertEqual(self.asked_after(0, 899, 1), [1, 1, 2])

    def test_silent_later(self) -> None:
        """While it does not answer, what is known counts, and it is not asked all the time."""
        self.depart()
        self.world.document = None

        self.assertEqual(self.asked_after(USUAL_SECONDS, RETRY_SECONDS - 1, 1), [2, 2, 3])

    def test_silent_at_first(self) -> None:
        """Nobody waits for it twice within some seconds."""
        self.world.document = None
        self.assertRaises(AuthorityError, self.depart)
        self.assertRaises(AuthorityError, self.depart)
        self.assertEqual(self.world.asked, 1)

        self.world.document = metadata_of()
        self.assertEqual(self.asked_after(RETRY_SECONDS), [2])

    def test_told_once(self) -> None:
        """The operator is told once, and again when it is something else."""
        self.world.document = None
        for _ in range(2):
            self.assertRaises(AuthorityError, self.depart)
            self.world.clock.advance(RETRY_SECONDS)
        self.world.document = "<html/>"
        self.assertRaises(AuthorityError, self.depart)

        self.assertEqual(len(self.world.warned), 2)

    def test_status(self) -> None:
        """A page that says that nothing is there is no metadata."""
        self.world.status = 404
        error = self.assertRaises(AuthorityError, self.depart)

        self.assertIn("status 404", str(error))

    def test_valid_until(self) -> None:
        """What is no longer valid by its own word does not count, even if nothing newer can be had."""
        self.world.document = metadata_of(attributes=f' validUntil="{stamp(NOON + 600)}"')
        self.depart()
        self.world.document = None
        self.world.clock.advance(600)

        self.assertRaises(AuthorityError, self.depart)

    def test_other_identity_provider(self) -> None:
        """Where the entry says who it has to be, nobody else is."""
        self.make_with(Saml2Settings(metadata_endpoint=self.settings.metadata_endpoint, idp_entity_id="https://other"))

        error = self.assertRaises(AuthorityError, self.depart)
        self.assertIn("wrong_issuer", str(error))

    def test_file(self) -> None:
        """Metadata from a file need nobody who answers."""
        self.world.document = None
        self.make_with(Saml2Settings(metadata=metadata_of().encode()))

        self.assertIn(IDP, run(self.authority.check()))

    def make_with(self, settings: Saml2Settings) -> None:
        """Make another authority."""
        self.make(saml_entry(settings))


class SlowWorld(SamlWorld):
    """An identity provider that takes its time.

    Attributes:
        waiting: what is called when it is time, for each question.
    """

    def __init__(self) -> None:
        """Begin with nobody who waits."""
        super().__init__()
        self.waiting: list[Deferred[None]] = []

    async def __call__(self, question: Question) -> Heard:
        """Answer, when it is time."""
        self.waiting.append(Deferred())
        await self.waiting[-1]
        return await super().__call__(question)


class TogetherTests(SamlCase):
    """Several people at one time."""

    def setUp(self) -> None:
        """Begin with nothing known."""
        super().setUp()
        self.slow = SlowWorld()
        self.source = MetadataSource(self.settings, self.slow.tools(), "corp", insecure=False)

    def two(self) -> tuple[Deferred[IdentityProvider], Deferred[IdentityProvider]]:
        """Let two people come."""
        return Deferred.fromCoroutine(self.source.get()), Deferred.fromCoroutine(self.source.get())

    def test_asked_once(self) -> None:
        """Who comes while it is being asked waits for the same answer."""
        both = self.two()
        self.slow.waiting[0].callback(None)

        self.assertEqual([self.successResultOf(each).entity_id for each in both], [IDP, IDP])
        self.assertEqual(self.slow.asked, 1)

    def test_first_one_leaves(self) -> None:
        """Who waits for somebody who leaves asks again."""
        first, second = self.two()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.slow.waiting[1].callback(None)

        self.assertEqual(self.successResultOf(second).entity_id, IDP)

    def test_second_one_leaves(self) -> None:
        """Who leaves while somebody else asks disturbs nobody."""
        first, second = self.two()
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.slow.waiting[0].callback(None)

        self.assertEqual(self.successResultOf(first).entity_id, IDP)

    def test_broken_off(self) -> None:
        """What is under way at the end is broken off, without a word."""
        first = Deferred.fromCoroutine(self.source.get())
        self.slow.waiting[0].callback(None)
        self.successResultOf(first)
        self.slow.clock.advance(USUAL_SECONDS)
        self.assertEqual(run(self.source.get()).entity_id, IDP)
        self.source.close()
        del self.source
        gc.collect()

        self.assertEqual((self.slow.asked, self.flushLoggedErrors()), (1, []))
