"""A relying party built on Authlib, as its integrations for web frameworks are, but for no framework.

All that OAuth and OpenID Connect ask of a client is Authlib's own code and joserfc's: requests, PKCE, client
authentication, the checks of ID tokens. Here is only what holds it together.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen
from authlib.integrations.base_client import BaseApp, FrameworkIntegration, OAuth2Mixin, OAuthError, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

SCOPE = "openid profile email groups offline_access"
_NAME = "konnectd"
_TIMEOUT = 20


class _Framework(FrameworkIntegration):  # type: ignore[misc]  # Authlib carries no types
    """Keeps what belongs to a sign-in that has begun in a session."""

    def update_token(self, token: object, **which: object) -> None:
        """Let renewed tokens be: whoever has asked for them gets them back."""


class _App(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc]  # Authlib carries no types
    """What Authlib makes a client for a framework of."""

    client_cls = OAuth2Session


@frozen(kw_only=True)
class SignedIn:
    """What a client has after somebody signed in.

    Attributes:
        tokens: the token response.
        claims: of the ID token, which Authlib has checked.
    """

    tokens: dict[str, Any] = field(repr=False)
    claims: dict[str, Any]

    @property
    def access_token(self) -> str:
        """The access token."""
        return str(self.tokens["access_token"])


class RelyingParty:
    """A client of one provider, with one person at a time."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        redirect_uri: str,
        secret: str = "",
        method: str = "",
        scope: str = SCOPE,
        proof: object = None,
    ) -> None:
        """Prepare; the provider is asked for its metadata when they are needed first.

        Args:
            issuer: of the provider.
            client_id: as registered.
            redirect_uri: as registered.
            secret: empty for a public client.
            method: how the secret is sent; as Authlib likes it if empty.
            scope: what is asked for.
            proof: what signs who the client is, for methods that do; the secret is then the key.
        """
        self.issuer = issuer
        self.redirect_uri = redirect_uri
        self._session: dict[str, Any] = {}
        self._states = _Framework(_NAME)
        ways = {"token_endpoint_auth_method": method} if method else {}
        proofs = {"client_auth_methods": [proof]} if proof is not None else {}
        self._app = _App(
            self._states,
            _NAME,
            client_id=client_id,
            client_secret=secret or None,
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": scope, "code_challenge_method": "S256", "default_timeout": _TIMEOUT, **ways},
            **proofs,
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """What the provider says about itself."""
        return dict(self._app.load_server_metadata())

    def begin(self, **parameters: str) -> str:
        """Return where a browser is sent to sign in."""
        begun = self._app.create_authorization_url(self.redirect_uri, **parameters)
        self._states.set_state_data(self._session, begun["state"], {"redirect_uri": self.redirect_uri, **begun})
        return str(begun["url"])

    def finish(self, address: str, **replaced: str) -> SignedIn:
        """Take the address a browser came back to, get tokens for its code, and check them.

        Args:
            address: with everything the provider has added.
            replaced: parameters of the token request that are not what they should be.

        Raises:
            OAuthError: the provider refused.
            joserfc.errors.JoseError: the ID token is not what it has to be.
        """
        answer = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if not address.startswith(self.redirect_uri) or answer.get("iss") != self.issuer:
            raise AssertionError(f"this is not the provider's answer: {address}")
        if "error" in answer:
            raise OAuthError(error=answer["error"], description=answer.get("error_description"))
        kept = self._states.get_state_data(self._session, answer["state"])
        parameters = self._app._format_state_params(kept, {"code": answer["code"]})  # noqa: SLF001 - as integrations do
        tokens = dict(self._app.fetch_access_token(**{**parameters, **replaced}))
        return SignedIn(tokens=tokens, claims=self.check(tokens, nonce=kept["nonce"]))

    def check(self, tokens: dict[str, Any], nonce: str = "") -> dict[str, Any]:
        """Check an ID token and return its claims.

        Raises:
            joserfc.errors.JoseError: it is not what it has to be.
        """
        return dict(self._app.parse_id_token(tokens, nonce))

    def verify(self, text: str, method: str) -> dict[str, Any]:
        """Check the signature of anything the provider has signed, and return its claims.

        Raises:
            joserfc.errors.JoseError: it is not one of the provider's, or by another method.
        """
        keys = KeySet.import_key_set(self._app.fetch_jwk_set())
        return dict(jwt.decode(text, keys, algorithms=[method]).claims)

    def user(self, signed_in: SignedIn) -> dict[str, Any]:
        """Ask who somebody is.

        Raises:
            requests.HTTPError: the provider refused.
        """
        return dict(self._app.userinfo(token=signed_in.tokens))

    def user_answer(self, signed_in: SignedIn) -> Any:  # noqa: ANN401 - a class of requests, which is not ours to import
        """Ask who somebody is, and return the answer as it came."""
        return self._app.get(self.metadata["userinfo_endpoint"], token=signed_in.tokens)

    def refresh(self, signed_in: SignedIn, **parameters: str) -> dict[str, Any]:
        """Get new tokens.

        Raises:
            OAuthError: the provider refused.
            requests.HTTPError: it can not answer at the moment.
        """
        with self._app._get_oauth_client(**self.metadata) as session:  # noqa: SLF001 - as integrations do
            session.token = signed_in.tokens
            return dict(session.refresh_token(**parameters))

    def sign_out_url(self, signed_in: SignedIn, back: str) -> str:
        """Return where a browser is sent to sign out."""
        hint = signed_in.tokens["id_token"]
        return str(self._app.create_logout_url(post_logout_redirect_uri=back, id_token_hint=hint)["url"])


__all__ = ["SCOPE", "OAuthError", "RelyingParty", "SignedIn"]
