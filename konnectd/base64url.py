"""base64url without padding, as JOSE writes it. Spec: RFC 7515 2; RFC 4648 5."""

from base64 import urlsafe_b64decode
from binascii import b2a_base64

_SAFE = bytes.maketrans(b"+/", b"-_")


def b64url(content: bytes) -> str:
    """Write bytes."""
    return b2a_base64(content, newline=False).rstrip(b"=").translate(_SAFE).decode("ascii")


def from_b64url(text: str) -> bytes | None:
    """Read what `b64url` wrote; None for anything it would not have written.

    Python's reader skips foreign characters and ignores spare bits, so that one signature could be spelled in many
    ways. Writing the result again and comparing leaves one spelling.
    """
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return content if b64url(content) == text else None
