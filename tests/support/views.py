"""One view of every kind, with and without what may be left out, as people meet them."""

from collections.abc import Mapping

from attrs import evolve

from konnectd.protocol.local_text import LocalText
from konnectd.web.account_views import AccountPage, PermitLine, SessionLine
from konnectd.web.chooser_views import ChooserPage
from konnectd.web.device_views import DeviceCodePage, DeviceDonePage, DeviceFault, DevicePage
from konnectd.web.federation_views import AuthoritiesPage
from konnectd.web.views import (
    Account,
    AuthorityLink,
    ConsentPage,
    ErrorKind,
    ErrorPage,
    FarewellLine,
    FarewellPage,
    FormPostPage,
    GoodbyePage,
    PartyState,
    ScopeLine,
    SignedOutPage,
    SignInFault,
    SignInPage,
    View,
    WelcomePage,
)

ALICE = Account("alice", "Alice Liddell")
LINES = (
    ScopeLine(id="scope_alias_basic", token="basic"),
    ScopeLine(id="scope_groups", token="groups", optional=True),
    ScopeLine(description=LocalText("Read & write your calendar"), token="calendar", optional=True),
    ScopeLine(id="scope_offline_access", token="offline_access", optional=True),
    ScopeLine(token="example/special", optional=True),
)

SIGN_IN = SignInPage(
    action="/signin?a=1&b=2",
    csrf="csrf-1",
    client_name="Notes",
    client_host="notes.example.org",
    policy_uri="https://notes.example.org/privacy",
    tos_uri="https://notes.example.org/terms",
)
#: Where else people can sign in.
AUTHORITIES = AuthoritiesPage(
    client_name="Notes",
    client_host="notes.example.org",
    policy_uri="https://notes.example.org/privacy",
    fault=SignInFault.AUTHORITY_DENIED,
    authorities=(
        AuthorityLink(name="Corporate & sons", location="/signin/v1/identifier/oauth2/start?authority_id=corp&a=1"),
        AuthorityLink(name="University", location="/signin/v1/identifier/oauth2/start?authority_id=uni"),
    ),
    cancel_uri="/authorize?a=1&b=2",
)
#: Where a logo is found that a page shows; an application's id can be any text.
LOGO = "/signin/v1/client-logo?client_id=a%26b"
CHOOSER = ChooserPage(
    action="/choose", csrf="csrf-2", accounts=(ALICE,), client_name="Notes", client_host="notes.example.org"
)
CONSENT = ConsentPage(
    action="/consent",
    csrf="csrf-3",
    client_name="Notes",
    client_uri="https://notes.example.org/",
    policy_uri="https://notes.example.org/privacy",
    tos_uri="https://notes.example.org/terms",
    redirect_host="notes.example.org",
    display_name="Alice Liddell",
    username="alice",
    lines=LINES,
)
WELCOME = WelcomePage(
    signout_action="/signout",
    csrf="csrf-4",
    display_name="Alice Liddell",
    username="alice",
    account_uri="/account",
    chooser_uri="/choose",
)
GOODBYE = GoodbyePage(
    action="/goodbye", csrf="csrf-5", display_name="Alice Liddell", username="alice", client_name="Notes"
)
ACCOUNT = AccountPage(
    action="/account",
    csrf="csrf-6",
    back="/welcome",
    display_name="Alice Liddell",
    username="alice",
    permits=(
        PermitLine(client_id="notes", name="Notes", host="notes.example.org", since=1_700_000_000, lines=LINES),
        PermitLine(client_id="gone", name="gone", since=1_690_000_000, lines=LINES[:1]),
    ),
    sessions=(
        SessionLine(session_id="s-1", started_at=1_700_000_000, browser="Firefox", system="Linux", current=True),
        SessionLine(session_id="s-2", started_at=1_699_990_000, browser="Safari", system="iPhone", until=1_702_591_990),
        SessionLine(session_id="s-3", started_at=1_699_980_000, system="Android"),
        SessionLine(session_id="s-4", started_at=1_699_970_000),
    ),
)
SIGNED_OUT = SignedOutPage(client_name="Notes", return_uri="https://notes.example.org/bye?state=1&x=2")

#: Every page in every variant that looks different, by a name for files.
SAMPLES: Mapping[str, View] = {
    "signin": SIGN_IN,
    "signin-logo": evolve(SIGN_IN, logo=LOGO),
    "signin-stay": evolve(SIGN_IN, may_stay=True),
    "signin-stay-preset": evolve(SIGN_IN, may_stay=True, stay=True),
    "signin-authorities": evolve(SIGN_IN, authorities=AUTHORITIES.authorities, cancel_uri=AUTHORITIES.cancel_uri),
    "authorities": AUTHORITIES,
    "authorities-alone": AuthoritiesPage(authorities=AUTHORITIES.authorities[:1], cancel_uri="/authorize"),
    "signin-alone": SignInPage(action="/signin", csrf="csrf-1"),
    **{
        f"signin-{fault}": SignInPage(
            action="/signin",
            csrf="csrf-1",
            client_name="Notes",
            username="" if fault is SignInFault.MISSING_USERNAME else "alice",
            fault=fault,
        )
        for fault in SignInFault
    },
    "chooser": CHOOSER,
    "chooser-logo": evolve(CHOOSER, logo=LOGO),
    "chooser-nameless": ChooserPage(action="/choose", csrf="c", accounts=(Account("bob"),)),
    "chooser-several": evolve(CHOOSER, accounts=(ALICE, Account("bob"), Account("carroll", "Lewis Carroll"))),
    "chooser-alone": ChooserPage(action="/choose", csrf="c", accounts=(ALICE, Account("bob")), current=False),
    "consent": CONSENT,
    "consent-logo": evolve(CONSENT, logo=LOGO),
    "consent-short": ConsentPage(
        action="/consent", csrf="c", client_name="cli", redirect_host="127.0.0.1", username="bob", lines=LINES[:1]
    ),
    "welcome": WELCOME,
    "account": ACCOUNT,
    "account-empty": AccountPage(
        action="/account",
        csrf="c",
        back="/welcome",
        username="bob",
        sessions=(SessionLine(session_id="s-1", started_at=1_700_000_000, current=True),),
    ),
    "goodbye": GOODBYE,
    "goodbye-others": evolve(GOODBYE, others=(Account("bob"), Account("carroll", "Lewis Carroll"))),
    "goodbye-alone": GoodbyePage(action="/goodbye", csrf="c", username="bob"),
    "signed_out": SIGNED_OUT,
    "form_post": FormPostPage(
        action="https://notes.example.org/cb", fields=(("code", "c-1"), ("state", "s-1")), client_name="Notes"
    ),
    "form_post-nameless": FormPostPage(action="https://notes.example.org/cb", fields=(("code", "c-1"),)),
    "farewell": FarewellPage(
        lines=(
            FarewellLine(name="Notes", state=PartyState.TOLD),
            FarewellLine(name="Mail & Calendar", state=PartyState.WAITING),
            FarewellLine(name="An old application", state=PartyState.SILENT),
            FarewellLine(name="Wiki", state=PartyState.IN_FRAME),
        ),
        return_uri="https://notes.example.org/bye",
        client_name="Notes",
        again="/signedout?left=1",
    ),
    "farewell-onward": FarewellPage(
        lines=(FarewellLine(name="Notes", state=PartyState.TOLD),), return_uri="org.example.app:/bye"
    ),
    "farewell-alone": FarewellPage(lines=(FarewellLine(name="Notes", state=PartyState.TOLD),)),
    "signed_out-nameless": SignedOutPage(return_uri="org.example.app:/bye"),
    "signed_out-alone": SignedOutPage(),
    "signed_out-others": evolve(SIGNED_OUT, others=(ALICE, Account("bob")), chooser_uri="/choose"),
    **{
        f"error-{kind}": ErrorPage(
            status=400,
            kind=kind,
            code="invalid_request",
            description="redirect_uri is not registered for this client",
            reference="Q7KD-3MXA",
            client_name="Notes",
        )
        for kind in ErrorKind
    },
    "device_code": DeviceCodePage(action="/device", csrf="c", username="alice", display_name="Alice Liddell"),
    **{
        f"device_code-{fault}": DeviceCodePage(
            action="/device", csrf="c", username="bob", user_code="WDJB-MJHT", fault=fault
        )
        for fault in DeviceFault
    },
    "device": DevicePage(
        action="/device?ticket=1",
        csrf="c",
        client_name="Living room TV",
        user_code="WDJB-MJHT",
        display_name="Alice Liddell",
        username="alice",
        lines=LINES,
    ),
    "device_done": DeviceDonePage(allowed=True),
    "device_done-denied": DeviceDonePage(allowed=False),
    "error-short": ErrorPage(status=404, kind=ErrorKind.NOT_FOUND, reference="Q7KD-3MXA"),
}
