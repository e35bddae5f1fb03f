"""The authorization request: the proof that its address is good, then its contents, then the answer.

`ReturnAddress` stands first on purpose. It is the only thing that can turn an answer into a redirect, and
`ReturnAddress.verify` is the only place that makes one. Everything that goes wrong before it is shown to the browser;
everything that goes wrong after it may be told to the client.
"""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Self, TypeAlias
from urllib.parse import quote, unquote_plus, urlencode

from attrs import field, frozen

from konnectd.protocol import pkce
from konnectd.protocol.asking import astray
from konnectd.protocol.claims_request import NO_CLAIMS, ClaimsRequest
from konnectd.protocol.client import Client, split
from konnectd.protocol.errors import Doubt, OAuthError, UntrustedRequestError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.resource import parse_resources
from konnectd.protocol.response_type import (
    CODE_ONLY,
    FRAGMENT,
    QUERY,
    Profile,
    ResponsePart,
    ResponseType,
    default_mode,
)
from konnectd.protocol.response_type import name as name_of_response_type
from konnectd.protocol.response_type import parse as parse_response_type
from konnectd.protocol.scope import OFFLINE_ACCESS, OPENID, RAW_SUBJECT, Scope
from konnectd.protocol.vocabulary import ErrorCode, Prompt

#: The parts of an answer, in order.
Pairs: TypeAlias = tuple[tuple[str, str], ...]

#: Parameters that our own pages add to a request on its way through them; no client's business.
FLOW = "flow"
INTERACTION = "interaction"
CONSENT_STATE = "konnect"
CLAIMS_SCOPE = "claims_scope"
RETRY = "retry"
ANOTHER = "another"
INTERNAL_PARAMETERS = frozenset({FLOW, INTERACTION, CONSENT_STATE, CLAIMS_SCOPE, RETRY, ANOTHER})

#: What an authorization response may carry, and therefore what a registered redirect URI must not smuggle into it.
RESPONSE_PARAMETERS = frozenset(
    {
        "code",
        "access_token",
        "token_type",
        "expires_in",
        "id_token",
        "scope",
        "state",
        "iss",
        "session_state",
        "error",
        "error_description",
        "error_uri",
    }
)

#: Longest ``state`` and ``nonce``, in characters: both are carried through redirects and kept with the code.
LONGEST_OPAQUE = 2048
_EVERYTHING = Profile()
#: Spec: RFC 3986 2.3.
_UNRESERVED = re.compile("[A-Za-z0-9._~-]*")
_UNSUPPORTED = (
    ("request", ErrorCode.REQUEST_NOT_SUPPORTED),
    ("request_uri", ErrorCode.REQUEST_URI_NOT_SUPPORTED),
    ("registration", ErrorCode.REGISTRATION_NOT_SUPPORTED),
)
_NO_PROMPT: frozenset[Prompt] = frozenset()
#: More seconds than a person lives.
LARGEST_MAX_AGE = 10**10


@frozen
class ReturnAddress:
    """A redirect URI that is proven to be the client's own, and what has to go back with every answer.

    Attributes:
        client: the registered client.
        redirect_uri: as sent and as registered.
        state: as sent; empty when none was.
        response_mode: where in an answer its parts stand, errors included.
    """

    client: Client
    redirect_uri: str
    state: str = field(default="", repr=False)
    response_mode: str = QUERY

    @classmethod
    def verify(cls, client: Client | None, parameters: Parameters, modes: Collection[str] = (QUERY, FRAGMENT)) -> Self:
        """Check the client and its redirect URI before anything else is looked at.

        Args:
            client: what the registry knows under ``client_id``, if anything.
            parameters: the request as sent.
            modes: the response modes there are.

        Raises:
            UntrustedRequestError: either is unknown.

        Spec: RFC 6749 3.1.2.4 and 4.1.2.1; OIDC Core 3.1.2.1 (``redirect_uri``); RFC 9700 4.11.
        """
        if "client_id" not in parameters:
            raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "client_id is missing", Doubt.CLIENT)
        if client is None:
            raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "client_id is not registered", Doubt.CLIENT)
        redirect_uri = parameters.get("redirect_uri")
        if redirect_uri is None:
            raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "redirect_uri is missing", Doubt.REDIRECT_URI)
        if not client.allows_redirect_uri(redirect_uri):
            raise UntrustedRequestError(
                ErrorCode.INVALID_REQUEST, "redirect_uri is not registered for this client", Doubt.REDIRECT_URI
            ).about(astray(client, redirect_uri))
        return cls(client, redirect_uri, parameters.text("state"), _mode(parameters, modes))

    def answer(self, pairs: Iterable[tuple[str, str]]) -> Pairs:
        """Return all parts of an answer: ``state`` goes with every one.

        Spec: RFC 6749 4.1.2.
        """
        return (*pairs, *((("state", self.state),) if self.state else ()))

    def refusal(self, error: OAuthError, issuer: str) -> Pairs:
        """Return all parts of an answer that tells the client what is wrong.

        Spec: RFC 6749 4.1.2.1; RFC 9207 2 (``iss`` in error responses too).
        """
        return self.answer((("error", error.code), ("error_description", error.description), ("iss", issuer)))

    def bare(self) -> str:
        """Return the redirect URI without what an answer must be alone in saying.

        Whatever of our own names the registered URI has in its query gives way, so that no reader of the answer can
        take a planted ``code`` for ours.
        """
        return add_to_query(self.redirect_uri, (), RESPONSE_PARAMETERS)

    @property
    def origin(self) -> str:
        """What a browser may be sent to after a form: scheme and host, or the scheme of an application."""
        parts = split(self.redirect_uri)
        if parts is None:
            return ""
        return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"

    @property
    def host(self) -> str:
        """What a person is told about where they will be sent."""
        parts = split(self.redirect_uri)
        if parts is None:
            return ""
        return parts.netloc or f"{parts.scheme}:"


def add_to_query(uri: str, pairs: Iterable[tuple[str, str]], ours: frozenset[str]) -> str:
    """Return a URI with pairs added to its query, whose own parts stay as they are, byte for byte.

    Args:
        uri: without a fragment.
        pairs: what is added.
        ours: names that only we may use there; what the URI itself has under them is left out.
    """
    base, _, query = uri.partition("?")
    kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in ours]
    parts = [*kept, *(f"{name}={_escaped(value)}" for name, value in pairs)]
    return f"{base}?{'&'.join(parts)}" if parts else base


def _escaped(value: str) -> str:
    """Return a value as it stands in a query; most of ours need no escape, and looking costs less than escaping."""
    if _UNRESERVED.fullmatch(value) is not None:
        return value
    return _escaped_address(value) if value.startswith("http") else quote(value, safe="")


@lru_cache(maxsize=16)
def _escaped_address(value: str) -> str:
    """Return an address as it stands in a query; nearly always it is the issuer."""
    return quote(value, safe="")


@frozen(kw_only=True)
class AuthorizationRequest:
    """A request whose every value has been checked.

    Attributes:
        return_address: where the answer goes.
        scope: as asked for; what is granted may be less.
        max_age: seconds since the person last proved who they are; None for any.
        code_challenge: empty when none was sent.
        claims: what is asked for claim by claim.
        id_token_hint: not yet verified: that needs keys.
        sent: what the client sent, for nothing but the fingerprint.
    """

    return_address: ReturnAddress
    response_type: ResponseType
    scope: Scope
    nonce: str = field(default="", repr=False)
    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    code_challenge: str = field(default="", repr=False)
    login_hint: str = field(default="", repr=False)
    ui_locales: str = ""
    claims: ClaimsRequest = NO_CLAIMS
    id_token_hint: str = field(default="", repr=False)
    resources: tuple[str, ...] = ()
    _sent: Parameters = field(factory=Parameters, repr=False)

    @property
    def fingerprint(self) -> str:
        """Digest of everything the client sent, to bind what a person decides to this very request.

        Made when it is asked for: a request that needs no page needs no digest.
        """
        return fingerprint(self._sent)

    @property
    def sent_prompt(self) -> str:
        """``prompt`` as the client sent it, word by word."""
        return self._sent.text("prompt")

    @property
    def client(self) -> Client:
        """Who asks."""
        return self.return_address.client

    def wanted(self, supported: Collection[str]) -> Scope:
        """Return what can be allowed of what is asked for; the rest is passed over.

        Scopes whose claims are asked for one by one are among it: a person has to allow the one as the other.
        `AuthorizationGrant.of` tells them apart again.

        Spec: OIDC Core 3.1.2.1 (unknown scopes), 5.5, and 11 (``offline_access`` needs a code).
        """
        scope = self.scope.keep(supported)
        if self.claims is not NO_CLAIMS:
            scope = Scope.of((*scope, *self.claims.scope.keep(supported)))
        if self.client.pairwise is not None:
            # Everybody knows the person by that name, so it would be no use to have another.
            scope = scope.without(RAW_SUBJECT)
        return scope if ResponsePart.CODE in self.response_type else scope.without(OFFLINE_ACCESS)

    @classmethod
    def parse(
        cls,
        return_address: ReturnAddress,
        parameters: Parameters,
        profile: Profile = _EVERYTHING,
    ) -> Self:
        """Read a request whose address is proven.

        Args:
            return_address: the proof.
            parameters: the request.
            profile: what is on.

        Raises:
            OAuthError: a rule is broken; the client may be told.

        Spec: OIDC Core 3.1.2.1 and 3.1.2.2; RFC 6749 4.1.1.
        """
        _refuse_unsupported(parameters)
        response_type = _response_type(parameters, profile.response_types)
        _check_registered(return_address.client, response_type)
        _check_mode(return_address, parameters, response_type)
        scope = Scope.parse(parameters.text("scope"))
        if OPENID not in scope:
            raise OAuthError(ErrorCode.INVALID_SCOPE, "scope must contain openid")
        if return_address.client.implicit_scopes:
            scope = Scope.of((*scope, *return_address.client.implicit_scopes))
        if len(parameters.text("state")) > LONGEST_OPAQUE or len(parameters.text("nonce")) > LONGEST_OPAQUE:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "state or nonce is too long")
        if ResponsePart.ID_TOKEN in response_type and "nonce" not in parameters:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "nonce is required with this response_type")
        return cls(
            return_address=return_address,
            response_type=response_type,
            scope=scope,
            nonce=parameters.text("nonce"),
            prompt=_prompt(parameters),
            max_age=_max_age(parameters, return_address.client),
            code_challenge=pkce.parse_challenge(
                parameters.get("code_challenge"),
                parameters.get("code_challenge_method"),
                required=(return_address.client.public or profile.require_pkce) and ResponsePart.CODE in response_type,
            ),
            login_hint=parameters.text("login_hint")[:256],
            ui_locales=parameters.text("ui_locales")[:256],
            claims=ClaimsRequest.parse(parameters.text("claims")) if "claims" in parameters else NO_CLAIMS,
            id_token_hint=parameters.text("id_token_hint"),
            resources=parse_resources(parameters, return_address.client) if "resource" in parameters else (),
            sent=parameters,
        )


def fingerprint(parameters: Parameters) -> str:
    """Return a digest of what the client sent, whatever our pages added to it and in whatever order."""
    sent = sorted(pair for pair in parameters.items() if pair[0] not in INTERNAL_PARAMETERS)
    return sha256(urlencode(sent).encode()).hexdigest()


def _refuse_unsupported(parameters: Parameters) -> None:
    """Refuse what would change the meaning of a request and is not understood.

    Spec: OIDC Core 3.1.2.6.
    """
    for name, code in _UNSUPPORTED:
        if name in parameters:
            raise OAuthError(code, f"{name} is not supported")


def _response_type(parameters: Parameters, allowed: Collection[ResponseType]) -> ResponseType:
    """Read ``response_type``. Spec: RFC 6749 3.1.1; OAuth 2.0 Multiple Response Types 3."""
    text = parameters.get("response_type")
    if text is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "response_type is missing")
    found = parse_response_type(text)
    if found is None or found not in allowed:
        raise OAuthError(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, "response_type is not supported")
    return found


def _check_registered(client: Client, response_type: ResponseType) -> None:
    """Refuse a response type that a client has not registered, where it has registered any.

    Spec: OIDC Registration 2 (``response_types``); RFC 6749 4.1.2.1 (``unauthorized_client``).
    """
    if client.response_types and name_of_response_type(response_type) not in client.response_types:
        raise OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, "the client is not registered for this response_type")


def _mode(parameters: Parameters, modes: Collection[str]) -> str:
    """Return where the answer goes, whatever else is wrong with the request: errors have to arrive there too.

    Spec: OAuth 2.0 Multiple Response Types 2.1 and 5 (errors stand where the answer would).
    """
    asked = parameters.get("response_mode")
    default = default_mode(parse_response_type(parameters.text("response_type")))
    if asked is None or asked not in modes or (asked == QUERY and default == FRAGMENT):
        return default
    return asked


def _check_mode(address: ReturnAddress, parameters: Parameters, response_type: ResponseType) -> None:
    """Refuse a response mode that does not exist, or that would put tokens into the query.

    Spec: OAuth 2.0 Multiple Response Types 5; OIDC Core 3.2.2.5.
    """
    asked = parameters.get("response_mode")
    if asked is not None and asked != address.response_mode:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "response_mode is not supported with this response_type")
    if address.response_mode == QUERY and response_type != CODE_ONLY:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "response_mode query is for code alone")


def _prompt(parameters: Parameters) -> frozenset[Prompt]:
    """Read ``prompt``; words that nobody knows are passed over. Spec: OIDC Core 3.1.2.1."""
    if "prompt" not in parameters:
        return _NO_PROMPT
    words = set(parameters.text("prompt").split())
    if Prompt.NONE in words and len(words) > 1:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "prompt none goes with no other prompt")
    return frozenset(prompt for prompt in Prompt if prompt in words)


def _max_age(parameters: Parameters, client: Client) -> int | None:
    """Read ``max_age`` in seconds. Spec: OIDC Core 3.1.2.1; OIDC Registration 2 (``default_max_age``)."""
    text = parameters.get("max_age")
    if text is None:
        return client.default_max_age
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_MAX_AGE))):
        raise OAuthError(ErrorCode.INVALID_REQUEST, "max_age must be a number of seconds")
    return int(text)
