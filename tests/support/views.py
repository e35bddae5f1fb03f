"""One view of every kind, with and without what may be left out, as people meet them."""

from collections.abc import Mapping

from konnectd.web.views import (
    Account,
    ChooserPage,
    ConsentPage,
    ErrorKind,
    ErrorPage,
    GoodbyePage,
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
    ScopeLine(id="scope_groups", token="groups"),
    ScopeLine(description="Read & write your calendar", token="calendar"),
    ScopeLine(id="scope_offline_access", token="offline_access"),
    ScopeLine(token="example/special"),
)

SIGN_IN = SignInPage(action="/signin?a=1&b=2", csrf="csrf-1", client_name="Notes", client_host="notes.example.org")
CHOOSER = ChooserPage(
    action="/choose", csrf="csrf-2", account=ALICE, client_name="Notes", client_host="notes.example.org"
)
CONSENT = ConsentPage(
    action="/consent",
    csrf="csrf-3",
    client_name="Notes",
    client_uri="https://notes.example.org/",
    redirect_host="notes.example.org",
    display_name="Alice Liddell",
    username="alice",
    lines=LINES,
)
WELCOME = WelcomePage(signout_action="/signout", csrf="csrf-4", display_name="Alice Liddell", username="alice")
GOODBYE = GoodbyePage(
    action="/goodbye", csrf="csrf-5", display_name="Alice Liddell", username="alice", client_name="Notes"
)
SIGNED_OUT = SignedOutPage(client_name="Notes", return_uri="https://notes.example.org/bye?state=1&x=2")

#: Every page in every variant that looks different, by a name for files.
SAMPLES: Mapping[str, View] = {
    "signin": SIGN_IN,
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
    "chooser-nameless": ChooserPage(action="/choose", csrf="c", account=Account("bob")),
    "consent": CONSENT,
    "consent-short": ConsentPage(
        action="/consent", csrf="c", client_name="cli", redirect_host="127.0.0.1", username="bob", lines=LINES[:1]
    ),
    "welcome": WELCOME,
    "goodbye": GOODBYE,
    "goodbye-alone": GoodbyePage(action="/goodbye", csrf="c", username="bob"),
    "signed_out": SIGNED_OUT,
    "signed_out-nameless": SignedOutPage(return_uri="org.example.app:/bye"),
    "signed_out-alone": SignedOutPage(),
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
    "error-short": ErrorPage(status=404, kind=ErrorKind.NOT_FOUND, reference="Q7KD-3MXA"),
}
