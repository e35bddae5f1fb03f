"""The way out over HTTP: welcome, the end-session endpoint, goodbye, and where a browser is sent then."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.texts import EXPLANATIONS
from konnectd.web.views import ErrorKind
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.markup import one
from tests.support.requests import BYE, CALLBACK, CLIENTS, ISSUER, MAIL, NOTES, PROGRAM
from tests.support.visitor import Visit, Visitor

INNER = "/signin/v1/identifier/_/"
LOGON = "__Secure-KKT"


class LeavingCase(SynchronousTestCase):
    """Alice's browser, signed in to Notes."""

    def setUp(self) -> None:
        """Sign Alice in."""
        self.daemon = Daemon()
        self.notes = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)
        self.hint = self.sign_in(self.visitor)

    def sign_in(self, visitor: Visitor, username: str = "alice") -> str:
        """Sign somebody in to Notes and return the ID token it got."""
        page = self.notes.sign_in(visitor, username)
        # Whoever has agreed before is not asked again.
        visit = page if page.left else visitor.submit(page, allow="1")
        code = self.notes.told(visit)["code"]
        return str(json_of(self.notes.redeem(code))["id_token"])

    def leave(self, visitor: Visitor | None = None, **parameters: str) -> Visit:
        """Send a browser to the end-session endpoint, as an application does."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return (visitor or self.visitor).open(f"{INNER}endsession?{query}" if query else f"{INNER}endsession")

    @property
    def signed_in(self) -> bool:
        """Whether the browser is still signed in."""
        return self.visitor.holds(LOGON)


class EndSessionTests(LeavingCase):
    """Applications that sign people out. Spec: OIDC RP-Initiated Logout."""

    def test_with_the_hint_of_this_session(self) -> None:
        """Nobody is asked, and the browser goes back with the state, byte for byte and once."""
        state = "s" * 100 + "-._~"
        visit = self.leave(id_token_hint=self.hint, post_logout_redirect_uri=BYE, state=state)

        self.assertEqual((visit.left, visit.url, self.signed_in), (True, f"{BYE}?state={state}", False))

    def test_old_hint(self) -> None:
        """A hint is good after it has expired."""
        self.daemon.clock.advance(7200)
        visit = self.leave(id_token_hint=self.hint, post_logout_redirect_uri=BYE)

        self.assertEqual((visit.url, self.signed_in), (BYE, False))

    def test_by_post(self) -> None:
        """The request may be posted, and the browser then GETs."""
        visit = self.visitor.post(f"{INNER}endsession", {"id_token_hint": self.hint, "post_logout_redirect_uri": BYE})

        self.assertEqual((visit.url, self.signed_in), (BYE, False))

    def test_without_hint(self) -> None:
        """Anybody could have sent the browser, so the person is asked, and then it goes where it should."""
        page = self.leave(client_id="notes", post_logout_redirect_uri=BYE, state="s")
        self.assertEqual((page.title, self.signed_in), ("Sign out?", True))
        self.assertIn("Notes", page.text)
        visit = self.visitor.submit(page, signout="1")

        self.assertEqual((visit.url, self.signed_in), (f"{BYE}?state=s", False))

    def test_stay(self) -> None:
        """Who says no stays."""
        page = self.leave(client_id="notes", post_logout_redirect_uri=BYE)
        visit = self.visitor.submit(page, stay="1")

        self.assertEqual((visit.path, self.signed_in), (f"{INNER}welcome", True))

    def test_hint_of_somebody_else(self) -> None:
        """Another person, or another session of this one, is asked before anything ends."""
        bob = self.sign_in(Visitor(self.daemon), "bob")
        earlier = self.hint
        self.sign_in(other := Visitor(self.daemon))
        self.visitor = other

        for hint in (bob, earlier):
            visit = self.leave(other, id_token_hint=hint, post_logout_redirect_uri=BYE)
            self.assertEqual((visit.title, self.signed_in), ("Sign out?", True))

    def test_nobody_is_signed_in(self) -> None:
        """Then the browser goes where it should, or to the page that says so."""
        nobody = Visitor(self.daemon)

        self.assertEqual(self.leave(nobody, client_id="notes", post_logout_redirect_uri=BYE).url, BYE)
        self.assertEqual(self.leave(nobody).title, "You are signed out")
        self.assertEqual(self.leave(nobody, client_id="notes").title, "You are signed out")

    def test_without_anything(self) -> None:
        """The person is asked, and ends at the page that says that it is done."""
        page = self.leave()
        visit = self.visitor.submit(page, signout="1")

        self.assertEqual((page.title, visit.title, self.signed_in), ("Sign out?", "You are signed out", False))

    def test_double_click(self) -> None:
        """The second press ends at the same place."""
        page = self.leave(client_id="notes", post_logout_redirect_uri=BYE)

        self.assertEqual([self.visitor.submit(page, signout="1").url for _ in range(2)], [BYE, BYE])

    def test_wrong_requests(self) -> None:
        """Unregistered addresses, foreign hints and unknown clients are pages; nobody is sent away or signed out."""
        access_token = Application(self.daemon, MAIL).tokens()["access_token"]
        for parameters in (
            {"post_logout_redirect_uri": BYE},
            {"post_logout_redirect_uri": "https://evil.example/"},
            {"client_id": "stranger", "post_logout_redirect_uri": BYE},
            {"client_id": "notes", "post_logout_redirect_uri": "https://evil.example/"},
            {"client_id": "notes", "post_logout_redirect_uri": f"{BYE}/"},
            {"client_id": "notes", "post_logout_redirect_uri": CALLBACK},
            {"client_id": "notes", "post_logout_redirect_uri": "javascript:alert(1)"},
            {"id_token_hint": self.hint, "post_logout_redirect_uri": "https://evil.example/"},
            {"id_token_hint": self.hint, "client_id": "mail", "post_logout_redirect_uri": CALLBACK},
            {"id_token_hint": access_token},
            {"id_token_hint": self.hint[:-4] + "AAAA"},
            {"id_token_hint": "a.b.c"},
            {"id_token_hint": "%00"},
            {"state": "1", "STATE": "2", "client_id": "a&client_id=b"},
        ):
            for path in ("endsession", "goodbye"):
                query = "&".join(f"{name}={value}" for name, value in parameters.items())
                answer = self.visitor.send("GET", f"{ISSUER}{INNER}{path}?{query}")
                with self.subTest(parameters=parameters, path=path):
                    self.assertEqual((answer.status, answer.header("Location")), (400, ""))
                    self.assertNotIn(b"evil", answer.body)

        self.assertTrue(self.signed_in)

    def test_registered_query(self) -> None:
        """A registered address keeps its query, but its state is the one that was sent."""
        planted = f"{BYE}?state=planted%26tenant=1".replace("%26", "&")
        visit = self.leave(
            client_id="notes", post_logout_redirect_uri=planted.replace("&", "%26"), id_token_hint=self.hint, state="s"
        )

        self.assertEqual(visit.url, f"{BYE}?tenant=1&state=s")

    def test_undecipherable_session(self) -> None:
        """A cookie of an earlier secret, or of nobody, is as none. It does not lock anybody in or out."""
        for value in ("x", "A" * 200, "\u00e9", '"'):
            answer = self.daemon.get(f"{INNER}endsession", f"Cookie: {LOGON}={value}")
            with self.subTest(value=value):
                self.assertEqual((answer.status, answer.header("Location")), (302, "/signin/v1/goodbye"))


class PageTests(LeavingCase):
    """Welcome and goodbye."""

    def test_welcome(self) -> None:
        """It says who is signed in, and its button signs out."""
        page = self.visitor.open("/signin/v1/welcome")
        self.assertEqual((page.path, page.title), (f"{INNER}welcome", "You are signed in"))
        self.assertIn("Alice Liddell", page.text)
        visit = self.visitor.submit(page, signout="1")

        self.assertEqual((visit.title, self.signed_in), ("You are signed out", False))

    def test_welcome_for_nobody(self) -> None:
        """Who is not signed in may sign in."""
        self.assertEqual(Visitor(self.daemon).open("/signin/v1/welcome").title, "Sign in")

    def test_bookmarks(self) -> None:
        """The outer addresses lead to the inner ones, where cookies go, and take everything along."""
        for name in ("chooseaccount", "consent", "welcome", "goodbye"):
            answer = self.daemon.get(f"/signin/v1/{name}?a=b%20c&d=%C3%A9")
            with self.subTest(name=name):
                self.assertEqual((answer.status, answer.header("Location")), (302, f"{INNER}{name}?a=b%20c&d=%C3%A9"))

    def test_back_to_the_application(self) -> None:
        """The page that says that nobody is signed in has a way back, if the application has an address for it."""
        visit = Visitor(self.daemon).open(f"{INNER}goodbye?client_id=notes&post_logout_redirect_uri={BYE}&state=1")

        self.assertEqual(one(visit.answer.body, "a").attributes["href"], f"{BYE}?state=1")

    def test_a_page_for_somebody_else(self) -> None:
        """A page that asked Alice does not sign out Bob, who signed in in another tab since."""
        page = self.visitor.open(f"{INNER}goodbye")
        mail = Application(self.daemon, MAIL)
        mail.sign_in(self.visitor, "bob", prompt="login")
        visit = self.visitor.submit(page, signout="1")

        self.assertEqual((visit.answer.status, visit.title), (403, EXPLANATIONS[ErrorKind.STALE_FORM].title))
        self.assertTrue(self.signed_in)

    def test_policy(self) -> None:
        """A form may end where its redirect leads: the application, or a page of the operator's own."""
        program = evolve(PROGRAM, post_logout_redirect_uris=("org.example.program:/bye",))
        daemon = Daemon("--signed-out-uri=https://portal.example.com/bye", clients=(*CLIENTS, program))
        visitor = Visitor(daemon)
        Application(daemon, MAIL).sign_in(visitor)
        query = "client_id=program&post_logout_redirect_uri=org.example.program:/bye"
        pages = (
            (visitor.open(f"{INNER}goodbye?{query}"), "org.example.program:"),
            (visitor.open(f"{INNER}goodbye"), "https:"),
            (visitor.open(f"{INNER}welcome"), "https:"),
        )
        for page, scheme in pages:
            targets = page.answer.header("Content-Security-Policy").partition("form-action ")[2].split()
            with self.subTest(page=page.url):
                self.assertIn(scheme, targets)
        self.assertEqual(visitor.submit(pages[2][0], signout="1").url, "https://portal.example.com/bye")

    def test_policy_of_our_own(self) -> None:
        """Where the redirect stays with us, the form may go nowhere else."""
        page = self.visitor.open(f"{INNER}welcome")

        self.assertTrue(page.answer.header("Content-Security-Policy").endswith("form-action 'self'"))
