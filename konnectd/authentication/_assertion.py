"""What the two kinds of signed proofs have in common: in which order one is checked."""

from attrs import frozen

from konnectd.interfaces import AuthenticationTools
from konnectd.protocol.client import Client
from konnectd.protocol.client_assertion import allowed_algorithms, check_assertion, find_assertion
from konnectd.protocol.client_authentication import Credentials
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import AuthMethod


@frozen
class AssertionMethod:
    """A JWT that the client signed, which works once."""

    tools: AuthenticationTools
    method: AuthMethod

    def find(self, _authorization: str, parameters: Parameters) -> Credentials | None:
        """Return the assertion in the body; None when there is none of this kind.

        Raises:
            InvalidClientError: it can not be read.
        """
        return find_assertion(parameters, self.method)

    async def check(self, client: Client, credentials: Credentials) -> None:
        """Check signature, then content, then whether it was used before.

        Only what the client has signed is remembered, so nobody else can use up its ids.

        Raises:
            InvalidClientError: it is not signed by the client, not for us, not good now, or was used before.
            BackendUnavailableError: the client's keys can not be fetched, or the store did not answer.

        Spec: RFC 7523 3; OIDC Core 9.
        """
        tools = self.tools
        algorithms = allowed_algorithms(client, self.method)
        claims = await tools.keys.verify(client, credentials.assertion, algorithms)
        spent = check_assertion(claims, client, tools.audiences, tools.clock.now())
        if not await tools.store.add(spent.place, "spent", spent.seconds):
            raise InvalidClientError("client_assertion was used before")
