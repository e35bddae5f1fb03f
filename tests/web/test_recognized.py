"""People whom a trusted proxy has recognized, in front of the assembled daemon."""

from urllib.parse import urlsplit

from twisted.trial.unittest import SynchronousTestCase

from tests.support.api_case import MAIL_ASK, NOTES_ASK
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.behind_proxy import TRUST, Nameless, Proxied
from tests.support.front_end import FrontEnd, with_front_end
from tests.support.loglines import LogLines
from tests.support.page_case import INNER
from tests.support.people import ALICE, BOB
from tests.support.requests import MAIL, NOTES

ALICE_IS_THERE = "X-Forwarded-User: alice"


class ProxyCase(SynchronousTestCase):
    """Browsers behind a proxy."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(TRUST)
        self.mail = Application(self.daemon, MAIL)
        self.notes = Application(self.daemon, NOTES)
        self.alice = Proxied.of(self.daemon, "alice")


class SignInTests(ProxyCase):
    """No page is in the way."""

    def test_application(self) -> None:
        """The application gets its code by the first request, and tokens that say no more than is known."""
        tokens = json_of(self.mail.redeem(self.mail.told(self.mail.arrive(self.alice))["code"]))
        claims = self.daemon.world.verifier.verify(str(tokens["id_token"])) or {}

        self.assertEqual(
            (claims["auth_time"], claims.get("amr"), claims.get("acr")), (self.daemon.clock.now(), None, None)
        )
        self.assertEqual(json_of(self.mail.userinfo(tokens["access_token"]))["sub"], claims["sub"])

    def test_welcome(self) -> None:
        """Somebody who comes by themselves is at the page that says who they are."""
        for path in (f"{INNER}welcome", "/signin/v1/identifier", "/signin/v1/welcome"):
            visit = Proxied.of(self.daemon, "alice").open(path)
            self.assertEqual((visit.path, ALICE.name in visit.text), (f"{INNER}welcome", True), path)

    def test_other_pages(self) -> None:
        """So is somebody who wants to see their sessions; with a device, they can type its code."""
        self.assertIn(ALICE.name, Proxied.of(self.daemon, "alice").open(f"{INNER}account").text)
        self.assertEqual(Proxied.of(self.daemon, "alice").open("/signin/v1/device").path, f"{INNER}device")

    def test_consent(self) -> None:
        """An application that is not of the house has to ask, once for each step; the form keeps its token."""
        page = self.notes.arrive(self.alice)
        forged = self.alice.post(page.url, {"allow": "1"})
        allowed = self.alice.submit(page, allow="1")

        self.assertEqual((page.path, forged.left), (f"{INNER}consent", False))
        self.assertIn("code", self.notes.told(allowed))

    def test_forged_forms(self) -> None:
        """CSRF: the proxy's word is on every request, forms of other sites included. No form does without its token."""
        self.alice.open(f"{INNER}welcome")
        for path in ("account", "welcome", "goodbye", "device", "chooseaccount"):
            visit = self.alice.post(
                f"{INNER}{path}", {"signout": "1", "allow": "1", "end": "x"}, "Origin: https://evil.example"
            )
            self.assertEqual(visit.answer.status, 403, path)
        self.assertIn(ALICE.name, self.alice.open(f"{INNER}welcome").text)

    def test_no_cookies(self) -> None:
        """A browser that keeps nothing is not sent round for ever: it ends at the sign-in page, or at the client."""
        for path in (f"{INNER}welcome", f"{INNER}account", self.notes.url()):
            browser = Forgetful(self.daemon, ALICE_IS_THERE)
            self.assertEqual(browser.open(path).title, "Sign in", path)
        self.assertIn("code", self.mail.told(self.mail.arrive(Forgetful(self.daemon, ALICE_IS_THERE))))

    def test_sign_in_page(self) -> None:
        """The page is there for whoever wants it: to prove who they are, or to be somebody else as well."""
        page = self.mail.arrive(self.alice, prompt="login")
        visit = self.alice.submit(page, username="bob", password="builder")

        self.assertEqual(page.title, "Sign in")
        self.assertIn("code", self.mail.told(visit))
        self.assertIn(BOB.name, self.alice.open(f"{INNER}welcome").text)

    def test_list_of_sessions(self) -> None:
        """The session is listed with the browser it is in."""
        browser = Proxied(self.daemon, ALICE_IS_THERE, user_agent="Mozilla/5.0 (X11; Linux) Gecko Firefox/140.0")

        browser.open(f"{INNER}welcome")
        self.assertIn("Firefox on Linux", browser.open(f"{INNER}account").text)


class Forgetful(Proxied):
    """A browser that keeps no cookies."""

    def cookies_for(self, url: str, *, lax: bool = True) -> str:
        """Return nothing."""
        return ""


class HostileTests(ProxyCase):
    """Words that must not count."""

    def test_untrusted(self) -> None:
        """FAULT: who connects past the proxy, or where none is trusted, is nobody, whatever they say."""
        for daemon in (Daemon(), Daemon("--trusted-proxy=192.0.2.8"), Daemon("--trusted-proxy=unix")):
            browser = Proxied(daemon, ALICE_IS_THERE, "X-Forwarded-For: 192.0.2.8", "X-Real-IP: 192.0.2.8")
            self.assertEqual(browser.open(f"{INNER}welcome").title, "Sign in")
            self.assertEqual(Application(daemon, MAIL).arrive(browser).title, "Sign in")

    def test_twice(self) -> None:
        """FAULT: a proxy adds its word to that of the browser. Nobody is signed in."""
        browser = Proxied(self.daemon, "X-Forwarded-User: bob", ALICE_IS_THERE)

        self.assertEqual(browser.send("GET", self.daemon.origin + self.mail.url()).status, 400)
        self.assertEqual(browser.jar, {})

    def test_other_spelling(self) -> None:
        """FAULT: an underscore is read as a hyphen."""
        browser = Proxied(self.daemon, "X_Forwarded_User: alice")

        self.assertEqual(self.mail.arrive(browser).title, "Sign in")

    def test_strangers(self) -> None:
        """Whom the backend does not know gets the sign-in page, and the operator a line each time."""
        log = LogLines(self)
        for name in ("SYSTEM", "(null)", "nobody@example.org"):
            self.assertEqual(self.mail.arrive(Proxied.of(self.daemon, name)).title, "Sign in", name)

        self.assertEqual(len(log.about("whom the backend does not know", "warn")), 3)

    def test_no_names(self) -> None:
        """A backend that finds nobody by name: everybody gets the sign-in page, and the operator one line."""
        log = LogLines(self)
        daemon = Daemon(TRUST, backend=Nameless())
        titles = [Application(daemon, MAIL).arrive(Proxied.of(daemon, "alice")).title for _ in range(3)]

        self.assertEqual((titles, len(log.about("can not find people by name", "warn"))), (["Sign in"] * 3, 1))

    def test_another_person(self) -> None:
        """FAULT: on a shared computer the next person sees what the one before was signed in to see."""
        self.alice.open(f"{INNER}welcome")
        self.alice.added = ("X-Forwarded-User: bob",)
        for path in ("welcome", "account", "chooseaccount"):
            text = self.alice.open(f"{INNER}{path}").text
            self.assertEqual((ALICE.name in text, BOB.name in text), (False, True), path)

    def test_form_of_another_person(self) -> None:
        """A page that was made for the person before can not be sent off as the next one."""
        page = self.alice.open(f"{INNER}account")
        self.alice.added = ("X-Forwarded-User: bob",)
        self.alice.open(f"{INNER}welcome")

        self.assertEqual(self.alice.submit(page, end="x").answer.status, 403)

    def test_programs(self) -> None:
        """Endpoints for programs do not care who sits where."""
        plain = self.daemon.get(self.daemon.settings.paths.userinfo, ALICE_IS_THERE)

        self.assertEqual(plain.status, 401)


class SignOutTests(ProxyCase):
    """Signing out of what one did not sign in to."""

    def test_goodbye(self) -> None:
        """Whoever signs out is signed out, is told that it will not last, and is signed in by the next application."""
        page = self.alice.open(f"{INNER}goodbye")
        self.assertIn("You are recognized here automatically", page.text)
        self.alice.open(f"{INNER}welcome")
        left = self.alice.submit(self.alice.open(f"{INNER}goodbye"), signout="1")

        self.assertEqual((left.title, urlsplit(left.url).path), ("You are signed out", f"{INNER}goodbye"))
        self.assertIn("You are recognized here automatically", left.text)
        self.assertFalse(self.alice.holds("__Secure-KKT"))
        self.assertIn("code", self.mail.told(self.mail.arrive(self.alice)))

    def test_others(self) -> None:
        """Where nobody is recognized the page says nothing of it."""
        self.assertNotIn("recognized", Proxied(self.daemon).open(f"{INNER}goodbye").text)


class FrontEndTests(SynchronousTestCase):
    """Front ends of others are told as much."""

    def setUp(self) -> None:
        """Assemble a daemon with a front end."""
        self.daemon = with_front_end(TRUST)
        self.browser = Proxied.of(self.daemon, "alice")
        self.front = FrontEnd(self.browser)

    def test_hello(self) -> None:
        """Who is recognized is there, and signed in; before, only the first of the two was true."""
        answer = self.front.call("hello", **MAIL_ASK)

        self.assertEqual((json_of(answer)["username"], self.browser.holds("__Secure-KKT")), ("alice", True))
        self.assertIn(
            "code", Application(self.daemon).told(Application(self.daemon).arrive(self.browser, prompt="none"))
        )

    def test_untrusted_hello(self) -> None:
        """FAULT, row 10 of Konnect's identifier: hello believed everybody."""
        browser = Proxied.of(with_front_end(), "alice")

        self.assertEqual(FrontEnd(browser).call("hello", **MAIL_ASK).status, 204)

    def test_prompt_login(self) -> None:
        """A word is no proof: the front end has to ask for a password."""
        self.assertEqual(self.front.call("hello", prompt="login", **MAIL_ASK).status, 204)
        self.assertFalse(self.browser.holds("__Secure-KKT"))
        self.assertEqual(self.front.call("logon", params=["alice", "", "0"], hello={"prompt": "login"}).status, 204)

    def test_max_age(self) -> None:
        """Nor does it make an old logon young."""
        self.front.call("hello", **MAIL_ASK)
        self.daemon.clock.advance(100)

        self.assertEqual(self.front.call("hello", max_age="50", **MAIL_ASK).status, 204)
        self.assertEqual(self.front.call("hello", max_age="0", **NOTES_ASK).status, 204)

    def test_logon(self) -> None:
        """Going on as who one is works from the first call, and for nobody else."""
        other = FrontEnd(Proxied.of(self.daemon, "alice"))

        self.assertEqual(other.call("logon", params=["bob", "", "0"]).status, 204)
        self.assertEqual(self.front.call("logon", params=["alice", "", "0"], hello=MAIL_ASK).status, 200)
        self.assertTrue(self.browser.holds("__Secure-KKT"))

    def test_password_is_checked(self) -> None:
        """FAULT: Konnect checked no password of whoever the proxy named, and let nobody else in."""
        self.assertEqual(self.front.call("logon", params=["alice", "wrong", "1"]).status, 204)
        self.assertEqual(self.front.call("logon", params=["bob", "builder", "1"]).status, 200)

    def test_somebody_beside(self) -> None:
        """Who has signed out while somebody else is signed in beside is not signed in again behind their backs."""
        pages = Daemon(TRUST)
        browser = Proxied.of(pages, "alice")
        browser.open(f"{INNER}welcome")
        page = browser.submit(browser.open(f"{INNER}chooseaccount"), other="1")
        browser.submit(page, username="bob", password="builder")
        browser.submit(browser.open(f"{INNER}goodbye"), signout="1")

        self.assertEqual(FrontEnd(browser).call("hello").status, 204)
        self.assertEqual(Application(pages).arrive(browser).path, f"{INNER}chooseaccount")
