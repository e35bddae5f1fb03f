"""A SAML identity provider for tests: it says what it is told to, and signs what it is told to.

It writes XML by hand and shares nothing with the code under test but the library that makes signatures.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias
from urllib.parse import quote_plus
from xml.sax.saxutils import escape, quoteattr
from zlib import MAX_WBITS, compressobj

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from tests.support.fakes import NOON
from tests.support.keys import key_for

IDP = "https://idp.example.net/saml"
SP = "https://id.example.com/signin/v1/identifier/saml2/metadata"
ACS = "https://id.example.com/signin/v1/identifier/saml2/acs"
SLO = "https://id.example.com/signin/v1/identifier/_/saml2/slo"
SIGN_ON = "https://idp.example.net/sso"
LOGOUT = "https://idp.example.net/slo"
REQUEST_ID = "id-0123456789"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
NAMES = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
}
_DECLARED = " ".join(f'xmlns:{name}="{NAMES[name]}"' for name in ("samlp", "saml"))
_DAY = timedelta(days=1)

AnyKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def stamp(moment: int) -> str:
    """Write a time as SAML has it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@frozen
class SamlKey:
    """A key of an identity provider, with its certificate."""

    key: AnyKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def written(self) -> str:
        """The certificate as it stands in metadata."""
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode("ascii")


@cache
def saml_key(method: str = "PS256", number: int = 11, begins: int = -10, ends: int = 10, around: int = NOON) -> SamlKey:
    """Return a key, always the same, with a certificate that is good for some days around a moment."""
    key = key_for(method, number).key
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError(method)
    now = datetime.fromtimestamp(around, UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example.net")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(now + begins * _DAY)
        .not_valid_after(now + ends * _DAY)
        .sign(key, hashes.SHA256())
    )
    return SamlKey(key, certificate)


@frozen(kw_only=True)
class Says:
    """What an identity provider says; as it stands, everything is right."""

    now: int = NOON
    issuer: str = IDP
    response_issuer: str = IDP
    response_id: str = "r1"
    assertion_id: str = "a1"
    destination: str = ACS
    recipient: str = ACS
    in_response_to: str = REQUEST_ID
    confirmed_in_response_to: str = REQUEST_ID
    audience: str = SP
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    name_id: str = "t-4711"
    name_id_format: str = TRANSIENT
    session_index: str = "s-1"
    attributes: tuple[tuple[str, str], ...] = (("uid", "alice"),)
    confirmed_until: int = NOON + 300
    not_before: int = NOON - 30
    not_on_or_after: int = NOON + 300
    session_ends: int | None = None
    known_since: int | None = None
    status: str = f'<samlp:StatusCode Value="{SUCCESS}"/>'


def assertion_of(says: Says) -> str:
    """Write an assertion."""
    attributes = "".join(
        f'<saml:Attribute Name={quoteattr(name)} NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">'
        f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue></saml:Attribute>"
        for name, value in says.attributes
    )
    since = stamp(says.known_since or says.now)
    ends = "" if says.session_ends is None else f' SessionNotOnOrAfter="{stamp(says.session_ends)}"'
    return (
        f'<saml:Assertion {_DECLARED} ID="{says.assertion_id}" Version="2.0" IssueInstant="{stamp(says.now)}">'
        f"<saml:Issuer>{says.issuer}</saml:Issuer>"
        f'<saml:Subject><saml:NameID Format="{says.name_id_format}">{says.name_id}</saml:NameID>'
        f'<saml:SubjectConfirmation Method="{says.method}">'
        f'<saml:SubjectConfirmationData InResponseTo="{says.confirmed_in_response_to}" Recipient="{says.recipient}" '
        f'NotOnOrAfter="{stamp(says.confirmed_until)}"/></saml:SubjectConfirmation></saml:Subject>'
        f'<saml:Conditions NotBefore="{stamp(says.not_before)}" NotOnOrAfter="{stamp(says.not_on_or_after)}">'
        f"<saml:AudienceRestriction><saml:Audience>{says.audience}</saml:Audience></saml:AudienceRestriction>"
        "</saml:Conditions>"
        f'<saml:AuthnStatement AuthnInstant="{since}" SessionIndex="{says.session_index}"{ends}>'
        "<saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
        "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
        f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"
    )


def response_of(says: Says, *content: str) -> str:
    """Write a response around what there is."""
    return (
        f'<samlp:Response {_DECLARED} ID="{says.response_id}" Version="2.0" IssueInstant="{stamp(says.now)}" '
        f'Destination="{says.destination}" InResponseTo="{says.in_response_to}">'
        f"<saml:Issuer>{says.response_issuer}</saml:Issuer><samlp:Status>{says.status}</samlp:Status>"
        f"{''.join(content)}</samlp:Response>"
    )


def sign(
    document: str,
    key: SamlKey | None = None,
    *,
    method: SignatureMethod = SignatureMethod.RSA_SHA256,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
) -> str:
    """Sign an element as a whole."""
    key = key or saml_key()
    root = etree.fromstring(document)
    issuer = root.find("saml:Issuer", NAMES)
    if issuer is not None:
        issuer.addnext(etree.Element(f"{{{NAMES['ds']}}}Signature", {"Id": "placeholder"}))
    signer = _AnySigner(
        signature_algorithm=method,
        digest_algorithm=digest,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    done = signer.sign(root, key=key.key, cert=[key.certificate], reference_uri=root.get("ID"))
    return etree.tostring(done, encoding="unicode")


class _AnySigner(XMLSigner):
    """Signs with what is broken, too."""

    def check_deprecated_methods(self) -> None:
        """Let everything pass."""


def answer(says: Says | None = None, key: SamlKey | None = None, *, whole: bool = False, part: bool = True) -> bytes:
    """Write a response with one assertion.

    Args:
        says: what it says.
        key: signs it.
        whole: whether the response is signed.
        part: whether the assertion is.
    """
    says = says or Says()
    inner = assertion_of(says)
    outer = response_of(says, sign(inner, key) if part else inner)
    return (sign(outer, key) if whole else outer).encode()


def metadata_of(
    *keys: SamlKey,
    entity_id: str = IDP,
    sign_on: str = SIGN_ON,
    post: str = "",
    logout: str = LOGOUT,
    use: str = ' use="signing"',
    attributes: str = "",
) -> str:
    """Write the metadata of an identity provider."""
    descriptors = "".join(
        f"<md:KeyDescriptor{use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{key.written}</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for key in (keys or (saml_key(),))
    )
    binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-"
    services = "".join(
        f'<md:{name} Binding="{binding}{way}" Location="{location}"/>'
        for name, way, location in (
            ("SingleLogoutService", "Redirect", logout),
            ("SingleSignOnService", "Redirect", sign_on),
            ("SingleSignOnService", "POST", post),
        )
        if location
    )
    return (
        f'<md:EntityDescriptor xmlns:md="{NAMES["md"]}" xmlns:ds="{NAMES["ds"]}" entityID="{entity_id}"{attributes}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{NAMES["samlp"]}">{descriptors}{services}'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )


def logout_request_of(
    says: Says | None = None, *, request_id: str = "lr1", destination: str = SLO, indexes: tuple[str, ...] = ("s-1",)
) -> bytes:
    """Write a demand that a session is ended."""
    says = says or Says()
    sessions = "".join(f"<samlp:SessionIndex>{index}</samlp:SessionIndex>" for index in indexes)
    return (
        f'<samlp:LogoutRequest {_DECLARED} ID="{request_id}" Version="2.0" IssueInstant="{stamp(says.now)}" '
        f'Destination="{destination}"><saml:Issuer>{says.issuer}</saml:Issuer>'
        f'<saml:NameID Format="{says.name_id_format}">{says.name_id}</saml:NameID>{sessions}</samlp:LogoutRequest>'
    ).encode()


def logout_response_of(says: Says | None = None, *, destination: str = SLO) -> bytes:
    """Write that a session is over."""
    says = says or Says()
    return (
        f'<samlp:LogoutResponse {_DECLARED} ID="la1" Version="2.0" IssueInstant="{stamp(says.now)}" '
        f'Destination="{destination}" InResponseTo="{says.in_response_to}"><saml:Issuer>{says.issuer}</saml:Issuer>'
        f"<samlp:Status>{says.status}</samlp:Status></samlp:LogoutResponse>"
    ).encode()


def deflate(document: bytes) -> bytes:
    """Pack a message for an address."""
    packer = compressobj(wbits=-MAX_WBITS)
    return packer.compress(document) + packer.flush()


def query_of(
    name: str,
    document: bytes,
    key: SamlKey | None = None,
    *,
    relay_state: str = "",
    algorithm: str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
) -> str:
    """Write the query that brings a message, signed or not; blanks and signs are escaped as forms have it."""
    parts: Mapping[str, str] = {
        name: base64.b64encode(deflate(document)).decode("ascii"),
        **({"RelayState": relay_state} if relay_state else {}),
        **({} if key is None else {"SigAlg": algorithm}),
    }
    query = "&".join(f"{each}={quote_plus(value)}" for each, value in parts.items())
    if key is None:
        return query
    return f"{query}&Signature={quote_plus(base64.b64encode(signature_over(query.encode(), key, algorithm)))}"


def signature_over(message: bytes, key: SamlKey, algorithm: str) -> bytes:
    """Sign a query."""
    method: hashes.HashAlgorithm = hashes.SHA1() if algorithm.endswith("sha1") else hashes.SHA256()  # noqa: S303
    if isinstance(key.key, rsa.RSAPrivateKey):
        return key.key.sign(message, padding.PKCS1v15(), method)
    numbers = decode_dss_signature(key.key.sign(message, ec.ECDSA(method)))
    size = (key.key.key_size + 7) // 8
    return b"".join(number.to_bytes(size, "big") for number in numbers)
