"""What an OpenID provider says about itself: fetched, believed, kept, fetched again."""

import json

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._oidc_provider import (
    FIRST_PAUSE,
    KEY_PAUSE,
    LONGEST_FRESH,
    LONGEST_PAUSE,
    SHORTEST_FRESH,
    USABLE,
    USUAL_FRESH,
    ProviderCache,
)
from konnectd.authorities._oidc_settings import OidcSettings, discovery_uri
from konnectd.authority import AuthorityError, Heard, Question
from tests.support.fakes import FixedClock, run
from tests.support.keys import p256_key
from tests.support.openid_provider import OP, OpenIdProvider, oidc_entry, oidc_settings


class ProviderCase(SynchronousTestCase):
    """Asks a provider."""

    def setUp(self) -> None:
        """Start it."""
        self.clock = FixedClock()
        self.provider = OpenIdProvider(self.clock)
        self.make(oidc_settings())

    def make(self, settings: OidcSettings) -> None:
        """Begin anew."""
        self.cache = ProviderCache(oidc_entry(settings), settings, self.provider, self.clock)

    def fault(self) -> str:
        """Return why nothing is known."""
        return str(self.assertRaises(AuthorityError, lambda: run(self.cache.current())))

    def questions(self) -> int:
        """Return how many questions were asked since the last time."""
        count = len(self.provider.asked)
        self.provider.asked.clear()
        return count


class DiscoveryTests(ProviderCase):
    """What is believed."""

    def test_endpoints(self) -> None:
        """What the document says is known."""
        self.assertEqual(run(self.cache.current()).token_endpoint, f"{OP}/token")

    def test_row_26_lying_issuer(self) -> None:
        """A document of another issuer is not taken."""
        self.provider.metadata["issuer"] = "https://evil.example"

        self.assertEqual(self.fault(), "its metadata are those of another issuer")

    def test_row_26_issuer_with_a_slash(self) -> None:
        """The issuer has to be the same to the letter."""
        self.provider.metadata["issuer"] = f"{OP}/"

        self.assertEqual(self.fault(), "its metadata are those of another issuer")

    def test_row_26_no_https(self) -> None:
        """Nobody is sent to an address without TLS."""
        self.provider.metadata["authorization_endpoint"] = "http://sso.corp.example/authorize"

        self.assertEqual(self.fault(), "its metadata have no good authorization_endpoint")

    def test_row_26_script(self) -> None:
        """Nobody is sent to a script."""
        self.provider.metadata["authorization_endpoint"] = "javascript:alert(1)"

        self.assertEqual(self.fault(), "its metadata have no good authorization_endpoint")

    def test_no_keys(self) -> None:
        """Without keys nothing can be believed."""
        del self.provider.metadata["jwks_uri"]

        self.assertEqual(self.fault(), "its metadata have no good jwks_uri")

    def test_row_26_not_found(self) -> None:
        """Nothing there is nothing."""
        self.provider.answers[discovery_uri(OP)] = Heard(status=404)

        self.assertEqual(self.fault(), "its metadata can not be fetched: status 404")

    def test_row_26_redirect(self) -> None:
        """No redirect is followed."""
        self.provider.answers[discovery_uri(OP)] = Heard(status=301)

        self.assertEqual(self.fault(), "its metadata can not be fetched: status 301")

    def test_no_json(self) -> None:
        """A page is no document."""
        self.provider.answers[discovery_uri(OP)] = Heard(status=200, content=b"<html>")

        self.assertEqual(self.fault(), "its metadata is no JSON")

    def test_deep_json(self) -> None:
        """Nor is what has no end."""
        self.provider.answers[discovery_uri(OP)] = Heard(status=200, content=b"[" * 100_000)

        self.assertEqual(self.fault(), "its metadata is no JSON")

    def test_list(self) -> None:
        """Nor is a list."""
        self.provider.answers[discovery_uri(OP)] = Heard(status=200, content=b"[]")

        self.assertEqual(self.fault(), "its metadata is no JSON object")

    def test_row_26_many_keys(self) -> None:
        """A key set has an end."""
        keys = json.dumps({"keys": [{"kty": "EC"}] * 65}).encode()
        self.provider.answers[f"{OP}/jwks.json"] = Heard(status=200, content=keys)

        self.assertEqual(self.fault(), "its key set is none")

    def test_row_26_keys_for_something_else(self) -> None:
        """Keys that are not for signatures, and secrets, are not looked at."""
        keys = [{"kty": "EC", "use": "enc"}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "kid": "a"}, 7]
        self.provider.answers[f"{OP}/jwks.json"] = Heard(status=200, content=json.dumps({"keys": keys}).encode())

        self.assertEqual(run(self.cache.current()).keys, {"keys": [{"kty": "EC", "kid": "a"}]})

    def test_fixed(self) -> None:
        """Where everything stands in the entry nobody is asked."""
        jwks = json.dumps(self.provider.ring.jwks())
        endpoints = (("authorization_endpoint", f"{OP}/a"), ("user_info_endpoint", f"{OP}/u"))
        self.make(evolve(oidc_settings(), discovery_uri="", jwks=jwks, endpoints=endpoints))
        found = run(self.cache.current())

        self.assertEqual((found.userinfo_endpoint, self.questions()), (f"{OP}/u", 0))

    def test_entry_counts_for_more(self) -> None:
        """An endpoint that the entry names is the one."""
        self.make(evolve(oidc_settings(), endpoints=(("token_endpoint", f"{OP}/t2"),)))

        self.assertEqual(run(self.cache.current()).token_endpoint, f"{OP}/t2")


class FreshnessTests(ProviderCase):
    """When it is asked again."""

    def fresh_for(self, seconds: int | None) -> None:
        """Let the document say how long it is fresh, and fetch it."""
        content = json.dumps(self.provider.metadata).encode()
        self.provider.answers[discovery_uri(OP)] = Heard(status=200, content=content, fresh_for=seconds)
        run(self.cache.current())
        self.questions()

    def asked_after(self, seconds: int) -> bool:
        """Tell whether it is asked some seconds later."""
        self.clock.advance(seconds)
        run(self.cache.current())
        return self.questions() > 0

    def test_kept(self) -> None:
        """What does not say how long it is fresh is so for some minutes."""
        self.fresh_for(None)

        self.assertEqual((self.asked_after(USUAL_FRESH - 1), self.asked_after(1)), (False, True))

    def test_row_26_never_fresh(self) -> None:
        """Nobody is asked for each sign-in."""
        self.fresh_for(0)

        self.assertEqual((self.asked_after(SHORTEST_FRESH - 1), self.asked_after(1)), (False, True))

    def test_row_26_always_fresh(self) -> None:
        """Everybody is asked once a day."""
        self.provider.answers[f"{OP}/jwks.json"] = Heard(
            status=200, content=json.dumps(self.provider.ring.jwks()).encode(), fresh_for=10**9
        )
        self.fresh_for(10**9)

        self.assertEqual((self.asked_after(LONGEST_FRESH - 1), self.asked_after(1)), (False, True))

    def test_old_is_better_than_nothing(self) -> None:
        """While it does not answer, what was fetched before is good."""
        self.fresh_for(None)
        self.provider.silent = True
        self.clock.advance(USABLE - 1)

        self.assertEqual(run(self.cache.current()).token_endpoint, f"{OP}/token")

    def test_row_26_too_old(self) -> None:
        """For a day."""
        self.fresh_for(None)
        self.provider.silent = True
        self.clock.advance(USABLE)

        self.assertIn("asked again soon", self.fault())

    def test_row_26_back_off(self) -> None:
        """After a failure it is not asked for some seconds, which become more."""
        self.provider.silent = True
        self.fault()
        found = []
        for pause in (FIRST_PAUSE, 2 * FIRST_PAUSE):
            self.clock.advance(pause - 1)
            self.questions()
            self.fault()
            found.append(self.questions())
            self.clock.advance(1)
            self.fault()
            found.append(self.questions())

        self.assertEqual(found, [0, 1, 0, 1])

    def test_back_off_has_an_end(self) -> None:
        """It is asked once a minute at least, when somebody wants to know."""
        self.provider.silent = True
        for _ in range(20):
            self.fault()
            self.clock.advance(LONGEST_PAUSE)
        self.questions()
        self.fault()

        self.assertEqual(self.questions(), 1)

    def test_back_again(self) -> None:
        """A provider that is back is used."""
        self.provider.silent = True
        self.fault()
        self.provider.silent = False
        self.clock.advance(FIRST_PAUSE)

        self.assertEqual(run(self.cache.current()).token_endpoint, f"{OP}/token")


class RotationTests(ProviderCase):
    """Keys that change."""

    def setUp(self) -> None:
        """Fetch them once."""
        super().setUp()
        run(self.cache.current())
        self.questions()

    def test_known_key(self) -> None:
        """A key that is known is not asked for."""
        run(self.cache.with_key(p256_key().kid))

        self.assertEqual(self.questions(), 0)

    def test_new_key(self) -> None:
        """A key that is not known yet is fetched."""
        self.clock.advance(KEY_PAUSE)
        self.provider.use(p256_key(2))
        found = run(self.cache.with_key(p256_key(2).kid))

        self.assertTrue(found.knows_key(p256_key(2).kid))

    def test_row_26_once(self) -> None:
        """Somebody who sends tokens with names of keys that never were makes us ask once in a while."""
        self.clock.advance(KEY_PAUSE)
        for number in range(5):
            run(self.cache.with_key(f"never-{number}"))

        self.assertEqual(self.questions(), 1)

    def test_row_26_right_after_fetching(self) -> None:
        """Keys that were just fetched are not fetched again."""
        run(self.cache.with_key("never"))

        self.assertEqual(self.questions(), 0)

    def test_failure_keeps_the_old_ones(self) -> None:
        """What is known stays known."""
        self.clock.advance(KEY_PAUSE)
        self.provider.silent = True

        self.assertTrue(run(self.cache.with_key("never")).knows_key(p256_key().kid))


class SharingTests(SynchronousTestCase):
    """Many who want to know the same at the same time."""

    def test_one_question(self) -> None:
        """They wait for one answer; who gives up takes it from nobody."""
        provider = OpenIdProvider(FixedClock())
        waiting: list[Deferred[None]] = []

        async def slow(question: Question) -> Heard:
            if not waiting:
                waiting.append(Deferred())
                await waiting[0]
            return await provider(question)

        cache = ProviderCache(oidc_entry(), oidc_settings(), slow, provider.clock)
        first, second = (Deferred.fromCoroutine(cache.current()) for _ in range(2))
        first.addErrback(lambda _: None).cancel()
        waiting[0].callback(None)

        self.assertEqual((self.successResultOf(second).token_endpoint, len(provider.asked)), (f"{OP}/token", 2))
