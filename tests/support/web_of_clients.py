"""What clients have on the web, as a `konnectd.interfaces.Fetch` that has no network."""

import json
from collections.abc import Mapping

from konnectd.interfaces import FetchError
from konnectd.protocol.authorize import Pairs


class WebOfClients:
    """Pages given in advance, with lists of what was asked for.

    Attributes:
        pages: by address; what is not there does not answer.
        statuses: of addresses that take a form; what is not there does not answer.
        asked: every address that was asked for, in order.
        posted: every form with its address, in order.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.pages: dict[str, bytes] = {}
        self.statuses: dict[str, int] = {}
        self.asked: list[str] = []
        self.posted: list[tuple[str, Pairs]] = []

    def publish(self, url: str, document: Mapping[str, object]) -> None:
        """Put a JSON document at an address."""
        self.pages[url] = json.dumps(document).encode()

    async def get(self, url: str) -> bytes:
        """Return what stands at an address."""
        self.asked.append(url)
        if url not in self.pages:
            raise FetchError(f"{url} does not answer")
        return self.pages[url]

    async def post(self, url: str, fields: Pairs) -> int:
        """Take a form."""
        self.posted.append((url, fields))
        if url not in self.statuses:
            raise FetchError(f"{url} does not answer")
        return self.statuses[url]
