"""Codes that we know as our own when they come back: a secret, and behind it a tag that vouches for it.

A code that was ours and is not in the store any more has been used (or has expired); that can be told without
remembering used codes, and nobody but the client it was made for can trigger what follows from it. What is tagged for
one purpose counts for no other.

Spec: RFC 6749 4.1.2 (revoke on reuse); RFC 9700 4.5.
"""

import hmac
from collections.abc import Callable
from typing import Final, TypeAlias

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.vocabulary import ErrorCode

#: Random bytes of a code; with the tag behind them a code is 65 characters.
CODE_BYTES: Final = 32
#: Characters of the tag at the end of a code: 128 bit in base64url.
TAG_LENGTH: Final = 22
#: Purposes of tags: those of authorization codes, and of the codes of devices.
CODE: Final = "code"
DEVICE_CODE: Final = "device-code"

#: A keyed digest of a purpose and a text, which nobody else can make: `konnectd.interfaces.Sealer.tag`.
Tag: TypeAlias = Callable[[str, str], str]


def make_code(secret: str, client_id: str, purpose: str, tag: Tag) -> str:
    """Make a code of a secret that nobody can guess, for one client."""
    return secret + tag(purpose, f"{secret} {client_id}")


def check_code(code: str, client_id: str, purpose: str, tag: Tag) -> None:
    """Refuse what we never made, or made for another client or purpose, before it can have any effect.

    Raises:
        OAuthError: ``invalid_grant``.
    """
    secret, found = code[:-TAG_LENGTH], code[-TAG_LENGTH:]
    expected = tag(purpose, f"{secret} {client_id}")
    if not hmac.compare_digest(found.encode(), expected.encode()):
        raise OAuthError(ErrorCode.INVALID_GRANT, "the code is unknown")
