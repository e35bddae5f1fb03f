"""Clients that bring guests, and what they sign for them."""

from attrs import evolve

from tests.support.request_objects import SIGNING, contents

#: A client of the house that may bring guests, and whose guests may see what is named.
KIOSK = evolve(
    SIGNING, client_id="kiosk", trusted_scopes=("openid", "konnect/guestok", "kopano/kwm", "konnect/raw_sub")
)
#: One that signs, and is not trusted with guests.
PLAIN = evolve(SIGNING, client_id="plain", trusted_scopes=("openid",))
#: One that nobody trusts with anything.
STRANGER = evolve(SIGNING, client_id="stranger", trusted=False)
#: One that is trusted with everything, as its registration names nothing.
WIDE = evolve(SIGNING, client_id="wide")
#: One that need not sign, and is trusted all the same.
UNSIGNED = evolve(KIOSK, client_id="unsigned", request_object_signing_alg="none")
GUEST_CLIENTS = (KIOSK, PLAIN, STRANGER, WIDE, UNSIGNED)

SCOPE = "openid profile email konnect/guestok"


def guest_claims(guest_id: object = "guest-77", **claims: object) -> dict[str, object]:
    """Return what an object asks for that brings a guest, each claim with its value."""
    return {"id_token": {name: {"value": value} for name, value in {"guest": guest_id, **claims}.items()}}


def invitation(client: object = KIOSK, /, **changes: object) -> dict[str, object]:
    """Return what a good object for a guest says, with some members replaced, or left out (None)."""
    made: dict[str, object] = {"scope": SCOPE, "jti": "jti-1", "claims": guest_claims(), **changes}
    return contents(client, **made)  # type: ignore[arg-type] # any client will do
