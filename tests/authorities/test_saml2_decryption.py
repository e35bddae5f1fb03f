"""Assertions that are encrypted for us, and what somebody may try with them."""

import re

from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._saml2_response import read_response
from konnectd.protocol.saml2 import SamlError
from tests.support.fakes import NOON
from tests.support.saml_believed import TRUSTED
from tests.support.saml_encryption import CBC, ENC, ENC11, GCM, OAEP, Way, encrypt
from tests.support.saml_provider import Says, assertion_of, response_of, saml_key, sign

OURS = saml_key("PS256", 15)
CONTENT_ENDS = "(</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>)"


class DecryptionTests(SynchronousTestCase):
    """Opening them."""

    def outcome(self, document: str, *, key: bool = True) -> str:
        """Return who is believed to be there, or why nobody is."""
        decrypting = OURS.key if key and isinstance(OURS.key, rsa.RSAPrivateKey) else None
        try:
            found = read_response(document.encode(), TRUSTED, NOON, decrypting).assertion
        except SamlError as error:
            return str(error)
        return found.attributes[0].values[0] if found else ""

    def answer(self, inner: str, way: Way | None = None, *, whole: bool = True) -> str:
        """Write an answer with an encrypted assertion."""
        written = response_of(Says(), encrypt(inner, OURS, way))
        return sign(written) if whole else written

    def test_each_way(self) -> None:
        """All that is good is opened, with the key inside or beside."""
        ways = (
            Way(),
            Way(content=CBC),
            Way(content=f"{ENC}aes256-cbc", beside=True),
            Way(content=f"{ENC11}aes128-gcm", key=OAEP, sha256=True),
        )
        for way in ways:
            self.assertEqual(self.outcome(self.answer(assertion_of(Says()), way)), "alice", way)

    def test_signed_inside(self) -> None:
        """Where a change would be noticed, a signature inside is enough."""
        self.assertEqual(self.outcome(self.answer(sign(assertion_of(Says())), whole=False)), "alice")

    def test_signed_nowhere(self) -> None:
        """Everybody can encrypt for us: without a signature nothing is believed."""
        self.assertEqual(self.outcome(self.answer(assertion_of(Says()), whole=False)), "unsigned")

    def test_asked_about_itself(self) -> None:
        """With a cipher that notices no change, nothing is opened that is not signed as a whole."""
        written = self.answer(sign(assertion_of(Says())), Way(content=CBC), whole=False)

        self.assertIn("CBC", self.outcome(written))

    def test_no_key(self) -> None:
        """Without a key the operator is told what is missing."""
        written = self.answer(assertion_of(Says()))

        self.assertEqual(self.outcome(written, key=False), "encrypted_assertion (encryption_key is not set)")

    def test_for_another(self) -> None:
        """One that is for somebody else is not opened."""
        written = sign(response_of(Says(), encrypt(assertion_of(Says()), saml_key())))

        self.assertEqual(self.outcome(written), "encrypted_assertion (for another key)")

    def test_changed(self) -> None:
        """A change is noticed."""
        whole = response_of(Says(), encrypt("1234", OURS))  # of 32 bytes, so that one can be added
        changed = re.sub(f"={CONTENT_ENDS}", r"A\1", whole)

        self.assertNotEqual(changed, whole)
        self.assertEqual(self.outcome(sign(changed)), "encrypted_assertion (changed)")

    def test_something_else(self) -> None:
        """What is in it is an assertion, and one."""
        cases = {
            "<x/>": "encrypted_assertion (something else in it)",
            "x": "malformed (no well-formed XML)",
            "<!DOCTYPE x><x/>": "document_type",
            assertion_of(Says()).replace("alice", "ali<!-- -->ce"): "comment",
            assertion_of(Says()).replace("<saml:Subject>", f"{assertion_of(Says(assertion_id='a2'))}<saml:Subject>"): (
                "not_exactly_one_assertion"
            ),
        }
        for inner, expected in cases.items():
            self.assertEqual(self.outcome(self.answer(inner)), expected, inner[:30])

    def test_two(self) -> None:
        """One that is encrypted beside one that is not is one too many."""
        both = f"{encrypt(assertion_of(Says()), OURS)}{sign(assertion_of(Says()))}"

        self.assertEqual(self.outcome(sign(response_of(Says(), both))), "not_exactly_one_assertion")

    def test_ciphers(self) -> None:
        """What is broken, or unknown, is refused before the key is used."""
        cases = ((GCM, f"{ENC}tripledes-cbc"), (f"{ENC}rsa-oaep-mgf1p", f"{ENC}rsa-1_5"))
        for good, bad in cases:
            written = response_of(Says(), encrypt(assertion_of(Says()), OURS)).replace(good, bad)

            self.assertTrue(self.outcome(sign(written)).startswith("forbidden_algorithm"), bad)

    def test_size_of_the_key(self) -> None:
        """A key of another size than the cipher's is refused."""
        written = self.answer(assertion_of(Says()), Way(size=16))

        self.assertEqual(self.outcome(written), "encrypted_assertion (a key of another size)")

    def test_cut_off(self) -> None:
        """What is not all there is refused."""
        whole = response_of(Says(), encrypt(assertion_of(Says()), OURS))
        parts = {
            r"<xenc:EncryptedData.*</xenc:EncryptedData>": "not all is there",
            r"<ds:KeyInfo>.*</ds:KeyInfo>": "not exactly one key",
            r"<xenc:EncryptionMethod [^>]*gcm\"/>": "not all is there",
        }
        for part, expected in parts.items():
            self.assertEqual(self.outcome(sign(re.sub(part, "", whole))), f"encrypted_assertion ({expected})", part)

    def test_short(self) -> None:
        """Content that is shorter than any is refused, by either cipher."""
        for way in (Way(content=CBC), Way()):
            whole = response_of(Says(), encrypt(assertion_of(Says()), OURS, way))
            short = re.sub(f">[^<]*{CONTENT_ENDS}", r">AAAA\1", whole)

            self.assertEqual(self.outcome(sign(short)), "encrypted_assertion (cut off)")
