"""The account chooser and the consent page over HTTP: what is shown, and what a decision counts for."""

from konnectd.protocol.local_text import LocalText
from konnectd.protocol.scope import ScopeCatalog, ScopeDefinition
from konnectd.web.views import ErrorKind
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of
from tests.support.markup import answerable
from tests.support.page_case import INNER, OURS, PageCase
from tests.support.people import ALICE
from tests.support.requests import ISSUER, NOTES, PROGRAM
from tests.support.visitor import Visit, Visitor


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
    """What an application asks for, and what a decision counts for."""

    def setUp(self) -> None:
        """Sign Alice in."""
        super().setUp()
        self.mail.sign_in(self.visitor)

    def test_what_is_shown(self) -> None:
        """Who asks, who is asked, where it leads, and every scope in words, the operator's own included."""
        catalog = ScopeCatalog.build(
            {}, {"calendar": ScopeDefinition(description=LocalText("Read <your> calendar"), priority=99)}
        )
        daemon = Daemon(scopes=catalog)
        notes = Application(daemon, NOTES)
        page = notes.sign_in(Visitor(daemon), scope="openid profile groups offline_access calendar unheard-of")
        lines = [element for element in answerable(page.answer.body) if element.name == "li"]

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

    def allowed(self, **changes: str | None) -> tuple[str, str]:
        """Allow a request and return where that leads, with a header that brings the decision along for ever."""
        page = self.notes.arrive(self.visitor, **changes)
        back = self.visitor.send("POST", f"{ISSUER}{page.action}", f"csrf={page.fields['csrf']}&allow=1", OURS)
        return back.header("Location"), f"Cookie: {self.visitor.cookies_for(f'{ISSUER}{INNER}authorize')}"

    def test_counts_once(self) -> None:
        """A decision is forgotten by the browser, and answers one request; the next that wants to ask asks again."""
        back, kept = self.allowed(prompt="consent")
        first, again = self.visitor.open(back), self.daemon.get(back, kept)

        self.assertIn("code", self.notes.told(first))
        self.assertTrue(again.header("Location").startswith(f"{INNER}consent?"))
        self.assertEqual([name for name, _ in self.visitor.jar if "KKTC" in name], [])
        self.assertEqual(self.notes.arrive(self.visitor, prompt="consent").title, "Notes asks for access")

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
