"""The identifier API, version 1: what a front end of somebody else's asks, in JSON; what it is told is in `greeting`.

Names, types and meaning are Konnect's, because programs that speak it are in use. What is read here is strict: a member
that nobody knows, that is there twice or is of another type is refused, so that two readers can not understand it in
two ways. Which status an answer has, and its cookies, are not decided here.

Spec: record 31 (what differs from Konnect).
"""

import re
from collections.abc import Mapping
from typing import Self

from attrs import field, frozen

from konnectd.jsontext import read_strictly
from konnectd.protocol.authorize import LARGEST_MAX_AGE
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters, is_text
from konnectd.protocol.scope import Scope
from konnectd.protocol.vocabulary import ErrorCode, Prompt

#: Flows in which a client waits; ``oauth`` means the same as ``oidc``.
CONSENT_FLOW = "consent"
FLOWS = frozenset({"oidc", "oauth", CONSENT_FLOW})
#: Ways to sign in: as who is signed in already, and by password.
MODE_COOKIE = "0"
MODE_PASSWORD = "1"  # noqa: S105 - the name of a mode
#: Where the parts of a sign-in stand: name, password, mode.
FEWEST_PARAMS = 3
MOST_PARAMS = 16
#: What a front end sends to know its answer again. It goes into a header, where blanks around it would be lost.
_STATE = re.compile("(?:[!-~](?:[ -~]{0,1022}[!-~])?)?")

_HELLO = frozenset({"state", "flow", "scope", "prompt", "client_id", "redirect_uri", "id_token_hint", "max_age"})
_LOGON = frozenset({"state", "params", "hello"})
_LOGOFF = frozenset({"state"})
_CONSENT = frozenset({"state", "allow", "scope", "client_id", "redirect_uri", "ref", "flow_nonce"})


def refused(why: str) -> OAuthError:
    """Return the error of a request that makes no sense."""
    return OAuthError(ErrorCode.INVALID_REQUEST, why)


def read_body(body: bytes) -> object:
    """Read JSON text.

    Raises:
        OAuthError: it is none, or has a member twice.

    Spec: RFC 8259 2, 4 and 8.1.
    """
    try:
        return read_strictly(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise refused("the body is not a JSON document in UTF-8, or has a member twice") from None


def _members(value: object, known: frozenset[str]) -> dict[str, object]:
    """Return the members of an object; those that are null are as if not there.

    Raises:
        OAuthError: it is no object, or has a member that nobody knows.
    """
    if not isinstance(value, dict):
        raise refused("an object is expected")
    if not known.issuperset(value):
        raise refused(f"a member is not one of {', '.join(sorted(known))}")
    return {name: member for name, member in value.items() if member is not None}


def _text(members: Mapping[str, object], name: str) -> str:
    """Return a text; empty when it is not there.

    Raises:
        OAuthError: it is no text, or one that no form could send.
    """
    value = members.get(name, "")
    if not isinstance(value, str) or not is_text(value):
        raise refused(f"{name} must be a text without control characters")
    return value


def _state(members: Mapping[str, object]) -> str:
    """Return the value by which a front end knows its answer again.

    Raises:
        OAuthError: it could not stand in a header.
    """
    state = _text(members, "state")
    if _STATE.fullmatch(state) is None:
        raise refused("state must be at most 1024 printable ASCII characters, without blanks around them")
    return state


def _max_age(members: Mapping[str, object]) -> int | None:
    """Return ``max_age`` in seconds, which is a text; None when it is not there. Spec: OIDC Core 3.1.2.1.

    Raises:
        OAuthError: it is no number.
    """
    text = _text(members, "max_age")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_MAX_AGE))):
        raise refused("max_age must be a number of seconds, as a text")
    return int(text)


@frozen(kw_only=True)
class Hello:
    """Somebody's question: who is there, and what next?

    Attributes:
        flow: one of `FLOWS`; empty when no client waits.
        max_age: in seconds; None for any.
    """

    state: str = ""
    flow: str = ""
    scope: Scope = Scope()
    prompt: frozenset[Prompt] = frozenset()
    client_id: str = ""
    redirect_uri: str = ""
    id_token_hint: str = field(default="", repr=False)
    max_age: int | None = None

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read it.

        Raises:
            OAuthError: it is malformed, or nobody may be asked anything.
        """
        members = _members(value, _HELLO)
        words = _text(members, "prompt").split()
        if Prompt.NONE in words:
            raise refused("prompt none is for requests that no front end sees")
        flow = _text(members, "flow")
        return cls(
            state=_state(members),
            flow=flow if flow in FLOWS else "",
            scope=Scope.parse(_text(members, "scope")),
            prompt=frozenset(prompt for prompt in Prompt if prompt in words),
            client_id=_text(members, "client_id"),
            redirect_uri=_text(members, "redirect_uri"),
            id_token_hint=_text(members, "id_token_hint"),
            max_age=_max_age(members),
        )

    @property
    def address(self) -> Parameters:
        """What says which client waits, and where."""
        return address_of(self.client_id, self.redirect_uri)


def address_of(client_id: str, redirect_uri: str, state: str = "") -> Parameters:
    """Return the parameters that prove where an answer goes."""
    return Parameters.from_pairs((("client_id", client_id), ("redirect_uri", redirect_uri), ("state", state)))


@frozen(kw_only=True)
class LogonAttempt:
    """Somebody wants to sign in.

    Attributes:
        params: name, password and mode; more of them mean nothing yet.
    """

    state: str
    params: tuple[str, ...] = field(repr=False)
    hello: Hello | None = None

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read it.

        Raises:
            OAuthError: it is malformed.
        """
        members = _members(value, _LOGON)
        params = members.get("params")
        if not isinstance(params, list) or not 0 < len(params) <= MOST_PARAMS:
            raise refused("params must be a list of texts")
        hello = members.get("hello")
        return cls(
            state=_state(members),
            params=tuple(_text({"params": param}, "params") for param in params),
            hello=Hello.parse(hello) if hello is not None else None,
        )

    @property
    def username(self) -> str:
        """Who they say they are."""
        return self.params[0]

    @property
    def password(self) -> str:
        """How they prove it; empty when they do not."""
        return self.params[1] if len(self.params) > 1 else ""

    @property
    def mode(self) -> str:
        """In which way they want to sign in; empty when nobody can tell, and for one that is not there."""
        mode = self.params[FEWEST_PARAMS - 1] if len(self.params) >= FEWEST_PARAMS else ""
        if mode == MODE_COOKIE:
            return "" if self.password else mode
        return mode if mode == MODE_PASSWORD and self.password else ""


def parse_logoff(value: object) -> str:
    """Return the state of somebody who wants to leave.

    Raises:
        OAuthError: it is malformed.
    """
    return _state(_members(value, _LOGOFF))


@frozen(kw_only=True)
class ConsentAnswer:
    """What somebody answered on the consent page of a front end.

    Attributes:
        state: leads back to the answer, as parameter ``konnect`` of the authorization request.
        ref: ``state`` of that request.
        nonce: of that request.
    """

    state: str
    allow: bool
    scope: Scope
    client_id: str
    redirect_uri: str
    ref: str = field(default="", repr=False)
    nonce: str = field(default="", repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read it.

        Raises:
            OAuthError: it is malformed.
        """
        members = _members(value, _CONSENT)
        allow, state = members.get("allow", False), _state(members)
        if not isinstance(allow, bool):
            raise refused("allow must be true or false")
        if not state:
            raise refused("state is missing")
        return cls(
            state=state,
            allow=allow,
            scope=Scope.parse(_text(members, "scope")),
            client_id=_text(members, "client_id"),
            redirect_uri=_text(members, "redirect_uri"),
            ref=_text(members, "ref"),
            nonce=_text(members, "flow_nonce"),
        )

    @property
    def address(self) -> Parameters:
        """What says which client waits, and where."""
        return address_of(self.client_id, self.redirect_uri, self.ref)
