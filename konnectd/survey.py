"""The usage survey: what is told about an installation, and when.

Konnect sends one by default, so we do, but only for issuers of the public internet, and the log says at each start what
is sent, where, and how to stop it. Nothing in it is about people or clients.

Konnect sends the id of the machine as it is, and its hash of the issuer can be found by hashing all issuers there are.
Here both are hashed with a key that only this installation has, so that the receiver can count installations and
nothing else. Which options there are is `konnectd.config.survey`; who connects is `konnectd.survey_post`.
"""

import hmac
import json
import os
import platform
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from attrs import field, frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

log = Logger(namespace="konnectd.survey")

PROGRAM = "konnectd"
#: The form of the report that receivers know.
_FORM = 2
_PURPOSE = b"konnectd usage survey 1"
#: Characters of a hashed machine id: as many as the id has.
_MACHINE_ID = 32
#: Most that is read of a file of the system, in bytes, and most that is told of it, in characters.
_LONGEST_FILE = 4096
_LONGEST_VALUE = 200
#: How long is waited at most after failures where there is no interval, in seconds.
_LONGEST_WAIT = 3600

_MACHINE_ID_FILE = Path("/etc/machine-id")
_RELEASE_FILE = Path("/etc/redhat-release")
#: What each name means, for whoever reads a report.
_MEANINGS = {
    "machine_id": "Keyed hash of the id of the machine",
    "utsname": "Kind, machine and release of the kernel",
    "osrelease": "Name of the operating system",
    "program_name": "Name of the program",
    "program_version": "Version of the program",
    "server_guid": "Keyed hash of the issuer",
    "userplugin": "Where users come from",
}

#: Sends a report, and raises `NotSentError` when it did not arrive.
Post: TypeAlias = Callable[[bytes], Awaitable[None]]


class NotSentError(Exception):
    """A report did not arrive. Its text is for the log."""


@frozen(kw_only=True)
class Machine:
    """What the survey tells about a machine.

    Attributes:
        machine_id: as the system has it, never to be told; empty if it has none.
        utsname: kind, machine and release of the kernel.
        osrelease: what the operating system calls itself.
    """

    machine_id: str = field(repr=False)
    utsname: str
    osrelease: str

    @classmethod
    def read(cls) -> "Machine":
        """Read it from this machine."""
        name = os.uname()
        return cls(
            machine_id=_first_line(_MACHINE_ID_FILE),
            utsname=f"{name.sysname} {name.machine} {name.release}",
            osrelease=_osrelease(),
        )


def stats(machine: Machine, *, secret: bytes, issuer: str, version: str, backend: str) -> Mapping[str, str]:
    """Return all that is told, by name.

    Args:
        machine: we run on.
        secret: only this installation has; what is hashed with it can not be found by trying.
        issuer: we are.
        version: of ours.
        backend: the users come from.
    """
    key = hmac.digest(secret, _PURPOSE, "sha256")
    return {
        "machine_id": _hashed(key, "machine_id", machine.machine_id)[:_MACHINE_ID],
        "utsname": machine.utsname[:_LONGEST_VALUE],
        "osrelease": machine.osrelease[:_LONGEST_VALUE],
        "program_name": PROGRAM,
        "program_version": version,
        "server_guid": _hashed(key, "server_guid", issuer).upper(),
        "userplugin": backend,
    }


def report(values: Mapping[str, str]) -> bytes:
    """Write what is told in the form that receivers know."""
    told = {name: {"desc": _MEANINGS[name], "type": "string", "value": value} for name, value in values.items()}
    return json.dumps({"version": _FORM, "stats": told}).encode("ascii")


def _hashed(key: bytes, name: str, value: str) -> str:
    """Return the keyed hash of a value as hexadecimal digits; nothing stays nothing."""
    return hmac.digest(key, f"{name}\0{value}".encode(), "sha256").hex() if value else ""


def _first_line(path: Path) -> str:
    """Return the first line of a file; empty if there is none."""
    try:
        with path.open("rb") as file:
            lines = file.read(_LONGEST_FILE).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return lines[0].strip() if lines else ""


def _osrelease() -> str:
    """Return what the operating system calls itself; empty if it does not say."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return _first_line(_RELEASE_FILE)


@frozen(kw_only=True)
class Plan:
    """When the report is sent, in seconds.

    Attributes:
        start_delay: after the start.
        error_delay: after a first failure, and twice as long after each further one.
        interval: after it was sent; 0 for once.
    """

    start_delay: int
    error_delay: int
    interval: int

    def wait(self, failures: int) -> int | None:
        """Return how long to wait after so many failures in a row; None for ever.

        Who is not there is not asked more often than who is, and never without a pause.
        """
        if failures == 0:
            return self.interval or None
        first = max(self.error_delay, 1)
        return int(min(first * 2 ** min(failures - 1, 30), max(self.interval or _LONGEST_WAIT, first)))


class Survey(Service):
    """Sends the report, from the start of the daemon to its end; when it can not, nobody is troubled."""

    name = "survey"

    def __init__(self, plan: Plan, values: Mapping[str, str], url: str, post: Post, reactor: Any) -> None:  # noqa: ANN401
        """Keep what is sent, where, when, by what, and what measures time."""
        self._plan = plan
        self._values = values
        self._url = url
        self._post = post
        self._reactor = reactor
        self._failures = 0
        self._next: Any = None
        self._sending: Deferred[None] | None = None

    def startService(self) -> None:
        """Say what is going to happen, and wait for it."""
        super().startService()  # type: ignore[no-untyped-call] # without types
        log.warn(
            "a usage survey goes to {url}, first in {delay} s: {names}; nothing about people or clients. To stop it, "
            "set survey = no or KOPANO_SURVEYCLIENT_AUTOSURVEY=no; docs/operate/survey.md shows all of it",
            url=self._url,
            delay=self._plan.start_delay,
            names=", ".join(f"{name} ({_MEANINGS[name].lower()})" for name in self._values),
        )
        self._next = self._reactor.callLater(self._plan.start_delay, self._begin)

    def stopService(self) -> None:
        """Send nothing any more."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._sending is not None:
            self._sending.cancel()

    def _begin(self) -> None:
        """Send it."""
        self._next = None
        sending = Deferred.fromCoroutine(self._send())
        if not sending.called:
            self._sending = sending

    async def _send(self) -> None:
        """Send it, and plan the next time."""
        try:
            await self._post(report(self._values))
        except CancelledError:
            return
        except NotSentError as error:
            self._failures += 1
            log.debug("the usage survey was not sent: {reason}", reason=str(error))
        except Exception:
            # Our fault, and still not worth a disturbance; it is seen by who looks for it.
            self._failures += 1
            log.debug("the usage survey could not be sent at all: our fault")
        else:
            self._failures = 0
            log.debug("the usage survey was sent")
        finally:
            self._sending = None
        wait = self._plan.wait(self._failures)
        if wait is not None and self.running:
            self._next = self._reactor.callLater(wait, self._begin)
