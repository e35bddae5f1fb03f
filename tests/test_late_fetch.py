"""Fetching before anybody fetches."""

import subprocess
import sys
from pathlib import Path

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import FetchError
from konnectd.late_fetch import LateFetch, NoFetch
from konnectd.protocol.authorize import Pairs
from tests.support.fakes import run

URL = "https://client.example.org/keys?secret#part"
ROOT = Path(__file__).resolve().parents[1]


@define
class Asked:
    """Notes what it is asked for."""

    said: list[str] = field(factory=list)

    async def get(self, url: str) -> bytes:
        """Note it."""
        self.said.append(f"get {url}")
        return b"keys"

    async def post(self, url: str, fields: Pairs) -> int:
        """Note it."""
        self.said.append(f"post {url} {fields}")
        return 204


class LateFetchTests(SynchronousTestCase):
    """What asks is made once, when it is needed."""

    def setUp(self) -> None:
        """Count what is made."""
        self.made: list[Asked] = []
        self.fetch = LateFetch(self.make)

    def make(self) -> Asked:
        """Make one."""
        self.made.append(Asked())
        return self.made[-1]

    def test_nothing_is_made_before(self) -> None:
        """Nobody has asked."""
        self.assertEqual(self.made, [])

    def test_one_is_made(self) -> None:
        """Every request goes to the same one, as it was made."""
        answers = (run(self.fetch.get(URL)), run(self.fetch.post(URL, (("a", "b"),))))

        self.assertEqual(answers, (b"keys", 204))
        self.assertEqual([each.said for each in self.made], [[f"get {URL}", f"post {URL} (('a', 'b'),)"]])


class NoFetchTests(SynchronousTestCase):
    """Where there is no network, nobody is asked."""

    def test_get(self) -> None:
        """It is refused, without what may be secret in an address."""
        failure = self.assertRaises(FetchError, lambda: run(NoFetch().get(URL)))

        self.assertEqual(str(failure), "'https://client.example.org/keys' is not asked: there is no network here")

    def test_post(self) -> None:
        """It is refused."""
        self.assertRaises(FetchError, lambda: run(NoFetch().post(URL, ())))


class ImportTests(SynchronousTestCase):
    """What a start brings into memory."""

    def test_no_client(self) -> None:
        """Twisted's HTTP client is not among it."""
        code = "import sys, konnectd.service; sys.exit('twisted.web.client' in sys.modules)"
        found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)

        self.assertEqual(found.returncode, 0)
