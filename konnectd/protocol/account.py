"""What is kept about a person besides their account: what they allowed to whom, and where they are signed in.

Everything here is written to a store and read back later, so each value carries a version. Keys hold digests: whoever
reads the store's keys learns neither who somebody is nor what they use.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Any, Self

from attrs import evolve, field, frozen

from konnectd.jsontext import read, write_text
from konnectd.protocol.scope import Scope

#: The format of everything here; raise it when older values must not be read any more.
VERSION = 1


def _read(text: str | None) -> Any:  # noqa: ANN401 - JSON has no one type; every reader matches on it
    """Read JSON; nothing for what is none."""
    if text is None:
        return None
    try:
        return read(text)
    except ValueError:
        return None


@frozen(kw_only=True)
class Remembered:
    """What a person has answered a client so far.

    Attributes:
        asked: everything they were asked about; what is beyond it is asked anew.
        granted: what of it they agreed to.
        since: when they first agreed, in seconds since the epoch.
    """

    asked: Scope
    granted: Scope
    since: int

    def settles(self, wanted: Scope) -> bool:
        """Tell whether there is nothing new to ask."""
        return self.asked.covers(wanted)

    def followed_by(self, later: "Remembered") -> "Remembered":
        """Return what holds after another answer: about what it was asked it counts, about the rest the old one does.

        Spec: OIDC Core 3.1.2.4.
        """
        kept = self.granted.without(*later.asked)
        return Remembered(
            asked=Scope.of((*self.asked, *later.asked)),
            granted=Scope.of((*kept, *later.granted)),
            since=self.since,
        )

    def to_text(self) -> str:
        """Write it for a store."""
        return write_text({"v": VERSION, "asked": str(self.asked), "granted": str(self.granted), "iat": self.since})

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """Read what `to_text` wrote; what another version wrote is no answer, and is asked for again."""
        match _read(text):
            case {"v": 1, "asked": str(asked), "granted": str(granted), "iat": int(since)}:
                return cls(asked=Scope.of(asked.split()), granted=Scope.of(granted.split()), since=since)
        return None


@frozen(kw_only=True)
class ListedClient:
    """That a person has something to do with a client: one entry of their list.

    Attributes:
        since: when that began, in seconds since the epoch.
        until: when the entry ends by itself.
        slot: where in the list it stands.
    """

    client_id: str
    since: int
    until: int
    slot: int = 0

    def at(self, slot: int) -> "ListedClient":
        """Return the entry as it is known at its place."""
        return evolve(self, slot=slot)

    def to_text(self) -> str:
        """Write it for a store."""
        return write_text(
            {"v": VERSION, "client": self.client_id, "iat": self.since, "exp": self.until, "slot": self.slot}
        )

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """Read what `to_text` wrote."""
        match _read(text):
            case {"v": 1, "client": str(client_id), "iat": int(since), "exp": int(until), "slot": int(slot)}:
                return cls(client_id=client_id, since=since, until=until, slot=slot)
        return None


@frozen(kw_only=True)
class ListedGrant:
    """One grant with a refresh token.

    Attributes:
        grant_id: what revokes it.
        since: when it was made, in seconds since the epoch.
        session_id: the session it ends with; empty for none.
    """

    grant_id: str
    scope: Scope
    since: int
    session_id: str = field(default="", repr=False)

    def to_text(self) -> str:
        """Write it for a store."""
        return write_text(
            {"v": VERSION, "id": self.grant_id, "scope": str(self.scope), "iat": self.since, "sid": self.session_id}
        )

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """Read what `to_text` wrote."""
        match _read(text):
            case {"v": 1, "id": str(grant_id), "scope": str(scope), "iat": int(since), "sid": str(session_id)}:
                return cls(grant_id=grant_id, scope=Scope.of(scope.split()), since=since, session_id=session_id)
        return None


@frozen(kw_only=True)
class ListedSession:
    """One browser somebody is signed in with.

    Attributes:
        started_at: in seconds since the epoch.
        browser: its family, such as ``Firefox``; empty when nobody can tell.
        system: what it runs on, such as ``Linux``; empty when nobody can tell.
        kept: whether it outlives the browser.
    """

    session_id: str = field(repr=False)
    started_at: int
    browser: str = ""
    system: str = ""
    kept: bool = False

    def to_text(self) -> str:
        """Write it for a store."""
        kept = {"kept": True} if self.kept else {}
        return write_text(
            {
                "v": VERSION,
                "sid": self.session_id,
                "iat": self.started_at,
                "on": self.browser,
                "os": self.system,
                **kept,
            }
        )

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """Read what `to_text` wrote."""
        match _read(text):
            case {"v": 1, "sid": str(session_id), "iat": int(started_at), "on": str(on), "os": str(system), **more}:
                kept = more.get("kept") is True
                return cls(session_id=session_id, started_at=started_at, browser=on, system=system, kept=kept)
        return None


@frozen(kw_only=True)
class Permit:
    """What a client may do for a person, as they see it.

    Attributes:
        since: when it began, in seconds since the epoch.
        scope: everything they agreed to, or that tokens of theirs are good for.
    """

    client_id: str
    since: int
    scope: Scope


def person_of(sub: str) -> str:
    """Name a person in keys."""
    return blake2b(sub.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@lru_cache(maxsize=1024)
def pair_of(sub: str, client_id: str) -> str:
    """Name a person at a client in keys."""
    return blake2b(f"{sub} {client_id}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def remembered_key(sub: str, client_id: str) -> str:
    """Name the entry of what a person has answered a client."""
    return f"permit:{VERSION}:{pair_of(sub, client_id)}"


def listed_key(sub: str, client_id: str) -> str:
    """Name the entry that says where in a person's list a client stands."""
    return f"listed:{VERSION}:{pair_of(sub, client_id)}"
