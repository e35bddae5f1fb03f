"""The words after ``cookie``, and what goes with backends that look at browsers."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._cookie_settings import read_settings, time_limit
from konnectd.backends.cookie import build
from konnectd.option import ConfigErrors
from tests.support.loglines import LogLines

URL = "https://app.example.com/whoami"


class WordsTests(SynchronousTestCase):
    """Where the application is, and which cookies it sees."""

    def faults(self, *words: str, **options: object) -> str:
        """Return what is wrong."""
        with self.assertRaises(ConfigErrors) as caught:
            read_settings(words, options, insecure=False)
        return str(caught.exception)

    def test_words(self) -> None:
        """Names stand in one word, as in Konnect, or in several."""
        for words in ((URL, "a b"), (URL, "a", "b"), (URL, "  a   b a ")):
            self.assertEqual(read_settings(words, {}, insecure=False).names, ("a", "b"))
        self.assertEqual(read_settings((URL,), {}, insecure=False).names, ())

    def test_no_address(self) -> None:
        """An address is needed that leads to one place for every reader."""
        for words in (
            (),
            ("",),
            ("app.example.com",),
            ("ftp://a/b",),
            ("https://u:p@a/b",),
            ("https://a/b?c=d",),
            ("https://a/#b",),
            ("file:///a",),
        ):
            self.assertIn("needs the http or https address", self.faults(*words), words)

    def test_names(self) -> None:
        """What can be no name, and what is our own, is refused."""
        self.assertIn("can not be the name", self.faults(URL, "a=b"))
        for name in ("__Secure-KKT", "KKBS", "__Host-KKx"):
            self.assertIn("nobody else gets to see", self.faults(URL, name))

    def test_authorities(self) -> None:
        """A file of authorities has to be one."""
        self.assertIn("cookie_tls_cacert", self.faults(URL, cookie_tls_cacert=Path("/nowhere.pem")))

    def test_time_limit(self) -> None:
        """A limit is a limit."""
        self.assertEqual(time_limit("30"), 30)
        for text in ("0", "31", "-1", "x", ""):
            self.assertRaises(ValueError, time_limit, text)

    def test_readable(self) -> None:
        """Without TLS over a network the operator is told at start."""
        for url, lines in (("http://app.example.com/", 1), ("http://127.0.0.1:8080/", 0), (URL, 0)):
            log = LogLines(self)
            build({}, Clock(), words=(url,))
            self.assertEqual(len(log.about("without TLS")), lines, url)
