"""One user, and everybody is that user: for trying clients out where nobody is to sign in, and for nothing else."""

from collections.abc import Mapping
from typing import Any

from twisted.logger import Logger

from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import EMAIL, PROFILE
from konnectd.sources import Acquaintances, Carried, Seen

__all__ = ["DUMMY", "DummyBackend", "build"]

log = Logger()

#: Who everybody is, as in Konnect.
DUMMY = EndUser(
    user_id="dummy",
    subject="dummy",
    username="dummy",
    name="Foo Dummy",
    given_name="Foo",
    family_name="Dummy",
    email="dummy@dummy.local",
)


class DummyBackend:
    """Knows everybody as one user, and never since when."""

    name = "dummy"
    scopes: tuple[str, ...] = (PROFILE, EMAIL)
    claims: tuple[str, ...] = ("name", "family_name", "given_name", "email", "email_verified")
    cookie_names: tuple[str, ...] | None = None
    signs_in_elsewhere = False

    async def check(self) -> None:
        """Do nothing: there is nothing to ask."""

    def keep_with(self, acquaintances: Acquaintances) -> None:
        """Do nothing: who everybody is need not be kept."""

    async def look(self, carried: Carried) -> Seen | None:  # noqa: ARG002 - as the interface has it
        """Return the one user."""
        return Seen(user=DUMMY)

    async def find(self, user_id: str) -> EndUser | None:
        """Return the one user, under its one id."""
        return DUMMY if user_id == DUMMY.user_id else None

    async def close(self) -> None:
        """Do nothing: nothing is open."""


def build(options: Mapping[str, Any], reactor: Any, *, insecure: bool = False) -> DummyBackend:  # noqa: ANN401, ARG001 - loader contract
    """Make the backend; there is nothing to set."""
    log.warn("everybody who comes is signed in as one and the same user: the dummy backend is for tests")
    return DummyBackend()
