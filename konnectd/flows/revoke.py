"""The revocation endpoint: a client says that it needs a token no more."""

from attrs import frozen

from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.revocations import Revocations
from konnectd.interfaces import Clock, Verifier
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.introspection import TokenKind, find_shown
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode


@frozen(kw_only=True)
class Revoke:
    """The revocation endpoint."""

    issuer: str
    authenticate: ClientAuthentication
    verifier: Verifier
    clock: Clock
    revocations: Revocations

    async def __call__(self, authorization: str, parameters: Parameters) -> str | None:
        """Revoke a token: a refresh token with its whole family, an access token alone.

        A token that is over, or was none of ours, needs nothing. What could not be noted is not revoked, and is not
        said to be.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            parameters: the posted form.

        Returns:
            the id of the client; None when there was nothing to revoke.

        Raises:
            OAuthError: the client is not itself, sent no token, or the token is another client's.
            BackendUnavailableError: the token may still be good.

        Spec: RFC 7009 2.1 and 2.2.
        """
        client = await self.authenticate(authorization, parameters)
        token = parameters.get("token")
        if token is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "token is missing")
        shown = find_shown(self.verifier.verify(token), self.issuer, self.clock.now())
        if shown is None:
            return None
        if shown.presented.client_id != client.client_id:
            raise OAuthError(ErrorCode.INVALID_GRANT, "the token was issued to another client")
        if shown.kind is TokenKind.REFRESH:
            await self.revocations.revoke_family(shown.presented)
        else:
            await self.revocations.revoke_token(shown.presented)
        return client.client_id
