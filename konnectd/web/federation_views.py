"""What people see who can not sign in here, but at external authorities."""

from typing import ClassVar

from attrs import frozen

from konnectd.protocol.local_text import NO_TEXT, LocalText
from konnectd.web.views import AuthorityLink, SignInFault, View


@frozen(kw_only=True)
class AuthoritiesPage:
    """Where to sign in; only links.

    Attributes:
        client_name: which application is waiting; empty when somebody came by themselves.
        client_host: the host that application returns to.
        logo: an address of ours where its logo is; empty for none.
        policy_uri: what it says about what it does with people's data; a link, as tos_uri, its conditions.
        client_text: what people are told there on its account.
        fault: why nobody is signed in yet.
        authorities: where people can sign in.
        cancel_uri: goes back to the application without having signed in; empty for no such link.
    """

    template: ClassVar[str] = "authorities.html"

    client_name: str = ""
    client_host: str = ""
    logo: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    client_text: LocalText = NO_TEXT
    fault: SignInFault | None = None
    authorities: tuple[AuthorityLink, ...] = ()
    cancel_uri: str = ""


#: Every page there is here.
VIEWS: tuple[type[View], ...] = (AuthoritiesPage,)
