"""Reloading that costs a start nothing: what reads files anew is imported when somebody wants it for the first time."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import frozen
from twisted.internet.threads import deferToThreadPool

from konnectd.background import Background
from konnectd.config.contents import Contents
from konnectd.config.settings import Settings
from konnectd.jose.signing import Defer
from konnectd.looks import Looks
from konnectd.notices import Notices
from konnectd.parts import World
from konnectd.reloading import NOT_DONE, Outcome, Reloads
from konnectd.web.route import Route
from konnectd.web.site import Site

if TYPE_CHECKING:
    from konnectd.config.changes import Changes
    from konnectd.generations import Generations

_Made = TypeVar("_Made")


class Watching(Protocol):
    """Whoever counts reloads and writes them down."""

    def reloaded(self, reason: str, settings: Settings, contents: Contents, changes: "Changes") -> None:
        """Note what counts now."""
        ...

    def not_reloaded(self, reason: str, faults: int) -> None:
        """Note that nothing has changed."""
        ...


@frozen(kw_only=True)
class Standing:
    """What all generations of a daemon have in common, besides their worlds' store and backend.

    Attributes:
        site: has the connections.
        background: does what nobody waits for.
        more: routes that belong to no generation.
        reactor: Twisted's.
        defer: where slow keys sign.
        files: digests of files that only a start reads, by the option that names them.
        watching: counts and writes down; None for nobody.
    """

    site: Site
    background: Background
    more: tuple[Route, ...]
    reactor: Any
    defer: Defer
    files: Mapping[str, str]
    watching: Watching | None = None

    def in_thread(self, work: Callable[[], _Made]) -> Awaitable[_Made]:
        """Do something that takes its time beside the reactor."""
        return deferToThreadPool(self.reactor, self.reactor.getThreadPool(), work)


def build_reloads(world: World, looks: Looks, standing: Standing, notices: Notices) -> Reloads:
    """Make what lets count what files say now.

    Args:
        world: counts now.
        looks: the same.
        standing: what those that follow have in common with it.
        notices: tell who started the process.
    """

    @cache
    def generations() -> "Generations":
        from konnectd.generations import Generation, Generations  # noqa: PLC0415 - see above

        return Generations(Generation(world=world, looks=looks), standing, lambda: bool(made.running))

    async def work(reason: str) -> Outcome:
        outcome = NOT_DONE
        notices.reloading()
        try:
            # In a thread because of what it imports the first time.
            outcome = await (await standing.in_thread(generations)).reload(reason)
        finally:
            notices.reloaded(faults=len(outcome.faults))
        return outcome

    made = Reloads(work)
    return made
