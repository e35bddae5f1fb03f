"""Secrets that can be recognized wherever they turn up, in whatever form.

A secret is looked for as it is, as it stands in an address, in JSON, in hexadecimal digits and in base64 of both
alphabets; there also as a part of something longer, at each of the three places where it can begin.
"""

import contextlib
import json
from base64 import b64encode
from collections.abc import Collection, Iterator
from hashlib import sha256
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from konnectd.jose.keys import PrivateKey

#: Shorter texts turn up by chance.
SHORTEST = 6
#: In base64 what is left of a short text is shorter still.
_SHORTEST_CORE = 8


def mark(kind: str) -> str:
    """Return a secret for something, always the same, which has a letter that each form writes in its own way."""
    return f"m4rk+{sha256(kind.encode()).hexdigest()[:24]}"


def plain_mark(kind: str) -> str:
    """Return one of letters and digits alone, where nothing else can be."""
    return f"m4rk{sha256(kind.encode()).hexdigest()[:28]}"


def forms(secret: bytes) -> Iterator[bytes]:
    """Yield every form of a secret, some of them more than once."""
    yield secret
    yield quote(secret, safe="").encode()
    yield quote_plus(secret).encode()
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    with contextlib.suppress(UnicodeDecodeError):
        yield json.dumps(secret.decode())[1:-1].encode()
    for before in range(3):
        core = _core(secret, before)
        if len(core) >= _SHORTEST_CORE:
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")


def _core(secret: bytes, before: int) -> bytes:
    """Return what a secret always is in base64 when some bytes stand before it, whatever they and the next ones are."""
    bits = 8 * before
    written = b64encode(bytes(before) + secret)
    return written[-(-bits // 6) : (bits + 8 * len(secret)) // 6]


class Marks:
    """All secrets there are, each with a word for what it is."""

    def __init__(self) -> None:
        """Begin with none."""
        self._forms: dict[bytes, str] = {}
        self.kinds: dict[str, int] = {}

    def add(self, kind: str, *secrets: str | bytes) -> None:
        """Know of further secrets of a kind; what is too short is left out."""
        for secret in secrets:
            content = secret.encode() if isinstance(secret, str) else secret
            if len(content) >= SHORTEST and self._forms.get(content) != kind:
                self.kinds[kind] = self.kinds.get(kind, 0) + 1
                self._forms |= dict.fromkeys(forms(content), kind)

    def add_key(self, kind: str, key: PrivateKey) -> None:
        """Know of a private key: its file, and each of its numbers as bytes and in digits."""
        private = key.key
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.add(kind, *(line for line in pem.splitlines() if not line.startswith(b"-")))
        for number in _numbers(private):
            self.add(kind, str(number), number.to_bytes((number.bit_length() + 7) // 8, "big"))

    def add_token(self, kind: str, token: str) -> None:
        """Know of a signed or encrypted token: all of it, and each part but its header, which says nothing."""
        self.add(kind, token, *token.split(".")[1:])

    def found(self, content: str | bytes, *, but: Collection[str] = ()) -> set[str]:
        """Return which kinds of secrets are in some text, apart from some."""
        where = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        return {kind for form, kind in self._forms.items() if kind not in but and form in where}


def _numbers(private: object) -> Iterator[int]:
    """Yield what is secret in a key."""
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.private_numbers()
        yield from (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        yield private.private_numbers().private_value
    else:
        raise TypeError(type(private))
