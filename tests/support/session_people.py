"""A backend that keeps a session of its own for each person. It is a `konnectd.interfaces.SessionBackend`."""

from collections.abc import Mapping

from konnectd.interfaces import LogonAnswer, Refused, SessionLostError, Vouch
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import GROUPWARE
from tests.support.fakes import People


class SessionPeople(People):
    """People of a groupware server.

    Attributes:
        lost: ids of people of whom nothing is said before they sign in again.
        left: ids of people who have signed out everywhere, in order.
        vouches: what it was given to begin sessions with, each time.
    """

    scopes = (*People.scopes, GROUPWARE)

    def __init__(
        self, *users: EndUser, passwords: Mapping[str, str] | None = None, longest_access_token: int | None = None
    ) -> None:
        """Keep people, and for how long access tokens may live."""
        super().__init__(*users, passwords=passwords)
        self.longest_access_token = longest_access_token
        self.lost: set[str] = set()
        self.left: list[str] = []
        self.vouches: list[Vouch] = []

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person as they are now, if there is a session to ask in."""
        if user_id in self.lost:
            raise SessionLostError("there is no session")
        return await super().find(user_id)

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password; who gets in has a session from then on."""
        answer = await super().logon(username, password)
        if not isinstance(answer, Refused):
            self.lost.discard(answer.user_id)
        return answer

    def rely_on(self, vouch: Vouch) -> None:
        """Keep what sessions are begun with."""
        self.vouches.append(vouch)

    async def leave(self, user_id: str) -> None:
        """Note who has left."""
        self.left.append(user_id)
