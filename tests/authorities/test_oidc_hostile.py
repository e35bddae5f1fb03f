"""What an OpenID provider, or somebody in its name, may try; each for one reason."""

from attrs import evolve

from konnectd.authority import AuthorityError, Heard, Rebuff
from konnectd.base64url import b64url
from tests.support.fakes import run
from tests.support.keys import p256_key
from tests.support.oidc_case import OidcCase
from tests.support.openid_provider import OP

#: Headers of tokens that are not signed by a private key.
UNSIGNED = b64url(b'{"alg":"none"}')
BY_SECRET = b64url(b'{"alg":"HS256"}')


class HostileTokenTests(OidcCase):
    """Tokens that are not believed, each for one reason."""

    def test_row_26_issuer(self) -> None:
        """Another issuer made it."""
        self.provider.claims = {"iss": "https://evil.example"}

        self.assertEqual(self.not_believed(), "iss is not this authority")

    def test_row_26_audience(self) -> None:
        """It was made for another client of the same provider."""
        self.provider.claims = {"aud": "other"}

        self.assertEqual(self.not_believed(), "aud does not name us: it was made for somebody else")

    def test_row_26_several_audiences(self) -> None:
        """Of several it has to say whose it is."""
        self.provider.claims = {"aud": ["konnect", "other"]}

        self.assertEqual(self.not_believed(), "aud names several, and azp is missing")

    def test_row_26_authorized_party(self) -> None:
        """It is somebody else's."""
        self.provider.claims = {"aud": ["konnect", "other"], "azp": "other"}

        self.assertEqual(self.not_believed(), "azp is not us: it was made for somebody else")

    def test_row_26_expired(self) -> None:
        """It is over, by more than clocks differ."""
        self.provider.claims = {"exp": self.clock.now() - 60}

        self.assertEqual(self.not_believed(), "exp is over")

    def test_clocks_differ_a_little(self) -> None:
        """A clock that is somewhat behind is forgiven."""
        self.provider.claims = {"exp": self.clock.now() - 59}

        self.assertEqual(self.arrive().name, "alice")

    def test_row_26_from_the_future(self) -> None:
        """It is from tomorrow."""
        self.provider.claims = {"iat": self.clock.now() + 61}

        self.assertEqual(self.not_believed(), "iat is in the future; the clocks differ")

    def test_row_26_not_yet(self) -> None:
        """It does not count yet."""
        self.provider.claims = {"nbf": self.clock.now() + 61}

        self.assertEqual(self.not_believed(), "nbf is in the future; the clocks differ")

    def test_row_26_no_end(self) -> None:
        """It never ends."""
        self.provider.claims = {"exp": None}

        self.assertEqual(self.not_believed(), "exp or iat is missing")

    def test_row_26_truth_is_no_time(self) -> None:
        """``true`` is no moment."""
        self.provider.claims = {"iat": True}

        self.assertEqual(self.not_believed(), "exp or iat is missing")

    def test_row_26_nonce(self) -> None:
        """It belongs to another sign-in."""
        self.provider.claims = {"nonce": "other"}

        self.assertEqual(self.not_believed(), "nonce is not the one of this sign-in")

    def test_row_26_no_nonce(self) -> None:
        """It belongs to any sign-in."""
        self.provider.claims = {"nonce": None}

        self.assertEqual(self.not_believed(), "nonce is not the one of this sign-in")

    def test_row_26_access_token_exchanged(self) -> None:
        """The access token beside it is another one's."""
        self.provider.token_response = {"access_token": "other"}

        self.assertEqual(self.not_believed(), "at_hash does not fit the access token")

    def test_row_26_code_exchanged(self) -> None:
        """The code it came for is another one."""
        self.provider.claims = {"c_hash": "AAAA"}

        self.assertEqual(self.not_believed(), "c_hash does not fit the code")

    def test_row_26_nobody(self) -> None:
        """It is about nobody."""
        self.provider.claims = {"sub": None}

        self.assertEqual(self.not_believed(), "sub is missing or too long")

    def test_unsigned(self) -> None:
        """It is not signed at all."""
        self.provider.metadata["id_token_signing_alg_values_supported"] = ["none", "ES256"]
        payload = self.provider.id_token("n").split(".")[1]
        self.provider.token_response = {"id_token": f"{UNSIGNED}.{payload}."}

        self.assertEqual(self.refused()[0], Rebuff.INVALID)

    def test_row_26_secret_algorithm(self) -> None:
        """It is signed with what everybody can read as if that were a secret."""
        self.provider.metadata["id_token_signing_alg_values_supported"] = ["HS256", "ES256"]
        payload = self.provider.id_token("n").split(".")[1]
        self.provider.token_response = {"id_token": f"{BY_SECRET}.{payload}.AAAA"}

        self.assertIn("algorithm", self.not_believed())

    def test_row_26_algorithm_that_was_not_announced(self) -> None:
        """It is signed in a way the provider does not use."""
        self.provider.metadata["id_token_signing_alg_values_supported"] = ["RS256"]

        self.assertIn("algorithm", self.not_believed())

    def test_row_26_other_key(self) -> None:
        """Somebody else signed it under the name of the provider's key."""
        run(self.authority.check())
        self.provider.use(evolve(p256_key(2), kid=p256_key().kid))

        self.assertIn("does not fit", self.not_believed())

    def test_no_token(self) -> None:
        """There is no ID token."""
        self.provider.token_response = {"id_token": None}

        self.assertEqual(self.refused()[1], "the answer of its token endpoint has no ID token")

    def test_replayed_code(self) -> None:
        """A code the provider has given tokens for already is worth nothing."""
        departure = self.depart()
        returned = self.provider.returns(departure.location)
        run(self.authority.arrive(returned, departure.remembered))
        error = self.assertRaises(AuthorityError, lambda: run(self.authority.arrive(returned, departure.remembered)))

        self.assertEqual(str(error), "its token endpoint answers with status 400, 'invalid_grant'")


class HostileAnswerTests(OidcCase):
    """Answers that are not taken."""

    def test_row_26_mix_up(self) -> None:
        """The answer says that another issuer gives it. Spec: RFC 9207 2.4."""
        self.assertEqual(
            self.refused(iss="https://evil.example"), (Rebuff.INVALID, "the answer is that of another issuer")
        )

    def test_row_26_mix_up_asks_nobody(self) -> None:
        """The code is not shown to anybody then."""
        self.refused(iss="https://evil.example")

        self.assertNotIn(f"{OP}/token", [question.url for question in self.provider.asked])

    def test_row_26_issuer_left_out(self) -> None:
        """A provider that always says who it is has not given an answer that does not."""
        self.provider.metadata["authorization_response_iss_parameter_supported"] = True

        self.assertEqual(self.refused()[0], Rebuff.INVALID)

    def test_issuer_named(self) -> None:
        """The right one is right."""
        self.provider.metadata["authorization_response_iss_parameter_supported"] = True

        self.assertEqual(self.arrive(iss=OP).name, "alice")

    def test_row_26_hostile_error(self) -> None:
        """What an error says is cut short and quoted in the log, and its description is not looked at."""
        hostile = "<script>" + "x" * 500
        rebuff, text = self.refused(error=hostile, error_description="call 0900 1234")

        self.assertEqual((rebuff, text), (Rebuff.DENIED, f"it answers with the error {hostile[:40]!r}"))

    def test_later(self) -> None:
        """A provider that can not do it now is unavailable."""
        self.assertEqual(self.refused(error="temporarily_unavailable")[0], Rebuff.UNAVAILABLE)

    def test_row_26_huge_code(self) -> None:
        """A code has an end."""
        self.assertEqual(self.refused(code="c" * 5000), (Rebuff.INVALID, "its answer has no good code"))

    def test_token_endpoint_down(self) -> None:
        """A token endpoint that fails is unavailable."""
        self.provider.answers[f"{OP}/token"] = Heard(status=502)

        self.assertEqual(self.refused(), (Rebuff.UNAVAILABLE, "its token endpoint answers with status 502"))

    def test_token_endpoint_redirects(self) -> None:
        """A code is not carried elsewhere."""
        self.provider.answers[f"{OP}/token"] = Heard(status=302)

        self.assertEqual(self.refused()[0], Rebuff.INVALID)

    def test_token_endpoint_talks_nonsense(self) -> None:
        """What is no JSON is no answer."""
        self.provider.answers[f"{OP}/token"] = Heard(status=200, content=b"<html>")

        self.assertEqual(self.refused()[0], Rebuff.UNAVAILABLE)
