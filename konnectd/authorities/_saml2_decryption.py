"""Assertions that only we can read.

A cipher that does not protect what it hides (CBC) can be asked about its own content by whoever may send us changed
texts and see how they fail. So with such a one only answers are opened that are signed as a whole: the identity
provider has made them, and nobody else. Keys are unwrapped by RSA-OAEP alone, for the same reason.

Spec: SAML 2.0 Core 2.3.4 and 6.1; XML Encryption 1.1 5.2, 5.5; RFC 8017 7.1.
"""

from collections.abc import Mapping

from attrs import frozen
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from konnectd.authorities import _saml2_xml as xml
from konnectd.protocol.saml2 import SamlError, SamlFault

_ENC = "http://www.w3.org/2001/04/xmlenc#"
_ENC11 = "http://www.w3.org/2009/xmlenc11#"
_OAEP_SHA1 = f"{_ENC}rsa-oaep-mgf1p"
_OAEP = f"{_ENC11}rsa-oaep"
_BLOCK = 16
_NONCE = 12
_TAG = 16


@frozen
class _Content:
    """How content is hidden: the length of the key in bytes, and whether a change is noticed."""

    key_size: int
    protected: bool


_CONTENTS: Mapping[str, _Content] = {
    f"{_ENC}aes128-cbc": _Content(16, protected=False),
    f"{_ENC}aes192-cbc": _Content(24, protected=False),
    f"{_ENC}aes256-cbc": _Content(32, protected=False),
    f"{_ENC11}aes128-gcm": _Content(16, protected=True),
    f"{_ENC11}aes192-gcm": _Content(24, protected=True),
    f"{_ENC11}aes256-gcm": _Content(32, protected=True),
}
_DIGESTS: Mapping[str, hashes.HashAlgorithm] = {
    f"{xml.SIGNATURE}sha1": hashes.SHA1(),  # noqa: S303 - OAEP needs no digest that withstands collisions
    f"{_ENC}sha256": hashes.SHA256(),
    f"{_ENC}sha512": hashes.SHA512(),
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384(),
}
_MASKS: Mapping[str, hashes.HashAlgorithm] = {
    f"{_ENC11}mgf1sha1": hashes.SHA1(),  # noqa: S303 - as above
    f"{_ENC11}mgf1sha256": hashes.SHA256(),
    f"{_ENC11}mgf1sha384": hashes.SHA384(),
    f"{_ENC11}mgf1sha512": hashes.SHA512(),
}


def open_assertion(encrypted: etree._Element, key: rsa.RSAPrivateKey | None, *, signed: bool) -> etree._Element:
    """Return the assertion in what was encrypted for us.

    Args:
        encrypted: the element.
        key: ours; None when there is none.
        signed: whether the answer around it was.

    Raises:
        SamlError: there is no key, or it can not be opened.
    """
    if key is None:
        raise SamlError(SamlFault.ENCRYPTED, "encryption_key is not set")
    holder = _only(encrypted, f"{{{_ENC}}}EncryptedData")
    algorithm = _method(holder).get("Algorithm", "")
    content = _CONTENTS.get(algorithm)
    if content is None:
        raise SamlError(SamlFault.ALGORITHM, "of the encryption")
    if not content.protected and not signed:
        raise SamlError(SamlFault.ENCRYPTED, "CBC in an answer that is not signed as a whole")
    secret = _unwrapped(_wrapped_key(encrypted, holder), key, content.key_size)
    plain = _decrypted(secret, _cipher_value(holder), protected=content.protected)
    found = xml.parse(plain)
    if found.tag != xml.assertion("Assertion"):
        raise SamlError(SamlFault.ENCRYPTED, "something else in it")
    return found


def _wrapped_key(encrypted: etree._Element, holder: etree._Element) -> etree._Element:
    """Return the key that goes with encrypted data: inside of it, or beside it.

    Raises:
        SamlError: there is not exactly one.
    """
    name = f"{{{_ENC}}}EncryptedKey"
    inside = holder.findall(f"{xml.signature('KeyInfo')}/{name}")
    found = [*inside, *encrypted.findall(name)]
    if len(found) != 1:
        raise SamlError(SamlFault.ENCRYPTED, "not exactly one key")
    return found[0]


def _unwrapped(wrapped: etree._Element, key: rsa.RSAPrivateKey, size: int) -> bytes:
    """Return the key that content is hidden by.

    Raises:
        SamlError: it is not for us.
    """
    method = _method(wrapped)
    algorithm = method.get("Algorithm", "")
    digest = xml.only(method, xml.signature("DigestMethod"))
    mask = xml.only(method, f"{{{_ENC11}}}MGF")
    hashed = _DIGESTS.get(f"{xml.SIGNATURE}sha1" if digest is None else digest.get("Algorithm", ""))
    masked = _MASKS.get(f"{_ENC11}mgf1sha1" if mask is None or algorithm == _OAEP_SHA1 else mask.get("Algorithm", ""))
    if algorithm not in {_OAEP_SHA1, _OAEP} or hashed is None or masked is None:
        raise SamlError(SamlFault.ALGORITHM, "of the key of the encryption")
    if len(method.findall(f"{{{_ENC}}}OAEPparams")):
        raise SamlError(SamlFault.ALGORITHM, "parameters of the key of the encryption")
    way = padding.OAEP(mgf=padding.MGF1(masked), algorithm=hashed, label=None)
    try:
        secret = key.decrypt(_cipher_value(wrapped), way)
    except ValueError as error:
        raise SamlError(SamlFault.ENCRYPTED, "for another key") from error
    if len(secret) != size:
        raise SamlError(SamlFault.ENCRYPTED, "a key of another size")
    return secret


def _decrypted(secret: bytes, hidden: bytes, *, protected: bool) -> bytes:
    """Return what was hidden.

    Raises:
        SamlError: it can not be opened.
    """
    if protected:
        if len(hidden) < _NONCE + _TAG:
            raise SamlError(SamlFault.ENCRYPTED, "cut off")
        try:
            return AESGCM(secret).decrypt(hidden[:_NONCE], hidden[_NONCE:], None)
        except InvalidTag as error:
            raise SamlError(SamlFault.ENCRYPTED, "changed") from error
    if len(hidden) < 2 * _BLOCK or len(hidden) % _BLOCK:
        raise SamlError(SamlFault.ENCRYPTED, "cut off")
    opener = Cipher(algorithms.AES(secret), modes.CBC(hidden[:_BLOCK])).decryptor()
    padded = opener.update(hidden[_BLOCK:]) + opener.finalize()
    if not 1 <= padded[-1] <= _BLOCK:
        raise SamlError(SamlFault.ENCRYPTED, "changed")
    return padded[: -padded[-1]]


def _method(element: etree._Element) -> etree._Element:
    """Return how something was encrypted."""
    return _only(element, f"{{{_ENC}}}EncryptionMethod")


def _cipher_value(element: etree._Element) -> bytes:
    """Return what is hidden in an element, as it is."""
    return xml.from_base64(xml.text(_only(_only(element, f"{{{_ENC}}}CipherData"), f"{{{_ENC}}}CipherValue")))


def _only(element: etree._Element, name: str) -> etree._Element:
    """Return the one child with a name.

    Raises:
        SamlError: there is none, or several.
    """
    found = xml.only(element, name)
    if found is None:
        raise SamlError(SamlFault.ENCRYPTED, "not all is there")
    return found
