"""Reasons that people meet: on our pages, and while they sign in."""

from konnectd.protocol.reason import Move, Reason

_PERSON, _ADMINISTRATOR = Move.PERSON, Move.ADMINISTRATOR

REASONS = (
    Reason(
        name="nobody-elsewhere",
        says=("nobody is signed in where the sign-in page says so",),
        why="Somebody came back from the page of sign_in_uri, and the application of the cookie backend names nobody.",
        advice="See that the application knows the cookies that its sign-in page sets, and that these are among the"
        " names after the backend's address.",
        move=Move.ADMINISTRATOR,
    ),
    Reason(
        name="no-cookies-elsewhere",
        says=("the browser keeps no cookies",),
        why="The backend says who somebody is, and their browser does not keep our cookie that says the same.",
        advice="Let the browser keep cookies of this host.",
        move=Move.PERSON,
    ),
    Reason(
        name="start-again",
        says=(
            "start_again",
            "request_uri is unknown, has been used or has expired",
            "the request was on its way for too long",
        ),
        why="A page in the middle of a sign-in was opened by itself, after its end, or too late.",
        advice="Nothing, when it is one person. When it is everybody, look whether the application sends people to a"
        " bookmarked address, or keeps a pushed request for longer than its expires_in.",
        clause="RFC 9126 4; RFC 9101 7",
        move=_PERSON,
    ),
    Reason(
        name="cookies-blocked",
        says=("cookies_blocked",),
        why="The browser did not send the cookie back that came with the form.",
        advice="When it is one person, their browser refuses cookies. When it is everybody, an https issuer is"
        " opened by"
        " http, or the proxy drops Set-Cookie.",
        move=_PERSON,
    ),
    Reason(
        name="stale-form",
        says=("stale_form",),
        why="A form was sent from a page that is older than another sign-in of that browser, or than the secret.",
        advice="Nothing, when it is one person. After every restart, set encryption_secret_file so that the secret"
        " lasts.",
        move=_PERSON,
    ),
    Reason(
        name="cross-site",
        says=("cross_site",),
        why="A form was sent from another site, or the page was opened under a name that is not the issuer's.",
        advice="When it is everybody, let the proxy redirect to the one name of oidc_issuer_identifier, or correct that"
        " option; scheme and port count.",
        move=_PERSON,
    ),
    Reason(
        name="method",
        says=("method",),
        why="A page was asked for by a method that it does not take.",
        advice="Nothing, unless a link of yours leads there.",
        clause="RFC 9110 15.5.6",
        move=_PERSON,
    ),
    Reason(
        name="not-found",
        says=("not_found",),
        why="There is nothing at this address.",
        advice="Look for a slash too many, or a base path that the proxy cuts off; the path is in the line.",
        move=_PERSON,
    ),
    Reason(
        name="backend-unavailable",
        says=(
            "users can not be looked up at the moment",
            "the request can not be read at the moment",
        ),
        why="Something behind konnectd did not answer: the directory, the store, or a client's own server.",
        advice="The words of the line say which. See that it runs and can be reached from here; for a"
        " directory, the page"
        " ldap.md of the manual has each line.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="fault",
        says=("fault",),
        why="konnectd made a mistake.",
        advice="The traceback follows the line in the log; please report it with both.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="other",
        says=(),
        why="A rule was broken that has no name of its own.",
        advice="The words of the line say which.",
    ),
    Reason(
        name="sign-out-hint",
        says=("id_token_hint was issued to another client",),
        why="An application asked for a sign-out with an ID token of another one.",
        advice="The application has to send the ID token it got itself, or no client_id.",
        clause="OIDC RP-Initiated Logout 2",
    ),
    Reason(
        name="sign-out-client",
        says=("post_logout_redirect_uri needs the id_token_hint or client_id of a registered client",),
        why="An application wants the browser back after the sign-out, and does not say which one it is.",
        advice="The application has to send id_token_hint or client_id; the client has to be in the file of"
        " identifier_registration_conf.",
        clause="OIDC RP-Initiated Logout 3",
    ),
    Reason(
        name="sign-out-redirect-uri",
        says=("post_logout_redirect_uri is not registered for this client",),
        why="The address after the sign-out is not, letter by letter, in the client's entry.",
        advice="Add it to post_logout_redirect_uris of the client in the file of identifier_registration_conf, and"
        " restart.",
        clause="OIDC RP-Initiated Logout 3",
    ),
    Reason(
        name="malformed-form",
        says=(
            "a parameter is not form-encoded",
            "too many parameters",
            "a parameter is not UTF-8 text",
            "a parameter has control characters",
            "a parameter is repeated",
            "the body must be application/x-www-form-urlencoded",
        ),
        why="The query or body is damaged, in another format, or says something twice.",
        advice="The application has to send each parameter once, form-encoded in UTF-8; a proxy must not rewrite them.",
        clause="RFC 6749 3.1, 3.2 and appendix B",
    ),
    Reason(
        name="request-too-long",
        says=(
            "the request is too long to be carried through the pages",
            "the request is too long to be kept",
            "state or nonce is too long",
            "claims is too long",
        ),
        why="The request is longer than what is carried through pages, redirects and cookies.",
        advice="The application should keep its data itself and send a short state, or push its request (PAR).",
    ),
    Reason(
        name="wrong-credentials",
        says=("unknown_user", "wrong_password", "empty_password"),
        why="The backend knows no such name, or the password is not right; the page says the same for both.",
        advice="For wrong names, look at the options that say how people are found (ldap_filter,"
        " ldap_login_attribute).",
        move=_PERSON,
        everyday=True,
    ),
    Reason(
        name="ambiguous-user",
        says=("ambiguous_user",),
        why="The name that was typed belongs to several accounts.",
        advice="Narrow ldap_filter or the list in ldap_login_attribute, so that one name finds one account.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="account-standing",
        says=("account_disabled", "account_locked", "account_or_password_expired"),
        why="The backend says that this account may not sign in: it is disabled, locked or expired.",
        advice="Change it in the directory or in the file of users; backend= in the line says which of these it is.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="authority-unavailable",
        says=("authority_unavailable", "authority_unknown", "the external authority does not answer at the moment"),
        why="Somebody was to sign in at an external authority that is not ready, does not answer, or is not there any"
        " more.",
        advice="The line before says what was found; konnectd doctor asks every authority.",
        clause="RFC 6749 4.1.2.1",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="authority-answer",
        says=("authority_invalid", "authority_no_identity", "authority_stale"),
        why="Somebody came back from an external authority with an answer that can not be believed, does not say who"
        " it is, or is older than the application asks for.",
        advice="The line before says what is wrong with it. Look at the entry's client_id, iss and"
        " identity_claim_name, at the clocks, and at what the authority releases to us.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="authority-refused",
        says=("authority_denied", "authority_no_trip", "the external authority has signed nobody in"),
        why="Somebody said no at an external authority, or was refused there; or came back twice, or from a trip that"
        " did not begin in this browser.",
        advice="Nothing, when it is one person. The line before has the authority's word for it.",
        clause="RFC 6749 4.1.2.1",
        move=_PERSON,
    ),
    Reason(
        name="authority-stranger",
        says=("authority_unknown_user", "authority_not_listed"),
        why="Somebody signed in at an external authority whom the backend does not know by that name, or who has no"
        " alias where the entry requires one.",
        advice="Add the person to the backend, or their name to identity_aliases of the entry; identity_claim_name"
        " says which claim is their name.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="too-many-tries",
        says=("too_many_tries",),
        why="There were 20 wrong passwords for one name or account within five minutes.",
        advice="Wait until five minutes after the first of them; when it goes on, somebody guesses, or a program has an"
        " old password.",
        move=_PERSON,
    ),
)
