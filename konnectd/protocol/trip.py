"""A trip to an external authority: what a browser keeps while its person is there.

The cookie is called by the state, as in Konnect, so that several trips of one browser do not disturb each other. A trip
that does not fit into one cookie goes on in further ones, and only so many are kept that servers and proxies on the way
still take the header.

Spec: RFC 6749 10.12 (``state`` is bound to the browser); RFC 6265 6.1 (4096 bytes a cookie).
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Self

from attrs import field, frozen

from konnectd.base64url import b64url
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.progress import TRIP_COOKIE

#: How much of a trip stands in one cookie, in how many at most, and in how many those of one browser, in characters.
LONGEST_PIECE = 3800
MOST_PIECES = 2
MOST_KEPT = 6000


@frozen(kw_only=True)
class Trip:
    """Why somebody is at an authority.

    Attributes:
        state: comes back with them.
        authority_id: where they are.
        started_at: since when, in seconds since the epoch.
        leaving: they sign out there; otherwise they sign in.
        query: the page they were sent from: the request that waits, and how far it is.
        after: where they go when they have signed out; empty for our own page.
        unasked: they were sent there without having been asked.
        remembered: by the kind of authority.
    """

    state: str = field(repr=False)
    authority_id: str
    started_at: int
    leaving: bool = False
    query: Parameters = field(factory=Parameters, repr=False)
    after: str = field(default="", repr=False)
    unasked: bool = False
    remembered: Mapping[str, object] = field(factory=dict, repr=False)

    def to_json(self) -> dict[str, object]:
        """Write it for sealing."""
        return {
            "v": 1,
            "s": self.state,
            "a": self.authority_id,
            "iat": self.started_at,
            "out": self.leaving,
            "q": dict(self.query.items()),
            "to": self.after,
            "un": self.unasked,
            "r": dict(self.remembered),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self | None:
        """Read what `to_json` wrote; what another version wrote is none."""
        match value:
            case {
                "v": 1,
                "s": str(state),
                "a": str(authority_id),
                "iat": int(started_at),
                "out": bool(leaving),
                "q": dict(query),
                "to": str(after),
                "un": bool(unasked),
                "r": dict(remembered),
            }:
                return cls(
                    state=state,
                    authority_id=authority_id,
                    started_at=started_at,
                    leaving=leaving,
                    query=Parameters({str(name): str(text) for name, text in query.items()}),
                    after=after,
                    unasked=unasked,
                    remembered=remembered,
                )
        return None


def cookie_name(state: str) -> str:
    """Return the name, without prefix, of the cookie of a trip."""
    return TRIP_COOKIE + b64url(blake2b(_utf8(state), digest_size=32).digest())


def used_trip_key(state: str) -> str:
    """Name the entry that says a trip is over."""
    return f"trip:{blake2b(_utf8(state), digest_size=32).hexdigest()}"


def external_session_key(session_id: str) -> str:
    """Name the entry of what an authority has to be told when somebody signs out there."""
    return f"external:{session_id}"


def pieces(name: str, sealed: str) -> tuple[tuple[str, str], ...] | None:
    """Return the cookies of a trip, name and value of each; None when it is too long for any browser."""
    parts = [sealed[start : start + LONGEST_PIECE] for start in range(0, len(sealed), LONGEST_PIECE)]
    if len(parts) > MOST_PIECES:
        return None
    return tuple((_numbered(name, number), part) for number, part in enumerate(parts))


def whole(name: str, kept: Mapping[str, str]) -> str:
    """Return the sealed trip of some cookies; empty for none."""
    return "".join(kept.get(_numbered(name, number), "") for number in range(MOST_PIECES))


def names(name: str, kept: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all cookies of a trip that a browser has."""
    found = set(kept)
    return tuple(one for number in range(MOST_PIECES) if (one := _numbered(name, number)) in found)


def first_names(kept: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all trips that a browser keeps."""
    return tuple(name for name in kept if name.startswith(TRIP_COOKIE) and "." not in name)


def _numbered(name: str, number: int) -> str:
    """Name a piece; the first one is called as the trip is."""
    return f"{name}.{number}" if number else name


def _utf8(text: str) -> bytes:
    """Write any text that a browser may send."""
    return text.encode("utf-8", "surrogatepass")
