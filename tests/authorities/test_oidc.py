"""Signing in at an OpenID provider, which may be honest or not."""

import json
from base64 import b64encode
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities import oidc
from konnectd.authority import Departure, Rebuff, Returned, Wish
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.pkce import check_verifier
from konnectd.protocol.vocabulary import Prompt
from tests.contracts.authorities import AuthorityContract
from tests.support.fakes import FixedClock, run
from tests.support.keys import rsa_key
from tests.support.oidc_case import OidcCase
from tests.support.openid_provider import BASE, OP, SECRET, OpenIdProvider, oidc_entry, oidc_settings, tools_for


class OidcContractTests(AuthorityContract, SynchronousTestCase):
    """It is an authority, by the code flow."""

    response_type = "code"

    def make_authority(self) -> oidc.OidcAuthority:
        """Return one that asks a provider in memory."""
        self.provider = OpenIdProvider(FixedClock())
        entry = oidc_entry(oidc_settings(response_type=self.response_type))
        return oidc.build(entry, tools_for(self.provider))

    def silence(self) -> None:
        """Let the provider not answer."""
        self.provider.silent = True

    def consent(self, departure: Departure) -> Returned:
        """Sign in."""
        return self.provider.returns(departure.location)

    def refusal(self, departure: Departure) -> Returned:
        """Say no."""
        return Returned(doorway="oauth2/cb", parameters=Parameters({"error": "access_denied", "state": "state"}))


class OidcIdTokenContractTests(OidcContractTests):
    """It is one by an ID token in the answer as well."""

    response_type = "id_token"


class RequestTests(OidcCase):
    """What the provider is asked."""

    def test_row_26_request(self) -> None:
        """It is a code request of ours, with PKCE; what is random is left out here."""
        asked = self.asked()
        for name in ("nonce", "code_challenge"):
            asked.pop(name)

        self.assertEqual(
            asked,
            {
                "client_id": "konnect",
                "response_type": "code",
                "scope": "openid profile",
                "redirect_uri": f"{BASE}/oauth2/cb",
                "state": "st4te",
                "code_challenge_method": "S256",
            },
        )

    def test_row_26_verifier(self) -> None:
        """The code is redeemed with what its challenge was made of."""
        departure = self.depart()
        run(self.authority.arrive(self.provider.returns(departure.location), departure.remembered))
        challenge = dict(parse_qsl(urlsplit(departure.location).query))["code_challenge"]

        self.assertIsNone(check_verifier(challenge, dict(self.provider.asked[-1].form or ())["code_verifier"]))

    def test_wishes(self) -> None:
        """What the request that waits asks for is handed on."""
        wish = Wish(
            prompt=frozenset({Prompt.LOGIN, Prompt.SELECT_ACCOUNT}),
            max_age=0,
            login_hint="alice",
            acr_values="gold",
            ui_locales="de",
        )
        asked = self.asked(wish)

        self.assertEqual(
            [asked[name] for name in ("prompt", "max_age", "login_hint", "acr_values", "ui_locales")],
            ["login select_account", "0", "alice", "gold", "de"],
        )

    def test_query_of_the_endpoint_is_kept(self) -> None:
        """What stands in the address already stays, and can not take our place."""
        self.provider.metadata["authorization_endpoint"] = f"{OP}/authorize?tenant=1&redirect_uri=https://evil.example"
        asked = self.asked()

        self.assertEqual((asked["tenant"], asked["redirect_uri"]), ("1", f"{BASE}/oauth2/cb"))

    def test_basic(self) -> None:
        """We prove who we are in the header, encoded as the specification has it."""
        self.arrive()
        expected = b64encode(b"konnect:s3cret%2F%2B%3A").decode()

        self.assertEqual(self.provider.asked[-1].authorization, f"Basic {expected}")

    def test_post(self) -> None:
        """Where the provider wants it, we do so in the form."""
        self.provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
        self.arrive()

        self.assertEqual(dict(self.provider.asked[-1].form or ())["client_secret"], SECRET)

    def test_no_secret(self) -> None:
        """Without a secret we are a public client, where the provider has such."""
        self.provider.metadata["token_endpoint_auth_methods_supported"] = ["none"]
        self.make(oidc_entry(oidc_settings(client_secret="")))
        self.arrive()

        self.assertEqual(dict(self.provider.asked[-1].form or ())["client_id"], "konnect")


class ResponseTypeTests(OidcCase):
    """Which flow it is where the entry does not say."""

    def test_no_token_endpoint(self) -> None:
        """A provider without a token endpoint is asked for an ID token, as Konnect does."""
        del self.provider.metadata["token_endpoint"]

        self.assertEqual(self.asked()["response_type"], "id_token")

    def test_no_secret(self) -> None:
        """So is one where we could not redeem a code."""
        self.make(oidc_entry(oidc_settings(client_secret="")))

        self.assertEqual(self.asked()["response_type"], "id_token")

    def test_row_26_id_token_comes_in_a_form(self) -> None:
        """It is posted to us, because no token belongs into an address."""
        self.make(oidc_entry(oidc_settings(response_type="id_token")))

        self.assertEqual(self.asked()["response_mode"], "form_post")

    def test_id_token_of_konnect_comes_in_the_query(self) -> None:
        """Konnect has no forms."""
        self.provider.metadata["response_modes_supported"] = ["query", "fragment"]
        self.make(oidc_entry(oidc_settings(response_type="id_token")))

        self.assertEqual(self.asked()["response_mode"], "query")

    def test_mode_of_the_entry(self) -> None:
        """What the entry says counts."""
        self.make(oidc_entry(oidc_settings(response_mode="form_post")))

        self.assertEqual(self.asked()["response_mode"], "form_post")

    def test_id_token_needs_no_question(self) -> None:
        """Whoever is in the ID token is signed in without asking anybody."""
        self.make(oidc_entry(oidc_settings(response_type="id_token")))
        self.arrive()

        self.assertEqual([urlsplit(q.url).path for q in self.provider.asked][2:], [])


class IdentityTests(OidcCase):
    """Who it is."""

    def test_all(self) -> None:
        """When and how, and the session there, are told as well."""
        self.provider.claims = {"auth_time": self.clock.now() - 5, "amr": ["pwd", "otp", 7], "sid": "s1"}
        found = self.arrive()

        self.assertEqual((found.auth_time, found.amr, found.reference), (self.clock.now() - 5, ("pwd", "otp"), "s1"))

    def test_other_claim(self) -> None:
        """Any claim can say it."""
        self.provider.claims = {"upn": "al"}
        self.make(oidc_entry(claim="upn"))

        self.assertEqual(self.arrive().name, "al")

    def test_userinfo(self) -> None:
        """Where the ID token does not say it, userinfo may."""
        self.provider.claims = {"preferred_username": None}

        self.assertEqual(self.arrive().name, "alice")

    def test_row_26_userinfo_about_somebody_else(self) -> None:
        """It must be about the same person."""
        self.provider.claims = {"preferred_username": None}
        self.provider.userinfo = {"sub": "8", "preferred_username": "bob"}

        self.assertEqual(self.refused(), (Rebuff.INVALID, "its userinfo is about somebody else than its ID token"))

    def test_row_26_nothing_says_it(self) -> None:
        """Somebody without a name is nobody."""
        self.provider.claims = {"preferred_username": None}
        self.provider.userinfo = {"sub": "7"}

        self.assertEqual(self.refused()[0], Rebuff.NO_IDENTITY)

    def test_number(self) -> None:
        """A name is text."""
        self.provider.claims = {"preferred_username": 7}
        self.provider.userinfo = {"sub": "7"}

        self.assertEqual(self.refused()[0], Rebuff.NO_IDENTITY)

    def test_verified_address(self) -> None:
        """An address may be the name when the provider has verified it."""
        self.provider.claims = {"email": "alice@example.org", "email_verified": True}
        self.make(oidc_entry(claim="email"))

        self.assertEqual(self.arrive().name, "alice@example.org")

    def test_row_26_unverified_address(self) -> None:
        """Otherwise anybody could give that of somebody else."""
        self.provider.claims = {"email": "alice@example.org", "email_verified": False}
        self.make(oidc_entry(claim="email"))

        self.assertEqual(self.refused()[0], Rebuff.NO_IDENTITY)

    def test_row_26_address_of_which_nothing_is_said(self) -> None:
        """Silence is no verification."""
        self.provider.claims = {"email": "alice@example.org"}
        self.make(oidc_entry(claim="email"))

        self.assertEqual(self.refused()[0], Rebuff.NO_IDENTITY)


class FreshnessTests(OidcCase):
    """What was asked for has to be kept."""

    def test_row_26_max_age_without_a_time(self) -> None:
        """A provider that does not say when has not kept it."""
        self.assertEqual(self.refused(Wish(max_age=60))[0], Rebuff.STALE)

    def test_row_26_max_age_over(self) -> None:
        """Longer ago is too long ago."""
        self.provider.claims = {"auth_time": self.clock.now() - 121}

        self.assertEqual(self.refused(Wish(max_age=60))[0], Rebuff.STALE)

    def test_max_age_kept(self) -> None:
        """Within it is good, clocks considered."""
        self.provider.claims = {"auth_time": self.clock.now() - 120}

        self.assertEqual(self.arrive(Wish(max_age=60)).auth_time, self.clock.now() - 120)

    def test_max_age_counts_from_the_departure(self) -> None:
        """Somebody may take their time there, after they have proved it."""
        self.provider.claims = {"auth_time": self.clock.now()}
        departure = self.depart(Wish(max_age=0))
        returned = self.provider.returns(departure.location)
        self.clock.advance(500)

        self.assertEqual(run(self.authority.arrive(returned, departure.remembered)).name, "alice")

    def test_row_26_login_not_kept(self) -> None:
        """Whoever should have proved it again has not."""
        self.provider.claims = {"auth_time": self.clock.now() - 61}

        self.assertEqual(self.refused(Wish(prompt=frozenset({Prompt.LOGIN})))[0], Rebuff.STALE)

    def test_login_kept(self) -> None:
        """Whoever has, has."""
        self.provider.claims = {"auth_time": self.clock.now()}

        self.assertEqual(self.arrive(Wish(prompt=frozenset({Prompt.LOGIN}))).name, "alice")


class LeavingTests(OidcCase):
    """Signing out there."""

    def leave(self, held: dict[str, object]) -> dict[str, str]:
        """Return what is asked of the provider."""
        run(self.authority.check())
        departure = run(self.authority.leave(held, "farewell"))
        return dict(parse_qsl(urlsplit(cast("Departure", departure).location).query))

    def test_leave(self) -> None:
        """The provider is told who it is, who asks, and where to go then."""
        self.assertEqual(
            self.leave({"id_token": "tok"}),
            {
                "id_token_hint": "tok",
                "client_id": "konnect",
                "post_logout_redirect_uri": f"{BASE}/oauth2/cb",
                "state": "farewell",
            },
        )

    def test_row_26_long_hint(self) -> None:
        """A hint that no address can carry is left out."""
        self.assertNotIn("id_token_hint", self.leave({"id_token": "t" * 7000}))

    def test_no_endpoint(self) -> None:
        """A provider without such a place is not gone to."""
        del self.provider.metadata["end_session_endpoint"]
        run(self.authority.check())

        self.assertIsNone(run(self.authority.leave({"id_token": "tok"}, "farewell")))

    def test_asks_nobody(self) -> None:
        """Nobody waits for a provider to be able to leave."""
        self.assertIsNone(run(self.authority.leave({"id_token": "tok"}, "farewell")))


class OtherKindTests(SynchronousTestCase):
    """What it can not be made of."""

    def test_other_settings(self) -> None:
        """An entry of another kind is a fault of ours."""
        entry = evolve(oidc_entry(), settings=json)

        self.assertRaises(TypeError, oidc.build, entry, tools_for(OpenIdProvider(FixedClock(), rsa_key())))
