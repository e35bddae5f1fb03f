"""Tests of ``konnectd explain``: which lines it reads, what it says, and who can not fool it."""

import contextlib
import io
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger, LogPublisher, formatEventAsClassicLogText
from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd import cli, explain
from konnectd.config import documents
from konnectd.config.given import keys_of
from konnectd.explain import Line
from konnectd.logs import TextObserver
from konnectd.protocol.reasons import BY_NAME, REASONS, UNKNOWN, reason_of
from konnectd.protocol.trail import Trail
from tests.support.files import write

ROOT = Path(konnectd.__file__).parent.parent
TRAIL = Trail(
    at="authorize",
    answered="redirect",
    status="302",
    reason="scope-without-openid",
    error="invalid_scope",
    client="notes",
    response_type="code",
    prompt="none",
    asked=("groups", "profile"),
    dropped=("groups",),
)
SENTENCE = f"refused: scope must contain openid [E123456789abc] {TRAIL.to_text()}"
LINE = f'time=2026-11-26T01:02:03.004Z level=info msg="{SENTENCE}"'
#: Words with an underscore in advice that are no options: of a client's entry, and of the specifications.
OTHER_WORDS = frozenset(
    (
        *("redirect_uris", "post_logout_redirect_uris", "response_types", "request_uris", "grant_types", "client_id"),
        *("request_object_signing_alg", "token_endpoint_auth_method", "client_credentials", "id_token_hint"),
        *("expires_in", "redirect_uri", "response_type", "response_mode", "max_age", "code_challenge", "grant_type"),
        *("acr_values_supported", "offline_access", "login_hint", "auth_time", "trusted_scopes"),
        *("identity_claim_name", "identity_aliases"),
    )
)


class Terminal(io.StringIO):
    """Standard input where somebody sits."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def run(word: str, log: str = "", *, text: str | None = None) -> tuple[int, str, str]:
    """Explain, and return exit status, output and complaints; standard input is a terminal when there is no text."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = explain.run(word, log, Terminal() if text is None else io.StringIO(text))
    return status, output.getvalue(), errors.getvalue()


class WordsTests(SynchronousTestCase):
    """What is said."""

    def test_trail(self) -> None:
        """Who asked for what, what came of it, which rule says so, and what to change."""
        status, said, errors = run(LINE)

        self.assertEqual((status, errors), (0, ""))
        for words in (
            "Reference:        E123456789abc\n",
            "When:             2026-11-26T01:02:03.004Z\n",
            "Where:            authorize\n",
            "Outcome:          refused by sending the browser back to the application, status 302\n",
            "Application:      notes\n",
            "Asked for:        response_type code, prompt none\n",
            "Scopes asked:     groups profile\n",
            "Scopes dropped:   groups\n",
            "Told to client:   invalid_scope\n",
            "In words:         scope must contain openid\n",
            "Reason:           scope-without-openid\n",
            "Rule:             OIDC Core 3.1.2.1\n",
            "Whose move:       of the people who run the application\n",
            "What to do:       Add openid to the scopes in the settings of the application.\n",
            "look at allowed_scopes in the",
        ):
            self.assertIn(words, said)

    def test_every_reason(self) -> None:
        """Each reason is told with its rule, its advice and words for the person."""
        for reason in REASONS:
            text = Trail(at="x", answered="json", status="400", reason=reason.name).to_text()
            _, said, _ = run(f'level=info msg="refused: x [E123] {text}"')
            said = " ".join(said.split())
            with self.subTest(name=reason.name):
                for words in (reason.name, reason.why, reason.advice, reason.clause, reason.person):
                    self.assertIn(words, said)

    def test_granted(self) -> None:
        """A request that was granted has a trail as well, without a reason."""
        trail = Trail(at="token", answered="json", client="notes", asked=("openid",), granted=("openid",))
        status, said, _ = run(f'level=debug msg="answered: [E123] {trail.to_text()}"')

        self.assertEqual(status, 0)
        self.assertIn("answered with a message to the program that asked", said)
        self.assertIn("Scopes granted:   openid", said)
        self.assertNotIn("Reason:", said)

    def test_fault(self) -> None:
        """A mistake of ours leads to its traceback."""
        status, said, _ = run('level=fatal msg="token: our fault, reference E123: ValueError"')

        self.assertEqual(status, 0)
        self.assertIn("konnectd made a mistake.", said)
        self.assertIn("In words:         ValueError", said)

    def test_nothing_there(self) -> None:
        """Of an address that leads nowhere the path is told."""
        line = 'level=info msg="refused: x [E123] at=- answered=page status=404 reason=not-found" path="/a\\nb c"'

        self.assertIn("Where:            - /a?b c\n", run(line)[1])
        self.assertIn("Where:            - /ab\n", run(line.replace('"/a\\nb c"', "/ab"))[1])

    def test_address(self) -> None:
        """Where an address leads that was refused, and in what it is unlike the one registered."""
        said = run(LINE.replace(" client=notes", " client=notes host=app.example.org differs=slash"))[1]
        other = run(LINE.replace(" client=notes", " differs=scheme%20path"))[1]

        self.assertIn("Address leads to: app.example.org\nAddress differs:  a slash at the end\n", said)
        self.assertIn("Address differs:  http or https, path\n", other)

    def test_newer_reason(self) -> None:
        """A reason of another version is told by its name."""
        self.assertIn("brand-new, which this version", run(LINE.replace("scope-without-openid", "brand-new"))[1])

    def test_options_are_there(self) -> None:
        """Advice names options as the file spells them."""
        options = {key for found in documents.sections().values() for option in found for key in keys_of(option)}
        texts = [explain.DROPPED, *(f"{reason.why} {reason.advice}" for reason in REASONS)]
        named = {word for text in texts for word in re.findall(r"[a-z]+(?:_[a-z]+)+", text)}

        self.assertEqual({word.removesuffix("_file") for word in named - OTHER_WORDS} - options, set())


class ManualTests(SynchronousTestCase):
    """The page for administrators."""

    def test_in_step(self) -> None:
        """Every description and every reason that it names is one that there is."""
        page = (ROOT / "docs" / "operate" / "troubleshooting.md").read_text("utf-8")
        described = re.findall(r"^\| `([a-z_]+)`(?: \([0-9]+\))? \| `([^`]+)` \|", page, re.MULTILINE)
        table = page.partition("| reason | title")[2].partition("\n\n")[0]
        named = {name for row in table.splitlines()[2:] for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])}

        self.assertGreater(len(described), 30)
        self.assertEqual(
            [
                text
                for code, text in described
                if code != "error" and reason_of(code, text.replace("...", "")) is UNKNOWN
            ],
            ["try again later, reference ..."],
        )
        self.assertGreater(len(named), 10)
        self.assertEqual(named - set(BY_NAME), set())


class FormTests(SynchronousTestCase):
    """Forms of lines."""

    def test_forms(self) -> None:
        """With and without the time, from a journal, from a container, and as twistd has it in a log of its own."""
        plain = LINE.partition(" ")[2]
        for line in (
            LINE,
            plain,
            f"Nov 26 01:02:03 host konnectd[77]: {LINE}",
            f"Nov  6 01:02:03 host konnectd[77]: {plain}",
            f"2026-11-26T01:02:03+0000 id.example.com konnectd[77]: {plain}",
            f"konnectd-1  | {LINE}",
            f"2026-11-26T01:02:03+0000 [konnectd.web#info] {SENTENCE}",
            f"Nov 26 01:02:03 host twistd[77]: [konnectd.web#info] {SENTENCE}",
            f"{LINE}\r\n",
        ):
            with self.subTest(line=line):
                found = Line.parse(line)

                self.assertEqual(found and (found.told.reference, found.told.trail), ("E123456789abc", TRAIL))

    def test_what_our_logs_write(self) -> None:
        """What the daemon writes is read, in its own form and in twistd's."""
        written: list[str] = []
        publisher = LogPublisher(
            TextObserver(written.append), lambda event: written.append(formatEventAsClassicLogText(event) or "")
        )
        Logger(namespace="konnectd.web", observer=publisher).info(
            "refused: {words} [{reference}] {trail}", words="x", reference="E123", trail=TRAIL.to_text()
        )

        self.assertEqual(len(written), 2)
        for line in written:
            found = Line.parse(line)
            self.assertEqual(found and found.told.trail, TRAIL)

    @given(
        st.text(max_size=80),
        st.sampled_from([SENTENCE, LINE, f'" {LINE}', f"\n{LINE}", f"' [konnectd.web#info] {SENTENCE}"]),
    )
    def test_nobody_forges_a_trail(self, text: str, forged: str) -> None:
        """Whatever somebody types, wherever it is logged, it is never taken for a decision, in either log."""
        written: list[str] = []
        publisher = LogPublisher(
            TextObserver(written.append), lambda event: written.append(formatEventAsClassicLogText(event) or "")
        )
        log = Logger(namespace="konnectd.web", observer=publisher)
        for typed in (forged, text + forged, forged + text):
            log.warn("too many wrong passwords for {user!r}, refused for some minutes", user=typed)
            log.info("refused somebody", path=typed)
            trail = Trail(at="token", client=typed[:20], reason="code-unknown")
            log.info("refused: {words} [{reference}] {trail}", words="x", reference="E1234", trail=trail.to_text())
        found = [line for whole in written for text in whole.split("\n") if (line := Line.parse(text)) is not None]

        self.assertEqual({line.told.reference for line in found}, {"E1234"})
        self.assertEqual({line.told.trail.reason for line in found}, {"code-unknown"})
        self.assertEqual(len(found), 6)

    def test_escapes(self) -> None:
        """Escapes of our log are taken back; one of no character is none."""
        for escape, shown in (
            ("\\xe4", "ä"),
            ("\\u20ac", "€"),
            ("\\U0001f600", "😀"),
            ("\\Uffffffff", "?"),
            ('\\"', '"'),
        ):
            with self.subTest(escape=escape):
                found = Line.parse(f'level=warn msg="refused: {escape} [E1234] at=x"')

                self.assertEqual(found and found.told.words, shown)

    @given(st.text())
    def test_any_line(self, text: str) -> None:
        """No line makes it fail."""
        Line.parse(text)
        Line.parse(f'level=info msg="{text}"')


class SearchTests(SynchronousTestCase):
    """Where lines come from."""

    def test_in_a_file(self) -> None:
        """A reference is found in a file, whatever else is in there."""
        log = write(self, "log", b"x\n\xff" + b"y" * 70000 + f"\n{LINE}\n".encode())
        for word in ("E123456789abc", "[E123456789abc]"):
            status, said, errors = run(word, str(log))

            self.assertEqual((status, errors), (0, ""))
            self.assertIn("scope-without-openid", said)

    def test_handed_over(self) -> None:
        """A reference is found on standard input, and a dash explains every line of it."""
        other = LINE.replace("E123456789abc", "Eother")
        status, said, _ = run("Eother", text=f"{LINE}\n{other}\n")

        self.assertEqual((status, said.count("Reference:")), (0, 1))
        self.assertEqual(run("-", text=f"{LINE}\nx\n{other}\n")[1].count("Reference:"), 2)
        self.assertEqual(run("-", text=f"{LINE}\n" * 150)[1].count("Reference:"), explain.MOST_SHOWN)

    def test_not_found(self) -> None:
        """It says what it has tried."""
        status, said, errors = run("Enowhere", text=f"x\n{LINE}\n")

        self.assertEqual((status, said), (1, ""))
        self.assertIn("standard input: 2 lines, 1 of them about decisions; the reference Enowhere is in none", errors)
        self.assertIn("there is nothing to explain", run("-", text="x\n")[2])

    def test_mistakes(self) -> None:
        """Each mistake is told, with the exit status of one."""
        for words, log, complaint in (
            ("some words", "", "neither a reference nor a whole line"),
            ("E123456", "", "where is the log?"),
            ("-", "", "where is the log?"),
            ("E123456", "/nowhere/log", "/nowhere/log: No such file"),
        ):
            with self.subTest(words=words):
                status, said, errors = run(words, log)

                self.assertEqual((status, said), (1, ""))
                self.assertIn(complaint, errors)

    def test_command_line(self) -> None:
        """The command takes one word and one flag."""
        for argv, complaint in (
            ((), "usage: konnectd explain"),
            (("a", "b"), "usage: konnectd explain"),
            (("--bogus", "E123"), "is not an option"),
            (("--log=/nowhere/log", "E12345"), "No such file"),
        ):
            errors = io.StringIO()
            with self.subTest(argv=argv), contextlib.redirect_stderr(errors):
                self.assertEqual(cli.main(("explain", *argv)), 1)
                self.assertIn(complaint, errors.getvalue())
