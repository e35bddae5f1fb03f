"""How an answer looks as bytes: status line, the headers every answer has, the body.

There is one way from an `HttpResponse` to the wire, whichever lane made it. What an endpoint says is not decided here.
"""

import re
from http import HTTPStatus

from konnectd.http import Headers, HttpResponse

#: What every answer carries; ``Referrer-Policy`` only unless the endpoint set one of its own.
NOSNIFF = (b"X-Content-Type-Options", b"nosniff")
NO_REFERRER = (b"Referrer-Policy", b"no-referrer")

_REFERRER_NAME = b"referrer-policy"
#: What the server says of a message itself; said twice, two readers could believe different ones.
_OURS = frozenset({b"content-length", b"transfer-encoding", b"connection", b"date"})
_PLAIN_NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %s\r\n" % (status.value, status.phrase.encode("ascii")) for status in HTTPStatus
}
#: Spec: RFC 9110 8.6 (``Content-Length``) and 6.4.1 (no content with these).
_WITHOUT_CONTENT = frozenset({204, 304})


class UnsafeHeaderError(Exception):
    """A header of an answer would not be one header on the wire; somebody's text got into it unchecked.

    Spec: RFC 9110 5.5 (field values).
    """


def full_headers(headers: Headers) -> Headers:
    """Return the headers of an answer with those that every answer has."""
    if any(name.lower() == _REFERRER_NAME for name, _ in headers):
        return (NOSNIFF, *headers)
    return (NOSNIFF, NO_REFERRER, *headers)


def check_headers(headers: Headers) -> None:
    """Refuse headers that could end early, or begin another one.

    Raises:
        UnsafeHeaderError: a name is no token or is the server's own, or a value has a control character.
    """
    for name, value in headers:
        if name.lower() in _OURS:
            raise UnsafeHeaderError(f"{name.decode('ascii')} is set by the server")
        if _PLAIN_NAME.match(name) is None:
            raise UnsafeHeaderError("a header's name is not a token")
        if _CONTROL.search(value) is not None:
            raise UnsafeHeaderError(f"control character in the value of {name.decode('ascii')}")


def has_content(answer: HttpResponse) -> bool:
    """Tell whether an answer of this status may have a body and a ``Content-Length``."""
    return answer.status not in _WITHOUT_CONTENT


def serialize(
    answer: HttpResponse, *, date: bytes, close: bool = False, head_only: bool = False, fixed: bytes = b""
) -> bytes:
    """Return an answer as it goes onto the wire.

    Args:
        answer: what to say.
        date: the value of the ``Date`` header.
        close: whether the connection ends with it.
        head_only: leave the body out, as for ``HEAD``; its length is still told.
        fixed: further header lines, complete and known to be safe.

    Raises:
        UnsafeHeaderError: a header could not be sent as it is.

    Spec: RFC 9112 4 (status line), 6.3 (length), 9.6 (``close``).
    """
    parts = [_status_line(answer.status), b"Date: ", date, b"\r\n"]
    if answer.status not in _WITHOUT_CONTENT:
        parts.append(b"Content-Length: %d\r\n" % len(answer.body))
    parts.append(b"X-Content-Type-Options: nosniff\r\n")
    own_policy = False
    for name, value in answer.headers:
        lower = name.lower()
        if lower in _OURS or _PLAIN_NAME.match(name) is None or _CONTROL.search(value) is not None:
            check_headers(answer.headers)
        if lower == _REFERRER_NAME:
            own_policy = True
        parts += (name, b": ", value, b"\r\n")
    if not own_policy:
        parts.append(b"Referrer-Policy: no-referrer\r\n")
    parts.append(fixed)
    parts.append(b"Connection: close\r\n\r\n" if close else b"\r\n")
    if not head_only and answer.status not in _WITHOUT_CONTENT:
        parts.append(answer.body)
    return b"".join(parts)


def _status_line(status: int) -> bytes:
    """Return the status line; a status nobody registered has no reason phrase."""
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
