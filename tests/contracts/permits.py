"""What noting and taking back must do on every store, however many ask at the same time."""

from attrs import evolve

from konnectd.flows.permits import MOST_GRANTS, Permits
from konnectd.flows.whereabouts import MOST_SESSIONS, Whereabouts
from konnectd.interfaces import Store
from konnectd.protocol.claims import Approval
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.grant import revoked_key
from konnectd.protocol.scope import Scope
from konnectd.protocol.withdrawal import is_taken_back, withdrawal_key
from tests.contracts.token_life import ENTROPY, TokenLifeContract
from tests.support.people import ALICE, logon_of

PROVIDER = "identifier-test"
SUB = public_subject(ALICE.subject, PROVIDER)
SCOPE = Scope.parse("openid offline_access")


class PermitsContract(TokenLifeContract):
    """The part of a store's contract that is about what people allow; `tests.contracts.stores` has the rest."""

    def permits(self, store: Store) -> Permits:
        """Return what notes and takes back, on one of the stores."""
        return Permits(store=store, clock=self.clock, entropy=ENTROPY, consent_life=1000, token_life=5000)

    def granted(self, number: int, client_id: str) -> Approval:
        """Return what Alice has granted to a client."""
        return evolve(
            self.approval(), grant_id=f"many-{number}", client_id=client_id, provider=PROVIDER, user=ALICE, scope=SCOPE
        )

    def is_revoked(self, number: int) -> bool:
        """Tell whether one of many grants is revoked."""
        return self.answer(self.store.get(revoked_key(f"many-{number}"))) is not None

    def test_many_clients_at_once(self) -> None:
        """Every one of many clients that get a refresh token at the same moment is on the person's list."""
        crowd = enumerate(self.crowd())
        self.together([self.permits(store).note(self.granted(n, f"client-{n:02}")) for n, store in crowd])
        listed = self.answer(self.permits(self.store).all(SUB))

        self.assertEqual(sorted(p.client_id for p in listed), [f"client-{n:02}" for n in range(len(self.crowd()))])

    def test_many_grants_at_once(self) -> None:
        """Of many grants of one client as many as there is room for are listed; taking back leaves none alive."""
        crowd = self.crowd()
        self.together([self.permits(store).note(self.granted(n, "notes")) for n, store in enumerate(crowd)])
        self.together([self.permits(store).forget(SUB, "notes") for store in self.sharers()])
        revoked = [number for number in range(len(crowd)) if self.is_revoked(number)]

        self.assertEqual(len(revoked), MOST_GRANTS)
        self.assertTrue(is_taken_back("", self.answer(self.store.get(withdrawal_key(SUB, "notes")))))
        self.assertEqual(self.answer(self.permits(self.store).all(SUB)), ())

    def test_many_answers_at_once(self) -> None:
        """Of many answers to many clients each is remembered for its own client."""
        crowd = enumerate(self.crowd())
        scopes = [Scope.parse(f"openid scope-{number}") for number in range(len(self.crowd()))]
        self.together([self.permits(store).remember(SUB, f"client-{n}", scopes[n], scopes[n]) for n, store in crowd])
        found = [self.answer(self.permits(self.store).recall(SUB, f"client-{n}")) for n in range(len(scopes))]

        self.assertEqual([answer.granted if answer is not None else None for answer in found], scopes)

    def test_many_sessions_at_once(self) -> None:
        """All browsers that somebody signs in with at the same moment are listed, as far as there is room."""
        now = self.clock.now()
        me = logon_of(ALICE, now, session_id="s-0")
        stores = self.crowd()[:MOST_SESSIONS]
        self.together(
            [Whereabouts(store=store).note(evolve(me, session_id=f"s-{n}")) for n, store in enumerate(stores)]
        )
        sessions = self.answer(Whereabouts(store=self.store).all(me))

        self.assertEqual({session.session_id for session in sessions}, {f"s-{n}" for n in range(len(stores))})
