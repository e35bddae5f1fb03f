"""The registration endpoint under its URL: JSON in, JSON out, and no cookie, so no page of ours has part in it.

Scripts of other origins can not read it: a registration is a server's business.
"""

from attrs import frozen

from konnectd.flows.register import Register
from konnectd.happenings import ClientChanged
from konnectd.http import NO_STORE, HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.jsontext import read_strictly
from konnectd.protocol.asking import asked
from konnectd.protocol.client import Client
from konnectd.protocol.errors import BearerTokenError, OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.errors import as_json
from konnectd.web.forms import query_of
from konnectd.web.route import Route

_JSON = "application/json"


@frozen
class RegisterRoutes:
    """Where clients register themselves and manage that."""

    path: str
    register: Register

    def routes(self) -> tuple[Route, ...]:
        """Return the one route."""
        return (
            Route(
                path=self.path,
                methods=("POST", "GET", "PUT", "DELETE"),
                respond=self.respond,
                face=as_json,
                name="register",
            ),
        )

    async def respond(self, request: HttpRequest) -> HttpResponse:
        """Register a client, or show, change or forget what is registered.

        Spec: OIDC Registration 3 and 4; RFC 7591 3; RFC 7592 2.
        """
        authorization = request.header("authorization")
        if request.method == "POST":
            made = await self.register.create(authorization, _document(request))
            told = ClientChanged(client=made.client_id, change="registered")
            return HttpResponse.json(made.to_json(), status=201).telling(told)
        client_id = query_of(request).get("client_id")
        if client_id is None:
            raise BearerTokenError(ErrorCode.INVALID_REQUEST, "client_id is missing", bare=not authorization)
        try:
            return await self._manage(request, client_id)
        except OAuthError as error:
            error.about(asked(await self._find(client_id), Parameters()))
            raise

    async def _manage(self, request: HttpRequest, client_id: str) -> HttpResponse:
        """Show, change or forget what is registered."""
        register, authorization = self.register, request.header("authorization")
        if request.method == "PUT":
            changed = await register.update(authorization, client_id, _document(request))
            return HttpResponse.json(changed.to_json()).telling(ClientChanged(client=client_id, change="changed"))
        if request.method == "DELETE":
            await register.delete(authorization, client_id)
            removed = HttpResponse(status=204, headers=NO_STORE)
            return removed.telling(ClientChanged(client=client_id, change="removed"))
        return HttpResponse.json((await register.read(authorization, client_id)).to_json())

    async def _find(self, client_id: str) -> Client | None:
        """Return a client to tell of; none when nobody can tell right now."""
        try:
            return await self.register.clients.get(client_id)
        except BackendUnavailableError:
            return None


def _document(request: HttpRequest) -> object:
    """Read the JSON document that was sent.

    Raises:
        OAuthError: it is none.

    Spec: RFC 7591 3.1.
    """
    if request.media_type != _JSON:
        raise OAuthError(ErrorCode.INVALID_CLIENT_METADATA, f"the body must be {_JSON}")
    try:
        return read_strictly(request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise OAuthError(ErrorCode.INVALID_CLIENT_METADATA, "the body is not a JSON document") from None
