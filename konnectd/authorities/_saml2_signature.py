"""Signatures in XML: what of a document was signed by an identity provider.

The one rule is: what comes out of here is what was signed, and nothing else of the document is looked at any more. A
signature stands directly in what it signs, and signs all of it; keys come from the metadata, never from the message.

Spec: SAML 2.0 Core 5.4; XML Signature 2nd edition.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import frozen
from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from konnectd.authorities import _saml2_xml as xml
from konnectd.protocol.saml2 import SamlError, SamlFault

_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_OLD_METHODS = frozenset({SignatureMethod.RSA_SHA1})
_OLD_DIGESTS = frozenset({DigestAlgorithm.SHA1})
#: All that may be done to what is signed before it is. Anything else could leave parts of it out.
_TRANSFORMS = frozenset(
    {
        f"{xml.SIGNATURE}enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
    }
)


@frozen(kw_only=True)
class Trusted:
    """Whose signatures count.

    Attributes:
        certificates: of an identity provider, from its metadata.
        sha1: whether RSA with SHA-1 will do, which has been broken for years.
    """

    certificates: Sequence[x509.Certificate]
    sha1: bool = False


def is_good(certificate: x509.Certificate, now: int) -> bool:
    """Tell whether a certificate is good at a time."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begins.timestamp() <= now <= ends.timestamp()


def signed_part(element: etree._Element, trusted: Trusted, now: int) -> etree._Element | None:
    """Return an element as it was signed; None when there is no signature directly in it.

    Args:
        element: what may have been signed.
        trusted: by whom.
        now: seconds since the epoch; a certificate has to be good at that time.

    Raises:
        SamlError: there is a signature, and it does not count.
    """
    signatures = list(xml.children(element, xml.signature("Signature")))
    if not signatures:
        return None
    if len(signatures) > 1:
        raise SamlError(SamlFault.SIGNATURE_PLACE)
    own_id = xml.identifier(element)
    _check_reference(signatures[0], own_id, trusted)
    # A copy that has nothing around it: a reference can lead to nothing but what is in here.
    alone = etree.tostring(element, with_tail=False)
    part = _verified(alone, trusted, now)
    if part.tag != element.tag or part.get("ID") != own_id:
        raise SamlError(SamlFault.SIGNATURE_PLACE)
    return part


def _check_reference(found: etree._Element, own_id: str, trusted: Trusted) -> None:
    """Check that a signature is for the element it stands in, by means that we know.

    Raises:
        SamlError: it is not.

    Spec: SAML 2.0 Core 5.4.2 (one reference, to the id of the element) and 5.4.4 (transforms).
    """
    references = list(found.iter(xml.signature("Reference")))
    if len(references) != 1 or references[0].get("URI") != f"#{own_id}":
        raise SamlError(SamlFault.SIGNATURE_PLACE)
    transforms = [transform.get("Algorithm") for transform in found.iter(xml.signature("Transform"))]
    methods = [method.get("Algorithm") for method in found.iter(xml.signature("CanonicalizationMethod"))]
    if not {*transforms, *methods} <= _TRANSFORMS or f"{xml.SIGNATURE}enveloped-signature" not in transforms:
        raise SamlError(SamlFault.ALGORITHM)
    signing = {method.get("Algorithm") for method in found.iter(xml.signature("SignatureMethod"))}
    digests = {method.get("Algorithm") for method in found.iter(xml.signature("DigestMethod"))}
    if not signing <= {method.value for method in _methods(trusted)}:
        raise SamlError(SamlFault.ALGORITHM)
    if not digests <= {digest.value for digest in _digests(trusted)}:
        raise SamlError(SamlFault.ALGORITHM)


def _methods(trusted: Trusted) -> frozenset[SignatureMethod]:
    """Return by which methods may be signed."""
    return _METHODS | _OLD_METHODS if trusted.sha1 else _METHODS


def _digests(trusted: Trusted) -> frozenset[DigestAlgorithm]:
    """Return what digests may be made by."""
    return _DIGESTS | _OLD_DIGESTS if trusted.sha1 else _DIGESTS


def _verified(document: bytes, trusted: Trusted, now: int) -> etree._Element:
    """Return what one of the certificates has signed.

    Raises:
        SamlError: none of them has.
    """
    config = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=_methods(trusted),
        digest_algorithms=_digests(trusted),
        # What the message says of its key is of no interest.
        ignore_ambiguous_key_info=True,
        verification_time=datetime.fromtimestamp(now, UTC),
    )
    fault = SamlFault.SIGNATURE
    for certificate in trusted.certificates:
        try:
            result = XMLVerifier().verify(document, x509_cert=certificate, id_attribute="ID", expect_config=config)
        except InvalidCertificate:
            fault = SamlFault.CERTIFICATE
            continue
        except (SignXMLException, etree.LxmlError, ValueError, KeyError, TypeError, AttributeError):
            # The library has no one error for what is malformed.
            continue
        if isinstance(result, VerifyResult) and result.signed_xml is not None:
            return result.signed_xml
    raise SamlError(fault)
