"""What the groupware backend needs is imported by nobody else."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.test_late_fetch import ROOT


class ImportTests(SynchronousTestCase):
    """What a start brings into memory."""

    def test_others(self) -> None:
        """A daemon with another backend has neither the HTTP client nor the reader of XML in it."""
        code = (
            "import sys, konnectd.service, konnectd.tap, konnectd.backends.ldap, konnectd.backends.file;"
            "sys.exit(any(name in sys.modules for name in ('treq', 'lxml', 'twisted.web.client')))"
        )
        found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)

        self.assertEqual(found.returncode, 0)
