"""What is asked of a directory and what it answers, as values.

Reading bytes from a socket is not here; deciding what an answer means for a person is in `_ldap_standing`.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Self

from attrs import field, frozen

from konnectd.backends import _ldap_ber as ber
from konnectd.backends._ldap_faults import SIZE_LIMIT_EXCEEDED
from konnectd.backends._ldap_filter import Filter, present

#: Asks for no attribute at all. Spec: RFC 4511 4.5.1.8.
NO_ATTRIBUTES = ("1.1",)

ANY_ENTRY = present("objectClass")

#: Asked for with a bind, and answered with why it failed or what will fail soon.
#: Spec: draft-behera-ldap-password-policy 6.
PASSWORD_POLICY_CONTROL = b"1.3.6.1.4.1.42.2.27.8.5.1"

_WARNING = 0xA0
_GRACE_LOGONS_LEFT = 0x81
_ERROR = 0x81


class SearchScope(IntEnum):
    """How far below its base a search looks.

    Spec: RFC 4511 4.5.1.2.
    """

    BASE = 0
    ONE = 1
    SUB = 2


class PolicyFault(IntEnum):
    """What a password policy has against somebody.

    Spec: draft-behera-ldap-password-policy 6.2.
    """

    PASSWORD_EXPIRED = 0
    ACCOUNT_LOCKED = 1
    CHANGE_AFTER_RESET = 2


@frozen(kw_only=True)
class SearchRequest:
    """One search.

    Attributes:
        size_limit: of more entries than this it is only told that there are more; 0 leaves it to the server.
    """

    base: str
    scope: SearchScope
    filter: Filter = ANY_ENTRY
    attributes: tuple[str, ...] = NO_ATTRIBUTES
    size_limit: int = 0


@frozen
class Entry:
    """One entry, with attributes by lower-case name, because their case means nothing.

    Attributes:
        dn: exactly as the server wrote it.
        attributes: values in the order the server sent them.
    """

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]] = field(factory=dict)

    @classmethod
    def build(cls, dn: bytes, attributes: Iterable[tuple[bytes, Iterable[bytes]]]) -> Self:
        """Make an entry from what came over the wire.

        Active Directory sends long lists in parts named ``member;range=0-1499``; such a part counts for the whole.

        Raises:
            ValueError: a name is not UTF-8.

        Spec: RFC 4512 2.5 (names without case).
        """
        found: dict[str, tuple[bytes, ...]] = {}
        for name, values in attributes:
            key = name.decode().lower().partition(";range=")[0]
            found[key] = (*found.get(key, ()), *values)
        return cls(dn.decode(), found)

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return all values of an attribute."""
        return self.attributes.get(name.lower(), ())

    def first(self, name: str) -> bytes | None:
        """Return one value of an attribute."""
        return next(iter(self.values(name)), None)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of an attribute as text; what is not UTF-8 in them is shown as such."""
        return tuple(value.decode("utf-8", "replace") for value in self.values(name))

    def text(self, name: str) -> str:
        """Return one value of an attribute as text, or the empty string."""
        return next(iter(self.texts(name)), "")


@frozen(kw_only=True)
class SearchAnswer:
    """The outcome of one search.

    Attributes:
        code: the result code.
        text: what the server said about it.
        references: how many other servers were named; they are never asked.
        cut_off: it sent more than was asked for, and the rest was not taken.
    """

    entries: tuple[Entry, ...] = ()
    code: int = 0
    text: str = ""
    references: int = 0
    cut_off: bool = False

    @property
    def truncated(self) -> bool:
        """There are more entries than these."""
        return self.cut_off or self.code == SIZE_LIMIT_EXCEEDED


@frozen(kw_only=True)
class BindAnswer:
    """The outcome of one bind.

    Attributes:
        code: the result code.
        text: what the server said about it; Active Directory's reasons are in there.
        policy_fault: what the password policy has against it, if the server has one and says so.
        grace_logons: how often an expired password will still do, if it did.
    """

    code: int
    text: str = ""
    policy_fault: PolicyFault | None = None
    grace_logons: int | None = None


def read_policy(content: bytes) -> tuple[PolicyFault | None, int | None]:
    """Read a password policy response: its error, and how many grace logons are left.

    What can not be read counts as not said: the result code of the bind stands for itself.

    Spec: draft-behera-ldap-password-policy 6.2.
    """
    fault: PolicyFault | None = None
    grace: int | None = None
    try:
        ((_, inside),) = ber.elements(content)
        for tag, part in ber.elements(inside):
            if tag == _ERROR and ber.integer(part) in set(PolicyFault):
                fault = PolicyFault(ber.integer(part))
            elif tag == _WARNING:
                ((kind, count),) = ber.elements(part)
                grace = ber.integer(count) if kind == _GRACE_LOGONS_LEFT else None
    except ValueError:
        return None, None
    return fault, grace
