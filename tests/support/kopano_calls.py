"""Calls as a real client has sent them, made anew with our own classes, and the answers to them as values."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from attrs import frozen

from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import Code, KopanoError, KopanoFaultError
from konnectd.backends._kopano_logons import PasswordCheck, PersonLogon, ServiceAccount, ServiceLogon, TokenLogon
from konnectd.backends._kopano_soap import BookName, Call, GetUser, Logoff, ResolveNames, ResolveUsername, SessionId
from tests.support.kopano.captures import FOLDER

_CALLS = "{urn:zarafa}"
_NO_UID, _NO_SESSION = 1, 2
#: What a client may say about itself as it likes: its version, and whether it wants its answers in chunks.
_OWN_WORDS = frozenset(("szClientAppVersion", "clientVersion"))
_ENTRY = EntryId.parse("AAAAAKwhqVBA0+5Isxn7p1MwRCUBAAAABgAAAAMAAABlM0lhMWVkM1RmU29hempISWo1aEZRPT0AAAAA")
_SESSION = SessionId(1)

#: Something of each kind that reads answers.
READERS: Mapping[str, Call[Any]] = {
    "logon": PersonLogon("alice", "x"),
    "ssoLogon": TokenLogon("x"),
    "logoff": Logoff(_SESSION),
    "resolveUsername": ResolveUsername(_SESSION, "alice"),
    "getUser": GetUser(_SESSION, _ENTRY),
    "abResolveNames": ResolveNames(_SESSION, (BookName("alice"),)),
}


@frozen
class Sent:
    """What is in a request.

    Attributes:
        fields: its children, each with its text, or with its items and their texts.
    """

    method: str
    fields: tuple[tuple[str, object], ...]

    def get(self, name: str) -> str:
        """Return the text of a field; nothing if there is none."""
        return str(dict(self.fields).get(name, ""))

    def comparable(self) -> "Sent":
        """Return it without what a client may say as it likes. In a logon that has no version, its element is one."""
        own = _OWN_WORDS if self.method == "logon" else _OWN_WORDS - {"clientVersion"}
        fields = [(name, self._plain(name, value)) for name, value in self.fields if name not in own]
        return Sent(self.method, tuple(sorted(fields, key=lambda pair: pair[0])))

    def _plain(self, name: str, value: object) -> object:
        """Return capabilities without the wish for chunks."""
        return int(str(value)) & ~0x100 if name in {"ulCapabilities", "clientCaps"} else value


def sent(content: bytes) -> Sent | None:
    """Read a request as the server does: the call by its namespace, children without one; None when it is no call."""
    try:
        body = ET.fromstring(content)[0]  # noqa: S314 - our own, and files of the repository
    except ET.ParseError:
        return None
    method = body[0].tag
    if not method.startswith(_CALLS):
        return None
    return Sent(method.removeprefix(_CALLS), tuple((child.tag, _value(child)) for child in body[0]))


def captured(name: str) -> bytes:
    """Return what a real client has sent, its head left out; nothing if there was only a head."""
    return (FOLDER / f"{name}.request.http").read_bytes().partition(b"\r\n\r\n")[2]


def replied(name: str) -> bytes:
    """Return what a real server has answered, its head left out and its chunks put together."""
    head, _, body = (FOLDER / f"{name}.response.http").read_bytes().partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" not in head:
        return body
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


def rebuilt(request: Sent) -> Call[Any]:
    """Make a call of ours that means the same.

    Raises:
        ValueError: there is none.
    """
    session = SessionId(int(request.get("ulSessionId") or 0))
    match request.method:
        case "logon":
            return _logon(request.get("szUsername"), request.get("szPassword"), int(request.get("ulFlags")))
        case "ssoLogon":
            entry = request.get("szUsername")
            token = b64decode(request.get("lpInput")).decode().removeprefix("KCOIDC")
            return TokenLogon(token, EntryId.parse(entry) if entry else None)
        case "logoff":
            return Logoff(session)
        case "resolveUsername":
            return ResolveUsername(session, request.get("lpszUsername"))
        case "getUser":
            return GetUser(session, EntryId.parse(request.get("sUserId")))
        case "abResolveNames":
            return _book(session, dict(request.fields))
    raise ValueError(f"{request.method} is not called")


def outcome(call: Call[Any], content: bytes) -> str:
    """Say what an answer comes to, as the index of the captures does."""
    try:
        call.read(content)
    except KopanoError as error:
        code = error.code
    except KopanoFaultError as error:
        return f"fault: {error.reason}"
    else:
        code = Code.SUCCESS
    return f"{'result' if isinstance(call, Logoff) else 'er'}=0x{code:08x}"


def _value(element: ET.Element) -> object:
    """Return the text of an element, or its items."""
    return tuple(_value(child) for child in element) if len(element) else element.text or ""


def _logon(name: str, password: str, flags: int) -> Call[Any]:
    """Make the logon that has some flags."""
    if not flags & _NO_UID:
        return ServiceLogon(ServiceAccount(name, password))
    return PasswordCheck(name, password) if flags & _NO_SESSION else PersonLogon(name, password)


def _book(session: SessionId, fields: Mapping[str, Any]) -> Call[Any]:
    """Make the look-up of some names."""
    names = [row[0][1] for row in fields["lpsRowSet"]]
    return ResolveNames(
        session,
        tuple(BookName(name, flag == "2") for name, flag in zip(names, fields["lpaFlags"], strict=True)),
        exact=fields["ulFlags"] == "1",
        tags=tuple(map(int, fields["lpaPropTag"])),
    )
