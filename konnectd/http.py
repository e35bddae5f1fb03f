"""HTTP messages as values.

Everything between the edge of the daemon and its flows is an `HttpRequest` going in and an `HttpResponse` coming out.
Nothing here knows Twisted or Klein, and nothing here knows OpenID Connect.
"""

from collections.abc import Mapping
from typing import Self, TypeAlias

from attrs import field, frozen

from konnectd.happenings import Happening
from konnectd.jsontext import write

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

JSON_TYPE = b"application/json; charset=utf-8"
HTML_TYPE = b"text/html; charset=utf-8"
TEXT_TYPE = b"text/plain; charset=utf-8"
FORM_TYPE = "application/x-www-form-urlencoded"

#: An answer that belongs to one person or carries a secret must not be kept by anybody.
NO_STORE: Headers = ((b"Cache-Control", b"no-store"), (b"Pragma", b"no-cache"))


@frozen(kw_only=True)
class HttpRequest:
    """One request, as far as the daemon ever looks at it.

    Attributes:
        method: upper case.
        path: the request target before ``?``, not decoded.
        query: the request target after ``?``, not decoded; empty without one.
        headers: lower-case names; repeated headers joined by ``, `` (``cookie`` by ``; ``).
        body: at most as many bytes as the server lets in.
        peer: address of the TCP peer, empty for a unix socket.
        forwarded: address of the browser, where a proxy that is trusted says it; else empty.
        recognized: name of the person at the browser, where a proxy that is trusted says it; else empty.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    peer: str = ""
    forwarded: str = ""
    recognized: str = ""

    @property
    def client(self) -> str:
        """The address of the browser or program that asks, as far as it is known; empty for a unix socket."""
        return self.forwarded or self.peer

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, or the empty string."""
        return self.headers.get(name, "")

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name; of a repeated name the first one, which has the longest path.

        Spec: RFC 6265 5.4 (order of cookies).
        """
        found: dict[str, str] = {}
        for pair in self.header("cookie").split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals:
                found.setdefault(name.strip(), value.strip())
        return found


@frozen(kw_only=True)
class HttpResponse:
    """One answer.

    Attributes:
        status: the HTTP status code.
        headers: in order; names may repeat (``Set-Cookie``).
        body: complete; nothing is streamed.
        happened: what it came of, for those who count and keep records; never sent.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    happened: tuple[Happening, ...] = field(default=(), repr=False, eq=False)

    @classmethod
    def json(cls, value: object, status: int = 200, headers: Headers = NO_STORE) -> Self:
        """Answer with a JSON document that nobody may keep unless other headers are given."""
        body = write(value) + b"\n"
        return cls(status=status, headers=((b"Content-Type", JSON_TYPE), *headers), body=body)

    @classmethod
    def text(cls, text: str, status: int = 200, headers: Headers = NO_STORE) -> Self:
        """Answer with plain text."""
        return cls(status=status, headers=((b"Content-Type", TEXT_TYPE), *headers), body=text.encode())

    @classmethod
    def redirect(cls, location: str, status: int = 302, headers: Headers = ()) -> Self:
        """Send the browser elsewhere.

        Args:
            location: already encoded; only ASCII.
            status: 302, or 303 after a form was posted.
            headers: further ones, such as ``Set-Cookie``.
        """
        return cls(status=status, headers=((b"Location", location.encode("ascii")), *NO_STORE, *headers))

    def with_headers(self, *headers: tuple[bytes, bytes]) -> "HttpResponse":
        """Return the same answer with further headers."""
        return HttpResponse(status=self.status, headers=self.headers + headers, body=self.body, happened=self.happened)

    def telling(self, *happened: Happening) -> "HttpResponse":
        """Return the same answer, with what it came of."""
        return HttpResponse(
            status=self.status, headers=self.headers, body=self.body, happened=(*self.happened, *happened)
        )
