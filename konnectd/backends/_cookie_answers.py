"""What an application says about whoever carries some cookies, read strictly.

It is JSON with a ``sub``; everything else may be missing. A member that is there and is not what it has to be makes the
whole answer useless: somebody may have changed the application, and nobody should be taken for somebody else over it.
"""

from collections.abc import Mapping

from konnectd.jsontext import read_strictly
from konnectd.protocol.end_user import EndUser
from konnectd.sources import Seen

#: Longest text of an answer that is taken, in characters.
LONGEST_TEXT = 255


class UselessAnswerError(Exception):
    """The application answers something that says nothing; its text is for the operator."""


def read_answer(content: bytes) -> Seen:
    """Read an answer that names somebody.

    Raises:
        UselessAnswerError: it is not what it has to be.
    """
    said = _read(content)
    sub = _text(said, "sub")
    if not sub:
        raise UselessAnswerError("sub is missing or empty")
    user = EndUser(
        user_id=sub,
        subject=sub,
        username=_text(said, "preferred_username") or sub,
        name=_text(said, "name"),
        family_name=_text(said, "family_name"),
        given_name=_text(said, "given_name"),
        email=_text(said, "email"),
        email_verified=_switch(said, "email_verified"),
        numeric_id=_number(said, "id"),
    )
    return Seen(user=user, proven_at=_number(said, "auth_time") or 0)


def _read(content: bytes) -> Mapping[str, object]:
    """Read a JSON object whose members are distinct."""
    try:
        value = read_strictly(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise UselessAnswerError("it is no JSON") from None
    if not isinstance(value, dict):
        raise UselessAnswerError("it is no JSON object")
    return value


def _text(said: Mapping[str, object], name: str) -> str:
    """Return a text; empty when it is not there."""
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise UselessAnswerError(f"{name} is not printable text of at most {LONGEST_TEXT} characters")
    return value


def _number(said: Mapping[str, object], name: str) -> int | None:
    """Return a number; None when it is not there."""
    value = said.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise UselessAnswerError(f"{name} is not a whole number")
    return value


def _switch(said: Mapping[str, object], name: str) -> bool:
    """Return a yes or no; no when it is not there."""
    value = said.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise UselessAnswerError(f"{name} is neither true nor false")
    return value
