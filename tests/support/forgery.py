"""Tokens that are well signed but say what none of ours says, made without the code under test."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from konnectd.jose.keys import PrivateKey

HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


def segment(content: bytes) -> str:
    """Write base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def raw_signature(key: PrivateKey, alg: str, message: bytes, salt: int | None = None) -> bytes:
    """Sign bytes by an algorithm that fits a key; for PSS with any length of salt."""
    match key.key:
        case rsa.RSAPrivateKey() as private:
            hashing = HASHES[alg[2:]]
            if alg.startswith("RS"):
                return private.sign(message, padding.PKCS1v15(), hashing)
            length = hashing.digest_size if salt is None else salt
            return private.sign(message, padding.PSS(padding.MGF1(hashing), length), hashing)
        case ec.EllipticCurvePrivateKey() as private:
            size = (private.curve.key_size + 7) // 8
            numbers = decode_dss_signature(private.sign(message, ec.ECDSA(HASHES[alg[2:]])))
            return b"".join(number.to_bytes(size, "big") for number in numbers)
        case private:
            return private.sign(message)


def forge(
    key: PrivateKey, header: Mapping[str, object] | bytes, claims: bytes = b"{}", alg: str = "", salt: int | None = None
) -> str:
    """Sign whatever header and claims with a key.

    Args:
        key: whose signature it really is.
        header: members, or any bytes.
        claims: any bytes.
        alg: what it is really signed by; else the first that fits the key.
        salt: length of the PSS salt, if not the right one.
    """
    first = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{segment(first)}.{segment(claims)}"
    return f"{signed}.{segment(raw_signature(key, alg or key.algorithms[0], signed.encode(), salt))}"
