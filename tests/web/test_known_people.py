"""People whom an application knows by their cookies, in front of the assembled daemon."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends.dummy import DummyBackend
from konnectd.protocol.end_user import public_subject
from konnectd.sources import Seen
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.fakes import claims_of
from tests.support.page_case import INNER
from tests.support.requests import ISSUER, MAIL, NOTES
from tests.support.seen_people import SeenPeople, person
from tests.support.visitor import Visit, Visitor

LOGIN = "https://app.example.com/login"


class Carrier(Visitor):
    """A browser that carries cookies of others.

    Attributes:
        others: the cookies, as they stand in the header.
    """

    def __init__(self, daemon: Daemon, others: str = "") -> None:
        """Open it for the first time."""
        super().__init__(daemon)
        self.others = others

    def send(self, method: str, url: str, body: str = "", *headers: str, **more: Any) -> Heard:
        """Ask once."""
        also = (f"Cookie: {self.others}",) if self.others else ()
        return super().send(method, url, body, *headers, *also, "User-Agent: Firefox on Linux", **more)


class KnownCase(SynchronousTestCase):
    """A daemon behind an application that knows Alice and Bob."""

    def setUp(self) -> None:
        """Assemble."""
        self.people = SeenPeople("app")
        self.people.tickets = {"a": Seen(user=person("alice")), "b": Seen(user=person("bob"))}
        self.daemon = Daemon(f"--sign-in-uri={LOGIN}", backend=self.people)
        self.mail = Application(self.daemon, MAIL)
        self.notes = Application(self.daemon, NOTES)
        self.browser = Carrier(self.daemon, "app=a")

    def proven(self, ticket: str, at: int) -> None:
        """Let the application say when somebody proved who they are."""
        self.people.tickets[ticket] = Seen(user=self.people.tickets[ticket].user, proven_at=at)

    def back(self, visit: Visit) -> str:
        """Return where the sign-in page sends people back to; fails when the browser is not there."""
        self.assertTrue(visit.left and visit.url.startswith(f"{LOGIN}?"), visit.url)
        query = parse_qs(urlsplit(visit.url).query)
        self.assertEqual(query["oauth"], ["1"])
        (address,) = query["continue"]
        return address

    def claims(self, visit: Visit) -> dict[str, Any]:
        """Return the claims of the ID token that Mail gets."""
        return claims_of(json_of(self.mail.redeem(self.mail.told(visit)["code"]))["id_token"])

    def signed_in(self, visit: Visit) -> str:
        """Return who Mail gets to know."""
        sub: str = self.claims(visit)["sub"]
        return next((name for name in ("alice", "bob") if public_subject(name, "cookie") == sub), sub)


class SignedInTests(KnownCase):
    """Somebody is there."""

    def test_code(self) -> None:
        """The client gets its code by the first request, and no claim about how somebody signed in."""
        claims = self.claims(self.mail.arrive(self.browser))

        self.assertEqual(claims["sub"], public_subject("alice", "cookie"))
        self.assertEqual((claims.get("amr"), claims.get("acr")), (None, None))

    def test_what_is_shown(self) -> None:
        """The application gets to see its cookie and nothing else, least of all one of ours."""
        self.browser.others = "other=1; app=a; __Secure-KKT=stolen; KKUL=de"
        for _ in range(2):
            self.mail.arrive(self.browser)
        self.assertEqual(
            {frozenset(carried.cookies.items()) for carried in self.people.asked}, {frozenset({("app", "a")})}
        )
        self.assertEqual(self.people.asked[0].user_agent, "Firefox on Linux")

    def test_all_cookies(self) -> None:
        """Where no names are given the application sees all that are not ours."""
        self.people.cookie_names = ()
        self.daemon = Daemon(f"--sign-in-uri={LOGIN}", backend=self.people)
        browser = Carrier(self.daemon, "other=1; app=a; __Secure-KKT=x; __Host-KKx=1; kkt=1")
        for _ in range(2):
            Application(self.daemon, MAIL).arrive(browser)
        self.assertEqual({frozenset(carried.cookies) for carried in self.people.asked}, {frozenset({"other", "app"})})

    def test_claims(self) -> None:
        """Name and address arrive, by userinfo, when the browser is not there."""
        tokens = json_of(
            self.mail.redeem(self.mail.told(self.mail.arrive(self.browser, scope="openid profile email"))["code"])
        )
        self.people.tickets.clear()
        told = json_of(self.mail.userinfo(tokens["access_token"]))

        self.assertEqual((told["name"], told["email"]), ("Alice", "alice@app.example"))
        self.assertEqual((told["email_verified"], told["preferred_username"]), (False, "alice"))

    def test_refresh(self) -> None:
        """A refresh token is good until the person has not come by for a day, and again when they have."""
        visit = self.notes.arrive(self.browser, scope="openid offline_access", prompt="consent")
        visit = self.browser.submit(visit, allow="1")
        tokens = json_of(self.notes.redeem(self.notes.told(visit)["code"]))
        token = json_of(self.notes.refresh(tokens["refresh_token"]))["refresh_token"]
        self.daemon.clock.advance(24 * 3600 + 1)
        gone = self.notes.refresh(token)
        self.mail.arrive(self.browser)
        again = self.notes.refresh(token)

        self.assertEqual((gone.status, again.status), (400, 200))

    def test_one_session(self) -> None:
        """Who is the same stays in the same session."""
        first, then = (self.claims(self.mail.arrive(self.browser)) for _ in range(2))

        self.assertEqual(first["sid"], then["sid"])

    def test_consent(self) -> None:
        """A client that is not of the house has to ask."""
        page = self.notes.arrive(self.browser)

        self.assertEqual(page.path, f"{INNER}consent")
        self.assertIn("code", self.notes.told(self.browser.submit(page, allow="1")))

    def test_chooser(self) -> None:
        """Where an account is to be chosen, it is; who wants another one goes where people sign in."""
        page = self.mail.arrive(self.browser, prompt="select_account")
        elsewhere = self.browser.submit(page, other="1")
        chosen = self.browser.submit(page, account="alice")

        self.assertTrue(self.back(elsewhere).startswith(f"{ISSUER}{INNER}authorize?"))
        self.assertEqual(self.signed_in(chosen), "alice")

    def test_pages(self) -> None:
        """The pages of somebody who is signed in work, by themselves."""
        for path in ("welcome", "account", "device"):
            visit = Carrier(self.daemon, "app=a").open(f"{INNER}{path}")
            self.assertEqual((visit.left, visit.answer.status), (False, 200), path)
        self.assertIn("Alice", Carrier(self.daemon, "app=a").open("/signin/v1/identifier").text)


class NobodyTests(KnownCase):
    """Nobody is there, or not any more."""

    def setUp(self) -> None:
        """Take a browser of nobody."""
        super().setUp()
        self.browser.others = ""

    def test_sign_in_page(self) -> None:
        """The browser goes where people sign in, and comes back to the same request."""
        address = self.back(self.mail.arrive(self.browser, state="state-9"))
        self.assertTrue(address.startswith(f"{ISSUER}{INNER}authorize?"), address)
        self.browser.others = "app=a"
        visit = self.browser.open(address)

        self.assertEqual(self.mail.told(visit)["state"], "state-9")
        self.assertEqual(self.signed_in(visit), "alice")

    def test_posted(self) -> None:
        """A request that was posted keeps its parameters on the way."""
        visit = self.browser.post(self.daemon.settings.paths.authorize, self.mail.parameters(state="state-9"))
        self.browser.others = "app=b"

        self.assertEqual(self.mail.told(self.browser.open(self.back(visit)))["state"], "state-9")

    def test_silently(self) -> None:
        """No page may be shown, so the client is told."""
        self.assertEqual(self.mail.told(self.mail.arrive(self.browser, prompt="none"))["error"], "login_required")

    def test_no_open_redirect(self) -> None:
        """OPEN REDIRECT: nothing in a request changes where people come back to."""
        evil = "https://evil.example/"
        for changes in ({"continue": evil}, {"continue": evil, "flow": evil}, {"oauth": evil}):
            address = self.back(self.mail.arrive(self.browser, **changes))
            self.assertTrue(address.startswith(f"{ISSUER}{INNER}authorize?"), address)
        for path in ("/signin/v1/identifier", f"{INNER}signin"):
            address = self.back(self.browser.open(f"{path}?continue={evil}&back={evil}x"[: -len(evil) - 7]))
            self.assertTrue(address.startswith(f"{ISSUER}{INNER}signin?"), address)

    def test_foreign_client(self) -> None:
        """Clients and addresses that nobody registered get a page, and nobody is asked who is there."""
        for changes in ({"client_id": "nobody"}, {"redirect_uri": "https://evil.example/cb"}):
            for cookie in ("", "app=a"):
                self.browser.others = cookie
                visit = self.mail.arrive(self.browser, **changes)
                self.assertEqual((visit.left, visit.answer.status), (False, 400), changes)
        self.assertEqual(self.people.asked, [])

    def test_no_loop(self) -> None:
        """LOOP: a sign-in page that sends people back as nobody does so once; then the client is told."""
        address = self.back(self.mail.arrive(self.browser))

        self.assertEqual(self.mail.told(self.browser.open(address))["error"], "login_required")

    def test_no_loop_without_client(self) -> None:
        """LOOP: nor does a browser that no client waits for go round."""
        visit = self.browser.open(self.back(self.browser.open(f"{INNER}welcome")))

        self.assertEqual((visit.left, visit.answer.status), (False, 400))

    def test_signed_out_there(self) -> None:
        """Whoever has signed out there is nobody here, on every page, and our cookie goes."""
        self.browser.others = "app=a"
        self.mail.arrive(self.browser)
        self.browser.others = "app=gone"
        for path in ("welcome", "account", "device"):
            self.back(self.browser.open(f"{INNER}{path}"))
        self.back(self.mail.arrive(self.browser))

        self.assertEqual([name for name, _ in self.browser.jar if name.endswith("KKT")], [])

    def test_unavailable(self) -> None:
        """When nobody can say who is there, a person is told so, or the client where no page may be shown."""
        self.people.silent = True
        page = self.mail.arrive(self.browser)
        told = self.mail.told(self.mail.arrive(self.browser, prompt="none"))

        self.assertEqual((page.answer.status, told["error"]), (503, "temporarily_unavailable"))

    def test_no_password(self) -> None:
        """There is nowhere to type a password, nor an API for it."""
        for path in ("signin", "logon", "hello"):
            self.assertIn(self.daemon.post(f"{INNER}{path}", "username=a&password=b").status, {404, 405}, path)


class ChangeTests(KnownCase):
    """Somebody else is there."""

    def test_next_person(self) -> None:
        """FAULT: our logon of whoever sat there before goes on. The application has the last word."""
        first = self.claims(self.mail.arrive(self.browser))
        self.browser.others = "app=b"
        then = self.claims(self.mail.arrive(self.browser))

        self.assertEqual(then["sub"], public_subject("bob", "cookie"))
        self.assertNotEqual(first["sid"], then["sid"])

    def test_next_person_on_pages(self) -> None:
        """FAULT: nor do they see a page about whoever was there before."""
        self.mail.arrive(self.browser)
        self.browser.others = "app=b"
        for path in ("welcome", "account"):
            self.assertNotIn("Alice", self.browser.open(f"{INNER}{path}").text, path)

    def test_planted_logon(self) -> None:
        """FIXATION: a cookie of ours that somebody else put there makes nobody anybody."""
        mallory = Carrier(self.daemon, "app=b")
        self.mail.arrive(mallory)
        self.browser.jar.update(mallory.jar)

        self.assertEqual(self.signed_in(self.mail.arrive(self.browser)), "alice")

    def test_consent_of_another(self) -> None:
        """What one person allowed is not what the next one allowed."""
        page = self.notes.arrive(self.browser)
        self.browser.others = "app=b"
        visit = self.browser.submit(page, allow="1")

        self.assertEqual((visit.left, visit.path), (False, f"{INNER}consent"))

    def test_consent_page_of_another(self) -> None:
        """FAULT: who goes back to the consent page of whoever sat there before reads their name."""
        page = self.notes.arrive(self.browser)
        self.assertIn("Alice", page.text)
        for others in ("", "app=gone", "app=b"):
            self.browser.others = others
            visit = self.browser.open(page.url)
            self.assertNotIn("Alice", visit.text if not visit.left else "", others)

    def test_consent_after_signing_out(self) -> None:
        """FAULT: who sits there next agrees in the name of somebody, which counts when that one signs in again."""
        page = self.notes.arrive(self.browser)
        self.browser.others = ""
        body = urlencode({**page.fields, "allow": "1"})
        answer = self.browser.send("POST", urljoin(page.url, page.action), body, f"Origin: {self.daemon.origin}")
        self.browser.others = "app=a"
        visit = self.browser.open(answer.header("Location"))

        self.assertEqual((answer.status, visit.left, visit.path), (303, False, f"{INNER}consent"))

    def test_consent_page_while_silent(self) -> None:
        """When nobody can say who is there, nobody is asked to agree."""
        page = self.notes.arrive(self.browser)
        self.people.silent = True
        shown, agreed = self.browser.open(page.url), self.browser.submit(page, allow="1")

        self.assertEqual((shown.answer.status, agreed.answer.status), (503, 503))


class ProofTests(KnownCase):
    """A request that wants more than a word."""

    def test_prompt_login_unproven(self) -> None:
        """An application that does not say since when proves nothing: one visit to its page, and the client is told."""
        address = self.back(self.mail.arrive(self.browser, prompt="login"))
        self.daemon.clock.advance(5)

        self.assertEqual(self.mail.told(self.browser.open(address))["error"], "login_required")

    def test_no_way_around(self) -> None:
        """FAULT: who forgets our cookies on the way is signed in anew, and has proved nothing by it."""
        for prompt in ({"prompt": "login"}, {"max_age": "0"}):
            address = self.back(self.mail.arrive(self.browser, **prompt))
            self.daemon.clock.advance(5)
            visit = Carrier(self.daemon, "app=a").open(address)
            self.assertEqual(self.mail.told(visit)["error"], "login_required", prompt)

    def test_prompt_login(self) -> None:
        """Who signs in anew, as the application says, is let in; who does not, is not."""
        now = self.daemon.clock.now()
        self.proven("a", now - 100)
        for prompt in ({"prompt": "login"}, {"max_age": "10"}):
            address = self.back(self.mail.arrive(self.browser, **prompt))
            self.daemon.clock.advance(5)
            refused = self.mail.told(self.browser.open(address))
            self.proven("a", self.daemon.clock.now())
            claims = self.claims(self.browser.open(address))

            self.assertEqual(refused["error"], "login_required", prompt)
            self.assertEqual(claims["auth_time"], self.daemon.clock.now())
            self.proven("a", now - 100)

    def test_max_age(self) -> None:
        """What counts is when the application says that they proved it."""
        self.proven("a", self.daemon.clock.now() - 100)

        self.assertIn("code", self.mail.told(self.mail.arrive(self.browser, max_age="200")))
        self.back(self.mail.arrive(self.browser, max_age="50"))

    def test_long_ago(self) -> None:
        """Somebody who signed in there days ago has one session here, for as long as that lasts."""
        self.proven("a", self.daemon.clock.now() - 10 * 24 * 3600)
        first, then = (self.claims(self.mail.arrive(self.browser)) for _ in range(2))

        self.assertEqual(first["sid"], then["sid"])
        self.assertEqual(first["auth_time"], self.daemon.clock.now() - 10 * 24 * 3600)

    def test_clock_ahead(self) -> None:
        """An application whose clock is ahead makes no token that comes from the future."""
        self.proven("a", self.daemon.clock.now() + 500)

        self.assertEqual(self.claims(self.mail.arrive(self.browser))["auth_time"], self.daemon.clock.now())


class DummyTests(SynchronousTestCase):
    """Everybody is one user."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(backend=DummyBackend())
        self.mail = Application(self.daemon, MAIL)
        self.browser = Visitor(self.daemon)

    def test_code(self) -> None:
        """Whoever comes is the one user, with name and address."""
        tokens = json_of(
            self.mail.redeem(self.mail.told(self.mail.arrive(self.browser, scope="openid profile email"))["code"])
        )
        told = json_of(self.mail.userinfo(tokens["access_token"]))

        self.assertEqual(
            (told["sub"], told["name"], told["email"]),
            (public_subject("dummy", "dummy"), "Foo Dummy", "dummy@dummy.local"),
        )

    def test_client_is_checked(self) -> None:
        """Nobody is let in for a client or at an address that is not registered."""
        visit = self.mail.arrive(self.browser, redirect_uri="https://evil.example/cb")

        self.assertEqual((visit.left, visit.answer.status), (False, 400))

    def test_proof(self) -> None:
        """There is nobody who could prove anything, and no page to do so."""
        for prompt in ({"prompt": "login"}, {"max_age": "0"}):
            self.assertEqual(self.mail.told(self.mail.arrive(self.browser, **prompt))["error"], "login_required")

    def test_pages(self) -> None:
        """Its pages are there."""
        self.assertIn("Foo Dummy", self.browser.open("/signin/v1/identifier").text)
