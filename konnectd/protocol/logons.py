"""How long a logon counts, and how many a browser may hold beside each other.

A logon counts for a day, in a cookie that ends with the browser, unless its person asked to stay signed in: then it
counts until it was not used for a while (the idle limit), and never longer than a while after they proved who they are
(the absolute limit). Both ends are sealed in, so that a copied cookie is worth no more than the one it was copied from;
and they are held against what the operator allows today, so that lowering a limit is felt at once.

Who it is that a request means stands in `konnectd.protocol.interaction`.
"""

from collections.abc import Mapping
from typing import Self

from attrs import frozen

from konnectd.protocol.end_user import Logon

#: How long a logon counts that ends with the browser, in seconds, however long the browser keeps it.
LOGON_TTL = 24 * 3600
#: How many logons a browser holds at most besides the current one; each is a cookie that travels with every request.
MOST_BESIDE = 4
#: Use is noted at most once in this part of the idle limit, and at most once in this many seconds.
_NOTES_PER_IDLE = 10
_LONGEST_BETWEEN_NOTES = 3600


@frozen(kw_only=True)
class HeldLogon:
    """A logon as a browser holds it.

    Attributes:
        logon: who proved what and when; it is the same for as long as the session lasts.
        used_at: when it was last noted that it is in use, in seconds since the epoch.
        until: when it ends unless it is used again, in seconds since the epoch.
    """

    logon: Logon
    used_at: int
    until: int

    def to_json(self) -> dict[str, object]:
        """Write it for sealing; one that ends with the browser looks as it always has."""
        if not self.logon.kept:
            return self.logon.to_json()
        return {**self.logon.to_json(), "use": self.used_at, "end": self.until}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self | None:
        """Read what `to_json` wrote, now or before there was anything to note."""
        logon = Logon.from_json(value)
        if logon is None:
            return None
        if not logon.kept:
            return cls(logon=logon, used_at=logon.auth_time, until=_bounded(logon.auth_time + LOGON_TTL, logon))
        match value:
            case {"use": int(used_at), "end": int(until)}:
                return cls(logon=logon, used_at=used_at, until=until)
        return None


@frozen(kw_only=True)
class Stay:
    """Whether people may stay signed in who ask for it, and for how long.

    Attributes:
        offered: whether they are asked.
        preset: whether the box is ticked before they have looked at it.
        idle: after how many seconds without use their logon ends.
        lifetime: after how many seconds it ends however much it is used.
    """

    offered: bool = False
    preset: bool = False
    idle: int = 14 * 24 * 3600
    lifetime: int = 30 * 24 * 3600

    def keeps(self, logon: Logon) -> bool:
        """Tell whether a logon outlives the browser."""
        return self.offered and logon.kept

    def life(self, logon: Logon) -> int:
        """Return how long a logon may count since its proof, in seconds."""
        return self.lifetime if self.keeps(logon) else LOGON_TTL

    @property
    def longest(self) -> int:
        """How long any logon may count, in seconds."""
        return max(LOGON_TTL, self.lifetime) if self.offered else LOGON_TTL

    def use(self, logon: Logon, now: int) -> HeldLogon:
        """Return a logon as it is held once it is used; when it was proven stays what it is."""
        end = _bounded(logon.auth_time + self.life(logon), logon)
        return HeldLogon(logon=logon, used_at=now, until=min(end, now + self.idle) if self.keeps(logon) else end)

    def counts(self, held: HeldLogon, now: int) -> bool:
        """Tell whether a logon has not reached what was sealed into it, nor what is allowed today."""
        if now >= held.until or not held.logon.kept:
            return now < held.until
        return now < self.use(held.logon, held.used_at).until

    def is_due(self, held: HeldLogon, now: int) -> bool:
        """Tell whether it has to be noted that a logon is used: seldom, and not when that gives it no more time."""
        if not self.keeps(held.logon):
            return False
        between = min(self.idle // _NOTES_PER_IDLE, _LONGEST_BETWEEN_NOTES)
        return now - held.used_at >= max(between, 1) and self.use(held.logon, now).until > held.until


def _bounded(end: int, logon: Logon) -> int:
    """Return when a logon ends, which is no later than what an external authority has said.

    Spec: SAML 2.0 Core 2.7.2 (``SessionNotOnOrAfter``).
    """
    limit = logon.external.ends_at if logon.external is not None else None
    return end if limit is None else min(end, limit)
