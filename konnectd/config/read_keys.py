"""Keys by what their files hold, so that a file that is as it was need not be understood again.

To check an RSA key of 2048 bits takes 70 milliseconds, a larger one several times that, and nothing else in the process
goes on meanwhile, not even in another thread. A daemon that reads its files anew would keep everybody waiting for each
key that it knows already.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import TypeAlias

from konnectd.jose.keys import PrivateKey, PublicKey

Key: TypeAlias = PrivateKey | PublicKey


class ReadKeys:
    """The keys of one reading; those of the one before are known to the next."""

    def __init__(self, before: "ReadKeys | None" = None) -> None:
        """Begin without any, but with what was read before; what is not read again is forgotten."""
        self.known: dict[tuple[str, bytes], Key] = {}
        self._before = before.known if before is not None else {}

    def understand(self, content: bytes, kid: str, parse: Callable[[bytes, str], Key]) -> Key:
        """Return the key in a file.

        Args:
            content: what is in it.
            kid: its key id.
            parse: understands it, where nobody has; what it raises is let through.
        """
        place = (kid, sha256(content).digest())
        # A key that signs often lies in the folder of those that are published as well.
        key = self.known.get(place) or self._before.get(place)
        if key is None:
            key = parse(content, kid)
        self.known[place] = key
        return key

    def finish(self) -> None:
        """Forget those of the reading before."""
        self._before = {}
