"""Tests of texts in several languages. Spec: RFC 4647 3.4."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.local_text import NO_TEXT, LocalText


class LocalTextTests(SynchronousTestCase):
    """Which language is shown."""

    def test_lookup(self) -> None:
        """The tag itself, else the tag without its last part, else what is in no particular language."""
        text = LocalText("hello", {"de": "hallo", "pt": "olá", "pt-br": "oi"})
        for tag, shown in (("de", "hallo"), ("de-AT", "hallo"), ("pt-BR", "oi"), ("pt-PT", "olá"), ("fr", "hello")):
            self.assertEqual(text.in_language(tag), shown)

    def test_nothing(self) -> None:
        """Where there is no text there is none in any language."""
        self.assertEqual(NO_TEXT.in_language("en"), "")

    def test_hash(self) -> None:
        """A client that has one can still be a member of a set."""
        self.assertEqual(len({LocalText("a", {"de": "b"}), LocalText("a", {"de": "b"})}), 1)
