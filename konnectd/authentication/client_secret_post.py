"""A client's secret in the body. Spec: RFC 6749 2.3.1; OIDC Core 9."""

from attrs import frozen

from konnectd.interfaces import AuthenticationTools
from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import Credentials, check_secret, find_post
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import AuthMethod


def build(_tools: AuthenticationTools) -> "ClientSecretPost":
    """Make the method."""
    return ClientSecretPost()


@frozen
class ClientSecretPost:
    """The secret in the body."""

    method: AuthMethod = AuthMethod.POST

    def find(self, _authorization: str, parameters: Parameters) -> Credentials | None:
        """Return what the body says; None when there is no secret in it."""
        return find_post(parameters)

    async def check(self, client: Client, credentials: Credentials) -> None:
        """Check the secret.

        Raises:
            InvalidClientError: it is not the client's.
        """
        check_secret(credentials, client)
