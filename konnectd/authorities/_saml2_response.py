"""Messages of an identity provider as values: what was signed in them, or that nothing was.

Spec: SAML 2.0 Core 2.3, 2.4, 2.7, 3.2.2, 3.7; Bindings 3.4 and 3.5.
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from konnectd.authorities import _saml2_xml as xml
from konnectd.authorities._saml2_decryption import open_assertion
from konnectd.authorities._saml2_signature import Trusted, signed_part
from konnectd.protocol.saml2 import (
    SUCCESS,
    Assertion,
    Attribute,
    Confirmation,
    NameId,
    Response,
    SamlError,
    SamlFault,
    Statement,
)
from konnectd.protocol.saml2_logout import LogoutAnswer, LogoutQuestion

#: Most codes of a status that are looked at.
_MOST_CODES = 4


def read_response(document: bytes, trusted: Trusted, now: int, decrypting: rsa.RSAPrivateKey | None = None) -> Response:
    """Read an answer to an authentication request.

    Whatever was signed is read from what was signed. An answer in which nothing was can only be a refusal.

    Args:
        document: the answer.
        trusted: whose signatures count.
        now: seconds since the epoch.
        decrypting: the key that assertions are encrypted for; None for none.

    Raises:
        SamlError: it is malformed, or not signed by whom it should be.
    """
    root = xml.parse(document)
    if root.tag != xml.protocol("Response"):
        raise SamlError(SamlFault.UNEXPECTED)
    _check_version(root)
    _check_ids(root)
    signed = signed_part(root, trusted, now)
    outer = root if signed is None else signed
    statuses = _statuses(outer)
    is_signed = signed is not None
    found = _assertion(outer, decrypting, signed=is_signed) if statuses[:1] == (SUCCESS,) else None
    inner = None
    if found is not None:
        part = signed_part(found, trusted, now)
        if part is None and not is_signed:
            raise SamlError(SamlFault.UNSIGNED)
        inner = _read_assertion(found if part is None else part)
    return Response(
        signed=is_signed,
        issuer=_issuer(outer),
        destination=outer.get("Destination", ""),
        in_response_to=outer.get("InResponseTo", ""),
        issued_at=xml.required_moment(outer, "IssueInstant"),
        statuses=statuses,
        assertion=inner,
    )


def _check_version(root: etree._Element) -> None:
    """Check the version.

    Raises:
        SamlError: it is another one.
    """
    if root.get("Version") != "2.0":
        raise SamlError(SamlFault.MALFORMED, "no SAML 2.0")


def _check_ids(root: etree._Element) -> None:
    """Check that no two elements have one id, whatever the attribute for it is called.

    Raises:
        SamlError: it is not so.
    """
    ids = [
        str(value)
        for element in root.iter(etree.Element)
        for name, value in element.attrib.items()
        if str(name).rpartition("}")[2].lower() == "id"
    ]
    if len(ids) != len(set(ids)):
        raise SamlError(SamlFault.SIGNATURE_PLACE)


def _assertion(outer: etree._Element, decrypting: rsa.RSAPrivateKey | None, *, signed: bool) -> etree._Element:
    """Return the one assertion of an answer, opened if it was encrypted.

    There is none anywhere else: each way to have something else read than what was signed needs a second one.

    Raises:
        SamlError: it is not so, or it can not be opened.
    """
    everywhere = list(outer.iter(xml.assertion("Assertion"), xml.assertion("EncryptedAssertion")))
    if len(everywhere) != 1 or everywhere[0].getparent() is not outer:
        raise SamlError(SamlFault.ASSERTIONS)
    found = everywhere[0]
    if found.tag == xml.assertion("Assertion"):
        return found
    opened = open_assertion(found, decrypting, signed=signed)
    _check_ids(opened)
    if next(opened.iterdescendants(xml.assertion("Assertion")), None) is not None:
        raise SamlError(SamlFault.ASSERTIONS)
    return opened


def _read_assertion(element: etree._Element) -> Assertion:
    """Read an assertion that was signed."""
    _check_version(element)
    subject = xml.only(element, xml.assertion("Subject"))
    conditions = xml.only(element, xml.assertion("Conditions"))
    return Assertion(
        assertion_id=xml.identifier(element),
        issuer=_issuer(element),
        issued_at=xml.required_moment(element, "IssueInstant"),
        name_id=None if subject is None else _name_id(subject),
        confirmations=() if subject is None else tuple(_confirmations(subject)),
        not_before=None if conditions is None else xml.moment(conditions, "NotBefore"),
        not_on_or_after=None if conditions is None else xml.moment(conditions, "NotOnOrAfter"),
        audiences=() if conditions is None else tuple(_audiences(conditions)),
        statements=tuple(_statements(element)),
        attributes=tuple(_attributes(element)),
    )


def _issuer(element: etree._Element) -> str:
    """Return who has made something."""
    return xml.text(xml.only(element, xml.assertion("Issuer")))


def _name_id(subject: etree._Element) -> NameId | None:
    """Return whom an assertion is about; None when it does not say, or only to those who can decrypt it."""
    found = xml.only(subject, xml.assertion("NameID"))
    if found is None:
        return None
    return NameId(
        value=xml.text(found),
        format=found.get("Format", ""),
        name_qualifier=found.get("NameQualifier", ""),
        sp_name_qualifier=found.get("SPNameQualifier", ""),
    )


def _confirmations(subject: etree._Element) -> Iterator[Confirmation]:
    """Yield how a subject is confirmed."""
    for element in xml.children(subject, xml.assertion("SubjectConfirmation")):
        inner = xml.only(element, xml.assertion("SubjectConfirmationData"))
        method = element.get("Method", "")
        if inner is not None:
            yield Confirmation(
                method=method,
                recipient=inner.get("Recipient", ""),
                in_response_to=inner.get("InResponseTo", ""),
                not_before=xml.moment(inner, "NotBefore"),
                not_on_or_after=xml.moment(inner, "NotOnOrAfter"),
            )


def _audiences(conditions: etree._Element) -> Iterator[frozenset[str]]:
    """Yield whom each restriction names."""
    for restriction in xml.children(conditions, xml.assertion("AudienceRestriction")):
        yield frozenset(xml.text(each) for each in xml.children(restriction, xml.assertion("Audience")))


def _statements(element: etree._Element) -> Iterator[Statement]:
    """Yield what is said of signing in."""
    for statement in xml.children(element, xml.assertion("AuthnStatement")):
        yield Statement(
            session_index=statement.get("SessionIndex", ""),
            session_not_on_or_after=xml.moment(statement, "SessionNotOnOrAfter"),
            authn_instant=xml.moment(statement, "AuthnInstant"),
            context=_context(statement),
        )


def _context(statement: etree._Element) -> str:
    """Return how somebody proved who they are."""
    context = xml.only(statement, xml.assertion("AuthnContext"))
    return "" if context is None else xml.text(xml.only(context, xml.assertion("AuthnContextClassRef")))


def _attributes(element: etree._Element) -> Iterator[Attribute]:
    """Yield what is said of somebody, as far as it is text."""
    for statement in xml.children(element, xml.assertion("AttributeStatement")):
        for attribute in xml.children(statement, xml.assertion("Attribute")):
            values = [xml.plain_text(each) for each in xml.children(attribute, xml.assertion("AttributeValue"))]
            yield Attribute(
                name=attribute.get("Name", ""),
                friendly_name=attribute.get("FriendlyName", ""),
                values=tuple(value for value in values if value is not None),
            )


def _statuses(element: etree._Element) -> tuple[str, ...]:
    """Return the codes of a status, the outermost first."""
    found: list[str] = []
    level = xml.only(element, xml.protocol("Status"))
    while level is not None and len(found) < _MOST_CODES:
        level = xml.only(level, xml.protocol("StatusCode"))
        if level is not None:
            found.append(level.get("Value", ""))
    return tuple(found)


def read_logout(document: bytes, *, signed: bool) -> LogoutQuestion | LogoutAnswer:
    """Read a message about the end of a session that came in an address.

    Args:
        document: the message; a signature in it counts for nothing, the one that counts is in the address.
        signed: whether the address was.

    Raises:
        SamlError: it is malformed.
    """
    root = xml.parse(document)
    _check_version(root)
    if root.tag == xml.protocol("LogoutRequest"):
        return LogoutQuestion(
            signed=signed,
            request_id=xml.identifier(root),
            issuer=_issuer(root),
            destination=root.get("Destination", ""),
            issued_at=xml.required_moment(root, "IssueInstant"),
            not_on_or_after=xml.moment(root, "NotOnOrAfter"),
            session_indexes=tuple(xml.text(each) for each in xml.children(root, xml.protocol("SessionIndex"))),
        )
    if root.tag == xml.protocol("LogoutResponse"):
        return LogoutAnswer(
            signed=signed,
            issuer=_issuer(root),
            destination=root.get("Destination", ""),
            in_response_to=root.get("InResponseTo", ""),
            issued_at=xml.required_moment(root, "IssueInstant"),
            statuses=_statuses(root),
        )
    raise SamlError(SamlFault.UNEXPECTED)
