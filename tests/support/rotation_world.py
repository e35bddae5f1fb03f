"""A folder of keys, and daemons that rotate them, in a time that tests let pass."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.task import Clock as Timers

from konnectd.config.key_rotation_options import RotationSettings
from konnectd.config.key_settings import KeySettings
from konnectd.config.key_steps import Done
from konnectd.config.keys import build_ring, load_signing_keys, load_validation_keys
from konnectd.config.read_keys import ReadKeys
from konnectd.jose.keys import KeyRing
from konnectd.key_rotation import KeyRotation
from konnectd.option import ConfigError
from konnectd.reloading import NOT_DONE, Outcome
from tests.support.key_folders import MADE, Installation

HOUR = 3600
AHEAD, PERIOD, LIFE = 10 * HOUR, 30 * HOUR, 20 * HOUR
BROKEN = Outcome(done=False, faults=(ConfigError("client", "is broken", "clients.yaml:3"),))
#: What can come of a reload.
GOOD, REFUSED, ENDS = "good", "refused", "ends"
Made = TypeVar("Made")


class World:
    """A folder of keys, a clock, and the files that a reload reads beside them.

    Attributes:
        place: the keys.
        timers: the clock that nobody sets, and what waits for it.
        offset: by how much the clock of the day has been set, in seconds.
        coming: what comes of the next reloads; all others are good.
    """

    def __init__(self, place: Installation) -> None:
        """Begin an hour after the first key began to sign."""
        self.place = place
        self.timers = Timers()
        self.offset = 0
        self.coming: list[str] = []

    def now(self) -> int:
        """Return the time of day."""
        return MADE + HOUR + int(self.timers.seconds()) + self.offset

    def settings(self) -> KeySettings:
        """Return what names the keys."""
        rotation = RotationSettings(key_rotation=PERIOD, key_rotation_ahead=AHEAD)
        return self.place.settings(signing_method="ES256", token_life=LIFE, rotation=rotation)

    def ring(self, known: ReadKeys) -> KeyRing:
        """Read the keys as a start does."""
        signing = load_signing_keys((self.place.link,), "", "ES256", known)
        validation = load_validation_keys(self.place.keys, warn=_ignore, known=known)
        return build_ring(signing, validation, "ES256", warn=_ignore)

    def wait(self, hours: float) -> None:
        """Let time pass, a quarter of an hour at once."""
        self.timers.pump([HOUR / 4] * int(hours * 4))


def _ignore(_: str) -> None:
    """Hear of keys that are not RSA."""


async def at_once(work: Callable[[], Made]) -> Made:
    """Do in no thread what takes no time here."""
    return work()


class Daemon:
    """A daemon of that world.

    Attributes:
        ring: the keys that count.
        read_keys: the same, as they were read.
        reasons: for which something was read anew.
        told: steps that were told of.
    """

    def __init__(self, world: World, in_thread: Callable[..., Awaitable[object]] = at_once) -> None:
        """Start it."""
        self.world = world
        self.read_keys = ReadKeys()
        self.ring = world.ring(self.read_keys)
        self.reasons: list[str] = []
        self.told: list[Done] = []
        self.service = KeyRotation(
            world.settings(),
            self.ring,
            self.read_keys,
            self.reload,
            clock=world,
            reactor=world.timers,
            in_thread=in_thread,  # type: ignore[arg-type] # a fault of ours is one of the things that it can give
            tell=self.told.append,
            steady=world.timers.seconds,
        )
        self.service.startService()

    async def reload(self, reason: str) -> Outcome:
        """Read everything anew, unless something is broken, or the daemon ends."""
        self.reasons.append(reason)
        match self.world.coming.pop(0) if self.world.coming else GOOD:
            case "refused":
                return BROKEN
            case "ends":
                self.stop()
                return NOT_DONE
        self.read_keys = ReadKeys()
        self.ring = self.world.ring(self.read_keys)
        self.service.know(self.world.settings(), self.ring, self.read_keys)
        return Outcome(done=True)

    @property
    def signs(self) -> str:
        """The id of the key that signs."""
        return self.ring.signing[0].kid

    @property
    def changes(self) -> list[tuple[str, str]]:
        """What was told."""
        return [(done.change.value, done.kid) for done in self.told]

    def stop(self) -> None:
        """End it."""
        self.service.stopService()
