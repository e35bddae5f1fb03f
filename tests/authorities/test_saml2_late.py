"""What a configuration with a SAML identity provider costs before there is one."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.test_late_fetch import ROOT


class LateTests(SynchronousTestCase):
    """What is loaded."""

    def test_read(self) -> None:
        """Entries are read without anything that reads XML or checks signatures."""
        code = (
            "import sys, konnectd.authorities.saml2; "
            "sys.exit(any(name in sys.modules for name in ('lxml', 'signxml', 'twisted.web.client')))"
        )
        found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)

        self.assertEqual(found.returncode, 0)
