"""What of an answer is believed: what was signed by whom the metadata name, and nothing beside it."""

from attrs import evolve
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._saml2_response import read_logout, read_response
from konnectd.authorities._saml2_signature import Trusted
from konnectd.protocol.saml2 import Attribute, NameId, SamlError, SamlFault
from konnectd.protocol.saml2_logout import LogoutAnswer, LogoutQuestion
from tests.support import saml_wrapping
from tests.support.fakes import NOON
from tests.support.saml_believed import TRUSTED, believed, fault
from tests.support.saml_provider import (
    NAMES,
    TRANSIENT,
    Says,
    answer,
    assertion_of,
    logout_request_of,
    logout_response_of,
    response_of,
    saml_key,
    sign,
)

DENIED = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/>'


class SignedTests(SynchronousTestCase):
    """An identity provider signs the whole, or the part that counts, or both."""

    def test_values(self) -> None:
        """What it says is read."""
        found = believed(answer())

        self.assertEqual(found.name_id, NameId(value="t-4711", format=TRANSIENT))
        self.assertEqual(found.attributes, (Attribute(name="uid", values=("alice",)),))
        self.assertEqual(found.statements[0].session_index, "s-1")
        self.assertEqual((found.not_before, found.not_on_or_after), (NOON - 30, NOON + 300))

    def test_each_way(self) -> None:
        """One signature is enough, wherever it is, and so are two."""
        for whole, part in ((False, True), (True, False), (True, True)):
            self.assertEqual(read_response(answer(whole=whole, part=part), TRUSTED, NOON).signed, whole)

    def test_algorithms(self) -> None:
        """Keys on curves sign as well, and so does RSA with longer digests, or with a salt."""
        curve = saml_key("ES256")
        cases = (
            (saml_key(), SignatureMethod.RSA_SHA512, DigestAlgorithm.SHA512),
            (saml_key(), SignatureMethod.SHA256_RSA_MGF1, DigestAlgorithm.SHA256),
            (curve, SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA384),
        )
        for key, method, digest in cases:
            signed = response_of(Says(), sign(assertion_of(Says()), key, method=method, digest=digest)).encode()
            self.assertIsNone(fault(signed, Trusted(certificates=(key.certificate,))), method)

    def test_any_certificate(self) -> None:
        """Any certificate of the metadata will do, as there are two while a key is changed."""
        trusted = Trusted(certificates=(saml_key("PS256", 12).certificate, saml_key().certificate))

        self.assertIsNone(fault(answer(), trusted))

    def test_refusal(self) -> None:
        """An answer that says no need not be signed, and has no assertion even if there is one."""
        found = read_response(answer(Says(status=DENIED), part=False), TRUSTED, NOON)

        self.assertEqual((found.assertion, len(found.statuses)), (None, 1))


class UnsignedTests(SynchronousTestCase):
    """What does not count as signed."""

    def test_not_at_all(self) -> None:
        """An answer without any signature is refused."""
        self.assertEqual(fault(answer(part=False)), SamlFault.UNSIGNED)

    def test_by_another(self) -> None:
        """One that brings the certificate of whoever has made it is refused."""
        self.assertEqual(fault(answer(key=saml_key("PS256", 12))), SamlFault.SIGNATURE)

    def test_by_nobody(self) -> None:
        """Without certificates nothing is believed."""
        self.assertEqual(fault(answer(), Trusted(certificates=())), SamlFault.SIGNATURE)

    def test_changed(self) -> None:
        """One that was changed afterwards is refused, inside and outside."""
        self.assertEqual(fault(answer().replace(b"alice", b"mallo")), SamlFault.SIGNATURE)
        self.assertEqual(fault(answer(whole=True, part=False).replace(b"alice", b"mallo")), SamlFault.SIGNATURE)

    def test_one_of_two(self) -> None:
        """Where both are signed, both have to be right."""
        inner = sign(assertion_of(Says()), saml_key("PS256", 12))

        self.assertEqual(fault(sign(response_of(Says(), inner)).encode()), SamlFault.SIGNATURE)

    def test_only_outside_wrong(self) -> None:
        """A wrong signature outside is not made good by one inside."""
        signed = answer(whole=True).replace(b'InResponseTo="id-0123456789"', b'InResponseTo="id-0000000000"', 1)

        self.assertEqual(fault(signed), SamlFault.SIGNATURE)

    def test_removed(self) -> None:
        """Taking the signature out leaves nothing."""
        root = etree.fromstring(answer())
        for signature in list(root.iter(f"{{{NAMES['ds']}}}Signature")):
            parent = signature.getparent()
            if parent is not None:
                parent.remove(signature)

        self.assertEqual(fault(etree.tostring(root)), SamlFault.UNSIGNED)

    def test_expired_certificate(self) -> None:
        """A certificate that is out of date signs nothing, and one that is not yet good neither."""
        for begins, ends in ((-20, -1), (1, 20)):
            key = saml_key("PS256", 11, begins, ends)
            self.assertEqual(fault(answer(key=key), Trusted(certificates=(key.certificate,))), SamlFault.CERTIFICATE)

    def test_sha1(self) -> None:
        """SHA-1 counts nowhere, unless the operator says so."""
        cases = (
            (SignatureMethod.RSA_SHA1, DigestAlgorithm.SHA256),
            (SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA1),
        )
        for method, digest in cases:
            signed = response_of(Says(), sign(assertion_of(Says()), method=method, digest=digest)).encode()
            self.assertEqual(fault(signed), SamlFault.ALGORITHM, method)
            self.assertIsNone(fault(signed, evolve(TRUSTED, sha1=True)), method)

    def test_secret_instead_of_key(self) -> None:
        """A signature with a secret, for which everybody could take our public certificate, is refused."""
        forged = answer().replace(
            b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", b"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
        )

        self.assertEqual(fault(forged), SamlFault.ALGORITHM)

    def test_other_transforms(self) -> None:
        """What could leave parts out of the signature is refused before anything is computed."""
        for algorithm in (
            b"http://www.w3.org/TR/1999/REC-xpath-19991116",
            b"http://www.w3.org/TR/1999/REC-xslt-19991116",
            b"http://www.w3.org/2002/06/xmldsig-filter2",
            b"http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        ):
            forged = answer().replace(
                b'Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"', b'Algorithm="%s"' % algorithm
            )
            self.assertEqual(fault(forged), SamlFault.ALGORITHM, algorithm)

    def test_reference_to_everything(self) -> None:
        """A reference to no id, which means the whole document, or to somewhere else, is refused."""
        for uri in (b'URI=""', b'URI="#r1"', b'URI="https://idp.example.net/a"', b'URI="#xpointer(/)"'):
            self.assertEqual(fault(answer().replace(b'URI="#a1"', uri)), SamlFault.SIGNATURE_PLACE, uri)

    def test_two_references(self) -> None:
        """A signature over several things is refused."""
        root = etree.fromstring(answer())
        reference = next(root.iter(f"{{{NAMES['ds']}}}Reference"))
        reference.addnext(etree.fromstring(etree.tostring(reference)))

        self.assertEqual(fault(etree.tostring(root)), SamlFault.SIGNATURE_PLACE)

    def test_two_signatures(self) -> None:
        """An assertion with two signatures is refused."""
        root = etree.fromstring(answer())
        signature = next(root.iter(f"{{{NAMES['ds']}}}Signature"))
        signature.addnext(etree.fromstring(etree.tostring(signature)))

        self.assertEqual(fault(etree.tostring(root)), SamlFault.SIGNATURE_PLACE)


class WrappedTests(SynchronousTestCase):
    """Somebody has a good answer for herself and builds another one around it."""

    def test_xsw1(self) -> None:
        """The signed answer in the signature of another one."""
        self.refused(saml_wrapping.wrap_1, whole=True)

    def test_xsw2(self) -> None:
        """The signed answer before the signature of another one."""
        self.refused(saml_wrapping.wrap_2, whole=True)

    def test_xsw3(self) -> None:
        """Another assertion before the signed one."""
        self.refused(saml_wrapping.wrap_3)

    def test_xsw4(self) -> None:
        """The signed assertion in another one."""
        self.refused(saml_wrapping.wrap_4)

    def test_xsw5(self) -> None:
        """The signature in another assertion, the signed one at the end."""
        self.refused(saml_wrapping.wrap_5)

    def test_xsw6(self) -> None:
        """The signature in another assertion, the signed one in the signature."""
        self.refused(saml_wrapping.wrap_6)

    def test_xsw7(self) -> None:
        """Another assertion in extensions."""
        self.refused(saml_wrapping.wrap_7)

    def test_xsw8(self) -> None:
        """The signature in another assertion, the signed one in an object of it."""
        self.refused(saml_wrapping.wrap_8)

    def test_same_id(self) -> None:
        """A second assertion with the id of the signed one."""
        forged = answer().replace(
            b"<saml:Assertion", assertion_of(Says(name_id="mallory")).encode() + b"<saml:Assertion", 1
        )

        self.assertEqual(fault(forged), SamlFault.SIGNATURE_PLACE)

    def test_two_good_ones(self) -> None:
        """Two assertions, both signed: which one counts must not be a matter of taste."""
        both = [sign(assertion_of(Says(assertion_id=name))) for name in ("a1", "a2")]

        self.assertEqual(fault(response_of(Says(), *both).encode()), SamlFault.ASSERTIONS)

    def refused(self, wrap: saml_wrapping.Wrap, *, whole: bool = False) -> None:
        """Expect that a wrapped answer is refused, although the one in it is good."""
        good = answer(whole=whole, part=not whole)
        self.assertIsNone(fault(good))

        found = fault(wrap(good))

        self.assertIn(found, {SamlFault.SIGNATURE_PLACE, SamlFault.ASSERTIONS, SamlFault.SIGNATURE})


class LogoutTests(SynchronousTestCase):
    """Messages about the end of a session."""

    def test_question(self) -> None:
        """A demand names sessions."""
        found = read_logout(logout_request_of(indexes=("s-1", "s-2")), signed=True)

        self.assertIsInstance(found, LogoutQuestion)
        self.assertEqual(getattr(found, "session_indexes", None), ("s-1", "s-2"))

    def test_answer(self) -> None:
        """An answer has a status, and what is inside of it."""
        inner = '<samlp:StatusCode Value="a"><samlp:StatusCode Value="b"/></samlp:StatusCode>'
        found = read_logout(logout_response_of(Says(status=inner)), signed=False)

        self.assertIsInstance(found, LogoutAnswer)
        self.assertEqual(getattr(found, "statuses", None), ("a", "b"))

    def test_another(self) -> None:
        """Anything else is refused."""
        with self.assertRaises(SamlError) as caught:
            read_logout(answer(), signed=True)

        self.assertEqual(caught.exception.fault, SamlFault.UNEXPECTED)
