"""The person behind a token: of the backend, or a guest, of whom the token says all there is."""

from konnectd.interfaces import Backend
from konnectd.protocol.claims import Presented
from konnectd.protocol.end_user import EndUser


async def find_person(backend: Backend, presented: Presented) -> EndUser | None:
    """Return the person behind a token as they are now; None when they are gone, or were another backend's.

    Raises:
        BackendUnavailableError: the backend did not answer.
    """
    if presented.guest is not None:
        return EndUser.of_guest(presented.guest)
    return await backend.find(presented.user_id) if presented.provider == backend.name else None
