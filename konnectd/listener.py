"""Where the daemon listens: a service that opens addresses, and closes them without cutting anybody off.

A daemon that can not listen is of no use. It says why in one line of the log and ends with status 1, whoever runs it.
"""

import atexit
import errno
import os
import socket
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import (
    AdoptedStreamServerEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXServerEndpoint,
    serverFromString,
)
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.logger import Logger
from twisted.python.failure import Failure

from konnectd.address import Address
from konnectd.handed import Handed, left_to_open, take_all
from konnectd.option import ConfigError, ConfigErrors

log = Logger()

#: Connections the kernel keeps for us while we are busy.
_BACKLOG = 512
#: Begins an address that names a socket of systemd by its number or name.
_NAMED = "systemd:"


# They carry no types.
_Service: Any = Service
_unix_endpoint: Any = UNIXServerEndpoint
_described_endpoint: Any = serverFromString


class Drainable(Protocol):
    """A factory that can end its connections in order, such as `konnectd.web.site.Site`."""

    async def drain(self, seconds: float) -> None:
        """End all connections, after ``seconds`` by force."""
        ...


class ListenError(SystemExit, Exception):
    """An address can not be listened at, which has been logged.

    It ends a process that lets it through with status 1 and without another word. It is an `Exception` too, so that
    twistd tidies up its files on the way out.
    """


def end_process(reactor: Any, status: int) -> None:  # noqa: ANN401 - reactors are many interfaces at once
    """End the process in order, but with a status of its own, whoever runs it.

    twistd exits with 0 whenever its reactor stops, and can not be told otherwise; so the status is set last of all, on
    the way out of Python.

    Args:
        reactor: running, or about to run.
        status: other than 0.
    """
    atexit.register(_exit, status)
    reactor.callWhenRunning(_stop, reactor)


def _stop(reactor: Any) -> None:  # noqa: ANN401 - reactors are many interfaces at once
    """Stop a reactor, unless somebody else did."""
    with suppress(ReactorNotRunning):
        reactor.stop()


def _exit(status: int) -> None:  # pragma: no cover - ends the process that measures
    """End with a status."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class Listener(_Service):  # type: ignore[misc] # without types
    """Listens at some addresses, from the start of the daemon to its end.

    Attributes:
        failed: whether an address could not be listened at, so that the process has to end with status 1.
    """

    name = "listener"

    def __init__(
        self,
        addresses: Sequence[str],
        site: Drainable,
        reactor: Any,  # noqa: ANN401 - reactors are many interfaces at once
        drain_seconds: float = 10.0,
        end: Callable[[Any, int], object] = end_process,
        *,
        option: str = "listen",
        descriptors: Sequence[int] = (),
        opened: Callable[[], object] = lambda: None,
    ) -> None:
        """Read the addresses; nothing is opened yet.

        Args:
            addresses: at least one, unless sockets were handed over.
            site: makes the connections.
            reactor: opens the addresses.
            drain_seconds: how long requests may take to end when the daemon stops.
            end: ends a process, with a status, whose reactor ran already when listening failed.
            option: where the addresses were given.
            descriptors: sockets that systemd handed over. An address that one of them serves is not opened.
            opened: told when all addresses are open.

        Raises:
            ConfigErrors: addresses are none, or descriptors no sockets, all of them at once.
        """
        self.failed = False
        self._site = site
        self._reactor = reactor
        self._drain_seconds = drain_seconds
        self._end = end
        self._ports: list[Any] = []
        self._begun = False
        self._opened_all = opened
        handed = take_all(_unclaimed(descriptors, addresses), reactor, _BACKLOG)
        wanted = left_to_open(addresses, handed)
        self._endpoints: list[tuple[Address, Any]] = [(each.address, each) for each in handed]
        if wanted or not handed:
            self._endpoints += _endpoints(wanted, reactor, option)

    @property
    def hosts(self) -> tuple[Any, ...]:
        """The addresses that are open, as Twisted's `IAddress`."""
        return tuple(port.getHost() for port in self._ports)

    def privilegedStartService(self) -> None:
        """Open all addresses, while the process may still open low ports and sockets in root's folders.

        Raises:
            ListenError: one can not be opened; let it through.
        """
        super().privilegedStartService()
        self._begun = True
        for address, endpoint in self._endpoints:
            self._listen(address, endpoint)
        if self.failed:
            self._give_up()

    def startService(self) -> None:
        """Open all addresses, unless it was done while we were privileged.

        Raises:
            ListenError: one can not be opened; let it through.
        """
        super().startService()
        if not self._begun:
            self.privilegedStartService()

    def stopService(self) -> Deferred[None]:
        """Close all addresses and let requests that are being answered end; fires when that is done."""
        super().stopService()
        self._begun = False
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        """Take no new connections, then end those there are."""
        ports, self._ports = self._ports, []
        closing = [maybeDeferred(port.stopListening) for port in ports]
        await self._site.drain(self._drain_seconds)
        for closed in closing:
            try:
                await closed
            except OSError as error:
                # Without privileges the file of a unix socket may have to stay; the next start removes it.
                log.warn("an address was not closed in order: {reason}", reason=_reason(error))

    def _listen(self, address: Address, endpoint: Any) -> None:  # noqa: ANN401 - endpoints have no common type
        """Open one address; what Twisted can open, it opens at once."""
        try:
            if address.path:
                _remove_stale(Path(address.path))
            # Nobody may get in between the creation of a unix socket and the setting of its mode.
            mask = os.umask(0o177) if address.path else None
            try:
                listening: Deferred[Any] = maybeDeferred(endpoint.listen, self._site)
            finally:
                if mask is not None:
                    os.umask(mask)
        except OSError as error:
            self._refused(address, error)
            return
        at_once = listening.called
        listening.addCallbacks(lambda port: self._opened(address, port), lambda failure: self._failed(address, failure))
        if not at_once:
            listening.addCallback(lambda _: self._give_up() if self.failed else None)

    def _opened(self, address: Address, port: Any) -> None:  # noqa: ANN401 - ports have no common type
        """Keep a port."""
        self._ports.append(port)
        log.info("listening at {address}", address=address.text)
        if len(self._ports) == len(self._endpoints):
            self._opened_all()

    def _failed(self, address: Address, failure: Failure) -> None:
        """Say what is wrong when Twisted says it."""
        self._refused(address, failure.value)

    def _refused(self, address: Address, error: BaseException | None) -> None:
        """Say in one line what is wrong; it shows even when the log is not set up yet."""
        self.failed = True
        log.critical("can not listen at {address}: {reason}", address=address.text, reason=_reason(error))

    def _give_up(self) -> None:
        """End the process: at once if its reactor does not run yet, else by way of the reactor."""
        for address, _ in self._endpoints:
            if address.path and any(getattr(host, "name", None) == os.fsencode(address.path) for host in self.hosts):
                Path(address.path).unlink(missing_ok=True)
        if not getattr(self._reactor, "running", False):
            raise ListenError(1)
        self._end(self._reactor, 1)


def _endpoint(address: Address, reactor: Any) -> Any:  # noqa: ANN401 - reactors and endpoints are many interfaces at once
    """Return what Twisted listens with.

    Raises:
        ValueError: Twisted does not understand the description.
    """
    if address.path:
        return _unix_endpoint(reactor, address.path, backlog=_BACKLOG, mode=address.mode)
    if address.port < 0:
        described = _described_endpoint(reactor, address.text)
        if isinstance(described, AdoptedStreamServerEndpoint):
            return Handed.take(described.fileno, reactor, _BACKLOG)
        return described
    kind = TCP6ServerEndpoint if ":" in address.host else TCP4ServerEndpoint
    return kind(reactor, address.port, backlog=_BACKLOG, interface=address.host)


def _unclaimed(descriptors: Sequence[int], addresses: Sequence[str]) -> Sequence[int]:
    """Return the sockets that nobody chose from; whoever names one by ``systemd:`` wants those that are named."""
    return () if any(text.strip().startswith(_NAMED) for text in addresses) else descriptors


def _endpoints(addresses: Sequence[str], reactor: Any, option: str) -> list[tuple[Address, Any]]:  # noqa: ANN401
    """Read all addresses.

    Raises:
        ConfigErrors: some are none.
    """
    found = []
    faults = []
    for text in addresses:
        try:
            address = Address.parse(text)
            found.append((address, _endpoint(address, reactor)))
        except LookupError:
            # All that Twisted says is which index or name it did not find.
            faults.append(ConfigError(option, f"{text}: systemd has handed over no socket of this index or name"))
        except (ValueError, TypeError, AttributeError, OSError) as error:
            # Twisted's own parser of descriptions raises all of these.
            faults.append(ConfigError(option, f"{text}: {error}"))
    if not addresses:
        faults.append(ConfigError(option, "at least one address is needed"))
    if faults:
        raise ConfigErrors(faults)
    return found


def _remove_stale(path: Path) -> None:
    """Remove a unix socket that nobody listens at any more, as a killed daemon leaves it behind.

    Raises:
        OSError: something else is there, or somebody listens.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "a file that is no socket is in the way")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _reason(error: BaseException | None) -> str:
    """Return why listening failed, in the system's words."""
    cause = error.socketError if isinstance(error, CannotListenError) else error
    return str(getattr(cause, "strerror", None) or cause)
