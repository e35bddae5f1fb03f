"""Whole flows as a person sees them: which page is due, and with what the browser gets back to the application."""

from itertools import product
from urllib.parse import urlencode

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import NOON, claims_of
from tests.support.redirects import answer_of
from tests.support.requests import CALLBACK, ISSUER, MAIL, NOTES, PAGE
from tests.support.visitor import Visit, Visitor

#: The pages, and what the client is told instead, by what a heading or an answer begins with.
SIGN_IN, CHOOSE, CONSENT, CODE = "Sign in", "Choose an account", "asks for access", "code"
STALE = 3600
#: More pages in a row than anybody is shown.
MOST_PAGES = 5


@frozen(kw_only=True)
class Case:
    """One row of the table: who is signed in, what is asked, and what is due."""

    signed_in: bool
    stale: bool = False
    prompt: str | None = None
    max_age: str | None = None
    trusted: bool = True
    due: str


TABLE = (
    Case(signed_in=False, due=SIGN_IN),
    Case(signed_in=False, prompt="login", due=SIGN_IN),
    Case(signed_in=False, prompt="consent", due=SIGN_IN),
    Case(signed_in=False, prompt="select_account", due=SIGN_IN),
    Case(signed_in=False, prompt="none", due="login_required"),
    Case(signed_in=False, trusted=False, due=SIGN_IN),
    Case(signed_in=False, trusted=False, prompt="none", due="login_required"),
    Case(signed_in=True, due=CODE),
    Case(signed_in=True, prompt="none", due=CODE),
    Case(signed_in=True, prompt="login", due=SIGN_IN),
    Case(signed_in=True, prompt="consent", due=CONSENT),
    Case(signed_in=True, prompt="select_account", due=CHOOSE),
    Case(signed_in=True, prompt="login consent select_account", due=SIGN_IN),
    Case(signed_in=True, prompt="consent select_account", due=CHOOSE),
    Case(signed_in=True, trusted=False, due=CONSENT),
    Case(signed_in=True, trusted=False, prompt="none", due="consent_required"),
    Case(signed_in=True, trusted=False, prompt="login", due=SIGN_IN),
    Case(signed_in=True, trusted=False, prompt="select_account", due=CHOOSE),
    Case(signed_in=True, stale=True, due=CODE),
    Case(signed_in=True, stale=True, max_age="3600", due=CODE),
    Case(signed_in=True, stale=True, max_age="3599", due=SIGN_IN),
    Case(signed_in=True, stale=True, max_age="0", due=SIGN_IN),
    Case(signed_in=True, max_age="0", due=SIGN_IN),
    Case(signed_in=True, max_age="15000", due=CODE),
    Case(signed_in=True, stale=True, max_age="1", prompt="none", due="login_required"),
    Case(signed_in=True, stale=True, max_age="1", trusted=False, due=SIGN_IN),
    Case(signed_in=True, stale=True, prompt="none", due=CODE),
)


class FlowCase(SynchronousTestCase):
    """Applications and browsers around one daemon."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon()
        self.mail = Application(self.daemon, MAIL)
        self.visitor = Visitor(self.daemon)

    def due(self, app: Application, visit: Visit) -> str:
        """Return which page a browser is at, or what it brings back."""
        if not visit.left:
            return visit.title.removeprefix(f"{app.client.display_name} ")
        told = app.told(visit)
        return told.get("error", CODE)

    def walk(self, app: Application, visit: Visit, username: str = "alice") -> tuple[list[str], Visit]:
        """Do on every page what leads to the application, and return the pages that were seen."""
        seen: list[str] = []
        while not visit.left:
            seen.append(self.due(app, visit))
            if len(seen) > MOST_PAGES:
                raise AssertionError(f"in circles: {seen}")
            buttons = {SIGN_IN: {"username": username, "password": self.daemon.people.passwords[username]}}
            buttons |= {CHOOSE: {"account": username}, CONSENT: {"allow": "1"}}
            visit = self.visitor.submit(visit, **buttons[seen[-1]])
        return seen, visit

    def id_claims(self, app: Application, visit: Visit) -> dict[str, object]:
        """Return the claims of the ID token for what a browser brings back."""
        return claims_of(json_of(app.redeem(app.told(visit)["code"]))["id_token"])


class MatrixTests(FlowCase):
    """Who is signed in, what the client asks for, whether it is trusted: and what is due."""

    def begin(self, case: Case) -> tuple[Application, Visit]:
        """Bring a new browser into the state of a row, and send it to a daemon that remembers nothing."""
        if case.trusted:
            self.visitor = Visitor(self.daemon)
        else:
            self.setUp()
        app = Application(self.daemon, MAIL if case.trusted else NOTES)
        if case.signed_in:
            self.mail.sign_in(self.visitor)
        if case.stale:
            self.daemon.clock.advance(STALE)
        return app, app.arrive(self.visitor, prompt=case.prompt, max_age=case.max_age)

    def test_what_is_due(self) -> None:
        """Each row of the table. Spec: OIDC Core 3.1.2.1, 3.1.2.3 and 3.1.2.4."""
        for case in TABLE:
            app, visit = self.begin(case)
            with self.subTest(case=case):
                self.assertEqual(self.due(app, visit), case.due)

    def test_every_page_leads_on(self) -> None:
        """Whatever is asked, no page is shown twice, and at the end there is a code for the right person."""
        for case in TABLE:
            app, visit = self.begin(case)
            seen, visit = self.walk(app, visit)
            with self.subTest(case=case):
                self.assertEqual(len(seen), len(set(seen)), seen)
                self.assertEqual(self.due(app, visit), case.due if case.prompt == "none" else CODE)

    def test_no_page_with_prompt_none(self) -> None:
        """Not in any combination: the browser is back at once, with a code or an error."""
        for signed_in, client, max_age, hint in product((True, False), (MAIL, NOTES), (None, "0"), (None, "x.y.z")):
            visitor = Visitor(self.daemon)
            app = Application(self.daemon, client)
            if signed_in:
                self.mail.sign_in(visitor)
            visit = app.arrive(visitor, prompt="none", max_age=max_age, id_token_hint=hint)
            with self.subTest(signed_in=signed_in, client=client.client_id, max_age=max_age, hint=hint):
                self.assertEqual((visit.left, len(visit.locations)), (True, 1))


class TimeTests(FlowCase):
    """When somebody proved who they are. Spec: OIDC Core 2 (``auth_time``)."""

    def test_signing_in_again(self) -> None:
        """``prompt=login`` and ``max_age`` move the time, and the session gets another id."""
        before = self.id_claims(self.mail, self.mail.sign_in(self.visitor))
        changes: tuple[dict[str, str | None], ...] = ({"prompt": "login"}, {"max_age": "1"})
        for change in changes:
            self.daemon.clock.advance(2)
            after = self.id_claims(self.mail, self.walk(self.mail, self.mail.arrive(self.visitor, **change))[1])
            with self.subTest(change=change):
                self.assertEqual(after["auth_time"], self.daemon.clock.now())
                self.assertEqual(after["sub"], before["sub"])
                self.assertNotEqual(after["sid"], before["sid"])

    def test_not_signing_in_again(self) -> None:
        """Everything else keeps time and session."""
        before = self.id_claims(self.mail, self.mail.sign_in(self.visitor, max_age="15000"))
        changes: tuple[dict[str, str | None], ...] = (
            {"prompt": "none"},
            {"max_age": "10000"},
            {"prompt": "select_account"},
            {"prompt": "consent"},
        )
        for change in changes:
            self.daemon.clock.advance(2)
            after = self.id_claims(self.mail, self.walk(self.mail, self.mail.arrive(self.visitor, **change))[1])
            with self.subTest(change=change):
                self.assertEqual((after["auth_time"], after["sid"]), (NOON, before["sid"]))

    def test_a_day(self) -> None:
        """A logon ends after a day, although the browser keeps its cookie."""
        self.mail.sign_in(self.visitor)
        self.daemon.clock.advance(24 * 3600)

        self.assertEqual(self.mail.arrive(self.visitor).title, "Sign in")

    def test_a_slow_person(self) -> None:
        """Who comes back to the form after an hour has to begin there again, and still gets to the application."""
        page = self.mail.arrive(self.visitor, prompt="login")
        self.daemon.clock.advance(3601)
        visit = self.visitor.submit(page, username="alice", password="wonderland")
        seen, visit = self.walk(self.mail, visit)

        self.assertEqual((seen, self.due(self.mail, visit)), ([SIGN_IN], CODE))


class HintTests(FlowCase):
    """``id_token_hint``: for whom the client asks. Spec: OIDC Core 3.1.2.1."""

    def hint(self, username: str, **changes: str | None) -> str:
        """Return an ID token of somebody."""
        tokens = json_of(
            self.mail.redeem(self.mail.told(self.mail.sign_in(Visitor(self.daemon), username, **changes))["code"])
        )
        return str(tokens["id_token"])

    def test_same_person(self) -> None:
        """No page is due, also after the hint has expired, and for a raw subject."""
        hints = self.hint("alice"), self.hint("alice", scope="openid konnect/raw_sub")
        self.mail.sign_in(self.visitor)
        self.daemon.clock.advance(7200)

        for hint in hints:
            told = self.mail.told(self.mail.arrive(self.visitor, prompt="none", id_token_hint=hint))
            self.assertIn("code", told)

    def test_somebody_else(self) -> None:
        """That person has to sign in; if another one does, the client is told and gets nobody."""
        hint = self.hint("bob")
        self.mail.sign_in(self.visitor)
        silent = self.mail.told(self.mail.arrive(self.visitor, prompt="none", id_token_hint=hint))
        page = self.mail.arrive(self.visitor, id_token_hint=hint)
        wrong = self.mail.told(self.visitor.submit(page, username="alice", password="wonderland"))
        right = self.mail.told(self.mail.sign_in(self.visitor, "bob", id_token_hint=hint))

        self.assertEqual((silent["error"], wrong["error"]), ("login_required", "login_required"))
        self.assertEqual(page.title, "Sign in")
        self.assertIn("code", right)

    def test_not_an_id_token_of_ours(self) -> None:
        """An access token is none, whatever its signature."""
        access_token = self.mail.tokens(self.visitor)["access_token"]
        told = self.mail.told(self.mail.arrive(self.visitor, id_token_hint=access_token))

        self.assertEqual(told["error"], "invalid_request")


class PeopleTests(FlowCase):
    """People who come and go, and several in one browser."""

    def test_shut_out(self) -> None:
        """Somebody who may not sign in any more is asked to, and the browser forgets the session."""
        self.mail.sign_in(self.visitor)
        del self.daemon.people.users["alice"]
        silent = self.mail.told(self.mail.arrive(self.visitor, prompt="none"))
        page = self.mail.arrive(self.visitor)

        self.assertEqual(silent["error"], "login_required")
        self.assertEqual((page.title, self.visitor.holds("__Secure-KKT")), ("Sign in", False))

    def test_shut_out_before_consent(self) -> None:
        """Also in the middle of a flow: what they allow comes too late."""
        app = Application(self.daemon, NOTES)
        self.mail.sign_in(self.visitor)
        page = app.arrive(self.visitor)
        del self.daemon.people.users["alice"]

        self.assertEqual(self.visitor.submit(page, allow="1").title, "Sign in")

    def test_two_people_in_two_tabs(self) -> None:
        """The last one to sign in is who the browser is; each application gets the person who was asked."""
        tabs = self.mail.arrive(self.visitor, state="one"), self.mail.arrive(self.visitor, state="two")
        alice = self.visitor.submit(tabs[0], username="alice", password="wonderland")
        bob = self.visitor.submit(tabs[1], username="bob", password="builder")
        found = [(self.mail.told(visit)["state"], self.id_claims(self.mail, visit)["sub"]) for visit in (alice, bob)]

        self.assertEqual([state for state, _ in found], ["one", "two"])
        self.assertEqual(len({sub for _, sub in found}), 2)
        self.assertEqual(self.id_claims(self.mail, self.mail.arrive(self.visitor))["sub"], found[1][1])

    def test_session_ids(self) -> None:
        """They are never taken over from before the sign-in, nor shared by two browsers."""
        sids = [
            self.id_claims(self.mail, self.mail.sign_in(visitor, prompt="login"))["sid"]
            for visitor in (self.visitor, self.visitor, Visitor(self.daemon))
        ]

        self.assertEqual(len(set(sids)), 3)

    def test_a_session_of_another_daemon(self) -> None:
        """What another secret sealed is nobody's session; what came along with a link is no progress."""
        self.mail.sign_in(self.visitor)
        sealed = self.visitor.jar["__Secure-KKT", self.daemon.settings.paths.inner].value
        self.assertIn("code=", self.daemon.get(self.mail.url(), f"Cookie: __Secure-KKT={sealed}").header("Location"))
        for value in (sealed[:-3] + "AAA", sealed[:40] + "AAA" + sealed[43:], sealed[1:], "AAAA", "", "\u00e9"):
            answer = self.daemon.get(self.mail.url(prompt="none"), f"Cookie: __Secure-KKT={value}")
            self.assertIn("error=login_required", answer.header("Location"))

        page = self.mail.arrive(self.visitor, prompt="login", interaction="AAAA")
        self.assertEqual(page.title, "Sign in")

    def test_sealed_values_in_other_places(self) -> None:
        """Each value that we seal opens for its own purpose: none of them is a session, a decision or progress."""
        notes, origin, paths = Application(self.daemon, NOTES), self.daemon.origin, self.daemon.settings.paths
        page = notes.arrive(self.visitor)
        retry = answer_of(self.visitor.submit(page, username="alice", password="x").url)["retry"]
        consent = notes.sign_in(self.visitor)
        form = urlencode({"csrf": consent.fields["csrf"], "allow": "1"})
        back = self.visitor.send("POST", f"{origin}{consent.action}", form).header("Location")
        kept = {cookie.name: cookie.value for cookie in self.visitor.jar.values()}
        decision = next(name for name in kept if "KKTC" in name)
        values = {kept["__Secure-KKT"], kept[decision], retry, answer_of(back)["interaction"]}
        logon = f"Cookie: __Secure-KKT={kept['__Secure-KKT']}"

        self.assertEqual(len(values), 4)
        for value in values - {kept["__Secure-KKT"]}:
            silent = self.daemon.get(self.mail.url(prompt="none"), f"Cookie: __Secure-KKT={value}")
            self.assertIn("error=login_required", silent.header("Location"))
        for value in values - {kept[decision]}:
            again = self.daemon.get(back, f"{logon}; {decision}={value}")
            self.assertTrue(again.header("Location").startswith(f"{paths.inner}consent?"))
        for value in values:
            login = self.daemon.get(self.mail.url(prompt="login", interaction=value), logon)
            self.assertTrue(login.header("Location").startswith(f"{paths.identifier}?"))
        self.assertIn("code=", self.daemon.get(back, f"{logon}; {decision}={kept[decision]}").header("Location"))

    def test_progress_of_another_request(self) -> None:
        """That somebody signed in for one request does not answer another that wants a sign-in of its own."""
        visit = self.mail.sign_in(self.visitor, prompt="login")
        interaction = visit.locations[0].partition("interaction=")[2]
        self.daemon.clock.advance(2)
        page = self.mail.arrive(self.visitor, prompt="login", state="other", interaction=interaction)

        self.assertEqual(page.title, "Sign in")


class PlaceTests(SynchronousTestCase):
    """Where the operator put things."""

    def flow(self, daemon: Daemon, client: Client = NOTES) -> dict[str, object]:
        """Sign in, consent, get tokens and read userinfo, all at the daemon's own addresses."""
        app, visitor = Application(daemon, client), Visitor(daemon)
        page = app.sign_in(visitor)
        tokens = json_of(app.redeem(app.told(visitor.submit(page, allow="1"))["code"]))
        self.assertEqual(app.userinfo(tokens["access_token"]).status, 200)
        return claims_of(tokens["id_token"])

    def test_whole_flow(self) -> None:
        """Below a path, on another port, on loopback without TLS: the same flow, and the issuer as it was given."""
        for words, issuer in (
            ((), ISSUER),
            ((), f"{ISSUER}/"),
            (("--uri-base-path=/sub",), f"{ISSUER}/sub"),
            (("--uri-base-path=/a/b",), f"{ISSUER}:8443/a/b"),
            ((), "http://localhost:8777"),
            ((), "http://[::1]:8777"),
        ):
            with self.subTest(issuer=issuer):
                for client in (NOTES, PAGE):
                    self.assertEqual(self.flow(Daemon(*words, issuer=issuer), client)["iss"], issuer)

    def test_other_pages(self) -> None:
        """A browser is sent to the operator's own pages, with everything they need to send it back."""
        daemon = Daemon(
            "--sign-in-uri=https://portal.example.com/in", "--signed-out-uri=https://portal.example.com/out"
        )
        app, visitor = Application(daemon, MAIL), Visitor(daemon)
        visit = app.arrive(visitor)
        out = visitor.open(daemon.settings.paths.endsession)

        self.assertTrue(visit.url.startswith("https://portal.example.com/in?client_id=mail&redirect_uri="))
        self.assertIn("&flow=oidc&interaction=", visit.url)
        self.assertEqual(out.url, "https://portal.example.com/out")
        with_path = Application(Daemon("--sign-in-uri=/portal/in"), MAIL)
        self.assertEqual(with_path.arrive(Visitor(with_path.daemon)).path, "/portal/in")
        self.assertEqual(CALLBACK, app.redirect_uri)
