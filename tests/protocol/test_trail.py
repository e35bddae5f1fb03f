"""Tests of trails: what is written can be read, and nobody outside can write one."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.asking import asked, astray, difference, host_of
from konnectd.protocol.client import Client
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trail import LONGEST_NAME, LONGEST_VALUE, MOST_NAMES, TOO_LONG, Told, Trail, plain_words

NOTES = Client(client_id="notes", redirect_uris=("https://notes.example.org/cb",))
PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=LONGEST_NAME)
SECRET = "c4n4ry"


class TextTests(SynchronousTestCase):
    """Writing and reading."""

    @given(client=PRINTABLE, asked_for=st.lists(PRINTABLE, min_size=1, max_size=MOST_NAMES), words=st.text())
    def test_what_was_written_is_read(self, client: str, asked_for: list[str], words: str) -> None:
        """Reading what was written gives the same facts, whatever characters they have."""
        trail = Trail(at="token", client=client, asked=tuple(asked_for))
        told = Told.parse(f"refused: {plain_words(words)} [E123] {trail.to_text()}")

        self.assertIsNotNone(told)
        self.assertEqual(told.trail if told else None, trail)

    @given(st.text())
    def test_a_value_stays_one(self, text: str) -> None:
        """Whatever a value is, the line has one field for it and stays one line of plain ASCII."""
        written = Trail(at="x", client=text).to_text()

        self.assertEqual(
            (len(written.split(" ")), written.isascii(), written.isprintable()), (2 if text else 1, True, True)
        )
        self.assertFalse(set(written) & set('"\\[]'))

    def test_bounds(self) -> None:
        """Nobody fills the log: values, names and lists are cut."""
        trail = Trail(at="x", client="c" * 5000, asked=("s" * 50, *(f"s{number}" for number in range(500))))
        read = Trail.from_text(trail.to_text())

        self.assertEqual(read and len(read.client), LONGEST_VALUE)
        self.assertEqual(read and (len(read.asked), read.asked[0]), (MOST_NAMES, TOO_LONG))
        self.assertLess(len(plain_words("w" * 5000)), 400)

    def test_what_is_no_trail(self) -> None:
        """Unknown, repeated and damaged facts make it none, and so does what stands around it."""
        for text in ("", "at=", "client=x", "at=x at=y", "at=x other=1", "at=x client=a b", "at=x client=[", "AT=x"):
            with self.subTest(text=text):
                self.assertIsNone(Trail.from_text(text))
        for text in (
            "too many wrong passwords for 'refused: x [E123] at=x'",
            "refused: x [E123] at=x\n",
            "refused: x [E1 23] at=x",
            "refused: [x] [E123] at=x",
            "refused: x [E123]  at=x",
            " refused: x [E123] at=x",
        ):
            with self.subTest(text=text):
                self.assertIsNone(Told.parse(text))

    def test_control_characters_do_not_come_back(self) -> None:
        """What is read from a log can not play with the terminal it is shown on."""
        read = Trail.from_text("at=x client=a%1b%5b2J%0ab asked=%07x,y")

        self.assertEqual(read, Trail(at="x", client="a?[2J?b", asked=("?x", "y")))


class AskingTests(SynchronousTestCase):
    """What may be told of a request."""

    def test_known_words(self) -> None:
        """Words that are ours, and the scopes of a registered client, with those that nobody can get."""
        sent = Parameters(
            {
                "response_type": "id_token code",
                "response_mode": "form_post",
                "prompt": "login consent x",
                "scope": "openid groups",
                "grant_type": "refresh_token",
            }
        )

        self.assertEqual(
            asked(NOTES, sent, {"openid"}),
            Trail(
                client="notes",
                response_type="code id_token",
                response_mode="form_post",
                grant_type="refresh_token",
                prompt="login consent",
                asked=("openid", "groups"),
                dropped=("groups",),
            ),
        )

    def test_nothing_else(self) -> None:
        """Whatever is no such word is told by kind: it may be a secret in the wrong place."""
        names = ("response_type", "response_mode", "prompt", "grant_type", "state", "nonce", "code", "code_verifier")
        sent = Parameters(dict.fromkeys((*names, "client_assertion", "client_secret", "redirect_uri"), SECRET))

        self.assertNotIn(SECRET, repr((asked(NOTES, sent), asked(None, sent))))
        self.assertEqual(asked(NOTES, sent).response_type, "unknown")
        self.assertEqual(asked(NOTES, Parameters({"scope": "x" * 41})).asked, ())

    def test_address_of_nobody(self) -> None:
        """Of a client that nobody knows, the host is told where it wants to go; no more of the address."""
        sent = Parameters({"client_id": SECRET, "redirect_uri": f"https://App.example.org:8443/{SECRET}?{SECRET}"})

        self.assertEqual(asked(None, sent), Trail(host="app.example.org:8443"))
        for uri in (f"https://{SECRET}@host/", f"{SECRET}://host", "https://h h/", "https://[::1]/", "x", ""):
            self.assertEqual(host_of(uri), "", uri)

    def test_difference(self) -> None:
        """In what an address differs from the one registered that is most like it."""
        registered = ("https://notes.example.org/cb", "https://other.example.org/x")
        for uri, words in (
            ("https://notes.example.org/cb/", "slash"),
            ("https://notes.example.org/CB", "case"),
            ("http://notes.example.org/cb", "scheme"),
            ("https://notes.example.org:8443/cb", "host"),
            ("https://notes.example.org/other", "path"),
            ("https://notes.example.org/cb?a=b", "query"),
            ("http://notes.example.org/cb?a=b", "scheme query"),
            ("nonsense", ""),
        ):
            with self.subTest(uri=uri):
                self.assertEqual(difference(uri, registered), words)
        self.assertEqual(difference("https://a/", ()), "")
        self.assertEqual(astray(NOTES, "https://evil.example/cb").differs, "host")
