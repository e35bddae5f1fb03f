"""A device and what answers it, without HTTP: on the parts of a provider."""

from attrs import evolve, frozen

from konnectd.flows.device import Attempt, DeviceApproval, DeviceAuthorization, Found
from konnectd.protocol.client import Client
from konnectd.protocol.device import GRANT_TYPE
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.token import TokenResponse
from tests.support.fakes import run
from tests.support.people import ALICE, logon_of
from tests.support.provider import SUPPORTED, Provider
from tests.support.requests import ISSUER, MAIL, form

#: A program on a television, which can keep no secret and be sent nowhere.
TV = Client(client_id="tv", name="Living room TV", grant_types=(GRANT_TYPE,))
#: Another one, of the house, which can keep a secret.
BOX = evolve(MAIL, client_id="box", grant_types=(GRANT_TYPE,))
PLACE = f"{ISSUER}/signin/v1/device"


@frozen
class Codes:
    """What a device was told."""

    device_code: str
    user_code: str


class Devices:
    """Both ends of the sign-in of devices."""

    def __init__(self, provider: Provider) -> None:
        """Build on the parts of a provider."""
        self.provider = provider
        parts = provider
        self.begin = DeviceAuthorization(
            authenticate=parts.authentication,
            store=parts.store,
            sealer=parts.sealer,
            clock=parts.clock,
            entropy=parts.entropy,
            supported=SUPPORTED,
            verification_uri=PLACE,
        )
        self.approval = self.approval_with(SUPPORTED)

    def approval_with(self, supported: frozenset[str]) -> DeviceApproval:
        """Return what decides where just some scopes can be granted."""
        parts = self.provider
        return DeviceApproval(
            clients=parts.registry,
            store=parts.store,
            sealer=parts.sealer,
            clock=parts.clock,
            sessions=parts.sessions,
            supported=supported,
        )

    def logon(self, session_id: str = "session-1", ago: int = 100) -> Logon:
        """Return Alice's logon."""
        return logon_of(ALICE, self.provider.clock.now() - ago, session_id=session_id)

    def start(self, client: Client = TV, scope: str | None = "openid profile", /, **more: str) -> Codes:
        """Let a device begin."""
        secret = client.secret or None
        values = form(client_id=client.client_id, client_secret=secret, scope=scope, **more)
        codes = run(self.begin("", values))
        return Codes(codes.device_code, codes.user_code)

    def enter(self, typed: str, session_id: str = "session-1") -> Attempt:
        """Type a code."""
        return run(self.approval.enter(self.logon(session_id), typed))

    def ticket(self, codes: Codes) -> str:
        """Type a code that is right, and return what leads on."""
        found = self.enter(codes.user_code)
        if not isinstance(found, Found):
            raise TypeError(f"the code was refused: {found}")
        return found.ticket

    def decide(self, codes: Codes, *, allow: bool = True) -> bool:
        """Type a code and decide."""
        return run(self.approval.decide(self.logon(), self.ticket(codes), allow=allow))

    def poll(self, codes: Codes, client: Client = TV, /, **more: str | None) -> TokenResponse:
        """Ask for tokens."""
        values = {"client_id": client.client_id, "client_secret": client.secret or None, "grant_type": GRANT_TYPE}
        return run(self.provider.token("", form(**{**values, "device_code": codes.device_code, **more})))

    def error(self, codes: Codes, client: Client = TV, /, **more: str | None) -> str:
        """Ask for tokens, and return the error there is; empty for none."""
        try:
            self.poll(codes, client, **more)
        except OAuthError as refusal:
            return str(refusal.code)
        return ""
