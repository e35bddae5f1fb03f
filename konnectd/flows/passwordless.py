"""A backend that checks no passwords, for what has to be able to ask: it is told no."""

from attrs import frozen

from konnectd.interfaces import Backend, LogonAnswer, RefusalReason, Refused
from konnectd.protocol.end_user import EndUser


@frozen
class Passwordless:
    """Refuses every password. It is a `konnectd.interfaces.PasswordBackend`."""

    backend: Backend

    @property
    def name(self) -> str:
        """That of the backend."""
        return self.backend.name

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those of the backend."""
        return self.backend.scopes

    @property
    def claims(self) -> tuple[str, ...]:
        """Those of the backend."""
        return self.backend.claims

    async def check(self) -> None:
        """Try the backend.

        Raises:
            ConfigErrors: a setting is wrong.
            BackendUnavailableError: it did not answer.
        """
        await self.backend.check()

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person of the backend.

        Raises:
            BackendUnavailableError: it did not answer.
        """
        return await self.backend.find(user_id)

    async def logon(self, username: str, password: str) -> LogonAnswer:  # noqa: ARG002 - as the interface has it
        """Refuse."""
        return Refused(RefusalReason.UNKNOWN_USER)

    async def close(self) -> None:
        """Close the backend."""
        await self.backend.close()
