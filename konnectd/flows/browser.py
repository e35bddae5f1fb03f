"""What a flow sees of a browser: sealed values it kept for us, and what it shall keep or forget next.

Names are the short ones, without the prefix that a cookie has on the wire; `konnectd.web.cookies` knows the rest.
"""

from collections.abc import Mapping
from typing import TypeAlias

from attrs import evolve, field, frozen

from konnectd.protocol.logons import MOST_BESIDE
from konnectd.sources import NOTHING_CARRIED, Carried

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
class Recognized:
    """Whom somebody in front of us says to have recognized, whom the operator trusts in this.

    Attributes:
        username: under which the person signs in.
        browser: its family; empty when nobody can tell.
        system: of the browser; empty when nobody can tell.
    """

    username: str
    browser: str = ""
    system: str = ""


@frozen
class Browser:
    """What comes with every request of a browser.

    Attributes:
        sealed: the values it kept for us, by name.
        recognized: who sits there, when somebody in front of us says so.
        carried: what it carries for others, where the backend has to see it.
        program: its family and that of its system, where it is looked at; empty when nobody can tell.
    """

    sealed: Mapping[str, str] = field(factory=dict, repr=False)
    recognized: Recognized | None = None
    carried: Carried = NOTHING_CARRIED
    program: tuple[str, str] = ("", "")

    @property
    def recognized_name(self) -> str:
        """The name somebody in front of us says; empty when they say nothing."""
        return self.recognized.username if self.recognized is not None else ""

    def after(self, changes: "tuple[CookieChange, ...]") -> "Browser":
        """Return it as it is once it has kept and forgotten what it was told to."""
        sealed = dict(self.sealed)
        for change in changes:
            if isinstance(change, Keep):
                sealed[change.name] = change.value
            else:
                sealed.pop(change.name, None)
        return evolve(self, sealed=sealed)


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


def merged(first: tuple[CookieChange, ...], then: tuple[CookieChange, ...]) -> tuple[CookieChange, ...]:
    """Return two series of changes as one, each value named once; what comes later counts. Spec: RFC 6265 4.1.1."""
    return tuple({change.name: change for change in (*first, *then)}.values()) if first else then
