"""Signing in at an OpenID provider, by the code flow with PKCE, or by an ID token in the answer as Konnect has it.

Spec: OIDC Core 3.1 and 3.2; RFC 6749 4.1; RFC 7636; RFC 9207; RFC 9700 2.1 and 4.4; OIDC RP-Initiated Logout 2.
"""

from collections.abc import Mapping

from konnectd.authorities._oidc_messages import (
    Tokens,
    Trip,
    basic,
    challenge,
    check_error,
    freshness,
    part,
    read_tokens,
    refusal,
    wished,
)
from konnectd.authorities._oidc_provider import Provider, ProviderCache, read_object
from konnectd.authorities._oidc_settings import CODE, FORM_POST, ID_TOKEN, QUERY, USUAL_CLAIM, OidcSettings
from konnectd.authorities._oidc_settings import read_settings as read
from konnectd.authority import (
    LONGEST_REFERENCE,
    SKEW,
    AuthorityError,
    AuthorityTools,
    Departure,
    Document,
    ExternalIdentity,
    Heard,
    Question,
    Rebuff,
    Returned,
    Wish,
)
from konnectd.authority_entry import AuthorityEntry, Doorway
from konnectd.interfaces import FetchError
from konnectd.jose.foreign import ForeignToken, ForeignTokenError, named_key, verify_foreign
from konnectd.protocol.authorize import Pairs, add_to_query
from konnectd.protocol.external_id_token import (
    Expected,
    UnbelievableTokenError,
    check_id_token,
    identity,
    methods,
)

__all__ = ["DOORWAYS", "OidcAuthority", "build", "read"]

#: Konnect's, for signing in and for having signed out.
CALLBACK = "oauth2/cb"
DOORWAYS = (Doorway(path=CALLBACK, methods=("GET", "POST")),)
#: Longest code and hint that are handed on, in characters.
LONGEST_CODE = 4096
LONGEST_HINT = 6000
_OK = 200
_OURS = frozenset(
    {
        *("client_id", "response_type", "response_mode", "scope", "redirect_uri", "state", "nonce", "id_token_hint"),
        *("code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "acr_values", "ui_locales"),
        "post_logout_redirect_uri",
    }
)


class OidcAuthority:
    """An OpenID provider. It is a `konnectd.authority.Authority`."""

    def __init__(self, entry: AuthorityEntry, settings: OidcSettings, tools: AuthorityTools) -> None:
        """Keep what it is, and what asks it."""
        self._entry = entry
        self._settings = settings
        self._tools = tools
        self._cache = ProviderCache(entry, settings, tools.ask, tools.clock)
        self._callback = f"{tools.base}/{CALLBACK}"

    @property
    def entry(self) -> AuthorityEntry:
        """What it was made of."""
        return self._entry

    async def check(self) -> str:
        """Fetch metadata and keys, unless they are there, and say what was found.

        Raises:
            AuthorityError: it is not ready.
        """
        provider = await self._provider()
        keys = provider.keys.get("keys")
        count = len(keys) if isinstance(keys, list) else 0
        flow = self._response_type(provider)
        return f"{self._settings.issuer} answers: {count} keys, response_type {flow}, {', '.join(provider.algorithms)}"

    async def depart(self, wish: Wish, state: str) -> Departure:
        """Send somebody to the authorization endpoint.

        Raises:
            AuthorityError: it is not ready.

        Spec: OIDC Core 3.1.2.1 and 3.2.2.1; RFC 7636 4.3.
        """
        provider = await self._provider()
        response_type = self._response_type(provider)
        verifier = self._tools.entropy.token() if response_type == CODE else ""
        now = self._tools.clock.now()
        trip = Trip.begin(wish, self._tools.entropy.token(), verifier, now)
        pairs = [
            ("client_id", self._settings.client_id),
            ("response_type", response_type),
            ("scope", " ".join(self._settings.scopes)),
            ("redirect_uri", self._callback),
            ("state", state),
            ("nonce", trip.nonce),
            *self._mode(provider, response_type),
            *challenge(verifier),
            *wished(wish),
        ]
        location = add_to_query(provider.authorization_endpoint, pairs, _OURS)
        return Departure(location=location, remembered=trip.to_json())

    def _response_type(self, provider: Provider) -> str:
        """Return what is asked for: what the entry says, else a code if it can be redeemed."""
        if self._settings.response_type:
            return self._settings.response_type
        offered = not provider.response_types or CODE in provider.response_types
        proven = bool(self._settings.client_secret) or "none" in provider.auth_methods
        return CODE if offered and proven and provider.token_endpoint else ID_TOKEN

    def _mode(self, provider: Provider, response_type: str) -> Pairs:
        """Return how the answer is to come, where the default is not good.

        An ID token may not stand in a query, and a fragment never gets here. So a form has to bring it; only Konnect,
        which has no forms, brings it in the query.

        Spec: OAuth 2.0 Multiple Response Types 3.0 and 5; OAuth 2.0 Form Post Response Mode 2.
        """
        mode = self._settings.response_mode
        if not mode and response_type == ID_TOKEN:
            mode = FORM_POST if FORM_POST in provider.modes or not provider.modes else QUERY
        return (("response_mode", mode),) if mode else ()

    async def arrive(self, returned: Returned, remembered: Mapping[str, object]) -> ExternalIdentity:
        """Check the answer to an authorization request, redeem the code if it is one, and say who it is.

        Raises:
            AuthorityError: nobody can be signed in by that.

        Spec: OIDC Core 3.1.2.7, 3.1.3 and 3.2.2.8; RFC 9207 2.4.
        """
        trip, provider = Trip.from_json(remembered), await self._provider()
        self._check_issuer(provider, returned)
        check_error(returned)
        if trip.verifier:
            code = part(returned, CODE, LONGEST_CODE)
            answer = await self._redeem(provider, code, trip.verifier)
        else:
            code = ""
            answer = Tokens(id_token=returned.parameters.text(ID_TOKEN))
        token = await self._believe(answer, code, trip)
        auth_time = freshness(token.claims, trip)
        name = identity(token.claims, self._claim) or await self._ask_userinfo(provider, answer, token.claims)
        if not name:
            what = "a verified email" if self._claim == "email" else self._claim
            raise AuthorityError(Rebuff.NO_IDENTITY, f"it does not say who it is: there is no {what}")
        sid = token.claims.get("sid")
        return ExternalIdentity(
            name=name,
            auth_time=auth_time,
            amr=methods(token.claims),
            reference=sid if isinstance(sid, str) and len(sid) <= LONGEST_REFERENCE else "",
            held={ID_TOKEN: answer.id_token},
        )

    def _check_issuer(self, provider: Provider, returned: Returned) -> None:
        """Refuse an answer that another provider has given. Spec: RFC 9207 2.4.

        Raises:
            AuthorityError: it is one, or may be.
        """
        issuer = returned.parameters.get("iss")
        if issuer is None and provider.names_itself:
            raise AuthorityError(Rebuff.INVALID, "its answer does not say iss, as it always does")
        if issuer is not None and issuer != self._settings.issuer:
            raise AuthorityError(Rebuff.INVALID, "the answer is that of another issuer")

    async def _redeem(self, provider: Provider, code: str, verifier: str) -> Tokens:
        """Exchange a code for tokens.

        Raises:
            AuthorityError: it gives none.

        Spec: OIDC Core 3.1.3.1 and 3.1.3.3; RFC 6749 2.3.1 and 4.1.3.
        """
        if not provider.token_endpoint:
            raise AuthorityError(Rebuff.UNAVAILABLE, "it has no token_endpoint")
        form: list[tuple[str, str]] = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self._callback),
            ("code_verifier", verifier),
        ]
        secret, authorization = self._settings.client_secret, ""
        if secret and (
            "client_secret_basic" in provider.auth_methods or "client_secret_post" not in provider.auth_methods
        ):
            authorization = basic(self._settings.client_id, secret)
        else:
            form.append(("client_id", self._settings.client_id))
            form += [("client_secret", secret)] if secret else []
        question = Question(
            url=provider.token_endpoint,
            form=tuple(form),
            authorization=authorization,
            insecure=self._entry.insecure,
        )
        return read_tokens(await self._heard(question, "its token endpoint"))

    async def _heard(self, question: Question, what: str) -> Mapping[str, object]:
        """Ask, and return the members of the answer.

        Raises:
            AuthorityError: it does not answer, or refuses.
        """
        try:
            heard: Heard = await self._tools.ask(question)
        except FetchError as error:
            raise AuthorityError(Rebuff.UNAVAILABLE, f"{what} does not answer: {error}") from error
        if heard.status != _OK:
            rebuff = Rebuff.UNAVAILABLE if heard.status >= 500 else Rebuff.INVALID
            raise AuthorityError(rebuff, f"{what} answers with status {heard.status}{refusal(heard)}")
        return read_object(heard.content, f"the answer of {what}")

    async def _believe(self, answer: Tokens, code: str, trip: Trip) -> ForeignToken:
        """Check an ID token in every respect.

        Raises:
            AuthorityError: it can not be believed.
        """
        provider = await self._cache.with_key(named_key(answer.id_token))
        expected = Expected(
            issuer=self._settings.issuer,
            client_id=self._settings.client_id,
            nonce=trip.nonce,
            now=self._tools.clock.now(),
            skew=SKEW,
            access_token=answer.access_token,
            code=code,
        )
        try:
            token = verify_foreign(answer.id_token, provider.keys, provider.algorithms)
            check_id_token(token.claims, token.algorithm, expected)
        except (ForeignTokenError, UnbelievableTokenError) as error:
            raise AuthorityError(Rebuff.INVALID, f"its ID token is not believed: {error}") from error
        return token

    async def _ask_userinfo(self, provider: Provider, answer: Tokens, claims: Mapping[str, object]) -> str:
        """Return who it is by the userinfo endpoint, if the ID token does not say it; empty if that does not, either.

        Raises:
            AuthorityError: it does not answer, or speaks about somebody else.

        Spec: OIDC Core 5.3.2 (``sub`` must be that of the ID token) and 5.3.4.
        """
        if not answer.access_token or not provider.userinfo_endpoint:
            return ""
        question = Question(
            url=provider.userinfo_endpoint,
            authorization=f"Bearer {answer.access_token}",
            insecure=self._entry.insecure,
        )
        found = await self._heard(question, "its userinfo endpoint")
        if found.get("sub") != claims.get("sub"):
            raise AuthorityError(Rebuff.INVALID, "its userinfo is about somebody else than its ID token")
        return identity(found, self._claim)

    async def leave(self, held: Mapping[str, object], state: str) -> Departure | None:
        """Send somebody to the provider's end-session endpoint, if it has one. Spec: OIDC RP-Initiated Logout 2."""
        provider = self._cache.known
        if provider is None or not provider.end_session_endpoint:
            return None
        hint = held.get(ID_TOKEN)
        pairs = [
            ("client_id", self._settings.client_id),
            ("post_logout_redirect_uri", self._callback),
            ("state", state),
        ]
        if isinstance(hint, str) and len(hint) <= LONGEST_HINT:
            pairs.insert(0, ("id_token_hint", hint))
        return Departure(location=add_to_query(provider.end_session_endpoint, pairs, _OURS))

    async def left(self, returned: Returned, remembered: Mapping[str, object]) -> None:
        """Accept whatever comes back: nothing is said there about what has happened."""

    def metadata(self) -> Document | None:
        """Return nothing: a provider learns about us from its operator."""
        return None

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    async def _provider(self) -> Provider:
        """Return what is known of the provider.

        Raises:
            AuthorityError: nothing is.
        """
        return await self._cache.current()

    @property
    def _claim(self) -> str:
        """The claim that says who it is."""
        return self._entry.identity.claim or USUAL_CLAIM


def build(entry: AuthorityEntry, tools: AuthorityTools) -> OidcAuthority:
    """Make an authority of an entry.

    Raises:
        TypeError: it is an entry of another kind.
    """
    if not isinstance(entry.settings, OidcSettings):
        raise TypeError("the entry is of another kind")
    return OidcAuthority(entry, entry.settings, tools)
