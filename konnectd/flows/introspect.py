"""The introspection endpoint: a server asks what a token that it was shown is worth."""

from collections.abc import Mapping

from attrs import frozen

from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.people import find_person
from konnectd.flows.revocations import Revocations
from konnectd.interfaces import Backend, Clock, Store, Verifier
from konnectd.protocol.claims import Presented
from konnectd.protocol.end_user import EndUser, public_subject
from konnectd.protocol.errors import InvalidClientError, OAuthError
from konnectd.protocol.introspection import INACTIVE, Shown, TokenKind, active, find_shown, may_look
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.refresh import family_key, is_spent
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.protocol.withdrawal import is_taken_back, withdrawal_key


@frozen(kw_only=True)
class Introspect:
    """The introspection endpoint."""

    issuer: str
    authenticate: ClientAuthentication
    verifier: Verifier
    clock: Clock
    store: Store
    backend: Backend
    revocations: Revocations

    async def __call__(self, authorization: str, parameters: Parameters) -> Mapping[str, object]:
        """Return what the client may know about a token.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            parameters: the posted form.

        Raises:
            OAuthError: the client is not itself, can keep no secret, or sent no token.
            BackendUnavailableError: nobody knows whether the token is alive.

        Spec: RFC 7662 2.
        """
        client = await self.authenticate(authorization, parameters)
        if client.public:
            # Whoever asks without proof could try tokens until one is good. Spec: RFC 7662 2.1 and 4.
            raise InvalidClientError("this client can not prove that it is itself")
        token = parameters.get("token")
        if token is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "token is missing")
        shown = find_shown(self.verifier.verify(token), self.issuer, self.clock.now())
        if shown is None or not may_look(client, shown) or await self._is_over(shown):
            return INACTIVE
        if shown.kind is TokenKind.CLIENT:
            return active(shown, "")
        user = await self._find_user(shown.presented)
        if user is None:
            return INACTIVE
        # Whom a pairwise subject stands for is for nobody to learn. Spec: OIDC Core 8.1.
        return active(shown, "" if shown.presented.concealed else user.username)

    async def _is_over(self, shown: Shown) -> bool:
        """Tell whether a token was revoked, spent by a refresh, or ended with its session."""
        if await self.revocations.is_revoked(shown.presented):
            return True
        if shown.kind is not TokenKind.REFRESH:
            return False
        presented = shown.presented
        ended, mark, first_unspent = await self.store.get_each(
            ended_session_key(presented.session_id),
            withdrawal_key(presented.account, presented.client_id),
            family_key(presented.family),
        )
        return ended is not None or is_taken_back(presented.withdrawal, mark) or is_spent(presented, first_unspent)

    async def _find_user(self, presented: Presented) -> EndUser | None:
        """Return the person behind a token if they are still there."""
        user = await find_person(self.backend, presented)
        if user is None or public_subject(user.subject, presented.provider) != presented.account:
            return None
        return user
