"""People between their visits: what a backend said about them when their browser was there to ask with.

What is kept is what tokens may say about a person, sealed, by subject and for a time. Nothing is kept that would let
anybody be the person anywhere else, cookies least of all.
"""

from hashlib import blake2b

from attrs import frozen

from konnectd.interfaces import Clock, Sealer, Store
from konnectd.protocol.end_user import EndUser

#: Purpose under which they are sealed.
ACQUAINTANCE = "acquaintance"


@frozen(kw_only=True)
class StoredAcquaintances:
    """Keeps them in the store. It is what `konnectd.sources.Acquaintances` asks for.

    Attributes:
        life: for how many seconds somebody is known who does not come back.
    """

    store: Store
    sealer: Sealer
    clock: Clock
    life: int

    async def note(self, user: EndUser) -> None:
        """Keep what is known of somebody now.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        sealed = self.sealer.seal(ACQUAINTANCE, _written(user), self.clock.now() + self.life)
        await self.store.put(_key(user.user_id), sealed, self.life)

    async def recall(self, user_id: str) -> EndUser | None:
        """Return what was known when they were here last.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        sealed = await self.store.get(_key(user_id))
        claims = self.sealer.open(ACQUAINTANCE, sealed, self.clock.now()) if sealed is not None else None
        match claims:
            case {
                "v": 1,
                "sub": str(subject),
                "un": str(username),
                "n": str(name),
                "nf": str(family_name),
                "ng": str(given_name),
                "e": str(email),
                "ev": bool(verified),
                "id": int() | None as numeric_id,
            } if subject == user_id:
                return EndUser(
                    user_id=subject,
                    subject=subject,
                    username=username,
                    name=name,
                    family_name=family_name,
                    given_name=given_name,
                    email=email,
                    email_verified=verified,
                    numeric_id=numeric_id,
                )
        return None


def _written(user: EndUser) -> dict[str, object]:
    """Write somebody for sealing."""
    return {
        "v": 1,
        "sub": user.user_id,
        "un": user.username,
        "n": user.name,
        "nf": user.family_name,
        "ng": user.given_name,
        "e": user.email,
        "ev": user.email_verified,
        "id": user.numeric_id,
    }


def _key(user_id: str) -> str:
    """Name the entry of somebody, which does not say who it is."""
    digest = blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"acquaintance:{digest}"
