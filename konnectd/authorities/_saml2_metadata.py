"""What an identity provider says of itself, and what we say of us.

Spec: SAML 2.0 Metadata 2.3, 2.4.
"""

from collections.abc import Iterator

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from konnectd.authorities import _saml2_xml as xml
from konnectd.authorities._saml2_signature import Trusted, signed_part
from konnectd.protocol.saml2 import SamlError, SamlFault

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
#: Most elements in metadata: one provider has about fifty.
MOST_ELEMENTS = 20_000
#: Most certificates of one provider.
_MOST_CERTIFICATES = 16
#: How long what we say of ourselves may be kept, in seconds, as Konnect has it.
OUR_METADATA_SECONDS = 48 * 3600


@frozen(kw_only=True)
class IdentityProvider:
    """An identity provider, by its metadata.

    Attributes:
        sign_on: where its answers are asked for, by redirect; empty when it can not.
        sign_on_post: the same, by a form.
        logout: where it is asked to end a session; empty when it can not.
        logout_answer: where it hears that we have ended one.
        certificates: those it signs with.
        wants_signed: whether it demands that requests are.
        valid_until: when this is no longer true, in seconds since the epoch; None for never.
        cache_seconds: how long it may be kept before it is asked again; None when it does not say.
    """

    entity_id: str
    sign_on: str = ""
    sign_on_post: str = ""
    logout: str = ""
    logout_answer: str = ""
    certificates: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    wants_signed: bool = False
    valid_until: int | None = None
    cache_seconds: int | None = None


def read_metadata(document: bytes, *, entity_id: str = "", pin: Trusted | None = None, now: int) -> IdentityProvider:
    """Read the metadata of an identity provider, or find it in those of a federation.

    Args:
        document: what stands at their address.
        entity_id: whose they have to be; empty for the first identity provider that is in there, as Konnect has it.
        pin: who has to have signed them; None for anybody or nobody.
        now: seconds since the epoch.

    Raises:
        SamlError: they are malformed, of somebody else, not signed, out of date, or not enough to sign anybody in.
    """
    root = xml.parse(document, xml.LONGEST_METADATA, MOST_ELEMENTS)
    if pin is not None:
        signed = signed_part(root, pin, now)
        if signed is None:
            raise SamlError(SamlFault.UNSIGNED)
        root = signed
    if root.tag not in {xml.metadata("EntityDescriptor"), xml.metadata("EntitiesDescriptor")}:
        raise SamlError(SamlFault.MALFORMED, "no metadata")
    for entity, role in _identity_providers(root):
        if not entity_id or entity.get("entityID") == entity_id:
            found = _read(entity, role, (*_around(entity), entity, role))
            _check(found, now)
            return found
    raise SamlError(SamlFault.ISSUER, "no such identity provider in the metadata")


def _identity_providers(root: etree._Element) -> Iterator[tuple[etree._Element, etree._Element]]:
    """Yield entities that are identity providers, with what makes them one."""
    for entity in root.iter(xml.metadata("EntityDescriptor")):
        for role in xml.children(entity, xml.metadata("IDPSSODescriptor")):
            if xml.PROTOCOL in role.get("protocolSupportEnumeration", "").split():
                yield entity, role
                break


def _around(entity: etree._Element) -> Iterator[etree._Element]:
    """Yield what an entity is in."""
    return (outer for outer in entity.iterancestors())


def _read(entity: etree._Element, role: etree._Element, levels: tuple[etree._Element, ...]) -> IdentityProvider:
    """Read one entity; of the times on the way to it the earliest counts."""
    ends = [end for level in levels if (end := xml.moment(level, "validUntil")) is not None]
    caches = [length for level in levels if (length := xml.duration(level.get("cacheDuration"))) is not None]
    logout, answer = _endpoint(role, "SingleLogoutService", REDIRECT)
    return IdentityProvider(
        entity_id=entity.get("entityID", ""),
        sign_on=_endpoint(role, "SingleSignOnService", REDIRECT)[0],
        sign_on_post=_endpoint(role, "SingleSignOnService", POST)[0],
        logout=logout,
        logout_answer=answer or logout,
        certificates=tuple(_certificates(role)),
        wants_signed=role.get("WantAuthnRequestsSigned", "") in {"true", "1"},
        valid_until=min(ends, default=None),
        cache_seconds=min(caches, default=None),
    )


def _check(provider: IdentityProvider, now: int) -> None:
    """Check that somebody can sign in with it.

    Raises:
        SamlError: nobody can.
    """
    if provider.valid_until is not None and provider.valid_until <= now:
        raise SamlError(SamlFault.AGE, "the metadata are no longer valid")
    if not provider.entity_id or not (provider.sign_on or provider.sign_on_post):
        raise SamlError(SamlFault.MALFORMED, "no address to sign in at")
    if not provider.certificates:
        raise SamlError(SamlFault.MALFORMED, "no certificate to check signatures with")


def _endpoint(role: etree._Element, name: str, binding: str) -> tuple[str, str]:
    """Return where a service is, and where answers to it go; empty when there is none that browsers may be sent to."""
    for service in xml.children(role, xml.metadata(name)):
        location = service.get("Location", "")
        if service.get("Binding") == binding and _is_address(location):
            answer = service.get("ResponseLocation", "")
            return location, answer if _is_address(answer) else ""
    return "", ""


def _is_address(location: str) -> bool:
    """Tell whether a browser can be sent somewhere: nothing but plain ASCII, which is then our ``Location``."""
    printable = location.isascii() and location.isprintable() and " " not in location and "#" not in location
    return printable and location.startswith(("https://", "http://"))


def _certificates(role: etree._Element) -> Iterator[x509.Certificate]:
    """Yield the certificates that messages are signed with.

    Raises:
        SamlError: one can not be read.

    Spec: SAML 2.0 Metadata 2.4.1.1: a key without a use has both.
    """
    path = f"{xml.signature('KeyInfo')}/{xml.signature('X509Data')}/{xml.signature('X509Certificate')}"
    number = 0
    for key in xml.children(role, xml.metadata("KeyDescriptor")):
        if key.get("use", "signing") != "signing":
            continue
        for written in key.iterfind(path):
            number += 1
            if number > _MOST_CERTIFICATES:
                return
            try:
                yield x509.load_der_x509_certificate(xml.from_base64(xml.text(written)))
            except ValueError as error:
                raise SamlError(SamlFault.MALFORMED, "a certificate can not be read") from error


def write_metadata(
    *,
    entity_id: str,
    consumer: str,
    logout: str,
    signing: x509.Certificate | None = None,
    encryption: x509.Certificate | None = None,
    now: int,
) -> bytes:
    """Write our own metadata.

    Args:
        entity_id: what we are called.
        consumer: where answers are posted.
        logout: where sessions are ended, by redirect.
        signing: certificate of the key that our requests are signed with; None when they are not.
        encryption: certificate of the key that assertions may be encrypted for; None when they must not be.
        now: seconds since the epoch.
    """
    ends = xml.written_time(now + OUR_METADATA_SECONDS)
    root = etree.Element(
        xml.metadata("EntityDescriptor"),
        {"entityID": entity_id, "validUntil": ends},
        nsmap={"md": xml.METADATA, "ds": xml.SIGNATURE},
    )
    role = etree.SubElement(
        root,
        xml.metadata("SPSSODescriptor"),
        {
            "protocolSupportEnumeration": xml.PROTOCOL,
            "AuthnRequestsSigned": "false" if signing is None else "true",
            "WantAssertionsSigned": "true",
            "validUntil": ends,
        },
    )
    for use, certificate in (("signing", signing), ("encryption", encryption)):
        if certificate is not None:
            _add_key(role, use, certificate)
    etree.SubElement(role, xml.metadata("SingleLogoutService"), {"Binding": REDIRECT, "Location": logout})
    for name in ("transient", "persistent"):
        etree.SubElement(role, xml.metadata("NameIDFormat")).text = f"urn:oasis:names:tc:SAML:2.0:nameid-format:{name}"
    etree.SubElement(
        role,
        xml.metadata("AssertionConsumerService"),
        {"Binding": POST, "Location": consumer, "index": "1", "isDefault": "true"},
    )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_key(role: etree._Element, use: str, certificate: x509.Certificate) -> None:
    """Add a key of ours."""
    key = etree.SubElement(role, xml.metadata("KeyDescriptor"), {"use": use})
    holder = etree.SubElement(etree.SubElement(key, xml.signature("KeyInfo")), xml.signature("X509Data"))
    pem = certificate.public_bytes(Encoding.PEM).decode("ascii")
    etree.SubElement(holder, xml.signature("X509Certificate")).text = "".join(pem.splitlines()[1:-1])
