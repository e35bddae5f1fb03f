"""What we write to an identity provider: please sign somebody in, please sign them out, we have signed them out.

Spec: SAML 2.0 Core 3.2, 3.4.1, 3.7.
"""

from attrs import field, frozen
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from konnectd.authorities import _saml2_xml as xml
from konnectd.authorities._saml2_keys import SigningKey
from konnectd.authorities._saml2_metadata import POST
from konnectd.protocol.saml2 import ENTITY, STATUS, SUCCESS, NameId

TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_NAMES = {"samlp": xml.PROTOCOL, "saml": xml.ASSERTION}


@frozen(kw_only=True)
class Heading:
    """What every message begins with.

    Attributes:
        message_id: random; an answer names it.
        destination: where it is sent.
        issuer: our entity id.
        now: seconds since the epoch.
    """

    message_id: str = field(repr=False)
    destination: str
    issuer: str
    now: int


def authn_request(heading: Heading, *, consumer: str, force: bool, name_id_format: str = TRANSIENT) -> etree._Element:
    """Ask to have somebody signed in.

    Args:
        heading: the beginning.
        consumer: where the answer is posted.
        force: they have to prove it now, even if they have before.
        name_id_format: what to call them.

    Spec: SAML 2.0 Core 3.4.1.
    """
    root = _begin("AuthnRequest", heading)
    root.set("ProtocolBinding", POST)
    root.set("AssertionConsumerServiceURL", consumer)
    if force:
        root.set("ForceAuthn", "true")
    etree.SubElement(root, xml.protocol("NameIDPolicy"), {"Format": name_id_format, "AllowCreate": "true"})
    return root


def logout_request(heading: Heading, name_id: NameId, session_index: str) -> etree._Element:
    """Ask to have a session ended.

    Spec: SAML 2.0 Core 3.7.1.
    """
    root = _begin("LogoutRequest", heading)
    qualifiers = {
        "Format": name_id.format,
        "NameQualifier": name_id.name_qualifier,
        "SPNameQualifier": name_id.sp_name_qualifier,
    }
    named = etree.SubElement(
        root, xml.assertion("NameID"), {name: value for name, value in qualifiers.items() if value}
    )
    named.text = name_id.value
    if session_index:
        etree.SubElement(root, xml.protocol("SessionIndex")).text = session_index
    return root


def logout_response(heading: Heading, request_id: str, *, done: bool) -> etree._Element:
    """Say that a session is over, or that there is none.

    Spec: SAML 2.0 Core 3.7.2.
    """
    root = _begin("LogoutResponse", heading)
    root.set("InResponseTo", request_id)
    status = etree.SubElement(root, xml.protocol("Status"))
    code = etree.SubElement(status, xml.protocol("StatusCode"), {"Value": SUCCESS if done else f"{STATUS}Responder"})
    if not done:
        etree.SubElement(code, xml.protocol("StatusCode"), {"Value": f"{STATUS}UnknownPrincipal"})
    return root


def _begin(name: str, heading: Heading) -> etree._Element:
    """Begin a message."""
    root = etree.Element(
        xml.protocol(name),
        {
            "ID": heading.message_id,
            "Version": "2.0",
            "IssueInstant": xml.written_time(heading.now),
            "Destination": heading.destination,
        },
        nsmap=_NAMES,
    )
    etree.SubElement(root, xml.assertion("Issuer"), {"Format": ENTITY}).text = heading.issuer
    return root


def written(root: etree._Element) -> bytes:
    """Write a message for an address, in which it is signed outside of it."""
    return etree.tostring(root, encoding="utf-8")


def signed(root: etree._Element, key: SigningKey) -> bytes:
    """Write a message for a form, and sign it inside.

    Spec: SAML 2.0 Core 5.4; the signature comes after the issuer.
    """
    place = etree.Element(xml.signature("Signature"), {"Id": "placeholder"}, nsmap={"ds": xml.SIGNATURE})
    root.insert(1, place)
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    return etree.tostring(signer.sign(root, key=key.key, cert=[key.certificate], reference_uri=root.get("ID")))
