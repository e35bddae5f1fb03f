"""The words of the pages that are chosen by a value, in English; the catalogues translate them.

Words that always stand in the same place are in the templates. `mark` only marks a text for the catalogue: the
template looks up its translation. No text here has a percent sign or markup in it.
"""

from collections.abc import Mapping

from attrs import frozen

from konnectd.protocol.branding import Naming
from konnectd.protocol.reason import Move
from konnectd.web.views import ErrorKind, SignInFault


def mark(text: str) -> str:
    """Mark a text as one to translate, and return it as it is."""
    return text


@frozen(kw_only=True)
class Explanation:
    """One error in plain words.

    Attributes:
        title: the heading of the page.
        what: what happened.
        move: whose turn it is.
        advice: what they should do.
        ask: whom the person can turn to, and with what.
    """

    title: str
    what: str
    move: Move
    advice: str
    ask: str


#: What the field for the username is called.
NAMINGS: Mapping[Naming, str] = {
    Naming.USERNAME: mark("Username"),
    Naming.EMAIL: mark("Email address"),
    Naming.IDENTITY: mark("Username or email address"),
}

MOVES: Mapping[Move, str] = {
    Move.PERSON: mark("What you can do"),
    Move.DEVELOPER: mark("The people behind the application have to fix this"),
    Move.ADMINISTRATOR: mark("The administrator of this service has to look at this"),
}

_TELL_DEVELOPER = mark(
    "There is nothing you can do here, and your account is fine."
    " Please tell the people who run the application, and send them the details below."
)
_ASK_ADMINISTRATOR = mark(
    "If that does not help, ask the administrator of this service."
    " With the reference below they find out what happened."
)
_ASK_BOTH = mark(
    "If you do not know them, ask the administrator of this service."
    " With the reference below they find out what happened."
)
_ASK_WITH_REFERENCE = mark(
    "The administrator of this service can help you. With the reference below they find out what happened."
)

EXPLANATIONS: Mapping[ErrorKind, Explanation] = {
    ErrorKind.START_AGAIN: Explanation(
        title=mark("Please start again"),
        what=mark("This page is one step of signing in to an application. It was opened on its own, or too late."),
        move=Move.PERSON,
        advice=mark("Go back to the application you want to use, and sign in from there."),
        ask=_ASK_ADMINISTRATOR,
    ),
    ErrorKind.COOKIES_BLOCKED: Explanation(
        title=mark("Your browser did not keep our cookie"),
        what=mark("Signing in needs a cookie from this site, and your browser did not send it back."),
        move=Move.PERSON,
        advice=mark("Allow cookies for this site. Then go back to the application and sign in from there."),
        ask=_ASK_ADMINISTRATOR,
    ),
    ErrorKind.STALE_FORM: Explanation(
        title=mark("This page was too old"),
        what=mark(
            "It was open for too long, or you signed in or out in another window in the meantime. Nothing was changed."
        ),
        move=Move.PERSON,
        advice=mark("Go back to the application and start again."),
        ask=_ASK_ADMINISTRATOR,
    ),
    ErrorKind.CROSS_SITE: Explanation(
        title=mark("This was sent from another site"),
        what=mark("To protect your account, this service only accepts forms from its own pages. Nothing was changed."),
        move=Move.PERSON,
        advice=mark(
            "Go back to the application and start again. If you see this page once more, tell the administrator:"
            " the proxy in front of this service may be changing its host name."
        ),
        ask=_ASK_ADMINISTRATOR,
    ),
    ErrorKind.UNKNOWN_CLIENT: Explanation(
        title=mark("This application is not registered here"),
        what=mark("An application sent you here to sign in, but this service does not know it."),
        move=Move.DEVELOPER,
        advice=_TELL_DEVELOPER,
        ask=_ASK_BOTH,
    ),
    ErrorKind.REDIRECT_URI: Explanation(
        title=mark("The return address of this application is not registered"),
        what=mark(
            "To protect your account, this service only sends you to addresses that are registered for an"
            " application. The one it asked for is not among them."
        ),
        move=Move.DEVELOPER,
        advice=_TELL_DEVELOPER,
        ask=_ASK_BOTH,
    ),
    ErrorKind.MALFORMED_REQUEST: Explanation(
        title=mark("The request of this application makes no sense"),
        what=mark("An application sent you here, but something in its request is missing or wrong."),
        move=Move.DEVELOPER,
        advice=_TELL_DEVELOPER,
        ask=_ASK_BOTH,
    ),
    ErrorKind.UNAVAILABLE: Explanation(
        title=mark("Signing in does not work right now"),
        what=mark("A system that this service depends on does not answer. Your password is not the reason."),
        move=Move.ADMINISTRATOR,
        advice=mark("Please try again in a few minutes. If that does not help, send the administrator the reference."),
        ask=_ASK_WITH_REFERENCE,
    ),
    ErrorKind.FAULT: Explanation(
        title=mark("Something went wrong here"),
        what=mark("It is not your fault: this service made a mistake, and wrote it to its log."),
        move=Move.ADMINISTRATOR,
        advice=mark("Please try again. If it happens once more, send the administrator the reference."),
        ask=_ASK_WITH_REFERENCE,
    ),
    ErrorKind.NOT_FOUND: Explanation(
        title=mark("There is no page here"),
        what=mark("The address you opened does not lead anywhere."),
        move=Move.PERSON,
        advice=mark("Check the address for typing mistakes, or start from the application you want to use."),
        ask=_ASK_ADMINISTRATOR,
    ),
    ErrorKind.METHOD: Explanation(
        title=mark("This address can not be used like this"),
        what=mark("It exists, but not for the kind of request that was sent."),
        move=Move.PERSON,
        advice=mark("Go back to the application you want to use, and start from there."),
        ask=_ASK_ADMINISTRATOR,
    ),
}

SIGN_IN_FAULTS: Mapping[SignInFault, str] = {
    SignInFault.WRONG_CREDENTIALS: mark("Username or password is not right. Please check both and try again."),
    SignInFault.MISSING_USERNAME: mark("Please enter your username."),
    SignInFault.MISSING_PASSWORD: mark("Please enter your password."),
    SignInFault.STALE_FORM: mark("This page was open for too long. Please sign in again."),
    SignInFault.UNAVAILABLE: mark("Signing in does not work right now. Please try again in a few minutes."),
    SignInFault.TOO_MANY_TRIES: mark("There were too many attempts. Please wait a few minutes and try again."),
    SignInFault.AUTHORITY_DENIED: mark("The service you were sent to did not sign you in."),
    SignInFault.AUTHORITY_UNAVAILABLE: mark(
        "The service where you sign in does not answer. Please try again in a few minutes."
    ),
    SignInFault.AUTHORITY_UNKNOWN_USER: mark(
        "The account you signed in with is not known here. Use another one, or ask the administrator."
    ),
    SignInFault.AUTHORITY_FAILED: mark(
        "The answer of the service where you signed in could not be used. Try again, or ask the administrator."
    ),
    SignInFault.OTHER_ACCOUNT: mark("The application asks for another account, or for a new sign-in."),
}

#: The same where the field asks for something else than a username: by what it is called, then by what is wrong. The
#: empty name stands for a label of the operator's own.
FAULTS_BY_NAMING: Mapping[str, Mapping[SignInFault, str]] = {
    Naming.EMAIL: {
        SignInFault.WRONG_CREDENTIALS: mark("Email address or password is not right. Please check both and try again."),
        SignInFault.MISSING_USERNAME: mark("Please enter your email address."),
    },
    Naming.IDENTITY: {SignInFault.MISSING_USERNAME: mark("Please enter your username or email address.")},
    "": {SignInFault.MISSING_USERNAME: mark("Please fill in this field.")},
}

#: Built-in lines of the consent page, by the ``id`` of their scope definition.
SCOPES: Mapping[str, str] = {
    "scope_alias_basic": mark("See who you are: your name, username, email address and profile"),
    "scope_address": mark("See your postal address"),
    "scope_phone": mark("See your phone number"),
    "scope_groups": mark("See which groups you are in"),
    "scope_kopano_gc": mark("Read and write your Kopano Groupware data"),
    "scope_offline_access": mark("Keep this access while you are not using the application"),
}
