"""Scopes: what a client asks to see, and what that means to a person."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Self

from attrs import field, frozen

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.local_text import NO_TEXT, LocalText
from konnectd.protocol.vocabulary import ErrorCode

OPENID = "openid"
PROFILE = "profile"
EMAIL = "email"
ADDRESS = "address"
PHONE = "phone"
GROUPS = "groups"
OFFLINE_ACCESS = "offline_access"
NUMERIC_ID = "konnect/id"
UNIQUE_ID = "konnect/uuid"
RAW_SUBJECT = "konnect/raw_sub"
GROUPWARE = "kopano/gc"
#: With it a client that vouches for a guest asks to let them in.
GUEST_OK = "konnect/guestok"

#: Longer ones, in characters, are nobody's habit and not worth remembering.
_USUAL = 256
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


@frozen
class Scope:
    """Scope tokens, each once, in the order they were asked for."""

    tokens: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a ``scope`` parameter.

        Raises:
            OAuthError: ``invalid_scope``: a character that no scope token has.

        Spec: RFC 6749 3.3.
        """
        return cls(_tokens(text) if len(text) <= _USUAL else _split(text))

    @classmethod
    def of(cls, tokens: Iterable[str]) -> Self:
        """Collect tokens that are known to be good."""
        return cls(tuple(dict.fromkeys(tokens)))

    def __contains__(self, token: str) -> bool:
        """Tell whether a token is in it."""
        return token in self.tokens

    def __iter__(self) -> Iterator[str]:
        """Iterate in order."""
        return iter(self.tokens)

    def __str__(self) -> str:
        """Write it as on the wire."""
        return " ".join(self.tokens)

    def keep(self, allowed: Iterable[str]) -> "Scope":
        """Return only what is also allowed, in the order of this scope."""
        among = frozenset(allowed)
        return Scope(tuple(token for token in self.tokens if token in among))

    def without(self, *tokens: str) -> "Scope":
        """Return all but some."""
        return Scope(tuple(token for token in self.tokens if token not in tokens))

    def covers(self, other: "Scope") -> bool:
        """Tell whether everything in the other one is in this one."""
        return set(other.tokens) <= set(self.tokens)


@lru_cache(maxsize=256)
def _tokens(text: str) -> tuple[str, ...]:
    """Split what stands on the wire; a client asks for the same each time."""
    return _split(text)


def _split(text: str) -> tuple[str, ...]:
    """Split what stands on the wire.

    Raises:
        OAuthError: ``invalid_scope``.
    """
    tokens = tuple(dict.fromkeys(filter(None, text.split(" "))))
    for token in tokens:
        if _TOKEN.fullmatch(token) is None:
            raise OAuthError(ErrorCode.INVALID_SCOPE, "a scope has characters that are not allowed")
    return tokens


@frozen(kw_only=True)
class ScopeDefinition:
    """What one line of a consent page says.

    Attributes:
        id: handle of a translated text, for the built-in ones.
        description: the text, for the operator's own, in several languages where they wrote it so.
        priority: higher comes first.
    """

    id: str = ""
    description: LocalText = NO_TEXT
    priority: int = 0


BASIC = "basic"

_BUILT_IN_MAPPING: Mapping[str, str] = {
    OPENID: BASIC,
    PROFILE: BASIC,
    EMAIL: BASIC,
    NUMERIC_ID: BASIC,
    UNIQUE_ID: BASIC,
    RAW_SUBJECT: BASIC,
}
_BUILT_IN_DEFINITIONS: Mapping[str, ScopeDefinition] = {
    BASIC: ScopeDefinition(id="scope_alias_basic", priority=20),
    GROUPS: ScopeDefinition(id="scope_groups", priority=15),
    GROUPWARE: ScopeDefinition(id="scope_kopano_gc", priority=12),
    ADDRESS: ScopeDefinition(id="scope_address", priority=18),
    PHONE: ScopeDefinition(id="scope_phone", priority=17),
    OFFLINE_ACCESS: ScopeDefinition(id="scope_offline_access", priority=10),
}


@frozen(kw_only=True)
class ScopeCatalog:
    """What each scope means to people; the operator's entries win over the built-in ones.

    Attributes:
        mapping: scope token to definition key; several tokens may share one line of the consent page.
        definitions: definition key to definition.
        supported: keys the operator defined, which are thereby scopes a client may be granted.
    """

    mapping: Mapping[str, str] = field(factory=lambda: dict(_BUILT_IN_MAPPING))
    definitions: Mapping[str, ScopeDefinition] = field(factory=lambda: dict(_BUILT_IN_DEFINITIONS))
    supported: tuple[str, ...] = ()

    @classmethod
    def build(cls, mapping: Mapping[str, str], definitions: Mapping[str, ScopeDefinition]) -> Self:
        """Lay the operator's entries over the built-in ones."""
        return cls(
            mapping={**_BUILT_IN_MAPPING, **mapping},
            definitions={**_BUILT_IN_DEFINITIONS, **definitions},
            supported=tuple(definitions),
        )

    def lines(self, scope: Scope) -> tuple[tuple[str, ScopeDefinition], ...]:
        """Return what a consent page shows for a scope: each definition once, the most important first.

        A scope without a definition stands for itself.
        """
        keys = dict.fromkeys(self.mapping.get(token, token) for token in scope)
        found = [(key, self.definitions.get(key, ScopeDefinition())) for key in keys]
        return tuple(sorted(found, key=lambda line: (-line[1].priority, line[0])))

    def is_required(self, key: str) -> bool:
        """Tell whether a line can not be left out: it says who somebody is, which is what signing in is about."""
        return key in {self.mapping.get(token, token) for token in (OPENID, PROFILE)}

    def choose(self, scope: Scope, keys: Collection[str]) -> Scope:
        """Return what is left of a scope when only some of its lines are wanted, by their keys.

        Spec: RFC 6749 3.3 (less may be granted than was asked for).
        """
        lines = {token: self.mapping.get(token, token) for token in scope}
        return scope.keep(token for token, key in lines.items() if key in keys or self.is_required(key))
