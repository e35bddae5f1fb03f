"""Who takes part in sessions."""

from itertools import pairwise

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import Browser
from konnectd.flows.endsession import Left
from konnectd.flows.logon import LogonForm, SignedIn
from konnectd.flows.sign_in import MOST_OPENED
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.scope import Scope
from konnectd.protocol.session import MOST_EARLIER, MOST_PARTIES, Party, ended_session_key, party_key
from tests.support.fakes import SilentStore, run
from tests.support.people import ALICE, logon_of
from tests.support.provider import Provider
from tests.support.requests import MAIL, NOTES, address_of, form
from tests.support.steps import WaitingStore, in_turns

BACKED = evolve(MAIL, backchannel_logout_uri="https://mail.example.org/back")
OPENID = Scope.of(["openid"])


def many(count: int) -> tuple[Client, ...]:
    """Return clients that want to be told."""
    return tuple(evolve(BACKED, client_id=f"client-{number}") for number in range(count))


class JoinTests(SynchronousTestCase):
    """The list of clients of a session."""

    def setUp(self) -> None:
        """Have somebody who is signed in."""
        self.provider = Provider(BACKED, NOTES)
        self.sessions = self.provider.sessions
        self.logon = logon_of(ALICE, self.provider.clock.now())

    def join(self, client: Client, logon: Logon | None = None, scope: Scope = OPENID) -> None:
        """Let a client take part."""
        run(self.sessions.join(client, logon or self.logon, scope))

    def end(self) -> tuple[Party, ...]:
        """End the session."""
        return run(self.sessions.end(self.logon))

    def test_nothing_for_others(self) -> None:
        """A client that does not want to be told costs no look at the store."""
        run(evolve(self.sessions, store=SilentStore()).join(NOTES, self.logon, OPENID))

        self.assertEqual(self.end(), ())

    def test_who_the_person_is(self) -> None:
        """The client is told the subject and the session that its tokens have."""
        self.join(BACKED)

        self.assertEqual(
            self.end(), (Party(client_id="mail", sub=self.logon.sub, session_id=BACKED.sid_of("session-1")),)
        )

    def test_raw_subject(self) -> None:
        """A client that knows the raw subject is told that one."""
        self.join(BACKED, scope=Scope.of(["openid", "konnect/raw_sub"]))

        self.assertEqual([party.sub for party in self.end()], ["alice"])

    def test_each_once(self) -> None:
        """A client is on the list once, however often it asks, also at the same time."""
        clients, slow = many(3), evolve(self.sessions, store=WaitingStore(self.provider.store))
        turns = [number % 9 for number in range(60)]
        in_turns(turns, *(slow.join(client, self.logon, OPENID) for client in clients * 3))
        self.join(clients[0])

        self.assertEqual(sorted(party.client_id for party in self.end()), ["client-0", "client-1", "client-2"])

    def test_bound(self) -> None:
        """A session that somebody fills up does not make the sign-out endless."""
        for client in many(MOST_PARTIES + 5):
            self.join(client)

        self.assertEqual(len(self.end()), MOST_PARTIES)

    def test_ended(self) -> None:
        """Its end is known for as long as anything of it may live."""
        self.end()

        self.assertEqual(run(self.provider.store.get(ended_session_key("session-1"))), "1")

    def test_unreadable(self) -> None:
        """What another version wrote is passed over."""
        self.join(BACKED)
        run(self.provider.store.put(party_key("session-1", 1), '{"v":9}', 60))

        self.assertEqual(self.end(), ())

    def test_earlier_sessions(self) -> None:
        """Those that were in the browser before end as well, the latest first, and not without bound."""
        logons = [logon_of(ALICE, 1, session_id=f"s-{number}") for number in range(MOST_EARLIER + 3)]
        for earlier, logon in zip([None, *logons], logons, strict=False):
            run(self.sessions.begin(logon, earlier))
            self.join(BACKED, logon)
        told = run(self.sessions.end(logons[-1]))

        wanted = [BACKED.sid_of(logon.session_id) for logon in reversed(logons)][:MOST_EARLIER]
        self.assertEqual([party.session_id for party in told], wanted)

    def test_circle(self) -> None:
        """Sessions that name each other end like all others."""
        other = logon_of(ALICE, 1, session_id="session-2")
        run(self.sessions.begin(self.logon, other))
        run(self.sessions.begin(other, self.logon))
        self.join(BACKED)

        self.assertEqual(len(self.end()), 1)

    def test_people_before(self) -> None:
        """Who else was in the browser is known, the latest first and not without bound; nobody is somebody else."""
        people = [evolve(ALICE, subject=f"p-{number // 2}", user_id=f"p-{number // 2}") for number in range(100)]
        logons = [logon_of(user, 1, session_id=f"s-{number}") for number, user in enumerate(people)]
        for earlier, logon in pairwise(logons):
            run(self.sessions.begin(logon, earlier))
        found = run(self.sessions.people_before(logons[-1]))

        self.assertEqual(found[:3], (logons[97], logons[95], logons[93]))
        self.assertEqual(len(found), MOST_EARLIER // 2)


class StateTests(SynchronousTestCase):
    """What a session looks like."""

    def setUp(self) -> None:
        """Have somebody who is signed in."""
        self.provider = Provider()
        self.sessions = self.provider.sessions
        self.logon = logon_of(ALICE, 1)

    def test_browser_state(self) -> None:
        """Nobody has none, each session has one of its own."""
        other = logon_of(ALICE, 1, session_id="session-2")
        states = [self.sessions.browser_state(logon) for logon in (None, self.logon, self.logon, other)]

        self.assertEqual((states[0], states[1] == states[2], states[1] == states[3]), ("", True, False))

    def test_many_sessions(self) -> None:
        """However many sessions there are, each keeps its state."""
        logons = [logon_of(ALICE, 1, session_id=f"s-{number}") for number in range(MOST_OPENED + 2)]
        states = [self.sessions.browser_state(logon) for logon in logons]

        self.assertEqual(len(set(states)), len(logons))
        self.assertEqual([self.sessions.browser_state(logon) for logon in logons[:3]], states[:3])

    def test_applications(self) -> None:
        """An application without an origin has no script that could ask."""
        program = evolve(NOTES, redirect_uris=("org.example.program:/cb",), trusted=True)
        address = address_of(program, redirect_uri="org.example.program:/cb")

        self.assertEqual(self.sessions.visible(address, self.logon), ())
        self.assertEqual([name for name, _ in self.sessions.visible(address_of(), self.logon)], ["session_state"])


class SignInTests(SynchronousTestCase):
    """What a sign-in and a sign-out leave behind."""

    def setUp(self) -> None:
        """Have a client that wants to be told."""
        self.provider = Provider(BACKED)

    def sign_in(self, kept: Browser | None = None) -> SignedIn:
        """Sign Alice in."""
        form_ = LogonForm(username="alice", password="wonderland", kept=kept or Browser())
        outcome = run(self.provider.logon(form_))
        if not isinstance(outcome, SignedIn):
            raise TypeError(str(outcome))
        return outcome

    def test_browser_state(self) -> None:
        """The browser keeps a state for the new session."""
        first, second = self.sign_in(), self.sign_in()

        self.assertEqual([change.name for change in first.cookies], ["KKT", "KKBS"])
        self.assertNotEqual(first.cookies[1], second.cookies[1])

    def test_refresh_after_sign_out(self) -> None:
        """A refresh token of a session that is over is worth nothing, be it in a chain of sessions."""
        token = self.provider.tokens(client=BACKED).refresh_token
        again = self.sign_in(self.provider.browser_of(ALICE))
        run(self.provider.sessions.end(again.logon))

        with self.assertRaises(OAuthError) as caught:
            self.provider.refresh(token, BACKED)
        self.assertEqual(caught.exception.code, "invalid_grant")

    def test_silent_store(self) -> None:
        """When nobody can tell who took part, the person is told so and is still signed in."""
        provider = Provider(BACKED, store=SilentStore())

        with self.assertRaises(BackendUnavailableError):
            run(provider.end_session(form(), provider.browser_of(ALICE), confirmed=True))

    def test_client_that_is_gone(self) -> None:
        """A client that is not registered any more is told nothing."""
        self.provider.tokens(client=BACKED)
        self.provider.registry.clients.clear()
        answer = run(self.provider.end_session(form(), self.provider.browser_of(ALICE), confirmed=True))

        self.assertIsInstance(answer, Left)
        self.assertEqual((getattr(answer, "farewell_id", None), self.provider.background.planned), ("", []))
