"""Row 15: answers of SAML identity providers that others believed. Each test sees that one check is there."""

from cryptography.hazmat.primitives.asymmetric import rsa

from konnectd.authorities._saml2_response import read_response
from konnectd.authority import AuthorityError
from konnectd.protocol.saml2 import SamlError
from tests.support.fakes import NOON, run
from tests.support.saml_believed import TRUSTED
from tests.support.saml_case import SamlCase, brought
from tests.support.saml_encryption import CBC, Way, encrypt
from tests.support.saml_provider import (
    Says,
    answer,
    assertion_of,
    logout_request_of,
    response_of,
    saml_key,
    sign,
)


class Row15Tests(SamlCase):
    """Who is believed to be there."""

    def read(self, document: bytes | str) -> str:
        """Return who an answer says is there, or why it is not read."""
        key = saml_key().key
        written = document.encode() if isinstance(document, str) else document
        try:
            found = read_response(written, TRUSTED, NOON, key if isinstance(key, rsa.RSAPrivateKey) else None).assertion
        except SamlError as error:
            return error.fault.value
        return found.attributes[0].values[0] if found else ""

    def who(self, **changes: object) -> str:
        """Return who is signed in by an answer, or why nobody is."""
        try:
            return self.signed_in(**changes).name
        except AuthorityError as error:
            return str(error)

    def test_row_15_unsigned(self) -> None:
        """An assertion that nobody signed."""
        self.assertEqual(self.read(answer(part=False)), "unsigned")

    def test_row_15_two(self) -> None:
        """Two assertions, of which one is looked at and the other one read."""
        both = [sign(assertion_of(Says(assertion_id=name))) for name in ("a1", "a2")]

        self.assertEqual(self.read(response_of(Says(), *both)), "not_exactly_one_assertion")

    def test_row_15_other_place(self) -> None:
        """A signature that is for something else than what it stands in."""
        self.assertEqual(self.read(answer().replace(b'URI="#a1"', b'URI=""')), "signature_in_a_wrong_place")

    def test_row_15_comment(self) -> None:
        """A comment that cuts a name in two."""
        self.assertEqual(self.read(answer().replace(b"alice", b"al<!-- -->ice")), "comment")

    def test_row_15_document_type(self) -> None:
        """Entities."""
        document = b'<!DOCTYPE x [<!ENTITY e "alice">]>' + answer(part=False).replace(b"alice", b"&e;")

        self.assertEqual(self.read(document), "document_type")

    def test_row_15_sha1(self) -> None:
        """A digest that two documents can have."""
        old = b"http://www.w3.org/2000/09/xmldsig#rsa-sha1"
        forged = answer().replace(b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", old)

        self.assertEqual(self.read(forged), "forbidden_algorithm")

    def test_row_15_padding(self) -> None:
        """A cipher text that can be asked about its content."""
        written = response_of(Says(), encrypt(sign(assertion_of(Says())), saml_key(), Way(content=CBC)))

        self.assertEqual(self.read(written), "encrypted_assertion")

    def test_row_15_audience(self) -> None:
        """An assertion for another service."""
        self.assertEqual(self.who(audience="https://other"), "wrong_audience")

    def test_row_15_recipient(self) -> None:
        """One that was to be shown somewhere else."""
        self.assertEqual(self.who(recipient="https://other"), "not_confirmed_for_us")

    def test_row_15_request(self) -> None:
        """One to another request, in an answer that says something else."""
        self.assertEqual(self.who(confirmed_in_response_to="id-other"), "not_confirmed_for_us")

    def test_row_15_twice(self) -> None:
        """One that was shown before."""
        departure = self.depart()
        document = answer(self.says(departure))
        self.arrive(departure, document)

        self.assertRaises(AuthorityError, self.arrive, departure, document)

    def test_row_15_demand(self) -> None:
        """A demand to sign somebody out that anybody could have written."""
        run(self.authority.check())

        self.assertFalse(run(self.authority.demanded(brought("SAMLRequest", logout_request_of()))).certain)
