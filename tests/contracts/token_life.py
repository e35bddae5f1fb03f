"""What refreshing and revoking must do on every store, however many ask at the same time."""

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from konnectd.flows.revocations import Revocations
from konnectd.grants.authorization_code import AuthorizationCodeGrant
from konnectd.grants.refresh_token import RefreshTokenGrant
from konnectd.interfaces import GrantTools, Store
from konnectd.protocol import claims
from konnectd.protocol.claims import Approval, Presented
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import CODE_TTL, AuthorizationGrant, code_key
from konnectd.protocol.scope import Scope
from konnectd.protocol.tagged_code import CODE, make_code
from konnectd.protocol.token import Lifetimes
from tests.support.fakes import CountingEntropy, FixedClock, People, ReadableSealer, ReadableSigner, run
from tests.support.people import ALICE, logon_of
from tests.support.requests import CALLBACK, ISSUER, MAIL, form

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object

Answer = TypeVar("Answer")

LIVES = Lifetimes()
#: One for all, so that no two of those who ask make the same token.
ENTROPY = CountingEntropy()
SCOPE = Scope.parse("openid offline_access")


class TokenLifeContract(Base):
    """The part of a store's contract that is about refresh tokens; `tests.contracts.stores` has the rest."""

    clock: FixedClock
    store: Store

    def together(self, coroutines: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
        """Drive coroutines that all begin before anything is waited for, and return their answers."""
        raise NotImplementedError

    def answer(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Drive a coroutine and return its answer."""
        raise NotImplementedError

    def sharers(self) -> Sequence[Store]:
        """Return several stores that share what they know, as those of several processes do."""
        raise NotImplementedError

    def crowd(self) -> Sequence[Store]:
        """Return a store for each of many who ask at the same time."""
        raise NotImplementedError

    def tools(self, store: Store, grace: int = 10) -> GrantTools:
        """Return what refreshing uses, on one of the stores."""
        signer = ReadableSigner()
        return GrantTools(
            issuer=ISSUER,
            backend=People(ALICE),
            store=store,
            sealer=ReadableSealer(),
            signer=signer,
            verifier=signer,
            clock=self.clock,
            entropy=ENTROPY,
            lifetimes=LIVES,
            refresh_token_grace=grace,
        )

    def approval(self) -> Approval:
        """Return what somebody has granted."""
        logon = logon_of(ALICE, self.clock.now())
        return Approval(
            issuer=ISSUER,
            grant_id="g-1",
            client_id=MAIL.client_id,
            scope=SCOPE,
            user=ALICE,
            provider=logon.provider,
            sub=logon.sub,
        )

    def token(self) -> str:
        """Return a first refresh token."""
        return run(ReadableSigner().sign(claims.refresh_token(self.approval(), "first", self.clock.now(), LIVES)))

    async def refreshed(self, store: Store, token: str, grace: int = 10) -> str:
        """Return the successor of a refresh token, or the error that there is instead."""
        grant = RefreshTokenGrant(self.tools(store, grace))
        try:
            approval = await grant.approve(MAIL, form(refresh_token=token))
        except OAuthError as error:
            return str(error.code)
        return approval.refresh_token

    def issued_code(self) -> str:
        """Return a code that has been given out."""
        secret, logon = "c" * 43, logon_of(ALICE, self.clock.now())
        code = make_code(secret, MAIL.client_id, CODE, ReadableSealer().tag)
        grant = AuthorizationGrant(
            grant_id="g-code", client_id=MAIL.client_id, redirect_uri=CALLBACK, scope=SCOPE, logon=logon
        )
        self.answer(self.store.put(code_key(code), grant.to_text(), CODE_TTL))
        return code

    async def redeemed_code(self, store: Store, code: str) -> str:
        """Return who a client gets tokens for, or the error that there is instead."""
        grant = AuthorizationCodeGrant(self.tools(store))
        try:
            approval = await grant.approve(MAIL, form(code=code, redirect_uri=CALLBACK))
        except OAuthError as error:
            return str(error.code)
        return approval.user.user_id

    def access(self, number: int) -> Presented:
        """Return an access token that has been shown."""
        content = claims.access_token(self.approval(), f"access-{number}", self.clock.now(), LIVES)
        return claims.check_access_token(content, ISSUER, self.clock.now())

    def revocations(self, store: Store) -> Revocations:
        """Return what revokes on one of the stores."""
        return Revocations(store=store, clock=self.clock, lifetimes=LIVES)

    def test_many_redemptions(self) -> None:
        """Of many who redeem one code at the same time one gets tokens (security history, row 6)."""
        code = self.issued_code()
        answers = self.together([self.redeemed_code(store, code) for store in self.crowd()])

        self.assertEqual(sorted(answers), ["alice"] + ["invalid_grant"] * (len(answers) - 1))
        self.assertGreaterEqual(len(answers), 50)

    def test_many_refreshes(self) -> None:
        """Many who use one refresh token at the same time all get the same one successor, and it is good."""
        token = self.token()
        successors = set(self.together([self.refreshed(store, token) for store in self.crowd()]))
        (successor,) = successors

        self.assertNotIn(successor, {token, "invalid_grant"})
        self.assertNotEqual(self.answer(self.refreshed(self.store, successor)), "invalid_grant")

    def test_many_refreshes_without_grace(self) -> None:
        """Without a grace one of many gets a successor, and since the others may be thieves it is good for nothing."""
        token = self.token()
        answers = self.together([self.refreshed(store, token, grace=0) for store in self.crowd()])
        successors = [answer for answer in answers if answer != "invalid_grant"]

        self.assertEqual(len(successors), 1)
        self.assertEqual(self.answer(self.refreshed(self.store, successors[0])), "invalid_grant")

    def test_many_revocations(self) -> None:
        """Whatever many revoke at the same time is revoked for all, each token and all else of its grant."""
        stores, tokens = self.crowd(), [self.access(number) for number in range(50)]
        self.together(
            [self.revocations(store).revoke_token(token) for store, token in zip(stores, tokens, strict=True)]
        )
        dead = [self.answer(self.revocations(self.sharers()[-1]).is_revoked(token)) for token in tokens]
        other = self.answer(self.revocations(self.store).is_revoked(self.access(50)))

        self.assertEqual((dead, other), ([True] * 50, False))

    def test_many_revocations_of_all(self) -> None:
        """A grant that is revoked stays so, while many revoke single tokens of it."""
        family = self.access(0)
        revoke = [self.revocations(self.store).revoke_family(family)]
        more = [self.revocations(store).revoke_token(self.access(n)) for n, store in enumerate(self.crowd())]
        self.together([*more[:25], *revoke, *more[25:]])

        self.assertTrue(self.answer(self.revocations(self.sharers()[-1]).is_revoked(self.access(1000))))
        self.assertEqual(self.answer(self.refreshed(self.store, self.token())), "invalid_grant")
