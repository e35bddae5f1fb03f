"""A client's own credentials for an access token of its own. Spec: RFC 6749 4.4."""

from attrs import frozen

from konnectd.interfaces import GrantTools
from konnectd.protocol import client_grant
from konnectd.protocol.client import Client
from konnectd.protocol.client_grant import ClientApproval
from konnectd.protocol.parameters import Parameters


def build(tools: GrantTools) -> "ClientCredentialsGrant":
    """Make the grant type."""
    return ClientCredentialsGrant(tools)


@frozen
class ClientCredentialsGrant:
    """Lets a client act for itself, where no person is."""

    tools: GrantTools
    grant_type: str = client_grant.GRANT_TYPE

    async def approve(self, client: Client, parameters: Parameters) -> ClientApproval:
        """Say what a client gets for itself.

        Raises:
            OAuthError: it may not have that.
        """
        return client_grant.approve(self.tools.issuer, client, parameters)
