"""Signing in at an external authority, with konnectd at both ends."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.federation import ENTRY, Federation
from tests.support.markup import answerable
from tests.support.visitor import Visit

#: What every answer of the provider says.
ISS = "iss=https%3A%2F%2Fsso.corp.example"


def links(visit: Visit) -> dict[str, str]:
    """Return where the links of a page lead to authorities, or back to the application, by what they begin with."""
    found = [e.attributes.get("href", "") for e in answerable(visit.answer.body) if e.name == "a"]
    return {link.partition("?")[0].rpartition("/")[2]: link for link in found if "?" in link}


class FederationCase(SynchronousTestCase):
    """One authority, which people are sent to without being asked."""

    def setUp(self) -> None:
        """Start both daemons."""
        self.begin()

    def begin(self, *words: str, **more: object) -> None:
        """Start them in another way."""
        entries = more.pop("entries", (ENTRY,))
        self.world = Federation(*words, entries=entries, **more)  # type: ignore[arg-type] # as the test says
