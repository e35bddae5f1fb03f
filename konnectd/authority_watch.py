"""External authorities as a service: asked once at start, so that nobody has to wait, and let go of at the end."""

from collections.abc import Iterable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from konnectd.authority import Authority, AuthorityError

log = Logger(namespace="konnectd")


class AuthorityWatch(Service):
    """Tries every authority at start; one that does not answer may come up after us."""

    def __init__(self, authorities: Iterable[Authority]) -> None:
        """Keep them."""
        self._authorities = tuple(authorities)
        self._trying: list[Deferred[None]] = []

    def startService(self) -> None:
        """Begin to try."""
        super().startService()  # type: ignore[no-untyped-call] # without types
        self._trying = [Deferred.fromCoroutine(_check(authority)) for authority in self._authorities]

    def stopService(self) -> Any:  # noqa: ANN401 - as Twisted has it
        """Break off what is under way, and let go of all."""
        super().stopService()  # type: ignore[no-untyped-call] # without types
        for trying in self._trying:
            trying.cancel()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        """Let go of all."""
        for authority in self._authorities:
            await authority.close()


async def _check(authority: Authority) -> None:
    """Try one."""
    name = authority.entry.authority_id
    try:
        found = await authority.check()
    except AuthorityError as error:
        text = "authority {authority} is not ready, nobody can sign in there until it is: {error}"
        log.warn(text, authority=name, error=str(error))
    except CancelledError:
        return
    else:
        log.info("authority {authority} is ready: {found}", authority=name, found=found)
