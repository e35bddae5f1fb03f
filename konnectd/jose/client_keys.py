"""Tokens that clients signed: request objects and proofs of who they are.

A signature is good by a key the client is registered with (``jwks``, or what stands at its ``jwks_uri``), and by HMAC
with its secret. The family of the algorithm decides between the two, so a public key is never taken for a secret. No
key is taken from a token, and "none" is no signature.

Keys at a ``jwks_uri`` are kept for some minutes. When no key fits a token they are fetched again, for clients that have
just changed theirs; but not again right away, or everybody could make us ask a client all the time.

Spec: RFC 7515 5.2; RFC 7517 5; RFC 7518 3; RFC 8725 3; OIDC Core 10.1 and 10.1.1.
"""

import hmac
import json
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

from attrs import field, frozen

from konnectd.base64url import from_b64url
from konnectd.interfaces import BackendUnavailableError, Clock, Fetch, FetchError
from konnectd.jose.jwk import from_jwk
from konnectd.jose.keys import METHODS, PublicKey
from konnectd.jose.signing import LONGEST_TOKEN, checking, read_segment
from konnectd.protocol.client import Client
from konnectd.protocol.client_assertion import SECRET_ALGORITHMS
from konnectd.protocol.public_key import public_members

#: Longest header of a client's token, in characters; some carry a whole chain of certificates, which is not looked at.
LONGEST_HEADER = 8 * 1024
#: How long fetched keys are taken without asking again, in seconds.
FRESH = 300
#: How long fetched keys are good when asking again fails.
USABLE = 3600
#: How long nobody is asked again after an answer, or after there was none.
PAUSE = 10
#: For how many clients fetched keys are kept.
REMEMBERED = 1024
#: More keys than these are not tried; a key set is short.
MOST_KEYS = 32

_HMACS: Mapping[str, str] = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
#: Every algorithm by which a request object may be signed.
REQUEST_OBJECT_METHODS = (*METHODS, *_HMACS)
#: Members of a header that change what is signed; who does not know them must refuse. Spec: RFC 7515 4.1.11; RFC 7797.
_REFUSED_MEMBERS = frozenset({"crit", "b64"})


@frozen(kw_only=True)
class _Token:
    """A compact JWS that can be checked.

    Attributes:
        kid: None when it names no key.
        message: what is signed.
    """

    algorithm: str
    kid: str | None
    message: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    payload: str = field(repr=False)

    @classmethod
    def find(cls, token: str, algorithms: Collection[str]) -> "_Token | None":
        """Read a token; None when it is none, or signed by another algorithm. No claim is read yet."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        segments = token.split(".", 3)
        if len(segments) != 3 or len(segments[0]) > LONGEST_HEADER:
            return None
        header = read_segment(segments[0])
        signature = from_b64url(segments[2])
        if header is None or signature is None or _REFUSED_MEMBERS & header.keys():
            return None
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in algorithms or not isinstance(kid, str | None):
            return None
        message = f"{segments[0]}.{segments[1]}".encode("ascii")
        return cls(algorithm=algorithm, kid=kid, message=message, signature=signature, payload=segments[1])

    def claims(self) -> Mapping[str, object] | None:
        """Return what is signed; None when it is no JSON object with distinct members."""
        return read_segment(self.payload)

    def fits_secret(self, secret: str) -> bool:
        """Tell whether it is signed with a secret, which must be as long as the hash."""
        key = secret.encode()
        if len(key) < SECRET_ALGORITHMS[self.algorithm]:
            return False
        return hmac.compare_digest(hmac.digest(key, self.message, _HMACS[self.algorithm]), self.signature)

    def fits(self, jwks: "_KeySet") -> bool:
        """Tell whether one of some keys has signed it."""
        return any(
            checking(self.algorithm, key.key)(self.signature, self.message)
            for key in jwks.find(self.kid, self.algorithm)
        )


@frozen
class _KeySet:
    """Keys as they are registered or were fetched; each is looked into when a token names it."""

    members: Sequence[Mapping[str, object]] = field(repr=False)

    @classmethod
    def of(cls, jwks: Mapping[str, object] | None) -> "_KeySet | None":
        """Read a key set; None when it is none. What is no public key, and what nobody looks at, is left out."""
        keys = jwks.get("keys") if jwks else None
        if not isinstance(keys, list):
            return None
        found = (public_members(key) for key in keys[:MOST_KEYS])
        return cls(tuple(key for key in found if key is not None))

    def find(self, kid: str | None, algorithm: str) -> "list[PublicKey]":
        """Return the keys that a header may mean: those of its key id and those without one.

        A key of another kind, for something else, too weak or broken is none.
        """
        named = (member for member in self.members if kid is None or _may_be(member, kid))
        keys = (_public_key(member) for member in named)
        return [key for key in keys if key is not None and algorithm in key.algorithms]


@frozen(kw_only=True)
class _Fetched:
    """What stands at a ``jwks_uri``.

    Attributes:
        keys: None when it has never been there.
        fetched_at: when they were; 0 for never.
        asked_at: when it was last asked, with or without an answer.
    """

    keys: _KeySet | None = None
    fetched_at: int = 0
    asked_at: int = 0


class RegisteredKeys:
    """Checks tokens by what their client is registered with. It is a `konnectd.interfaces.ClientKeys`."""

    def __init__(self, fetch: Fetch, clock: Clock, remembered: int = REMEMBERED) -> None:
        """Begin without any fetched key."""
        self._fetch = fetch
        self._clock = clock
        self._remembered = remembered
        self._fetched: OrderedDict[tuple[str, str], _Fetched] = OrderedDict()

    def __len__(self) -> int:
        """Return for how many clients fetched keys are kept."""
        return len(self._fetched)

    async def verify(self, client: Client, token: str, algorithms: Collection[str]) -> Mapping[str, object] | None:
        """Return the claims when a key or the secret of the client signed them by one of some algorithms.

        Raises:
            BackendUnavailableError: the client's keys could not be fetched.
        """
        found = _Token.find(token, algorithms)
        if found is None:
            return None
        if found.algorithm in _HMACS:
            return found.claims() if found.fits_secret(client.secret) else None
        if found.algorithm not in METHODS:
            return None
        if client.jwks is not None or not client.jwks_uri:
            keys = _KeySet.of(client.jwks)
            return found.claims() if keys is not None and found.fits(keys) else None
        return found.claims() if await self._fits_fetched(found, client) else None

    async def members(self, client: Client) -> Sequence[object]:
        """Return the keys of a client, registered or fetched lately, as JSON Web Keys that nobody has looked into.

        Raises:
            BackendUnavailableError: they could not be fetched, neither now nor lately.
        """
        if client.jwks is not None or not client.jwks_uri:
            keys = _KeySet.of(client.jwks)
            return keys.members if keys is not None else ()
        known, now = self._known(client), self._clock.now()
        if known.keys is not None and now - known.fetched_at < FRESH:
            return known.keys.members
        return (await self._ask(client, known, now)).members

    async def _fits_fetched(self, token: _Token, client: Client) -> bool:
        """Tell whether a key that stands at the client's ``jwks_uri`` has signed a token.

        Raises:
            BackendUnavailableError: the keys could not be fetched, neither now nor lately.
        """
        known = self._known(client)
        now = self._clock.now()
        fresh = known.keys is not None and now - known.fetched_at < FRESH
        if fresh and known.keys is not None and token.fits(known.keys):
            return True
        keys = await self._ask(client, known, now)
        # The very same ones need not be tried again.
        return not (fresh and keys is known.keys) and token.fits(keys)

    def _known(self, client: Client) -> _Fetched:
        """Return what is known of a client's keys."""
        place = (client.client_id, client.jwks_uri)
        known = self._fetched.get(place)
        if known is None:
            return _Fetched()
        self._fetched.move_to_end(place)
        return known

    async def _ask(self, client: Client, known: _Fetched, now: int) -> _KeySet:
        """Fetch a client's keys, and keep them.

        Raises:
            BackendUnavailableError: they could not be fetched, and there are no old ones that are still good.
        """
        problem: FetchError | None = None
        if known.asked_at == 0 or now - known.asked_at >= PAUSE:
            try:
                keys = _read(await self._fetch.get(client.jwks_uri))
            except FetchError as error:
                problem = error
                self._keep(client, _Fetched(keys=known.keys, fetched_at=known.fetched_at, asked_at=now))
            else:
                self._keep(client, _Fetched(keys=keys, fetched_at=now, asked_at=now))
                return keys
        if known.keys is not None and now - known.fetched_at < USABLE:
            return known.keys
        why = problem or "they could not be a moment ago"
        raise BackendUnavailableError(f"the keys of client {client.short_id} can not be fetched: {why}") from problem

    def _keep(self, client: Client, fetched: _Fetched) -> None:
        """Keep what is known of a client's keys, and forget what nobody has asked for longest."""
        place = (client.client_id, client.jwks_uri)
        self._fetched[place] = fetched
        self._fetched.move_to_end(place)
        if len(self._fetched) > self._remembered:
            self._fetched.popitem(last=False)


def _read(content: bytes) -> _KeySet:
    """Read a key set as it was fetched.

    Raises:
        FetchError: it is none.

    Spec: RFC 7517 5.
    """
    try:
        document: object = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FetchError("what stands there is no JSON document") from error
    keys = _KeySet.of(document) if isinstance(document, dict) else None
    if keys is None:
        raise FetchError("what stands there is no set of keys")
    return keys


def _may_be(member: Mapping[str, object], kid: str) -> bool:
    """Tell whether a key may be the one that is called so."""
    return member.get("kid", kid) == kid


def _public_key(member: Mapping[str, object]) -> PublicKey | None:
    """Return a key that checks signatures; None for any other."""
    try:
        key = from_jwk(json.dumps(member))
    except ValueError:
        return None
    # Some clients register their private key as well. That part is not read; what it signs is still theirs.
    return key if isinstance(key, PublicKey) else None
