"""Dynamic registration: from what a client says about itself to what is registered, and what it is told.

What is registered is in the client's id: ``dyn.`` and a JWT of ours. Nothing has to be kept for a stranger who comes
by, and ids that Konnect gave out are read like our own. The JWT has a kind of its own, so that no other token of ours
is ever taken for a client, nor this one for anything else: it names no issuer and no audience.

The form of single members is `konnectd.protocol.client_metadata`.

Spec: OIDC Registration 2 and 3; RFC 7591 2 and 3; RFC 7592 2 and 3; RFC 8725 3.11.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Self

from attrs import field, frozen

from konnectd.protocol.client_metadata import BY_NAME, MEMBERS, Offer
from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.registered_uri import (
    implicit_uri_problem,
    private_scheme_problem,
    redirect_uri_problem,
    sector_of,
)
from konnectd.protocol.session import web_origin
from konnectd.protocol.vocabulary import ApplicationType, AuthMethod, ErrorCode

#: What the id of every client begins with that registered itself.
PREFIX = "dyn."
#: Longest client id, in characters: it stands in addresses, headers and, twice, in what a client signs.
LONGEST_CLIENT_ID = 4096
#: The same for a client that sends it in a header, coded once more and with its secret.
LONGEST_HEADER_CLIENT_ID = 2900
#: Longest registration that is kept because it was changed, in characters: it is kept for years, and at no cost to
#: whoever changes it.
LONGEST_CHANGE = 2 * LONGEST_CLIENT_ID

_KIND = "kc.isClientRegistration"
_TOKEN_KIND = "kc.isRegistrationToken"  # noqa: S105 - the name of a claim
_SECRET_EXPIRES_AT = "kc.secretExpiresAt"  # noqa: S105 - the name of a claim
_SECRET_NAME = "kc.secretName"  # noqa: S105 - the name of a claim
_SEALED_SECRET = "kc.sealedSecret"  # noqa: S105 - the name of a claim
#: Members that Konnect writes shorter.
_SHORT = {"client_name": "name", "client_uri": "uri"}
_FULL = {short: name for name, short in _SHORT.items()}
#: What an id of Konnect's may hold besides members; all other tokens hold more. Spec: RFC 8725 3.12.
_KONNECTS = frozenset({"sub", "iat", "exp", *_FULL, *BY_NAME} - _SHORT.keys())
#: What a client does not have to say.
DEFAULTS: Mapping[str, object] = {
    "response_types": ["code"],
    "grant_types": ["authorization_code"],
    "application_type": "web",
    "subject_type": "public",
    "token_endpoint_auth_method": "client_secret_basic",
}
_DEFAULT_SIGNING = "RS256"
_DEFAULT_ENCRYPTION = "A128CBC-HS256"
#: Members about how the key of something encrypted is wrapped, and the ways that take the secret for it.
_WRAPPED = ("id_token_encrypted_response_alg", "userinfo_encrypted_response_alg")
_SYMMETRIC = frozenset({"A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir"})
#: What only we may say about a client. Spec: RFC 7592 2.2.
OURS = frozenset(
    {"client_secret_expires_at", "client_id_issued_at", "registration_access_token", "registration_client_uri"}
)


@frozen
class Metadata:
    """Client metadata that has been checked, with what is left to us filled in.

    Attributes:
        members: by name, in the order of an answer.
    """

    members: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return a member that is text; empty when it is not there."""
        value = self.members.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a member that is a list; empty when it is not there."""
        value = self.members.get(name)
        return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()

    @property
    def auth_method(self) -> str:
        """How the client proves who it is."""
        return self.text("token_endpoint_auth_method")

    @property
    def needs_secret(self) -> bool:
        """Whether it is given a secret."""
        return self.auth_method not in {AuthMethod.NONE, AuthMethod.PRIVATE_KEY_JWT}

    @property
    def keeps_secret(self) -> bool:
        """Whether we must be able to read its secret: what is signed or encrypted with one needs it at both ends."""
        return self.needs_secret and (self.auth_method == AuthMethod.SECRET_JWT or bool(self.by_secret))

    @property
    def by_secret(self) -> str:
        """The first member that asks for something that is done with a secret; empty for none."""
        signing = self.text("request_object_signing_alg").startswith("HS")
        wrapped = [name for name in _WRAPPED if self.text(name) in _SYMMETRIC]
        return "request_object_signing_alg" if signing else next(iter(wrapped), "")

    @classmethod
    def parse(cls, value: object, offer: Offer) -> Self:
        """Read what a client says about itself.

        Raises:
            OAuthError: ``invalid_client_metadata`` or ``invalid_redirect_uri``.

        Spec: OIDC Registration 2 and 3.3; RFC 7591 2, 3.1 and 3.2.2 (null stands for nothing).
        """
        if not isinstance(value, dict):
            raise _invalid("client metadata must be a JSON object")
        given: dict[str, object] = {}
        for member in MEMBERS:
            if value.get(member.name) is None:
                continue
            try:
                given[member.name] = member.read(value[member.name], offer)
            except ValueError as error:
                raise _wrong(member.name, str(error)) from None
        metadata = cls(_complete(given, offer))
        for check in (_check_redirect_uris, _check_logout, _check_grants, _check_keys, _check_secret, _check_sector):
            check(metadata, offer)
        return metadata


def _complete(given: Mapping[str, object], offer: Offer) -> dict[str, object]:
    """Fill in what a client did not say. Spec: OIDC Registration 2."""
    members = {**DEFAULTS, **given}
    if "grant_types" not in given:
        members["grant_types"] = _needed_grants(Metadata(members).texts("response_types"))
    signing = _DEFAULT_SIGNING if _DEFAULT_SIGNING in offer.signing else offer.signing[0]
    members.setdefault("id_token_signed_response_alg", signing)
    for name in _WRAPPED:
        if name in members and offer.content_encryption:
            default = _DEFAULT_ENCRYPTION if _DEFAULT_ENCRYPTION in offer.content_encryption else ""
            members.setdefault(f"{name[:-3]}enc", default or offer.content_encryption[0])
    return {member.name: members[member.name] for member in MEMBERS if member.name in members}


def _needed_grants(response_types: tuple[str, ...]) -> list[str]:
    """Return the grant types that response types go with. Spec: OIDC Registration 2 (``grant_types``)."""
    words = [name.split() for name in response_types]
    grants = ["authorization_code"] if any("code" in parts for parts in words) else []
    return grants + (["implicit"] if any(parts != ["code"] for parts in words) else [])


def _check_redirect_uris(metadata: Metadata, offer: Offer) -> None:
    """Check where answers go."""
    uris = metadata.texts("redirect_uris")
    if not uris:
        raise _wrong("redirect_uris", "is required")
    kind = ApplicationType(metadata.text("application_type"))
    for uri in uris:
        problem = redirect_uri_problem(uri, kind, http=offer.http) or private_scheme_problem(uri)
        if not problem and "implicit" in metadata.texts("grant_types") and not offer.http:
            problem = implicit_uri_problem(uri, kind)
        if problem:
            raise _wrong("redirect_uris", f"one of them {problem}")


def _check_logout(metadata: Metadata, offer: Offer) -> None:
    """Check where people go after signing out, and where clients are told. Spec: OIDC Front-Channel Logout 2."""
    kind = ApplicationType(metadata.text("application_type"))
    for uri in metadata.texts("post_logout_redirect_uris"):
        problem = redirect_uri_problem(uri, kind, http=offer.http) or private_scheme_problem(uri)
        if problem:
            raise _wrong("post_logout_redirect_uris", f"one of them {problem}")
    frame = metadata.text("frontchannel_logout_uri")
    if frame and web_origin(frame) not in {web_origin(uri) for uri in metadata.texts("redirect_uris")}:
        raise _wrong("frontchannel_logout_uri", "must be at the scheme, host and port of one of redirect_uris")


def _check_grants(metadata: Metadata, _offer: Offer) -> None:
    """Check that what a client asks for goes together. Spec: RFC 7591 2.1; OIDC Registration 2."""
    granted = set(metadata.texts("grant_types"))
    missing = [one for one in _needed_grants(metadata.texts("response_types")) if one not in granted]
    if missing:
        raise _wrong("grant_types", f"lacks {', '.join(missing)}, which response_types need")


def _check_keys(metadata: Metadata, _offer: Offer) -> None:
    """Check that keys are there where they are needed, and in one place. Spec: OIDC Registration 2 (``jwks``)."""
    places = [name for name in ("jwks", "jwks_uri") if name in metadata.members]
    if len(places) > 1:
        raise _wrong("jwks", "does not go together with jwks_uri")
    wrapped = [name for name in _WRAPPED if metadata.text(name)]
    asymmetric = [name for name in wrapped if metadata.text(name) not in _SYMMETRIC]
    if metadata.auth_method == AuthMethod.PRIVATE_KEY_JWT and not places:
        raise _wrong("token_endpoint_auth_method", "private_key_jwt needs jwks or jwks_uri")
    if asymmetric and not places:
        raise _wrong(asymmetric[0], "needs jwks or jwks_uri")
    for name in _WRAPPED:
        if name not in wrapped and f"{name[:-3]}enc" in metadata.members:
            raise _wrong(f"{name[:-3]}enc", f"needs {name}")


def _check_secret(metadata: Metadata, _offer: Offer) -> None:
    """Check that what is done with a secret is asked for by a client that has one, and by the method that does it."""
    if metadata.by_secret and not metadata.needs_secret:
        raise _wrong(metadata.by_secret, "needs a secret, which token_endpoint_auth_method gives it none of")
    signing = metadata.text("token_endpoint_auth_signing_alg")
    by_secret, by_key = AuthMethod.SECRET_JWT, AuthMethod.PRIVATE_KEY_JWT
    if signing and metadata.auth_method != (by_secret if signing.startswith("HS") else by_key):
        raise _wrong("token_endpoint_auth_signing_alg", "does not fit token_endpoint_auth_method")


def _check_sector(metadata: Metadata, _offer: Offer) -> None:
    """Check that a client with pairwise subjects belongs to one sector. Spec: OIDC Core 8.1."""
    if metadata.text("subject_type") != "pairwise":
        return
    if not sector_of(metadata.texts("redirect_uris"), metadata.text("sector_identifier_uri")):
        raise _wrong("sector_identifier_uri", "is required: the redirect URIs are not all on one web host")


def check_sector_document(document: object, metadata: Metadata) -> None:
    """Check what stands at ``sector_identifier_uri``: it must name all redirect URIs, or anybody could join a sector.

    Raises:
        OAuthError: ``invalid_client_metadata``.

    Spec: OIDC Core 8.1; OIDC Registration 5.
    """
    if not isinstance(document, list) or not set(metadata.texts("redirect_uris")) <= {str(item) for item in document}:
        raise _wrong("sector_identifier_uri", "must lead to a list of all redirect URIs")


@frozen(kw_only=True)
class Registered:
    """What is registered of a client.

    Attributes:
        secret: what tells its secret; None where it has none or that is kept.
        sealed_secret: the secret itself, sealed; empty where it is not needed.
        secret_expires_at: 0 for never.
        expires_at: when all of it ends, as ids of Konnect do; 0 for never.
    """

    metadata: Metadata
    issued_at: int
    secret: SecretDigest | None = None
    sealed_secret: str = field(default="", repr=False)
    secret_expires_at: int = 0
    expires_at: int = 0

    def to_claims(self) -> dict[str, object]:
        """Write it for the client's id, or for a store; what goes without saying is left out."""
        members = self.metadata.members
        claims: dict[str, object] = {_KIND: True, "iat": self.issued_at}
        claims.update({_SHORT.get(name, name): value for name, value in members.items() if DEFAULTS.get(name) != value})
        if self.secret is not None:
            claims["sub"] = self.secret.digest
            if self.secret.name != self.metadata.text("client_name"):
                claims[_SECRET_NAME] = self.secret.name
        if self.sealed_secret:
            claims[_SEALED_SECRET] = self.sealed_secret
        if self.secret_expires_at:
            claims[_SECRET_EXPIRES_AT] = self.secret_expires_at
        return claims

    def check_length(self) -> None:
        """Refuse what is too long to be kept.

        Raises:
            OAuthError: ``invalid_client_metadata``.
        """
        if len(json.dumps(self.to_claims())) > LONGEST_CHANGE:
            raise too_much()

    @classmethod
    def from_claims(cls, claims: Mapping[str, object]) -> Self | None:
        """Read what `to_claims` or Konnect wrote and we signed; None for every other token of ours."""
        ours = claims.get(_KIND) is True
        issued_at, digest = claims.get("iat"), claims.get("sub")
        if not isinstance(issued_at, int) or not isinstance(claims.get("redirect_uris"), list):
            return None
        if not ours and not (isinstance(digest, str) and claims.keys() <= _KONNECTS):
            return None
        said = {_FULL.get(name, name): value for name, value in claims.items()}
        # Konnect does not keep response types, so its clients may ask for any.
        defaults = {name: value for name, value in DEFAULTS.items() if ours or name != "response_types"}
        members = {**defaults, **said}
        metadata = Metadata({name: members[name] for name in BY_NAME if name in members})
        name = said.get(_SECRET_NAME, metadata.text("client_name"))
        has_digest = isinstance(digest, str) and metadata.needs_secret
        return cls(
            metadata=metadata,
            issued_at=issued_at,
            secret=SecretDigest(str(name), str(digest)) if has_digest else None,
            sealed_secret=str(said.get(_SEALED_SECRET, "")),
            secret_expires_at=_moment(said.get(_SECRET_EXPIRES_AT)),
            expires_at=0 if ours else _moment(said.get("exp")),
        )


def _moment(value: object) -> int:
    """Read seconds since the epoch; 0 for none."""
    return value if isinstance(value, int) and value > 0 else 0


def registration_token_claims(client_id: str, issuer: str, now: int) -> dict[str, object]:
    """Return the claims of the token by which a client manages its registration. Spec: RFC 7592 3."""
    return {_TOKEN_KIND: True, "iss": issuer, "sub": name_of_id(client_id), "iat": now}


def is_registration_token(claims: Mapping[str, object] | None, client_id: str, issuer: str) -> bool:
    """Tell whether claims that we signed are those of the token of a client."""
    return (
        claims is not None
        and claims.get(_TOKEN_KIND) is True
        and claims.get("iss") == issuer
        and claims.get("sub") == name_of_id(client_id)
    )


def name_of_id(client_id: str) -> str:
    """Return a short name of a client, for what is kept about it."""
    return sha256(client_id.encode("utf-8", "surrogatepass")).hexdigest()


def too_much() -> OAuthError:
    """Return the error of metadata that are too long."""
    return _invalid("it is too much; jwks_uri instead of jwks helps")


def _wrong(member: str, problem: str) -> OAuthError:
    """Return the error of a member. Spec: OIDC Registration 3.3; RFC 7591 3.2.2."""
    code = ErrorCode.INVALID_REDIRECT_URI if member == "redirect_uris" else ErrorCode.INVALID_CLIENT_METADATA
    return OAuthError(code, f"{member}: {problem}")


def _invalid(description: str) -> OAuthError:
    """Return the error of metadata as a whole."""
    return OAuthError(ErrorCode.INVALID_CLIENT_METADATA, description)
