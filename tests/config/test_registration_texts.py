"""What registered clients have people told on the sign-in page."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.registration import load_clients
from konnectd.option import ConfigErrors
from konnectd.protocol.client import Client
from tests.support.files import write


class TextTests(SynchronousTestCase):
    """What stands in the file."""

    def client(self, *lines: str) -> Client:
        """Read a client with some lines."""
        text = "".join(f"    {line}\n" for line in ("redirect_uris: [https://app.example.com/cb]", *lines))
        path = write(self, "clients.yaml", f"clients:\n  - id: app\n{text}")
        self.warnings: list[str] = []
        (client,) = load_clients(path, loopback_issuer=False, warn=self.warnings.append)
        return client

    def test_languages(self) -> None:
        """A text is there in no particular language and in others, and each key is known."""
        text = self.client("sign_in_text: Members only", "sign_in_text#de: Nur für Mitglieder").sign_in_text

        self.assertEqual((text.in_language("fr"), text.in_language("de-CH")), ("Members only", "Nur für Mitglieder"))
        self.assertEqual(self.warnings, [])

    def test_none(self) -> None:
        """Who says nothing has nothing said."""
        self.assertEqual(self.client().sign_in_text.in_language("en"), "")

    def test_refused(self) -> None:
        """What is too long, can not be seen or names no language stops the start, with its line."""
        cases = (
            (f"sign_in_text: {'x' * 501}", "must not have more than 500"),
            ('sign_in_text: "a\\u202Eb"', "can not be seen"),
            ("sign_in_text: [a]", "must be a text"),
            (f"sign_in_text#de: {'x' * 501}", "must not have more than 500"),
            ("sign_in_text#d_: a", "is not a language"),
            ("sign_in_text#: a", "is not a language"),
        )
        for line, words in cases:
            with self.subTest(line=line[:30]):
                error: ConfigErrors = self.assertRaises(ConfigErrors, self.client, line)
                (fault,) = error.faults
                self.assertIn(words, fault.problem)
                self.assertIn("clients.yaml:4", fault.source)
