"""The logo of a client: where it stands, and what counts as a picture.

What a stranger's server calls its answer means nothing: a picture is known by how it begins, and it is handed on under
the name of what it is. SVG is no picture here but a document, which can hold scripts and ask further servers.

Spec: OIDC Registration 2 (``logo_uri``); RFC 7591 2 and 5.
"""

from typing import Self

from attrs import field, frozen

from konnectd.protocol.client import Client

#: The beginning of each kind of picture, as it stands in the definition of that kind, with its media type.
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
#: WebP has the length of the file between its two words.
_RIFF, _WEBP, _WEBP_AT = b"RIFF", b"WEBP", 8


@frozen(kw_only=True)
class Logo:
    """A picture.

    Attributes:
        media_type: what it is, whatever it was called.
    """

    media_type: str
    content: bytes = field(repr=False)

    @classmethod
    def find(cls, content: bytes) -> Self | None:
        """Return what stands at a ``logo_uri`` as a picture; None when it is none that browsers may be given."""
        for beginning, media_type in _BEGINNINGS:
            if content.startswith(beginning):
                return cls(media_type=media_type, content=content)
        if content.startswith(_RIFF) and content.startswith(_WEBP, _WEBP_AT):
            return cls(media_type="image/webp", content=content)
        return None


def logo_address(client: Client) -> str:
    """Return where the logo of a client may be fetched; empty when it has none or it is not at an https address.

    A picture that came over http could be anybody's, and would stand on the page where people type their passwords.
    """
    return client.logo_uri if client.logo_uri.lower().startswith("https://") else ""
