"""The eight known ways to wrap what was signed into something else, so that a careless reader takes the something else.

Each takes an answer that alice got for herself and returns one that says mallory. The numbers are those under which the
attacks are known.

Spec: J. Somorovsky et al., On Breaking SAML: Be Whoever You Want to Be (USENIX Security 2012).
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TypeAlias

from lxml import etree

from tests.support.saml_provider import NAMES

Wrap: TypeAlias = Callable[[bytes], bytes]


def _evil(element: etree._Element) -> etree._Element:
    """Return a copy with another id that says somebody else; the signature in it stays."""
    copy = deepcopy(element)
    copy.set("ID", f"evil-{element.get('ID')}")
    for inner in copy.iter(f"{{{NAMES['saml']}}}Assertion"):
        if inner is not copy:
            inner.set("ID", f"evil-{inner.get('ID')}")
    for value in copy.iter(f"{{{NAMES['saml']}}}AttributeValue", f"{{{NAMES['saml']}}}NameID"):
        value.text = "mallory"
    return copy


def _without_signature(element: etree._Element) -> etree._Element:
    """Return a copy without the signature directly in it: what was digested."""
    copy = deepcopy(element)
    signature = _signature(copy)
    copy.remove(signature)
    return copy


def _signature(element: etree._Element) -> etree._Element:
    """Return the signature directly in an element."""
    return _one(element, "ds:Signature")


def _one(element: etree._Element, path: str) -> etree._Element:
    """Return an element that is there."""
    found = element.find(path, NAMES)
    if found is None:
        raise LookupError(path)
    return found


def wrap_1(answer: bytes) -> bytes:
    """Put the signed response into the signature of another one."""
    root = etree.fromstring(answer)
    evil = _evil(root)
    _signature(evil).append(_without_signature(root))
    return etree.tostring(evil)


def wrap_2(answer: bytes) -> bytes:
    """Put the signed response before the signature of another one."""
    root = etree.fromstring(answer)
    evil = _evil(root)
    _signature(evil).addprevious(_without_signature(root))
    return etree.tostring(evil)


def wrap_3(answer: bytes) -> bytes:
    """Put another assertion before the signed one."""
    root = etree.fromstring(answer)
    signed = _one(root, "saml:Assertion")
    evil = _evil(signed)
    evil.remove(_signature(evil))
    signed.addprevious(evil)
    return etree.tostring(root)


def wrap_4(answer: bytes) -> bytes:
    """Put the signed assertion into another one."""
    root = etree.fromstring(answer)
    signed = _one(root, "saml:Assertion")
    evil = _evil(signed)
    evil.remove(_signature(evil))
    root.replace(signed, evil)
    evil.append(signed)
    return etree.tostring(root)


def wrap_5(answer: bytes) -> bytes:
    """Leave the signature in another assertion, and put what it is for at the end."""
    root = etree.fromstring(answer)
    signed = _one(root, "saml:Assertion")
    root.replace(signed, _evil(signed))
    root.append(_without_signature(signed))
    return etree.tostring(root)


def wrap_6(answer: bytes) -> bytes:
    """Leave the signature in another assertion, and put what it is for into the signature."""
    root = etree.fromstring(answer)
    signed = _one(root, "saml:Assertion")
    evil = _evil(signed)
    root.replace(signed, evil)
    _signature(evil).append(_without_signature(signed))
    return etree.tostring(root)


def wrap_7(answer: bytes) -> bytes:
    """Put another assertion into extensions, where anything may be."""
    root = etree.fromstring(answer)
    signed = _one(root, "saml:Assertion")
    evil = _evil(signed)
    evil.remove(_signature(evil))
    extensions = etree.Element(f"{{{NAMES['samlp']}}}Extensions")
    extensions.append(evil)
    signed.addprevious(extensions)
    return etree.tostring(root)


def wrap_8(answer: bytes) -> bytes:
    """Leave the signature in another assertion, and put what it is for into an object of it, where anything may be."""
    root = etree.fromstring(answer)
    signed = _one(root, "saml:Assertion")
    evil = _evil(signed)
    root.replace(signed, evil)
    holder = etree.SubElement(_signature(evil), f"{{{NAMES['ds']}}}Object")
    holder.append(_without_signature(signed))
    return etree.tostring(root)


#: For answers that are signed as a whole.
WHOLE: Mapping[str, Wrap] = {"XSW1": wrap_1, "XSW2": wrap_2}
#: For answers in which the assertion is signed.
PART: Mapping[str, Wrap] = {
    "XSW3": wrap_3,
    "XSW4": wrap_4,
    "XSW5": wrap_5,
    "XSW6": wrap_6,
    "XSW7": wrap_7,
    "XSW8": wrap_8,
}
