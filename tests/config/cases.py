"""What tests of settings have in common."""

from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import Settings, load
from konnectd.option import ConfigError, ConfigErrors
from tests.support.files import write

ISS = "--iss=https://id.example.com"
BACKENDS = "tests.config.backends"


class SettingsTestCase(SynchronousTestCase):
    """Reads settings."""

    def load(self, *argv: str, environ: Mapping[str, str] | None = None, file: str | None = None) -> Settings:
        """Read settings that are right but for what a test gives."""
        words = list(argv)
        if file is not None:
            words.append(f"--config={write(self, 'k.conf', file)}")
        return load(words, environ or {}, BACKENDS)

    def faults(self, *argv: str, environ: Mapping[str, str] | None = None, file: str | None = None) -> list[str]:
        """Return the faults of settings, with files called by their last name."""
        error = self.assertRaises(ConfigErrors, self.load, *argv, environ=environ, file=file)
        return [
            str(ConfigError(fault.option, fault.problem, Path(fault.source).name if fault.source else ""))
            for fault in error.faults
        ]
