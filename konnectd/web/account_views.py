"""What the page shows of what applications may do and where somebody is signed in."""

from typing import ClassVar

from attrs import field, frozen

from konnectd.web.views import Account, ScopeLine, View


@frozen(kw_only=True)
class PermitLine:
    """One application with access.

    Attributes:
        client_id: what is posted to remove it.
        host: where it is; empty for a program on somebody's machine.
        since: in seconds since the epoch.
        lines: what it may do.
    """

    client_id: str
    name: str
    host: str = ""
    since: int
    lines: tuple[ScopeLine, ...]


@frozen(kw_only=True)
class SessionLine:
    """One browser somebody is signed in with.

    Attributes:
        session_id: what is posted to end it.
        started_at: in seconds since the epoch.
        current: whether it is the one that looks at the page.
        until: when it ends at the latest, in seconds since the epoch, if it outlives the browser; else 0.
    """

    session_id: str = field(repr=False)
    started_at: int
    browser: str = ""
    system: str = ""
    current: bool = False
    until: int = 0


@frozen(kw_only=True)
class AccountPage:
    """What applications may do and where somebody is signed in; posts ``revoke`` or ``end``, and ``csrf``.

    Attributes:
        back: the address of the page before.
    """

    template: ClassVar[str] = "account.html"

    action: str
    csrf: str = field(repr=False)
    back: str
    display_name: str = ""
    username: str
    permits: tuple[PermitLine, ...] = ()
    sessions: tuple[SessionLine, ...] = ()

    @property
    def account(self) -> Account:
        """Whose page it is."""
        return Account(self.username, self.display_name)


#: Every page there is here.
VIEWS: tuple[type[View], ...] = (AccountPage,)
