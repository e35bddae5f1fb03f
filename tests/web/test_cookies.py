"""Cookies on the wire."""

from http.cookies import SimpleCookie

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import Forget, Keep
from konnectd.http import HttpRequest
from konnectd.protocol.interaction import consent_cookie
from konnectd.web.cookies import FORM, Cookies

SECURE = Cookies(secure=True, path="/signin/v1/identifier/_/", form_path="/signin/v1/")
PLAIN = Cookies(secure=False, path="/signin/v1/identifier/_/", form_path="/signin/v1/")


def line(cookies: Cookies, change: Keep | Forget) -> list[str]:
    """Return the parts of the one header that a change makes."""
    ((name, value),) = cookies.write((change,))
    if name != b"Set-Cookie":
        raise AssertionError(name)
    return value.decode("ascii").split("; ")


def request(cookie: str) -> HttpRequest:
    """Return a request with a cookie header."""
    return HttpRequest(method="GET", path="/", headers={"cookie": cookie})


class WriteTests(SynchronousTestCase):
    """What browsers are told to keep and to forget."""

    def test_logon(self) -> None:
        """The logon goes over TLS only, to the sign-in area only, to no script, into frames too, till the browser ends."""
        self.assertEqual(
            line(SECURE, Keep("KKT", "sealed")),
            ["__Secure-KKT=sealed", "Path=/signin/v1/identifier/_/", "Secure", "HttpOnly", "SameSite=None"],
        )

    def test_life(self) -> None:
        """What has an end of its own says so."""
        self.assertIn("Max-Age=60", line(SECURE, Keep("KKTC-x", "sealed", 60)))

    def test_form(self) -> None:
        """The cookie of forms never goes along with what other sites send."""
        self.assertEqual(
            line(SECURE, Keep(FORM, "random")),
            ["__Secure-KKFT=random", "Path=/signin/v1/", "Secure", "HttpOnly", "SameSite=Lax"],
        )

    def test_plain_http(self) -> None:
        """Without TLS there is neither the prefix nor what browsers take from secure sites only."""
        for name in ("KKT", FORM):
            parts = line(PLAIN, Keep(name, "sealed"))

            self.assertEqual((parts[0], parts[-1]), (f"{name}=sealed", "SameSite=Lax"))
            self.assertNotIn("Secure", parts)
            self.assertIn("HttpOnly", parts)

    def test_forget(self) -> None:
        """What is to be forgotten has the name, the path and the flags it was kept with, and ended long ago."""
        for cookies in (SECURE, PLAIN):
            for name in ("KKT", FORM):
                kept, gone = line(cookies, Keep(name, "sealed")), line(cookies, Forget(name))

                self.assertEqual(gone[0], kept[0].removesuffix("sealed"))
                self.assertEqual([part for part in gone[1:] if not part.startswith(("Max-Age", "Expires"))], kept[1:])
                self.assertIn("Max-Age=0", gone)
                self.assertIn("Expires=Thu, 01 Jan 1970 00:00:00 GMT", gone)

    def test_several(self) -> None:
        """Each change has a header of its own, in order."""
        headers = SECURE.write((Keep("KKT", "1"), Forget("KKTC-x")))

        self.assertEqual([value.partition(b"=")[0] for _, value in headers], [b"__Secure-KKT", b"__Secure-KKTC-x"])
        self.assertEqual(SECURE.write(()), ())

    def test_others_can_read_it(self) -> None:
        """What we write is understood by a reader we have not written."""
        name = consent_cookie("s", "c", "u", "st", "no")
        value = SECURE.write((Keep(name, "a-b_c", 60),))[0][1].decode()
        morsel = SimpleCookie(value)[f"__Secure-{name}"]

        self.assertEqual((morsel.value, morsel["path"], morsel["max-age"]), ("a-b_c", SECURE.path, "60"))


class ReadTests(SynchronousTestCase):
    """What browsers send along."""

    def test_short_names(self) -> None:
        """Flows see the short names, without the prefix."""
        browser = SECURE.read(request("__Secure-KKT=a; __Secure-KKFT=b; other=c"))

        self.assertEqual(browser.sealed, {"KKT": "a", "KKFT": "b"})

    def test_without_the_prefix(self) -> None:
        """A cookie that lost the prefix, and could have been set without TLS, does not count."""
        self.assertEqual(SECURE.read(request("KKT=planted; __secure-KKT=planted; __Host-KKT=planted")).sealed, {})

    def test_plain_http(self) -> None:
        """Without TLS cookies have the short names."""
        self.assertEqual(PLAIN.read(request("KKT=a; KKFT=b")).sealed, {"KKT": "a", "KKFT": "b"})

    def test_first_of_two(self) -> None:
        """Of two with one name the first counts, which is the one with the longer path."""
        self.assertEqual(SECURE.read(request("__Secure-KKT=ours; __Secure-KKT=planted")).sealed, {"KKT": "ours"})

    def test_none(self) -> None:
        """Who sends no cookies, or only noise, keeps nothing for us."""
        for cookie in ("", ";;;", "=", "KKT", "; __Secure-KKT"):
            self.assertEqual(SECURE.read(request(cookie)).sealed, {}, cookie)

    def test_round_trip(self) -> None:
        """What we write is what we read."""
        for cookies in (SECURE, PLAIN):
            sent = line(cookies, Keep("KKT", "a-b_c"))[0]

            self.assertEqual(cookies.read(request(sent)).sealed, {"KKT": "a-b_c"})
