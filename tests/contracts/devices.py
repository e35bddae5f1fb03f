"""What the sign-in of devices must do on every store, however many ask at the same time."""

from konnectd.flows.device import DeviceApproval, Found, user_code_key
from konnectd.flows.sessions import Sessions
from konnectd.grants.device_code import DeviceCodeGrant
from konnectd.interfaces import Store
from konnectd.protocol.device import DENIED, DEVICE_TTL, DeviceRequest, answer_key, handle_of, request_key
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.scope import Scope
from konnectd.protocol.tagged_code import DEVICE_CODE, make_code
from tests.contracts.permits import PermitsContract
from tests.support.devices import TV
from tests.support.fakes import CountingEntropy, ReadableSealer, Registry
from tests.support.people import ALICE, logon_of
from tests.support.requests import form


class DeviceContract(PermitsContract):
    """The part of a store's contract that is about devices; `tests.contracts.stores` has the rest."""

    def allowed(self) -> str:
        """Return a device code that Alice has allowed."""
        code = make_code("s" * 43, TV.client_id, DEVICE_CODE, ReadableSealer().tag)
        now, scope = self.clock.now(), Scope.parse("openid")
        asked = DeviceRequest(handle=handle_of(code), client_id="tv", scope=scope, expires_at=now + DEVICE_TTL)
        logon = logon_of(ALICE, now)
        grant = AuthorizationGrant(grant_id="g", client_id="tv", redirect_uri="", scope=scope, logon=logon)
        self.answer(self.store.put(request_key(asked.handle), asked.to_text(), DEVICE_TTL))
        self.answer(self.store.put(answer_key(asked.handle), grant.to_text(), DEVICE_TTL))
        return code

    async def redeemed(self, store: Store, code: str) -> str:
        """Return who a device gets tokens for, or the error that there is instead."""
        try:
            approval = await DeviceCodeGrant(self.tools(store)).approve(TV, form(device_code=code))
        except OAuthError as error:
            return str(error.code)
        return approval.user.user_id

    def approval_on(self, store: Store) -> DeviceApproval:
        """Return what decides, on one of the stores."""
        sealer = ReadableSealer()
        return DeviceApproval(
            clients=Registry(TV),
            store=store,
            sealer=sealer,
            clock=self.clock,
            sessions=Sessions(store=store, sealer=sealer, entropy=CountingEntropy(), memory=DEVICE_TTL),
            supported=frozenset({"openid"}),
        )

    def test_many_decisions(self) -> None:
        """Of many decisions about one device at the same time the first counts, and it stays."""
        logon, scope = logon_of(ALICE, self.clock.now()), Scope.parse("openid")
        expires_at = self.clock.now() + DEVICE_TTL
        asked = DeviceRequest(handle="h-many", client_id="tv", scope=scope, expires_at=expires_at)
        self.answer(self.store.put(user_code_key(ReadableSealer(), "BCDFGHJK"), asked.to_text(), DEVICE_TTL))
        found = self.answer(self.approval_on(self.store).enter(logon, "BCDF-GHJK"))
        ticket = found.ticket if isinstance(found, Found) else ""
        crowd = enumerate(self.crowd())
        decided = self.together(
            [self.approval_on(store).decide(logon, ticket, allow=number % 2 == 0) for number, store in crowd]
        )
        allowed = self.answer(self.store.get(answer_key(asked.handle))) != DENIED

        self.assertEqual(sum(decided), 1)
        self.assertEqual(allowed, decided.index(True) % 2 == 0)

    def test_many_pollers(self) -> None:
        """Of many who show one allowed device code at the same time one gets tokens (security history, row 22)."""
        code = self.allowed()
        answers = self.together([self.redeemed(store, code) for store in self.crowd()])

        self.assertEqual(sorted(answers), ["alice"] + ["invalid_grant"] * (len(answers) - 1))
        self.assertGreaterEqual(len(answers), 50)
