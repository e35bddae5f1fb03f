"""Pushed authorization requests: what a client left with us, and the reference it got for it.

Spec: RFC 9126.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Self

from attrs import field, frozen

from konnectd.protocol.authorize import INTERNAL_PARAMETERS
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.progress import PROGRESS_TTL
from konnectd.protocol.request_object import REQUEST_URI, refusal, written
from konnectd.protocol.vocabulary import ErrorCode

#: How every reference begins. Spec: RFC 9126 2.2.
PREFIX = "urn:ietf:params:oauth:request_uri:"
#: How long a browser may take from the push to the authorization endpoint, in seconds. Spec: RFC 9126 2.2 and 7.1.
PUSHED_TTL = 90
#: How long a request is kept: a browser that arrived in time may be on our pages for a while.
KEPT_TTL = PUSHED_TTL + PROGRESS_TTL
#: Longest request that is kept, in characters as it is written for the store, where it is sealed.
LONGEST_PUSHED = 8 * 1024
#: How many requests are kept within `KEPT_TTL` seconds in the name of who can not prove it: anybody can push those,
#: and nobody else may find the store full of them.
MOST_UNPROVEN = 20_000
#: How a client proves who it is; a request that is kept has nothing of it. Spec: RFC 9126 2.1.
_CREDENTIALS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


@frozen(kw_only=True)
class PushedRequest:
    """A request that a client has pushed.

    Attributes:
        client_id: whose it is.
        parameters: what was pushed, with what a request object among it says.
        expires_at: from when on nobody can begin with it, in seconds since the epoch.
        signed: what a client says in an object that brings a guest: the same as the parameters, and what the object
            says of itself; None for any other request.
    """

    client_id: str
    parameters: Parameters = field(repr=False)
    expires_at: int
    signed: Mapping[str, object] | None = field(default=None, repr=False)

    def to_text(self) -> str:
        """Write it for a store; of a request that brings a guest the object, in which all the rest stands.

        Raises:
            OAuthError: the object is nested too deeply.
        """
        kept = {"client": self.client_id, "exp": self.expires_at}
        if self.signed is None:
            return _json({"v": 1, **kept, "sent": dict(self.parameters.without("client_id").items())})
        return _json({"v": 2, **kept, "signed": self.signed})

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read what `to_text` wrote."""
        match _read(text):
            case {"v": 1, "client": str(client_id), "exp": int(expires_at), "sent": dict(sent)}:
                parameters = Parameters({"client_id": client_id, **sent})
                return cls(client_id=client_id, parameters=parameters, expires_at=expires_at)
            case {"v": 2, "client": str(client_id), "exp": int(expires_at), "signed": dict(signed)}:
                parameters = Parameters({**written(signed), "client_id": client_id})
                return cls(client_id=client_id, parameters=parameters, expires_at=expires_at, signed=signed)
        return None


def _json(value: Mapping[str, object]) -> str:
    """Write JSON. What no parameter is made of is in an object as deep as its client likes."""
    try:
        return json.dumps(value, separators=(",", ":"))
    except RecursionError:
        raise refusal("the request object is nested too deeply") from None


def _read(text: str) -> object:
    """Read JSON; None when it could be written only with fewer calls under way than now."""
    try:
        return json.loads(text)
    except RecursionError:
        return None


def is_pushed(request_uri: str) -> bool:
    """Tell whether a ``request_uri`` is a reference of ours."""
    return request_uri.startswith(PREFIX)


def pushed_key(reference: str) -> str:
    """Name what is stored for a reference; whoever reads the store can not use it."""
    return f"par:{sha256(reference.encode()).hexdigest()}"


def unproven_key(client: Client) -> str:
    """Name the counter of what is pushed in the name of a client; empty when nobody but a client of the house can.

    A client that registered itself proves no more than that it did so, and may do so again as often as it likes; so all
    of them have one counter.

    Spec: RFC 9126 2.3 and 7.1.
    """
    if client.dynamic:
        return "pushed:self-registered"
    return f"pushed:{sha256(client.client_id.encode()).hexdigest()}" if client.public else ""


def check_count(count: int) -> None:
    """Refuse to keep more of what anybody could push.

    Raises:
        OAuthError: ``temporarily_unavailable``.
    """
    if count > MOST_UNPROVEN:
        raise OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "too many requests of this client are being kept")


def pushable(parameters: Parameters, client_id: str) -> Parameters:
    """Return what of a posted form is the request.

    Args:
        parameters: the form.
        client_id: who has proven to be the client.

    Raises:
        OAuthError: it refers to another request.

    Spec: RFC 9126 2.1.
    """
    if REQUEST_URI in parameters:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "request_uri can not be pushed")
    sent: Mapping[str, str] = {
        name: value
        for name, value in parameters.items()
        if name not in _CREDENTIALS and name not in INTERNAL_PARAMETERS
    }
    return Parameters({**sent, "client_id": client_id})


def check_size(text: str) -> str:
    """Return a request as it is stored.

    Raises:
        OAuthError: it is too long.

    Spec: RFC 9126 2.3.
    """
    if len(text) > LONGEST_PUSHED:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "the request is too long to be kept")
    return text
