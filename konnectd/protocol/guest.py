"""Guests: people for whom a client vouches, and whom no directory knows.

Nothing about them is kept. What the client said travels in the code and in the access token, and is gone with these.
A guest is never a person of the directory: the provider that goes into their subject is another one. Who may bring
guests is `konnectd.protocol.admission`.
"""

from collections.abc import Mapping
from typing import Self

from attrs import field, frozen

#: What goes into subjects and tokens in the place of a backend's name; no backend is called so.
GUEST = "guest"
#: In ``kc.identity``: that somebody is a guest, and what their client said about them.
IS_GUEST = "kc.i.guest"
_KNOWN = "kc.i.da"


@frozen(kw_only=True)
class Guest:
    """Somebody for whom a client vouches.

    Attributes:
        guest_id: who they are to the client.
        passthru: what the client wants back in access tokens, whatever it means; None for nothing.
    """

    guest_id: str
    name: str = ""
    family_name: str = ""
    given_name: str = ""
    email: str = ""
    email_verified: bool = False
    passthru: object = field(default=None, repr=False)

    @property
    def identity(self) -> dict[str, object]:
        """Further members of ``kc.identity``, as Konnect names them."""
        return {IS_GUEST: True, _KNOWN: self._known}

    @property
    def returned(self) -> dict[str, object]:
        """What the client gets back in ``kc.authorizedClaims``."""
        return {"passthru": self.passthru} if self.passthru is not None else {}

    @property
    def _known(self) -> dict[str, object]:
        """What is known, by the short names of tokens."""
        texts = {"e": self.email, "n": self.name, "nf": self.family_name, "ng": self.given_name}
        verified = {"ev": 1} if self.email and self.email_verified else {}
        return {**{name: text for name, text in texts.items() if text}, **verified}

    def to_json(self) -> dict[str, object]:
        """Write it for a store."""
        return {"id": self.guest_id, "da": self._known, "passthru": self.passthru}

    @classmethod
    def from_json(cls, value: object) -> Self | None:
        """Read what `to_json` wrote."""
        match value:
            case {"id": str(guest_id), "da": dict(known), "passthru": passthru}:
                return cls._of(guest_id, known, passthru)
        return None

    @classmethod
    def from_identity(cls, identity: Mapping[str, object]) -> Self | None:
        """Read ``kc.identity`` of a token that is a guest's; None for anybody else's."""
        match identity:
            case {"kc.i.guest": True, "kc.i.id": str(guest_id), "kc.i.da": dict(known)}:
                return cls._of(guest_id, known)
        return None

    @classmethod
    def _of(cls, guest_id: str, known: Mapping[str, object], passthru: object = None) -> Self:
        """Read the short names."""
        return cls(
            guest_id=guest_id,
            name=str(known.get("n", "")),
            family_name=str(known.get("nf", "")),
            given_name=str(known.get("ng", "")),
            email=str(known.get("e", "")),
            email_verified=known.get("ev") == 1,
            passthru=passthru,
        )
