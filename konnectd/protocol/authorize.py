"""The authorization request: the proof that its address is good, then its contents, then the answer.

`ReturnAddress` stands first on purpose. It is the only thing that can turn an answer into a redirect, and
`ReturnAddress.verify` is the only place that makes one. Everything that goes wrong before it is shown to the browser;
everything that goes wrong after it may be told to the client.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Self
from urllib.parse import quote, unquote_plus, urlencode

from attrs import field, frozen

from konnectd.protocol import pkce
from konnectd.protocol.client import Client, split
from konnectd.protocol.errors import Doubt, OAuthError, UntrustedRequestError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import OPENID, Scope
from konnectd.protocol.vocabulary import ErrorCode, Prompt, ResponseMode, ResponseType

#: Parameters that our own pages add to a request on its way through them; no client's business.
FLOW = "flow"
INTERACTION = "interaction"
CONSENT_STATE = "konnect"
CLAIMS_SCOPE = "claims_scope"
RETRY = "retry"
INTERNAL_PARAMETERS = frozenset({FLOW, INTERACTION, CONSENT_STATE, CLAIMS_SCOPE, RETRY})

#: What an authorization response may carry, and therefore what a registered redirect URI must not smuggle into it.
RESPONSE_PARAMETERS = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "session_state"})

#: Longest ``state`` and ``nonce``, in characters: both are carried through redirects and kept with the code.
LONGEST_OPAQUE = 2048
#: More seconds than a person lives.
LARGEST_MAX_AGE = 10**10


@frozen
class ReturnAddress:
    """A redirect URI that is proven to be the client's own, and what has to go back with every answer.

    Attributes:
        client: the registered client.
        redirect_uri: as sent and as registered.
        state: as sent; empty when none was.
    """

    client: Client
    redirect_uri: str
    state: str = field(default="", repr=False)

    @classmethod
    def verify(cls, client: Client | None, parameters: Parameters) -> Self:
        """Check the client and its redirect URI before anything else is looked at.

        Args:
            client: what the registry knows under ``client_id``, if anything.
            parameters: the request as sent.

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
            )
        return cls(client, redirect_uri, parameters.text("state"))

    def locate(self, pairs: Iterable[tuple[str, str]]) -> str:
        """Return the URI that carries an answer to the client.

        Whatever of our own names the registered URI has in its query gives way, so that no reader of the answer can
        take a planted ``code`` for ours.

        Spec: RFC 6749 4.1.2 and 3.1.2 (a query of the URI is kept).
        """
        answer = [*pairs, *((("state", self.state),) if self.state else ())]
        return add_to_query(self.redirect_uri, answer, RESPONSE_PARAMETERS)

    def refuse(self, error: OAuthError, issuer: str) -> str:
        """Return the URI that tells the client what is wrong.

        Spec: RFC 6749 4.1.2.1; RFC 9207 2 (``iss`` in error responses too).
        """
        return self.locate((("error", error.code), ("error_description", error.description), ("iss", issuer)))

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
    added = (f"{name}={quote(value, safe='')}" for name, value in pairs)
    return f"{base}?{'&'.join([*kept, *added])}"


@frozen(kw_only=True)
class AuthorizationRequest:
    """A request whose every value has been checked.

    Attributes:
        return_address: where the answer goes.
        scope: as asked for; what is granted may be less.
        max_age: seconds since the person last proved who they are; None for any.
        code_challenge: empty when none was sent.
        id_token_hint: not yet verified: that needs keys.
        sent: what the client sent, for nothing but the fingerprint.
    """

    return_address: ReturnAddress
    response_type: ResponseType
    response_mode: ResponseMode
    scope: Scope
    nonce: str = field(default="", repr=False)
    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    code_challenge: str = field(default="", repr=False)
    login_hint: str = field(default="", repr=False)
    ui_locales: str = ""
    id_token_hint: str = field(default="", repr=False)
    _sent: Parameters = field(factory=Parameters, repr=False)

    @property
    def fingerprint(self) -> str:
        """Digest of everything the client sent, to bind what a person decides to this very request.

        Made when it is asked for: a request that needs no page needs no digest.
        """
        return fingerprint(self._sent)

    @property
    def client(self) -> Client:
        """Who asks."""
        return self.return_address.client

    @classmethod
    def parse(cls, return_address: ReturnAddress, parameters: Parameters) -> Self:
        """Read a request whose address is proven.

        Raises:
            OAuthError: a rule is broken; the client may be told.

        Spec: OIDC Core 3.1.2.1 and 3.1.2.2; RFC 6749 4.1.1.
        """
        _refuse_unsupported(parameters)
        response_type = _response_type(parameters)
        scope = Scope.parse(parameters.text("scope"))
        if OPENID not in scope:
            raise OAuthError(ErrorCode.INVALID_SCOPE, "scope must contain openid")
        if len(parameters.text("state")) > LONGEST_OPAQUE or len(parameters.text("nonce")) > LONGEST_OPAQUE:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "state or nonce is too long")
        return cls(
            return_address=return_address,
            response_type=response_type,
            response_mode=_response_mode(parameters),
            scope=scope,
            nonce=parameters.text("nonce"),
            prompt=_prompt(parameters),
            max_age=_max_age(parameters),
            code_challenge=pkce.parse_challenge(
                parameters.get("code_challenge"),
                parameters.get("code_challenge_method"),
                required=return_address.client.public,
            ),
            login_hint=parameters.text("login_hint")[:256],
            ui_locales=parameters.text("ui_locales")[:256],
            id_token_hint=parameters.text("id_token_hint"),
            sent=parameters.without(*INTERNAL_PARAMETERS),
        )


def fingerprint(parameters: Parameters) -> str:
    """Return a digest of what the client sent, whatever our pages added to it and in whatever order."""
    sent = sorted(pair for pair in parameters.items() if pair[0] not in INTERNAL_PARAMETERS)
    return sha256(urlencode(sent).encode()).hexdigest()


def answer_pairs(code: str, issuer: str) -> tuple[tuple[str, str], ...]:
    """Return what a successful response carries besides ``state``.

    Spec: RFC 6749 4.1.2; RFC 9207 2.
    """
    return (("code", code), ("iss", issuer))


def _refuse_unsupported(parameters: Parameters) -> None:
    """Refuse what would change the meaning of a request and is not understood.

    Spec: OIDC Core 3.1.2.6.
    """
    for name, code in (
        ("request", ErrorCode.REQUEST_NOT_SUPPORTED),
        ("request_uri", ErrorCode.REQUEST_URI_NOT_SUPPORTED),
        ("registration", ErrorCode.REGISTRATION_NOT_SUPPORTED),
    ):
        if name in parameters:
            raise OAuthError(code, f"{name} is not supported")


def _response_type(parameters: Parameters) -> ResponseType:
    """Read ``response_type``. Spec: RFC 6749 3.1.1."""
    text = parameters.get("response_type")
    if text is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "response_type is missing")
    try:
        return ResponseType(text)
    except ValueError:
        raise OAuthError(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, "response_type must be code") from None


def _response_mode(parameters: Parameters) -> ResponseMode:
    """Read ``response_mode``. Spec: OAuth 2.0 Multiple Response Types 2.1."""
    try:
        return ResponseMode(parameters.get("response_mode") or ResponseMode.QUERY)
    except ValueError:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "response_mode must be query") from None


def _prompt(parameters: Parameters) -> frozenset[Prompt]:
    """Read ``prompt``; words that nobody knows are passed over. Spec: OIDC Core 3.1.2.1."""
    words = set(parameters.text("prompt").split())
    if Prompt.NONE in words and len(words) > 1:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "prompt none goes with no other prompt")
    return frozenset(prompt for prompt in Prompt if prompt in words)


def _max_age(parameters: Parameters) -> int | None:
    """Read ``max_age`` in seconds. Spec: OIDC Core 3.1.2.1."""
    text = parameters.get("max_age")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_MAX_AGE))):
        raise OAuthError(ErrorCode.INVALID_REQUEST, "max_age must be a number of seconds")
    return int(text)
