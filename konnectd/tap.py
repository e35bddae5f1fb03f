"""konnectd for twistd: ``twistd -n konnectd --iss=https://id.example.com ldap``.

The options are read by the same code as those of ``konnectd serve``. Everything is put together before twistd puts
itself into the background and gives up its privileges, so that a fault is still seen and keys may belong to root.
"""

import codecs
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from twisted.application.service import IServiceCollection, MultiService
from twisted.logger import ILogObserver
from twisted.python import usage
from twisted.python.components import Componentized
from twisted.python.logfile import LogFile

from konnectd.config import documents
from konnectd.config.settings import Settings, load
from konnectd.option import ConfigErrors
from konnectd.runner import advise, make_service, observer, reload_on_hangup, reopen_on_signal, report
from konnectd.supervisor import Supervisor


class Options(usage.Options):
    """The words after ``konnectd`` on twistd's command line."""

    settings: Settings

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the words; what is wrong with them is told in one line each.

        Raises:
            SystemExit: with status 1 when something is wrong, with 0 after help.
        """
        words = list(sys.argv[1:] if options is None else options)
        if documents.asks_for_help(words):
            sys.stdout.write(documents.usage("twistd [options] konnectd"))
            raise SystemExit(0)
        try:
            self.settings = load(words, os.environ)
        except ConfigErrors as error:
            report(error, sys.stderr)
            raise SystemExit(1) from None


# They carry no types.
_MultiService: Any = MultiService
_log_file: Any = LogFile.fromFullPath


class Root(_MultiService):  # type: ignore[misc] # without types
    """Everything that runs under twistd: the daemon, and what twistd would do differently."""

    def __init__(self, daemon: MultiService, options: Options, reactor: Any) -> None:  # noqa: ANN401 - see runner
        """Take the daemon in."""
        super().__init__()
        self._options = options
        self._reactor = reactor
        self._daemon = daemon
        self.addService(daemon)

    def setServiceParent(self, parent: Componentized) -> None:
        """Join twistd's application, which thereby writes the log as ``konnectd serve`` does."""
        stream = log_stream(self._options.parent or {})
        if stream is not None:
            parent.setComponent(ILogObserver, observer(self._options.settings, stream))  # type: ignore[no-untyped-call]
        super().setServiceParent(IServiceCollection(parent))

    def privilegedStartService(self) -> None:
        """Log what is doubtful before anything happens."""
        advise(self._options.settings)
        super().privilegedStartService()

    def startService(self) -> None:
        """Start, and take signals over."""
        super().startService()
        reload_on_hangup(self._reactor, self._daemon)
        reopen_on_signal(self._reactor, self._daemon)


def log_stream(twistd: Mapping[str, Any]) -> TextIO | None:
    """Return where the log goes; None when it goes somewhere that has a form of its own.

    Args:
        twistd: twistd's options. As always, a daemon without ``--logfile`` writes ``twistd.log``; without a daemon
            standard output is written to, and ``-`` names it too.
    """
    if twistd.get("syslog") or twistd.get("logger"):
        return None
    name = twistd.get("logfile")
    if twistd.get("nodaemon") and name in {None, "", "-"}:
        return sys.stdout
    if name == "-":
        return None  # twistd refuses this in its own words
    file: TextIO = _log_file(name or "twistd.log")
    return file


def makeService(options: Options) -> MultiService:
    """Put the daemon together for twistd.

    Raises:
        SystemExit: with status 1 when a file that the settings name is not right.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it, which is twistd's decision

    # Python loads this when the first request comes, which is too late once the root of the file system has changed.
    codecs.lookup("idna")
    try:
        daemon = make_service(options.settings, reactor, Supervisor.read(os.environ, os.getpid()))
    except ConfigErrors as error:
        report(error, sys.stderr)
        raise SystemExit(1) from None
    return Root(daemon, options, reactor)
