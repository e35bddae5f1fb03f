"""Every reason for which a request is refused, and how one is found.

An error says what is wrong by its description, in words of our own that never change with the request. A reason names
the descriptions that mean it, so an error has exactly one; the tests hold the two against each other.
"""

from collections.abc import Iterable, Mapping

from konnectd.protocol.reason import Reason
from konnectd.protocol.reasons_authorize import REASONS as AT_AUTHORIZE
from konnectd.protocol.reasons_pages import REASONS as OF_PAGES
from konnectd.protocol.reasons_tokens import REASONS as AT_TOKENS

REASONS: tuple[Reason, ...] = (*OF_PAGES, *AT_AUTHORIZE, *AT_TOKENS)
BY_NAME: Mapping[str, Reason] = {reason.name: reason for reason in REASONS}

#: What is not an error of a specification is found by what it is.
UNAVAILABLE = BY_NAME["backend-unavailable"]
SESSION_LOST = BY_NAME["session-lost"]
FAULT = BY_NAME["fault"]
UNKNOWN = BY_NAME["other"]
#: Errors about the parts of a document say in their own words which part is wrong.
_BY_CODE: Mapping[str, Reason] = {
    "invalid_request_object": BY_NAME["request-object"],
    "invalid_client_metadata": BY_NAME["registration-metadata"],
    "invalid_redirect_uri": BY_NAME["registration-redirect-uri"],
}


def _spelled(reasons: Iterable[Reason]) -> dict[str, Reason]:
    """Return the reasons by what they say."""
    return {text: reason for reason in reasons for text in reason.says}


_BY_TEXT: Mapping[str, Reason] = _spelled(REASONS)
_BEGINNINGS: tuple[tuple[str, Reason], ...] = tuple(
    (text[:-1], reason) for text, reason in _BY_TEXT.items() if text.endswith("*")
)


def reason_of(code: str, description: str) -> Reason:
    """Return the reason of an error, by its code and description."""
    found = _BY_TEXT.get(description)
    if found is not None:
        return found
    for beginning, reason in _BEGINNINGS:
        if description.startswith(beginning):
            return reason
    return _BY_CODE.get(code, UNKNOWN)
