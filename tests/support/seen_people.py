"""A backend that knows people by a cookie, in memory: what it says can change, and it counts who asks."""

from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.end_user import EndUser
from konnectd.sources import Acquaintances, Carried, Seen


class SeenPeople:
    """Knows who carries which cookie.

    Attributes:
        tickets: who is there, by the value of the cookie ``app``.
        asked: what was carried, question by question.
        silent: it does not answer.
    """

    name = "cookie"
    scopes: tuple[str, ...] = ("profile", "email", "konnect/id", "konnect/raw_sub")
    claims: tuple[str, ...] = ("name", "email", "email_verified")
    signs_in_elsewhere = True

    def __init__(self, *names: str) -> None:
        """Ask to see some cookies."""
        self.cookie_names: tuple[str, ...] | None = names
        self.tickets: dict[str, Seen] = {}
        self.asked: list[Carried] = []
        self.silent = False
        self._acquaintances: Acquaintances | None = None

    def keep_with(self, acquaintances: Acquaintances) -> None:
        """Take what keeps people."""
        self._acquaintances = acquaintances

    async def check(self) -> None:
        """Fail only when silent."""
        self._listen()

    async def look(self, carried: Carried) -> Seen | None:
        """Return who is there."""
        self._listen()
        self.asked.append(carried)
        seen = self.tickets.get(carried.cookies.get("app", ""))
        if seen is not None and self._acquaintances is not None:
            await self._acquaintances.note(seen.user)
        return seen

    async def find(self, user_id: str) -> EndUser | None:
        """Return somebody as they were when they were here last."""
        return await self._acquaintances.recall(user_id) if self._acquaintances is not None else None

    async def close(self) -> None:
        """Do nothing."""

    def _listen(self) -> None:
        """Raise when silent."""
        if self.silent:
            raise BackendUnavailableError("the application is silent")


def person(sub: str, **more: str) -> EndUser:
    """Return somebody as an application names them."""
    return EndUser(user_id=sub, subject=sub, username=sub, name=sub.title(), email=f"{sub}@app.example", **more)
