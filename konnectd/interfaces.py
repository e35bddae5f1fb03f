"""What the daemon asks of the outside: one Protocol for each thing, the small values they speak in, their errors.

Read this first: whoever writes a backend, a store or a front end needs this file and one sibling to copy from.
"""

from collections.abc import Awaitable, Mapping
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from attrs import field, frozen

from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.token import Lifetimes


class BackendUnavailableError(Exception):
    """Something behind us does not answer, or answers nonsense; trying again later may help.

    Raised ``from`` the cause by the adapter that met it. Its text goes to the log, never to the wire.
    """


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


@frozen(kw_only=True)
class GrantTools:
    """What a grant type may use."""

    issuer: str
    backend: Backend
    store: Store
    sealer: Sealer
    verifier: Verifier
    clock: Clock
    lifetimes: Lifetimes


class Grant(Protocol):
    """One grant type of the token endpoint; its module has ``build(tools: GrantTools)``."""

    @property
    def grant_type(self) -> str:
        """The word on the wire."""
        ...

    async def approve(self, client: Client, parameters: Parameters) -> Approval:
        """Check a token request of an authenticated client and say what it gets.

        Raises:
            OAuthError: the request is refused.
            BackendUnavailableError: something behind us did not answer.
        """
        ...
