"""What the sign-in of devices must do on every store, however many ask at the same time."""

from konnectd.grants.device_code import DeviceCodeGrant
from konnectd.interfaces import Store
from konnectd.protocol.device import DEVICE_TTL, DeviceRequest, answer_key, handle_of, request_key
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.scope import Scope
from konnectd.protocol.tagged_code import DEVICE_CODE, make_code
from tests.contracts.permits import PermitsContract
from tests.support.devices import TV
from tests.support.fakes import ReadableSealer
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

    def test_many_pollers(self) -> None:
        """Of many who show one allowed device code at the same time one gets tokens (security history, row 22)."""
        code = self.allowed()
        answers = self.together([self.redeemed(store, code) for store in self.crowd()])

        self.assertEqual(sorted(answers), ["alice"] + ["invalid_grant"] * (len(answers) - 1))
        self.assertGreaterEqual(len(answers), 50)
