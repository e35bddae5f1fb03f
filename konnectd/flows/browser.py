"""What a flow sees of a browser: sealed values it kept for us, and what it shall keep or forget next.

Names are the short ones, without the prefix that a cookie has on the wire; `konnectd.web.cookies` knows the rest.
"""

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

#: The logon: who the browser's person is.
LOGON = "KKT"
#: A word that is another one for each session; unlike everything else, a script of ours may read it.
BROWSER_STATE = "KKBS"


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
