"""Style sheet, script and pictures of the pages, served from memory.

Each file's URL carries a digest of its content, so browsers may keep it for good and a new version is a new URL.
Files are read once, at start.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Self

from attrs import field, frozen

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.route import Route

#: What is served at all; a file of another kind in the folder stops the start.
MEDIA_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".jpg": b"image/jpeg",
    ".jpeg": b"image/jpeg",
    ".gif": b"image/gif",
    ".ico": b"image/x-icon",
    ".webp": b"image/webp",
    ".woff2": b"font/woff2",
}
#: A picture opened by itself is a document; this keeps scripts in it from running in our origin.
ALONE = b"default-src 'none'; style-src 'unsafe-inline'; sandbox"
#: What a name consists of, so that it is a part of an address as it stands.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: Characters of a digest in a URL: 96 bits of SHA-256.
DIGEST_LENGTH = 24


@frozen(kw_only=True)
class StaticFile:
    """One file, ready to be sent.

    Attributes:
        path: the URL path, digest included.
        etag: quoted; strong, because the bytes behind it never change.
    """

    path: str
    media_type: bytes
    etag: str
    content: bytes = field(repr=False)

    async def respond(self, request: HttpRequest) -> HttpResponse:
        """Send the file, or only say that the browser's copy is still good.

        Spec: RFC 9110 13.1.2 (If-None-Match), 15.4.5 (304).
        """
        headers = (
            (b"Cache-Control", b"public, max-age=31536000, immutable"),
            (b"ETag", self.etag.encode("ascii")),
            (b"Content-Security-Policy", ALONE),
            (b"Cross-Origin-Resource-Policy", b"same-origin"),
        )
        if _names(request.header("if-none-match"), self.etag):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(headers=((b"Content-Type", self.media_type), *headers), body=self.content)

    @classmethod
    def read(cls, file: Path, prefix: str) -> Self:
        """Read a file.

        Raises:
            LookupError: its name ends in nothing that is known.
        """
        return cls.of(file.name, file.read_bytes(), prefix)

    @classmethod
    def of(cls, name: str, content: bytes, prefix: str) -> Self:
        """Make a file of its content.

        Raises:
            LookupError: its name ends in nothing that is known, or can not stand in an address.
        """
        file = PurePosixPath(name)
        media_type = MEDIA_TYPES.get(file.suffix)
        if media_type is None:
            raise LookupError(f"{name}: this kind of file is not served")
        if _NAME.fullmatch(name) is None:
            raise LookupError(f"{name}: the name may only have letters, digits and -._")
        digest = hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
        path = f"{prefix}{file.stem}.{digest}{file.suffix}"
        return cls(path=path, media_type=media_type, etag=f'"{digest}"', content=content)


@frozen
class StaticFiles:
    """All files of a folder, by the name they have there."""

    files: Mapping[str, StaticFile]

    @classmethod
    def read(cls, folder: Path, prefix: str) -> Self:
        """Read a folder; hidden files and folders in it are left out.

        Args:
            folder: such as ``templates/static``.
            prefix: the URL path they are served below, ending in a slash.

        Raises:
            LookupError: a file is of a kind that is not known.
            OSError: something can not be read.
        """
        found = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
        return cls({file.name: StaticFile.read(file, prefix) for file in found})

    def with_files(self, files: Mapping[str, StaticFile]) -> Self:
        """Return these files and others; where both have a name, the others count."""
        return type(self)({**self.files, **files})

    def url(self, name: str) -> str:
        """Return the URL path of a file.

        Raises:
            LookupError: there is no such file.
        """
        return self.files[name].path

    @property
    def routes(self) -> tuple[Route, ...]:
        """What to serve, one route for each file."""
        return tuple(
            Route(path=file.path, methods=("GET",), respond=file.respond, face=_no_face, name="static")
            for file in self.files.values()
        )


def _names(header: str, etag: str) -> bool:
    """Tell whether an ``If-None-Match`` header covers a tag; weak comparison, as it must be."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or "*" in tags


def _no_face(error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:  # noqa: ARG001 - a Face
    """Know no failure: nothing here fails except through a fault of ours."""
    return None
