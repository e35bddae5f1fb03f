"""What ``konnectd serve`` runs once its settings are right: log, service, signals, reactor, exit status.

twistd does the same in its own way; what both need is here, what only twistd needs is `konnectd.tap`.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO, TypeAlias

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, Logger, globalLogBeginner

from konnectd.config.settings import Settings
from konnectd.config.watching_options import JSON
from konnectd.journal import STREAM_VARIABLE, Journal, JournalObserver, leads_to_journal
from konnectd.log_json import JsonObserver
from konnectd.logs import TextObserver, one_line
from konnectd.option import ConfigErrors
from konnectd.reloading import Reloads
from konnectd.supervisor import Supervisor

log = Logger()

#: Puts the daemon together from its settings and a reactor: a `MultiService`, which carries no types.
MakeService: TypeAlias = Callable[[Settings, Any], Any]
#: Takes what is logged.
Observer: TypeAlias = Callable[[LogEvent], None]
BeginLogging: TypeAlias = Callable[..., object]

#: How many things are made, while starting, before those among them that are garbage are looked for.
_MADE_AT_START = 20_000
#: The same while requests are served: things, and how often before older ones are looked at, too.
_WHILE_RUNNING = (5_000, 20, 20)


def make_service(
    settings: Settings,
    reactor: Any,  # noqa: ANN401 - a reactor is many interfaces at once
    supervisor: Supervisor = Supervisor(),  # noqa: B008 - frozen
) -> Any:  # noqa: ANN401 - what the service module makes
    """Put the daemon together.

    Raises:
        ConfigErrors: the files that the settings name are not right.
    """
    with collected_rarely():
        # Only when it runs: the command line also serves commands that need none of it.
        from konnectd.service import make_service as put_together  # noqa: PLC0415 - see above

        made = put_together(settings, reactor, supervisor)
    settle()
    return made


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Let garbage be looked for less often meanwhile.

    Most of what is made at start stays, and looking through all of it again and again, while it grows, takes a tenth of
    the time. Not at all would be quicker still, but what classes leave behind that are made twice is a megabyte.
    """
    before = gc.get_threshold()
    gc.set_threshold(_MADE_AT_START, 1000, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def settle() -> None:
    """Take what is there for what stays as long as the process, so that no search for garbage goes through it again.

    Requests leave little behind that points at itself, so that may gather for a while.
    """
    gc.freeze()
    gc.set_threshold(*_WHILE_RUNNING)


def run(
    settings: Settings,
    reactor: Any,  # noqa: ANN401 - a reactor is many interfaces at once
    make: MakeService = make_service,
    begin_logging: BeginLogging = globalLogBeginner.beginLoggingTo,
) -> int:
    """Run the daemon until a signal or a fault ends it, and return the exit status.

    A part of the daemon that must end the process itself does so, whatever is returned here.

    Args:
        settings: what the operator wants.
        reactor: not running yet.
        make: puts the daemon together.
        begin_logging: gives the log its observers.
    """
    begin_logging([observer(settings, sys.stderr)], redirectStandardIO=False)
    advise(settings)
    try:
        service = make(settings, reactor)
        # Before anybody is told that we are ready: a signal that comes at once must not kill.
        reactor.addSystemEventTrigger("after", "startup", Signals(reactor, service).install)
        service.privilegedStartService()
        service.startService()
    except ConfigErrors as error:
        report(error, sys.stderr)
        return 1
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    close_logs(service)
    return 0


def observer(settings: Settings, stream: TextIO, environ: Mapping[str, str] = os.environ) -> Observer:
    """Return what writes the log as the settings want it: to a stream, or to the journal if the stream leads there."""
    as_json = settings.watching.log_format == JSON
    if STREAM_VARIABLE in environ and leads_to_journal(stream, environ):
        return JournalObserver(Journal(), stream, settings.log_level, as_json=as_json)

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    kind = JsonObserver if as_json else TextObserver
    return kind(write, settings.log_level, timestamp=settings.log_timestamp)


def advise(settings: Settings) -> None:
    """Log what was found doubtful in the settings."""
    for warning in settings.warnings:
        log.warn("{advice}", advice=warning)


def report(errors: ConfigErrors, stream: TextIO) -> None:
    """Tell the operator every fault, in one line each."""
    stream.writelines(f"konnectd: {one_line(str(fault))}\n" for fault in errors.faults)
    stream.flush()


class Signals:
    """Ends the daemon in order at the first signal, and at once at the second."""

    def __init__(self, reactor: Any, service: Any = None) -> None:  # noqa: ANN401 - neither has one type
        """Keep the reactor, and the daemon, which may have log files, and files to read anew."""
        self._reactor = reactor
        self._service = service
        self._stopping = False

    def install(self) -> None:
        """Take the signals over from the reactor, which knows no second one."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: self._reactor.callFromThread(self.stop, number))
        reload_on_hangup(self._reactor, self._service)
        reopen_on_signal(self._reactor, self._service)

    def stop(self, number: int) -> None:
        """Stop in order; when that is under way already, stop waiting for it."""
        name = signal.Signals(number).name
        if self._stopping:
            log.warn("{signal} again, not waiting for requests any longer", signal=name)
            self._reactor.crash()
            return
        self._stopping = True
        log.warn("{signal} received, stopping", signal=name)
        self._reactor.stop()


def reopen_on_signal(reactor: Any, service: Any) -> None:  # noqa: ANN401 - as above, and services carry no types
    """Let SIGUSR1, whose default is to kill, open log files anew that were moved away; without any it does nothing."""
    reopen = getattr(service, "reopen_logs", None)

    def tell() -> None:
        if reopen is not None:
            reopen(signal.Signals.SIGUSR1.name)

    signal.signal(signal.SIGUSR1, lambda _number, _frame: reactor.callFromThread(tell))


def close_logs(service: Any) -> None:  # noqa: ANN401 - services carry no types
    """Write the last of what waits, when the reactor did not stop in order."""
    close = getattr(service, "close_logs", None)
    if close is not None:
        close()


def reload_on_hangup(reactor: Any, service: Any) -> None:  # noqa: ANN401 - as above
    """Let SIGHUP, whose default is to kill, read files anew; where there are none it does nothing."""
    reloads: Reloads | None = getattr(service, "reloads", None)

    def begin() -> None:
        if reloads is None:
            log.info("SIGHUP received; there is nothing to read anew")
        else:
            Deferred.fromCoroutine(reloads.reload(signal.Signals.SIGHUP.name))

    signal.signal(signal.SIGHUP, lambda _number, _frame: reactor.callFromThread(begin))
