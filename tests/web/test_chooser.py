"""The account chooser with several people in one browser, and logons that outlive it, over HTTP."""

from urllib.parse import parse_qs, urlsplit

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of
from tests.support.markup import answerable, elements
from tests.support.requests import BYE, CLIENTS, MAIL, NOTES
from tests.support.visitor import Visit, Visitor

INNER = "/signin/v1/identifier/_/"
CHOOSER = f"{INNER}chooseaccount"
LOGON = "__Secure-KKT"


class Case(SynchronousTestCase):
    """A browser, and an application of the house that wants to be told of sign-outs."""

    words: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Assemble the daemon."""
        told = evolve(
            MAIL,
            backchannel_logout_uri="https://notes.example.org/logout",
            post_logout_redirect_uris=(BYE,),
        )
        framed = evolve(
            NOTES, client_id="framed", trusted=True, frontchannel_logout_uri="https://notes.example.org/frame"
        )
        clients = tuple(told if client.client_id == "mail" else client for client in CLIENTS)
        self.daemon = Daemon(*self.words, clients=(*clients, framed))
        self.mail = Application(self.daemon, told)
        self.framed = Application(self.daemon, framed)
        self.visitor = Visitor(self.daemon)

    def claims(self, visit: Visit, application: Application | None = None) -> dict[str, object]:
        """Return the claims of the ID token that an application gets for what a browser brings."""
        app = application or self.mail
        return dict(claims_of(json_of(app.redeem(app.told(visit)["code"]))["id_token"]))

    def user(self, visit: Visit) -> str:
        """Return whom an application gets a code for."""
        tokens = json_of(self.mail.redeem(self.mail.told(visit)["code"]))
        return str(claims_of(tokens["access_token"])["kc.identity"]["kc.i.un"])

    def open_chooser(self, **changes: str) -> Visit:
        """Let Mail ask for an account."""
        return self.mail.arrive(self.visitor, prompt="select_account", **changes)

    def sign_in_both(self) -> Visit:
        """Sign Alice in, and Bob beside her a while later; return what Mail is brought for him."""
        self.mail.sign_in(self.visitor)
        self.daemon.clock.advance(100)
        form = self.visitor.submit(self.open_chooser(), other="1")
        return self.visitor.submit(form, username="bob", password="builder")

    def logons(self) -> dict[str, str]:
        """Return what the browser keeps of logons."""
        return {name: cookie.value for (name, _), cookie in self.visitor.jar.items() if name.startswith(LOGON)}


class ChooserTests(Case):
    """Several people."""

    def test_another_one(self) -> None:
        """Comes in beside, and is whom the application gets; both are in the chooser then, the new one first."""
        visit = self.sign_in_both()
        page = self.open_chooser()
        buttons = [
            (element.attributes["name"], element.attributes["value"])
            for element in answerable(page.answer.body)
            if element.name == "button"
        ]

        self.assertEqual(self.user(visit), "bob")
        self.assertEqual(
            buttons,
            [("account", "bob"), ("signout", "bob"), ("account", "alice"), ("signout", "alice"), ("other", "1")],
        )

    def test_choose(self) -> None:
        """The one who is picked goes on, with the time of their own proof, and is the current one from then on."""
        self.sign_in_both()
        started = self.daemon.clock.now() - 100
        claims = self.claims(self.visitor.submit(self.open_chooser(), account="alice"))

        self.assertEqual(claims["auth_time"], started)
        self.assertEqual(self.user(self.mail.arrive(self.visitor)), "alice")
        self.assertEqual(self.claims(self.mail.arrive(self.visitor, prompt="none"))["auth_time"], started)

    def test_no_proof(self) -> None:
        """Choosing does not do where a fresh proof is asked for: the password is asked, and the chooser ignored."""
        self.sign_in_both()
        self.daemon.clock.advance(500)
        page = self.visitor.submit(self.open_chooser(max_age="60"), account="alice")
        self.assertEqual(page.title, "Sign in")
        form = self.mail.arrive(self.visitor, prompt="login")
        forced = self.visitor.open(form.url.replace("/identifier?", "/identifier/_/chooseaccount?"))
        again = self.visitor.submit(forced, account="alice")

        self.assertEqual((forced.title, again.title), ("Choose an account", "Sign in"))

    def test_sign_out_of_one(self) -> None:
        """Ends that one, tells its clients and comes back; the other one is who they were."""
        self.sign_in_both()
        page = self.visitor.submit(self.open_chooser(), signout="bob")
        self.daemon.reactor.advance(1)

        self.assertEqual(page.title, "Choose an account")
        self.assertNotIn("Bob", page.text)
        self.assertEqual([url for url, _ in self.daemon.web.posted], ["https://notes.example.org/logout"])
        self.assertEqual(self.user(self.visitor.submit(page, account="alice")), "alice")

    def test_sign_out_of_one_in_frames(self) -> None:
        """Applications that are told in frames are told on a page that leads back to the chooser."""
        self.sign_in_both()
        self.assertTrue(self.framed.arrive(self.visitor).left)
        page = self.visitor.submit(self.open_chooser(), signout="bob")
        frames = [e.attributes["src"] for e in answerable(page.answer.body) if e.name == "iframe"]
        links = [e.attributes["href"] for e in answerable(page.answer.body) if e.name == "a"]
        back = [link for link in links if CHOOSER in link]

        self.assertEqual([frame.split("?")[0] for frame in frames], ["https://notes.example.org/frame"])
        self.assertEqual(self.visitor.open(back[0]).title, "Choose an account")

    def test_sign_out_of_the_last(self) -> None:
        """Leads to the sign-in page of the application that waits."""
        self.mail.sign_in(self.visitor)
        page = self.visitor.submit(self.open_chooser(), signout="alice")

        self.assertEqual((page.title, self.logons()), ("Sign in", {}))

    def test_by_itself(self) -> None:
        """The page is there without an application as well: picking, adding and leaving, and back to welcome."""
        self.sign_in_both()
        page = self.visitor.open(CHOOSER)
        welcome = self.visitor.submit(page, account="alice")
        self.assertEqual((welcome.title, welcome.path), ("You are signed in", f"{INNER}welcome"))
        self.assertIn("Alice", welcome.text)
        form = self.visitor.submit(self.visitor.open(CHOOSER), other="1")
        self.assertEqual(form.title, "Sign in")
        again = self.visitor.submit(form, username="bob", password="wrong")
        self.assertEqual(self.visitor.submit(again, username="bob", password="builder").path, f"{INNER}welcome")

        self.assertEqual(len(self.logons()), 2)
        left = self.visitor.submit(self.visitor.open(CHOOSER), signout="alice")
        self.assertEqual((left.title, len(self.logons())), ("Choose an account", 1))
        self.assertIn("You are signed out", self.visitor.submit(left, signout="bob").text)

    def test_nobody(self) -> None:
        """Without anybody to choose the way leads to the sign-in page."""
        self.assertEqual(self.visitor.open(CHOOSER).title, "Sign in")
        self.assertEqual(self.visitor.post(CHOOSER, {"account": "alice"}).title, "Sign in")

    def test_signed_out(self) -> None:
        """The page says who is asked to leave, who stays, and leads to those; then somebody has to choose."""
        self.sign_in_both()
        page = self.visitor.open(f"{INNER}goodbye")
        self.assertIn("In this browser, these accounts stay signed in: Alice", page.text)
        gone = self.visitor.submit(page, signout="1")
        self.assertEqual(gone.title, "You are signed out")
        after = self.visitor.open(f"{INNER}goodbye")

        self.assertIn("In this browser, these accounts are still signed in: Alice", after.text)
        self.assertEqual(self.mail.arrive(self.visitor).title, "Choose an account")
        self.assertEqual(self.visitor.open(f"{INNER}signin").title, "Choose an account")
        told = self.mail.told(self.mail.arrive(self.visitor, prompt="none"))
        self.assertEqual(told["error"], "account_selection_required")

    def test_sign_out_of_all(self) -> None:
        """One button ends everybody's session, and tells everybody's applications."""
        self.sign_in_both()
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="all")
        self.daemon.reactor.advance(1)

        self.assertEqual((self.logons(), len(self.daemon.web.posted)), ({}, 2))

    def test_sign_out_of_the_hinted_one(self) -> None:
        """An application with somebody's ID token signs that one out, unasked, current or not."""
        self.mail.sign_in(self.visitor)
        hint = str(json_of(self.mail.redeem(self.mail.told(self.mail.arrive(self.visitor))["code"]))["id_token"])
        form = self.visitor.submit(self.open_chooser(), other="1")
        self.visitor.submit(form, username="bob", password="builder")
        visit = self.visitor.open(f"{INNER}endsession?id_token_hint={hint}&post_logout_redirect_uri={BYE}")

        self.assertEqual((visit.left, visit.url), (True, BYE))
        self.assertEqual(self.user(self.mail.arrive(self.visitor, prompt="none")), "bob")

    def test_hostile_cookies(self) -> None:
        """Values in the places beside that are not ours, or are somebody's twice, are nobody and break nothing."""
        self.mail.sign_in(self.visitor)
        mine = self.logons()[LOGON]
        for value in ("x", "", "A" * 3000, mine, mine[:-2] + "AA", '"', "é"):
            lines = "; ".join([f"{LOGON}={mine}", *(f"{LOGON}-{number}={value}" for number in (0, 1, 2, 4, 5))])
            query = urlsplit(self.mail.url(prompt="none")).query
            answer = self.daemon.get(f"{INNER}authorize?{query}", f"Cookie: {lines}")
            page = self.daemon.get(CHOOSER, f"Cookie: {lines}")

            self.assertIn("code", parse_qs(urlsplit(answer.header("Location")).query), value)
            self.assertEqual((page.status, page.body.count(b'name="account"')), (200, 1), value)

    def test_another_site(self) -> None:
        """Can neither choose nor sign out for somebody."""
        self.sign_in_both()
        page = self.open_chooser()
        before = self.logons()
        headers = ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
        for button in ({"account": "alice"}, {"signout": "bob"}, {"other": "1"}):
            visit = self.visitor.post(page.url, {**page.fields, **button}, *headers)
            self.assertEqual(visit.answer.status, 403)
            forged = self.visitor.submit(page, **{**button, "csrf": "x"})
            self.assertEqual(forged.answer.status, 403)

        self.assertEqual(self.logons(), before)

    def test_two_browsers(self) -> None:
        """What is chosen or ended in one browser is nothing to another."""
        other = Visitor(self.daemon)
        self.mail.sign_in(other)
        self.sign_in_both()
        self.visitor.submit(self.open_chooser(), signout="alice")

        self.assertEqual(self.user(self.mail.arrive(other, prompt="none")), "alice")

    def test_instead(self) -> None:
        """Who signs in without asking for another account takes the place of who was there, as ever."""
        self.mail.sign_in(self.visitor)
        form = self.mail.arrive(self.visitor, prompt="login")
        self.visitor.submit(form, username="bob", password="builder")

        self.assertEqual(len(self.logons()), 1)


class NotOfferedTests(Case):
    """What everybody has who configures nothing."""

    def test_as_ever(self) -> None:
        """There is no box, a form that pretends there was gets a cookie that ends with the browser."""
        page = self.mail.arrive(self.visitor)
        self.assertNotIn("stay", page.fields)
        self.visitor.submit(page, username="alice", password="wonderland", stay="1")

        self.assertEqual([c.expires_at for c in self.visitor.jar.values() if c.name == LOGON], [float("inf")])


class StayTests(Case):
    """A box on the sign-in page."""

    words = ("--stay-signed-in=offer", "--logon-idle=1000", "--logon-lifetime=200000")

    def sign_in(self, visitor: Visitor, *, stay: bool) -> Visit:
        """Sign Alice in, with or without a tick."""
        page = self.mail.arrive(visitor)
        fields = {name: value for name, value in page.fields.items() if name != "stay"}
        fields |= {"username": "alice", "password": "wonderland"} | ({"stay": "1"} if stay else {})
        ours = (f"Origin: {self.daemon.origin}", "Sec-Fetch-Site: same-origin")
        return visitor.post(page.action, fields, *ours, cross_site=False)

    def close_browser(self, visitor: Visitor) -> None:
        """Forget what ends with the browser."""
        for key in [key for key, cookie in visitor.jar.items() if cookie.expires_at == float("inf")]:
            del visitor.jar[key]

    def ticked(self, visit: Visit) -> bool:
        """Tell whether the box is ticked."""
        (box,) = (e for e in elements(visit.answer.body) if e.attributes.get("name") == "stay")
        return "checked" in box.attributes

    def test_ticked(self) -> None:
        """Who asked for it is signed in when the browser is opened again; who did not is not."""
        for stay, expected in ((True, "code"), (False, "error")):
            visitor = Visitor(self.daemon)
            self.sign_in(visitor, stay=stay)
            self.close_browser(visitor)
            self.assertIn(expected, self.mail.told(self.mail.arrive(visitor, prompt="none")))

    def test_copied(self) -> None:
        """A browser, or a thief, that keeps the cookie longer than it was told has nothing."""
        self.sign_in(self.visitor, stay=True)
        value = self.logons()[LOGON]
        query = urlsplit(self.mail.url(prompt="none")).query
        told = []
        for wait in (999, 1):
            self.daemon.clock.advance(wait)
            answer = self.daemon.get(f"{INNER}authorize?{query}", f"Cookie: {LOGON}={value}")
            told.append(min(parse_qs(urlsplit(answer.header("Location")).query)))

        self.assertEqual(told, ["code", "error"])

    def test_wrong_password(self) -> None:
        """The box keeps its tick when the form is shown again."""
        page = self.mail.arrive(self.visitor)
        self.assertFalse(self.ticked(page))

        self.assertTrue(self.ticked(self.visitor.submit(page, username="alice", password="wrong", stay="1")))

    def test_account_page(self) -> None:
        """The page of sessions says until when somebody stays signed in, and only of who does."""
        self.sign_in(self.visitor, stay=True)
        other = Visitor(self.daemon)
        self.sign_in(other, stay=False)
        text = self.visitor.open(f"{INNER}account").text

        self.assertEqual(text.count("Stays signed in while it is used, until"), 1)

    def test_cookies(self) -> None:
        """What is written lasts as long as what is in it, and the words that scripts look at do so too."""
        self.sign_in(self.visitor, stay=True)
        now = self.daemon.clock.now()
        lives = {name: cookie.expires_at - now for (name, _), cookie in self.visitor.jar.items()}

        self.assertEqual((lives[LOGON], lives["__Secure-KKBS-kept"]), (1000, 1000))
        self.assertNotIn("__Secure-KKBS", lives)

    def test_sign_out(self) -> None:
        """Nothing of it stays in the browser, nor with who copied it."""
        self.sign_in(self.visitor, stay=True)
        value = self.logons()[LOGON]
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")
        query = urlsplit(self.mail.url(prompt="none")).query
        answer = self.daemon.get(f"{INNER}authorize?{query}", f"Cookie: {LOGON}={value}")

        self.assertEqual(self.logons(), {})
        self.assertIn("error=login_required", answer.header("Location"))
        self.assertFalse(self.visitor.holds("__Secure-KKBS-kept"))


class PresetTests(StayTests):
    """A box that is ticked already."""

    words = ("--stay-signed-in=preset", "--logon-idle=1000", "--logon-lifetime=200000")

    def test_wrong_password(self) -> None:
        """Whoever cleared the box finds it cleared when the form is shown again."""
        page = self.mail.arrive(self.visitor)
        self.assertTrue(self.ticked(page))
        fields = {name: value for name, value in page.fields.items() if name != "stay"}
        ours = (f"Origin: {self.daemon.origin}", "Sec-Fetch-Site: same-origin")
        again = self.visitor.post(
            page.action, {**fields, "username": "alice", "password": "wrong"}, *ours, cross_site=False
        )

        self.assertFalse(self.ticked(again))
