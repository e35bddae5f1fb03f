"""HTTP as the real server reads and writes it: little of it counts.

Path, host and type are not looked at, nor is the announced length: a request is there when its document is complete. On
a unix socket the document may come without any HTTP around it.
"""

import re
import zlib
from collections.abc import Mapping

from attrs import define, field, frozen

from tests.support.kopano.documents import DocumentError, DocumentReader, Element

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
METHOD_ERROR = "HTTP method error"
NO_CONTENT = "Data required for operation"
NOT_WELL_FORMED = "Well-formedness violation"
OK, METHOD_NOT_ALLOWED, SERVER_ERROR = "200 OK", "405 Method Not Allowed", "500 Internal Server Error"
#: Methods that tell whether the server is there.
PROBES = frozenset(("HEAD", "OPTIONS"))

_REQUEST_LINE = re.compile(r"([A-Z]+) \S+ HTTP/1\.([0-9])")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_MOST_HEAD_BYTES = 64 * 1024
#: Nothing that is read at once is unpacked to more than this.
_MOST_UNPACKED_BYTES = 4 * 1024 * 1024
#: How a document begins: with markup, or with a mark of its byte order.
_BEGINNINGS = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_WHITE_SPACE = b" \t\r\n"


@frozen(kw_only=True)
class Received:
    """A request that is there, or can not come any more.

    Attributes:
        method: of HTTP; that of a bare document is POST.
        keeps_alive: the connection may stay.
        root: of the document.
        fault: what is wrong, instead of a document.
    """

    method: str
    keeps_alive: bool = True
    root: Element | None = None
    fault: str = ""


@define
class _Chunks:
    """Takes chunks apart.

    Attributes:
        is_over: the last one was there.
    """

    is_over: bool = False
    _buffer: bytes = b""
    _left: int = 0
    _trailer: bool = False

    def feed(self, content: bytes) -> bytes:
        """Return what was in the chunks.

        Raises:
            DocumentError: they are none.
        """
        self._buffer += content
        found = b""
        while self._buffer and not self.is_over:
            if self._left:
                piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
                self._left -= len(piece)
                found += piece
            elif not self._next_line():
                break
        return found

    def _next_line(self) -> bool:
        """Read a line between chunks; say whether there was a whole one."""
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._buffer = rest
        if self._trailer:
            self.is_over = not line
        elif line:
            match = _CHUNK_SIZE.fullmatch(line)
            if match is None:
                raise DocumentError("no chunk")
            self._left = int(match[1], 16)
            self._trailer = self._left == 0
        return True


class _Unpacker:
    """Unpacks what was packed with gzip or deflate, the latter with and without a head of its own."""

    def __init__(self) -> None:
        """Begin."""
        self._unpack: zlib._Decompress | None = None

    @property
    def is_over(self) -> bool:
        """Say whether all of it was there."""
        return self._unpack is not None and self._unpack.eof

    def feed(self, content: bytes) -> bytes:
        """Unpack on.

        Raises:
            DocumentError: it is not packed.
        """
        if self._unpack is None:
            headed = content[:2] == b"\x1f\x8b" or (content[:1] == b"\x78" and int.from_bytes(content[:2]) % 31 == 0)
            self._unpack = zlib.decompressobj(wbits=47 if headed else -15)
        try:
            return self._unpack.decompress(content, _MOST_UNPACKED_BYTES)
        except zlib.error as error:
            raise DocumentError("not packed") from error


@define(eq=False)
class Incoming:
    """One request, as it comes in.

    Attributes:
        may_be_bare: a document without HTTP will do.
        has_begun: something of it was there.
        wants_continue: the client waits to be told that it may go on.
        received: it, when it is there.
    """

    may_be_bare: bool
    has_begun: bool = False
    wants_continue: bool = False
    received: Received | None = None
    _buffer: bytes = b""
    _in_body: bool = False
    _keeps_alive: bool = True
    _document: DocumentReader = field(factory=DocumentReader)
    _document_has_begun: bool = False
    _chunks: _Chunks | None = None
    _unpacker: _Unpacker | None = None

    def feed(self, content: bytes) -> None:
        """Read on; what comes after a request that is there is lost."""
        if self.received is not None:
            return
        if self._in_body:
            self._feed_body(content)
            return
        # White space after the last document belongs to it.
        self._buffer = (self._buffer + content).lstrip(_WHITE_SPACE)
        self.has_begun = bool(self._buffer)
        if self.may_be_bare and self._buffer.startswith(_BEGINNINGS):
            self._in_body = True
            self._feed_body(self._buffer)
        else:
            self._feed_head()

    def _feed_head(self) -> None:
        """Look whether the head is there."""
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if len(head) > _MOST_HEAD_BYTES:
            self._fail(METHOD_ERROR)
        elif end:
            self._read_head(head.decode("latin-1"), rest)

    def _read_head(self, head: str, rest: bytes) -> None:
        """Read the head, and what of the body came with it."""
        line, *lines = head.split("\r\n")
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            self._fail(METHOD_ERROR)
            return
        method = match[1]
        headers = {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        self._keeps_alive = match[2] != "0" and headers.get("connection", "").lower() != "close"
        if method != "POST":
            self.received = Received(method=method, keeps_alive=self._keeps_alive)
            return
        self._begin_body(headers)
        if headers.get("content-length") == "0":
            self._fail(NO_CONTENT)
        elif rest:
            self._feed_body(rest)

    def _begin_body(self, headers: Mapping[str, str]) -> None:
        """Be ready for the body."""
        self._in_body = True
        self.wants_continue = headers.get("expect", "").lower() == "100-continue"
        if "chunked" in headers.get("transfer-encoding", "").lower():
            self._chunks = _Chunks()
        if headers.get("content-encoding", "").lower() in {"gzip", "x-gzip", "deflate"}:
            self._unpacker = _Unpacker()

    def _feed_body(self, content: bytes) -> None:
        """Read on in the body."""
        try:
            if self._chunks is not None:
                content = self._chunks.feed(content)
            if self._unpacker is not None and content:
                content = self._unpacker.feed(content)
            self._feed_document(content)
        except DocumentError:
            self._fail(NOT_WELL_FORMED)

    def _feed_document(self, content: bytes) -> None:
        """Read on in the document, and look whether it is complete."""
        if not self._document_has_begun:
            content = content.lstrip(_WHITE_SPACE)
        if content and not self._document_has_begun and not content.startswith(_BEGINNINGS):
            self._fail(METHOD_ERROR)
            return
        self._document_has_begun = self._document_has_begun or bool(content)
        self._document.feed(content)
        is_whole = all(part is None or part.is_over for part in (self._chunks, self._unpacker))
        if self._document.root is not None and is_whole:
            self.received = Received(method="POST", keeps_alive=self._keeps_alive, root=self._document.root)
        elif self._chunks is not None and self._chunks.is_over:
            self._fail(NOT_WELL_FORMED if self._document_has_begun else NO_CONTENT)

    def _fail(self, text: str) -> None:
        """Give up."""
        self.received = Received(method="POST", keeps_alive=False, fault=text)


def response(status: str, body: bytes, *, keeps_alive: bool, chunked: bool = False) -> bytes:
    """Write a response, with the headers of the real server in its order."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = (
        f"HTTP/1.1 {status}\r\n"
        "Server: gSOAP/2.8\r\n"
        "X-Frame-Options: SAMEORIGIN\r\n"
        "Content-Type: text/xml; charset=utf-8\r\n"
        f"{length}\r\n"
        f"Connection: {'keep-alive' if keeps_alive else 'close'}\r\n\r\n"
    ).encode()
    return head + (b"%X\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body)
