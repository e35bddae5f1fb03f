"""A relying party built on idpyoidc, the successor of pyoidc from the same hands, used as it is meant to be.

All that OAuth and OpenID Connect ask of a client is the library's own code and cryptojwt's; here is only what holds it
together.
"""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen
from idpyoidc.client.rp_handler import RPHandler

SCOPE = ("openid", "profile", "email", "offline_access")
_TIMEOUT = 20
#: It complains in its log about media types that it then reads all the same.
logging.getLogger("idpyoidc").addHandler(logging.NullHandler())
_PKCE = {
    "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
}


@frozen(kw_only=True)
class SignedIn:
    """What a client has after somebody signed in.

    Attributes:
        state: by which the library knows it again.
        claims: of the ID token, which the library has checked.
        user: what userinfo tells.
    """

    state: str
    access_token: str = field(repr=False)
    claims: Mapping[str, Any]
    user: Mapping[str, Any]


class RelyingParty:
    """A client of one provider."""

    def __init__(
        self, issuer: str, client_id: str, secret: str, redirect_uri: str, response_type: str, alg: str
    ) -> None:
        """Prepare; the provider is asked for its metadata when they are needed first.

        Args:
            issuer: of the provider.
            client_id: as registered.
            secret: sent by the basic scheme.
            redirect_uri: as registered.
            response_type: what is asked for.
            alg: what ID tokens have to be signed by.
        """
        self._issuer = issuer
        self._response_type = response_type
        configuration = {
            "client_type": "oidc",
            "client_id": client_id,
            "client_secret": secret,
            "issuer": issuer,
            "provider_info": {"issuer": issuer},
            "redirect_uris": [redirect_uri],
            "client_authn_methods": ["client_secret_basic"],
            "preference": {
                "response_types_supported": [response_type],
                "scopes_supported": list(SCOPE),
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "id_token_signing_alg_values_supported": [alg],
            },
            "add_ons": {"pkce": _PKCE},
        }
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(redirect_uri))
        self._library = RPHandler(
            base_url=origin, client_configs={issuer: configuration}, httpc_params={"timeout": _TIMEOUT}
        )

    def begin(self, *scope: str) -> str:
        """Return where a browser is sent to sign in."""
        wanted = {"scope": list(scope or SCOPE), "response_type": self._response_type}
        return str(self._library.begin(self._issuer, req_args=wanted))

    def finish(self, address: str) -> SignedIn:
        """Take the address a browser came back to, get tokens and claims, and check them."""
        parts = urlsplit(address)
        answer = {name: values[0] for name, values in parse_qs(parts.fragment or parts.query).items()}
        found = self._library.finalize(self._issuer, answer)
        if "error" in found:
            raise AssertionError(f"refused: {found['error']}")
        return SignedIn(
            state=found["state"],
            access_token=found["token"],
            claims=found["id_token"].to_dict(),
            user=found["userinfo"].to_dict(),
        )

    def refresh(self, signed_in: SignedIn) -> str:
        """Get a new access token."""
        return str(self._library.refresh_access_token(signed_in.state)["access_token"])

    def user(self, signed_in: SignedIn, access_token: str) -> Mapping[str, Any]:
        """Ask who somebody is."""
        found: Mapping[str, Any] = self._library.get_user_info(signed_in.state, access_token=access_token).to_dict()
        return found
