"""Logons that outlive the browser."""

from attrs import evolve

from konnectd.flows.authorize import ToClient
from konnectd.flows.browser import BROWSER_STATE, KEPT_BROWSER_STATE, LOGON, Keep
from konnectd.flows.logon import LogonForm, SignedIn
from konnectd.protocol.logons import LOGON_TTL, Stay
from tests.flows.test_side_by_side import STAY, Case
from tests.support.fakes import claims_of, run
from tests.support.provider import Provider, after
from tests.support.requests import MAIL


class StayingTests(Case):
    """Logons that outlive the browser."""

    def kept(self, changes: tuple[object, ...]) -> dict[str, int | None]:
        """Return for how long a browser keeps what."""
        return {change.name: change.max_age for change in changes if isinstance(change, Keep)}

    def test_asked_for(self) -> None:
        """The cookies last as long as the idle limit; those of who did not ask end with the browser."""
        for stay, expected in (
            (True, {LOGON: 1000, KEPT_BROWSER_STATE: 1000}),
            (False, {LOGON: None, BROWSER_STATE: None}),
        ):
            outcome = run(self.provider.logon(LogonForm(username="alice", password="wonderland", stay=stay)))
            self.assertEqual(self.kept(outcome.cookies) if isinstance(outcome, SignedIn) else {}, expected)

    def test_not_offered(self) -> None:
        """A form that asks for what is not offered gets what everybody gets."""
        provider = Provider()
        outcome = run(provider.logon(LogonForm(username="alice", password="wonderland", stay=True)))

        self.assertIsInstance(outcome, SignedIn)
        if isinstance(outcome, SignedIn):
            self.assertEqual(
                (self.kept(outcome.cookies), outcome.logon.kept), ({LOGON: None, BROWSER_STATE: None}, False)
            )

    def test_idle_limit(self) -> None:
        """Not used for that long it is over at that very second, whatever a browser or a thief still sends."""
        self.sign_in("alice", stay=True)
        self.provider.clock.advance(999)
        self.assertIsNotNone(self.provider.sign_in.find(self.browser))
        self.provider.clock.advance(1)

        self.assertIsNone(self.provider.sign_in.find(self.browser))
        self.assertIsNone(evolve(self.provider.sign_in).find(self.browser))
        self.assertEqual(self.answer(prompt="none")["error"], "login_required")

    def test_use(self) -> None:
        """Use puts the end off, is noted seldom, and leaves the moment of the proof where it is."""
        logon = self.sign_in("alice", stay=True)
        noted = []
        for _ in range(40):
            self.provider.clock.advance(50)
            answer = self.provider.ask(self.browser, client_id="mail", scope="openid", prompt="none")
            cookies = answer.cookies if isinstance(answer, ToClient) else ()
            noted.append(bool(cookies))
            self.browser = after(self.browser, cookies)

        self.assertEqual(noted, [False, True] * 20)
        self.assertEqual(self.provider.sign_in.find(self.browser), logon)
        code = self.answer()["code"]
        self.assertEqual(claims_of(self.provider.redeem(code).id_token)["auth_time"], logon.auth_time)

    def test_absolute_limit(self) -> None:
        """However much it is used, it is over when the proof is that old, at that very second."""
        provider = self.provider = Provider(stay=evolve(STAY, lifetime=1500))
        self.sign_in("alice", stay=True)
        for _ in range(3):
            provider.clock.advance(499)
            answer = provider.ask(self.browser, client_id="mail", scope="openid")
            self.browser = after(self.browser, answer.cookies if isinstance(answer, ToClient) else ())
        provider.clock.advance(2)
        self.assertIsNotNone(provider.sign_in.find(self.browser))
        provider.clock.advance(1)

        self.assertIsNone(provider.sign_in.find(self.browser))

    def test_copied(self) -> None:
        """A copy ends when it would have ended, though the browser it was taken from goes on being used."""
        self.sign_in("alice", stay=True)
        copy = self.browser
        self.provider.clock.advance(600)
        answer = self.provider.ask(self.browser, client_id="mail", scope="openid")
        self.browser = after(self.browser, answer.cookies if isinstance(answer, ToClient) else ())
        self.provider.clock.advance(400)

        self.assertIsNone(self.provider.sign_in.find(copy))
        self.assertIsNotNone(self.provider.sign_in.find(self.browser))

    def test_cookies_of_use(self) -> None:
        """What is kept anew lasts as long as the value in it, and the words of the others stay."""
        self.sign_in("bob")
        self.sign_in("alice", stay=True)
        self.provider.clock.advance(600)
        answer = self.provider.ask(self.browser, client_id="mail", scope="openid")
        cookies = answer.cookies if isinstance(answer, ToClient) else ()

        self.assertEqual(self.kept(cookies), {LOGON: 1000, BROWSER_STATE: None, KEPT_BROWSER_STATE: 1000})
        self.assertEqual(self.browser.sealed[BROWSER_STATE], after(self.browser, cookies).sealed[BROWSER_STATE])

    def test_used_beside(self) -> None:
        """Somebody who is hinted at is noted where they stand."""
        self.sign_in("alice", stay=True)
        self.sign_in("bob")
        self.provider.clock.advance(600)
        answer = self.provider.ask(self.browser, client_id="mail", scope="openid", login_hint="alice", prompt="none")
        self.browser = after(self.browser, answer.cookies if isinstance(answer, ToClient) else ())

        self.assertEqual(self.names, ["bob", "alice"])
        self.provider.clock.advance(900)
        self.assertEqual(self.names, ["bob", "alice"])

    def test_remembered_as_long_as_it_lives(self) -> None:
        """Clients that are to be told of the end are remembered until then, and so is the session on its list."""
        client = evolve(MAIL, backchannel_logout_uri="https://notes.example.org/logout")
        self.provider = Provider(client, stay=evolve(STAY, idle=200_000))
        logon = self.sign_in("alice", stay=True)
        self.answer()
        self.provider.clock.advance(LOGON_TTL + 5)

        self.assertEqual([s.kept for s in run(self.provider.whereabouts.all(logon))], [True])
        self.assertEqual([p.client_id for p in run(self.provider.sessions.end(logon))], ["mail"])

    def test_switched_off(self) -> None:
        """When the operator offers it no longer, a kept logon counts like any other."""
        self.sign_in("alice", stay=True)
        today = evolve(self.provider.sign_in, stay=Stay())

        self.assertIsNotNone(today.find(self.browser))
