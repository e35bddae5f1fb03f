"""Keys that are read again: those whose files are as they were are not understood a second time."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.contents import Contents, read_contents
from konnectd.config.read_keys import Key, ReadKeys
from konnectd.config.settings import load
from tests.config.test_keys import private_pem
from tests.support.files import folder
from tests.support.keys import p256_key


class ReadKeysTests(SynchronousTestCase):
    """What is known, and for how long."""

    def setUp(self) -> None:
        """Count what is understood."""
        self.parsed: list[str] = []

    def parse(self, content: bytes, kid: str) -> Key:
        """Understand a key."""
        self.parsed.append(f"{kid} {content.decode()}")
        return p256_key()

    def read(self, before: ReadKeys | None, *files: tuple[str, str]) -> ReadKeys:
        """Read files, each with a key id and a content."""
        made = ReadKeys(before)
        for kid, content in files:
            made.understand(content.encode(), kid, self.parse)
        made.finish()
        return made

    def test_same(self) -> None:
        """What is as it was is known."""
        self.read(self.read(None, ("a", "1")), ("a", "1"))

        self.assertEqual(self.parsed, ["a 1"])

    def test_twice(self) -> None:
        """Nor is what stands in two files."""
        self.read(None, ("a", "1"), ("a", "1"))

        self.assertEqual(self.parsed, ["a 1"])

    def test_other_content(self) -> None:
        """Another content is another key."""
        self.read(self.read(None, ("a", "1")), ("a", "2"))

        self.assertEqual(self.parsed, ["a 1", "a 2"])

    def test_other_name(self) -> None:
        """So is the same content under another id."""
        self.read(self.read(None, ("a", "1")), ("b", "1"))

        self.assertEqual(self.parsed, ["a 1", "b 1"])

    def test_forgotten(self) -> None:
        """A key that was left out once is not kept for later."""
        self.read(self.read(self.read(None, ("a", "1"))), ("a", "1"))

        self.assertEqual(self.parsed, ["a 1", "a 1"])

    def test_of_files(self) -> None:
        """The keys of a daemon are the very same after their files were read again."""
        root = folder(self)
        for name in ("signing.pem", "more.pem"):
            (root / name).write_bytes(private_pem(p256_key(1 if name == "signing.pem" else 2)))
        words = ("--iss=https://id.example.com", "--signing-method=ES256", f"--validation-keys-path={root}")
        settings = load((*words, f"--signing-private-key={root}/signing.pem", "file"), {})

        def read(earlier: Contents | None = None) -> Contents:
            return read_contents(settings, warn=lambda _: None, earlier=earlier)

        first = read()
        second = read(first)

        self.assertIs(second.keys.active, first.keys.active)
