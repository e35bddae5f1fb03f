"""What a flow sees of a browser: sealed values it kept for us, and what it shall keep or forget next.

Names are the short ones, without the prefix that a cookie has on the wire; `konnectd.web.cookies` knows the rest.
"""

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from konnectd.protocol.logons import MOST_BESIDE

#: The logon: who the browser's person is.
LOGON = "KKT"
#: The logons of others who are signed in beside the current one, each a value like the current one's.
BESIDE = tuple(f"{LOGON}-{number}" for number in range(1, MOST_BESIDE + 1))
#: Words that are others for each session; unlike everything else, a script of ours may read them. Those of sessions
#: that outlive the browser have a cookie of their own, which does so too.
BROWSER_STATE = "KKBS"
KEPT_BROWSER_STATE = "KKBS-kept"
#: What stands between two words.
BETWEEN = "."


@frozen
class Browser:
    """The sealed values a browser sent along, by name."""

    sealed: Mapping[str, str] = field(factory=dict, repr=False)


@frozen
class Keep:
    """The browser shall keep a value: for some seconds, or (None) as long as it runs."""

    name: str
    value: str = field(repr=False)
    max_age: int | None = None


@frozen
class Forget:
    """The browser shall forget a value."""

    name: str


CookieChange: TypeAlias = Keep | Forget
