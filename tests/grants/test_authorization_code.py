"""Codes: each is good once, for its client, and whoever repeats one ends what it gave out."""

from collections.abc import Coroutine
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToClient
from konnectd.grants import authorization_code
from konnectd.interfaces import BackendUnavailableError, GrantTools
from konnectd.jose.sealing import SecretSealer
from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import CODE_TTL, REVOKED, TOKENS_REVOKED, revoked_key
from konnectd.protocol.scope import Scope
from konnectd.protocol.tagged_code import TAG_LENGTH
from konnectd.protocol.token import TokenResponse
from konnectd.protocol.withdrawal import WITHDRAWAL_TTL
from tests.support.fakes import People, claims_of, memory_store, run
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider, redemption, told
from tests.support.requests import CALLBACK, ISSUER, MAIL, NOTES, PAGE, form, sent
from tests.support.steps import WaitingBackend, WaitingStore, in_turns
from tests.support.strategies import TEXT

#: A second client of the house, at the same address.
CHAT = evolve(MAIL, client_id="chat", secret="chat-secret")


class OnceTests(SynchronousTestCase):
    """A code is good once."""

    def setUp(self) -> None:
        """Give out a code."""
        self.provider = Provider(MAIL, CHAT)
        self.code = self.provider.code(scope="openid offline_access")

    def refused(self, **changes: str | None) -> str:
        """Return the error of a request that is refused."""
        with self.assertRaises(OAuthError, msg=str(changes)) as caught:
            self.provider.redeem(self.code, **changes)
        return str(caught.exception.code)

    def uses(self, tokens: TokenResponse) -> tuple[bool, bool]:
        """Tell whether an access token and a refresh token are still good."""
        answers = []
        for attempt in (
            lambda: run(self.provider.userinfo(f"Bearer {tokens.access_token}", None)),
            lambda: self.provider.refresh(tokens.refresh_token),
        ):
            try:
                attempt()
            except OAuthError as error:
                self.assertIn(error.code, {"invalid_token", "invalid_grant"})
                answers.append(False)
            else:
                answers.append(True)
        return answers[0], answers[1]

    def test_good(self) -> None:
        """The right client, address and verifier get tokens that work."""
        self.assertEqual(self.uses(self.provider.redeem(self.code)), (True, True))

    def test_replay(self) -> None:
        """A code that is repeated is refused, and all that it gave out is good no more, refreshed ones included."""
        first = self.provider.redeem(self.code)
        refreshed = self.provider.refresh(first.refresh_token)

        self.assertEqual(self.refused(), "invalid_grant")
        self.assertEqual((self.uses(first), self.uses(refreshed)), ((False, False), (False, False)))

    def test_replay_spares_others(self) -> None:
        """Tokens from another code of the same person and client stay good."""
        other = self.provider.tokens()
        self.provider.redeem(self.code)
        self.refused()

        self.assertEqual(self.uses(other), (True, True))

    def test_replay_lasts(self) -> None:
        """What was revoked stays so as long as it would have lived."""
        first = self.provider.redeem(self.code)
        self.refused()
        self.provider.clock.advance(self.provider.lifetimes.refresh_token - 1)

        self.assertEqual(self.uses(first), (False, False))

    def test_replay_by_another_client(self) -> None:
        """Another client can neither redeem a code nor spend it nor revoke what it gave out."""
        with self.assertRaises(OAuthError) as before:
            self.provider.redeem(self.code, CHAT)
        tokens = self.provider.redeem(self.code)
        with self.assertRaises(OAuthError) as after:
            self.provider.redeem(self.code, CHAT)

        self.assertEqual((before.exception.code, after.exception.code), ("invalid_grant", "invalid_grant"))
        self.assertEqual(self.uses(tokens), (True, True))

    def test_a_failed_attempt_spends_it(self) -> None:
        """Whoever has the code and not the verifier or the address gets no second try."""
        for changes in (
            {"code_verifier": "w" * 43},
            {"code_verifier": None},
            {"code_verifier": "short"},
            {"redirect_uri": CALLBACK + "/"},
            {"redirect_uri": None},
        ):
            self.setUp()

            self.assertIn(self.refused(**changes), {"invalid_grant", "invalid_request"})
            self.assertEqual(self.refused(), "invalid_grant")

    def test_expired(self) -> None:
        """A code is good for two minutes."""
        self.provider.clock.advance(CODE_TTL - 1)
        self.assertTrue(self.provider.redeem(self.provider.code()).access_token)
        self.provider.clock.advance(1)

        self.assertEqual(self.refused(), "invalid_grant")

    def test_person_gone(self) -> None:
        """A code of somebody who is gone by now, or whose id is somebody else's, is worth nothing."""
        for users in ({}, {"alice": evolve(ALICE, subject="another")}):
            self.setUp()
            self.provider.people.users = users

            self.assertEqual(self.refused(), "invalid_grant")

    def test_backend_silent(self) -> None:
        """When the backend does not answer the code is not spent, and the client may try again."""
        self.provider.people.silent = True
        self.assertRaises(BackendUnavailableError, self.provider.redeem, self.code)
        self.provider.people.silent = False

        self.assertEqual(self.uses(self.provider.redeem(self.code)), (True, True))

    def test_missing(self) -> None:
        """Without a code the request is broken."""
        self.code = ""

        self.assertEqual(self.refused(), "invalid_request")

    def test_codes_we_never_made(self) -> None:
        """What we never made, or was changed, is unknown and has no effect."""
        good = self.code
        for code in ("x", "A" * 65, good[:-1], good + "A", good[1:], "B" + good[1:], good[TAG_LENGTH:], "\u20ac" * 65):
            self.code = code
            self.assertEqual(self.refused(), "invalid_grant", code)
        self.code = good

        self.assertEqual(self.uses(self.provider.redeem(good)), (True, True))

    def test_nothing_is_stored_for_guesses(self) -> None:
        """Guessing codes does not fill the store."""
        store = memory_store()
        provider = Provider(store=store)
        for number in range(5):
            with self.assertRaises(OAuthError):
                provider.redeem(f"guess{number}".ljust(65, "A"))

        self.assertEqual(len(store), 0)

    def test_entry_of_another_version(self) -> None:
        """An entry that can not be read is as good as none."""
        provider = Provider(store=memory_store())
        code = provider.code()
        grant = authorization_code.build(tools_of(provider))

        class Other:
            """A store in which another version has written."""

            async def get(self, key: str) -> str | None:
                """Return what nobody can read."""
                return '{"v":2}'

            def __getattr__(self, name: str) -> object:
                """Be the real store otherwise."""
                return getattr(provider.store, name)

        odd = evolve(grant, tools=evolve(grant.tools, store=Other()))  # type: ignore[arg-type]
        with self.assertRaises(OAuthError) as caught:
            run(odd.approve(MAIL, redemption(code)))

        self.assertEqual(caught.exception.code, "invalid_grant")

    @settings(deadline=None)
    @given(TEXT.filter(bool))
    def test_any_code(self, code: str) -> None:
        """Any text for a code is refused as no grant."""
        self.code = code

        self.assertEqual(self.refused(), "invalid_grant")


class TakenBackTests(SynchronousTestCase):
    """A code that was not redeemed yet when access was taken back."""

    def setUp(self) -> None:
        """Give out a code to Mail."""
        self.provider = Provider(MAIL, CHAT)
        self.logon = logon_of(ALICE, self.provider.clock.now())
        self.code = self.provider.code()

    def error(self, code: str, client: Client = MAIL) -> str:
        """Redeem a code and return the error; empty when there is none."""
        try:
            self.provider.redeem(code, client)
        except OAuthError as error:
            return f"{error.code}: {error.description}"
        return ""

    def forget(self, client: Client = MAIL, user: EndUser = ALICE) -> None:
        """Let somebody take back what a client may do."""
        run(self.provider.permits.forget(logon_of(user, 1).sub, client.client_id))

    def test_taken_back(self) -> None:
        """It is worth nothing, and stays so."""
        self.forget()

        self.assertEqual(self.error(self.code), "invalid_grant: the person has taken it back")
        self.assertIn("invalid_grant", self.error(self.code))

    def test_allowed_again(self) -> None:
        """What is allowed afterwards is good, in the same second too, and makes nothing older good again."""
        codes = [self.code]
        for _ in range(3):
            self.forget()
            codes.append(self.provider.code())
        *old, new = codes

        self.assertEqual(self.error(new), "")
        self.assertEqual([self.error(code) for code in old], ["invalid_grant: the person has taken it back"] * 3)

    def test_until_it_would_have_ended(self) -> None:
        """That something was taken back is known until the last second of a code."""
        self.forget()
        self.provider.clock.advance(CODE_TTL - 1)

        self.assertEqual(self.error(self.code), "invalid_grant: the person has taken it back")

    def test_after_the_mark_has_gone(self) -> None:
        """A code from before the end of a mark is good after it, until something is taken back again."""
        self.forget()
        self.provider.clock.advance(WITHDRAWAL_TTL - 1)
        codes = [self.provider.code() for _ in range(2)]
        self.provider.clock.advance(1)
        first = self.error(codes[0])
        self.forget()

        self.assertEqual((first, self.error(codes[1])), ("", "invalid_grant: the person has taken it back"))

    def test_nobody_elses(self) -> None:
        """What another person takes back, or from another client, does not matter."""
        self.forget(CHAT)
        self.forget(MAIL, BOB)

        self.assertEqual(self.error(self.code), "")

    def test_session_ended(self) -> None:
        """Who signs out has taken it back; a code of another session is not meant."""
        browser = self.provider.browser_of(ALICE, session_id="session-2")
        other = told(self.provider.ask(browser, client_id="mail"))["code"]
        run(self.provider.sessions.end(self.logon))

        self.assertEqual(self.error(self.code), "invalid_grant: the person has signed out")
        self.assertEqual(self.error(other), "")

    def test_earlier_session_ended(self) -> None:
        """Who signs out leaves the sessions that were in the browser before, with their codes."""
        later = evolve(self.logon, session_id="session-2")
        run(self.provider.sessions.begin(later, self.logon))
        run(self.provider.sessions.end(later))

        self.assertEqual(self.error(self.code), "invalid_grant: the person has signed out")

    def test_grant_revoked(self) -> None:
        """A grant that is revoked has no code either; one of which single tokens are revoked still has."""
        other = self.provider.code()
        for code, entry in ((self.code, REVOKED), (other, TOKENS_REVOKED)):
            run(self.provider.store.put(revoked_key(self.provider.sealer.tag("grant", code)), entry, 60))

        self.assertEqual(self.error(self.code), "invalid_grant: the person has taken it back")
        self.assertEqual(self.error(other), "")

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.integers(0, 1), max_size=40))
    def test_taken_back_while_it_is_allowed(self, turns: list[int]) -> None:
        """However taking back and an authorization request meet, no code is good that rests on the old consent."""
        provider = Provider(NOTES, store=WaitingStore(memory_store()))
        browser, sub, scope = provider.browser_of(ALICE), self.logon.sub, Scope.parse("openid")
        in_turns((), provider.permits.remember(sub, "notes", scope, scope))
        asked: Coroutine[Any, Any, object] = provider.authorize(sent(scope="openid"), browser)
        answered, _ = in_turns(turns, asked, provider.permits.forget(sub, "notes"))
        if not isinstance(answered.answer, ToClient):
            # The person was asked again.
            return
        code = told(answered.answer)["code"]
        (redeemed,) = in_turns((), provider.token("", redemption(code, NOTES)))

        self.assertIsInstance(redeemed.fault, OAuthError)


def tools_of(provider: Provider) -> GrantTools:
    """Return what a provider's grant types use."""
    return GrantTools(
        issuer=ISSUER,
        backend=provider.backend,
        store=provider.store,
        sealer=provider.sealer,
        signer=provider.signer,
        verifier=provider.signer,
        clock=provider.clock,
        entropy=provider.entropy,
        lifetimes=provider.lifetimes,
    )


class ManyAtOnceTests(SynchronousTestCase):
    """Requests that meet."""

    def prepare(self) -> tuple[Provider, str]:
        """Give out a code and put store and backend behind a wire."""
        first = Provider(sealer=SecretSealer(b"k" * 32))
        code = first.code(scope="openid offline_access")
        people = People(ALICE)
        behind = Provider(store=WaitingStore(first.store), backend=WaitingBackend(people), sealer=first.sealer)
        return behind, code

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.integers(0, 2), max_size=30))
    def test_one_success(self, turns: list[int]) -> None:
        """However three requests for one code meet, one of them at most gets tokens, and these are good no more."""
        provider, code = self.prepare()
        runs = in_turns(turns, *(provider.token("", redemption(code)) for _ in range(3)))
        tokens = [run.answer for run in runs if run.answer is not None]
        faults = [run.fault for run in runs if run.fault is not None]

        self.assertEqual((len(tokens), len(faults)), (1, 2))
        self.assertEqual({getattr(fault, "code", fault) for fault in faults}, {"invalid_grant"})
        token = f"Bearer {tokens[0].access_token}"
        self.assertIsInstance(in_turns((), provider.userinfo(token, None))[0].fault, OAuthError)

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.integers(0, 1), max_size=20))
    def test_thief_without_the_verifier(self, turns: list[int]) -> None:
        """Whoever has the code but not the verifier never gets tokens, whenever they try."""
        provider, code = self.prepare()
        thief = provider.token("", redemption(code, code_verifier="w" * 43))
        runs = in_turns(turns, thief, provider.token("", redemption(code)))

        self.assertIsInstance(runs[0].fault, OAuthError)

    def test_fifty_at_once(self) -> None:
        """Of fifty requests for one code that go step by step together exactly one gets tokens."""
        provider, code = self.prepare()
        runs = in_turns((), *(provider.token("", redemption(code)) for _ in range(50)))

        self.assertEqual(sum(run.answer is not None for run in runs), 1)


class ApprovalTests(SynchronousTestCase):
    """What a redeemed code says."""

    def test_approval(self) -> None:
        """It names the person as they are now, and the logon and the request behind the code."""
        provider = Provider()
        code = provider.code(scope="openid email")
        provider.people.users["alice"] = evolve(ALICE, name="Alice L.")
        grant = authorization_code.build(tools_of(provider))
        approval: Approval = run(grant.approve(MAIL, redemption(code)))

        self.assertEqual((approval.client_id, str(approval.scope), approval.nonce), ("mail", "openid email", "nonce-1"))
        self.assertEqual((approval.user.name, approval.amr, approval.refresh_token), ("Alice L.", ("pwd",), ""))
        self.assertEqual(grant.grant_type, "authorization_code")

    def test_pkce_of_public_clients(self) -> None:
        """A client without a secret has nothing but its verifier to prove that a code is its own."""
        page = evolve(PAGE, trusted=True)
        provider = Provider(page)
        code = provider.code(page)

        with self.assertRaises(OAuthError):
            run(
                provider.token(
                    "", form(client_id="page", grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
                )
            )
        self.assertEqual(claims_of(provider.redeem(provider.code(page), page).access_token)["aud"], "page")
