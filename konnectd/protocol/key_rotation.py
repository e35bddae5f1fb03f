"""How signing keys come and go: what may happen to each, and when.

A key is published for some time before it signs, so that everybody who keeps the key set has met it by then. It stays
published after it was replaced until the last token is over that it may have signed. Between the two there is exactly
one key of its kind that signs. Where keys lie is `konnectd.config.key_folder`.

Spec: OIDC Core 10.1.1 (rotation of asymmetric signing keys).
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from konnectd.protocol.key_publication import AHEAD

#: How long the daemon may go on signing with a key that was replaced, in seconds: until it is told.
UNTOLD = 24 * 3600


class KeyState(StrEnum):
    """What a key is there for."""

    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRED = "retired"


@frozen(kw_only=True)
class DatedKey:
    """A key, and what has happened to it.

    Attributes:
        kind: keys of one kind can take each other's place.
        published_at: since when it can be met, in seconds since the epoch.
        active_at: when it has begun to sign; None when it never has.
        replaced_at: when another one took its place; None when none has.
        active: it signs.
        private: its private half is there too.
        certain: it is known what happened to it, and not only concluded; nothing else is changed by a timer.
    """

    kid: str
    kind: str
    published_at: int
    active_at: int | None = None
    replaced_at: int | None = None
    active: bool = False
    private: bool = True
    certain: bool = True

    @property
    def state(self) -> KeyState:
        """What it is there for."""
        if self.active:
            return KeyState.ACTIVE
        return KeyState.PUBLISHED if self.replaced_at is None else KeyState.RETIRED

    @property
    def since(self) -> int:
        """When it came into its state."""
        if self.active:
            return self.published_at if self.active_at is None else self.active_at
        return self.published_at if self.replaced_at is None else self.replaced_at


@frozen(kw_only=True)
class Rules:
    """How long everything takes.

    Attributes:
        ahead: what a key has to be published before it signs, in seconds.
        token_life: of the longest lived token, in seconds; None when some never end.
        period: how long a key signs before another one takes its place, in seconds; 0 for ever.
        slack: how much later than its date a key may in fact be published, in seconds, because not everybody who
            publishes it looks at once.
    """

    ahead: int = AHEAD
    token_life: int | None
    period: int = 0
    slack: int = 0

    @property
    def lead(self) -> int:
        """What has to be between the date of a key and its first signature, in seconds."""
        return self.ahead + self.slack

    def usable_at(self, key: DatedKey) -> int:
        """Return when a key may begin to sign."""
        return key.published_at + self.lead

    def removable_at(self, key: DatedKey) -> int | None:
        """Return when a key may go; None for never, as long as it is what it is.

        One that has never signed may go at any time.
        """
        if key.active:
            return None
        if key.replaced_at is None:
            return key.published_at
        return None if self.token_life is None else key.replaced_at + UNTOLD + self.token_life


def from_the_future(keys: Iterable[DatedKey], rules: Rules, now: int) -> DatedKey | None:
    """Return a key to which something has happened later than now: the clock is wrong, or it was.

    For such a key nothing is due before its time has come, which is safe, and may be too late by years.
    """
    return next((key for key in keys if max(key.published_at, key.since) > now + rules.slack), None)


@frozen
class Publish:
    """Make a key that can take the place of another one, and publish it."""

    like: DatedKey


@frozen
class Activate:
    """Let a key sign in the place of another one."""

    key: DatedKey
    instead_of: DatedKey


@frozen
class Strip:
    """Keep of a key its public half alone: nobody can sign with what is not there."""

    key: DatedKey


@frozen
class Retire:
    """Take a key away."""

    key: DatedKey


Step: TypeAlias = Publish | Activate | Strip | Retire


def plan(keys: Iterable[DatedKey], rules: Rules, now: int) -> tuple[Step, ...]:
    """Say what is due, in the order in which it should be done.

    Doing it and asking again at once gives nothing more: what was done has to age first. So nothing is ever hurried by
    a command that runs too often, and what a missed run would have done, the next one does.

    Args:
        keys: all there are.
        rules: how long everything takes.
        now: seconds since the epoch.
    """
    everything = tuple(keys)
    steps: list[Step] = []
    for key in everything:
        if key.active and rules.period:
            steps += _successor(key, everything, rules, now)
    for key in everything:
        if key.state is KeyState.RETIRED and key.certain:
            steps += _end(key, rules, now)
    return tuple(steps)


def waiting(like: DatedKey, keys: Iterable[DatedKey]) -> DatedKey | None:
    """Return the key that is published to take another one's place: of several the one that has waited longest."""
    fitting = [key for key in keys if key.state is KeyState.PUBLISHED and key.kind == like.kind and key.private]
    return min(fitting, key=lambda key: (key.published_at, key.kid), default=None)


def _successor(key: DatedKey, keys: tuple[DatedKey, ...], rules: Rules, now: int) -> Iterator[Step]:
    """Yield what is due for the key that signs."""
    due = key.since + rules.period
    following = waiting(key, keys)
    if following is None:
        if now >= due - rules.lead:
            yield Publish(key)
    elif now >= due and now >= rules.usable_at(following):
        yield Activate(following, key)


def _end(key: DatedKey, rules: Rules, now: int) -> Iterator[Step]:
    """Yield what is due for a key that was replaced; its private half stays while somebody may want to go back."""
    removable_at = rules.removable_at(key)
    if removable_at is not None and now >= removable_at:
        yield Retire(key)
    elif key.private and now >= key.since + UNTOLD:
        yield Strip(key)
