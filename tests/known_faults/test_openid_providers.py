"""Row 26: answers of OpenID providers that others believed. What is not here is where the rest of a provider is tested.

Each test sees that one check is there.
"""

import json
from urllib.parse import parse_qsl, urlsplit

from twisted.internet.defer import Deferred

from konnectd.authorities._oidc_provider import read_keys
from konnectd.authority import LONGEST_REFERENCE, AuthorityError, Heard, Rebuff
from konnectd.authority_fetch import MOST_AT_ONCE, SECONDS
from konnectd.interfaces import FetchError
from konnectd.jose.signing import LONGEST_TOKEN
from tests.support.oidc_case import OidcCase
from tests.support.openid_provider import BASE, OP
from tests.test_authority_fetch import AskCase


class Row26Tests(OidcCase):
    """One provider, which is not honest."""

    def challenges(self) -> set[str]:
        """Return what two departures will be proven by."""
        return {self.asked()["code_challenge"] for _ in range(2)}

    def test_row_26_error_of_another(self) -> None:
        """An error of another issuer is none of this one."""
        self.assertEqual(self.refused(iss="https://evil.example", error="access_denied")[0], Rebuff.INVALID)

    def test_row_26_own_verifier(self) -> None:
        """No two codes are proven by the same verifier."""
        self.assertEqual(len(self.challenges()), 2)

    def test_row_26_own_nonce(self) -> None:
        """No two departures have the same nonce."""
        self.assertEqual(len({self.asked()["nonce"] for _ in range(2)}), 2)

    def test_row_26_planted_address(self) -> None:
        """What stands in the address of an endpoint does not name another place to come back to."""
        self.provider.metadata["authorization_endpoint"] = f"{OP}/authorize?redirect_uri=https://evil.example"
        asked = parse_qsl(urlsplit(self.depart().location).query)

        self.assertEqual([value for name, value in asked if name == "redirect_uri"], [f"{BASE}/oauth2/cb"])

    def test_row_26_lines_in_an_access_token(self) -> None:
        """An access token of two lines is shown to nobody: it would be two headers."""
        self.provider.claims = {"preferred_username": None}
        self.provider.token_response = {"access_token": "a\nb"}

        self.assertEqual(self.refused()[0], Rebuff.NO_IDENTITY)

    def test_row_26_other_kind_of_token(self) -> None:
        """An access token that is not for bearers is shown to nobody."""
        self.provider.claims = {"preferred_username": None}
        self.provider.token_response = {"token_type": "DPoP"}

        self.assertEqual(self.refused()[0], Rebuff.NO_IDENTITY)

    def test_row_26_long_session(self) -> None:
        """The name of a session there is kept only if it is short: it would be in a cookie."""
        self.provider.claims = {"sid": "s" * (LONGEST_REFERENCE + 1)}

        self.assertEqual(self.arrive().reference, "")

    def test_row_26_long_token(self) -> None:
        """An ID token has an end, however good it is."""
        self.provider.claims = {"much": "m" * LONGEST_TOKEN}

        self.assertIn("three parts", self.not_believed())

    def test_row_26_refused_code(self) -> None:
        """What an error of the token endpoint has beside the error is not believed."""
        departure = self.depart()
        returned = self.provider.returns(departure.location)
        nonce = self.provider.codes["c0de"]
        tokens = f'{{"error": "invalid_grant", "id_token": "{self.provider.id_token(nonce)}"}}'.encode()
        self.provider.answers[f"{OP}/token"] = Heard(status=400, content=tokens)
        arriving = Deferred.fromCoroutine(self.authority.arrive(returned, departure.remembered))

        self.assertIn("invalid_grant", str(self.failureResultOf(arriving, AuthorityError).value))

    def test_row_26_key_for_something_else(self) -> None:
        """A key that is published for encryption is no key of a signature."""
        key = self.provider.ring.jwks()["keys"][0]

        self.assertEqual(read_keys(json.dumps({"keys": [{**key, "use": "enc"}]}).encode()), {"keys": []})


class Row26AskingTests(AskCase):
    """How they are asked."""

    def test_row_26_at_once(self) -> None:
        """Only so many are asked at a time, however slow they are."""
        self.server.body = None
        asking = [self.asking() for _ in range(MOST_AT_ONCE + 1)]
        asked = len(self.server.asked)
        for one in asking:
            one.addErrback(lambda _: None).cancel()

        self.assertEqual(asked, MOST_AT_ONCE)

    def test_row_26_waiting_is_no_way_around(self) -> None:
        """Whoever waits for a turn does so no longer than for an answer."""
        self.server.body = None
        asking = [self.asking() for _ in range(MOST_AT_ONCE + 1)]
        self.clock.advance(SECONDS)
        found = [str(self.failureResultOf(one, FetchError).value) for one in asking]

        self.assertIn("did not answer", found[-1])
