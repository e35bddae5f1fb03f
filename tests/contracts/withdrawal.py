"""What taking back must do on every store to codes that nobody has redeemed yet."""

from konnectd.flows.sessions import Sessions
from konnectd.grants.authorization_code import AuthorizationCodeGrant
from konnectd.interfaces import Store
from konnectd.protocol.device import answer_key, handle_of
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import CODE_TTL, AuthorizationGrant, code_key
from konnectd.protocol.scope import Scope
from konnectd.protocol.tagged_code import CODE, CODE_BYTES, make_code
from konnectd.protocol.withdrawal import withdrawal_key
from tests.contracts.devices import DeviceContract
from tests.contracts.token_life import ENTROPY
from tests.support.fakes import ReadableSealer
from tests.support.people import ALICE, logon_of
from tests.support.provider import redemption
from tests.support.requests import MAIL, request_of


class WithdrawalContract(DeviceContract):
    """The part of a store's contract that is about codes and taking back; `tests.contracts.stores` has the rest."""

    def code(self, session_id: str = "session-1") -> str:
        """Give out a code to Mail, as the authorization endpoint does."""
        code = make_code(ENTROPY.token(CODE_BYTES), MAIL.client_id, CODE, ReadableSealer().tag)
        logon = logon_of(ALICE, self.clock.now(), session_id=session_id)
        mark = self.answer(self.store.get(withdrawal_key(logon.sub, MAIL.client_id))) or ""
        grant = AuthorizationGrant.of(request_of(MAIL), logon, Scope.parse("openid"), code, mark)
        self.answer(self.store.put(code_key(code), grant.to_text(), CODE_TTL))
        return code

    async def tried(self, store: Store, code: str) -> str:
        """Return who a client gets tokens for, or the error that there is instead."""
        try:
            approval = await AuthorizationCodeGrant(self.tools(store)).approve(MAIL, redemption(code))
        except OAuthError as error:
            return str(error.code)
        return approval.user.user_id

    def forget(self, client_id: str, store: Store) -> None:
        """Let Alice take back what a client may do."""
        self.answer(self.permits(store).forget(logon_of(ALICE, self.clock.now()).sub, client_id))

    def test_codes_after_taking_back(self) -> None:
        """What one process is told to take back no other one redeems; what is allowed afterwards each does."""
        for store in self.sharers():
            old = [self.code() for _ in self.sharers()]
            self.forget(MAIL.client_id, store)
            new = [self.code() for _ in self.sharers()]
            for codes, wanted in ((old, "invalid_grant"), (new, "alice")):
                tried = [self.answer(self.tried(at, code)) for at, code in zip(self.sharers(), codes, strict=True)]

                self.assertEqual(tried, [wanted] * len(codes))

    def test_codes_after_signing_out(self) -> None:
        """A session that one process ends has no codes at any other one; another session of the person keeps its."""
        for number, store in enumerate(self.sharers()):
            ended, other = f"ended-{number}", f"other-{number}"
            codes = [self.code(session_id) for session_id in (ended, other)]
            sessions = Sessions(store=store, sealer=ReadableSealer(), entropy=ENTROPY, memory=600)
            self.answer(sessions.end(logon_of(ALICE, self.clock.now(), session_id=ended)))

            self.assertEqual([self.answer(self.tried(self.store, code)) for code in codes], ["invalid_grant", "alice"])

    def test_device_codes_after_taking_back(self) -> None:
        """The same is true of a device that somebody has allowed."""
        code = self.allowed()
        self.assertIsNotNone(self.answer(self.store.get(answer_key(handle_of(code)))))
        self.forget("tv", self.store)

        self.assertEqual(self.answer(self.redeemed(self.sharers()[-1], code)), "invalid_grant")

    def test_redeemed_while_it_is_taken_back(self) -> None:
        """Of many that are redeemed while they are taken back each is or is not; of those that come later none is."""
        stores = self.crowd()
        early, late = ([self.code() for _ in stores] for _ in range(2))

        async def taken_back(store: Store) -> str:
            await self.permits(store).forget(logon_of(ALICE, self.clock.now()).sub, MAIL.client_id)
            return ""

        tries = [self.tried(store, code) for store, code in zip(stores, early, strict=True)]
        half = len(tries) // 2
        found = self.together([*tries[:half], *(taken_back(store) for store in self.sharers()), *tries[half:]])
        after = self.together([self.tried(store, code) for store, code in zip(stores, late, strict=True)])

        self.assertLessEqual(set(found), {"alice", "invalid_grant", ""})
        self.assertEqual(after, ["invalid_grant"] * len(late))
