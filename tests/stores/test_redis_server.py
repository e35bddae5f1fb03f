"""Where Redis is and who may talk to it: URLs, files of certificates, and how the store is made of options."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import load
from konnectd.option import ConfigErrors
from konnectd.stores import redis
from konnectd.stores._redis_server import Server, read_authorities, read_own
from tests.support.fakes import FixedClock
from tests.support.files import folder, write
from tests.support.loglines import LogLines

#: What an operator may write, and what it is.
URLS = (
    ("redis://redis.example", Server(host="redis.example")),
    ("redis://redis.example/", Server(host="redis.example")),
    (" rediss://redis.example:6380/3 ", Server(host="redis.example", port=6380, tls=True, db=3)),
    ("redis://konnectd@[2001:db8::1]:7/15", Server(host="2001:db8::1", port=7, db=15, username="konnectd")),
    ("unix:///run/redis/redis.sock", Server(path="/run/redis/redis.sock")),
    ("unix:///run/redis%20a.sock?db=2", Server(path="/run/redis a.sock", db=2)),
    ("unix://konnectd@/run/redis.sock", Server(path="/run/redis.sock", username="konnectd")),
)
WRONG = (
    "",
    "redis.example:6379",
    "http://redis.example",
    "redis://",
    "redis:///0",
    "redis://redis.example/name",
    "redis://redis.example/1/2",
    "redis://redis.example/-1",
    "redis://redis.example?db=1",
    "redis://redis.example:0",
    "redis://redis.example:99999",
    "redis://[redis",
    "unix://run/redis.sock",
    "unix:run/redis.sock",
    "unix:///run/redis.sock?db=x",
    "unix:///run/redis.sock?timeout=1",
)


class UrlTests(SynchronousTestCase):
    """URLs."""

    def test_urls(self) -> None:
        """Each form that is usual is understood."""
        for text, expected in URLS:
            with self.subTest(text=text):
                self.assertEqual(Server.parse(text), expected)

    def test_wrong(self) -> None:
        """Others are refused with the forms there are."""
        for text in WRONG:
            with self.subTest(text=text), self.assertRaisesRegex(ValueError, "must look like redis://host:6379/0"):
                Server.parse(text)

    def test_password(self) -> None:
        """A password in it is refused, and not repeated."""
        for text in ("redis://:geheim@redis.example", "redis://me:geheim@redis.example", "unix://:geheim@/run/r"):
            with self.subTest(text=text):
                error = self.assertRaises(ValueError, Server.parse, text)
                self.assertIn("redis_password", str(error))
                self.assertNotIn("geheim", str(error))

    def test_wrong_with_password(self) -> None:
        """Nor is one repeated that stands in what is no URL."""
        error = self.assertRaises(ValueError, Server.parse, "redis://me:geheim@redis.example:port")

        self.assertNotIn("geheim", str(error))

    def test_written_out(self) -> None:
        """What is written out says all that counts, but for blanks in paths."""
        for text, server in URLS:
            if "%" not in text:
                with self.subTest(text=text):
                    self.assertEqual(Server.parse(str(server)), server)

    def test_private(self) -> None:
        """Nobody can listen to TLS, on this machine, or in the file system."""
        private = [Server.parse(text).is_private for text, _ in URLS]

        self.assertEqual(private, [False, False, True, False, True, True, True])
        self.assertTrue(Server.parse("redis://127.0.0.1").is_private)


class BuildTests(SynchronousTestCase):
    """How it is made of options."""

    def build(self, *words: str) -> object:
        """Make a store as it is made of a command line."""
        settings = load(("--iss=https://id.example.com", "--store=redis", *words, "file"), {})
        return redis.build(settings.store_options, Clock(), FixedClock(), insecure=settings.insecure)

    def faults(self, *words: str) -> list[str]:
        """Return what is wrong with a command line."""
        return [str(fault) for fault in self.assertRaises(ConfigErrors, self.build, *words).faults]

    def test_as_it_is(self) -> None:
        """Without any option it is the Redis of this machine."""
        log = LogLines(self)
        self.build()

        self.assertEqual(log.lines("warn"), [])

    def test_in_the_clear(self) -> None:
        """The operator is told when what is in the store travels in the clear."""
        log = LogLines(self)
        self.build("--redis-url=redis://redis.example")
        self.build("--redis-url=rediss://redis.example")

        self.assertEqual(len(log.about("everybody on the way can read", "warn")), 1)

    def test_wrong_values(self) -> None:
        """Values that are wrong are told with their names."""
        found = self.faults("--redis-url=redis.example", "--redis-timeout=0")

        self.assertIn("--redis-url: must look like", found[0])
        self.assertIn("--redis-timeout: must be at least one second", found[1])

    def test_user_without_password(self) -> None:
        """A user name needs a password."""
        found = self.faults("--redis-url=redis://konnectd@127.0.0.1")

        self.assertEqual(found, ["redis_password: is needed with the user name konnectd in redis_url"])

    def test_files(self) -> None:
        """All files that are wrong are told at once."""
        nothing, text = folder(self) / "nothing.pem", write(self, "text.pem", "no certificate")
        found = self.faults(f"--redis-tls-cacert={nothing}", f"--redis-tls-cert={text}")

        self.assertIn(f"redis_tls_cacert: {nothing} can not be read", found[0])
        self.assertIn("redis_tls_cert: ", found[1])


class CertificateTests(SynchronousTestCase):
    """Files of certificates that can not be used; those that can be are used in ``tests/real``."""

    def test_authorities(self) -> None:
        """A file without certificates, or with a broken one, is told."""
        broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        for content, words in (("", "has no certificate"), (broken, "can not be read"), ("x" * (1 << 21), "larger")):
            with self.subTest(words=words), self.assertRaisesRegex(ValueError, words):
                read_authorities(write(self, "ca.pem", content))

    def test_own(self) -> None:
        """So is one without a key, or with a key that somebody would have to open."""
        encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
        for content, words in (("", "does not have"), (encrypted, "passphrase")):
            with self.subTest(words=words), self.assertRaisesRegex(ValueError, words):
                read_own(write(self, "own.pem", content))

    def test_no_file(self) -> None:
        """A file that is not there is told."""
        with self.assertRaisesRegex(ValueError, "can not be read"):
            read_own(Path("/nonexistent/own.pem"))
