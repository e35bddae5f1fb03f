"""Messages in addresses: packed, and signed over the query as it stands there.

Spec: SAML 2.0 Bindings 3.4.
"""

import zlib
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote, unquote_plus

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from konnectd.authorities import _saml2_xml as xml
from konnectd.authorities._saml2_keys import SigningKey
from konnectd.authorities._saml2_signature import Trusted, is_good
from konnectd.protocol.saml2 import SamlError, SamlFault

#: Longest query that is looked at, in characters.
LONGEST_QUERY = 32 * 1024
_RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-"
_ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-"
_SHA1 = f"{xml.SIGNATURE}rsa-sha1"
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def address(location: str, name: str, document: bytes, relay_state: str, key: SigningKey | None) -> str:
    """Return where a browser goes to bring a message somewhere.

    Args:
        location: of the service; it may have a query already.
        name: ``SAMLRequest`` or ``SAMLResponse``.
        document: the message.
        relay_state: comes back with the answer; empty for none.
        key: signs it; None for no signature.
    """
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(document) + packer.flush()
    query = f"{name}={_quoted(b64encode(packed))}"
    if relay_state:
        query += f"&RelayState={quote(relay_state, safe='')}"
    if key is not None:
        query += f"&SigAlg={quote(key.algorithm, safe='')}"
        query += f"&Signature={_quoted(b64encode(key.sign(query.encode('ascii'))))}"
    return f"{location}{'&' if '?' in location else '?'}{query}"


def _quoted(written: bytes) -> str:
    """Return base64 as a value in a query."""
    return quote(written.decode("ascii"), safe="")


@frozen(kw_only=True)
class Packed:
    """A message that came in an address.

    Attributes:
        name: ``SAMLRequest`` or ``SAMLResponse``.
        document: unpacked.
        signed: the part of the query that a signature is over; empty without one.
        algorithm: how it was signed.
        signature: the signature.
    """

    name: str
    document: bytes = field(repr=False)
    relay_state: str = field(default="", repr=False)
    signed: bytes = field(default=b"", repr=False)
    algorithm: str = ""
    signature: bytes = field(default=b"", repr=False)


def read_query(query: str) -> Packed:
    """Read the message in a query.

    The signature is over the values as they were written, so they are kept as they were.

    Raises:
        SamlError: there is none, or it can not be unpacked.
    """
    if len(query) > LONGEST_QUERY:
        raise SamlError(SamlFault.TOO_LARGE)
    raw: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in {"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"}:
            if name in raw:
                raise SamlError(SamlFault.MALFORMED, f"several {name}")
            raw[name] = value
    names = [name for name in ("SAMLRequest", "SAMLResponse") if name in raw]
    if len(names) != 1:
        raise SamlError(SamlFault.MALFORMED, "not exactly one message")
    name = names[0]
    signed = "&".join(f"{part}={raw[part]}" for part in (name, "RelayState", "SigAlg") if part in raw)
    has_signature = "Signature" in raw
    return Packed(
        name=name,
        document=inflate(xml.from_base64(unquote_plus(raw[name]))),
        relay_state=unquote_plus(raw.get("RelayState", "")),
        signed=signed.encode() if has_signature else b"",
        algorithm=unquote_plus(raw.get("SigAlg", "")),
        signature=xml.from_base64(unquote_plus(raw["Signature"])) if has_signature else b"",
    )


def inflate(packed: bytes) -> bytes:
    """Unpack a message, no longer than messages are.

    Raises:
        SamlError: it is longer, or was not packed.
    """
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        document = unpacker.decompress(packed, xml.LONGEST_MESSAGE + 1)
    except zlib.error as error:
        raise SamlError(SamlFault.MALFORMED, "not packed") from error
    if len(document) > xml.LONGEST_MESSAGE:
        raise SamlError(SamlFault.TOO_LARGE)
    if not unpacker.eof:
        raise SamlError(SamlFault.MALFORMED, "cut off")
    return document


def check_signature(packed: Packed, trusted: Trusted, now: int) -> bool:
    """Tell whether a message was signed; a signature that is wrong is worse than none.

    Raises:
        SamlError: there is a signature, and it does not count.
    """
    if not packed.signature:
        if packed.signed or packed.algorithm:
            raise SamlError(SamlFault.SIGNATURE)
        return False
    in_time = [each for each in trusted.certificates if is_good(each, now)]
    if not in_time:
        raise SamlError(SamlFault.CERTIFICATE)
    if not any(_fits(packed, certificate, sha1=trusted.sha1) for certificate in in_time):
        raise SamlError(SamlFault.SIGNATURE)
    return True


def _fits(packed: Packed, certificate: x509.Certificate, *, sha1: bool) -> bool:
    """Tell whether a message was signed with the key of a certificate.

    Raises:
        SamlError: it was signed in a way that does not count.
    """
    key = certificate.public_key()
    kind, _, digest = packed.algorithm.rpartition("-")
    try:
        if isinstance(key, rsa.RSAPublicKey) and (method := _rsa_hash(packed.algorithm, sha1=sha1)) is not None:
            key.verify(packed.signature, packed.signed, padding.PKCS1v15(), method)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and f"{kind}-" == _ECDSA and digest in _HASHES:
            return _ecdsa_fits(key, packed, _HASHES[digest])
    except InvalidSignature:
        return False
    raise SamlError(SamlFault.ALGORITHM)


def _rsa_hash(algorithm: str, *, sha1: bool) -> hashes.HashAlgorithm | None:
    """Return what a way to sign with RSA takes a digest by; None for a way that does not count."""
    if algorithm == _SHA1 and sha1:
        return hashes.SHA1()  # noqa: S303 - only where the operator says so
    return _HASHES.get(algorithm.removeprefix(_RSA)) if algorithm.startswith(_RSA) else None


def _ecdsa_fits(key: ec.EllipticCurvePublicKey, packed: Packed, method: hashes.HashAlgorithm) -> bool:
    """Tell whether a message was signed with a key on a curve, which gives two numbers of one size.

    Spec: RFC 6931 2.3.6, RFC 4050 3.3.
    """
    size = (key.key_size + 7) // 8
    if len(packed.signature) != 2 * size:
        return False
    first, second = (int.from_bytes(packed.signature[at : at + size], "big") for at in (0, size))
    key.verify(encode_dss_signature(first, second), packed.signed, ec.ECDSA(method))
    return True
