"""Proof Key for Code Exchange: no way down to less protection."""

from base64 import urlsafe_b64encode
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol import pkce
from konnectd.protocol.errors import OAuthError
from tests.support.requests import CHALLENGE, VERIFIER


class ChallengeTests(SynchronousTestCase):
    """What an authorization request may carry."""

    def test_accepted(self) -> None:
        """A challenge by S256 is taken; a client that keeps a secret may do without."""
        self.assertEqual(pkce.parse_challenge(CHALLENGE, "S256", required=True), CHALLENGE)
        self.assertEqual(pkce.parse_challenge(CHALLENGE, "S256", required=False), CHALLENGE)
        self.assertEqual(pkce.parse_challenge(None, None, required=False), "")

    def test_refused(self) -> None:
        """No other method, no method without a challenge, no challenge without its method, and no other form."""
        cases = (
            (None, None, True),
            (None, "S256", False),
            (None, "S256", True),
            (CHALLENGE, None, False),
            (CHALLENGE, "plain", False),
            (CHALLENGE, "s256", False),
            (CHALLENGE, "S512", False),
            (VERIFIER, "plain", True),
            (CHALLENGE + "=", "S256", False),
            (CHALLENGE[:-1], "S256", False),
            (CHALLENGE + "A", "S256", False),
            (CHALLENGE[:-1] + "+", "S256", False),
            (CHALLENGE[:-1] + "\u00e9", "S256", False),
            (CHALLENGE + "\n", "S256", False),
        )
        for challenge, method, required in cases:
            with self.assertRaises(OAuthError, msg=f"{challenge} {method}") as caught:
                pkce.parse_challenge(challenge, method, required=required)

            self.assertEqual(caught.exception.code, "invalid_request")


class VerifierTests(SynchronousTestCase):
    """What a token request has to prove."""

    def test_example_of_the_specification(self) -> None:
        """The pair of RFC 7636 belongs together, and a client that never used PKCE needs none."""
        pkce.check_verifier(CHALLENGE, VERIFIER)
        pkce.check_verifier("", None)

    def test_downgrades(self) -> None:
        """Leaving out either half, sending another half, or the challenge itself, is refused."""
        cases = {
            (CHALLENGE, None): "invalid_grant",
            ("", VERIFIER): "invalid_grant",
            (CHALLENGE, VERIFIER[:-1] + "l"): "invalid_grant",
            (CHALLENGE, CHALLENGE): "invalid_grant",
            (CHALLENGE, ""): "invalid_request",
            (CHALLENGE, "short"): "invalid_request",
            (CHALLENGE, VERIFIER[:42]): "invalid_request",
            (CHALLENGE, "v" * 129): "invalid_request",
            (CHALLENGE, VERIFIER + "="): "invalid_request",
            (CHALLENGE, VERIFIER + " "): "invalid_request",
            (CHALLENGE, VERIFIER + "\n"): "invalid_request",
            (CHALLENGE, VERIFIER[:-1] + "\u00e9"): "invalid_request",
        }
        for (challenge, verifier), code in cases.items():
            with self.assertRaises(OAuthError, msg=f"{challenge} {verifier}") as caught:
                pkce.check_verifier(challenge, verifier)

            self.assertEqual(caught.exception.code, code, verifier)

    @settings(deadline=None)
    @given(st.text("abcXYZ019-._~", min_size=43, max_size=128), st.text("abcXYZ019-._~", min_size=43, max_size=128))
    def test_only_its_own(self, verifier: str, other: str) -> None:
        """A challenge is met by the verifier it was made from and by no other."""
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        pkce.check_verifier(pkce.parse_challenge(challenge, "S256", required=True), verifier)

        if other != verifier:
            self.assertRaises(OAuthError, pkce.check_verifier, challenge, other)
