"""Several logons in one browser."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToChooser, ToClient, ToConsent, ToSignIn
from konnectd.flows.browser import BESIDE, BROWSER_STATE, LOGON, Browser
from konnectd.flows.endsession import Confirm, Left
from konnectd.flows.logon import LogonForm, SignedIn
from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.protocol.end_user import EndUser, Logon
from konnectd.protocol.logons import MOST_BESIDE, Stay
from konnectd.protocol.session import Earlier, earlier_session_key, ended_session_key, session_state
from tests.support.fakes import SilentStore, claims_of, memory_store, run
from tests.support.people import BOB
from tests.support.provider import Provider, after, told
from tests.support.requests import CALLBACK, NOTES, form

STAY = Stay(offered=True, idle=1000, lifetime=200_000)
CROWD = tuple(EndUser(user_id=name, subject=name, username=name) for name in ("c", "d", "e", "f", "g"))


def before(earlier: Logon, logon: Logon) -> str:
    """Return what is kept of the logon whose place another one took."""
    return Earlier.of(earlier, logon).to_text()


class Case(SynchronousTestCase):
    """A browser."""

    stay = STAY

    def setUp(self) -> None:
        """Begin with an empty one."""
        self.provider = Provider(stay=self.stay)
        self.provider.people.users |= {user.username: user for user in CROWD}
        self.provider.people.passwords |= {user.username: "secret" for user in CROWD}
        self.browser = Browser()

    def sign_in(self, username: str, *, beside: bool = True, stay: bool = False) -> Logon:
        """Sign somebody in with the browser."""
        password = self.provider.people.passwords[username]
        typed = LogonForm(username=username, password=password, kept=self.browser, beside=beside, stay=stay)
        outcome = run(self.provider.logon(typed))
        if not isinstance(outcome, SignedIn):
            raise TypeError(f"{outcome}")
        self.browser = after(self.browser, outcome.cookies)
        return outcome.logon

    @property
    def names(self) -> list[str]:
        """Who is signed in: the current one first, or a dash for nobody."""
        current = self.provider.sign_in.find(self.browser)
        first = current.username if current is not None else "-"
        return [first, *(logon.username for logon in self.provider.sign_in.beside(self.browser))]

    def answer(self, **changes: str | None) -> dict[str, str]:
        """Ask for a code for Mail, and return what it is told."""
        return told(self.provider.ask(self.browser, **{"client_id": "mail", "scope": "openid", **changes}))

    def user_of(self, **changes: str | None) -> str:
        """Return whom Mail gets a code for."""
        tokens = self.provider.redeem(self.answer(**changes)["code"])
        return str(claims_of(tokens.access_token)["kc.identity"]["kc.i.un"])


class ArrangingTests(Case):
    """Who stands where."""

    def test_beside(self) -> None:
        """Who signs in beside somebody is the current one, and the other one is still there."""
        self.sign_in("alice")
        self.sign_in("bob")

        self.assertEqual(self.names, ["bob", "alice"])

    def test_instead(self) -> None:
        """Who signs in as always takes the place of whoever was there, whose session leaves with theirs."""
        alice = self.sign_in("alice")
        bob = self.sign_in("bob", beside=False)

        self.assertEqual(self.names, ["bob"])
        self.assertEqual(run(self.provider.store.get(earlier_session_key(bob.session_id))), before(alice, bob))

    def test_instead_leaves_others(self) -> None:
        """Those who stand beside stay when somebody takes the current one's place."""
        for name in ("c", "alice"):
            self.sign_in(name)
        self.sign_in("bob", beside=False)

        self.assertEqual(self.names, ["bob", "c"])

    def test_the_same_person_again(self) -> None:
        """Nobody is there twice: a new proof takes the place of the old one, wherever it stood."""
        first = self.sign_in("alice")
        self.sign_in("bob")
        again = self.sign_in("alice", beside=False)

        self.assertEqual(self.names, ["alice", "bob"])
        self.assertEqual(run(self.provider.store.get(earlier_session_key(again.session_id))), first.session_id)

    def test_bound(self) -> None:
        """A browser holds five at most; the one that was current longest ago gives way."""
        logons = [self.sign_in(name) for name in ("alice", "bob", "c", "d", "e", "f")]

        self.assertEqual(self.names, ["f", "e", "d", "c", "bob"])
        self.assertEqual(len(BESIDE), MOST_BESIDE)
        gone = run(self.provider.store.get(earlier_session_key(logons[-1].session_id)))
        self.assertEqual(gone, before(logons[0], logons[-1]))

    def test_choose(self) -> None:
        """Choosing moves values, and changes nothing in them: not even the moment of the proof."""
        alice = self.sign_in("alice", stay=True)
        self.provider.clock.advance(500)
        self.sign_in("bob")
        before = sorted(value for name, value in self.browser.sealed.items() if name.startswith(LOGON))
        self.browser = after(self.browser, self.provider.browsers.choose(self.browser, alice))
        values = sorted(value for name, value in self.browser.sealed.items() if name.startswith(LOGON))

        self.assertEqual(self.names, ["alice", "bob"])
        self.assertEqual(values, before)
        self.assertEqual(self.provider.sign_in.find(self.browser), alice)

    def test_choosing_who_is_not_there(self) -> None:
        """Changes nothing, and neither does choosing who is current."""
        alice = self.sign_in("alice")
        self.sign_in("bob")
        current = self.provider.sign_in.find(self.browser)
        stranger = evolve(alice, session_id="another")

        self.assertEqual(self.provider.browsers.choose(self.browser, stranger), ())
        if current is not None:
            self.assertEqual(self.provider.browsers.choose(self.browser, current), ())

    def test_hostile_places(self) -> None:
        """Values that are not ours, other purposes, one person twice and made-up places are nobody."""
        self.sign_in("alice")
        mine = self.browser.sealed[LOGON]
        sealer, now = self.provider.sealer, self.provider.clock.now()
        claims = self.provider.sign_in.begin(BOB)[0].to_json()
        planted = {
            BESIDE[0]: "x",
            BESIDE[1]: mine,
            BESIDE[2]: sealer.seal("another purpose", claims, now + 60),
            BESIDE[3]: "",
            f"{LOGON}-5": sealer.seal(LOGON, claims, now + 60),
            f"{LOGON}-0": sealer.seal(LOGON, claims, now + 60),
        }
        self.browser = Browser({**self.browser.sealed, **planted})

        self.assertEqual(self.names, ["alice"])
        self.assertEqual(self.user_of(), "alice")

    def test_everyone(self) -> None:
        """Who was signed out elsewhere is not shown."""
        self.sign_in("alice")
        bob = self.sign_in("bob")
        run(self.provider.store.put(ended_session_key(bob.session_id), "1", 60))

        names = [logon.username for logon in run(self.provider.browsers.everyone(self.browser))]
        self.assertEqual(names, ["alice"])


class AuthorizeTests(Case):
    """Whom an application gets."""

    def setUp(self) -> None:
        """Sign two people in: Bob is the current one, Alice is beside."""
        super().setUp()
        self.alice = self.sign_in("alice")
        self.provider.clock.advance(100)
        self.bob = self.sign_in("bob")

    def hint_of(self, logon: Logon) -> str:
        """Return an ID token of somebody at Mail."""
        browser = after(self.browser, self.provider.browsers.choose(self.browser, logon))
        code = told(self.provider.ask(browser, client_id="mail", scope="openid"))["code"]
        return self.provider.redeem(code).id_token

    def test_current(self) -> None:
        """Where nobody is named it is the current one, with pages and without."""
        self.assertEqual([self.user_of(), self.user_of(prompt="none")], ["bob", "bob"])

    def test_hints(self) -> None:
        """Who is named is taken, without pages too, with the time of their own proof; the current one stays current."""
        for changes in ({"login_hint": "alice"}, {"id_token_hint": self.hint_of(self.alice)}):
            answer = self.provider.ask(self.browser, client_id="mail", scope="openid", prompt="none", **changes)
            claims = claims_of(self.provider.redeem(told(answer)["code"]).id_token)

            self.assertEqual((claims["sub"], claims["auth_time"]), (self.alice.sub, self.alice.auth_time))
            self.assertEqual(answer.cookies, ())

    def test_hint_of_somebody_else(self) -> None:
        """Who is not there is not replaced by whoever is."""
        hint = self.hint_of(self.alice)
        self.browser = after(self.browser, self.provider.browsers.without(self.browser, self.alice))

        self.assertEqual(self.answer(prompt="none", id_token_hint=hint)["error"], "login_required")
        self.assertIsInstance(self.provider.ask(self.browser, client_id="mail", id_token_hint=hint), ToSignIn)

    def test_max_age(self) -> None:
        """An old proof of who is named is old, however fresh the current one's is."""
        self.assertEqual(self.user_of(max_age="50"), "bob")
        self.assertEqual(self.answer(max_age="50", login_hint="alice", prompt="none")["error"], "login_required")

    def test_consent(self) -> None:
        """Who is named is the one who is asked."""
        answer = self.provider.ask(self.browser, scope="openid", login_hint="alice")
        self.assertIsInstance(answer, ToConsent)
        if isinstance(answer, ToConsent):
            self.browser = after(self.browser, answer.cookies)

        self.assertEqual(self.names, ["alice", "bob"])

    def test_ended_elsewhere(self) -> None:
        """When the current one was signed out elsewhere, somebody has to choose, and nobody is guessed."""
        run(self.provider.store.put(ended_session_key(self.bob.session_id), "1", 60))
        self.assertEqual(self.answer(prompt="none")["error"], "account_selection_required")
        answer = self.provider.ask(self.browser, client_id="mail")
        self.assertIsInstance(answer, ToChooser)
        if isinstance(answer, ToChooser):
            self.browser = after(self.browser, answer.cookies)

        self.assertEqual(self.names, ["-", "alice"])

    def test_hinted_one_ended_elsewhere(self) -> None:
        """Then it is nobody, and the current one stays what they are."""
        run(self.provider.store.put(ended_session_key(self.alice.session_id), "1", 60))
        answer = self.provider.ask(self.browser, client_id="mail", login_hint="alice", prompt="none")
        self.browser = after(self.browser, answer.cookies if isinstance(answer, ToClient) else ())

        self.assertEqual(told(answer)["error"], "account_selection_required")
        self.assertEqual(self.names, ["bob"])

    def test_session_state(self) -> None:
        """What each application watches is the session of its own person, whoever is the current one."""
        words = self.browser.sealed[BROWSER_STATE].split(".")
        origin = CALLBACK.removesuffix("/cb")
        for logon in (self.alice, self.bob):
            shown = self.answer(prompt="none", login_hint=logon.username)["session_state"]
            salt = shown.partition(".")[2]
            states = [session_state("mail", origin, word, salt) for word in words]
            self.assertEqual(states.count(shown), 1)
        self.assertEqual(len(words), 2)


class QuestionsTests(Case):
    """What the store is asked."""

    def test_one_logon(self) -> None:
        """Somebody with one logon, kept or not, costs as many questions as before: one and the code."""
        for stay in (False, True):
            counting = Counting(memory_store(self.provider.clock))
            self.provider = Provider(store=counting, stay=STAY)
            self.browser = Browser()
            self.sign_in("alice", stay=stay)
            counting.asked.clear()
            self.answer()

            self.assertEqual(counting.asked, ["get_each", "put"])


class Counting:
    """A store that notes what it is asked."""

    def __init__(self, store: Store) -> None:
        """Stand before a store."""
        self.store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        """Note a question and pass it on."""
        self.asked.append(name)
        return getattr(self.store, name)


class LeavingTests(Case):
    """Signing one of them out."""

    def setUp(self) -> None:
        """Sign two people in to an application that wants to be told."""
        super().setUp()
        self.client = evolve(NOTES, trusted=True, backchannel_logout_uri="https://notes.example.org/logout")
        self.provider = Provider(self.client, stay=STAY)
        self.alice = self.sign_in("alice")
        self.alices = self.join()
        self.bob = self.sign_in("bob")
        self.bobs = self.join()

    def join(self) -> str:
        """Let the current one use the application, and return the ID token it gets."""
        code = told(self.provider.ask(self.browser, scope="openid"))["code"]
        return self.provider.redeem(code, self.client).id_token

    def leave(self, *, confirmed: bool = True, everyone: bool = False, **values: str) -> Left | Confirm:
        """Sign out."""
        answer = run(self.provider.end_session(form(**values), self.browser, confirmed=confirmed, everyone=everyone))
        if isinstance(answer, Left):
            self.browser = after(self.browser, answer.cookies)
        return answer

    def over(self) -> tuple[bool, bool]:
        """Tell whose session is over: Alice's, Bob's."""
        is_over = self.provider.sign_in.is_over
        return run(is_over(self.alice)), run(is_over(self.bob))

    def test_current(self) -> None:
        """Ends the current one, and nobody takes their place."""
        self.leave()

        self.assertEqual((self.names, self.over()), (["-", "alice"], (False, True)))
        self.assertEqual(self.browser.sealed[BROWSER_STATE], self.provider.sessions.browser_state(self.alice))

    def test_hinted(self) -> None:
        """Whose ID token an application shows leaves unasked; the current one stays."""
        self.assertIsInstance(self.leave(confirmed=False, id_token_hint=self.alices), Left)

        self.assertEqual((self.names, self.over()), (["bob"], (True, False)))

    def test_told(self) -> None:
        """The clients of who leaves are told, and nobody else's."""
        self.leave(id_token_hint=self.bobs)

        self.assertEqual(len(self.provider.background.planned), 1)

    def test_everyone(self) -> None:
        """All of them leave when the person says so, and nothing stays in the browser."""
        self.leave(everyone=True)

        self.assertEqual((self.names, self.over(), self.browser.sealed), (["-"], (True, True), {}))

    def test_unsure(self) -> None:
        """A store that is silent leaves everybody where they are."""
        self.provider.end_session = evolve(
            self.provider.end_session, sessions=evolve(self.provider.sessions, store=SilentStore())
        )
        self.assertRaises(BackendUnavailableError, self.leave)

        self.assertEqual(self.names, ["bob", "alice"])
