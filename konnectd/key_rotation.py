"""Rotation of the signing keys by the running daemon: when it looks, what it does, and what it tells.

What is due is decided by `konnectd.protocol.key_rotation`, files are changed by `konnectd.config.key_steps`, and what
has changed counts by a reload. A step that a reload refuses is taken back, because what is written about a key has to
be what clients have seen of it. Before anything is changed it is tried whether there can be a reload at all.

Several daemons may share a folder. Each looks; one of them finds the lock free and does it, and the others see at their
next look that something was changed.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from konnectd.config.changes import Changes
from konnectd.config.contents import Contents
from konnectd.config.key_changes import KeyChanges, RefusedError
from konnectd.config.key_folder import KeyFolder, read_folder, shown_time
from konnectd.config.key_settings import KeySettings
from konnectd.config.key_steps import Done, KeyChange, rotate, take_back
from konnectd.config.read_keys import ReadKeys
from konnectd.config.safe_folder import BusyError, UnsafeError
from konnectd.config.settings import Settings
from konnectd.interfaces import Clock
from konnectd.jose.keys import KeyRing
from konnectd.protocol.course import Course
from konnectd.protocol.key_publication import pace
from konnectd.protocol.key_rotation import Rules, from_the_future, plan
from konnectd.reloading import Outcome

if TYPE_CHECKING:
    from konnectd.late_generations import Watching

log = Logger(namespace="konnectd")

#: How long after the start it is looked first, in seconds: by then a clock that was wrong at start is right.
FIRST_LOOK = 60
_HOUR, _DAY = 3600, 86_400

Made = TypeVar("Made")
#: Reads everything anew and lets it count; told why.
Reload: TypeAlias = Callable[[str], Awaitable[Outcome]]
#: Told of each step that was done and counts.
Tell: TypeAlias = Callable[[Done], object]

# It carries no types.
_Service: Any = Service


class InThread(Protocol):
    """Does in a thread what takes long, such as making a key."""

    def __call__(self, work: Callable[[], Made], /) -> Awaitable[Made]:
        """Return what the work returns, later."""
        ...


@frozen
class Mark:
    """What can be seen of keys, to tell whether they have changed.

    Attributes:
        published: id and thumbprint of each.
        active: the ids of those that sign, in their order.
    """

    published: frozenset[tuple[str, str]]
    active: tuple[str, ...]

    @classmethod
    def of_ring(cls, ring: KeyRing) -> "Mark":
        """Return that of the keys that count."""
        published = frozenset((key.kid, key.thumbprint) for key in ring.by_kid.values())
        return cls(published, tuple(key.kid for key in ring.signing))

    @classmethod
    def of_folder(cls, found: KeyFolder) -> "Mark":
        """Return that of the keys that lie there."""
        published = frozenset((key.public.kid, key.public.thumbprint) for key in found.keys)
        return cls(published, tuple(key.dated.kid for key in found.keys if key.dated.active))


@frozen(kw_only=True)
class _Work:
    """What came of doing what is due.

    Attributes:
        done: the steps, in order.
        found: the keys as they lie there now.
        trouble: why there are not more.
    """

    done: tuple[Done, ...]
    found: KeyFolder
    trouble: Exception | None


class KeyRotation(_Service):  # type: ignore[misc] # without types
    """Rotates keys, from the start of the daemon to its end."""

    name = "key-rotation"

    def __init__(
        self,
        settings: KeySettings,
        ring: KeyRing,
        read_keys: ReadKeys,
        reload: Reload,
        *,
        clock: Clock,
        reactor: Any,  # noqa: ANN401 - Twisted's reactor has no one type
        in_thread: InThread,
        tell: Tell = lambda _: None,
        others: "Watching | None" = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is needed.

        Args:
            settings: name the keys, and say how they are rotated.
            ring: the keys that count.
            read_keys: the same as they were read. To understand one again keeps everybody waiting, even in a thread.
            reload: lets others count.
            clock: tells the time of day.
            reactor: waits.
            in_thread: does what takes long.
            tell: told of each step that was done and counts.
            others: want to hear of reloads as well; None for nobody.
            steady: seconds by a clock that nobody sets.
        """
        self._settings = settings
        self._reload = reload
        self._clock = clock
        self._reactor = reactor
        self._in_thread = in_thread
        self._tell = tell
        self._others = others
        self._steady = steady
        rotation = settings.rotation
        self._pace = pace(rotation.key_rotation_ahead)
        self._rules = Rules(
            ahead=rotation.key_rotation_ahead,
            period=rotation.key_rotation,
            slack=self._pace,
            token_life=settings.token_life,
        )
        self._ring = ring
        self._read_keys = read_keys
        self._known: Mark | None = None
        self._refused = False
        self._course: Course | None = None
        self._next: Any = None
        self._looking: Deferred[None] | None = None

    def reloaded(self, reason: str, settings: Settings, contents: Contents, changes: Changes) -> None:
        """Hear of a reload, whoever asked for it."""
        self.know(KeySettings.of(settings), contents.keys, contents.read_keys)
        if self._others is not None:
            self._others.reloaded(reason, settings, contents, changes)

    def know(self, settings: KeySettings, ring: KeyRing, read_keys: ReadKeys) -> None:
        """Go on from keys that may lie somewhere else now, or be others."""
        self._settings = settings
        self._ring = ring
        self._read_keys = read_keys
        self._known = None

    def not_reloaded(self, reason: str, faults: int) -> None:
        """Hear of a reload that has changed nothing."""
        if self._others is not None:
            self._others.not_reloaded(reason, faults)

    def startService(self) -> None:
        """Say what is going to happen, and wait."""
        super().startService()
        log.info(
            "signing keys are rotated: each signs for {days} days, and is published {hours} hours before",
            days=round(self._rules.period / _DAY, 1),
            hours=round(self._rules.ahead / _HOUR, 1),
        )
        self._course = Course(wall=self._clock.now(), steady=self._steady())
        self._next = self._reactor.callLater(FIRST_LOOK, self._begin)

    def stopService(self) -> None:
        """Look no more; a step that is under way in a thread comes to its end."""
        super().stopService()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._looking is not None:
            self._looking.cancel()

    def _begin(self) -> None:
        """Look."""
        self._next = None
        looking = Deferred.fromCoroutine(self._turn())
        if not looking.called:
            self._looking = looking

    async def _turn(self) -> None:
        """Look, tell what goes wrong, and plan the next look."""
        try:
            await self._look()
        except CancelledError:
            return
        except BusyError:
            log.debug("another one changes the signing keys now")
        except (RefusedError, UnsafeError) as error:
            log.error("signing keys can not be rotated: {problem}", problem=str(error))
        except OSError as error:
            problem = f"{error.filename or 'a file'} can not be changed: {error.strerror}"
            log.error("signing keys can not be rotated: {problem}", problem=problem)
        except Exception:
            log.failure("rotating signing keys failed: our fault")
        finally:
            self._looking = None
        if self.running:
            self._next = self._reactor.callLater(self._pace, self._begin)

    async def _look(self) -> None:
        """Take over what others have changed, and do what is due."""
        now = self._clock.now()
        believed = self._follow(now)
        found = await self._in_thread(self._read)
        if (self._refused or self._has_changed(found)) and not await self._adopt(found, "signing keys were changed"):
            return
        if not believed or not plan(found.dated, self._rules, now):
            self._doubt(found, now)
            return
        # Nothing is changed that could not count.
        if await self._adopt(found, "before signing keys are rotated"):
            await self._rotate(now)

    def _has_changed(self, found: KeyFolder) -> bool:
        """Tell whether other keys lie there than those that count.

        After a reload, what lies there is compared with what counts; later on with what lay there before, because a
        file that is left out by a reload would be seen as a change for ever.
        """
        if self._known is None:
            self._known = Mark.of_ring(self._ring)
        return Mark.of_folder(found) != self._known

    def _follow(self, now: int) -> bool:
        """Hold the clock of the day against the other one, and tell whether it can be believed."""
        steady = self._steady()
        before = self._course or Course(wall=now, steady=steady)
        self._course = before.follow(now, steady, self._rules.lead)
        if before.believed and not self._course.believed:
            log.warn(
                "the clock was set forward by {lead} seconds; signing keys stay as they are for {patience} seconds",
                lead=self._course.lead,
                patience=self._rules.lead,
            )
        return self._course.believed

    def _doubt(self, found: KeyFolder, now: int) -> None:
        """Tell when a key has dates that are yet to come."""
        key = from_the_future(found.dated, self._rules, now)
        if key is not None:
            log.warn(
                "signing key {kid} has a date that is yet to come, {moment}; it is not rotated before",
                kid=key.kid,
                moment=shown_time(max(key.published_at, key.since)),
            )

    async def _adopt(self, found: KeyFolder, reason: str) -> bool:
        """Let the keys count that lie there, and tell whether they do."""
        outcome = await self._reload(reason)
        self._refused = not outcome.done
        if outcome.done:
            self._known = Mark.of_folder(found)
        elif self.running:
            self._complain(outcome)
        return outcome.done

    def _complain(self, outcome: Outcome) -> None:
        """Say why nothing is rotated."""
        faults = "; ".join(str(fault) for fault in outcome.faults) or "see above"
        log.error("signing keys are not rotated until the configuration can be read again: {faults}", faults=faults)

    async def _rotate(self, now: int) -> None:
        """Do what is due, and let it count; what does not count is taken back.

        Raises:
            RefusedError, UnsafeError, OSError: something could not be done; what was done before counts.
        """
        settings = self._settings
        work = await self._in_thread(lambda: self._change(settings, now))
        if work.done and await self._adopt(work.found, "rotation of signing keys"):
            for step in work.done:
                _log(step)
                self._tell(step)
        elif work.done and self.running:
            # A daemon that ends is no reason: what was changed counts at the next start.
            self._known = Mark.of_folder(await self._in_thread(lambda: self._take_back(settings, work.done, now)))
        if work.trouble is not None:
            raise work.trouble

    def _read(self) -> KeyFolder:
        """Read the keys as they lie there."""
        paths, folder = self._settings.signing_private_key, self._settings.validation_keys_path
        return read_folder(paths, folder, known=ReadKeys(self._read_keys))

    def _change(self, settings: KeySettings, now: int) -> "_Work":
        """Do what is due, as far as it can be done, and read the keys again."""
        done: list[Done] = []
        trouble: Exception | None = None
        with KeyChanges.begin(settings, now, self._read_keys) as changes:
            try:
                for step in rotate(changes, self._rules):
                    done.append(step)
            except (RefusedError, UnsafeError, OSError) as error:
                trouble = error
            return _Work(done=tuple(done), found=changes.read(), trouble=trouble)

    def _take_back(self, settings: KeySettings, done: tuple[Done, ...], now: int) -> KeyFolder:
        """Undo what was done, and read the keys again."""
        with KeyChanges.begin(settings, now, self._read_keys) as changes:
            for step in reversed(done):
                take_back(changes, step, self._rules)
            return changes.read()


def _log(done: Done) -> None:
    """Tell the operator of a step."""
    match done.change:
        case KeyChange.PUBLISHED:
            moment = shown_time(done.usable_at)
            log.info(
                "signing key {kid} is made and published; it may sign from {moment} on", kid=done.kid, moment=moment
            )
        case KeyChange.ACTIVATED:
            log.info("signing key {kid} signs now, in the place of {before}", kid=done.kid, before=done.instead_of)
        case KeyChange.STRIPPED:
            log.info("of the signing key {kid} only the public half is kept", kid=done.kid)
        case KeyChange.RETIRED:
            log.info("signing key {kid} is taken away: nothing that it signed is good any more", kid=done.kid)
