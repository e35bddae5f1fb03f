"""What an authorization response carries, and where in it that may stand.

A response type is a set of parts, so the order they are written in does not matter. ``token`` alone is not among them:
an access token without an ID token is bound to nobody.

Spec: OAuth 2.0 Multiple Response Types 2.1, 3 and 5; OIDC Core 3.2.2.1 and 3.3.2.1; RFC 9700 2.1.2.
"""

from enum import StrEnum
from itertools import permutations
from typing import Self, TypeAlias

from attrs import frozen


class ResponsePart(StrEnum):
    """One thing an authorization response carries."""

    CODE = "code"
    ID_TOKEN = "id_token"  # noqa: S105 - the word on the wire
    TOKEN = "token"  # noqa: S105 - the word on the wire


ResponseType: TypeAlias = frozenset[ResponsePart]

QUERY = "query"
FRAGMENT = "fragment"

CODE_ONLY: ResponseType = frozenset({ResponsePart.CODE})
#: Every response type there is, as it is written in metadata.
ALL = ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token")


def parse(text: str) -> ResponseType | None:
    """Read a response type; None when there is no such one."""
    return _SPELLED.get(text) or _SPELLED.get(" ".join(text.split()))


def name(response_type: ResponseType) -> str:
    """Write a response type as metadata has it."""
    return _KNOWN[response_type]


def default_mode(response_type: ResponseType | None) -> str:
    """Return where an answer stands when the client does not say: what carries tokens never gets to a server's log."""
    return QUERY if response_type is None or response_type == CODE_ONLY else FRAGMENT


_KNOWN = {frozenset(ResponsePart(word) for word in text.split()): text for text in ALL}
#: Every order in which one can be written: requests look here, and there are only a few.
_SPELLED = {" ".join(order): parts for parts in _KNOWN for order in permutations(parts)}


@frozen(kw_only=True)
class Profile:
    """Which response types are on, and whether every client has to use PKCE.

    Attributes:
        text: as an operator wrote it.
        response_types: those a client may ask for.
        require_pkce: of confidential clients too; public ones always have to.
    """

    text: str = "all"
    response_types: frozenset[ResponseType] = frozenset(_KNOWN)
    require_pkce: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what an operator wants: ``all``, ``rfc9700`` (codes with PKCE, nothing else), or a list.

        In a list response types are separated by commas, and their parts by ``+``: ``code,code+id_token``.

        Raises:
            ValueError: there is no such response type.

        Spec: RFC 9700 2.1.1 and 2.1.2.
        """
        word = text.strip().lower()
        if word == "all":
            return cls()
        if word == "rfc9700":
            return cls(text=word, response_types=frozenset({CODE_ONLY}), require_pkce=True)
        found = [parse(part.replace("+", " ")) for part in word.split(",")]
        if None in found:
            known = ", ".join(text.replace(" ", "+") for text in ALL)
            raise ValueError(f"must be all, rfc9700, or some of {known}, separated by commas")
        return cls(text=word, response_types=frozenset(one for one in found if one is not None))

    def __str__(self) -> str:
        """Write it as an operator does."""
        return self.text

    @property
    def names(self) -> tuple[str, ...]:
        """The response types as metadata has them, in a fixed order."""
        return tuple(text for text in ALL if parse(text) in self.response_types)
