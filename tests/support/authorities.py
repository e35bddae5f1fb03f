"""An external authority that believes everything, and one that ends sessions here."""

from collections.abc import Mapping

from konnectd.authority import (
    AuthorityError,
    Demand,
    Departure,
    Document,
    ExternalIdentity,
    Rebuff,
    Returned,
    Wish,
)
from konnectd.authority_entry import AuthorityEntry
from konnectd.protocol.authorize import add_to_query

PLACE = "https://trusting.example/"


class TrustingAuthority:
    """Takes the name that a browser brings; it passes the contract of the real ones.

    Attributes:
        silent: it is not ready.
        posts: it wants forms.
        identity: what it says besides the name.
        closed: it was let go of.
    """

    def __init__(self, entry: AuthorityEntry) -> None:
        """Keep what it is."""
        self.entry = entry
        self.silent = False
        self.posts = False
        self.closed = False
        self.number = 0
        self.wishes: list[Wish] = []
        self.held: list[Mapping[str, object]] = []

    async def check(self) -> str:
        """Say that it is there."""
        if self.silent:
            raise AuthorityError(Rebuff.UNAVAILABLE, "it is silent")
        return "trusts everybody"

    async def depart(self, wish: Wish, state: str) -> Departure:
        """Send somebody there."""
        await self.check()
        self.wishes.append(wish)
        self.number += 1
        remembered = {"n": self.number}
        if self.posts:
            fields = (("RelayState", state), ("n", str(self.number)))
            return Departure(location=f"{PLACE}in", fields=fields, remembered=remembered)
        location = add_to_query(f"{PLACE}in", [("state", state), ("n", str(self.number))], frozenset())
        return Departure(location=location, remembered=remembered)

    async def arrive(self, returned: Returned, remembered: Mapping[str, object]) -> ExternalIdentity:
        """Believe the name."""
        if "no" in returned.parameters:
            raise AuthorityError(Rebuff.DENIED, "it says no")
        if returned.parameters.text("n") != str(remembered.get("n")) or "name" not in returned.parameters:
            raise AuthorityError(Rebuff.INVALID, "it is another one's")
        return ExternalIdentity(
            name=returned.parameters.text("name"),
            reference=returned.parameters.text("ref"),
            held={"ref": returned.parameters.text("ref")},
        )

    async def leave(self, held: Mapping[str, object], state: str) -> Departure | None:
        """Send somebody there to sign out."""
        self.held.append(held)
        return Departure(location=add_to_query(f"{PLACE}out", [("state", state)], frozenset()))

    async def left(self, returned: Returned, remembered: Mapping[str, object]) -> None:
        """Look whether it has worked."""
        if "no" in returned.parameters:
            raise AuthorityError(Rebuff.DENIED, "it has not signed them out")

    def metadata(self) -> Document | None:
        """Show something."""
        return Document(b"<about/>", "application/xml") if not self.silent else None

    async def close(self) -> None:
        """Note that it is let go of."""
        self.closed = True


class DemandingAuthority(TrustingAuthority):
    """Sends browsers here to be signed out, with ``end`` as the reference and ``sure`` when it is proven."""

    def recognizes(self, returned: Returned) -> bool:
        """Tell whether it is one of its demands."""
        return "end" in returned.parameters

    async def demanded(self, returned: Returned) -> Demand:
        """Read one."""
        if returned.parameters.text("end") == "lie":
            raise AuthorityError(Rebuff.INVALID, "it is not signed")
        end = returned.parameters.text("end")
        return Demand(reference="" if end == "any" else end, certain="sure" in returned.parameters)

    async def answer(self, demand: Demand, *, done: bool) -> Departure | None:
        """Send the browser back."""
        if self.posts:
            return Departure(location=f"{PLACE}done", fields=(("done", str(done)),))
        return None if self.silent else Departure(location=f"{PLACE}done?done={done}")
