"""Endpoints about tokens that are out: revocation, introspection, and the metadata under the path of OAuth.

Spec: RFC 7009; RFC 7662; RFC 8414 3.
"""

from urllib.parse import urlsplit

from attrs import frozen

from konnectd.flows.introspect import Introspect
from konnectd.flows.revoke import Revoke
from konnectd.happenings import TokenRevoked
from konnectd.http import NO_STORE, HttpRequest, HttpResponse
from konnectd.paths import Paths
from konnectd.protocol.errors import OAuthError
from konnectd.web.errors import as_json
from konnectd.web.forms import form_of
from konnectd.web.route import Cors, Respond, Route


@frozen(kw_only=True)
class TokenRoutes:
    """The endpoints that clients and servers know.

    Attributes:
        metadata: what discovery answers.
    """

    issuer: str
    paths: Paths
    revoke: Revoke
    introspect: Introspect
    metadata: Respond

    def routes(self) -> tuple[Route, ...]:
        """Return all routes; only introspection is for servers alone, whose secret no script may have."""
        any_origin, post = Cors.ANY_ORIGIN, ("POST",)
        known = [
            Route(path=path, methods=("GET",), respond=self.metadata, face=as_json, name=name, cors=any_origin)
            for name, path in self._metadata_paths().items()
        ]
        paths, revoke, introspect = self.paths, self.on_revoke, self.on_introspect
        return (
            *known,
            Route(path=paths.revoke, methods=post, respond=revoke, face=as_json, name="revoke", cors=any_origin),
            Route(path=paths.introspect, methods=post, respond=introspect, face=as_json, name="introspect"),
        )

    def _metadata_paths(self) -> dict[str, str]:
        """Return where clients look, by the name of the route: an issuer with a path has that at the end.

        Spec: RFC 8414 3.1.
        """
        found = {"oauth-metadata": self.paths.oauth_metadata}
        of_issuer = urlsplit(self.issuer).path.rstrip("/")
        if of_issuer:
            found["oauth-metadata-of-issuer"] = self.paths.oauth_metadata + of_issuer
        return found

    async def on_revoke(self, request: HttpRequest) -> HttpResponse:
        """Answer a revocation request. Spec: RFC 7009 2.2 (nothing is said but that it is done)."""
        authorization, form = request.header("authorization"), form_of(request)
        try:
            client_id = await self.revoke(authorization, form)
        except OAuthError as error:
            error.about(await self.revoke.authenticate.trail(authorization, form))
            raise
        told = () if client_id is None else (TokenRevoked(client=client_id),)
        return HttpResponse(headers=NO_STORE, happened=told)

    async def on_introspect(self, request: HttpRequest) -> HttpResponse:
        """Answer an introspection request."""
        authorization, form = request.header("authorization"), form_of(request)
        try:
            return HttpResponse.json(await self.introspect(authorization, form))
        except OAuthError as error:
            error.about(await self.introspect.authenticate.trail(authorization, form))
            raise
