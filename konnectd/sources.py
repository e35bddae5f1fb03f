"""Sources of users that know people otherwise than by a name and a password, and what they ask for in return.

`konnectd.interfaces` has the rest of what is asked of the outside; backends that check passwords need none of this.
"""

import re
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from konnectd.interfaces import Backend
from konnectd.protocol.end_user import EndUser

#: What the names of our own cookies begin with, behind the prefix that says how a browser keeps them.
_OURS = re.compile(r"(?:__secure-|__host-)?kk", re.ASCII | re.IGNORECASE)


def is_ours(name: str) -> bool:
    """Tell whether a cookie is one of ours, or could be taken for one: nobody else gets to see it."""
    return _OURS.match(name) is not None


@frozen(kw_only=True)
class Carried:
    """What a browser carries for somebody else than us, as far as the backend asks to see it.

    Attributes:
        cookies: by name; never one of ours.
        accept_language: the header; empty for none.
        user_agent: the header; empty for none.
    """

    cookies: Mapping[str, str] = field(factory=dict, repr=False)
    accept_language: str = ""
    user_agent: str = field(default="", repr=False)


NOTHING_CARRIED = Carried()


@frozen(kw_only=True)
class Seen:
    """Who somebody is, by what their browser carries.

    Attributes:
        proven_at: when they proved it, in seconds since the epoch; 0 when nobody says.
    """

    user: EndUser
    proven_at: int = 0


class Acquaintances(Protocol):
    """What the last word of a backend about people was, for when their browser is not there to ask with."""

    async def note(self, user: EndUser) -> None:
        """Keep it for as long as a logon may count.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        ...

    async def recall(self, user_id: str) -> EndUser | None:
        """Return it; None for nobody, and for who has not been here for too long.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        ...


@runtime_checkable
class BrowserBackend(Backend, Protocol):
    """A source of users that knows by what a browser carries who somebody is; nobody types a password here.

    Its `find` can not ask anybody, as no browser is there: it answers from what it gave its acquaintances to keep.
    """

    @property
    def cookie_names(self) -> tuple[str, ...] | None:
        """Which cookies it has to see; empty for all that are not ours, None for none at all."""
        ...

    @property
    def signs_in_elsewhere(self) -> bool:
        """Whether there is a page of somebody else's where people sign in."""
        ...

    def keep_with(self, acquaintances: Acquaintances) -> None:
        """Take what keeps people between their visits; once, before the first request."""
        ...

    async def look(self, carried: Carried) -> Seen | None:
        """Return who somebody is; None for nobody.

        Raises:
            BackendUnavailableError: it did not answer, or answers nonsense.
        """
        ...
