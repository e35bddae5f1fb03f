"""Encrypting assertions, as identity providers do it."""

import base64
import os

from attrs import frozen
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.support.saml_provider import NAMES, SamlKey

ENC = "http://www.w3.org/2001/04/xmlenc#"
ENC11 = "http://www.w3.org/2009/xmlenc11#"
CBC = f"{ENC}aes128-cbc"
GCM = f"{ENC11}aes256-gcm"
OAEP_SHA1 = f"{ENC}rsa-oaep-mgf1p"
OAEP = f"{ENC11}rsa-oaep"
_SIZES = {CBC: 16, GCM: 32, f"{ENC}aes256-cbc": 32, f"{ENC11}aes128-gcm": 16}


@frozen(kw_only=True)
class Way:
    """How it is encrypted.

    Attributes:
        content: how the content is.
        key: how the key is.
        sha256: whether OAEP goes by SHA-256, and not by SHA-1.
        beside: whether the key stands beside the content, and not inside.
        size: length of the key in bytes; 0 for what is right.
    """

    content: str = GCM
    key: str = OAEP_SHA1
    sha256: bool = False
    beside: bool = False
    size: int = 0


def encrypt(plain: str, key: SamlKey, way: Way | None = None) -> str:
    """Return an encrypted assertion."""
    way = way or Way()
    secret = os.urandom(way.size or _SIZES[way.content])
    public = key.certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError(public)
    digest = hashes.SHA256() if way.sha256 else hashes.SHA1()  # noqa: S303 - as the specification has it
    wrapped = public.encrypt(secret, padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None))
    method = (
        f'<ds:DigestMethod Algorithm="{ENC}sha256"/><xenc11:MGF Algorithm="{ENC11}mgf1sha256"/>' if way.sha256 else ""
    )
    holder = (
        f'<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{way.key}">{method}</xenc:EncryptionMethod>'
        f"{_value(wrapped)}</xenc:EncryptedKey>"
    )
    inside = "" if way.beside else f"<ds:KeyInfo>{holder}</ds:KeyInfo>"
    return (
        f'<saml:EncryptedAssertion xmlns:saml="{NAMES["saml"]}" xmlns:xenc="{ENC}" xmlns:xenc11="{ENC11}" '
        f'xmlns:ds="{NAMES["ds"]}"><xenc:EncryptedData Type="{ENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{way.content}"/>{inside}{_value(_hidden(plain.encode(), secret, way))}'
        f"</xenc:EncryptedData>{holder if way.beside else ''}</saml:EncryptedAssertion>"
    )


def _value(content: bytes) -> str:
    """Write what is hidden."""
    written = base64.b64encode(content).decode("ascii")
    return f"<xenc:CipherData><xenc:CipherValue>{written}</xenc:CipherValue></xenc:CipherData>"


def _hidden(plain: bytes, secret: bytes, way: Way) -> bytes:
    """Encrypt content."""
    if way.content.endswith("gcm"):
        nonce = os.urandom(12)
        return nonce + AESGCM(secret).encrypt(nonce, plain, None)
    length = 16 - len(plain) % 16
    start = os.urandom(16)
    hider = Cipher(algorithms.AES(secret), modes.CBC(start)).encryptor()
    return start + hider.update(plain + bytes(length - 1) + bytes([length])) + hider.finalize()
