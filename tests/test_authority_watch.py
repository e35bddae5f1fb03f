"""External authorities at start and at the end of the daemon."""

import subprocess
import sys

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authority_watch import AuthorityWatch
from tests.support.authorities import TrustingAuthority
from tests.support.loglines import LogLines
from tests.support.openid_provider import oidc_entry


class SlowAuthority(TrustingAuthority):
    """One that does not answer yet."""

    async def check(self) -> str:
        """Wait."""
        self.waiting: Deferred[str] = Deferred()
        return await self.waiting


class WatchTests(SynchronousTestCase):
    """What is tried, and what is told."""

    def setUp(self) -> None:
        """Have one."""
        self.authority = TrustingAuthority(oidc_entry())
        self.watch = AuthorityWatch([self.authority])

    def test_ready(self) -> None:
        """One that answers is told of."""
        log = LogLines(self)
        self.watch.startService()

        self.assertEqual(len(log.about("authority corp is ready: trusts everybody")), 1)

    def test_silent(self) -> None:
        """One that does not keeps nobody from starting."""
        self.authority.silent = True
        log = LogLines(self)
        self.watch.startService()

        self.assertEqual(len(log.about("authority corp is not ready", "warn")), 1)

    def test_end(self) -> None:
        """All are let go of."""
        self.watch.startService()
        self.successResultOf(self.watch.stopService())

        self.assertTrue(self.authority.closed)

    def test_end_while_trying(self) -> None:
        """Who is being asked is not waited for."""
        slow = SlowAuthority(oidc_entry())
        watch = AuthorityWatch([slow])
        watch.startService()
        self.successResultOf(watch.stopService())

        self.assertTrue(slow.waiting.called)


class CostTests(SynchronousTestCase):
    """What it costs those who have none."""

    def test_nothing_is_loaded(self) -> None:
        """The daemon without an authority loads nothing of this."""
        code = (
            "import sys, konnectd.service, konnectd.config.registration as r, tempfile, pathlib\n"
            "path = pathlib.Path(tempfile.mkdtemp(), 'r.yaml')\n"
            "path.write_text('clients:\\nauthorities:\\n')\n"
            "r.load_registration(path, loopback_issuer=False, warn=print)\n"
            "print(*sorted(name for name in sys.modules if name.startswith('konnectd.')"
            " and ('authorit' in name or 'federat' in name or name.endswith('.trip'))))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        # Every template is known, and what looks whether there is an authority; that is a few lines.
        self.assertEqual(done.stdout.split(), ["konnectd.late_authorities", "konnectd.web.federation_views"])
