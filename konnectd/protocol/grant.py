"""What a code stands for: everything the token endpoint has to know, as plain values that any store can keep."""

from hashlib import sha256
from typing import Self

from attrs import field, frozen

from konnectd.jsontext import read, texts, write_text
from konnectd.protocol.authorize import AuthorizationRequest
from konnectd.protocol.claims_request import NO_CLAIMS, ClaimsRequest
from konnectd.protocol.end_user import Logon
from konnectd.protocol.scope import Scope

#: How long a code can be redeemed, in seconds. Spec: RFC 6749 4.1.2 (ten minutes at most).
CODE_TTL = 120


@frozen(kw_only=True)
class AuthorizationGrant:
    """A person's permission for a client.

    Attributes:
        grant_id: names the grant in every token that comes from it, so that all of them can be revoked at once.
        redirect_uri: where the code was sent; the client must repeat it.
        code_challenge: empty when the client sent none.
        claims: what was allowed claim by claim.
        resources: the servers its access tokens are for; empty for the client itself.
        withdrawal: the mark it was made under, as `konnectd.protocol.withdrawal` has it; empty for none.
    """

    grant_id: str
    client_id: str
    redirect_uri: str
    scope: Scope
    nonce: str = field(default="", repr=False)
    code_challenge: str = field(default="", repr=False)
    resources: tuple[str, ...] = ()
    logon: Logon
    claims: ClaimsRequest = NO_CLAIMS
    withdrawal: str = ""

    @classmethod
    def of(cls, request: AuthorizationRequest, logon: Logon, scope: Scope, grant_id: str, withdrawal: str = "") -> Self:
        """Make the grant that a request, a person and a decision add up to.

        Args:
            request: what was asked for.
            logon: who allowed it.
            scope: what was allowed, scopes of claims that were asked for one by one included.
            grant_id: names it.
            withdrawal: the mark it is made under.
        """
        claims = NO_CLAIMS
        if request.claims is not NO_CLAIMS:
            scope, claims = scope.keep(request.scope), request.claims.within(scope)
        return cls(
            grant_id=grant_id,
            client_id=request.client.client_id,
            redirect_uri=request.return_address.redirect_uri,
            scope=scope,
            nonce=request.nonce,
            code_challenge=request.code_challenge,
            resources=request.resources,
            logon=logon,
            claims=claims,
            withdrawal=withdrawal,
        )

    def to_text(self) -> str:
        """Write it for a store."""
        return write_text(
            {
                "v": 1,
                "id": self.grant_id,
                "client": self.client_id,
                "uri": self.redirect_uri,
                "scope": str(self.scope),
                "nonce": self.nonce,
                "pkce": self.code_challenge,
                "resources": list(self.resources),
                "logon": self.logon.to_json(),
                "claims": self.claims.to_json(),
                "mark": self.withdrawal,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read what `to_text` wrote; what another version wrote is no grant."""
        try:
            value = read(text)
        except ValueError:
            return None
        if not isinstance(value, dict) or value.get("v") != 1:
            return None
        found = texts(value, "id", "client", "uri", "scope", "nonce", "pkce", "mark")
        resources, sealed, claims = value.get("resources"), value.get("logon"), value.get("claims")
        logon = Logon.from_json(sealed) if isinstance(sealed, dict) else None
        if found is None or logon is None or not isinstance(resources, list) or not isinstance(claims, dict):
            return None
        # A pattern would say the same, in twelve times the time.
        grant_id, client_id, redirect_uri, scope, nonce, code_challenge, withdrawal = found
        return cls(
            grant_id=grant_id,
            client_id=client_id,
            redirect_uri=redirect_uri,
            scope=Scope.of(scope.split()),
            nonce=nonce,
            code_challenge=code_challenge,
            resources=tuple(str(resource) for resource in resources),
            logon=logon,
            claims=ClaimsRequest.from_json(claims),
            withdrawal=withdrawal,
        )


def code_key(code: str) -> str:
    """Name the entry of a code in a store, where nobody who reads the store finds the code itself."""
    return f"code:{sha256(code.encode()).hexdigest()}"


#: What stands in the entry of a grant that is revoked with all its tokens.
REVOKED = "1"
#: What stands there when single access tokens of it are revoked, each with an entry of its own. So nobody has to look
#: for these who shows a token of a grant that nobody has ever revoked anything of.
TOKENS_REVOKED = "tokens"


def revoked_key(grant_id: str) -> str:
    """Name the entry that says a grant and all its tokens are revoked, or some of them."""
    return f"revoked:{grant_id}"


def revoked_token_key(jti: str) -> str:
    """Name the entry that says one access token is revoked."""
    return f"revoked-token:{jti}"


def used_consent_key(consent_id: str) -> str:
    """Name the entry that says a decision of the consent page has been used."""
    return f"consent:{consent_id}"
