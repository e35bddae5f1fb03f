"""Files that pages refer to which somebody has open, although pages made now refer to others.

A file's address has a digest of its content in it, so it means the same file for ever. A browser that got its page a
moment before a reload asks for style and pictures a moment after it.
"""

from typing import Self

from attrs import frozen

from konnectd.web.route import Route
from konnectd.web.static import StaticFile, StaticFiles

#: For how long they are still served, in seconds: as long as somebody may sit before a page to sign in.
KEPT = 3600
#: And how much of them, in bytes; the latest go first into that.
MOST_BYTES = 16 << 20


@frozen
class _Kept:
    """A file, and until when it is served."""

    file: StaticFile
    until: int


@frozen
class Bygone:
    """The files of earlier pages, the latest first."""

    kept: tuple[_Kept, ...] = ()

    def after(self, replaced: StaticFiles, now_served: StaticFiles, now: int) -> Self:
        """Return what is to be served besides, after some files gave way to others.

        Args:
            replaced: were served until now.
            now_served: are from now on.
            now: seconds since the epoch.
        """
        known = {file.path for file in now_served.files.values()}
        left, size = [], 0
        for one in (*(_Kept(file, now + KEPT) for file in replaced.files.values()), *self.kept):
            if one.file.path in known or one.until <= now:
                continue
            known.add(one.file.path)
            size += len(one.file.content)
            if size > MOST_BYTES:
                break
            left.append(one)
        return type(self)(tuple(left))

    @property
    def routes(self) -> tuple[Route, ...]:
        """What to serve, one route for each file."""
        return StaticFiles({one.file.path: one.file for one in self.kept}).routes
