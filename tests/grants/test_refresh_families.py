"""Families of refresh tokens: one successor for each, whatever races happen, and an end when one comes back."""

from collections.abc import Sequence

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.userinfo import Plain
from konnectd.grants import refresh_token
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import REVOKED, TOKENS_REVOKED, revoked_key
from konnectd.protocol.refresh import REMEMBERED
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.token import TokenResponse
from konnectd.protocol.withdrawal import withdrawal_key
from konnectd.stores.memory import MemoryStore
from tests.grants.test_authorization_code import tools_of
from tests.support.fakes import CountingEntropy, FixedClock, SilentStore, claims_of, run
from tests.support.people import ALICE
from tests.support.provider import SUPPORTED, Provider
from tests.support.requests import MAIL, form
from tests.support.steps import Run, WaitingBackend, WaitingStore, in_turns

FILES = "https://files.example.com/"
CLIENT = evolve(MAIL, resources=(FILES,))
OFFLINE = "openid offline_access"


class FamilyCase(SynchronousTestCase):
    """A provider that has given out a first refresh token."""

    def setUp(self) -> None:
        """Give it out."""
        self.begin(Provider(CLIENT))

    def begin(self, provider: Provider) -> None:
        """Begin with another provider."""
        self.provider = provider
        self.first = provider.tokens(OFFLINE, CLIENT)
        self.token = self.first.refresh_token

    def refresh(self, token: str, **more: str | None) -> TokenResponse:
        """Use a refresh token."""
        return self.provider.refresh(token, CLIENT, **more)

    def answer(self, token: str, **more: str | None) -> str:
        """Return the next refresh token, or the error of a refresh that is refused."""
        try:
            return self.refresh(token, **more).refresh_token
        except OAuthError as error:
            return str(error.code)


class RotationTests(FamilyCase):
    """Each refresh spends a token. Spec: RFC 9700 4.14.2."""

    def test_rotation(self) -> None:
        """Each refresh gives another token of the same family, which is good in turn and ends with the first."""
        tokens = [self.token]
        for _ in range(5):
            self.provider.clock.advance(1000)
            tokens.append(self.refresh(tokens[-1]).refresh_token)
        told = [claims_of(token) for token in tokens]

        self.assertEqual(len({claims["jti"] for claims in told}), 6)
        self.assertEqual([claims.get("kc.generation", 0) for claims in told], [0, 1, 2, 3, 4, 5])
        self.assertEqual({(claims["kc.ref"], claims["exp"]) for claims in told}, {(told[0]["kc.ref"], told[0]["exp"])})

    def test_reuse(self) -> None:
        """A token that comes back ends its whole family: all refresh tokens, and the access tokens that are out."""
        second = self.refresh(self.token)
        self.provider.clock.advance(11)

        self.assertEqual(self.answer(self.token), "invalid_grant")
        self.assertEqual(self.answer(second.refresh_token), "invalid_grant")
        for tokens in (self.first, second):
            with self.assertRaises(OAuthError):
                run(self.provider.userinfo(f"Bearer {tokens.access_token}", None))

    def test_reuse_ends_one_family_only(self) -> None:
        """Another sign-in of the same person at the same client goes on."""
        other = self.provider.tokens(OFFLINE, CLIENT).refresh_token
        self.refresh(self.token)
        self.provider.clock.advance(11)

        self.assertEqual(self.answer(self.token), "invalid_grant")
        self.assertNotEqual(self.answer(other), "invalid_grant")

    def test_reuse_after_long(self) -> None:
        """A token is spent for as long as it would have lived, not only while its own entry lasts."""
        second = self.refresh(self.token).refresh_token
        self.provider.clock.advance(REMEMBERED + 1)
        third = self.refresh(second).refresh_token
        self.provider.clock.advance(REMEMBERED + 1)

        self.assertEqual(self.answer(self.token), "invalid_grant")
        self.assertEqual(self.answer(third), "invalid_grant")

    def test_many_refreshes_need_little_room(self) -> None:
        """A family takes no more room after hundreds of days than after one."""
        clock = FixedClock()
        store = MemoryStore(clock)
        self.begin(Provider(CLIENT, store=store))
        token = self.token
        for _ in range(300):
            token = self.refresh(token).refresh_token
            self.provider.clock.advance(REMEMBERED)
            clock.advance(REMEMBERED)

        self.assertLess(len(store), 20)

    def test_end_by_code_reuse(self) -> None:
        """What a code's second use revokes includes what refreshing has made since."""
        code = self.provider.code(CLIENT, scope=OFFLINE)
        token = self.refresh(self.provider.redeem(code, CLIENT).refresh_token).refresh_token
        with self.assertRaises(OAuthError):
            self.provider.redeem(code, CLIENT)

        self.assertEqual(self.answer(token), "invalid_grant")


class GraceTests(FamilyCase):
    """Answers get lost, and laptops ask twice."""

    def test_same_successor(self) -> None:
        """Within the grace a spent token gives the very same successor, which is then good once."""
        answers = [self.answer(self.token)]
        self.provider.clock.advance(9)
        answers.append(self.answer(self.token))

        self.assertEqual(len(set(answers)), 1)
        self.assertNotEqual(self.answer(answers[0]), "invalid_grant")

    def test_same_successor_for_less(self) -> None:
        """What was asked for the first time does not matter for the second."""
        narrow = self.refresh(self.token, scope="openid")
        wide = self.refresh(self.token)

        self.assertEqual(narrow.refresh_token, wide.refresh_token)
        self.assertEqual((str(narrow.scope), str(wide.scope)), ("openid", OFFLINE))

    def test_even_when_the_successor_is_spent(self) -> None:
        """A request that was slow on its way gets what it would have got, and does no harm."""
        second = self.answer(self.token)
        third = self.answer(second)

        self.assertEqual(self.answer(self.token), second)
        self.assertEqual(self.answer(second), third)

    def test_after_the_grace(self) -> None:
        """At the end of the grace a spent token has come back."""
        second = self.answer(self.token)
        self.provider.clock.advance(10)

        self.assertEqual([self.answer(self.token), self.answer(second)], ["invalid_grant"] * 2)

    def test_no_grace(self) -> None:
        """Without a grace the second use ends everything at once."""
        self.begin(Provider(CLIENT, grace=0))
        second = self.answer(self.token)

        self.assertEqual([self.answer(self.token), self.answer(second)], ["invalid_grant"] * 2)

    def test_checks_in_the_grace(self) -> None:
        """Whoever has lost their right meanwhile gets nothing in the grace either."""
        self.answer(self.token)
        self.provider.people.users = {}

        self.assertEqual(self.answer(self.token), "invalid_grant")

    def test_store_has_no_token(self) -> None:
        """Whoever reads the store finds no refresh token there that could be used."""
        second = self.answer(self.token)
        kept = run(self.provider.store.get(f"spent:0:{claims_of(self.token)['kc.ref']}"))

        self.assertIsNotNone(kept)
        self.assertNotIn(second, str(kept))


class Row8Tests(FamilyCase):
    """Security history, row 8: refreshing raced, asked no proof of the client, and skipped the checks of a sign-in."""

    def test_row_8_disabled(self) -> None:
        """Who may not sign in any more gets nothing, and the token is not spent by trying."""
        self.provider.people.users = {}
        self.assertEqual(self.answer(self.token), "invalid_grant")
        self.provider.people.users = {"alice": ALICE}

        self.assertNotEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_somebody_else(self) -> None:
        """Whose id is somebody else's now gets nothing."""
        self.provider.people.users = {"alice": evolve(ALICE, subject="another")}

        self.assertEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_groups(self) -> None:
        """What is told of a person is what is true now."""
        token = self.provider.tokens("openid groups offline_access", CLIENT).refresh_token
        self.provider.people.users["alice"] = evolve(ALICE, groups=())
        access = self.refresh(token).access_token

        answer = run(self.provider.userinfo(f"Bearer {access}", None))

        self.assertEqual(isinstance(answer, Plain) and answer.claims.get("groups", ()), ())

    def test_row_8_consent_revoked(self) -> None:
        """What a person has taken back is gone."""
        run(self.provider.store.put(revoked_key(claims_of(self.token)["kc.ref"]), REVOKED, 60))

        self.assertEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_taken_back(self) -> None:
        """What was allowed before the person took it back is dead, listed or not; what was allowed later is not."""
        claims = claims_of(self.token)
        key = withdrawal_key(str(claims["sub"]), str(claims["aud"]))
        later = run(self.provider.signer.sign({**claims, "kc.ref": "later", "kc.withdrawal": "mark-1"}))
        run(self.provider.store.put(key, "mark-1", 60))

        self.assertEqual(self.answer(self.token), "invalid_grant")
        next_one = self.answer(later)
        self.assertNotEqual(next_one, "invalid_grant")
        self.assertNotEqual(self.answer(next_one), "invalid_grant")
        run(self.provider.store.put(key, "mark-2", 60))
        self.assertEqual(self.answer(later), "invalid_grant")

    def test_row_8_signed_out(self) -> None:
        """What began in a session ends with it, and only that."""
        other = self.provider.tokens(OFFLINE, CLIENT).refresh_token
        identity = claims_of(other)["kc.identity"]
        run(self.provider.store.put(ended_session_key(identity["kc.i.session"]), "1", 60))
        elsewhere = claims_of(other) | {"kc.identity": {**identity, "kc.i.session": "session-2"}}
        signed = run(self.provider.signer.sign(elsewhere))

        self.assertEqual(self.answer(self.token), "invalid_grant")
        self.assertNotEqual(self.answer(signed), "invalid_grant")

    def test_row_8_wrong_client(self) -> None:
        """Another client, and the right one without its secret, get nothing and spend nothing."""
        chat = evolve(MAIL, client_id="chat", secret="chat-secret")
        self.provider.registry.clients["chat"] = chat
        for client in (chat, evolve(CLIENT, secret="wrong"), evolve(CLIENT, secret="")):
            with self.assertRaises(OAuthError):
                self.provider.refresh(self.token, client)
        self.provider.clock.advance(60)

        self.assertNotEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_client_gone(self) -> None:
        """A client that is not registered any more gets nothing."""
        del self.provider.registry.clients["mail"]

        self.assertEqual(self.answer(self.token), "invalid_client")

    def test_row_8_scope(self) -> None:
        """Scope can not grow, at once or step by step, and asking for more spends nothing."""
        less = self.refresh(self.token, scope="openid").refresh_token
        for token in (self.token, less):
            self.assertEqual(self.answer(token, scope="openid email"), "invalid_scope")

        self.assertEqual(str(self.refresh(less).scope), OFFLINE)

    def test_row_8_policy(self) -> None:
        """What can not be granted any more is not renewed."""
        tools = evolve(tools_of(self.provider), scopes=SUPPORTED - {"profile"})
        token = self.provider.tokens("openid profile offline_access", CLIENT).refresh_token
        approval = run(refresh_token.build(tools).approve(CLIENT, form(refresh_token=token)))
        without = refresh_token.build(evolve(tools, scopes=SUPPORTED - {"offline_access"}))

        self.assertEqual(str(approval.scope), OFFLINE)
        with self.assertRaises(OAuthError) as caught:
            run(without.approve(CLIENT, form(refresh_token=self.token)))
        self.assertEqual(caught.exception.code, "invalid_grant")

    def test_row_8_resources(self) -> None:
        """A server that was taken from the client gets no more tokens."""
        code = self.provider.code(CLIENT, scope=OFFLINE, resource=FILES)
        token = self.provider.redeem(code, CLIENT).refresh_token
        access = self.refresh(token)
        self.provider.registry.clients["mail"] = evolve(CLIENT, resources=())

        self.assertEqual(claims_of(access.access_token)["aud"], FILES)
        self.assertEqual(self.answer(access.refresh_token), "invalid_target")

    def test_single_access_token_revoked(self) -> None:
        """That an access token was revoked does not end the family."""
        run(self.provider.store.put(revoked_key(claims_of(self.token)["kc.ref"]), TOKENS_REVOKED, 60))

        self.assertNotEqual(self.answer(self.token), "invalid_grant")


class RaceTests(SynchronousTestCase):
    """Refreshes that meet. Security history, row 8."""

    def prepare(self, grace: int = 10) -> tuple[Provider, str]:
        """Give out a refresh token and put store and backend behind a wire."""
        first = Provider(CLIENT)
        token = first.tokens(OFFLINE, CLIENT).refresh_token
        behind = Provider(CLIENT, store=WaitingStore(first.store), backend=WaitingBackend(first.people), grace=grace)
        # What is made here must differ from what was made there.
        behind.entropy.count = 1000
        return behind, token

    def refreshes(self, provider: Provider, token: str, turns: Sequence[int], count: int) -> list[Run[TokenResponse]]:
        """Use one token several times in some order of turns."""
        values = {"client_id": "mail", "client_secret": MAIL.secret, "grant_type": "refresh_token"}
        return in_turns(turns, *(provider.token("", form(**values, refresh_token=token)) for _ in range(count)))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.integers(0, 2), max_size=60))
    def test_one_successor(self, turns: list[int]) -> None:
        """However three refreshes with one token meet, all get the same successor, and it is good."""
        provider, token = self.prepare()
        answers = [run.answer for run in self.refreshes(provider, token, turns, 3)]
        (successor,) = {answer.refresh_token for answer in answers if answer is not None}
        again = self.refreshes(provider, successor, (), 1)[0]

        self.assertNotIn(None, answers)
        self.assertIsNotNone(again.answer)

    def test_row_8_fifty_at_once(self) -> None:
        """Fifty refreshes with one token that go step by step together leave one successor and a living family."""
        provider, token = self.prepare()
        answers = [run.answer for run in self.refreshes(provider, token, (), 50)]
        successors = {answer.refresh_token for answer in answers if answer is not None}

        self.assertEqual((len(answers), len(successors)), (50, 1))
        self.assertIsNotNone(self.refreshes(provider, successors.pop(), (), 1)[0].answer)

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.integers(0, 2), max_size=60))
    def test_without_grace(self, turns: list[int]) -> None:
        """Without a grace one of several gets tokens at most, and these are good no more."""
        provider, token = self.prepare(grace=0)
        answers = [run.answer for run in self.refreshes(provider, token, turns, 3) if run.answer is not None]

        self.assertLessEqual(len(answers), 1)
        for answer in answers:
            self.assertIsInstance(self.refreshes(provider, answer.refresh_token, (), 1)[0].fault, OAuthError)

    def test_silent_store(self) -> None:
        """When the store does not answer nobody is told that the token is bad."""
        provider, token = self.prepare()
        silent = evolve(tools_of(provider), store=SilentStore(), entropy=CountingEntropy())

        with self.assertRaises(BackendUnavailableError):
            run(refresh_token.build(silent).approve(CLIENT, form(refresh_token=token)))
