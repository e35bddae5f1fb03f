"""Cookies as they are on the wire, byte for byte, and what of them is read back."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import LOGON, Forget, Keep
from konnectd.http import HttpRequest
from konnectd.web.cookies import FORM, Cookies
from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.requests import NOTES
from tests.support.visitor import Visitor

LOOPBACK = "http://localhost:8777"
INNER = "/signin/v1/identifier/_/"
SESSION = "/konnect/v1/session/"
SEALED = "[A-Za-z0-9_-]+"


def set_by(answer: Heard) -> list[str]:
    """Return the values of all ``Set-Cookie`` headers."""
    return [value for name, value in answer.headers if name == "Set-Cookie"]


class WireTests(SynchronousTestCase):
    """What browsers get from the assembled daemon."""

    def cookies_of_a_run(self, *words: str, **issuer: str) -> list[str]:
        """Return all cookies that are set from the sign-in page to the end of the session, in order."""
        daemon = Daemon(*words, **issuer)  # type: ignore[arg-type]
        app, visitor, origin = Application(daemon, NOTES), Visitor(daemon), daemon.origin
        ours = f"Origin: {origin}"
        page = app.arrive(visitor)
        found = set_by(page.answer)
        form = f"csrf={page.fields['csrf']}&username=alice&password=wonderland"
        signed_in = visitor.send("POST", f"{origin}{page.action}", form, ours)
        consent = visitor.open(signed_in.header("Location"))
        allowed = visitor.send("POST", f"{origin}{consent.action}", f"csrf={consent.fields['csrf']}&allow=1", ours)
        back = visitor.send("GET", f"{origin}{allowed.header('Location')}")
        goodbye = visitor.open(f"{daemon.settings.paths.inner}goodbye")
        left = visitor.send("POST", f"{origin}{goodbye.action}", f"csrf={goodbye.fields['csrf']}&signout=1", ours)
        for answer in (signed_in, consent.answer, allowed, back, goodbye.answer, left):
            found += set_by(answer)
        return found

    def assertCookies(self, found: list[str], *patterns: str) -> None:
        """Fail unless there are as many cookies as patterns, each of its own."""
        self.assertEqual(len(found), len(patterns), found)
        for value, pattern in zip(found, patterns, strict=True):
            self.assertRegex(value, f"\\A{pattern}\\Z")

    def test_https(self) -> None:
        """Konnect's names and paths; what forms are bound to never leaves the site."""
        rest = "; Secure; HttpOnly; SameSite=None"
        gone = "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
        self.assertCookies(
            self.cookies_of_a_run(),
            "__Secure-KKFT=[A-Za-z0-9_-]{43}; Path=/signin/v1/identifier; Secure; HttpOnly; SameSite=Lax",
            f"__Secure-KKT={SEALED}; Path={INNER}{rest}",
            f"__Secure-KKBS=[A-Za-z0-9_-]{{22}}; Path={SESSION}; Secure; SameSite=None",
            f"__Secure-KKTC-[A-Za-z0-9_-]{{43}}={SEALED}; Path={INNER}; Max-Age=60{rest}",
            f"__Secure-KKTC-[A-Za-z0-9_-]{{43}}=; Path={INNER}{gone}{rest}",
            f"__Secure-KKT=; Path={INNER}{gone}{rest}",
            f"__Secure-KKBS=; Path={SESSION}{gone}; Secure; SameSite=None",
        )

    def test_loopback(self) -> None:
        """On this very machine without TLS there is neither the prefix nor what hangs on it."""
        rest = "; HttpOnly; SameSite=Lax"
        gone = "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
        self.assertCookies(
            self.cookies_of_a_run(issuer=LOOPBACK),
            f"KKFT=[A-Za-z0-9_-]{{43}}; Path=/signin/v1/identifier{rest}",
            f"KKT={SEALED}; Path={INNER}{rest}",
            f"KKBS=[A-Za-z0-9_-]{{22}}; Path={SESSION}; SameSite=Lax",
            f"KKTC-[A-Za-z0-9_-]{{43}}={SEALED}; Path={INNER}; Max-Age=60{rest}",
            f"KKTC-[A-Za-z0-9_-]{{43}}=; Path={INNER}{gone}{rest}",
            f"KKT=; Path={INNER}{gone}{rest}",
            f"KKBS=; Path={SESSION}{gone}; SameSite=Lax",
        )

    def test_base_path(self) -> None:
        """They stay below the operator's path."""
        found = self.cookies_of_a_run("--uri-base-path=/sub", issuer="https://sso.example.com/sub")

        self.assertEqual(
            {line.partition("Path=")[2].partition(";")[0] for line in found},
            {"/sub/signin/v1/identifier", f"/sub{INNER}", f"/sub{SESSION}"},
        )

    def test_once(self) -> None:
        """A browser that has the cookie of forms gets no other, so a second tab does not spoil the first."""
        daemon = Daemon()
        visitor = Visitor(daemon)
        pages = [visitor.open("/signin/v1/identifier") for _ in range(2)]
        found = [set_by(page.answer) for page in pages]

        self.assertEqual((len(found[0]), found[1]), (1, []))
        self.assertEqual(pages[0].fields["csrf"], pages[1].fields["csrf"])

    def test_odd_form_cookies(self) -> None:
        """What can not be ours is replaced, and nobody gets a token for a cookie of their making by accident."""
        daemon = Daemon()
        for value in ("", "x", "A" * 42, "A" * 44, "A" * 42 + "%", "\u00e9" * 43, "A" * 42 + '"'):
            answer = daemon.get(f"{INNER}signin", f"Cookie: __Secure-KKFT={value}")
            with self.subTest(value=value):
                self.assertEqual(len(set_by(answer)), 1)


class ReadTests(SynchronousTestCase):
    """What is read back."""

    SECURE = Cookies(secure=True, path="/i/", form_path="/")
    PLAIN = Cookies(secure=False, path="/i/", form_path="/")

    def read(self, cookies: Cookies, header: str) -> dict[str, str]:
        """Return what a browser kept, by short names."""
        return dict(cookies.read(HttpRequest(method="GET", path="/", headers={"cookie": header})).sealed)

    def test_prefix(self) -> None:
        """Over https a cookie without the prefix is not ours: a page without TLS may have set it."""
        self.assertEqual(self.read(self.SECURE, "KKT=planted; __Secure-KKT=ours"), {"KKT": "ours"})
        self.assertEqual(self.read(self.PLAIN, "KKT=ours"), {"KKT": "ours"})

    def test_repeated(self) -> None:
        """The first is the one with the longest path. Spec: RFC 6265 5.4."""
        self.assertEqual(self.read(self.SECURE, "__Secure-KKT=a; __Secure-KKT=b"), {"KKT": "a"})

    def test_names(self) -> None:
        """What is written under a name is read under it, over https and without."""
        for cookies in (self.SECURE, self.PLAIN):
            lines = cookies.write((Keep(LOGON, "v", 5), Keep(FORM, "w"), Forget("KKTC-x"), Keep("KKBS", "s")))
            header = "; ".join(value.decode().partition(";")[0] for _, value in lines)

            self.assertEqual(self.read(cookies, header), {"KKT": "v", "KKFT": "w", "KKTC-x": "", "KKBS": "s"})

    @settings(deadline=None)
    @given(st.text(st.characters(codec="latin-1")))
    def test_any_header(self, header: str) -> None:
        """Whatever a browser sends is read as names and values."""
        for cookies in (self.SECURE, self.PLAIN):
            for name, value in self.read(cookies, header).items():
                self.assertIn(value, header)
                self.assertNotIn(";", name + value)
