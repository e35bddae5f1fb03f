"""Tests of the values of single options."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import values
from konnectd.config.values import LogLevel


class IssuerTests(SynchronousTestCase):
    """An issuer identifier is an https URL, or http on this very machine."""

    def test_kept_as_written(self) -> None:
        """Clients compare it character by character, so nothing about it changes."""
        for text in (
            "https://id.example.com",
            "https://id.example.com/",
            "https://id.example.com:8443/sub",
            "http://localhost:8777",
            "http://127.0.0.1",
            "http://[::1]:1",
        ):
            with self.subTest(text=text):
                self.assertEqual(values.issuer(text), text)

    def test_refused(self) -> None:
        """Everything that is not plainly a place of its own is refused."""
        for text in (
            "",
            "id.example.com",
            "http://id.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "ftp://id.example.com",
            "https://",
            "https://user@id.example.com",
            "https://id.example.com?x=1",
            "https://id.example.com/#x",
            "https://id.example.com/a//b",
            "https://id.example.com/../a",
            "https://id.example.com/a%2fb",
            "https://id.example.com:99999",
            "https://id.example.com\n",
        ):
            with self.subTest(text=text):
                self.assertRaises(ValueError, values.issuer, text)


class ListenTests(SynchronousTestCase):
    """An address is host and port, a unix socket, or whatever Twisted understands."""

    def test_accepted(self) -> None:
        """All three forms pass."""
        for text in (
            "127.0.0.1:8777",
            ":8777",
            "localhost:0",
            "[::1]:8777",
            "unix:/run/konnectd.sock",
            "unix:/run/konnectd.sock:mode=660",
            "systemd:domain=INET:index=0",
            "tcp:8777:interface=127.0.0.1",
        ):
            with self.subTest(text=text):
                self.assertEqual(values.listen(text), text)

    def test_refused(self) -> None:
        """What is none of them is refused before anything starts."""
        for text in ("", "8777", "127.0.0.1", "127.0.0.1:65536", "unix:relative.sock", "/run/x.sock", "unix:", "a b:1"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, values.listen, text)


class PathTests(SynchronousTestCase):
    """Base paths and pages."""

    def test_base_path(self) -> None:
        """The trailing slash goes, and the lone one means nothing."""
        found = [values.base_path(text) for text in ("", "/", "/sub", "/sub/", "/a/b.c")]

        self.assertEqual(found, ["", "", "/sub", "/sub", "/a/b.c"])

    def test_bad_base_path(self) -> None:
        """Whatever would mean something else in a URL is refused."""
        for text in ("sub", "//host", "/a//b", "/a/../b", "/a?b", "/a#b", "/a b", "/%2e", "https://x"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, values.base_path, text)

    def test_page(self) -> None:
        """A page is a path here, or somebody's https address."""
        for text in ("/", "/signin", "/signin/", "https://www.example.com/bye", "http://localhost:3000/x"):
            with self.subTest(text=text):
                self.assertEqual(values.page_uri(text), text)

    def test_bad_page(self) -> None:
        """Another host in disguise, a script and http are none."""
        for text in (
            "signin",
            "//evil.example",
            "/\\evil",
            "/a?b",
            "/a#b",
            "http://example.com",
            "javascript:alert(1)",
        ):
            with self.subTest(text=text):
                self.assertRaises(ValueError, values.page_uri, text)


class OtherTests(SynchronousTestCase):
    """Scopes, lifetimes and log levels."""

    def test_scope(self) -> None:
        """A scope is one token."""
        self.assertEqual(values.scope_token("konnect/id"), "konnect/id")
        for text in ("", "a b", 'a"b', "a\\b", " a", "ä"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, values.scope_token, text)

    def test_lifetime(self) -> None:
        """A lifetime is a number of seconds that somebody could mean."""
        self.assertEqual(values.lifetime("94608000"), 94608000)
        for text in ("", "-1", "1h", "1.5", "999999999"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, values.lifetime, text)

    def test_log_level(self) -> None:
        """Konnect's words count, whatever their case, and so does the usual long form of one."""
        found = [values.log_level(text) for text in ("panic", "WARN", "warning", "trace")]

        self.assertEqual(found, [LogLevel.PANIC, LogLevel.WARN, LogLevel.WARN, LogLevel.TRACE])
        self.assertRaises(ValueError, values.log_level, "loud")

    @given(st.text(max_size=60))
    @settings(deadline=None, max_examples=200)
    def test_nothing_else_is_raised(self, text: str) -> None:
        """Whatever text is given, each parser returns a value or says what is wrong."""
        for parse in (values.issuer, values.listen, values.base_path, values.page_uri, values.scope_token):
            try:
                parse(text)
            except ValueError as error:
                self.assertTrue(str(error))
