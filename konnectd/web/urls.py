"""Where our own pages are, for whoever sends a browser there."""

from urllib.parse import quote, urlencode

from attrs import frozen

from konnectd.paths import Paths
from konnectd.protocol.authorize import FLOW, INTERACTION, INTERNAL_PARAMETERS
from konnectd.protocol.client import Client, split
from konnectd.protocol.client_logo import logo_address
from konnectd.protocol.device import USER_CODE, find_user_code, shown
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode

#: Longest address we send a browser to, in characters; beyond it servers and proxies cut or refuse.
LONGEST_LOCATION = 8000
#: What the sign-in page is told when somebody comes from the page for devices, to which they then go back.
DEVICE_FLOW = "device"
#: What names the client whose logo is wanted.
CLIENT_ID = "client_id"
#: Where front ends of Konnect go after a sign-in that no client waits for; they go nowhere but to their own origin.
CONTINUE = "continue"


@frozen(kw_only=True)
class Urls:
    """Addresses of pages: paths, or absolute ones where the operator has pages of their own.

    The logon cookie is sent to the inner paths only, so every page that must know who is signed in is there; the outer
    ones, which people may have bookmarked, lead to them.

    Attributes:
        sign_in: where somebody signs in.
        signed_out: where somebody ends who has signed out and is not awaited anywhere.
        own: whether our own pages are there; otherwise a front end shows all of them, beginning where people sign in.
        origin: of the issuer, as browsers write it; front ends are told whole addresses.
        elsewhere: whether people sign in at a page of somebody else's that sends them back to where it is told.
    """

    paths: Paths
    sign_in: str
    signed_out: str
    own: bool = True
    origin: str = ""
    elsewhere: bool = False

    @property
    def sign_in_form(self) -> str:
        """The sign-in page for a browser whose person may be signed in, and where its form goes."""
        return f"{self.paths.inner}signin" if self.own else self.sign_in

    @property
    def chooser(self) -> str:
        """The account chooser."""
        return f"{self.paths.inner}chooseaccount" if self.own else self.sign_in

    @property
    def consent(self) -> str:
        """The consent page."""
        return f"{self.paths.inner}consent" if self.own else self.sign_in

    @property
    def welcome(self) -> str:
        """The page of somebody who is signed in and not awaited anywhere."""
        return f"{self.paths.inner}welcome" if self.own else self.sign_in

    @property
    def farewell(self) -> str:
        """The page that shows who was told of a sign-out."""
        return f"{self.paths.inner}signedout"

    @property
    def own_signed_out(self) -> bool:
        """Whether the operator has a page of their own for those who have left."""
        return self.signed_out != self.paths.goodbye

    @property
    def account(self) -> str:
        """The page of what applications may do and where somebody is signed in."""
        return f"{self.paths.inner}account"

    @property
    def device(self) -> str:
        """The page where somebody signs a device in."""
        return f"{self.paths.inner}device"

    @property
    def goodbye(self) -> str:
        """The page that asks whether to sign out, or says that it is done."""
        return f"{self.paths.inner}goodbye" if self.own else self.signed_out

    def sign_in_for(self, page: str) -> str:
        """Return where somebody signs in who wants to see a page of ours; front ends of Konnect know ``continue``.

        Args:
            page: path and query.
        """
        if self.own:
            return self.sign_in_form
        return self.sign_in_form + with_query(Parameters({CONTINUE: self.origin + page}))

    def to_sign_in(self, carried: Parameters, interaction: str, **more: str) -> str:
        """Return where somebody signs in for a request.

        Args:
            carried: the request.
            interaction: the sealed progress.
            more: what front ends are told besides.
        """
        if self.elsewhere:
            return self.sign_in_and_back(self.paths.authorize + with_request(carried, interaction))
        return self.sign_in + with_request(carried, interaction, flow="oidc", **more)

    def sign_in_and_back(self, page: str) -> str:
        """Return the page of somebody else's where people sign in, which is told where they come back to.

        That is always a page of ours, and never an address that anybody has sent.

        Args:
            page: path and query of ours.
        """
        return self.sign_in + with_query(Parameters({CONTINUE: self.origin + page, "oauth": "1"}))

    def confirm(self, parameters: Parameters) -> str:
        """Return where somebody is asked whether they want to leave.

        A front end is told who asks and in which language, and no more: it may be anywhere, and a hint is a token.
        """
        told = dict(parameters.items())
        if not self.own:
            told = {name: value for name, value in told.items() if name in {CLIENT_ID, "ui_locales"}}
        return self.goodbye + with_query(Parameters(told))

    def onward(self, query: Parameters) -> str:
        """Return where somebody goes who has signed in, or has been chosen."""
        if "client_id" not in query:
            return self.home(query)
        return self.paths.authorize + with_request(query, query.text(INTERACTION))

    def home(self, query: Parameters) -> str:
        """Return where somebody goes whom no client awaits: to a page of ours, never to one that an address names."""
        if query.get(FLOW) != DEVICE_FLOW:
            return self.welcome
        code = find_user_code(query.text(USER_CODE))
        return self.device + with_query(Parameters({USER_CODE: shown(code)} if code is not None else {}))

    def logo(self, client: Client) -> str:
        """Return where a browser finds the logo of a client: with us; empty when it has none that can be shown."""
        if not logo_address(client):
            return ""
        return self.paths.client_logo + with_query(Parameters({CLIENT_ID: client.client_id}))


def with_query(parameters: Parameters) -> str:
    """Write parameters as the query of an address, ``?`` included; nothing for none."""
    return _query(list(parameters.items()))


def with_request(parameters: Parameters, interaction: str, flow: str = "", **more: str) -> str:
    """Write an authorization request as the query of the next page, with what our pages add to it.

    Args:
        interaction: the sealed progress.
        flow: what the sign-in page is told that it is for; empty on the way back.
        more: further parameters of our own.
    """
    pairs = list(parameters.without(*INTERNAL_PARAMETERS).items())
    pairs += [(FLOW, flow)] if flow else []
    pairs += [(INTERACTION, interaction)] if interaction else []
    return _query(pairs + list(more.items()))


def checked(location: str) -> str:
    """Return an address that every server on the way will take.

    Raises:
        OAuthError: it is too long.
    """
    if len(location) > LONGEST_LOCATION:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "the request is too long to be carried through the pages")
    return location


def form_targets(location: str) -> tuple[str, ...]:
    """Return what the policy of a page has to allow so that the redirects after its form get to an address.

    Browsers hold ``form-action`` against every redirect that follows, also against those that the other side makes
    after it has been reached, and to hosts that only it knows. So the schemes are named and not the hosts.

    Args:
        location: a path, which needs no permission, or an absolute URI.
    """
    parts = split(location)
    return tuple(dict.fromkeys(("https:", f"{parts.scheme}:"))) if parts is not None else ()


def _query(pairs: list[tuple[str, str]]) -> str:
    """Write pairs as the query of an address."""
    return "?" + urlencode(pairs, quote_via=quote, safe="") if pairs else ""
