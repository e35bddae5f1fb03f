"""Secrets of dynamically registered clients, which are not kept anywhere: a digest in the client's id tells them.

The algorithm is Konnect's, so that clients that registered there go on.
"""

import binascii
import hmac
import re
from base64 import urlsafe_b64decode
from hashlib import blake2b

from attrs import field, frozen

from konnectd.base64url import b64url

#: Random bytes of a secret.
SECRET_BYTES = 64
#: Goes into each digest, so it can not change without shutting out all clients.
_SALT = "konnect-client-v1"
_SECRET = re.compile("[A-Za-z0-9_-]{86}")


@frozen
class SecretDigest:
    """What tells a client's secret.

    Attributes:
        name: of the client when it got the secret; it may have another one by now.
        digest: base64url.
    """

    name: str
    digest: str = field(repr=False)

    @classmethod
    def of(cls, secret: str, name: str) -> "SecretDigest":
        """Make it for a new secret.

        Raises:
            ValueError: the secret is not 64 bytes in base64url.
        """
        if _SECRET.fullmatch(secret) is None:
            raise ValueError(f"a secret has {SECRET_BYTES} bytes in base64url")
        key = urlsafe_b64decode(secret + "==")
        # Two spellings of one secret differ in bits that are thrown away; only one is good.
        if b64url(key) != secret:
            raise ValueError("a secret is spelled in one way only")
        text = f"{name} {_SALT}".encode("utf-8", "surrogatepass")
        return cls(name, b64url(blake2b(text, key=key).digest()))

    def accepts(self, secret: str) -> bool:
        """Tell whether this is the secret; in constant time."""
        try:
            presented = SecretDigest.of(secret.rstrip("="), self.name)
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(presented.digest.encode(), self.digest.encode())
