"""What people have allowed: remembered, listed, and taken back."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.permits import MOST_CLIENTS, MOST_GRANTS, Permits
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.account import ListedClient, Permit, pair_of, person_of
from konnectd.protocol.claims import Approval
from konnectd.protocol.end_user import EndUser, public_subject
from konnectd.protocol.grant import REVOKED, TOKENS_REVOKED, revoked_key
from konnectd.protocol.scope import Scope
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.withdrawal import is_taken_back, withdrawal_key
from tests.support.fakes import NOON, CountingEntropy, FixedClock, SilentStore, memory_store, run
from tests.support.people import ALICE, BOB
from tests.support.steps import WaitingStore, in_turns

PROVIDER = "identifier-test"
SUB = public_subject(ALICE.subject, PROVIDER)
BASIC = Scope.parse("openid profile")
OFFLINE = Scope.parse("openid offline_access")
CONSENT_LIFE, TOKEN_LIFE = 1000, 5000


def approval_of(grant_id: str, client_id: str = "notes", user: EndUser = ALICE) -> Approval:
    """Return what a redeemed code comes to."""
    return Approval(
        issuer="https://sso.example.com",
        grant_id=grant_id,
        client_id=client_id,
        scope=OFFLINE,
        user=user,
        provider=PROVIDER,
        sub="pairwise or not",
    )


class PermitsCase(SynchronousTestCase):
    """Alice, and nothing that she has allowed."""

    def setUp(self) -> None:
        """Begin with an empty store."""
        self.clock = FixedClock()
        self.store = memory_store(self.clock)
        self.permits = Permits(
            store=self.store,
            clock=self.clock,
            entropy=CountingEntropy(),
            consent_life=CONSENT_LIFE,
            token_life=TOKEN_LIFE,
        )

    def remember(self, client_id: str = "notes", asked: Scope = BASIC, granted: Scope | None = None) -> None:
        """Let Alice agree."""
        run(self.permits.remember(SUB, client_id, asked, granted if granted is not None else asked))

    def listed(self) -> list[str]:
        """Return whom Alice sees on her page."""
        return [permit.client_id for permit in run(self.permits.all(SUB))]

    def is_revoked(self, grant_id: str) -> bool:
        """Tell whether a grant is revoked."""
        return run(self.store.get(revoked_key(grant_id))) is not None

    def is_taken_back(self, client_id: str = "notes", made_under: str = "") -> bool:
        """Tell whether everything is that Alice allowed a client under a mark."""
        return is_taken_back(made_under, run(self.store.get(withdrawal_key(SUB, client_id))))


class RememberTests(PermitsCase):
    """What is remembered, of whom, and for how long."""

    def test_nothing(self) -> None:
        """Who has not answered is not known."""
        self.assertIsNone(run(self.permits.recall(SUB, "notes")))
        self.assertEqual(self.listed(), [])

    def test_for_one_person_and_one_client(self) -> None:
        """An answer counts for who gave it and whom they gave it to."""
        self.remember()
        found = [
            run(self.permits.recall(sub, client_id)) is not None
            for sub in (SUB, public_subject("bob", PROVIDER))
            for client_id in ("notes", "mail", "note")
        ]

        self.assertEqual(found, [True, False, False, False, False, False])

    def test_not_for_ever(self) -> None:
        """An answer is forgotten after the time that the operator says, and is not listed then."""
        self.remember()
        self.clock.advance(CONSENT_LIFE - 1)
        self.assertIsNotNone(run(self.permits.recall(SUB, "notes")))
        self.clock.advance(1)

        self.assertIsNone(run(self.permits.recall(SUB, "notes")))
        self.assertEqual(self.listed(), [])

    def test_later_answers_are_added(self) -> None:
        """Another answer says something about what it was asked, and nothing about the rest."""
        self.remember(asked=Scope.parse("openid groups"), granted=Scope.parse("openid"))
        self.clock.advance(10)
        self.remember(asked=Scope.parse("openid profile groups"), granted=Scope.parse("openid groups"))
        found = run(self.permits.recall(SUB, "notes"))

        self.assertEqual(
            (str(found.asked), str(found.granted), found.since) if found else None,
            ("openid groups profile", "openid groups", NOON),
        )

    def test_silent_store(self) -> None:
        """Where nothing can be remembered it is said so, and no token is given out that nobody could revoke."""
        silent = evolve(self.permits, store=SilentStore())
        for call in (
            silent.remember(SUB, "notes", BASIC, BASIC),
            silent.note(approval_of("g-1")),
            silent.forget(SUB, "notes"),
        ):
            with self.assertRaises(BackendUnavailableError):
                run(call)


class ListTests(PermitsCase):
    """What somebody sees."""

    def test_both_kinds(self) -> None:
        """Clients with an answer, with refresh tokens, or with both are there once, with everything they may do."""
        self.remember("notes")
        self.clock.advance(10)
        run(self.permits.note(approval_of("g-1", "notes")))
        run(self.permits.note(approval_of("g-2", "mail")))

        self.assertEqual(
            run(self.permits.all(SUB)),
            (
                Permit(client_id="mail", since=NOON + 10, scope=OFFLINE),
                Permit(client_id="notes", since=NOON, scope=Scope.parse("openid profile offline_access")),
            ),
        )

    def test_of_one_person(self) -> None:
        """Nobody sees what somebody else has allowed."""
        run(self.permits.note(approval_of("g-1", user=BOB)))

        self.assertEqual(self.listed(), [])

    def test_as_long_as_anything_lives(self) -> None:
        """A client that comes again and again stays on the list as long as the last of its tokens lives."""
        for _ in range(5):
            run(self.permits.note(approval_of(f"g-{self.clock.now()}")))
            self.clock.advance(TOKEN_LIFE - 1)
            self.assertEqual(self.listed(), ["notes"])
        self.clock.advance(1)

        self.assertEqual(self.listed(), [])

    def test_what_ended_elsewhere(self) -> None:
        """Grants that were revoked, or whose session is over, are no access any more, and single revoked tokens are."""
        for number, session_id in enumerate(("s-0", "s-1", "s-2")):
            approval = evolve(approval_of(f"g-{number}", f"client-{number}"), session_id=session_id)
            run(self.permits.note(approval))
        run(self.store.put(revoked_key("g-0"), REVOKED, 60))
        run(self.store.put(ended_session_key("s-1"), "1", 60))
        run(self.store.put(revoked_key("g-2"), TOKENS_REVOKED, 60))

        self.assertEqual(self.listed(), ["client-2"])

    def test_the_list_has_an_end(self) -> None:
        """Beyond many clients the one that came first has to ask again, and its tokens are dead."""
        run(self.permits.note(approval_of("first", "client-first")))
        for number in range(MOST_CLIENTS):
            self.remember(f"client-{number}")

        self.assertEqual(len(self.listed()), MOST_CLIENTS)
        self.assertNotIn("client-first", self.listed())
        self.assertTrue(self.is_revoked("first"))

    def fill(self) -> None:
        """Fill Alice's list, and wait until the place of the oldest client on it has to be renewed."""
        for number in range(MOST_CLIENTS):
            run(self.permits.note(approval_of(f"old-{number}", f"client-{number}")))
        self.clock.advance(TOKEN_LIFE + 1)

    def test_a_full_list_revokes_nothing_new(self) -> None:
        """The oldest client of a full list that gets a refresh token again does not lose it for its older place."""
        self.fill()
        run(self.permits.note(approval_of("new", "client-0")))

        self.assertEqual((self.is_revoked("new"), self.listed()), (False, ["client-0"]))

    def test_a_full_list_forgets_nothing_new(self) -> None:
        """Nor does it lose the answer that it has just been given."""
        self.fill()
        self.remember("client-0")

        self.assertEqual(self.listed(), ["client-0"])
        self.assertIsNotNone(run(self.permits.recall(SUB, "client-0")))

    def test_the_grants_of_a_client_have_an_end(self) -> None:
        """Beyond many grants of one client older ones leave the list, and are good until all are taken back."""
        for number in range(MOST_GRANTS + 2):
            run(self.permits.note(approval_of(f"g-{number}")))
        before = self.is_taken_back(), [n for n in range(MOST_GRANTS + 2) if self.is_revoked(f"g-{n}")]
        run(self.permits.forget(SUB, "notes"))

        self.assertEqual(before, (False, []))
        self.assertTrue(self.is_taken_back())

    def test_what_left_the_list_is_not_out_of_sight(self) -> None:
        """A client stays on the page while grants that left the list may live, though all on the list are over."""
        for number in range(MOST_GRANTS + 1):
            run(self.permits.note(evolve(approval_of(f"g-{number}"), session_id=f"s-{number}")))
        for number in range(1, MOST_GRANTS + 1):
            run(self.store.put(ended_session_key(f"s-{number}"), "1", TOKEN_LIFE))
        seen = run(self.permits.all(SUB))
        run(self.permits.forget(SUB, "notes"))

        self.assertEqual([(permit.client_id, permit.scope) for permit in seen], [("notes", OFFLINE)])
        self.assertEqual(self.listed(), [])

    def test_nothing_is_kept_of_what_left_the_list(self) -> None:
        """However often somebody signs in to one client, no more is kept of it than the list."""
        for number in range(2 * MOST_GRANTS):
            run(self.permits.note(approval_of(f"g-{number}")))
        full = len(self.store)
        for number in range(50):
            run(self.permits.note(approval_of(f"h-{number}")))

        self.assertEqual(len(self.store), full)

    def test_taken_back_as_long_as_tokens_live(self) -> None:
        """That everything was taken back is known as long as any refresh token from before could be shown."""
        run(self.permits.forget(SUB, "notes"))
        self.clock.advance(TOKEN_LIFE - 1)

        self.assertTrue(self.is_taken_back())

    def test_a_busy_client_pushes_nobody_out(self) -> None:
        """However often one client comes, the others stay as they are."""
        self.remember("mail")
        for number in range(MOST_CLIENTS + MOST_GRANTS):
            self.remember("notes")
            run(self.permits.note(approval_of(f"g-{number}")))

        self.assertEqual(self.listed(), ["mail", "notes"])


class ForgetTests(PermitsCase):
    """Taking back."""

    def test_everything_of_one_client(self) -> None:
        """The client is asked about again and every grant it has is revoked; others keep theirs."""
        for client_id in ("notes", "mail"):
            self.remember(client_id)
            for number in range(3):
                run(self.permits.note(approval_of(f"{client_id}-{number}", client_id)))
        run(self.permits.forget(SUB, "notes"))

        self.assertEqual(self.listed(), ["mail"])
        self.assertIsNone(run(self.permits.recall(SUB, "notes")))
        self.assertEqual([self.is_revoked(f"notes-{number}") for number in range(3)], [True] * 3)
        self.assertEqual([self.is_revoked(f"mail-{number}") for number in range(3)], [False] * 3)

    def test_revoked_as_long_as_tokens_live(self) -> None:
        """What was revoked stays so as long as any of its tokens could be shown."""
        run(self.permits.note(approval_of("g-1")))
        self.clock.advance(100)
        run(self.permits.forget(SUB, "notes"))
        self.clock.advance(TOKEN_LIFE - 1)

        self.assertTrue(self.is_revoked("g-1"))

    def test_again(self) -> None:
        """A client that was forgotten may come back, and twice forgotten is forgotten."""
        self.remember()
        run(self.permits.forget(SUB, "notes"))
        run(self.permits.forget(SUB, "notes"))
        self.remember()

        self.assertEqual(self.listed(), ["notes"])

    def test_somebody_elses(self) -> None:
        """Nobody takes back what somebody else has allowed."""
        run(self.permits.note(approval_of("g-1", user=BOB)))
        run(self.permits.forget(SUB, "notes"))

        self.assertFalse(self.is_revoked("g-1"))


class MeetingTests(PermitsCase):
    """Requests that meet."""

    @property
    def slow(self) -> Permits:
        """The same over a wire."""
        return evolve(self.permits, store=WaitingStore(self.store))

    def test_fifty_clients_at_once(self) -> None:
        """All of fifty clients that come at the same moment are on the list."""
        runs = in_turns((), *(self.slow.note(approval_of(f"g-{n}", f"client-{n:02}")) for n in range(50)))

        self.assertEqual([run.fault for run in runs if run.fault], [])
        self.assertEqual(sorted(self.listed()), [f"client-{number:02}" for number in range(50)])

    def test_fifty_grants_at_once(self) -> None:
        """Of fifty grants of one client as many as there is room for are listed; taking back ends all of them."""
        in_turns((), *(self.slow.note(approval_of(f"g-{n}")) for n in range(50)))
        run(self.permits.forget(SUB, "notes"))
        revoked = [number for number in range(50) if self.is_revoked(f"g-{number}")]

        self.assertEqual(len(revoked), MOST_GRANTS)
        self.assertTrue(self.is_taken_back())
        self.assertEqual(self.listed(), [])

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.integers(0, 1), max_size=400))
    def test_nothing_escapes(self, turns: list[int]) -> None:
        """A grant made while the person takes back is revoked, or on the list afterwards; a later one is listed."""
        self.setUp()
        self.remember()
        run(self.permits.note(approval_of("old")))
        in_turns(turns, self.slow.note(approval_of("new")), self.slow.forget(SUB, "notes"))

        self.assertTrue(self.is_revoked("old"))
        self.assertTrue(self.is_revoked("new") or self.listed() == ["notes"])
        run(self.permits.note(approval_of("later")))
        self.assertEqual((self.is_revoked("later"), self.listed()), (False, ["notes"]))

    def test_taken_back_before_it_was_written_down(self) -> None:
        """Who takes back between the two steps of listing a client leaves no client that is thought to be listed."""
        # Each question takes two turns: the grant's place, whether it is listed, its place on the list.
        writer = [0] * (1 + 2 * 5)
        in_turns([*writer, *[1] * 1000], self.slow.note(approval_of("new")), self.slow.forget(SUB, "notes"))
        run(self.permits.note(approval_of("later")))

        self.assertEqual((self.is_revoked("later"), self.listed()), (False, ["notes"]))

    def test_granted_while_taking_back(self) -> None:
        """A grant that is made when all others have just been revoked is revoked as well, or its client is listed."""
        for turns in range(40, 260):
            self.setUp()
            run(self.permits.note(approval_of("old")))
            in_turns([0] * turns + [1] * 20, self.slow.forget(SUB, "notes"), self.slow.note(approval_of("new")))

            self.assertTrue(self.is_revoked("new") or self.listed() == ["notes"], turns)

    @settings(deadline=None, max_examples=20)
    @given(st.lists(st.integers(0, 2), max_size=300))
    def test_a_full_list(self, turns: list[int]) -> None:
        """However new clients meet at a full list, each is on it afterwards, and whoever left has nothing any more."""
        self.setUp()
        for number in range(MOST_CLIENTS):
            run(self.permits.note(approval_of(f"old-{number}", f"old-{number}")))
        in_turns(turns, *(self.slow.note(approval_of(f"new-{n}", f"new-{n}")) for n in range(3)))
        listed = set(self.listed())
        left = [number for number in range(MOST_CLIENTS) if f"old-{number}" not in listed]

        self.assertLessEqual({"new-0", "new-1", "new-2"}, listed)
        self.assertTrue(all(self.is_revoked(f"old-{number}") for number in left))

    def test_an_entry_that_was_left_behind(self) -> None:
        """An old entry of a client may leave the list without anything happening to the client."""
        stale = ListedClient(client_id="notes", since=1, until=2)
        run(self.store.put(f"clients:1:{person_of(SUB)}:1", stale.to_text(), 10**6))
        run(self.permits.note(approval_of("notes")))
        for number in range(MOST_CLIENTS):
            run(self.permits.note(approval_of(f"g-{number}", f"client-{number}")))

        self.assertIn("notes", self.listed())
        self.assertFalse(self.is_revoked("notes"))

    def test_what_another_version_wrote(self) -> None:
        """Entries that can not be read are neither shown nor in the way."""
        for number in range(MOST_CLIENTS):
            run(self.store.put(f"clients:1:{person_of(SUB)}:{number}", "{}", 100))
        for number in range(MOST_GRANTS):
            run(self.store.put(f"grants:1:{pair_of(SUB, 'notes')}:{number}", "{}", 100))
        run(self.permits.note(approval_of("new")))

        self.assertEqual(self.listed(), ["notes"])
