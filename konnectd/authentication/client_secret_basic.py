"""A client's secret in the ``Authorization`` header. Spec: RFC 6749 2.3.1; OIDC Core 9."""

from attrs import frozen

from konnectd.interfaces import AuthenticationTools
from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import Credentials, check_secret, find_basic
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import AuthMethod


def build(_tools: AuthenticationTools) -> "ClientSecretBasic":
    """Make the method."""
    return ClientSecretBasic()


@frozen
class ClientSecretBasic:
    """The secret in the header."""

    method: AuthMethod = AuthMethod.BASIC

    def find(self, authorization: str, parameters: Parameters) -> Credentials | None:
        """Return what the header says; None when there is none.

        Raises:
            InvalidClientError: it can not be read.
        """
        return find_basic(authorization, parameters)

    async def check(self, client: Client, credentials: Credentials) -> None:
        """Check the secret.

        Raises:
            InvalidClientError: it is not the client's.
        """
        check_secret(credentials, client)
