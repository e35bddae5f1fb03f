"""Devices without a keyboard or a browser: what they ask for, and the code that a person types for them elsewhere.

A user code is 8 of 20 letters, about 2**34.5 possibilities; there are no vowels, so that no words come about. A code is
only looked up for somebody who has signed in, `MOST_TRIES` times in `TRIES_TTL` seconds; so whoever guesses hits one
given device with a chance below 2**-31 in that time, and knows afterwards no more than what asks for access. All wrong
codes together are limited as well, for those who have many accounts.

Spec: RFC 8628.
"""

from collections.abc import Collection
from hashlib import sha256
from typing import Self

from attrs import field, frozen

from konnectd.jsontext import read, write_text
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.resource import parse_resources
from konnectd.protocol.scope import OPENID, RAW_SUBJECT, Scope
from konnectd.protocol.vocabulary import ErrorCode

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
#: How long a person has to find a browser, type the code and decide, in seconds.
DEVICE_TTL = 600
#: How long a device is told to wait between two questions, and how much longer each time it does not, in seconds.
INTERVAL = 5
#: The longest wait that is held against a device, in seconds.
LONGEST_INTERVAL = 60
#: How many codes one person, and how many wrong ones everybody together may try in `TRIES_TTL` seconds.
MOST_TRIES = 8
MOST_WRONG = 1000
TRIES_TTL = 600
#: How many devices may begin within `DEVICE_TTL` seconds in the name of a client that can not prove who it is: anybody
#: can begin those, and nobody else may find the store full of them.
MOST_UNPROVEN = 10_000
#: Letters of a user code. Spec: RFC 8628 6.1.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_LENGTH = 8
#: The parameter that carries one.
USER_CODE = "user_code"
#: How much is read of what somebody typed, in characters.
LONGEST_TYPED = 64
#: What stands in place of a grant when a person said no.
DENIED = "denied"


@frozen(kw_only=True)
class DeviceRequest:
    """What a device asks for; nothing of it changes any more.

    Attributes:
        handle: names it in the store; the device code can not be found from it.
        scope: what can be granted of what was asked for.
        resources: the servers its access tokens are for; empty for the client itself.
        expires_at: from when on nobody can allow or use it, in seconds since the epoch.
    """

    handle: str
    client_id: str
    scope: Scope
    resources: tuple[str, ...] = ()
    expires_at: int

    def to_text(self) -> str:
        """Write it for a store."""
        return write_text(
            {
                "v": 1,
                "handle": self.handle,
                "client": self.client_id,
                "scope": str(self.scope),
                "resources": list(self.resources),
                "exp": self.expires_at,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read what `to_text` wrote; what another version wrote is no request."""
        try:
            value = read(text)
        except ValueError:
            return None
        match value:
            case {
                "v": 1,
                "handle": str(handle),
                "client": str(client_id),
                "scope": str(scope),
                "resources": list(resources),
                "exp": int(expires_at),
            }:
                return cls(
                    handle=handle,
                    client_id=client_id,
                    scope=Scope.of(scope.split()),
                    resources=tuple(str(resource) for resource in resources),
                    expires_at=expires_at,
                )
        return None


@frozen(kw_only=True)
class DeviceCodes:
    """What a device is told.

    Attributes:
        user_code: as people read it.
        verification_uri: where they type it.
    """

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    verification_uri: str

    def to_json(self) -> dict[str, object]:
        """Write it for the wire. Spec: RFC 8628 3.2 and 3.3.1."""
        return {
            "device_code": self.device_code,
            "user_code": self.user_code,
            "verification_uri": self.verification_uri,
            "verification_uri_complete": f"{self.verification_uri}?user_code={self.user_code}",
            "expires_in": DEVICE_TTL,
            "interval": INTERVAL,
        }


def check_registered(client: Client) -> None:
    """Check that a client is registered for devices.

    Raises:
        OAuthError: ``unauthorized_client``.
    """
    if GRANT_TYPE not in client.grant_types:
        raise OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, "the client is not registered for device authorization")


def read_request(client: Client, parameters: Parameters, supported: Collection[str]) -> tuple[Scope, tuple[str, ...]]:
    """Return scope and resources that a device asks for.

    Raises:
        OAuthError: ``invalid_scope`` without openid, ``invalid_target`` for servers that are not the client's,
            ``invalid_request`` for a challenge.

    Spec: RFC 8628 3.1; RFC 8707 2.
    """
    check_without_pkce(parameters)
    scope = Scope.parse(parameters.text("scope"))
    if OPENID not in scope:
        raise OAuthError(ErrorCode.INVALID_SCOPE, "scope must contain openid")
    return grantable(scope, client, supported), parse_resources(parameters, client)


def unproven_key(client: Client) -> str:
    """Name the counter of the devices that begin in the name of a client; empty when nobody but the client can."""
    return f"devices:{sha256(client.client_id.encode()).hexdigest()}" if client.public else ""


def check_count(count: int) -> None:
    """Refuse to keep more of what anybody could begin.

    Raises:
        OAuthError: ``temporarily_unavailable``.
    """
    if count > MOST_UNPROVEN:
        raise OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "too many devices of this client are waiting")


def check_without_pkce(parameters: Parameters) -> None:
    """Refuse a challenge and a verifier: a client that sent one must not believe that it was checked.

    Raises:
        OAuthError: ``invalid_request``.

    Spec: RFC 7636 1 (for what comes back by a redirect, which nothing does here).
    """
    if any(name in parameters for name in ("code_challenge", "code_challenge_method", "code_verifier")):
        raise OAuthError(ErrorCode.INVALID_REQUEST, "there is no PKCE for devices")


def grantable(scope: Scope, client: Client, supported: Collection[str]) -> Scope:
    """Return what of a scope can be granted to a client at this moment."""
    kept = scope.keep(supported)
    # A client that knows people by names of its own gets no other name of theirs.
    return kept.without(RAW_SUBJECT) if client.pairwise is not None else kept


def user_code_of(chance: str) -> str:
    """Make a user code of random text."""
    number = int.from_bytes(sha256(chance.encode()).digest(), "big")
    letters = []
    for _ in range(USER_CODE_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)


def shown(user_code: str) -> str:
    """Write a user code as people read it: in two halves."""
    half = USER_CODE_LENGTH // 2
    return f"{user_code[:half]}-{user_code[half:]}"


def find_user_code(typed: str) -> str | None:
    """Return the user code that somebody typed, whatever stands between its letters; None when it can be none.

    Spec: RFC 8628 6.1 (case and punctuation are passed over).
    """
    letters = "".join(letter for letter in typed[:LONGEST_TYPED] if letter.isalnum()).upper()
    good = len(letters) == USER_CODE_LENGTH and set(letters) <= set(ALPHABET)
    return letters if good else None


def handle_of(device_code: str) -> str:
    """Return the name of a device code, from which nobody finds the code itself."""
    return sha256(device_code.encode()).hexdigest()


def request_key(handle: str) -> str:
    """Name the entry of a request; who takes it is who redeems it."""
    return f"device:{handle}"


def answer_key(handle: str) -> str:
    """Name the entry of what a person decided."""
    return f"device-answer:{handle}"


def poll_key(handle: str) -> str:
    """Name the entry that is there while a device has to wait."""
    return f"device-poll:{handle}"


def haste_key(handle: str) -> str:
    """Name the counter of questions that came too early."""
    return f"device-haste:{handle}"


def interval_after(haste: str | None) -> int:
    """Return how long a device has to wait that came too early some times already.

    A second is given: what was sent in time may arrive sooner after the one before.

    Spec: RFC 8628 3.5 (``slow_down``).
    """
    return min(INTERVAL * (1 + int(haste or "0")), LONGEST_INTERVAL) - 1
