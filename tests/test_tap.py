"""Tests of konnectd for twistd; with a real twistd it is tested in `tests.real.test_start`."""

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

from twisted.application.service import Application, IServiceCollection, MultiService
from twisted.logger import ILogObserver
from twisted.plugin import IPlugin, getPlugins
from twisted.trial.unittest import SynchronousTestCase

from konnectd import tap
from konnectd.logs import TextObserver
from tests.support.files import folder

_Application: Any = Application
_MultiService: Any = MultiService


class OptionsTests(SynchronousTestCase):
    """The same words as after ``konnectd serve``."""

    def test_words(self) -> None:
        """The words become settings."""
        options = tap.Options()
        options.parseOptions(["--iss", "https://id.example.com", "file", "--file-users=x"])

        self.assertEqual((options.settings.iss, options.settings.backend), ("https://id.example.com", "file"))

    def test_faults(self) -> None:
        """Faults end twistd with status 1, without its help."""
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            error = self.assertRaises(SystemExit, tap.Options().parseOptions, ["--bogus", "--iss=https://a", "file"])

        self.assertEqual((error.code, errors.getvalue()), (1, "konnectd: command line: --bogus: is not an option\n"))

    def test_help(self) -> None:
        """Help ends it with status 0."""
        with contextlib.redirect_stdout(io.StringIO()) as output:
            error = self.assertRaises(SystemExit, tap.Options().parseOptions, ["--help"])

        self.assertEqual(error.code, 0)
        self.assertIn("Usage: twistd [options] konnectd", output.getvalue())

    def test_faults_in_files(self) -> None:
        """A file that is not right is told before twistd goes into the background."""
        options = tap.Options()
        nowhere = [f"--{name}=nowhere.pem" for name in ("signing-private-key", "encryption-secret", "file-users")]
        options.parseOptions(["--iss=https://id.example.com", "file", *nowhere])
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            error = self.assertRaises(SystemExit, tap.makeService, options)

        self.assertEqual((error.code, errors.getvalue().count("\n")), (1, 3))

    def test_plugin(self) -> None:
        """Twisted finds konnectd among its plugins."""
        import twisted.plugins  # noqa: PLC0415 - where plugins are looked for is extended, not replaced

        here = str(Path(__file__).resolve().parents[1] / "twisted" / "plugins")
        if here not in twisted.plugins.__path__:
            twisted.plugins.__path__.append(here)
            self.addCleanup(twisted.plugins.__path__.remove, here)
        found = [plugin for plugin in getPlugins(IPlugin) if getattr(plugin, "tapname", "") == "konnectd"]

        self.assertEqual([plugin.options for plugin in found], [tap.Options])


class LogTests(SynchronousTestCase):
    """twistd's log is written as ours, unless it goes where another form is usual."""

    def test_streams(self) -> None:
        """The table of where the log goes."""
        for options, stream in (
            ({"nodaemon": True}, sys.stdout),
            ({"nodaemon": True, "logfile": "-"}, sys.stdout),
            ({"logfile": "-"}, None),
            ({"nodaemon": True, "syslog": True}, None),
            ({"nodaemon": True, "logger": "x.y"}, None),
        ):
            with self.subTest(options=options):
                self.assertIs(tap.log_stream(options), stream)

    def test_file(self) -> None:
        """A file is opened, and twistd's own rotation of it kept."""
        path = folder(self) / "x.log"
        stream: Any = tap.log_stream({"logfile": str(path)})
        self.addCleanup(stream.close)
        stream.write("x\n")

        self.assertEqual(path.read_text(), "x\n")

    def test_joins_the_application(self) -> None:
        """The root joins twistd's application and brings its log."""
        options = tap.Options()
        options.parseOptions(["--iss=https://id.example.com", "file"])
        options.parent = {"nodaemon": True}
        application = _Application("konnectd")
        root = tap.Root(_MultiService(), options, None)
        root.setServiceParent(application)

        self.assertIsInstance(application.getComponent(ILogObserver), TextObserver)
        self.assertEqual(list(IServiceCollection(application)), [root])
