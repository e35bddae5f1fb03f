"""Further standard claims out of entries: which attribute is which claim, and what an entry has for them.

What a directory holds was written by many hands over many years. A value that can not be typed right is left out, and
the next one of the attribute is tried; nobody is kept from signing in because of it.
"""

from collections.abc import Iterable, Mapping
from typing import Self

from attrs import frozen

from konnectd.backends._ldap_answers import Entry
from konnectd.backends._ldap_filter import ATTRIBUTE
from konnectd.protocol import standard_claims

#: Attributes whose lines are separated by a dollar sign. Spec: RFC 4517 3.3.28; RFC 4519 2.23.
_POSTAL = frozenset({"postaladdress", "homepostaladdress", "registeredaddress"})


@frozen
class ClaimSource:
    """Where a claim comes from.

    Attributes:
        claim: one of `standard_claims.NAMES`.
        attribute: as the operator wrote it.
    """

    claim: str
    attribute: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``claim=attribute``.

        Raises:
            ValueError: it is not that, or there is no such claim.
        """
        claim, _, attribute = text.strip().partition("=")
        if claim not in standard_claims.NAMES:
            raise ValueError(f"{claim!r} is not one of {', '.join(standard_claims.NAMES)}")
        if ATTRIBUTE.fullmatch(attribute) is None:
            raise ValueError(f"{text.strip()!r} must be {claim}= and the name of an attribute")
        return cls(claim, attribute)

    def __str__(self) -> str:
        """Write it as the operator does."""
        return f"{self.claim}={self.attribute}"

    def value(self, entry: Entry) -> object:
        """Return the first value of an entry that can be the claim; None if there is none."""
        for octets in entry.values(self.attribute):
            try:
                text = octets.decode()
                return standard_claims.parse(self.claim, _lines(text) if self.attribute.lower() in _POSTAL else text)
            except ValueError:
                continue
        return None


def claims_of(entry: Entry, sources: Iterable[ClaimSource]) -> Mapping[str, object]:
    """Return the further claims of an entry."""
    values = {source.claim: source.value(entry) for source in sources}
    return standard_claims.gather({name: value for name, value in values.items() if value is not None})


def _lines(text: str) -> str:
    """Read a postal address as lines. Spec: RFC 4517 3.3.28."""
    lines = (line.replace("\\24", "$").replace("\\5C", "\\").replace("\\5c", "\\") for line in text.split("$"))
    return "\n".join(line.strip() for line in lines if line.strip())
