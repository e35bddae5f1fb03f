"""The pages of the sign-in area over HTTP: the sign-in form, who may post forms, and coming by oneself."""

from konnectd.flows.logon import MOST_TRIES, TRIES_TTL
from konnectd.web.views import ErrorKind, SignInFault
from tests.support.loglines import LogLines
from tests.support.markup import elements
from tests.support.page_case import ENTRY, INNER, OURS, PageCase
from tests.support.requests import ISSUER
from tests.support.visitor import Visit, Visitor


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
        self.assertNotIn("retry", again.action + visit.locations[0])

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
        """A bookmark of one step says that one has to start at the application; the chooser is a page of its own."""
        self.mail.sign_in(self.visitor)
        for path in (f"{INNER}consent", "/signin/v1/consent"):
            with self.subTest(path=path):
                self.assertRefused(self.visitor.open(path), ErrorKind.START_AGAIN, 400)
        for path in (f"{INNER}chooseaccount", "/signin/v1/chooseaccount"):
            with self.subTest(path=path):
                self.assertEqual(self.visitor.open(path).title, "Choose an account")

    def test_steps_with_nobody_signed_in(self) -> None:
        """They lead back to where it is decided what is next."""
        for path in (f"{INNER}chooseaccount", f"{INNER}consent"):
            url = self.notes.url().replace(f"{INNER}authorize", path)
            with self.subTest(path=path):
                self.assertEqual(self.visitor.open(url).path, ENTRY)
                self.assertEqual(self.visitor.post(url, {"allow": "1"}, OURS).path, ENTRY)
