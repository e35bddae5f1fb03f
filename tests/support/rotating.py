"""Daemons that rotate the keys of one folder, in a world where only time passes: no files, no keys, no network.

What each believes and publishes is what it has read last. It is noted when tokens of a key end, and when somebody has
last served a set of keys without it; by these the two promises are checked: no token is refused, and no key signs that
clients may not have met.
"""

from attrs import define, evolve, field

from konnectd.protocol.course import Course
from konnectd.protocol.key_rotation import (
    Activate,
    DatedKey,
    Publish,
    Retire,
    Rules,
    Step,
    Strip,
    plan,
)


class BrokenPromiseError(Exception):
    """A token is refused, or a key signs too early."""


@define
class Daemon:
    """One daemon.

    Attributes:
        course: of its clock.
        offset: by how much its clock is wrong, in seconds.
        next_look: when it looks again, in seconds of the world.
        published: the ids of keys that it publishes; empty while it is off.
        active: the id of the key by which it signs.
    """

    course: Course
    offset: int = 0
    next_look: int = 0
    published: frozenset[str] = frozenset()
    active: str = ""

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return bool(self.published)


@define
class Folder:
    """A folder of keys, and the daemons that share it.

    Attributes:
        rules: how long everything takes.
        pace: how often each looks, in seconds.
        now: the time of the world.
        keys: that lie there.
        daemons: that share it.
        ends: when the last token of each key ends.
        without: when a set of keys was last served in which a key was missing.
        made: how many keys were made.
    """

    rules: Rules
    pace: int
    now: int
    keys: list[DatedKey]
    daemons: list[Daemon]
    ends: dict[str, int] = field(factory=dict)
    without: dict[str, int] = field(factory=dict)
    made: int = 0

    @classmethod
    def begin(cls, rules: Rules, pace: int, now: int, count: int) -> "Folder":
        """Begin with one key, and start some daemons."""
        first = DatedKey(kid="k0", kind="RSA", published_at=now, active_at=now, active=True)
        daemons = [Daemon(course=Course(wall=now, steady=now)) for _ in range(count)]
        folder = cls(rules=rules, pace=pace, now=now, keys=[first], daemons=daemons)
        for daemon in daemons:
            folder.start(daemon)
        return folder

    @property
    def life(self) -> int:
        """How long a token is good."""
        return self.rules.token_life or 0

    def start(self, daemon: Daemon) -> None:
        """Let a daemon read the keys, and go on from here."""
        wall = self.now + daemon.offset
        daemon.course = Course(wall=wall, steady=self.now)
        daemon.next_look = self.now + 60
        self._read(daemon)

    def stop(self, daemon: Daemon) -> None:
        """End a daemon."""
        daemon.published, daemon.active = frozenset(), ""

    def wait(self, seconds: int) -> None:
        """Let time pass, and everybody look who has to."""
        end = self.now + seconds
        while True:
            due = min((daemon.next_look for daemon in self.daemons if daemon.is_up), default=end)
            if due >= end:
                break
            self._pass(max(due, self.now))
            for daemon in self.daemons:
                if daemon.is_up and daemon.next_look <= self.now:
                    self._look(daemon)
        self._pass(end)

    def _pass(self, until: int) -> None:
        """Let everybody sign and serve keys until a moment."""
        self.now = until
        for daemon in filter(lambda daemon: daemon.is_up, self.daemons):
            self.ends[daemon.active] = until + self.life
            for key in self.keys:
                if key.kid not in daemon.published:
                    self.without[key.kid] = until
            refused = {kid for kid, end in self.ends.items() if end > until} - daemon.published
            if refused:
                raise BrokenPromiseError(f"tokens of {refused} are refused at {until}")

    def _look(self, daemon: Daemon) -> None:
        """Let a daemon look as `konnectd.key_rotation` does."""
        daemon.next_look = self.now + self.pace
        wall = self.now + daemon.offset
        daemon.course = daemon.course.follow(wall, self.now, self.rules.lead)
        self._read(daemon)
        if daemon.course.believed:
            for step in plan(self.keys, self.rules, wall):
                self._do(step, wall)
            self._read(daemon)

    def _read(self, daemon: Daemon) -> None:
        """Let the keys count for a daemon that lie there."""
        (active,) = [key.kid for key in self.keys if key.active]
        daemon.published = frozenset(key.kid for key in self.keys)
        waited = self.now - self.without.get(active, -self.rules.ahead)
        if active not in {daemon.active, "k0"} and waited < self.rules.ahead:
            raise BrokenPromiseError(f"{active} signs {waited} seconds after somebody published keys without it")
        daemon.active = active

    def _do(self, step: Step, wall: int) -> None:
        """Do what is due, as `konnectd.config.key_changes` does."""
        match step:
            case Publish(like=like):
                self.made += 1
                self.keys.append(DatedKey(kid=f"k{self.made}", kind=like.kind, published_at=wall))
                # Whoever has asked for keys just before has not seen it.
                self.without[f"k{self.made}"] = self.now
            case Activate(key=key, instead_of=before):
                self._change(evolve(key, active=True, active_at=wall))
                self._change(evolve(before, active=False, replaced_at=wall))
            case Strip(key=key):
                self._change(evolve(key, private=False))
            case Retire(key=key):
                self.keys = [other for other in self.keys if other.kid != key.kid]

    def _change(self, key: DatedKey) -> None:
        """Put a key in the place of what it was."""
        self.keys = [key if other.kid == key.kid else other for other in self.keys]
