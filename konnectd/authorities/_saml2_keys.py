"""Our own keys: what requests are signed with, and what assertions are encrypted for."""

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

#: How a message in an address says that it is signed. Spec: RFC 6931 2.3.
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_SMALLEST_RSA = 2048


@frozen
class SigningKey:
    """What our requests are signed with, and the certificate that identity providers know it by."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The name of how it signs."""
        return RSA_SHA256 if isinstance(self.key, rsa.RSAPrivateKey) else ECDSA_SHA256

    def sign(self, message: bytes) -> bytes:
        """Return a signature; that of a key on a curve is two numbers of one size."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        numbers = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        size = (self.key.key_size + 7) // 8
        return b"".join(number.to_bytes(size, "big") for number in numbers)


@frozen
class DecryptingKey:
    """What assertions are encrypted for, and the certificate that identity providers know it by."""

    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)


def decrypting_key(pem: bytes) -> rsa.RSAPrivateKey:
    """Read a private key that things can be encrypted for.

    Raises:
        TypeError: it needs a password.
        ValueError: it can not be read, is too weak, or is not RSA.
        UnsupportedAlgorithm: it is of a kind that is not known at all.
    """
    key = private_key(pem)
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    raise ValueError("nothing is encrypted for such a key")


def private_key(pem: bytes) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Read a private key that is good enough.

    Raises:
        TypeError: it needs a password.
        ValueError: it can not be read, or is too weak or of a kind that SAML has no word for.
        UnsupportedAlgorithm: it is of a kind that is not known at all.
    """
    key = load_pem_private_key(pem, password=None)
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SMALLEST_RSA:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(
        key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1
    ):
        return key
    raise ValueError("a key of a kind that is not used")
