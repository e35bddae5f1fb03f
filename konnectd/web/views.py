"""What each page shows, as values: whoever renders a page fills one of these and never sees HTML.

A view names its template and holds plain text; how it looks is the template's business and what it says in which
language that of `konnectd.web.texts` and the catalogues. No value here is trusted: everything is escaped.
"""

from enum import StrEnum
from typing import ClassVar, Protocol

from attrs import field, frozen

from konnectd.protocol.local_text import NO_TEXT, LocalText
from konnectd.protocol.scope import Scope, ScopeCatalog


class View(Protocol):
    """Anything that can be rendered: a frozen value that knows its template."""

    template: ClassVar[str]


class SignInFault(StrEnum):
    """Why the sign-in form is shown once more."""

    WRONG_CREDENTIALS = "wrong_credentials"
    MISSING_USERNAME = "missing_username"
    MISSING_PASSWORD = "missing_password"  # noqa: S105 - names a fault, not a password
    STALE_FORM = "stale_form"
    UNAVAILABLE = "unavailable"
    TOO_MANY_TRIES = "too_many_tries"
    AUTHORITY_DENIED = "authority_denied"
    AUTHORITY_UNAVAILABLE = "authority_unavailable"
    AUTHORITY_UNKNOWN_USER = "authority_unknown_user"
    AUTHORITY_FAILED = "authority_failed"
    OTHER_ACCOUNT = "other_account"

    @property
    def blames_username(self) -> bool:
        """Whether the username field is marked as wrong."""
        return self in {SignInFault.WRONG_CREDENTIALS, SignInFault.MISSING_USERNAME}

    @property
    def blames_password(self) -> bool:
        """Whether the password field is marked as wrong."""
        return self in {SignInFault.WRONG_CREDENTIALS, SignInFault.MISSING_PASSWORD}


class ErrorKind(StrEnum):
    """What an error page explains, each with its own plain words in `konnectd.web.texts`."""

    START_AGAIN = "start_again"
    COOKIES_BLOCKED = "cookies_blocked"
    STALE_FORM = "stale_form"
    CROSS_SITE = "cross_site"
    UNKNOWN_CLIENT = "unknown_client"
    REDIRECT_URI = "redirect_uri"
    MALFORMED_REQUEST = "malformed_request"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"
    NOT_FOUND = "not_found"
    METHOD = "method"


@frozen
class Account:
    """Somebody who is signed in already."""

    username: str
    display_name: str = ""

    @property
    def name(self) -> str:
        """What to call them."""
        return self.display_name or self.username


@frozen(kw_only=True)
class ScopeLine:
    """One thing an application asks to be allowed.

    Attributes:
        id: handle of a built-in text; empty or unknown for the operator's own.
        description: the operator's text, in the language of the page if they wrote it in that.
        token: what is shown when there is neither; a line that can be left out is posted as ``scope.`` and this.
        optional: whether the application does without.
    """

    id: str = ""
    description: LocalText = NO_TEXT
    token: str
    optional: bool = False


@frozen(kw_only=True)
class AuthorityLink:
    """An external authority that people can sign in at.

    Attributes:
        name: what people call it.
        location: where the browser is sent there from: a path of ours, query included.
    """

    name: str
    location: str


@frozen(kw_only=True)
class SignInPage:
    """The form for a username and a password; posts ``username``, ``password``, ``stay`` and ``csrf``.

    Attributes:
        action: where the form goes, query included.
        client_name: which application is waiting; empty when somebody came by themselves.
        client_host: the host that application returns to.
        logo: an address of ours where its logo is; empty for none.
        policy_uri: what it says about what it does with people's data; a link, as tos_uri, its conditions.
        client_text: what people are told there on its account.
        username: what was typed last time, or hinted at.
        fault: why the form is shown again.
        may_stay: whether there is a box for staying signed in.
        stay: whether it is ticked.
        authorities: where people can sign in instead.
        cancel_uri: goes back to the application without having signed in; empty for no such link.
    """

    template: ClassVar[str] = "signin.html"

    action: str
    csrf: str = field(repr=False)
    client_name: str = ""
    client_host: str = ""
    logo: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    client_text: LocalText = NO_TEXT
    username: str = ""
    fault: SignInFault | None = None
    may_stay: bool = False
    stay: bool = False
    authorities: tuple[AuthorityLink, ...] = ()
    cancel_uri: str = ""


@frozen(kw_only=True)
class ConsentPage:
    """What an application asks for; posts ``allow`` or ``deny``, what is not left out, and ``csrf``.

    Attributes:
        action: where the form goes, query included.
        logo: an address of ours where its logo is; empty for none.
        client_uri: its home page; a link only when it is http or https.
        policy_uri: what it says about what it does with people's data; a link as well.
        tos_uri: its terms of service; a link as well.
        redirect_host: where the browser is sent whichever button is pressed.
        lines: what is asked for, the most important first.
    """

    template: ClassVar[str] = "consent.html"

    action: str
    csrf: str = field(repr=False)
    client_name: str
    logo: str = ""
    client_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    redirect_host: str
    display_name: str = ""
    username: str
    lines: tuple[ScopeLine, ...]

    @property
    def account(self) -> Account:
        """Who is asked."""
        return Account(self.username, self.display_name)

    @property
    def has_choice(self) -> bool:
        """Whether anything can be left out."""
        return any(line.optional for line in self.lines)


@frozen(kw_only=True)
class WelcomePage:
    """That somebody is signed in and nobody is waiting for them; posts ``signout`` and ``csrf``."""

    template: ClassVar[str] = "welcome.html"

    signout_action: str
    csrf: str = field(repr=False)
    display_name: str = ""
    username: str
    account_uri: str
    chooser_uri: str

    @property
    def account(self) -> Account:
        """Who is signed in."""
        return Account(self.username, self.display_name)


@frozen(kw_only=True)
class GoodbyePage:
    """Whether to sign out; posts ``signout`` (``all`` for everybody) or ``stay``, and ``csrf``.

    Attributes:
        action: where the form goes, query included.
        client_name: which application asked to sign out; empty when none did.
        others: who is signed in beside, and stays so unless everybody leaves.
    """

    template: ClassVar[str] = "goodbye.html"

    action: str
    csrf: str = field(repr=False)
    display_name: str = ""
    username: str
    client_name: str = ""
    others: tuple[Account, ...] = ()

    @property
    def account(self) -> Account:
        """Who would be signed out."""
        return Account(self.username, self.display_name)


@frozen(kw_only=True)
class SignedOutPage:
    """That somebody is not signed in any more.

    Attributes:
        client_name: which application to go back to.
        return_uri: its registered address; no link when it is not a plain URI.
        others: who is still signed in in this browser.
        chooser_uri: where one of them is chosen.
        recognized: a proxy says who is there, so the next application signs them in again.
    """

    template: ClassVar[str] = "signed_out.html"

    client_name: str = ""
    return_uri: str = ""
    others: tuple[Account, ...] = ()
    chooser_uri: str = ""
    recognized: bool = False


class PartyState(StrEnum):
    """What is known about an application that was told of a sign-out."""

    TOLD = "told"
    SILENT = "silent"
    WAITING = "waiting"
    IN_FRAME = "in_frame"


@frozen(kw_only=True)
class FarewellLine:
    """One application that was told of a sign-out.

    Attributes:
        frame: the address that tells it, to be opened in a frame; empty for none.
    """

    name: str
    state: PartyState
    frame: str = field(default="", repr=False)


@frozen(kw_only=True)
class FarewellPage:
    """That nobody is signed in any more, and which applications were told.

    Attributes:
        return_uri: where to go on to; no link when it is not a plain URI.
        client_name: which application is there; empty when it is none.
        again: the address of this very page, when it may say more after a while.
        onward: whether to go on without being asked, once every frame has been seen to.
        recognized: a proxy says who is there, so the next application signs them in again.
    """

    template: ClassVar[str] = "farewell.html"

    lines: tuple[FarewellLine, ...]
    return_uri: str = ""
    client_name: str = ""
    again: str = ""
    onward: bool = False
    recognized: bool = False


@frozen(kw_only=True)
class ErrorPage:
    """What is wrong, whose move it is, and where to find it in the log.

    Attributes:
        status: the HTTP status to answer with.
        kind: chooses the words.
        code: the error code of the specification, for developers; may be empty.
        description: further words for developers; may be empty.
        reference: what is also in the log.
        client_name: which application is concerned, if that is known.
    """

    template: ClassVar[str] = "error.html"

    status: int
    kind: ErrorKind
    code: str = ""
    description: str = ""
    reference: str
    client_name: str = ""


@frozen(kw_only=True)
class FormPostPage:
    """An answer on its way to an application: a form that sends itself, or is sent by its button.

    Attributes:
        action: the application's redirect URI.
        fields: the parts of the answer.
        client_name: where the answer goes.
    """

    template: ClassVar[str] = "form_post.html"

    action: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    client_name: str = ""


def scope_lines(catalog: ScopeCatalog, scope: Scope) -> tuple[ScopeLine, ...]:
    """Return what stands for a scope on a page."""
    return tuple(
        ScopeLine(
            id=definition.id,
            description=definition.description,
            token=key,
            optional=not catalog.is_required(key),
        )
        for key, definition in catalog.lines(scope)
    )


#: Every page there is; their templates are checked against their fields at start.
VIEWS: tuple[type[View], ...] = (
    SignInPage,
    ConsentPage,
    WelcomePage,
    GoodbyePage,
    SignedOutPage,
    FarewellPage,
    FormPostPage,
    ErrorPage,
)
