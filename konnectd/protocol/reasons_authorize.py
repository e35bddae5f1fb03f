"""Reasons for which an authorization request is refused."""

from konnectd.protocol.reason import Move, Reason

_PERSON, _ADMINISTRATOR = Move.PERSON, Move.ADMINISTRATOR
_ENTRY = "the client's entry in the file of identifier_registration_conf"

REASONS = (
    Reason(
        name="client-missing",
        says=("client_id is missing",),
        why="A request came without client_id, so nobody knows which application it is.",
        advice="The application has to send client_id; look whether a proxy or a link cuts the query off.",
        clause="RFC 6749 4.1.1; OIDC Core 3.1.2.1",
    ),
    Reason(
        name="client-unregistered",
        says=("client_id is not registered",),
        why="The client_id of the request is not in the registry. What was sent is not logged, as it may be anything.",
        advice="Add the client to the file of identifier_registration_conf and reload, or correct client_id in the"
        " application; the address in the browser shows what it sent, and host= where it wants to go.",
        clause="RFC 6749 4.1.2.1",
    ),
    Reason(
        name="guests-untrusted",
        says=("the client is not trusted with guests",),
        why="The client asks to let a guest in, and its registration does not say that it may.",
        advice=f"Add konnect/guestok to trusted_scopes in {_ENTRY}, if it is to bring guests.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="sign-in-elsewhere",
        says=("the sign-in page has not signed in anybody who fits the request",),
        why="Somebody came back from the page of sign_in_uri, and the application of the cookie backend still names"
        " nobody, or somebody who has not signed in anew although the request asks for that.",
        advice="See that the application knows the cookies that its sign-in page sets, and that these are among the"
        " names after the backend's address; requests with prompt=login or max_age need auth_time in its answers.",
        clause="OIDC Core 3.1.2.6",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="redirect-uri-missing",
        says=("redirect_uri is missing",),
        why="A request came without redirect_uri.",
        advice="The application has to send redirect_uri, even if only one is registered.",
        clause="OIDC Core 3.1.2.1",
    ),
    Reason(
        name="redirect-uri-unregistered",
        says=("redirect_uri is not registered for this client",),
        why="The redirect_uri of the request is not, letter by letter, one of the client's.",
        advice=f"Add it to redirect_uris in {_ENTRY} and reload, or correct it in the application; differs= says in"
        " what it is not like the one registered, host= where it leads.",
        clause="RFC 6749 3.1.2.4; RFC 9700 4.11",
    ),
    Reason(
        name="response-type-missing",
        says=("response_type is missing",),
        why="A request came without response_type.",
        advice="The application has to send response_type=code.",
        clause="RFC 6749 3.1.1",
    ),
    Reason(
        name="response-type-off",
        says=("response_type is not supported",),
        why="The application asks for a response type that does not exist, or is not on.",
        advice="Switch the application to the code flow with PKCE; or add the type to the option response_types.",
        clause="RFC 6749 4.1.2.1; OAuth 2.0 Multiple Response Types 3",
    ),
    Reason(
        name="response-type-unregistered",
        says=("the client is not registered for this response_type",),
        why="The client's entry lists response types, and this one is not among them.",
        advice=f"Add it to response_types in {_ENTRY}.",
        clause="OIDC Registration 2",
    ),
    Reason(
        name="response-mode",
        says=(
            "response_mode is not supported with this response_type",
            "response_mode query is for code alone",
        ),
        why="The answer can not be sent in the way that the application asks for.",
        advice="Leave response_mode out in the application; tokens never go into the query.",
        clause="OAuth 2.0 Multiple Response Types 5",
    ),
    Reason(
        name="scope-without-openid",
        says=("scope must contain openid",),
        why="The request asks for scopes, but not for openid.",
        advice="Add openid to the scopes in the settings of the application.",
        clause="OIDC Core 3.1.2.1",
    ),
    Reason(
        name="scope-malformed",
        says=("a scope has characters that are not allowed",),
        why="A scope has characters that no scope may have, often because they are separated by commas or line breaks.",
        advice="Separate scopes with blanks in the settings of the application.",
        clause="RFC 6749 3.3",
    ),
    Reason(
        name="nonce-missing",
        says=("nonce is required with this response_type",),
        why="An ID token from the authorization endpoint needs a nonce.",
        advice="Switch the application to the code flow, or let it send nonce.",
        clause="OIDC Core 3.2.2.1 and 3.3.2.11",
    ),
    Reason(
        name="prompt-combined",
        says=("prompt none goes with no other prompt",),
        why="prompt has none together with another word.",
        advice="The application has to send prompt=none alone.",
        clause="OIDC Core 3.1.2.1",
    ),
    Reason(
        name="max-age-malformed",
        says=("max_age must be a number of seconds",),
        why="max_age is no number.",
        advice="The application has to send whole seconds, or leave it out.",
        clause="OIDC Core 3.1.2.1",
    ),
    Reason(
        name="parameter-unsupported",
        says=("request is not supported", "request_uri is not supported", "registration is not supported"),
        why="The application sends a parameter that is not taken from it.",
        advice="Switch it off in the application. Signed requests need keys, or a list request_uris, in "
        + _ENTRY
        + ".",
        clause="OIDC Core 3.1.2.6",
    ),
    Reason(
        name="pkce-required",
        says=("code_challenge is required of this client (PKCE, S256)",),
        why="A client without a secret has to use PKCE; with response_types = rfc9700 every client has to.",
        advice=f"Switch PKCE (S256) on in the application; or give the client a secret in {_ENTRY}.",
        clause="RFC 7636 4.4.1; RFC 9700 2.1.1",
    ),
    Reason(
        name="pkce-method",
        says=(
            "code_challenge_method must be S256",
            "code_challenge_method without code_challenge",
            "code_challenge is not a SHA-256 digest in base64url",
        ),
        why="PKCE is used in a way that is not taken: only S256 is.",
        advice="Set the method of PKCE in the application to S256.",
        clause="RFC 7636 4.2 and 4.3; RFC 9700 2.1.1",
    ),
    Reason(
        name="claims-malformed",
        says=("claims must be a JSON object", "claims asks for a value that is no text"),
        why="The parameter claims can not be read: it is cut off, encoded twice, or asks in another form.",
        advice="Correct it in the application, or leave it out and ask for scopes.",
        clause="OIDC Core 5.5",
    ),
    Reason(
        name="hint-foreign",
        says=("id_token_hint is not an ID token of this provider",),
        why="id_token_hint was not signed by a key of this provider, or by one that is gone.",
        advice="Keep older public keys in the folder of validation_keys_path; set signing_private_key, as"
        " without it each"
        " start makes a new key.",
        clause="OIDC Core 3.1.2.1",
    ),
    Reason(
        name="nobody-fits",
        says=("nobody is signed in who fits the request",),
        why="The application asked without letting a page be shown (prompt=none), and nobody who fits is signed"
        " in here.",
        advice="Nothing: the application has to let the person sign in. If it is always so, the browser keeps"
        " no cookies"
        " in frames of other sites; serve both under one domain.",
        clause="OIDC Core 3.1.2.6 (login_required)",
        move=_PERSON,
        everyday=True,
    ),
    Reason(
        name="session-lost",
        says=("the person has to sign in again",),
        why="The backend keeps a session of its own for each person. This one's is over, and only a new sign-in begins"
        " another.",
        advice="Nothing: applications try again later, and the person gets the sign-in page at the next request. When"
        " it is everybody, look whether the server behind the backend lets konnectd begin sessions (single sign-on).",
        clause="OIDC Core 3.1.2.6 (login_required)",
        move=_PERSON,
    ),
    Reason(
        name="somebody-else",
        says=("somebody else has signed in than the request says",),
        why="The application asked for one person by id_token_hint or claims, and another one signed in.",
        advice="Nothing; the person has to sign out first, or choose the account that the application means.",
        clause="OIDC Core 3.1.2.1 and 5.5.1",
        move=_PERSON,
    ),
    Reason(
        name="nobody-is-current",
        says=("several people are signed in and none of them is the current one",),
        why=(
            "The application asked with prompt=none, and in the browser one of several accounts was signed out: nobody"
            " can tell which of the others is meant."
        ),
        advice="Nothing; the application has to show the sign-in, or name somebody by login_hint.",
        clause="OIDC Core 3.1.2.6 (account_selection_required)",
        move=_PERSON,
        everyday=True,
    ),
    Reason(
        name="front-end-is-done",
        says=("who is signed in does not fit the request",),
        why=(
            "A front end in the place of our pages came back and said that it is done with the person, who is not the"
            " one that the application asked for, or whose sign-in is older than it may be."
        ),
        advice="The front end has to sign somebody in again where the request asks for that (prompt, max_age, a hint).",
        clause="OIDC Core 3.1.2.1 and 3.1.2.6 (login_required)",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="consent-needed",
        says=("the person has to be asked for consent",),
        why="The application asked without letting a page be shown (prompt=none), and wants more than was allowed.",
        advice=f"Let it ask once without prompt=none; for an application of the house, set trusted: yes in {_ENTRY}.",
        clause="OIDC Core 3.1.2.6 (consent_required)",
        move=_PERSON,
        everyday=True,
    ),
    Reason(
        name="person-declined",
        says=("the person did not agree",),
        why="The person pressed Deny on the consent page.",
        advice=f"Nothing. For an application of the house, set trusted: yes in {_ENTRY}.",
        clause="OIDC Core 3.1.2.6 (access_denied)",
        move=_PERSON,
    ),
    Reason(
        name="acr-unknown",
        says=("no sign-in here has the acr asked for",),
        why="The application asks for an acr, often that of two factors, that is not in acr_values_supported.",
        advice="Take it out of the settings of the application.",
        clause="OIDC Core 5.5.1.1; OIDC Unmet Authentication Requirements 2",
    ),
    Reason(
        name="acr-unmet",
        says=("this sign-in does not have the acr asked for",),
        why="The application asks for an acr, and the person signed in in a way that has another one.",
        advice="The person has to sign in in the way that is asked for.",
        clause="OIDC Unmet Authentication Requirements 2",
        move=_PERSON,
    ),
    Reason(
        name="request-source",
        says=(
            "request and request_uri do not go together",
            "request_uri is not a plain absolute URI",
            "request_uri is not registered for this client",
            "request_uri can not be fetched",
            "request_uri can not be pushed",
        ),
        why="The request object can not be had from where the application says.",
        advice=f"Add the address to request_uris in {_ENTRY}; it has to be reachable from here, and for a private"
        " address the option fetch_allow has to name it.",
        clause="RFC 9101 5.2 and 7; RFC 9126 2.1",
    ),
    Reason(
        name="push-required",
        says=("the request must be pushed first",),
        why="Requests have to be pushed before the browser is sent: for this client or, by an option, for all.",
        advice="Switch PAR on in the application; or look at require_pushed_authorization_requests, in the"
        " options and in " + _ENTRY + ".",
        clause="RFC 9126 4 and 5",
    ),
    Reason(
        name="signed-request-required",
        says=("the request must be in a signed request object",),
        why="The client is registered for signed requests alone.",
        advice=f"Let the application sign, or correct request_object_signing_alg in {_ENTRY}.",
        clause="RFC 9101 10.5",
    ),
    Reason(
        name="request-object",
        says=(
            "the request object *",
            "the signature of the request object does not fit the registration of the client",
            "iss of the request object must be the client_id",
            "aud of the request object must be the issuer",
            "sub of the request object must not be the client_id",
            "a request object must not refer to another one",
            "client_id of the request object must be that of the request",
            "response_type of the request object must be that of the request",
        ),
        why="The signed request object is not good; the words of the line say what is wrong with it.",
        advice=f"Compare key and algorithm of the application with jwks and request_object_signing_alg in {_ENTRY}; for"
        " times, compare the clocks.",
        clause="RFC 9101 6.3 and 7; OIDC Core 6.3",
    ),
    Reason(
        name="too-many-kept",
        says=(
            "too many requests of this client are being kept",
            "too many devices of this client are waiting",
            "no user code is free",
            "there were too many changes today",
        ),
        why="A client that proves nothing has used up its share of what is kept for later.",
        advice="Look whether the application is caught in a loop, or somebody plays with its client_id.",
        move=_ADMINISTRATOR,
    ),
)
