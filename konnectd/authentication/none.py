"""No proof at all: a client that can keep no secret; PKCE binds its codes to it. Spec: OIDC Core 9; RFC 6749 2.1."""

from attrs import frozen

from konnectd.interfaces import AuthenticationTools
from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import Credentials
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import AuthMethod


def build(_tools: AuthenticationTools) -> "NoProof":
    """Make the method."""
    return NoProof()


@frozen
class NoProof:
    """Only a name; what is left when nothing else was sent."""

    method: AuthMethod = AuthMethod.NONE

    def find(self, _authorization: str, _parameters: Parameters) -> Credentials | None:
        """Return None: a name alone is no proof, and each of the others comes with one too."""
        return None

    async def check(self, _client: Client, _credentials: Credentials) -> None:
        """Accept: the registration says that there is nothing to check."""
