"""Tests of secrets that are kept nowhere."""

from base64 import urlsafe_b64encode

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.client_secret import SECRET_BYTES, SecretDigest
from konnectd.protocol.vocabulary import AuthMethod

SECRET = urlsafe_b64encode(bytes(range(SECRET_BYTES))).rstrip(b"=").decode()
#: What Konnect makes of this secret for a client named "My App".
DIGEST = "1VBwbzocmO5N6QSinuypI_ow_CEDpxfUZEJRougVX8UdOCjIJvra7Vto6PSEe9Qx0FJ5raK8RhnMlsrTiyNhEw"
CLIENT = Client(client_id="dyn.x", secret_digest=SecretDigest("My App", DIGEST), dynamic=True)


class DigestTests(SynchronousTestCase):
    """Konnect's algorithm."""

    def test_vector(self) -> None:
        """Clients that registered at Konnect keep their secret."""
        self.assertEqual(SecretDigest.of(SECRET, "My App").digest, DIGEST)

    def test_accepts(self) -> None:
        """The secret is good, with the padding Konnect may have given it too, and nothing else is."""
        for secret, good in (
            (SECRET, True),
            (SECRET + "==", True),
            (SECRET[:-1] + "x", False),
            (SECRET[:-1], False),
            ("", False),
            ("é" * 86, False),
            ("A" * 86, False),
            (SECRET + "\n", False),
            ("\ud800" * 86, False),
        ):
            with self.subTest(secret=secret):
                self.assertIs(CLIENT.accepts_secret(secret), good)

    def test_one_spelling(self) -> None:
        """The last digit has four bits that mean nothing; a secret that differs in them is another text."""
        self.assertEqual(SECRET[-1], "w")

        self.assertFalse(CLIENT.accepts_secret(SECRET[:-1] + "x"))
        self.assertRaises(ValueError, SecretDigest.of, SECRET[:-1] + "x", "My App")

    def test_another_name(self) -> None:
        """A secret belongs to the name it was given to."""
        self.assertFalse(SecretDigest("Your App", DIGEST).accepts(SECRET))

    @settings(deadline=None, max_examples=100)
    @given(secret=st.text(max_size=90))
    def test_any_text(self, secret: str) -> None:
        """Whatever is sent for a secret is answered, and none but the secret is good."""
        self.assertIs(CLIENT.accepts_secret(secret), secret.rstrip("=") == SECRET)

    def test_not_shown(self) -> None:
        """No log shows the digest."""
        self.assertNotIn(DIGEST, repr(CLIENT))


class KindTests(SynchronousTestCase):
    """What a digest makes of a client."""

    def test_confidential(self) -> None:
        """A client whose secret is kept nowhere has one all the same."""
        self.assertFalse(CLIENT.public)
        self.assertTrue(CLIENT.accepts_method(AuthMethod.BASIC))
        self.assertFalse(CLIENT.accepts_method(AuthMethod.NONE))

    def test_public(self) -> None:
        """One without is public."""
        self.assertTrue(evolve(CLIENT, secret_digest=None).public)
