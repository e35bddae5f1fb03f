"""What a front end can do, in the flow itself: in which order things are asked, and what is left alone."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import BESIDE, BROWSER_STATE, LOGON, Browser, Forget
from konnectd.flows.identifier_api import Done, Entered, Greeted, Nobody
from konnectd.flows.logon import MOST_TRIES
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import UntrustedRequestError
from konnectd.protocol.greeting import Greeting
from konnectd.protocol.identifier_api import ConsentAnswer, Hello, LogonAttempt
from konnectd.protocol.interaction import CONSENT_TTL
from konnectd.protocol.scope import Scope
from tests.support.fakes import run
from tests.support.people import ALICE
from tests.support.provider import Provider, after
from tests.support.requests import CALLBACK, MAIL, NOTES, PROGRAM

OPENID = Scope(("openid",))


class ApiCase(SynchronousTestCase):
    """The API over fakes."""

    def setUp(self) -> None:
        """Put it together from the flows of a provider."""
        self.provider = Provider(MAIL, NOTES, PROGRAM)
        self.api = self.provider.api
        self.browser = self.provider.browser_of(ALICE, ago=100)

    def ask(self, client_id: str = "notes", **changes: object) -> Hello:
        """Return a good question with some changes."""
        return Hello.parse(
            {"flow": "oidc", "scope": "openid", "client_id": client_id, "redirect_uri": CALLBACK, **changes}
        )

    def hello(self, hello: Hello) -> Greeting | None:
        """Ask who is there."""
        answer = run(self.api.hello(hello, self.browser))
        return answer.greeting if isinstance(answer, Greeted) else None

    def logon(self, *params: str, hello: Hello | None = None) -> Entered | Nobody:
        """Sign somebody in."""
        return run(self.api.logon(LogonAttempt(state="s", params=params, hello=hello), self.browser))


class HelloTests(ApiCase):
    """Who is there, and what next?"""

    def test_nobody_costs_nothing(self) -> None:
        """Where nobody is there, no client is looked for: a stranger's question is no error."""
        self.browser = Browser()

        self.assertIsNone(self.hello(self.ask("stranger")))

    def test_asks_for_what_there_is(self) -> None:
        """Nobody is asked for what can not be granted."""
        greeting = self.hello(self.ask(scope="openid nonsense email"))

        self.assertEqual(str(greeting.scope if greeting else ""), "openid email")

    def test_memory(self) -> None:
        """What was answered is not asked again; more is, and so is everything where a client can not be told apart."""
        sub = self.provider.sign_in.find(self.browser)
        for client_id in ("notes", "program"):
            run(self.provider.permits.remember(sub.sub if sub else "", client_id, OPENID, OPENID))
        program = self.ask("program", redirect_uri="org.example.program:/cb")
        asked = [
            self.ask(),
            self.ask(scope="openid email"),
            self.ask(flow="consent"),
            self.ask(prompt="consent"),
            program,
        ]
        due = [greeting.asks is not None for greeting in map(self.hello, asked) if greeting]

        self.assertEqual(due, [False, True, True, True, True])

    def test_backend_is_silent(self) -> None:
        """Who can not be found out about is not said to be there."""
        self.provider.people.silent = True

        self.assertRaises(BackendUnavailableError, run, self.api.hello(self.ask(), self.browser))


class LogonTests(ApiCase):
    """Signing in."""

    def test_client_first(self) -> None:
        """A request that leads nowhere uses up no try, in whatever mode."""
        for params in (("alice", "wrong", "1"), ("alice", "", "0"), ("alice",)):
            self.assertRaises(UntrustedRequestError, self.logon, *params, hello=self.ask("stranger"))
        self.assertEqual(self.provider.people.tried, [])

    def test_guessing(self) -> None:
        """Whoever guesses is told nothing about it, but the log is."""
        answers = [self.logon("alice", "wrong", "1") for _ in range(MOST_TRIES + 1)]

        self.assertEqual([answer == Nobody() for answer in answers], [True] * MOST_TRIES + [False])
        self.assertEqual(answers[-1], Nobody(guessing=True))

    def test_mode_0_changes_nothing(self) -> None:
        """Going on as who one is keeps the session and its age, with a question or without."""
        for hello in (None, self.ask("mail"), self.ask()):
            answer = self.logon("alice", "", "0", hello=hello)

            self.assertEqual((type(answer), answer.cookies), (Entered, ()))

    def test_a_new_session_follows_the_old_one(self) -> None:
        """Who signs in again leaves both sessions by signing out."""
        entered = self.logon("bob", "builder", "1")
        old, self.browser = self.browser, after(self.browser, entered.cookies)
        run(self.api.logoff(self.browser))
        self.browser = old

        self.assertIsNone(self.hello(Hello()))


class LogoffTests(ApiCase):
    """Signing out."""

    def test_always_forgets(self) -> None:
        """The browser is told to forget whatever it holds, also what nobody can read."""
        for browser in (self.browser, Browser(), Browser({"KKT": "nonsense"})):
            names = [change.name for change in run(self.api.logoff(browser)).cookies]

            self.assertEqual(names, ["KKT", "KKBS"])

    def test_others_stay(self) -> None:
        """Who is signed in beside stays so, and what scripts see of that session too, however often this is called."""
        bob = self.logon("bob", "builder", "1")
        other = Browser({BESIDE[0]: after(Browser(), bob.cookies).sealed[LOGON]})
        state = next(change for change in bob.cookies if change.name == BROWSER_STATE)
        answers = [run(self.api.logoff(browser)).cookies for browser in (other, after(self.browser, (Forget(LOGON),)))]

        self.assertEqual(answers[0], (Forget(LOGON), state))
        self.assertEqual(answers[1], (Forget(LOGON), Forget(BROWSER_STATE)))


class ConsentTests(ApiCase):
    """Answering a client."""

    def answer(self, **changes: object) -> ConsentAnswer:
        """Return a good answer with some changes."""
        values = {"state": "abc123", "allow": True, "scope": "openid", "client_id": "notes", "redirect_uri": CALLBACK}
        return ConsentAnswer.parse({**values, "ref": "st", "flow_nonce": "no", **changes})

    def test_name(self) -> None:
        """The value is called as Konnect calls it, and lasts a minute."""
        outcome = run(self.api.consent(self.answer(), self.browser))
        (kept,) = outcome.cookies

        self.assertEqual((type(outcome), kept.name[:5], kept.max_age), (Done, "KKTC-", CONSENT_TTL))  # type: ignore[union-attr]

    def test_session_is_over(self) -> None:
        """Who was signed out elsewhere answers nothing."""
        run(self.api.logoff(self.browser))

        self.assertEqual(run(self.api.consent(self.answer(), self.browser)), Nobody())

    def test_a_no_allows_nothing(self) -> None:
        """Scopes that come with a no are not kept."""
        yes, no = (run(self.api.consent(self.answer(allow=allow), self.browser)).cookies for allow in (True, False))
        sealed = [self.provider.sealer.open("consent", kept[0].value, self.provider.clock.now()) for kept in (yes, no)]  # type: ignore[union-attr]

        self.assertEqual([(value or {})["scope"] for value in sealed], ["openid", ""])

    def test_trusted_client(self) -> None:
        """One of the house can be answered as well."""
        self.assertIsInstance(run(self.api.consent(evolve(self.answer(), client_id="mail"), self.browser)), Done)
