"""What backends and stores may be able to tell of how they are: use of their connections, and whether they answer.

Neither is asked of them. What has nothing to tell is simply not one of these.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from attrs import frozen


@frozen(kw_only=True)
class PoolUse:
    """How connections of one kind are used at a moment.

    Attributes:
        name: of the kind; one of a few words of ours.
        busy: connections with something to do, or turns that are taken.
        idle: open connections without.
        limit: how many there may be.
        waiting: what waits for one.
    """

    name: str
    busy: int
    idle: int
    limit: int
    waiting: int


@runtime_checkable
class Pooled(Protocol):
    """Something with connections."""

    def pools(self) -> Iterable[PoolUse]:
        """Return the use of each kind."""
        ...


@runtime_checkable
class Probed(Protocol):
    """A source of users that can be asked whether it answers, at little cost and as often as every second."""

    async def probe(self) -> None:
        """Ask something easy.

        Raises:
            BackendUnavailableError: there is no answer.
        """
        ...
