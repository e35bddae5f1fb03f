"""The audit log's schema, and the entries that are made from what answers came of.

An entry is a flat JSON object. Nothing in it is secret, and nothing is what somebody typed: people are named by the
account that was found, and attempts on names that belong to nobody have no name at all, because that may have been a
password. Sessions are named by a digest, which tells two of them apart and is of no other use.

``docs/operate/audit.md`` is the manual of this table; a test holds the two together.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

from attrs import frozen

from konnectd.happenings import (
    Authorized,
    ClientChanged,
    ConsentAnswered,
    ConsentWithdrawn,
    Happening,
    Rejected,
    SignedIn,
    SignedOut,
    SignInRefused,
    TokenRevoked,
    TokensIssued,
)
from konnectd.jsontext import write

#: Of the schema; a member that is removed or means something else makes a new one, a further member does not.
VERSION = 1
#: Longest text of a member, in characters.
LONGEST = 512
#: Longest id of a client that is written as it is; one that registered itself has its whole registration in it.
LONGEST_CLIENT = 128
_PRINTABLE = re.compile(rb"[ -~]*")
#: How many clients or keys one entry tells of.
MOST_CHANGES = 100
#: Who redeems a code or refreshes has been written down before.
_AFTER_AUTHORIZATION = frozenset({"authorization_code", "refresh_token"})

Value: TypeAlias = str | int | bool | Mapping[str, str]


@frozen
class Shape:
    """The members of one kind of entry, besides those that all have.

    Attributes:
        always: that are always there.
        maybe: that are there when they are known.
    """

    always: Mapping[str, type]
    maybe: Mapping[str, type] = {}


#: What every entry has.
COMMON: Mapping[str, type] = {"audit": int, "time": str, "event": str}
_PERSON: Mapping[str, type] = {"user": str, "sub": str}
_PEER: Mapping[str, type] = {"address": str}
_KEY: Mapping[str, type] = {"key": str}

SHAPES: Mapping[str, Shape] = {
    "start": Shape({"version": str, "issuer": str, "backend": str, "store": str}),
    "stop": Shape({}),
    "keys": Shape({"keys": dict, "method": str}),
    "configuration": Shape({"options": str, "files": dict, "clients": int}),
    "reload": Shape({"reason": str, "changed_clients": dict, "changed_keys": dict}, {"more": int}),
    "reload-refused": Shape({"reason": str, "faults": int}),
    "key-published": Shape(_KEY),
    "key-activated": Shape({**_KEY, "instead_of": str}),
    "key-stripped": Shape(_KEY),
    "key-retired": Shape(_KEY),
    "sign-in": Shape({**_PERSON, "session": str, "method": str}, {**_PEER, "client": str, "authority": str}),
    "sign-in-refused": Shape({"reason": str}, {**_PEER, "account": str, "client": str, "authority": str}),
    "authorization": Shape({**_PERSON, "session": str, "client": str, "scope": str}, _PEER),
    "consent-given": Shape({**_PERSON, "client": str, "scope": str}, _PEER),
    "consent-refused": Shape({**_PERSON, "client": str}, _PEER),
    "consent-withdrawn": Shape(_PERSON, {**_PEER, "client": str}),
    "sign-out": Shape({**_PERSON, "session": str, "remote": bool}, _PEER),
    "client-refused": Shape({"route": str, "reason": str, "error": str, "reference": str}, {**_PEER, "client": str}),
    "client-registered": Shape({"client": str}, _PEER),
    "client-changed": Shape({"client": str}, _PEER),
    "client-removed": Shape({"client": str}, _PEER),
    "token-revoked": Shape({"client": str}, _PEER),
    "tokens-issued": Shape({"grant_type": str, "client": str, "scope": str}, _PEER),
    "lost": Shape({"count": int}),
}


def entry(event: str, now: float, **members: Value) -> str:
    """Write an entry as one line, without its end.

    Args:
        event: what happened.
        now: seconds since the epoch.
        members: empty text is left out where it may be missing.
    """
    second, thousandths = divmod(int(now * 1000), 1000)
    time = f"{_second(second)}.{thousandths:03d}Z"
    always = SHAPES[event].always
    told = {name: _bounded(value) for name, value in members.items() if value != "" or name in always}
    return _line({"audit": VERSION, "time": time, "event": event, **told})


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    """Write a second; many entries are of the same one."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _line(value: Mapping[str, object]) -> str:
    """Write JSON in printable ASCII, whatever somebody is called; most are called by nothing else."""
    line = write(value)
    if _PRINTABLE.fullmatch(line) is not None and line.startswith(b"{"):
        return line.decode("ascii")
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def entries(route: str, happened: tuple[Happening, ...], address: str, now: float) -> Iterator[str]:
    """Yield the entries that an answer makes; most answers make none.

    Args:
        route: its name.
        happened: what it came of.
        address: of whoever asked.
        now: seconds since the epoch.
    """
    for happening in happened:
        told = _told(route, happening)
        if told is not None:
            event, members = told
            yield entry(event, now, **members, address=address)


def changes(clients: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, Value]:
    """Return the members that tell what a reload has changed; of many changes, the first ones and how many more.

    Args:
        clients: what has become of each, by id.
        keys: the same.
    """
    told: dict[str, Value] = {
        "changed_clients": {_client(name): what for name, what in _first(clients)},
        "changed_keys": dict(_first(keys)),
    }
    more = max(len(clients) - MOST_CHANGES, 0) + max(len(keys) - MOST_CHANGES, 0)
    return {**told, "more": more} if more else told


def _first(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return as many as an entry tells of."""
    return list(values.items())[:MOST_CHANGES]


def _told(route: str, happening: Happening) -> tuple[str, dict[str, Value]] | None:
    """Return the entry of something that happened; None when it is none of the audit log's business."""
    match happening:
        case SignInRefused(reason=reason, account=account, client=client, authority=authority):
            members: dict[str, Value] = {"reason": reason, "account": account, "client": _client(client)}
            return "sign-in-refused", {**members, "authority": authority}
        case Rejected():
            return _refusal(route, happening)
        case ClientChanged(client=client, change=change):
            return f"client-{change}", {"client": _client(client)}
        case TokenRevoked(client=client):
            return "token-revoked", {"client": _client(client)}
        case TokensIssued(grant_type=grant_type, client=client, scope=scope):
            if grant_type in _AFTER_AUTHORIZATION:
                return None
            return "tokens-issued", {"grant_type": grant_type, "client": _client(client), "scope": scope}
        case _:
            return _of_person(happening)


def _of_person(
    happening: SignedIn | SignedOut | Authorized | ConsentAnswered | ConsentWithdrawn,
) -> tuple[str, dict[str, Value]]:
    """Return the entry of what somebody did who is known."""
    who: dict[str, Value] = {"user": happening.user, "sub": happening.sub}
    match happening:
        case SignedIn(session=session, client=client, recognized=recognized, authority=authority):
            method = "authority" if authority else "proxy" if recognized else "password"
            how: dict[str, Value] = {"method": method, "authority": authority}
            return "sign-in", {**who, "session": _session(session), **how, "client": _client(client)}
        case SignedOut(session=session, remote=remote):
            return "sign-out", {**who, "session": _session(session), "remote": remote}
        case Authorized(session=session, client=client, scope=scope):
            return "authorization", {**who, "session": _session(session), "client": _client(client), "scope": scope}
        case ConsentAnswered(client=client, allowed=allowed, scope=scope):
            if not allowed:
                return "consent-refused", {**who, "client": _client(client)}
            return "consent-given", {**who, "client": _client(client), "scope": scope}
        case ConsentWithdrawn(client=client):
            return "consent-withdrawn", {**who, "client": _client(client)}


def _refusal(route: str, rejected: Rejected) -> tuple[str, dict[str, Value]] | None:
    """Return the entry of a client that is refused; what happens every day, and faults of pages, have none."""
    if not rejected.error or rejected.everyday:
        return None
    return "client-refused", {
        "route": route,
        "reason": rejected.reason,
        "error": rejected.error,
        "reference": rejected.reference,
        "client": _client(rejected.client),
    }


def _session(session_id: str) -> str:
    """Name a session without saying its id."""
    return blake2b(session_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"konnectd-audit").hexdigest()


def _client(client_id: str) -> str:
    """Name a client; a long id by its beginning and a digest."""
    if len(client_id) <= LONGEST_CLIENT:
        return client_id
    digest = blake2b(client_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{client_id[:32]}...{digest}"


def _bounded(value: Value) -> Value:
    """Return a value that is no longer than an entry may have it."""
    return value[:LONGEST] if isinstance(value, str) else value
