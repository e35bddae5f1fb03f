"""Who asks: the client behind a request to the token endpoint or to any other that only clients may use.

Spec: RFC 6749 2.3 and 3.2.1; OIDC Core 9.
"""

from collections.abc import Mapping

from attrs import frozen

from konnectd.interfaces import AuthenticationMethod, BackendUnavailableError, ClientRegistry
from konnectd.protocol.asking import asked
from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import Credentials, check_registered, find_none
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trail import Trail
from konnectd.protocol.vocabulary import AuthMethod


@frozen(kw_only=True)
class ClientAuthentication:
    """Finds the client of a request and lets it prove that it is itself.

    Attributes:
        methods: the methods that are on.
    """

    clients: ClientRegistry
    methods: Mapping[AuthMethod, AuthenticationMethod]

    async def __call__(self, authorization: str, parameters: Parameters) -> Client:
        """Return the client of a request.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            parameters: the posted form.

        Raises:
            InvalidClientError: no proof, more than one, a wrong one, or one the client is not registered for.
            BackendUnavailableError: something behind us did not answer.
        """
        credentials = self._find(authorization, parameters)
        client = check_registered(credentials, await self.clients.get(credentials.client_id))
        await self.methods[credentials.method].check(client, credentials)
        return client

    async def trail(self, authorization: str, parameters: Parameters) -> Trail:
        """Return what may be told of a request; of one in the name of nobody we know, nothing. Never raises."""
        try:
            client = await self.clients.get(self._find(authorization, parameters).client_id)
        except (InvalidClientError, BackendUnavailableError):
            return Trail()
        return asked(client, parameters)

    def _find(self, authorization: str, parameters: Parameters) -> Credentials:
        """Return the one proof in a request. Spec: RFC 6749 2.3 (one method a request)."""
        tried = (method.find(authorization, parameters) for method in self.methods.values())
        found = [credentials for credentials in tried if credentials is not None]
        if len(found) > 1:
            raise InvalidClientError("credentials were sent in more than one way")
        credentials = found[0] if found else find_none(parameters)
        if credentials is None:
            raise InvalidClientError("no client credentials were sent")
        if credentials.method not in self.methods:
            raise InvalidClientError(f"{credentials.method} is not supported")
        return credentials
