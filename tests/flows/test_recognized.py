"""Signing in whom somebody in front of us vouches for, and keeping people at one computer apart."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import Answer, ToChooser, ToClient, ToSignIn
from konnectd.flows.browser import LOGON, Browser, Forget, Keep, Recognized, merged
from konnectd.flows.logon import LogonForm, SignedIn
from konnectd.flows.recognized import Doubt
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.authentication_context import PASSWORD
from konnectd.protocol.end_user import EndUser, Logon
from konnectd.protocol.grant import AuthorizationGrant, code_key
from tests.support.behind_proxy import Nameless
from tests.support.fakes import SilentStore, run
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.provider import Provider, told


class RecognizedCase(SynchronousTestCase):
    """A provider, and browsers behind a proxy."""

    def setUp(self) -> None:
        """Begin with a provider nobody has used."""
        self.provider = Provider()

    def behind(self, username: str, browser: Browser | None = None) -> Browser:
        """Return a browser as it comes when the proxy says who is there."""
        return Browser(browser.sealed if browser is not None else {}, Recognized(username, "Firefox", "Linux"))

    def ask(self, browser: Browser, **changes: str | None) -> tuple[Answer, Browser]:
        """Ask for a code of Mail; return the answer, and the browser after it."""
        answer = self.provider.ask(browser, **{"client_id": "mail", **changes})
        return answer, browser.after(answer.cookies)

    def logon_in(self, browser: Browser) -> Logon | None:
        """Return whom a browser holds."""
        return self.provider.sign_in.find(browser)

    def by_password(self, user: EndUser, browser: Browser) -> Browser:
        """Let somebody sign in by password."""
        form = LogonForm(username=user.username, password=PASSWORDS[user.username], kept=browser)
        outcome = run(self.provider.logon(form))
        return browser.after(outcome.cookies if isinstance(outcome, SignedIn) else ())


class EnterTests(RecognizedCase):
    """Nobody is signed in."""

    def test_first_request(self) -> None:
        """From the first request on the client gets its code, and the browser a logon of its own."""
        answer, browser = self.ask(self.behind("alice"))
        grant = AuthorizationGrant.from_text(run(self.provider.store.get(code_key(told(answer)["code"]))) or "")
        logon = self.logon_in(browser)

        self.assertEqual(grant.logon if grant else None, logon)
        self.assertEqual(
            (logon.sub, logon.auth_time, logon.amr, logon.recognized) if logon else None,
            (self.sub(ALICE), self.provider.clock.now(), (), "alice"),
        )

    def sub(self, user: EndUser) -> str:
        """Return who a person is to clients."""
        logon = self.provider.sign_in.prove(user).logon
        return logon.sub

    def test_silently(self) -> None:
        """A request that may show no page is answered as well."""
        answer, _ = self.ask(self.behind("alice"), prompt="none")

        self.assertIn("code", told(answer))

    def test_listed(self) -> None:
        """The session is on the person's list, with what in."""
        _, browser = self.ask(self.behind("alice"))
        logon = self.logon_in(browser)
        sessions = run(self.provider.whereabouts.all(logon)) if logon else ()

        self.assertEqual(
            [(s.session_id, s.browser, s.system) for s in sessions],
            [(logon.session_id if logon else "", "Firefox", "Linux")],
        )

    def test_once(self) -> None:
        """Whoever is signed in stays so: the next request makes no other logon, and asks for nobody by name."""
        _, browser = self.ask(self.behind("ALICE"))
        self.provider.clock.advance(60)
        answer, _ = self.ask(browser)

        self.assertEqual((told(answer).get("error"), answer.cookies), (None, ()))

    def test_no_session_id_is_used_twice(self) -> None:
        """Each logon has a session id of its own, whatever the browser brought."""
        _, first = self.ask(self.behind("alice"))
        _, second = self.ask(self.behind("alice"))
        ids = {logon.session_id for logon in map(self.logon_in, (first, second)) if logon}

        self.assertEqual(len(ids), 2)

    def test_without_a_word(self) -> None:
        """Without anybody in front of us nobody is signed in, and nobody can be."""
        self.assertIsNone(run(self.provider.recognized(Browser())))
        self.assertIsInstance(self.ask(Browser())[0], ToSignIn)

    def test_stranger(self) -> None:
        """Whom the backend does not know, the operator is told of, and gets the sign-in page; SYSTEM is one of them."""
        for name in ("carol", "SYSTEM", "*", "alice)(uid=*"):
            answer, _ = self.ask(self.behind(name))
            self.assertIsInstance(answer, ToSignIn, name)
        self.assertEqual(self.provider.doubts[0], (Doubt.STRANGER, "carol"))
        self.assertEqual(len(self.provider.doubts), 4)

    def test_no_names(self) -> None:
        """A backend that finds nobody by name lets people in by the sign-in page, and the operator is told."""
        self.provider = Provider(backend=Nameless())

        self.assertIsInstance(self.ask(self.behind("alice"))[0], ToSignIn)
        self.assertEqual(self.provider.doubts, [(Doubt.NO_NAMES, "alice")])

    def test_silent_backend(self) -> None:
        """A backend that does not answer is said to be so, to the client where no page may be shown."""
        self.provider.people.silent = True
        silently = self.provider.ask(self.behind("alice"), client_id="mail", prompt="none")

        self.assertEqual(told(silently)["error"], "temporarily_unavailable")
        self.assertRaises(BackendUnavailableError, self.provider.ask, self.behind("alice"), client_id="mail")

    def test_silent_store(self) -> None:
        """Nobody is signed in whose session can not be noted."""
        self.provider = Provider(store=SilentStore())

        self.assertRaises(BackendUnavailableError, run, self.provider.recognized(self.behind("alice")))

    def test_ended_elsewhere(self) -> None:
        """Whose session was ended from elsewhere is signed in again, in another session."""
        _, browser = self.ask(self.behind("alice"))
        logon = self.logon_in(browser)
        run(self.provider.sessions.end(logon)) if logon else None
        _, after = self.ask(browser)
        again = self.logon_in(after)

        self.assertNotEqual(again.session_id if again else None, logon.session_id if logon else None)

    def test_withdrawn(self) -> None:
        """Who is taken out of the directory is not there any more, however the proxy insists."""
        _, browser = self.ask(self.behind("alice"))
        del self.provider.people.users["alice"]
        answer, after = self.ask(browser)

        self.assertIsInstance(answer, ToSignIn)
        self.assertIsNone(self.logon_in(after))


class ProofTests(RecognizedCase):
    """A request that wants more than a word."""

    def test_prompt_login(self) -> None:
        """The sign-in page is shown, and nobody is signed in on the way there."""
        answer, browser = self.ask(self.behind("alice"), prompt="login")

        self.assertIsInstance(answer, ToSignIn)
        self.assertIsNone(self.logon_in(browser))

    def test_no_way_around_the_password(self) -> None:
        """FAULT: somebody who is to type a password forgets their cookies and is signed in anew. It counts for nothing.

        They need not even come back from the page: another application will do to sign them in.
        """
        for prompt in ({"prompt": "login"}, {"max_age": "0"}):
            answer, browser = self.ask(self.behind("alice"), **prompt)
            interaction = answer.interaction if isinstance(answer, ToSignIn) else ""
            self.provider.clock.advance(1)
            bare = self.behind("alice")
            _, elsewhere = self.ask(bare)
            for returning in (browser, bare, elsewhere):
                again, _ = self.ask(returning, interaction=interaction, **prompt)
                self.assertIsInstance(again, ToSignIn, prompt)

    def test_password(self) -> None:
        """A password is proof, for the person the proxy names and for anybody else who sits there with them."""
        for user in (ALICE, BOB):
            answer, browser = self.ask(self.behind("alice"), prompt="login")
            interaction = answer.interaction if isinstance(answer, ToSignIn) else ""
            self.provider.clock.advance(1)
            browser = self.by_password(user, browser)
            again, after = self.ask(browser, prompt="login", interaction=interaction)

            self.assertIsInstance(again, ToClient)
            logon = self.logon_in(after)
            self.assertEqual((logon.username, logon.amr) if logon else None, (user.username, ("pwd",)))

    def test_max_age(self) -> None:
        """A logon that is too old for the request is, though the proxy would say the same once more."""
        _, browser = self.ask(self.behind("alice"))
        self.provider.clock.advance(100)
        young, _ = self.ask(browser, max_age="200")
        old, _ = self.ask(browser, max_age="50")

        self.assertIsInstance(young, ToClient)
        self.assertIsInstance(old, ToSignIn)

    def test_chooser(self) -> None:
        """Where an account is to be chosen, it is, of those who are signed in by then."""
        answer, browser = self.ask(self.behind("alice"), prompt="select_account")

        self.assertIsInstance(answer, ToChooser)
        self.assertEqual(self.logon_in(browser) is not None, True)

    def test_signed_out_on_the_way(self) -> None:
        """Whoever signs out at the chooser is not signed in behind their back, but gets the sign-in page."""
        answer, _ = self.ask(self.behind("alice"), prompt="select_account")
        interaction = answer.interaction if isinstance(answer, ToChooser) else ""
        again, _ = self.ask(self.behind("alice"), prompt="select_account", interaction=interaction)

        self.assertIsInstance(again, ToSignIn)

    def test_essential_acr(self) -> None:
        """No context is claimed that nobody has seen: a client that needs one gets the sign-in page."""
        claims = f'{{"id_token":{{"acr":{{"essential":true,"values":["{PASSWORD}"]}}}}}}'
        answer, browser = self.ask(self.behind("alice"), claims=claims)
        by_password, _ = self.ask(self.by_password(ALICE, browser), claims=claims)

        self.assertIsInstance(answer, ToSignIn)
        self.assertIsInstance(by_password, ToClient)


class SharedComputerTests(RecognizedCase):
    """Another person sits down."""

    def test_next_person(self) -> None:
        """FAULT: the logon of whoever sat there before goes on. It does not count, and leaves the browser."""
        _, browser = self.ask(self.behind("alice"))
        alice = browser.sealed[LOGON]
        _, after = self.ask(self.behind("bob", browser))
        logon = self.logon_in(after)

        self.assertIsNone(self.logon_in(self.behind("bob", browser)))
        self.assertEqual(logon.username if logon else None, "bob")
        self.assertNotIn(alice, after.sealed.values())

    def test_next_person_of_unknown_name(self) -> None:
        """FAULT: nor does it go on when the proxy names somebody whom nobody knows."""
        _, browser = self.ask(self.behind("alice"))
        answer, after = self.ask(self.behind("carol", browser))

        self.assertIsInstance(answer, ToSignIn)
        self.assertNotIn(LOGON, after.sealed)

    def test_accounts_beside(self) -> None:
        """FAULT: who signed in by password while the proxy named Alice sat there with her, and has left with her."""
        _, browser = self.ask(self.behind("alice"))
        browser = self.by_password(BOB, browser)
        _, after = self.ask(self.behind("carol", browser))

        self.assertEqual(self.logon_in(browser) is not None, True)
        self.assertIsNone(self.logon_in(Browser(after.sealed)))

    def test_password_before_there_was_a_proxy(self) -> None:
        """A logon from elsewhere counts where it is that person's, and not where it is anybody else's."""
        browser = self.by_password(ALICE, Browser())

        self.assertEqual(self.logon_in(self.behind("alice", browser)), self.logon_in(browser))
        self.assertIsNone(self.logon_in(self.behind("bob", browser)))

    def test_without_a_word(self) -> None:
        """Where the proxy says nothing, nothing changes: it may speak for some addresses alone."""
        _, browser = self.ask(self.behind("alice"))

        self.assertEqual(self.logon_in(Browser(browser.sealed)), self.logon_in(browser))

    def test_signing_out_leaves_both(self) -> None:
        """Whoever signs out leaves the session as well that was in the browser before them."""
        _, browser = self.ask(self.behind("alice"))
        alice = self.logon_in(browser)
        _, after = self.ask(self.behind("bob", browser))
        bob = self.logon_in(after)
        run(self.provider.sessions.end(bob)) if bob else None

        self.assertEqual(run(self.provider.sign_in.is_over(alice)) if alice else None, True)

    def test_other_backend(self) -> None:
        """A logon of another backend counts for nothing here either."""
        _, browser = self.ask(self.behind("alice"))
        self.provider.people.name = "identifier-other"

        self.assertIsNone(self.logon_in(browser))


class ChangeTests(SynchronousTestCase):
    """What a browser is told to keep and to forget, in several steps at once."""

    def test_merged(self) -> None:
        """Of two words about one value the later one counts, and each is named once."""
        first, then = (Keep("a", "1"), Keep("b", "1")), (Forget("a"), Keep("c", "1"))

        self.assertEqual(set(merged(first, then)), {Forget("a"), Keep("b", "1"), Keep("c", "1")})
        self.assertEqual((merged((), then), merged(first, ())), (then, first))

    def test_after(self) -> None:
        """A browser keeps and forgets, and who sits there does not change by that."""
        browser = Browser({"a": "1", "b": "1"}, Recognized("alice")).after((Forget("a"), Keep("c", "1"), Forget("d")))

        self.assertEqual((dict(browser.sealed), browser.recognized_name), ({"b": "1", "c": "1"}, "alice"))


class SealedTests(RecognizedCase):
    """A logon as it is kept."""

    def test_from_before(self) -> None:
        """What is sealed of a logon without a proxy is what always was."""
        self.assertNotIn("recognized", self.provider.sign_in.prove(ALICE).logon.to_json())

    def test_read_again(self) -> None:
        """Written and read it is the same."""
        logon = self.provider.sign_in.prove(ALICE, recognized="ALICE", amr=()).logon

        self.assertEqual(Logon.from_json(logon.to_json()), logon)
        self.assertEqual((logon.is_hearsay, evolve(logon, amr=("pwd",)).is_hearsay), (True, False))
