"""The page of applications and sessions over HTTP, and consent that is remembered, as a person meets both."""

from attrs import evolve

from konnectd.web.views import ErrorKind
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of
from tests.support.markup import answerable, elements
from tests.support.page_case import INNER, OURS, PageCase
from tests.support.requests import CALLBACK, CLIENTS, ISSUER, MAIL, NOTES, PAGE, PROGRAM
from tests.support.visitor import Visit, Visitor

ACCOUNT = f"{INNER}account"
FIREFOX = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class AccountCase(PageCase):
    """Alice, who has signed in to Notes and allowed it to stay."""

    def setUp(self) -> None:
        """Sign Alice in."""
        super().setUp()
        page = self.notes.sign_in(self.visitor, scope="openid profile groups offline_access")
        code = self.notes.told(self.visitor.submit(page, allow="1"))["code"]
        tokens = json_of(self.notes.redeem(code))
        self.refresh_token, self.notes_id_token = str(tokens["refresh_token"]), str(tokens["id_token"])

    def page(self, visitor: Visitor | None = None) -> Visit:
        """Open the page."""
        return (visitor or self.visitor).open(ACCOUNT)

    def press(self, page: Visit, visitor: Visitor | None = None, **button: str) -> Visit:
        """Press a button of the page."""
        return (visitor or self.visitor).submit(page, **button)

    def buttons(self, page: Visit, name: str) -> list[str]:
        """Return the values of all buttons of a name."""
        found = (element.attributes for element in answerable(page.answer.body) if element.name == "button")
        return [attributes["value"] for attributes in found if attributes.get("name") == name]

    def elsewhere(self) -> Visitor:
        """Sign Alice in with another browser, and return it."""
        other = Visitor(self.daemon)
        page = self.mail.arrive(other)
        headers = (FIREFOX, f"Origin: {self.daemon.origin}", f"Referer: {page.url}")
        self.assertIn("code", self.mail.told(other.submit(page, *headers, username="alice", password="wonderland")))
        return other


class RememberedTests(AccountCase):
    """Consent over HTTP. Spec: OIDC Core 3.1.2.1 and 3.1.2.4."""

    def test_silent_renewal(self) -> None:
        """An application that is not trusted renews without a page (oidcc-prompt-none-logged-in)."""
        visit = self.notes.arrive(self.visitor, prompt="none", scope="openid profile")

        self.assertIn("code", self.notes.told(visit))
        self.assertEqual(len(visit.locations), 1)

    def test_more_scopes(self) -> None:
        """Whoever wants more has the person asked; in silence that is an error."""
        page = self.notes.arrive(self.visitor, scope="openid email konnect/id")
        silent = self.notes.told(self.notes.arrive(self.visitor, scope="openid email konnect/id", prompt="none"))

        self.assertEqual((page.title, silent["error"]), ("Notes asks for access", "consent_required"))

    def test_in_another_browser(self) -> None:
        """What somebody allowed holds wherever they sign in."""
        self.assertIn("code", self.notes.told(self.notes.sign_in(Visitor(self.daemon), scope="openid profile")))

    def test_a_program_is_asked_about_each_time(self) -> None:
        """A program on somebody's machine proves nothing, so what was allowed to one is not handed to the next."""
        program = Application(self.daemon, PROGRAM, "http://127.0.0.1:7777/cb?a=1")
        first = program.arrive(self.visitor)
        self.assertIn("code", program.told(self.visitor.submit(first, allow="1")))
        silent = program.told(program.arrive(self.visitor, prompt="none"))

        self.assertIn("program", self.buttons(self.page(), "revoke"))
        self.assertEqual(program.arrive(self.visitor).title, first.title)
        self.assertEqual(silent["error"], "consent_required")

    def test_a_single_page_application_is_not(self) -> None:
        """An application that has its site proves by its address who it is."""
        page = Application(self.daemon, PAGE)
        self.assertIn("code", page.told(self.visitor.submit(page.arrive(self.visitor), allow="1")))

        self.assertIn("code", page.told(page.arrive(self.visitor, prompt="none")))

    def test_until_it_expires(self) -> None:
        """The operator says for how long."""
        daemon = Daemon("--consent-expiration=600")
        notes, visitor = Application(daemon, NOTES), Visitor(daemon)
        notes.told(visitor.submit(notes.sign_in(visitor), allow="1"))
        daemon.clock.advance(599)
        self.assertIn("code", notes.told(notes.arrive(visitor)))
        daemon.clock.advance(1)

        self.assertEqual(notes.arrive(visitor).title, "Notes asks for access")


class ChoiceTests(PageCase):
    """Leaving something out."""

    def setUp(self) -> None:
        """Sign Alice in."""
        super().setUp()
        self.mail.sign_in(self.visitor)
        self.scope = "openid profile groups offline_access"
        self.consent = self.notes.arrive(self.visitor, scope=self.scope)

    def granted(self, *lines: str) -> str:
        """Allow some lines, and return what the application gets."""
        fields = {"csrf": self.consent.fields["csrf"], "allow": "1", **dict.fromkeys(lines, "1")}
        visit = self.visitor.post(f"{ISSUER}{self.consent.action}", fields, OURS, cross_site=False)
        return str(json_of(self.notes.redeem(self.notes.told(visit)["code"]))["scope"])

    def test_what_can_be_left_out(self) -> None:
        """Everything but who one is, and all of it is marked at first."""
        boxes = [e.attributes for e in elements(self.consent.answer.body) if e.attributes.get("type") == "checkbox"]

        self.assertEqual([box["name"] for box in boxes], ["scope.groups", "scope.offline_access"])
        self.assertTrue(all("checked" in box for box in boxes))

    def test_each(self) -> None:
        """What is not marked is not granted; the rest is; what was not asked for is not either."""
        cases = (
            (("scope.groups", "scope.offline_access"), self.scope),
            (("scope.groups",), "openid profile groups"),
            ((), "openid profile"),
            (("scope.konnect/id", "scope.email", "scope."), "openid profile"),
        )
        for lines, wanted in cases:
            self.consent = self.notes.arrive(self.visitor, scope=self.scope, prompt="consent")
            with self.subTest(lines=lines):
                self.assertEqual(self.granted(*lines), wanted)

    def test_not_asked_again(self) -> None:
        """What somebody left out they are not asked for at each visit; nor does it come back in silence."""
        self.granted("scope.groups")
        code = self.notes.told(self.notes.arrive(self.visitor, scope=self.scope, prompt="none"))["code"]

        self.assertEqual(json_of(self.notes.redeem(code))["scope"], "openid profile groups")


class PermitTests(AccountCase):
    """Applications with access."""

    def test_what_is_shown(self) -> None:
        """Who has access, where it is, to what, and since when."""
        page = self.page()

        self.assertEqual((page.answer.status, page.title), (200, "Your applications and sessions"))
        for text in ("Alice Liddell", "Notes", "notes.example.org", "which groups you are in", "November 14, 2023"):
            self.assertIn(text, page.text)
        self.assertEqual(self.buttons(page, "revoke"), ["notes"])

    def test_from_the_welcome_page(self) -> None:
        """One gets there from the page that says that one is signed in, and back."""
        links = [
            [e.attributes["href"] for e in elements(self.visitor.open(path).answer.body) if e.name == "a"]
            for path in (f"{INNER}welcome", ACCOUNT)
        ]

        self.assertEqual(links, [[ACCOUNT, f"{INNER}chooseaccount"], [f"{INNER}welcome"]])

    def test_remove(self) -> None:
        """The application has to ask again, its refresh token is dead, and it is not shown any more."""
        page = self.press(self.page(), revoke="notes")
        answer = self.notes.refresh(self.refresh_token)

        self.assertEqual((page.path, self.buttons(page, "revoke")), (ACCOUNT, []))
        self.assertEqual(self.notes.arrive(self.visitor, scope="openid").title, "Notes asks for access")
        self.assertEqual(error_of(answer), (400, "invalid_grant"))

    def test_nobody_elses(self) -> None:
        """Bob neither sees nor removes what Alice has allowed."""
        bob = Visitor(self.daemon)
        self.mail.sign_in(bob, "bob")
        page = self.page(bob)
        self.press(page, bob, revoke="notes")

        self.assertEqual(self.buttons(page, "revoke"), [])
        self.assertEqual(self.buttons(self.page(), "revoke"), ["notes"])

    def test_trusted_application(self) -> None:
        """An application of the house is shown once it has access while the person is away."""
        for scope, seen in (("openid", ["notes"]), ("openid offline_access", ["mail", "notes"])):
            code = self.mail.told(self.mail.arrive(self.visitor, scope=scope))["code"]
            self.assertEqual(self.mail.redeem(code).status, 200)
            with self.subTest(scope=scope):
                self.assertEqual(sorted(self.buttons(self.page(), "revoke")), seen)

    def test_unregistered(self) -> None:
        """An application that is not registered any more can still be removed."""
        daemon = Daemon(
            clients=tuple(client for client in CLIENTS if client is not NOTES), store=self.daemon.world.store
        )
        visitor = Visitor(daemon)
        Application(daemon).sign_in(visitor)
        page = self.page(visitor)

        self.assertEqual(self.buttons(page, "revoke"), ["notes"])
        self.assertEqual(self.buttons(self.press(page, visitor, revoke="notes"), "revoke"), [])

    def test_hostile_names(self) -> None:
        """Whatever an application is called, it is text."""
        hostile = evolve(NOTES, client_id='n"><b>', name="<script>alert(1)</script>", redirect_uris=(CALLBACK,))
        daemon = Daemon(clients=(*CLIENTS, hostile))
        visitor, app = Visitor(daemon), Application(daemon, hostile)
        app.told(visitor.submit(app.sign_in(visitor), allow="1"))
        page = self.page(visitor)

        self.assertIn("<script>alert(1)</script>", page.text)
        self.assertEqual(self.buttons(page, "revoke"), ['n"><b>'])
        self.assertEqual(self.buttons(self.press(page, visitor, revoke='n"><b>'), "revoke"), [])


class SessionTests(AccountCase):
    """Where somebody is signed in."""

    def test_what_is_shown(self) -> None:
        """Each browser in words and since when; one's own has no button."""
        self.elsewhere()
        page = self.page()

        self.assertIn("Firefox on Linux", page.text)
        self.assertIn("Unknown browser", page.text)
        self.assertIn("This browser", page.text)
        self.assertEqual(len(self.buttons(page, "end")), 1)

    def test_end(self) -> None:
        """The other browser has to sign in again, at clients and at our own pages; this one goes on."""
        other = self.elsewhere()
        self.assertIn("code", self.mail.told(self.mail.arrive(other)))
        page = self.page()
        after = self.press(page, end=self.buttons(page, "end")[0])

        self.assertEqual(self.buttons(after, "end"), [])
        self.assertEqual(self.mail.told(self.mail.arrive(other, prompt="none"))["error"], "login_required")
        self.assertEqual([self.page(other).title, other.open(f"{INNER}welcome").title], ["Sign in", "Sign in"])
        self.assertEqual(self.mail.arrive(other).title, "Sign in")
        self.assertFalse(other.holds("__Secure-KKT"))
        self.assertIn("code", self.mail.told(self.mail.arrive(self.visitor)))

    def test_refresh_tokens_of_an_ended_session(self) -> None:
        """They are as dead as the session."""
        other = self.elsewhere()
        page = self.page(other)
        self.press(page, other, end=self.buttons(page, "end")[0])

        self.assertEqual(error_of(self.notes.refresh(self.refresh_token)), (400, "invalid_grant"))

    def test_clients_are_told(self) -> None:
        """A client with an address for it learns that the session of the other browser is over; no browser is there."""
        back = "https://notes.example.org/back"
        backed = evolve(NOTES, client_id="backed", backchannel_logout_uri=back)
        fronted = evolve(NOTES, client_id="fronted", frontchannel_logout_uri="https://notes.example.org/front")
        daemon = Daemon(clients=(*CLIENTS, backed, fronted))
        daemon.web.statuses[back] = 200
        here, there, app = Visitor(daemon), Visitor(daemon), Application(daemon, backed)
        app.told(there.submit(app.sign_in(there), allow="1"))
        app = Application(daemon, fronted)
        app.told(there.submit(app.arrive(there), allow="1"))
        Application(daemon, MAIL).sign_in(here)
        page = self.page(here)
        self.press(page, here, end=self.buttons(page, "end")[0])
        daemon.reactor.advance(0)

        self.assertEqual([url for url, _ in daemon.web.posted], [back])

    def test_ones_own(self) -> None:
        """The session one looks with does not end by this, whatever is posted."""
        token = self.page().fields["csrf"]
        sid = str(claims_of(self.notes_id_token)["sid"])
        visit = self.visitor.post(f"{ISSUER}{ACCOUNT}", {"end": sid, "csrf": token}, OURS, cross_site=False)

        self.assertEqual(visit.title, "Your applications and sessions")

    def test_not_those_of_others(self) -> None:
        """Who knows the id of somebody else's session can not end it, nor one's own by mistake."""
        bob = Visitor(self.daemon)
        self.mail.sign_in(bob, "bob")
        self.elsewhere()
        alices = self.buttons(self.page(), "end")[0]
        page = self.page(bob)
        self.press(page, bob, end=alices)

        self.assertEqual(self.buttons(self.page(), "end"), [alices])

    def test_sign_in_again(self) -> None:
        """A session that took the place of another one in the same browser is one line."""
        page = self.mail.arrive(self.visitor, prompt="login")
        self.assertIn("code", self.mail.told(self.visitor.submit(page, username="alice", password="wonderland")))

        self.assertEqual(self.buttons(self.page(), "end"), [])

    def test_signed_out(self) -> None:
        """A browser that signed out is not shown."""
        other = self.elsewhere()
        other.submit(other.open(f"{INNER}goodbye"), signout="1")

        self.assertEqual(self.buttons(self.page(), "end"), [])


class RefusalTests(AccountCase):
    """Who may not."""

    def test_nobody(self) -> None:
        """Who is not signed in may sign in, and changes nothing."""
        nobody = Visitor(self.daemon)
        answer = nobody.send("POST", f"{ISSUER}{ACCOUNT}", "revoke=notes", OURS)

        self.assertEqual(self.page(nobody).title, "Sign in")
        self.assertEqual((answer.status, answer.header("Location")), (303, f"{INNER}signin"))
        self.assertEqual(self.buttons(self.page(), "revoke"), ["notes"])

    def test_other_sites(self) -> None:
        """No other site removes anything, with or without the token of somebody else's page."""
        bob = Visitor(self.daemon)
        self.mail.sign_in(bob, "bob")
        for token in ("", "x", self.page(bob).fields["csrf"]):
            visit = self.visitor.post(f"{ISSUER}{ACCOUNT}", {"revoke": "notes", "csrf": token}, OURS, cross_site=False)
            self.assertRefused(visit, ErrorKind.STALE_FORM)
        visit = self.visitor.post(
            f"{ISSUER}{ACCOUNT}", {"revoke": "notes"}, "Origin: https://evil.example", cross_site=False
        )

        self.assertRefused(visit, ErrorKind.CROSS_SITE)
        self.assertEqual(self.buttons(self.page(), "revoke"), ["notes"])

    def test_a_page_for_somebody_else(self) -> None:
        """A page that showed Alice's applications does nothing for Bob, who signed in in another tab since."""
        page = self.page()
        self.mail.sign_in(self.visitor, "bob", prompt="login")

        self.assertRefused(self.press(page, revoke="notes"), ErrorKind.STALE_FORM)

    def test_nobody_may_frame_or_keep_it(self) -> None:
        """The page is for one person's eyes."""
        answer = self.page().answer

        self.assertIn("frame-ancestors 'none'", answer.header("Content-Security-Policy"))
        self.assertEqual(answer.header("Cache-Control"), "no-store")
