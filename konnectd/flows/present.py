"""Who is there when a request arrives at the authorization endpoint."""

from attrs import frozen

from konnectd.flows.browser import LOGON, Browser
from konnectd.protocol.end_user import Logon


@frozen
class Present:
    """Who is there.

    Attributes:
        logon: of the person; None for nobody.
        withdrawal: the mark under which they allow something, as `konnectd.protocol.withdrawal` has it.
        asked: whose logon was looked at, be it good for anything or not.
        others: who has a logon in the browser as well.
        lost: who has to sign in again because the backend says so. Their logon stays until another one takes its place:
            the session goes on for the clients in it, and the backend may yet know them again.
    """

    logon: Logon | None = None
    withdrawal: str = ""
    asked: Logon | None = None
    others: tuple[Logon, ...] = ()
    lost: Logon | None = None

    @property
    def is_nobody(self) -> bool:
        """Whether nobody is there, be it the current one or anybody beside, or somebody who has to sign in again."""
        return self.logon is None and self.lost is None and not self.others

    def has_lapsed(self, browser: Browser) -> bool:
        """Whether a browser keeps a logon that is good for nothing any more."""
        return self.logon is None and self.lost is None and (LOGON in browser.sealed or self.asked is not None)
