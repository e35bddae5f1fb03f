"""Pictures that clients have for logos: a real one, and how files of each kind begin."""

import struct
import zlib
from collections.abc import Mapping

_INK, _NOTHING = b"\x1f\x5f\xa8\xff", b"\x00\x00\x00\x00"


def png(width: int = 96, height: int = 96) -> bytes:
    """Return a picture that browsers show: a disk, or an ellipse, on nothing."""
    rows = b"".join(
        b"\x00" + b"".join(_INK if _inside(x / width, y / height) else _NOTHING for x in range(width))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _inside(x: float, y: float) -> bool:
    """Tell whether a point is inside the disk; both are fractions of the picture."""
    return (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.25


def _chunk(kind: bytes, content: bytes) -> bytes:
    """Return one part of a picture. Spec: PNG 5.3."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


PNG = png()
#: The beginning of each kind of picture that is shown, with its media type.
BEGINNINGS: Mapping[bytes, str] = {
    PNG[:16]: "image/png",
    b"\xff\xd8\xff\xe0\x00\x10JFIF": "image/jpeg",
    b"\xff\xd8\xff\xe1\x12\x34Exif": "image/jpeg",
    b"GIF87a\x01\x00\x01\x00": "image/gif",
    b"GIF89a\x01\x00\x01\x00": "image/gif",
    b"RIFF\x24\x00\x00\x00WEBPVP8 ": "image/webp",
}
