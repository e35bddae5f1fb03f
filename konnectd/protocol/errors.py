"""How a broken rule is told: to the client when its address is proven, to the browser when it is not."""

from enum import StrEnum
from typing import Self

from konnectd.protocol.trail import Trail
from konnectd.protocol.vocabulary import ErrorCode


class OAuthError(Exception):
    """A rule of a specification is broken.

    Attributes:
        code: what goes into ``error``.
        description: for the client's developer; ASCII without quotes and backslashes, never another exception's text.
        trail: what may be told of the request, for the log; None when nobody knows more than the error says.

    Spec: RFC 6749 4.1.2.1 and 5.2.
    """

    def __init__(self, code: ErrorCode, description: str) -> None:
        """Keep code and description."""
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.trail: Trail | None = None

    def about(self, trail: Trail) -> Self:
        """Add what may be told of the request, unless somebody nearer to the mistake has."""
        self.trail = self.trail or trail
        return self


class Doubt(StrEnum):
    """What of a request is not proven."""

    REQUEST = "request"
    CLIENT = "client"
    REDIRECT_URI = "redirect_uri"
    REFERENCE = "request_uri"


class UntrustedRequestError(OAuthError):
    """The client or its redirect URI is not proven: the browser gets a page, and nobody is redirected anywhere.

    Attributes:
        doubt: what is not proven, so that the page can say whose move it is.
    """

    def __init__(self, code: ErrorCode, description: str, doubt: Doubt = Doubt.REQUEST) -> None:
        """Keep what is wrong, and with what."""
        super().__init__(code, description)
        self.doubt = doubt


class InvalidClientError(OAuthError):
    """A client did not prove at the token endpoint that it is itself; it is answered with a challenge.

    Spec: RFC 6749 5.2 (``invalid_client``).
    """

    def __init__(self, description: str) -> None:
        """Keep what is wrong."""
        super().__init__(ErrorCode.INVALID_CLIENT, description)


class BearerTokenError(OAuthError):
    """An access token is missing, or is not good for what was asked.

    Attributes:
        bare: no token was sent at all, so the challenge carries no error code.

    Spec: RFC 6750 3 and 3.1.
    """

    def __init__(self, code: ErrorCode, description: str, *, bare: bool = False) -> None:
        """Keep code, description and whether anything was tried."""
        super().__init__(code, description)
        self.bare = bare
