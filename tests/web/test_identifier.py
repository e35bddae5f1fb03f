"""The pages of the sign-in area over HTTP: sign-in form, account chooser, consent, and who may post them."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.logon import MOST_TRIES, TRIES_TTL
from konnectd.protocol.scope import ScopeCatalog, ScopeDefinition
from konnectd.web.texts import EXPLANATIONS, SIGN_IN_FAULTS
from konnectd.web.views import ErrorKind, SignInFault
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of
from tests.support.loglines import LogLines
from tests.support.markup import elements
from tests.support.people import ALICE
from tests.support.requests import ISSUER, MAIL, NOTES, PROGRAM
from tests.support.visitor import Visit, Visitor

ENTRY = "/signin/v1/identifier"
INNER = f"{ENTRY}/_/"
OURS = f"Origin: {ISSUER}"


class PageCase(SynchronousTestCase):
    """A browser in front of the assembled daemon."""

    def setUp(self) -> None:
        """Assemble, with an application of the house and one that needs consent."""
        self.daemon = Daemon()
        self.mail = Application(self.daemon, MAIL)
        self.notes = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)

    def assertFault(self, visit: Visit, fault: SignInFault) -> None:
        """Fail unless the browser is at the sign-in form again, with one word of explanation."""
        self.assertEqual((visit.answer.status, visit.title), (200, "Sign in"))
        self.assertIn(SIGN_IN_FAULTS[fault], visit.text)

    def assertRefused(self, visit: Visit, kind: ErrorKind, status: int = 403) -> None:
        """Fail unless the browser is at an error page of some kind."""
        self.assertEqual((visit.answer.status, visit.title), (status, EXPLANATIONS[kind].title))


class SignInPageTests(PageCase):
    """The sign-in form."""

    def test_says_who_waits(self) -> None:
        """A person sees which application they sign in to and where it will take them."""
        page = self.notes.arrive(self.visitor)

        self.assertEqual((page.path, page.title), (ENTRY, "Sign in"))
        self.assertIn("Notes", page.text)
        self.assertIn("notes.example.org", page.text)

    def test_login_hint(self) -> None:
        """The name the client suggests is filled in. Spec: OIDC Core 3.1.2.1."""
        self.assertEqual(self.mail.arrive(self.visitor, login_hint="al<i>ce").fields["username"], "al<i>ce")

    def test_language(self) -> None:
        """A language there is no page in changes nothing."""
        page = self.mail.arrive(self.visitor, ui_locales="se xx")

        self.assertEqual(page.answer.header("Content-Language"), "en")

    def test_wrong_password(self) -> None:
        """The form comes back with the name, not with the password, and says nothing about which was wrong."""
        faults = []
        for username in ("alice", "nobody"):
            page = self.mail.arrive(self.visitor)
            again = self.visitor.submit(page, username=username, password="wrong-password")
            self.assertFault(again, SignInFault.WRONG_CREDENTIALS)
            self.assertEqual((again.fields["username"], again.fields["password"]), (username, ""))
            self.assertNotIn("wrong-password", again.url + again.answer.body.decode())
            faults.append([element.path for element in elements(again.answer.body)])

        self.assertEqual(faults[0], faults[1])
        self.assertFalse(self.visitor.holds("__Secure-KKT"))

    def test_from_the_page_that_came_back(self) -> None:
        """After a mistake the right password leads to the application, and the mistake is not mentioned again."""
        again = self.visitor.submit(self.mail.arrive(self.visitor), username="alice", password="wrong")
        visit = self.visitor.submit(again, password="wonderland")

        self.assertIn("code", self.mail.told(visit))
        self.assertNotIn("retry", visit.locations[0])

    def test_reload_posts_nothing(self) -> None:
        """The page that comes back is at an address that can be loaded again and again."""
        again = self.visitor.submit(self.mail.arrive(self.visitor), username="alice", password="wrong")
        tried = list(self.daemon.people.tried)
        reloaded = self.visitor.open(again.url)

        self.assertFault(reloaded, SignInFault.WRONG_CREDENTIALS)
        self.assertEqual(self.daemon.people.tried, tried)

    def test_an_old_mistake_is_forgotten(self) -> None:
        """A bookmark of the page does not tell about it for ever, and a made-up one nothing at all."""
        again = self.visitor.submit(self.mail.arrive(self.visitor), username="alice", password="wrong")
        self.daemon.clock.advance(600)
        later = self.visitor.open(again.url)
        made_up = self.visitor.open(self.mail.url(retry="AAAA").replace(f"{INNER}authorize", ENTRY))

        self.assertNotIn("Not signed in", later.text)
        self.assertEqual((made_up.answer.status, made_up.fields["username"]), (200, ""))

    def test_something_is_missing(self) -> None:
        """Without a name or a password nobody is asked."""
        page = self.mail.arrive(self.visitor)

        self.assertFault(self.visitor.submit(page, username="  ", password="x"), SignInFault.MISSING_USERNAME)
        self.assertFault(self.visitor.submit(page, username="alice", password=""), SignInFault.MISSING_PASSWORD)
        self.assertEqual(self.daemon.people.tried, [])

    def test_backend_is_silent(self) -> None:
        """The page says that it is not the password, and the log says it to the operator."""
        log = LogLines(self)
        page = self.mail.arrive(self.visitor)
        self.daemon.people.silent = True
        again = self.visitor.submit(page, username="alice", password="wonderland")
        self.daemon.people.silent = False

        self.assertFault(again, SignInFault.UNAVAILABLE)
        self.assertEqual(again.fields["username"], "alice")
        self.assertEqual(len(log.about("nobody can sign in", "warn")), 1)
        self.assertIn("code", self.mail.told(self.visitor.submit(again, password="wonderland")))

    def test_too_many_tries(self) -> None:
        """After some wrong passwords even the right one has to wait some minutes, in any browser."""
        page = self.mail.arrive(self.visitor)
        for _ in range(MOST_TRIES):
            page = self.visitor.submit(page, username="alice", password="wrong")
            self.assertFault(page, SignInFault.WRONG_CREDENTIALS)
        other = Visitor(self.daemon)
        throttled = other.submit(self.mail.arrive(other), username="ALICE ", password="wonderland")
        somebody_else = self.mail.sign_in(Visitor(self.daemon), "bob")
        self.daemon.clock.advance(TRIES_TTL)

        self.assertFault(throttled, SignInFault.TOO_MANY_TRIES)
        self.assertIn("code", self.mail.told(somebody_else))
        self.assertIn("code", self.mail.told(other.submit(throttled, username="alice", password="wonderland")))

    def test_double_click(self) -> None:
        """A form that is posted twice signs in twice, and the browser ends where it should."""
        page = self.mail.arrive(self.visitor)
        visits = [self.visitor.submit(page, username="alice", password="wonderland") for _ in range(2)]

        self.assertEqual([self.mail.redeem(self.mail.told(visit)["code"]).status for visit in visits], [200, 200])

    def test_a_bad_request_has_no_form(self) -> None:
        """The page checks the request in its address as the authorization endpoint does."""
        for change in ({"client_id": "stranger"}, {"redirect_uri": "https://evil.example/"}, {"scope": "x"}):
            url = self.mail.url(**change).replace(f"{INNER}authorize", ENTRY)
            with self.subTest(change=change):
                self.assertEqual(self.visitor.open(url).answer.status, 400)
                self.assertEqual(self.visitor.open(url.replace(ENTRY, f"{INNER}signin")).answer.status, 400)

    def test_odd_names(self) -> None:
        """Whatever a directory could take for a query reaches the backend as it is, and no one is let in by it."""
        page = self.mail.arrive(self.visitor)
        names = ("*", "al*", "alice)(uid=*", "alice\\", "(|(uid=*))", "' OR 1=1 --", "\u0430lice", "${jndi:x}", "../x")
        for name in names:
            self.assertFault(
                self.visitor.submit(page, username=name, password="wonderland"), SignInFault.WRONG_CREDENTIALS
            )

        self.assertEqual(self.daemon.people.tried, list(names))


class ForgeryTests(PageCase):
    """Forms that were not posted from a page of ours in this very browser."""

    def posted(self, page: Visit, *headers: str, **fields: str) -> Visit:
        """Post the good form of a page with other headers or fields."""
        sent = {**page.fields, "username": "alice", "password": "wonderland", **fields}
        return self.visitor.post(page.action, sent, *headers, cross_site=False)

    def test_good(self) -> None:
        """Browsers that say nothing about where they come from are let in by the token alone."""
        for headers in ((), (OURS,), ("Origin: null",), (f"Referer: {ISSUER}/",), ("Sec-Fetch-Site: same-origin",)):
            self.visitor.jar.clear()
            with self.subTest(headers=headers):
                self.assertTrue(self.posted(self.mail.arrive(self.visitor), *headers).left)

    def test_from_another_site(self) -> None:
        """Even with a good token: a page of a neighbor could have planted both. Spec: Fetch Metadata 2.3."""
        for headers in (
            ("Origin: https://evil.example",),
            ("Origin: https://evil.sso.example.com",),
            ("Origin: https://evil.example", f"Referer: {ISSUER}/"),
            ("Referer: https://evil.example/",),
            ("Origin: null", "Referer: https://evil.example/"),
            ("Origin: null", "Sec-Fetch-Site: cross-site"),
            ("Origin: null", "Sec-Fetch-Site: same-site"),
            ("Sec-Fetch-Site: cross-site",),
            ("Sec-Fetch-Site: same-site",),
        ):
            visit = self.posted(self.mail.arrive(self.visitor), *headers)
            with self.subTest(headers=headers):
                self.assertRefused(visit, ErrorKind.CROSS_SITE)
                self.assertFalse(self.visitor.holds("__Secure-KKT"))

    def test_without_cookie(self) -> None:
        """A browser that kept no cookie is told so, and a form from another site has none either."""
        page = self.mail.arrive(self.visitor)
        self.visitor.jar.clear()

        self.assertRefused(self.posted(page), ErrorKind.COOKIES_BLOCKED)

    def test_wrong_token(self) -> None:
        """A token that is missing, made up, or of another browser, brings the form back."""
        other = self.mail.arrive(Visitor(self.daemon)).fields["csrf"]
        for csrf in ("", "x", other, "\u00e9"):
            page = self.mail.arrive(self.visitor)
            with self.subTest(csrf=csrf):
                self.assertFault(self.posted(page, csrf=csrf), SignInFault.STALE_FORM)

        self.assertEqual(self.daemon.people.tried, [])

    def test_all_forms(self) -> None:
        """Chooser, consent and leaving take no form without the token of this session either."""
        self.mail.sign_in(self.visitor)
        pages = (
            self.mail.arrive(self.visitor, prompt="select_account"),
            self.notes.arrive(self.visitor),
            self.visitor.open(f"{INNER}welcome"),
            self.visitor.open(f"{INNER}goodbye"),
        )
        for page in pages:
            button = {"account": "alice", "allow": "1", "signout": "1"}
            with self.subTest(page=page.title):
                for csrf in ("", self.mail.arrive(Visitor(self.daemon)).fields["csrf"]):
                    self.assertRefused(self.posted(page, csrf=csrf, **button), ErrorKind.STALE_FORM)
                cross = self.posted(page, "Origin: https://evil.example", **button)
                self.assertRefused(cross, ErrorKind.CROSS_SITE)

        self.assertTrue(self.visitor.holds("__Secure-KKT"))


class EntryTests(PageCase):
    """Coming by oneself."""

    def test_direct_visit(self) -> None:
        """Somebody who comes without a client signs in and is welcomed; who is signed in is welcomed at once."""
        page = self.visitor.open(f"{ENTRY}?continue=https://evil.example/")
        welcome = self.visitor.submit(page, username="alice", password="wonderland")
        again = self.visitor.open(ENTRY)

        self.assertEqual(
            (page.path, welcome.path, again.path), (f"{INNER}signin", f"{INNER}welcome", f"{INNER}welcome")
        )
        self.assertIn("Alice Liddell", welcome.text)

    def test_wrong_password(self) -> None:
        """There the form comes back as well."""
        page = self.visitor.submit(self.visitor.open(ENTRY), username="alice", password="wrong")

        self.assertFault(page, SignInFault.WRONG_CREDENTIALS)
        self.assertEqual(page.path, f"{INNER}signin")

    def test_steps_by_themselves(self) -> None:
        """A bookmark of one step says that one has to start at the application."""
        self.mail.sign_in(self.visitor)
        for path in (f"{INNER}chooseaccount", f"{INNER}consent", "/signin/v1/chooseaccount", "/signin/v1/consent"):
            with self.subTest(path=path):
                self.assertRefused(self.visitor.open(path), ErrorKind.START_AGAIN, 400)

    def test_steps_with_nobody_signed_in(self) -> None:
        """They lead back to where it is decided what is next."""
        for path in (f"{INNER}chooseaccount", f"{INNER}consent"):
            url = self.notes.url().replace(f"{INNER}authorize", path)
            with self.subTest(path=path):
                self.assertEqual(self.visitor.open(url).path, ENTRY)
                self.assertEqual(self.visitor.post(url, {"allow": "1"}, OURS).path, ENTRY)


class ChooserTests(PageCase):
    """Which account to go on with."""

    def setUp(self) -> None:
        """Sign Alice in."""
        super().setUp()
        self.mail.sign_in(self.visitor)
        self.page = self.mail.arrive(self.visitor, prompt="select_account")

    def test_same_account(self) -> None:
        """One press of a button, and no password."""
        self.assertIn("Alice Liddell", self.page.text)
        visit = self.visitor.submit(self.page, account="alice")

        self.assertEqual(self.subject_of(visit), ALICE.username)

    def test_another_account(self) -> None:
        """Leads to the form, and the new person is whom the application gets."""
        form = self.visitor.submit(self.page, other="1")
        visit = self.visitor.submit(form, username="bob", password="builder")

        self.assertEqual((form.title, self.subject_of(visit)), ("Sign in", "bob"))

    def test_an_account_that_is_not_signed_in(self) -> None:
        """Has to sign in, whoever made the browser send its name."""
        self.assertEqual(self.visitor.submit(self.page, account="bob").title, "Sign in")

    def subject_of(self, visit: Visit) -> str:
        """Return the user name behind the code a browser brings back."""
        tokens = json_of(self.mail.redeem(self.mail.told(visit)["code"]))
        return str(claims_of(tokens["access_token"])["kc.identity"]["kc.i.un"])


class ConsentTests(PageCase):
    """What an application asks for."""

    def setUp(self) -> None:
        """Sign Alice in."""
        super().setUp()
        self.mail.sign_in(self.visitor)

    def test_what_is_shown(self) -> None:
        """Who asks, who is asked, where it leads, and every scope in words, the operator's own included."""
        catalog = ScopeCatalog.build({}, {"calendar": ScopeDefinition(description="Read <your> calendar", priority=99)})
        daemon = Daemon(scopes=catalog)
        notes = Application(daemon, NOTES)
        page = notes.sign_in(Visitor(daemon), scope="openid profile groups offline_access calendar unheard-of")
        lines = [element for element in elements(page.answer.body) if element.name == "li"]

        for text in ("Notes asks for access", "Alice Liddell", "notes.example.org", "Read <your> calendar"):
            self.assertIn(text, page.text)
        self.assertEqual(len(lines), 4)
        self.assertNotIn("unheard-of", page.text)

    def test_allow(self) -> None:
        """The client gets what was asked for, as far as it can be granted."""
        page = self.notes.arrive(self.visitor, scope="openid profile offline_access unheard-of")
        tokens = json_of(self.notes.redeem(self.notes.told(self.visitor.submit(page, allow="1"))["code"]))

        self.assertEqual(tokens["scope"], "openid profile offline_access")
        self.assertIn("refresh_token", tokens)

    def test_deny(self) -> None:
        """The client is told, and gets nothing; so it is when no button or both came."""
        for buttons in ({"deny": "1"}, {}, {"allow": "1", "deny": "1"}):
            told = self.notes.told(self.visitor.submit(self.notes.arrive(self.visitor), **buttons))
            with self.subTest(buttons=buttons):
                self.assertEqual((told["error"], "code" in told), ("access_denied", False))

    def allowed(self) -> tuple[str, str]:
        """Allow a request and return where that leads, with a header that brings the decision along for ever."""
        page = self.notes.arrive(self.visitor)
        back = self.visitor.send("POST", f"{ISSUER}{page.action}", f"csrf={page.fields['csrf']}&allow=1", OURS)
        return back.header("Location"), f"Cookie: {self.visitor.cookies_for(f'{ISSUER}{INNER}authorize')}"

    def test_counts_once(self) -> None:
        """A decision is forgotten by the browser, and by us when it is shown again; the next request is asked about."""
        back, kept = self.allowed()
        locations = [self.daemon.get(back, kept).header("Location") for _ in range(2)]

        self.assertIn("code=", locations[0])
        self.assertTrue(locations[1].startswith(f"{INNER}consent?"))
        self.visitor.open(back)
        self.assertEqual([name for name, _ in self.visitor.jar if "KKTC" in name], [])
        self.assertEqual(self.notes.arrive(self.visitor).title, "Notes asks for access")

    def test_is_for_one_request(self) -> None:
        """It does not answer one that was changed on the way."""
        back, kept = self.allowed()
        changed = self.daemon.get(back.replace("scope=openid", "scope=openid%20groups"), kept)

        self.assertTrue(changed.header("Location").startswith(f"{INNER}consent?"))

    def test_ends(self) -> None:
        """After a minute it counts for nothing, whatever the browser kept."""
        back, kept = self.allowed()
        self.daemon.clock.advance(60)

        self.assertIn("KKTC", kept)
        self.assertTrue(self.daemon.get(back, kept).header("Location").startswith(f"{INNER}consent?"))

    def test_double_click(self) -> None:
        """A form that is posted twice brings the browser back with a code in either case."""
        page = self.notes.arrive(self.visitor)

        self.assertEqual(
            [self.notes.redeem(self.notes.told(self.visitor.submit(page, allow="1"))["code"]).status for _ in "12"],
            [200, 200],
        )

    def test_for_the_wrong_person(self) -> None:
        """A page that asked Alice says nothing for Bob, who signed in in another tab since."""
        page = self.notes.arrive(self.visitor)
        bob = self.mail.sign_in(self.visitor, "bob", prompt="login")
        self.assertIn("code", self.mail.told(bob))

        self.assertRefused(self.visitor.submit(page, allow="1"), ErrorKind.STALE_FORM)

    def test_policy(self) -> None:
        """The page lets its form end at the application, whatever its scheme, and nowhere by script."""
        for app, scheme in (
            (self.notes, "https:"),
            (Application(self.daemon, PROGRAM, "http://127.0.0.1:7777/cb?a=1"), "http:"),
            (Application(self.daemon, PROGRAM, "org.example.program:/cb"), "org.example.program:"),
        ):
            policy = app.arrive(self.visitor).answer.header("Content-Security-Policy")
            with self.subTest(scheme=scheme):
                self.assertIn(scheme, policy.partition("form-action ")[2].split())
                self.assertIn("frame-ancestors 'none'", policy)
