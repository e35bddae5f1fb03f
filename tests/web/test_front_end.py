"""A front end from the client's request to its answer, as Konnect's own one goes through it, step by step."""

from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.front_end import INNER, STATE_HEADER, FrontEnd, with_front_end
from tests.support.request_objects import SIGNING, contents, signed
from tests.support.requests import BYE, CALLBACK, ISSUER, MAIL, NOTES
from tests.support.visitor import Visit, Visitor

ENTRY = "/signin/v1/identifier"


class FrontEndCase(SynchronousTestCase):
    """A daemon with a front end, and a browser."""

    def setUp(self) -> None:
        """Assemble."""
        self.use(with_front_end())

    def use(self, daemon: Daemon) -> None:
        """Have applications, and a browser, in front of a daemon."""
        self.daemon = daemon
        self.visitor = Visitor(daemon)
        self.mail = Application(daemon, MAIL)
        self.notes = Application(daemon, NOTES)

    def load(self, visit: Visit) -> FrontEnd:
        """Load the front end where a browser is, which must be the sign-in page."""
        self.assertEqual((visit.path, visit.answer.status), (ENTRY, 200))
        return FrontEnd(self.visitor, visit)

    def come(self, application: Application, **changes: str | None) -> FrontEnd:
        """Send a browser to the authorization endpoint, and load the front end where that leads."""
        return self.load(application.arrive(self.visitor, **changes))

    def sign_in(self) -> None:
        """Sign Alice in, and let some time go by."""
        FrontEnd(self.visitor).logon("alice", "wonderland", "1")
        self.daemon.clock.advance(100)

    def claims(self, application: Application, visit: Visit) -> dict[str, object]:
        """Return what the ID token of an answer says."""
        tokens = json_of(application.redeem(application.told(visit)["code"]))
        return dict(self.daemon.world.verifier.verify(str(tokens["id_token"])) or {})


class FlowTests(FrontEndCase):
    """From the client's request to its answer."""

    def test_first_sign_in(self) -> None:
        """A form, a password, and the application of the house has its code."""
        front = self.come(self.mail)
        self.assertEqual((front.flow, front.hello()), ("oidc", False))
        self.assertEqual(front.logon("alice", "wrong", "1"), 204)
        self.assertEqual(front.logon("alice", "wonderland", "1"), 200)

        self.assertIn("code", self.mail.told(front.onward()))

    def test_sign_in_and_consent(self) -> None:
        """One that people are asked for has what they allowed, and asks once; the answer is remembered."""
        front = self.come(self.notes, scope="openid profile email")
        front.logon("alice", "wonderland", "1")
        self.assertEqual(front.greeting["next"], "consent")
        self.assertEqual(front.consent().status, 200)
        told = self.notes.told(front.onward())
        again = self.notes.told(self.notes.arrive(self.visitor, scope="openid email"))

        self.assertEqual(json_of(self.notes.redeem(told["code"]))["scope"], "openid profile email")
        self.assertIn("code", again)

    def test_consent_of_who_is_signed_in(self) -> None:
        """Whoever is signed in comes to the front end for consent alone."""
        self.sign_in()
        front = self.come(self.notes)

        self.assertEqual((front.flow, front.hello(), front.greeting["next"]), ("consent", True, "consent"))
        front.consent()
        self.assertIn("code", self.notes.told(front.onward()))

    def test_remembered_consent_is_not_asked_again(self) -> None:
        """After another sign-in the front end is told that there is nothing to ask."""
        self.sign_in()
        front = self.come(self.notes)
        front.hello()
        front.consent()
        front.onward()
        front.call("logoff")
        again = self.come(self.notes)
        again.logon("alice", "wonderland", "1")

        self.assertNotIn("next", again.greeting)
        self.assertIn("code", self.notes.told(again.onward()))

    def test_deny(self) -> None:
        """A no is told to the client, also to one of the house that wanted people to be asked."""
        self.sign_in()
        for application in (self.notes, self.mail):
            for kept in ({}, {"interaction": ""}):
                front = self.come(application, prompt="consent")
                front.hello()
                front.consent(allow=False)

                self.assertEqual(application.told(front.onward(**kept))["error"], "access_denied")

    def test_less(self) -> None:
        """Nothing is granted that was not allowed, to whomever."""
        self.sign_in()
        for application in (self.notes, self.mail):
            front = self.come(application, prompt="consent", scope="openid profile email")
            front.hello()
            front.consent("openid email")
            told = application.told(front.onward())

            self.assertEqual(json_of(application.redeem(told["code"]))["scope"], "openid email")

    def test_sec_12_an_answer_is_for_its_request(self) -> None:
        """SEC, row 12: an answer was bound to a request by its name alone, and said nothing itself."""
        self.sign_in()
        for changes in (
            {"state": "other"},
            {"nonce": "other"},
            {"konnect": "other"},
            {"scope": "openid profile phone"},
        ):
            front = self.come(self.notes, prompt="consent", scope="openid profile")
            front.hello()
            front.consent()
            visit = front.onward(**changes, interaction="")
            told = self.notes.told(visit)
            if "scope" in changes:
                self.assertEqual(json_of(self.notes.redeem(told["code"]))["scope"], "openid profile")
            else:
                self.assertEqual(told.get("error"), "consent_required", changes)

    def test_sec_12_an_answer_counts_once_and_soon(self) -> None:
        """SEC, row 12: nothing in an answer said that it ends."""
        self.sign_in()
        front = self.come(self.notes, prompt="consent", scope="openid profile")
        front.hello()
        front.consent()
        jar = dict(self.visitor.jar)
        first = front.onward()
        self.visitor.jar = jar
        second = front.onward()
        front.consent()
        jar = {key: evolve(cookie, expires_at=float("inf")) for key, cookie in self.visitor.jar.items()}
        self.daemon.clock.advance(61)
        self.visitor.jar = jar
        late = front.onward()

        self.assertIn("code", self.notes.told(first))
        self.assertEqual([(visit.path, visit.left) for visit in (second, late)], [(ENTRY, False)] * 2)

    def test_sec_12_an_answer_is_its_persons(self) -> None:
        """SEC, row 12: whoever sat down next had agreed as well."""
        self.sign_in()
        front = self.come(self.notes)
        front.hello()
        front.consent()
        FrontEnd(self.visitor).logon("bob", "builder", "1")

        self.assertEqual(front.onward().path, ENTRY)

    def test_prompt_login(self) -> None:
        """Whoever has to type their password comes to a form, and what they typed counts as fresh."""
        self.sign_in()
        front = self.come(self.mail, prompt="login", max_age="0")
        self.assertFalse(front.hello())
        self.assertEqual(front.logon("alice", "", "0"), 204)
        front.logon("alice", "wonderland", "1")

        self.assertEqual(self.claims(self.mail, front.onward())["auth_time"], self.daemon.clock.now())

    def test_prompt_login_is_kept(self) -> None:
        """A front end that says it is done, but let nobody sign in, is told so by way of the client; nothing loops."""
        self.sign_in()
        front = self.come(self.mail, prompt="login")
        front.greeting = {"continue_uri": f"{ISSUER}{INNER}authorize"}

        self.assertEqual(self.mail.told(front.onward())["error"], "login_required")

    def test_choice(self) -> None:
        """Whoever chooses to go on as who they are does so; the sign-in stays as old as it is. SEC, row 7."""
        self.sign_in()
        front = self.come(self.mail, prompt="select_account")
        self.assertEqual((front.flow, front.query["prompt"], front.hello()), ("oidc", "select_account", True))
        self.assertEqual(front.logon("alice", "", "0"), 200)

        self.assertEqual(self.claims(self.mail, front.onward())["auth_time"], self.daemon.clock.now() - 100)

    def test_another_account(self) -> None:
        """Whoever chooses to be somebody else signs in."""
        self.sign_in()
        front = self.come(self.mail, prompt="select_account")
        front.logon("bob", "builder", "1")
        visit = front.onward()

        self.assertEqual(self.claims(self.mail, visit)["auth_time"], self.daemon.clock.now())

    def test_without_what_we_added(self) -> None:
        """A front end that forgets what it does not know works as with Konnect, where no password was due again."""
        front = self.come(self.mail)
        front.logon("alice", "wonderland", "1")

        self.assertIn("code", self.mail.told(front.onward(interaction="")))

    def test_prompt_none(self) -> None:
        """A client that wants no page gets none, front end or not, and nothing of another request helps it."""
        silent = self.mail.told(self.mail.arrive(self.visitor, prompt="none"))
        other = self.come(self.mail).query["interaction"]
        planted = self.mail.told(self.mail.arrive(self.visitor, prompt="none", state="x", interaction=other))

        self.assertEqual([told["error"] for told in (silent, planted)], ["login_required"] * 2)

    def test_bug_24_posted_request(self) -> None:
        """BUG, row 24: the parameters of a request that was posted were lost on the way to the front end."""
        visit = self.visitor.post(f"{INNER}authorize", self.mail.parameters(nonce="posted"))
        front = self.load(visit)
        front.logon("alice", "wonderland", "1")

        self.assertEqual(self.claims(self.mail, front.onward())["nonce"], "posted")

    def test_nobody_agreed(self) -> None:
        """Whoever is not signed in any more when they agree signs in first."""
        self.sign_in()
        front = self.come(self.notes)
        front.hello()
        front.call("logoff")
        answer = front.consent()

        self.assertEqual((answer.status, answer.header(STATE_HEADER)), (204, "state-of-consent"))
        self.assertEqual(self.load(front.onward()).flow, "oidc")

    def test_single_claims(self) -> None:
        """Claims that are asked for one by one are shown as the scopes they stand for, and allowed as these."""
        self.sign_in()
        front = self.come(self.notes, scope="openid", claims='{"userinfo": {"email": null}}')
        self.assertEqual(front.query["claims_scope"], "email")
        front.hello()
        self.assertEqual(list(front.greeting["scopes"]), ["email", "openid"])
        front.consent()
        tokens = json_of(self.notes.redeem(self.notes.told(front.onward())["code"]))

        self.assertEqual(json_of(self.notes.userinfo(str(tokens["access_token"])))["email"], "alice@example.org")

    def test_too_old_for_the_client(self) -> None:
        """What a client is registered with counts for the front end as for the endpoint, so nothing loops."""
        self.use(with_front_end(clients=(evolve(MAIL, default_max_age=50),)))
        self.sign_in()
        front = self.come(self.mail)

        self.assertFalse(front.hello())


class ReferenceTests(FrontEndCase):
    """Requests that come by reference: a front end sees what it has to."""

    def setUp(self) -> None:
        """Have a client that signs its requests."""
        self.use(with_front_end(clients=(evolve(SIGNING, redirect_uris=(CALLBACK,)),)))
        self.signing = Application(self.daemon, evolve(SIGNING, redirect_uris=(CALLBACK,)))

    def arrive(self, **claims: object) -> FrontEnd:
        """Send a browser with a signed request."""
        now = self.daemon.clock.now()
        asked = {"request": signed(contents(iat=now, exp=now + 60, **claims)), "response_type": "code"}
        query = {"client_id": SIGNING.client_id, "scope": "openid", **asked}
        return self.load(self.visitor.open(f"{INNER}authorize?{urlencode(query)}"))

    def test_bug_24_request_objects(self) -> None:
        """BUG, row 24: a request object that asked for a prompt came back to the front end for ever."""
        for prompt in ("login", "consent", "select_account"):
            self.sign_in()
            front = self.arrive(prompt=prompt, redirect_uri=CALLBACK, state="in the object", nonce="n-1")
            self.assertEqual(front.query["prompt"], prompt)
            front.hello()
            if prompt == "login":
                front.logon("alice", "wonderland", "1")
            if "next" in front.greeting:
                front.consent()
            visit = front.onward()

            self.assertEqual(self.signing.told(visit)["state"], "in the object", prompt)


class PushedTests(FrontEndCase):
    """Requests that were pushed."""

    def test_pushed(self) -> None:
        """A front end sees what it needs of a pushed request, and the reference is still all that counts."""
        query = urlencode(self.notes.parameters(scope="openid email"))
        pushed = self.daemon.post(self.daemon.settings.paths.par, query, self.notes.basic())
        uri = str(json_of(pushed)["request_uri"])
        address = urlencode({"client_id": "notes", "request_uri": uri, "scope": "openid phone"})
        front = self.load(self.visitor.open(f"{INNER}authorize?{address}"))
        front.logon("alice", "wonderland", "1")
        front.consent("openid email phone")
        told = self.notes.told(front.onward())

        self.assertEqual(json_of(self.notes.redeem(told["code"]))["scope"], "openid email")


class LeavingTests(FrontEndCase):
    """Signing out."""

    def leave(self, **parameters: str) -> Visit:
        """Send a browser to the end-session endpoint."""
        return self.visitor.open(f"{INNER}endsession?{urlencode(parameters)}")

    def test_goodbye(self) -> None:
        """Whoever has to say that they want to leave says so to the front end, whatever client is named."""
        self.sign_in()
        visit = self.leave(client_id="notes", post_logout_redirect_uri=BYE, state="secret", ui_locales="de")
        front = FrontEnd(self.visitor, visit)
        there = front.hello()
        front.call("logoff")

        self.assertEqual((visit.path, visit.answer.status), ("/signin/v1/goodbye", 200))
        self.assertEqual(front.query, {"client_id": "notes", "ui_locales": "de"})
        self.assertEqual((there, front.hello()), (True, False))

    def test_bug_24_goodbye_of_a_stranger(self) -> None:
        """BUG, row 24: the goodbye of a client that nobody knows was an error."""
        self.sign_in()
        front = FrontEnd(self.visitor, self.visitor.open("/signin/v1/goodbye?client_id=stranger"))

        self.assertTrue(front.hello())

    def test_our_other_pages(self) -> None:
        """Pages that a front end does not have are still ours; they send people to it, and it knows the way back."""
        for path in (f"{INNER}account", f"{INNER}device?user_code=BCDF-GHJK"):
            visit = self.visitor.open(path)
            back = parse_qs(urlsplit(visit.url).query)["continue"][0]

            self.assertEqual((visit.path, back.startswith(f"{ISSUER}{path.partition('?')[0]}")), (ENTRY, True))
            self.assertNotIn("flow", parse_qs(urlsplit(visit.url).query))
        self.sign_in()
        self.assertEqual(self.visitor.open(f"{INNER}account").title, "Your applications and sessions")

    def test_pages_elsewhere(self) -> None:
        """With no pages here, browsers go where the operator says."""
        self.use(Daemon("--disable-identifier-client", "--sign-in-uri=/login/", "--signed-out-uri=/bye/"))
        answers = [self.daemon.get(self.mail.url()), self.daemon.get(f"{INNER}account")]
        self.sign_in()
        consent = self.visitor.send("GET", f"{ISSUER}{self.notes.url()}")
        bye = self.visitor.send("GET", f"{ISSUER}{INNER}endsession")

        for answer in (*answers, consent):
            self.assertTrue(answer.header("Location").startswith("/login/?"), answer.header("Location"))
        self.assertEqual(bye.header("Location"), "/bye/")
