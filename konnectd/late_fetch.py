"""Fetching that costs nothing until somebody fetches.

Twisted's HTTP client is a sixth of all that a start would import, and most installations have no client whose keys
stand elsewhere.
"""

from collections.abc import Callable

from attrs import define, field, frozen

from konnectd.interfaces import Fetch, FetchError
from konnectd.protocol.authorize import Pairs


@frozen
class NoFetch:
    """Asks nobody, for who has no network. It is a `konnectd.interfaces.Fetch`."""

    async def get(self, url: str) -> bytes:
        """Refuse.

        Raises:
            FetchError: always.
        """
        raise FetchError(f"{shown(url)} is not asked: there is no network here")

    async def post(self, url: str, fields: Pairs) -> int:  # noqa: ARG002 - as the interface has it
        """Refuse.

        Raises:
            FetchError: always.
        """
        raise FetchError(f"{shown(url)} is not asked: there is no network here")


@define
class LateFetch:
    """Makes what really asks at the first request. It is a `konnectd.interfaces.Fetch`."""

    _make: Callable[[], Fetch]
    _made: Fetch | None = field(default=None, init=False)

    async def get(self, url: str) -> bytes:
        """Return the body of an answer with status 200.

        Raises:
            FetchError: it may not be asked, did not answer, or answered something else.
        """
        return await self._fetch().get(url)

    async def post(self, url: str, fields: Pairs) -> int:
        """Post a form and return the status of the answer.

        Raises:
            FetchError: it may not be asked or did not answer.
        """
        return await self._fetch().post(url, fields)

    def _fetch(self) -> Fetch:
        """Return the one that asks; there is never a second one, which would count its requests anew."""
        if self._made is None:
            self._made = self._make()
        return self._made


def shown(url: str) -> str:
    """Return an address as it is logged: without what follows a question mark, which may be nobody's business."""
    return repr(url.partition("#")[0].partition("?")[0][:200])
