"""Sessions as clients see them: how a script can tell that one has changed, and how a client is told that one is over.

The browser state is a word that a browser keeps for each session; it says nothing, but it is another one after each
sign-in and gone after a sign-out. ``session_state`` is what it looks like to one client at one origin.

Spec: OIDC Session Management 1.0; OIDC Front-Channel Logout 1.0; OIDC Back-Channel Logout 1.0.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Self

from attrs import field, frozen

from konnectd.jsontext import read, write_text
from konnectd.protocol.authorize import add_to_query
from konnectd.protocol.client import Client, split
from konnectd.protocol.end_user import Logon

#: The member of ``events`` that makes a token a logout token. Spec: Back-Channel Logout 2.4.
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
#: ``typ`` of a logout token. Spec: Back-Channel Logout 2.4; RFC 8725 3.11.
LOGOUT_TYP = "logout+jwt"
#: How long a logout token is good for, in seconds; each attempt has a fresh one.
LOGOUT_TOKEN_TTL = 120
#: Random bytes in a ``session_state``.
SALT_BYTES = 16
#: How many clients of one session, and how many earlier sessions of one browser, are told at most.
MOST_PARTIES = 100
MOST_EARLIER = 20
#: How long it can be looked at who was signed out, in seconds.
FAREWELL_TTL = 600

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PROOF_LENGTH = 32
#: What a content security policy can name; it knows no addresses of IPv6.
_HOST = re.compile(r"[a-z0-9._-]+")


@lru_cache(maxsize=1024)
def web_origin(uri: str) -> str:
    """Return the origin of a web address as browsers write it; empty if it has none. Spec: RFC 6454 6.2."""
    parts = split(uri)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def session_state(client_id: str, origin: str, browser_state: str, salt: str) -> str:
    """Return what a browser state looks like to a client; the page of ours that scripts ask computes the same.

    Args:
        origin: where the client's scripts run.
        browser_state: empty when nobody is signed in.
        salt: as `salt_for` makes it.

    Spec: OIDC Session Management 2 and 4.2 (an example of it), as in Konnect.
    """
    text = f"{client_id} {origin} {browser_state} {salt}"
    return f"{sha256(text.encode()).hexdigest()}.{salt}"


def salt_for(client_id: str, origin: str, chance: str) -> str:
    """Return a salt that anybody can see to belong to a client and an origin.

    So a script of another origin, or with another client's id, is told that it errs, and neither learns anything nor
    asks again and again for what can not come.
    """
    return chance + sha256(f"{client_id} {origin} {chance}".encode()).hexdigest()[:_PROOF_LENGTH]


def ended_session_key(session_id: str) -> str:
    """Name the entry that says a session was ended: its refresh tokens are worth nothing."""
    return f"ended:{session_id}"


def earlier_session_key(session_id: str) -> str:
    """Name the entry that says which session was in the browser when one began."""
    return f"earlier:{session_id}"


def known_party_key(session_id: str, client_id: str) -> str:
    """Name the entry that says a client of a session is on its list."""
    return f"party:{session_id}:{sha256(client_id.encode()).hexdigest()}"


def party_count_key(session_id: str) -> str:
    """Name the counter of the clients of a session."""
    return f"parties:{session_id}"


def party_key(session_id: str, number: int) -> str:
    """Name the entry of one client of a session, counted from 1."""
    return f"parties:{session_id}:{number}"


def farewell_key(farewell_id: str) -> str:
    """Name the entry of a sign-out that its page shows; a digest, because anybody may send anything for its id."""
    return f"farewell:{sha256(farewell_id.encode()).hexdigest()}"


def told_key(farewell_id: str, number: int) -> str:
    """Name the entry that says whether a client took notice of a sign-out."""
    return f"told:{sha256(farewell_id.encode()).hexdigest()}:{number}"


def wants_notice(client: Client) -> bool:
    """Tell whether a client has an address that is told when a session is over."""
    return bool(client.frontchannel_logout_uri or client.backchannel_logout_uri)


@frozen
class Earlier:
    """The session that was in a browser before another one took its place.

    Attributes:
        logon: whose it was, if that was somebody else; None for the same person.
    """

    session_id: str
    logon: Logon | None = None

    @classmethod
    def of(cls, earlier: Logon, logon: Logon) -> Self:
        """Say whose place somebody takes."""
        return cls(earlier.session_id, earlier if earlier.sub != logon.sub else None)

    def to_text(self) -> str:
        """Write it for a store."""
        return self.session_id if self.logon is None else write_text({"v": 1, "logon": self.logon.to_json()})

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read what `to_text` wrote; what another version wrote is none."""
        if not text.startswith("{"):
            return cls(text)
        match read(text):
            case {"v": 1, "logon": dict(claims)}:
                logon = Logon.from_json(claims)
                return cls(logon.session_id, logon) if logon is not None else None
        return None


@frozen(kw_only=True)
class Party:
    """A client that took part in a session.

    Attributes:
        sub: who it knows the person as.
        session_id: the ``sid`` it knows the session as.
    """

    client_id: str
    sub: str
    session_id: str

    def to_text(self) -> str:
        """Write it for a store."""
        return write_text({"v": 1, "client": self.client_id, "sub": self.sub, "sid": self.session_id})

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read what `to_text` wrote; what another version wrote is nobody."""
        match read(text):
            case {"v": 1, "client": str(client_id), "sub": str(sub), "sid": str(session_id)}:
                return cls(client_id=client_id, sub=sub, session_id=session_id)
        return None


@frozen(kw_only=True)
class Notice:
    """How one client is told.

    Attributes:
        name: what people call the client.
        frame: the address a browser opens in a frame; empty when there is none.
        posted: whether the client is told by us as well.
    """

    name: str
    frame: str = field(default="", repr=False)
    posted: bool = False

    def to_json(self) -> dict[str, object]:
        """Write it for a store."""
        return {"name": self.name, "frame": self.frame, "posted": self.posted}

    @classmethod
    def of(cls, client: Client, party: Party, issuer: str) -> Self:
        """Say how a client is to be told about its session."""
        return cls(
            name=client.display_name,
            frame=frame_of(client, issuer, party.session_id),
            posted=bool(client.backchannel_logout_uri),
        )


@frozen(kw_only=True)
class Farewell:
    """One sign-out, as its page shows it.

    Attributes:
        location: where the browser goes afterwards; empty for nowhere.
        client_name: who is there; empty when it did not say.
        notices: who is told that the session is over.
    """

    location: str = field(default="", repr=False)
    client_name: str = ""
    notices: tuple[Notice, ...] = ()

    def to_text(self) -> str:
        """Write it for a store."""
        notices = [notice.to_json() for notice in self.notices]
        return write_text({"v": 1, "to": self.location, "name": self.client_name, "notices": notices})

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read what `to_text` wrote; what another version wrote is none."""
        match read(text):
            case {"v": 1, "to": str(location), "name": str(name), "notices": list(found)}:
                return cls(location=location, client_name=name, notices=tuple(_notices(found)))
        return None

    @property
    def frames(self) -> tuple[str, ...]:
        """The origins that the page opens in frames."""
        return tuple(dict.fromkeys(web_origin(notice.frame) for notice in self.notices if notice.frame))


def _notices(found: Iterable[object]) -> Iterable[Notice]:
    """Read notices."""
    for value in found:
        match value:
            case {"name": str(name), "frame": str(frame), "posted": bool(posted)}:
                yield Notice(name=name, frame=frame, posted=posted)


def frame_of(client: Client, issuer: str, session_id: str) -> str:
    """Return the address that tells a client in a browser; empty when it has none that a page may open.

    ``iss`` and ``sid`` go along whether the client asks for them or not; what it registered under these names gives
    way.

    Spec: OIDC Front-Channel Logout 2 and 3.
    """
    uri = client.frontchannel_logout_uri
    parts = split(uri)
    if parts is None or not web_origin(uri) or _HOST.fullmatch(parts.hostname or "") is None:
        return ""
    return add_to_query(uri, [("iss", issuer), ("sid", session_id)], frozenset({"iss", "sid"}))


def logout_token(party: Party, issuer: str, jti: str, now: int) -> Mapping[str, object]:
    """Return the claims that tell a client that one of its sessions is over.

    Spec: OIDC Back-Channel Logout 2.4 (and no ``nonce``, so that it is never taken for an ID token).
    """
    return {
        "iss": issuer,
        "sub": party.sub,
        "aud": party.client_id,
        "iat": now,
        "exp": now + LOGOUT_TOKEN_TTL,
        "jti": jti,
        "events": {LOGOUT_EVENT: {}},
        "sid": party.session_id,
    }
