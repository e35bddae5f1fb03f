"""Leaving: end the session here, after asking where asking is due, and find the way back."""

from typing import TypeAlias

from attrs import field, frozen

from konnectd.flows.browser import Browser, CookieChange
from konnectd.flows.sign_in import SignIn
from konnectd.interfaces import ClientRegistry, Verifier
from konnectd.protocol.claims import Hint, check_hint
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.endsession import EndSessionRequest
from konnectd.protocol.errors import OAuthError, UntrustedRequestError
from konnectd.protocol.parameters import Parameters


@frozen
class Confirm:
    """The person has to say that they want to leave."""

    logon: Logon
    client: Client | None


@frozen
class Left:
    """Nobody is signed in any more.

    Attributes:
        location: where the browser goes; empty for our own page.
    """

    location: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()


Answer: TypeAlias = Confirm | Left


@frozen(kw_only=True)
class EndSession:
    """The end-session endpoint."""

    issuer: str
    clients: ClientRegistry
    sign_in: SignIn
    verifier: Verifier

    async def __call__(self, parameters: Parameters, browser: Browser, *, confirmed: bool = False) -> Answer:
        """Answer a request to leave.

        Args:
            confirmed: the person has said so on our own page.

        Raises:
            UntrustedRequestError: hint, client or way back are not good.
            BackendUnavailableError: the registry did not answer.

        Spec: OIDC RP-Initiated Logout 2 and 3.
        """
        request = await self.read(parameters)
        logon = self.sign_in.find(browser)
        if logon is None:
            return Left(request.location)
        if not confirmed and request.must_confirm(logon):
            return Confirm(logon, request.client)
        return Left(request.location, (self.sign_in.end(),))

    async def read(self, parameters: Parameters) -> EndSessionRequest:
        """Check who asks, and where they want the browser to go.

        Raises:
            UntrustedRequestError: hint, client or way back are not good.
            BackendUnavailableError: the registry did not answer.
        """
        hint = self._hint(parameters)
        client_id = hint.client_id if hint is not None else parameters.get("client_id")
        client = await self.clients.get(client_id) if client_id is not None else None
        return EndSessionRequest.verify(client, hint, parameters)

    def _hint(self, parameters: Parameters) -> Hint | None:
        """Verify ``id_token_hint``, if there is one.

        Raises:
            UntrustedRequestError: it is not ours.
        """
        text = parameters.get("id_token_hint")
        if text is None:
            return None
        try:
            return check_hint(self.verifier.verify(text), self.issuer)
        except OAuthError as error:
            raise UntrustedRequestError(error.code, error.description) from None
