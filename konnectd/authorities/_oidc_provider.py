"""What an OpenID provider says about itself, and its keys: fetched, kept for a while, and fetched again.

Nobody waits for a provider that does not answer: after a failure it is not asked for some seconds, which become more
with each further one; what was fetched before is good for a day in the meantime. Whoever asks while it is being fetched
waits for the same answer.

Spec: OIDC Discovery 3, 4.1 and 4.3; OIDC Core 10.1.1 (keys that roll over).
"""

import json
from collections.abc import Mapping
from typing import Self

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from konnectd.authorities._oidc_settings import OidcSettings
from konnectd.authority import Ask, AuthorityError, Question, Rebuff
from konnectd.authority_entry import AuthorityEntry, address_problem
from konnectd.interfaces import Clock, FetchError
from konnectd.jose.keys import METHODS
from konnectd.jsontext import read_strictly

#: How long metadata are taken without asking again, in seconds: what the provider says within these bounds.
SHORTEST_FRESH = 60
USUAL_FRESH = 600
LONGEST_FRESH = 24 * 3600
#: How long they are good while the provider does not answer.
USABLE = 24 * 3600
#: How long it is not asked again after a failure: the first time, and at most.
FIRST_PAUSE = 3
LONGEST_PAUSE = 60
#: How long keys are not fetched again because a token names one that is not among them.
KEY_PAUSE = 30
#: More keys than these are no key set of one provider.
MOST_KEYS = 64
_OK = 200
#: What is signed how when the provider does not say. Spec: OIDC Core 3.1.3.7 (7).
_USUAL_ALGORITHM = "RS256"


@frozen(kw_only=True)
class Provider:
    """A provider as it introduces itself.

    Attributes:
        response_types: those it has; empty when it does not say.
        modes: its response modes; empty when it does not say.
        auth_methods: how we may prove who we are at its token endpoint. Spec: OIDC Discovery 3 (the default).
        algorithms: by which its ID tokens may be signed: those it names, as far as only it can sign so.
        names_itself: it says ``iss`` in every answer. Spec: RFC 9207 3.
        keys: its key set.
        fetched_at: when, in seconds since the epoch.
        fresh_until: when it is asked again.
    """

    authorization_endpoint: str
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    jwks_uri: str = ""
    response_types: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    auth_methods: tuple[str, ...] = ("client_secret_basic",)
    algorithms: tuple[str, ...] = (_USUAL_ALGORITHM,)
    names_itself: bool = False
    keys: Mapping[str, object] = field(factory=dict, repr=False)
    fetched_at: int = 0
    fresh_until: int = 0

    @classmethod
    def parse(cls, document: Mapping[str, object], settings: OidcSettings) -> Self:
        """Read a metadata document, without keys.

        Raises:
            AuthorityError: it is another issuer's, or has not what is needed.

        Spec: OIDC Discovery 4.3 (the issuer must be exactly the one that was asked for).
        """
        if document.get("issuer") != settings.issuer:
            raise AuthorityError(Rebuff.UNAVAILABLE, "its metadata are those of another issuer")
        merged = {**document, **_named(settings)}
        found = cls(
            authorization_endpoint=_address(merged, "authorization_endpoint"),
            token_endpoint=_address(merged, "token_endpoint"),
            userinfo_endpoint=_address(merged, "userinfo_endpoint"),
            end_session_endpoint=_address(merged, "end_session_endpoint"),
            jwks_uri="" if settings.jwks else _address(merged, "jwks_uri"),
            response_types=_words(merged, "response_types_supported"),
            modes=_words(merged, "response_modes_supported"),
            auth_methods=_words(merged, "token_endpoint_auth_methods_supported") or ("client_secret_basic",),
            algorithms=_algorithms(merged),
            names_itself=merged.get("authorization_response_iss_parameter_supported") is True,
        )
        if not found.authorization_endpoint:
            raise AuthorityError(Rebuff.UNAVAILABLE, "its metadata have no good authorization_endpoint")
        if not found.jwks_uri and not settings.jwks:
            raise AuthorityError(Rebuff.UNAVAILABLE, "its metadata have no good jwks_uri")
        return found

    @classmethod
    def fixed(cls, settings: OidcSettings) -> Self:
        """Return a provider of which everything stands in the entry."""
        everything = {"issuer": settings.issuer, "id_token_signing_alg_values_supported": list(METHODS)}
        return evolve(cls.parse(everything, settings), keys=read_keys(settings.jwks.encode()))

    def knows_key(self, kid: object) -> bool:
        """Tell whether a key is published; a token that names none may be by any."""
        keys = self.keys.get("keys")
        members = keys if isinstance(keys, list) else []
        return kid is None or any(isinstance(key, dict) and key.get("kid") == kid for key in members)


class ProviderCache:
    """Fetches what a provider says, and keeps it."""

    def __init__(self, entry: AuthorityEntry, settings: OidcSettings, ask: Ask, clock: Clock) -> None:
        """Begin with nothing, unless everything stands in the entry."""
        self._entry = entry
        self._settings = settings
        self._ask = ask
        self._clock = clock
        self._failures = 0
        self._not_before = 0
        self._waiting: list[Deferred[Provider]] | None = None
        self._keys_asked_at = 0
        self.known: Provider | None = None if settings.discovery_uri else Provider.fixed(settings)

    async def current(self) -> Provider:
        """Return what is known of the provider, fetched if that is due.

        Raises:
            AuthorityError: nothing is known, and it can not be fetched now.
        """
        known, now = self.known, self._clock.now()
        if known is not None and (not self._settings.discovery_uri or now < known.fresh_until):
            return known
        if now >= self._not_before:
            try:
                return await self._share()
            except AuthorityError:
                if self.known is None:
                    raise
        if known is not None and now - known.fetched_at < USABLE:
            return known
        raise AuthorityError(Rebuff.UNAVAILABLE, "it did not answer a moment ago, and is asked again soon")

    async def with_key(self, kid: object) -> Provider:
        """Return the provider, with its keys fetched again if a key is not among them, unless they just were.

        Raises:
            AuthorityError: nothing is known, and it can not be fetched now.
        """
        known, now = await self.current(), self._clock.now()
        newest = max(self._keys_asked_at, known.fetched_at)
        if known.knows_key(kid) or not known.jwks_uri or now - newest < KEY_PAUSE:
            return known
        self._keys_asked_at = now
        try:
            keys, _ = await self._keys(known.jwks_uri)
        except AuthorityError:
            return known
        self.known = evolve(known, keys=keys)
        return self.known

    async def _share(self) -> Provider:
        """Fetch everything, once for all who want it now.

        Raises:
            AuthorityError: it can not be fetched.
        """
        mine: Deferred[Provider] = Deferred()
        if self._waiting is not None:
            self._waiting.append(mine)
            return await mine
        self._waiting = [mine]
        # Not awaited here: when this caller gives up, others may still wait for the answer.
        Deferred.fromCoroutine(self._fetch()).addBoth(self._tell)
        return await mine

    def _tell(self, outcome: Provider | Failure) -> None:
        """Tell everybody who has waited."""
        waiting, self._waiting = self._waiting or [], None
        for one in waiting:
            if one.called:
                continue
            if isinstance(outcome, Failure):
                one.errback(outcome)
            else:
                one.callback(outcome)

    async def _fetch(self) -> Provider:
        """Fetch metadata and keys.

        Raises:
            AuthorityError: they can not be fetched.
        """
        try:
            provider = await self._read()
        except AuthorityError:
            pause = min(FIRST_PAUSE * 2 ** min(self._failures, 10), LONGEST_PAUSE)
            self._failures += 1
            self._not_before = self._clock.now() + pause
            raise
        self._failures, self._not_before, self.known = 0, 0, provider
        return provider

    async def _read(self) -> Provider:
        """Ask for metadata and keys.

        Raises:
            AuthorityError: they can not be fetched.
        """
        document, fresh = await self._json(self._settings.discovery_uri, "its metadata")
        provider = Provider.parse(document, self._settings)
        if provider.jwks_uri:
            keys, fresh_keys = await self._keys(provider.jwks_uri)
            fresh = min(fresh, fresh_keys)
        else:
            keys = read_keys(self._settings.jwks.encode())
        now = self._clock.now()
        return evolve(provider, keys=keys, fetched_at=now, fresh_until=now + fresh)

    async def _keys(self, uri: str) -> tuple[Mapping[str, object], int]:
        """Fetch the key set, and for how long it is fresh.

        Raises:
            AuthorityError: it can not be fetched.
        """
        document, fresh = await self._json(uri, "its key set")
        return read_keys(json.dumps(document).encode()), fresh

    async def _json(self, uri: str, what: str) -> tuple[Mapping[str, object], int]:
        """Fetch a document, and for how many seconds it is fresh.

        Raises:
            AuthorityError: it can not be fetched.
        """
        try:
            heard = await self._ask(Question(url=uri, insecure=self._entry.insecure))
        except FetchError as error:
            raise AuthorityError(Rebuff.UNAVAILABLE, f"{what} can not be fetched: {error}") from error
        if heard.status != _OK:
            raise AuthorityError(Rebuff.UNAVAILABLE, f"{what} can not be fetched: status {heard.status}")
        fresh = USUAL_FRESH if heard.fresh_for is None else heard.fresh_for
        return read_object(heard.content, what), min(max(fresh, SHORTEST_FRESH), LONGEST_FRESH)


def read_object(content: bytes, what: str) -> Mapping[str, object]:
    """Read a JSON object.

    Raises:
        AuthorityError: it is none.
    """
    try:
        document = read_strictly(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise AuthorityError(Rebuff.UNAVAILABLE, f"{what} is no JSON") from error
    if not isinstance(document, dict):
        raise AuthorityError(Rebuff.UNAVAILABLE, f"{what} is no JSON object")
    return document


def read_keys(content: bytes) -> Mapping[str, object]:
    """Read a key set; what is no key for signatures is left out. Spec: RFC 7517 4.2 and 5.

    Raises:
        AuthorityError: it is none.
    """
    found = read_object(content, "its key set").get("keys")
    if not isinstance(found, list) or len(found) > MOST_KEYS:
        raise AuthorityError(Rebuff.UNAVAILABLE, "its key set is none")
    # A shared secret has no place in what everybody can read.
    good = [key for key in found if isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"}]
    return {"keys": [key for key in good if key.get("use", "sig") == "sig"]}


def _named(settings: OidcSettings) -> dict[str, str]:
    """Return the endpoints that the entry names, under the names of the specification."""
    return {name.replace("user_info", "userinfo"): address for name, address in settings.endpoints}


def _address(document: Mapping[str, object], name: str) -> str:
    """Return an address that may be used; empty for any other."""
    address = document.get(name)
    return address if isinstance(address, str) and not address_problem(address) else ""


def _words(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return a list of words; empty for none."""
    found = document.get(name)
    return tuple(word for word in found if isinstance(word, str)) if isinstance(found, list) else ()


def _algorithms(document: Mapping[str, object]) -> tuple[str, ...]:
    """Return how ID tokens may be signed: never not at all, and never with a secret that both sides have.

    Spec: RFC 8725 3.1 and 3.2.
    """
    named = _words(document, "id_token_signing_alg_values_supported") or (_USUAL_ALGORITHM,)
    return tuple(name for name in named if name in METHODS)
