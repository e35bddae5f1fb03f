"""Rotation of keys by the daemon. Those who do not want it need not wait for it: it is imported where it is wanted."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.threads import deferToThreadPool

from konnectd.parts import World
from konnectd.reloading import Outcome

if TYPE_CHECKING:
    from konnectd.config.key_steps import Done
    from konnectd.key_rotation import KeyRotation
    from konnectd.watch_assembly import Watch

_Made = TypeVar("_Made")


def build_rotation(
    world: World,
    reactor: Any,  # noqa: ANN401 - Twisted's reactor has no one type
    reload: Callable[[str], Awaitable[Outcome]],
    watch: "Watch | None",
) -> "KeyRotation | None":
    """Make what rotates keys; None where keys stay until somebody changes them.

    Args:
        world: counts now.
        reactor: not running yet.
        reload: lets count what files say.
        watch: told of each step, and through this of reloads; None for nobody.
    """
    if not world.settings.rotation.key_rotation:
        return None
    from konnectd.config.key_settings import KeySettings  # noqa: PLC0415 - see above
    from konnectd.key_rotation import KeyRotation  # noqa: PLC0415 - see above

    def in_thread(work: Callable[[], _Made]) -> Awaitable[_Made]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work)

    def tell(done: "Done") -> None:
        if watch is not None:
            watch.rotated(done.change.value, done.kid, done.instead_of)

    return KeyRotation(
        KeySettings.of(world.settings),
        world.contents.keys,
        world.contents.read_keys,
        reload,
        clock=world.clock,
        reactor=reactor,
        in_thread=in_thread,
        tell=tell,
        others=watch,
    )
