"""Fakes of the outside, each keeping to the contract of the real thing, and a way to drive a coroutine."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Coroutine, Mapping
from hashlib import sha256
from typing import Any, TypeVar

from konnectd.interfaces import BackendUnavailableError, LogonAnswer, RefusalReason, Refused
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.wrapping import Wrapping
from konnectd.stores.memory import MemoryStore

Answer = TypeVar("Answer")

#: A moment to begin at: 2023-11-14, 22:13:20 UTC.
NOON = 1_700_000_000


def run(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Drive a coroutine that never has to wait; fail loudly if it does."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        answer: Answer = stop.value
        return answer
    coroutine.close()
    raise AssertionError("the coroutine waited for something")


class FixedClock:
    """A clock that only moves when told to."""

    def __init__(self, now: int = NOON) -> None:
        """Begin at a moment."""
        self._now = now

    def now(self) -> int:
        """Return seconds since the epoch."""
        return self._now

    def advance(self, seconds: int) -> int:
        """Move, backwards too, and return the new time."""
        self._now += seconds
        return self._now


class CountingEntropy:
    """Chance anybody can guess: ``n1AAA...``, ``n2AAA...``, as long as the real thing and never twice the same."""

    def __init__(self) -> None:
        """Begin before the first."""
        self.count = 0

    def token(self, size: int = 32) -> str:
        """Return base64url without padding of ``size`` bytes, which begins with a running number."""
        self.count += 1
        return f"n{self.count}".ljust((size * 4 + 2) // 3, "A")


class Registry:
    """Clients given in advance; `silent` makes it unreachable."""

    def __init__(self, *clients: Client) -> None:
        """Keep the clients."""
        self.clients = {client.client_id: client for client in clients}
        self.silent = False

    async def get(self, client_id: str) -> Client | None:
        """Return a client by its id."""
        if self.silent:
            raise BackendUnavailableError("the registry is silent")
        return self.clients.get(client_id)


class ReadableSigner:
    """Signer and verifier whose tokens anybody can read and, knowing its name, make."""

    def __init__(self, algorithms: tuple[str, ...] = ("PS256",), name: str = "konnectd") -> None:
        """Sign as somebody, by some algorithms, the default one first."""
        self.algorithms = algorithms
        self.name = name

    async def sign(self, claims: Mapping[str, object], algorithm: str | None = None, typ: str = "JWT") -> str:
        """Return a token in three segments; without an algorithm, or with one it lacks, by the default one."""
        alg = algorithm if algorithm in self.algorithms else self.algorithms[0]
        header = {"alg": alg, "kid": self.name, "typ": typ}
        signed = f"{_segment(header)}.{_segment(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def verify(self, token: str) -> Mapping[str, object] | None:
        """Return the claims of a token that this signer made."""
        signed, _, signature = token.rpartition(".")
        if signed.count(".") != 1 or signature != self._signature(signed):
            return None
        return claims_of(token)

    def _signature(self, signed: str) -> str:
        """Return a digest of the name and what it signs."""
        return _b64url(sha256(f"{self.name} {signed}".encode()).digest())


class ReadableEncrypter:
    """An encrypter whose envelopes anybody can open; `silent` keeps it from the clients' keys."""

    def __init__(self) -> None:
        """Begin with every key at hand."""
        self.silent = False

    async def encrypt(self, client: Client, content: str, wrapping: Wrapping) -> str:
        """Return five segments, as a JWE has."""
        if self.silent:
            raise BackendUnavailableError("the client's keys can not be fetched")
        header = {"alg": wrapping.alg, "enc": wrapping.enc, "for": client.client_id}
        return f"{_segment({**header, 'cty': 'JWT'} if wrapping.nested else header)}...{_b64url(content.encode())}."


def opened(token: str) -> str:
    """Return what is in an envelope of a `ReadableEncrypter`."""
    segment = token.split(".")[3]
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()


def header_of(token: str) -> dict[str, Any]:
    """Read the header of any compact JWS, without checking anything."""
    return _read(token.partition(".")[0])


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims of any compact JWS, without checking anything."""
    return _read(token.split(".")[1])


class ReadableSealer:
    """A sealer whose values anybody can read; it keeps purposes and ends apart as the real one does."""

    def seal(self, purpose: str, claims: Mapping[str, object], expires_at: int) -> str:
        """Return text safe for cookies and URLs."""
        return _segment({"purpose": purpose, "expires_at": expires_at, "claims": claims})

    def open(self, purpose: str, text: str, now: int) -> Mapping[str, object] | None:
        """Return the claims; None when it is no sealed value, was made for another purpose, or has expired."""
        try:
            sealed = _read(text)
            claims: dict[str, object] = sealed["claims"]
            good = sealed["purpose"] == purpose and now < sealed["expires_at"]
        except (ValueError, KeyError, TypeError):
            return None
        return claims if good else None

    def tag(self, purpose: str, text: str) -> str:
        """Return a digest of 128 bits."""
        return _b64url(sha256(f"{purpose} {text}".encode("utf-8", "surrogatepass")).digest()[:16])


class SilentStore:
    """A store that does not answer."""

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Raise `BackendUnavailableError`."""
        raise BackendUnavailableError("the store is silent")

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Raise `BackendUnavailableError`."""
        raise BackendUnavailableError("the store is silent")

    async def get(self, key: str) -> str | None:
        """Raise `BackendUnavailableError`."""
        raise BackendUnavailableError("the store is silent")

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Raise `BackendUnavailableError`."""
        raise BackendUnavailableError("the store is silent")

    async def take(self, key: str) -> str | None:
        """Raise `BackendUnavailableError`."""
        raise BackendUnavailableError("the store is silent")

    async def increment(self, key: str, ttl: int) -> int:
        """Raise `BackendUnavailableError`."""
        raise BackendUnavailableError("the store is silent")

    async def close(self) -> None:
        """Do nothing."""


class People:
    """A backend of people given in advance, with a list of the names that were tried.

    Set `silent` to make it unreachable, and change `users` to let people come and go.
    """

    name = "identifier-test"
    scopes: tuple[str, ...] = ("profile", "email", "groups", "konnect/id", "konnect/uuid", "konnect/raw_sub")
    claims: tuple[str, ...] = ("name", "family_name", "given_name", "email", "email_verified", "groups")

    def __init__(self, *users: EndUser, passwords: Mapping[str, str] | None = None) -> None:
        """Keep people by their id, and passwords by user name."""
        self.users = {user.user_id: user for user in users}
        self.passwords = dict(passwords or {})
        self.tried: list[str] = []
        self.silent = False

    async def check(self) -> None:
        """Fail only when silent."""
        self._listen()

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person as they are now."""
        self._listen()
        return self.users.get(user_id)

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password."""
        self._listen()
        self.tried.append(username)
        if not password:
            return Refused(RefusalReason.EMPTY_PASSWORD)
        user = self._named(username)
        if user is None:
            return Refused(RefusalReason.UNKNOWN_USER)
        if self.passwords.get(user.username) != password:
            return Refused(RefusalReason.WRONG_PASSWORD, principal=user.subject)
        return user

    async def find_by_username(self, username: str) -> EndUser | None:
        """Return the person a name means."""
        self._listen()
        return self._named(username)

    async def close(self) -> None:
        """Do nothing."""

    def _named(self, username: str) -> EndUser | None:
        """Return who has a name, whatever its case."""
        return next((user for user in self.users.values() if user.username.casefold() == username.casefold()), None)

    def _listen(self) -> None:
        """Raise when silent."""
        if self.silent:
            raise BackendUnavailableError("the backend is silent")


def memory_store(clock: FixedClock | None = None) -> MemoryStore:
    """Return the real store of one process, on a clock that only moves when told to."""
    return MemoryStore(clock or FixedClock())


def _b64url(content: bytes) -> str:
    """Write bytes as base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _segment(value: Mapping[str, object]) -> str:
    """Write one segment of a token."""
    return _b64url(json.dumps(value).encode())


def _read(segment: str) -> dict[str, Any]:
    """Read one segment of a token."""
    value: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return value
