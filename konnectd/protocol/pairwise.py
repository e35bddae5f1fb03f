"""Pairwise subjects: clients of different owners see different names for the same person.

A client belongs to a sector, which is a host. Within a sector everybody is known by one name, and nobody can tell from
two names of two sectors that they are the same person, because a secret of the installation goes into them. It is a
secret of its own: all others may be changed some day, this one names people in the accounts of clients.

Spec: OIDC Core 8 and 8.1.
"""

from hashlib import blake2b

from attrs import field, frozen

from konnectd.base64url import b64url

#: Bytes of the secret.
SALT_SIZE = 32
_DIGEST_SIZE = 32
_PERSON = b"konnect pairwise"


@frozen
class Pairwise:
    """How one client knows people.

    Attributes:
        sector: the host it belongs to.
        salt: the installation's secret.
    """

    sector: str
    salt: bytes = field(repr=False)

    def sub(self, subject: str, provider: str) -> str:
        """Make the ``sub`` of a person.

        Args:
            subject: the backend's own subject.
            provider: the backend's name.
        """
        # Neither a host nor the name of a backend has a NUL in it, so no two persons share a text.
        text = f"{self.sector}\0{provider}\0{subject}".encode("utf-8", "surrogatepass")
        digest = blake2b(text, digest_size=_DIGEST_SIZE, key=self.salt, person=_PERSON).digest()
        return b64url(digest)
