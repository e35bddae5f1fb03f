"""What the daemon asks of the outside: one Protocol for each thing, the small values they speak in, their errors.

Read this first: whoever writes a backend, a store or a front end needs this file and one sibling to copy from.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from attrs import field, frozen

from konnectd.protocol.authorize import Pairs
from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import Credentials
from konnectd.protocol.client_grant import ClientApproval
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.token import Lifetimes
from konnectd.protocol.vocabulary import AuthMethod
from konnectd.protocol.wrapping import Wrapping


class BackendUnavailableError(Exception):
    """Something behind us does not answer, or answers nonsense; trying again later may help.

    Raised ``from`` the cause by the adapter that met it. Its text goes to the log, never to the wire.
    """


class SessionLostError(BackendUnavailableError):
    """A backend says nothing about a person before they sign in again: its own session with them is over."""


class RefusalReason(StrEnum):
    """Why a sign-in was refused: for the log. The page says the same for all of them."""

    UNKNOWN_USER = "unknown_user"
    WRONG_PASSWORD = "wrong_password"
    EMPTY_PASSWORD = "empty_password"
    AMBIGUOUS = "ambiguous_user"
    DISABLED = "account_disabled"
    LOCKED = "account_locked"
    EXPIRED = "account_or_password_expired"


@frozen
class Refused:
    """Nobody was signed in.

    Attributes:
        principal: the subject of the account that was tried, when there is one; attempts under its several names
            count together.
    """

    reason: RefusalReason
    principal: str = field(default="", repr=False, eq=False)


LogonAnswer: TypeAlias = EndUser | Refused
#: Makes the token with which a backend may begin a session for somebody who is signed in here, from their user id.
Vouch: TypeAlias = Callable[[str], Awaitable[str]]


class Clock(Protocol):
    """The time of day."""

    def now(self) -> int:
        """Return seconds since the epoch."""
        ...


class Entropy(Protocol):
    """Chance that nobody can guess."""

    def token(self, size: int = 32) -> str:
        """Return base64url without padding of ``size`` random bytes."""
        ...


class ClientRegistry(Protocol):
    """The clients that are known."""

    async def get(self, client_id: str) -> Client | None:
        """Return a client by its id.

        Raises:
            BackendUnavailableError: the registry did not answer.
        """
        ...


class Store(Protocol):
    """Short-lived facts shared by everything that must happen once or be revocable.

    Keys and values are text. Every entry has a life in seconds, after which it counts as absent. Each method is one
    atomic step, whatever number of processes share the store, and raises `BackendUnavailableError` when it can not
    tell; nothing that was accepted is lost silently.
    """

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value, replacing what was there."""
        ...

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one already; return whether it was kept."""
        ...

    async def get(self, key: str) -> str | None:
        """Return a value."""
        ...

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values in the order of their keys, all as they are at one moment: one question, not many."""
        ...

    async def take(self, key: str) -> str | None:
        """Return a value and forget it: of any number of takers one gets it."""
        ...

    async def increment(self, key: str, ttl: int) -> int:
        """Add one to a counter and return it; its life begins with the first increment and is not prolonged."""
        ...

    async def close(self) -> None:
        """Let go of connections and timers."""
        ...


class Signer(Protocol):
    """Makes JWS of our own."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The ``alg`` values there is a key for, the default one first."""
        ...

    def sign(self, claims: Mapping[str, object], algorithm: str | None = None, typ: str = "JWT") -> Awaitable[str]:
        """Return a compact JWS; without an algorithm, or with one there is no key for, by the default one."""
        ...


class Verifier(Protocol):
    """Checks JWS of our own."""

    def verify(self, token: str) -> Mapping[str, object] | None:
        """Return the claims when one of our keys signed them; times, issuer and kind are the caller's business."""
        ...


class ClientKeys(Protocol):
    """Checks JWS that clients made: by the keys or the secret they are registered with."""

    async def verify(self, client: Client, token: str, algorithms: Collection[str]) -> Mapping[str, object] | None:
        """Return the claims when a key of the client signed them by one of some algorithms.

        Keys that stand at a client's ``jwks_uri`` are fetched, and fetched again when none of them fits the token.
        Times, issuer and audience are the caller's business.

        Raises:
            BackendUnavailableError: the client's keys could not be fetched.
        """
        ...

    async def members(self, client: Client) -> Sequence[object]:
        """Return the keys of a client, registered or fetched, as JSON Web Keys that nobody has looked into.

        Raises:
            BackendUnavailableError: they could not be fetched.
        """
        ...


class Encrypter(Protocol):
    """Encrypts for clients: with the keys or the secret they are registered with."""

    async def encrypt(self, client: Client, content: str, wrapping: Wrapping) -> str:
        """Return a compact JWE of a signed token, or of claims as JSON, that only the client can read.

        Raises:
            BackendUnavailableError: the client's keys could not be fetched, or none of them is for this.
        """
        ...


class Sealer(Protocol):
    """Makes values that only this daemon can read, each for one purpose."""

    def seal(self, purpose: str, claims: Mapping[str, object], expires_at: int) -> str:
        """Return text safe for cookies and URLs that `open` understands until a moment (seconds since the epoch)."""
        ...

    def open(self, purpose: str, text: str, now: int) -> Mapping[str, object] | None:
        """Return the claims; None when it is not ours, was sealed for another purpose, or has expired."""
        ...

    def tag(self, purpose: str, text: str) -> str:
        """Return a keyed digest (base64url, 128 bit) that proves this daemon has made something."""
        ...


class Backend(Protocol):
    """A source of users.

    Attributes:
        name: goes into tokens, subjects and logons (``identifier-ldap``); never change it.
        scopes: scopes beyond ``openid`` it can serve.
        claims: claims it can fill.
    """

    @property
    def name(self) -> str: ...

    @property
    def scopes(self) -> tuple[str, ...]: ...

    @property
    def claims(self) -> tuple[str, ...]: ...

    async def check(self) -> None:
        """Try the settings against the real thing, once, at start.

        Raises:
            ConfigErrors: a setting is wrong, and which.
            BackendUnavailableError: it did not answer; the settings may be right.
        """
        ...

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person as they are now; None when they are gone or may not sign in any more.

        Raises:
            BackendUnavailableError: the backend did not answer.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and timers."""
        ...


@runtime_checkable
class PasswordBackend(Backend, Protocol):
    """A source of users that can check a password."""

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password as a person typed them.

        The empty password is refused before anything else, and an unknown user costs about as much time as a wrong
        password.

        Raises:
            BackendUnavailableError: the backend did not answer.
        """
        ...


@runtime_checkable
class NamingBackend(Backend, Protocol):
    """A source of users that can find somebody by the name they sign in with, when somebody else vouches for them."""

    async def find_by_username(self, username: str) -> EndUser | None:
        """Return the person a name means, as they are now; None for nobody, and for who may not sign in.

        Raises:
            BackendUnavailableError: the backend did not answer.
        """
        ...


@runtime_checkable
class SessionBackend(Backend, Protocol):
    """A source of users that keeps a session of its own for each person who is signed in."""

    @property
    def longest_access_token(self) -> int | None:
        """How long access tokens may live, in seconds, to be of use as long as its sessions are; None for any time."""
        ...

    def rely_on(self, vouch: Vouch) -> None:
        """Take what makes tokens: before the first request, and again when other keys sign."""
        ...

    async def leave(self, user_id: str) -> None:
        """End what it has for a person who has signed out everywhere; the outside's faults are never raised."""
        ...


@frozen(kw_only=True)
class GrantTools:
    """What a grant type may use.

    Attributes:
        refresh_token_grace: how long a spent refresh token gives its successor again, in seconds.
        scopes: every scope that can be granted; empty for any.
    """

    issuer: str
    backend: Backend
    store: Store
    sealer: Sealer
    signer: Signer
    verifier: Verifier
    clock: Clock
    entropy: Entropy
    lifetimes: Lifetimes
    refresh_token_grace: int = 10
    scopes: frozenset[str] = frozenset()


class Grant(Protocol):
    """One grant type of the token endpoint; its module has ``build(tools: GrantTools)``."""

    @property
    def grant_type(self) -> str:
        """The word on the wire."""
        ...

    async def approve(self, client: Client, parameters: Parameters) -> Approval | ClientApproval:
        """Check a token request of an authenticated client and say what it gets.

        Raises:
            OAuthError: the request is refused.
            BackendUnavailableError: something behind us did not answer.
        """
        ...


class FetchError(Exception):
    """An address of a client may not be asked, or did not answer as it should; its text goes to the log."""


class Fetch(Protocol):
    """Asks addresses that clients chose, and only those that a client may make us ask.

    They are https, and no machine of our own network unless the operator says so. No redirect is followed, and there
    are limits of size and time.
    """

    async def get(self, url: str) -> bytes:
        """Return what stands at an address: the body of an answer with status 200.

        Raises:
            FetchError: it may not be asked, did not answer, or answered something else.
        """
        ...

    async def post(self, url: str, fields: Pairs) -> int:
        """Post a form to an address and return the status of the answer, whatever it is.

        Raises:
            FetchError: it may not be asked or did not answer.
        """
        ...


@frozen(kw_only=True)
class AuthenticationTools:
    """What a method of client authentication may use; audiences are those of `konnectd.protocol.client_assertion`."""

    audiences: frozenset[str]
    keys: ClientKeys
    store: Store
    clock: Clock


class AuthenticationMethod(Protocol):
    """One method of client authentication; its module has ``build(tools: AuthenticationTools)``."""

    @property
    def method(self) -> AuthMethod: ...

    def find(self, authorization: str, parameters: Parameters) -> Credentials | None:
        """Return the credentials of this kind that a request has; None when it has none.

        Raises:
            InvalidClientError: it has some that can not be read.
        """
        ...

    async def check(self, client: Client, credentials: Credentials) -> None:
        """Check the credentials of a client that is registered for this method.

        Raises:
            InvalidClientError: they are wrong.
            BackendUnavailableError: something behind us did not answer.
        """
        ...


class Background(Protocol):
    """Does things that nobody waits for."""

    def after(self, seconds: int, work: Callable[[], Awaitable[None]]) -> None:
        """Do something after some seconds, or never, when the daemon stops before that."""
        ...

    def complain(self, client_id: str, problem: str) -> None:
        """Tell the operator that a client could not be reached."""
        ...
