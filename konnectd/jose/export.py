"""Keys written down, for an operator who makes one or moves one somewhere else; nothing that serves does this.

Public keys write themselves as JSON Web Keys, in `konnectd.jose.keys`.
"""

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from konnectd.base64url import b64url
from konnectd.jose.keys import PrivateKey, PublicKey


def to_private_jwk(key: PrivateKey) -> dict[str, object]:
    """Write a key with its private part. Spec: RFC 7518 6.2.2 and 6.3.2; RFC 8037 2."""
    return {**key.public.to_jwk(), **_private_members(key)}


def to_private_pem(key: PrivateKey) -> bytes:
    """Write a key with its private part. Spec: RFC 5958 2; RFC 7468 10."""
    return key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def to_public_pem(key: PublicKey) -> bytes:
    """Write a public key. Spec: RFC 5280 4.1; RFC 7468 13."""
    return key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private_members(key: PrivateKey) -> dict[str, object]:
    """Return what the public key does not have."""
    if isinstance(key.key, rsa.RSAPrivateKey):
        numbers = key.key.private_numbers()
        members = {"d": numbers.d, "p": numbers.p, "q": numbers.q}
        members |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
        return {
            name: b64url(number.to_bytes((number.bit_length() + 7) // 8, "big")) for name, number in members.items()
        }
    if isinstance(key.key, ec.EllipticCurvePrivateKey):
        # As long as the order of the curve, leading zeros and all.
        size = (key.key.curve.key_size + 7) // 8
        return {"d": b64url(key.key.private_numbers().private_value.to_bytes(size, "big"))}
    return {"d": b64url(key.key.private_bytes_raw())}
