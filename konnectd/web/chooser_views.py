"""What the account chooser shows: everybody who is signed in in a browser."""

from typing import ClassVar

from attrs import field, frozen

from konnectd.web.views import Account, View


@frozen(kw_only=True)
class ChooserPage:
    """Which account to go on with; posts ``account`` or ``signout`` (a username) or ``other``, and ``csrf``.

    Attributes:
        action: where the form goes, query included.
        accounts: who is signed in.
        current: whether the first of them is the current one.
        client_name: which application is waiting; empty when none is.
        client_host: the host that application returns to.
        logo: an address of ours where its logo is; empty for none.
    """

    template: ClassVar[str] = "chooser.html"

    action: str
    csrf: str = field(repr=False)
    accounts: tuple[Account, ...]
    current: bool = True
    client_name: str = ""
    client_host: str = ""
    logo: str = ""


#: Every page there is here.
VIEWS: tuple[type[View], ...] = (ChooserPage,)
