"""Reasons for which a program is refused: at the token endpoint, at userinfo, and at those beside them."""

from konnectd.protocol.reason import Move, Reason

_PERSON, _ADMINISTRATOR = Move.PERSON, Move.ADMINISTRATOR
_ENTRY = "the client's entry in the file of identifier_registration_conf"

REASONS = (
    Reason(
        name="client-credentials",
        says=("client is unknown or its credentials are wrong",),
        why="With client= in the line, the client is registered and its secret or proof is wrong; without, no client of"
        " that id is registered.",
        advice=f"Compare client_id and secret in the application with {_ENTRY}; special characters in a secret"
        " have to be"
        " form-encoded in the header.",
        clause="RFC 6749 2.3.1 and 5.2 (invalid_client)",
    ),
    Reason(
        name="client-method",
        says=(
            "client may not authenticate by *",
            "client_secret_basic is not supported",
            "client_secret_post is not supported",
            "client_secret_jwt is not supported",
            "private_key_jwt is not supported",
            "none is not supported",
            "this client can not prove that it is itself",
        ),
        why="The client proves that it is itself in a way that it is not registered for.",
        advice=f"Correct token_endpoint_auth_method in {_ENTRY}, or the method in the application; a client without"
        " secret proves nothing.",
        clause="OIDC Registration 2; RFC 7662 2.1",
    ),
    Reason(
        name="client-credentials-missing",
        says=("no client credentials were sent",),
        why="Nobody knows which client asks.",
        advice="A client without secret has to send client_id; for one with a secret, see whether a proxy drops the"
        " header Authorization.",
        clause="RFC 6749 3.2.1",
    ),
    Reason(
        name="client-credentials-twice",
        says=(
            "credentials were sent in more than one way",
            "client_id in the body is not the one in the header",
        ),
        why="The client says in two ways who it is.",
        advice="Choose one method in the application; see whether a proxy adds a header Authorization.",
        clause="RFC 6749 2.3",
    ),
    Reason(
        name="client-header",
        says=("the Authorization header must use the Basic scheme", "the Authorization header is malformed"),
        why="The header Authorization can not be read.",
        advice="The application has to form-encode and then base64-encode id and secret; see that no proxy changes it.",
        clause="RFC 6749 2.3.1; RFC 6750 2.1",
    ),
    Reason(
        name="client-assertion",
        says=(
            "client_assertion *",
            "client_id is not the one in client_assertion",
            "aud of client_assertion must be the issuer, the token endpoint or this endpoint",
            "exp of client_assertion is too far ahead",
            "exp of client_assertion must be a time",
            "iat of client_assertion must be a time",
            "nbf of client_assertion must be a time",
        ),
        why="The signed proof of the client is not good; the words of the line say what is wrong with it.",
        advice="Compare the issuer in the application with ours, and the clocks; each proof counts once and needs a jti"
        " and an exp of some minutes.",
        clause="RFC 7523 3; OIDC Core 9",
    ),
    Reason(
        name="grant-type-missing",
        says=("grant_type is missing",),
        why="The token request does not say what it wants.",
        advice="The application has to send grant_type, form-encoded, in the body.",
        clause="RFC 6749 4.1.3",
    ),
    Reason(
        name="grant-type-off",
        says=("grant_type is not supported",),
        why="There is no such grant type here; password and others do not exist.",
        advice="Switch the application to the code flow.",
        clause="RFC 6749 5.2 (unsupported_grant_type)",
    ),
    Reason(
        name="grant-type-unregistered",
        says=(
            "the client is not registered for this grant_type",
            "the client is not registered for device authorization",
        ),
        why="The client may not use this grant type.",
        advice=f"Add it to grant_types in {_ENTRY}; client_credentials needs a secret as well.",
        clause="RFC 6749 5.2 (unauthorized_client); RFC 8628 3.1",
    ),
    Reason(
        name="parameter-missing",
        says=("code is missing", "refresh_token is missing", "device_code is missing", "token is missing"),
        why="The request lacks what it is about.",
        advice="It is a mistake of the application, or of what stands in between.",
        clause="RFC 6749 4.1.3 and 6; RFC 7009 2.1; RFC 7662 2.1; RFC 8628 3.4",
    ),
    Reason(
        name="code-unknown",
        says=("the code is unknown",),
        why="The code was never given to this client: it belongs to another client or issuer, or was cut off.",
        advice="See that the application uses one client_id and one issuer for both halves of the sign-in.",
        clause="RFC 6749 5.2 (invalid_grant)",
    ),
    Reason(
        name="code-spent",
        says=("the code has been used or has expired", "the device code has been used or has expired"),
        why="The code was used before, is more than two minutes old, or was given out before a restart with the"
        " store in"
        " memory. All tokens of that code have ended.",
        advice="See whether the application asks twice, or somebody reloads its callback; for restarts, set store to"
        " sqlite or redis.",
        clause="RFC 6749 4.1.2; RFC 9700 4.5",
    ),
    Reason(
        name="code-of-another-client",
        says=("the code was issued to another client", "the token was issued to another client"),
        why="One client shows what another one was given.",
        advice="See that the application uses one client_id throughout; if it does, somebody has got hold of it.",
        clause="RFC 6749 5.2; RFC 7009 2.1",
    ),
    Reason(
        name="redirect-uri-changed",
        says=("redirect_uri is not the one of the authorization request",),
        why="The token request names another redirect_uri than the authorization request did.",
        advice="The application mostly takes http for https behind its own proxy: set its public address there.",
        clause="RFC 6749 4.1.3",
    ),
    Reason(
        name="pkce-verifier",
        says=(
            "code_verifier does not fit code_challenge",
            "code_verifier and code_challenge must be sent both or not at all",
            "code_verifier must be 43 to 128 unreserved characters",
        ),
        why="The second half of PKCE does not fit the first one.",
        advice="See whether two sign-ins of one session get mixed up in the application, or its machines share no"
        " session; PKCE has to be on for both halves.",
        clause="RFC 7636 4.6; RFC 9700 4.8",
    ),
    Reason(
        name="signed-out",
        says=("the person has signed out",),
        why="The person signed out, or the session was ended, before this request.",
        advice="Nothing: the person has to sign in again.",
        move=_PERSON,
    ),
    Reason(
        name="taken-back",
        says=("the person has taken it back",),
        why="The person took their permission back on the page of applications and sessions.",
        advice="Nothing: the application has to ask again.",
        move=_PERSON,
    ),
    Reason(
        name="person-gone",
        says=("the person is not known any more",),
        why="The backend does not know the person any more: gone, disabled, locked, or with another subject.",
        advice="Look at the account in the directory. When it is everybody, ldap_sub_attributes or the issuer has"
        " changed.",
        clause="RFC 6749 5.2; RFC 6750 3.1",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="refresh-token-invalid",
        says=("the refresh token is expired, revoked or not ours", "the refresh token is revoked"),
        why="The refresh token has expired or was revoked, or its signing key is gone.",
        advice="The person has to sign in again. When it is everybody after a restart, set signing_private_key and keep"
        " older keys in validation_keys_path.",
        clause="RFC 6749 6 and 5.2",
        move=_PERSON,
    ),
    Reason(
        name="refresh-token-of-another-client",
        says=("the refresh token was issued to another client",),
        why="One client shows the refresh token of another one.",
        advice="See that the application uses one client_id throughout; if it does, somebody has got hold of"
        " the token.",
        clause="RFC 6749 6",
    ),
    Reason(
        name="refresh-token-reused",
        says=("the refresh token has been used; all that came from it is revoked",),
        why="A refresh token came a second time, later than refresh_token_grace allows: the client does not"
        " keep the new"
        " one, or somebody has stolen it.",
        advice="See that the application stores the new token of each refresh, also on all its machines and in its"
        " backups; the option refresh_token_grace forgives what is lost on the way.",
        clause="RFC 9700 4.14.2",
    ),
    Reason(
        name="offline-access-gone",
        says=("offline_access is not granted any more",),
        why="The refresh token was given when offline_access could be had; now it can not.",
        advice="Look at allowed_scopes in the options, and at what the person has allowed.",
        clause="OIDC Core 11",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="scope-widened",
        says=(
            "scope must be part of what was granted and contain openid",
            "scope must be part of what the client is registered for",
        ),
        why="The client asks for more than it was granted, or is registered for.",
        advice=f"Leave scope out in the application; for client_credentials, add it to scopes in {_ENTRY}.",
        clause="RFC 6749 6 and 4.4.2",
    ),
    Reason(
        name="resource",
        says=(
            "resource must be an absolute URI without a fragment",
            "resource must be part of what was granted",
            "the client is not registered for this resource",
        ),
        why="The client asks for a token for a resource that it may not have.",
        advice=f"Add it, letter by letter, to resources in {_ENTRY}.",
        clause="RFC 8707 2",
    ),
    Reason(
        name="device-waiting",
        says=("nobody has allowed this yet", "ask less often"),
        why="A device asks whether somebody has typed its code; nobody has so far.",
        advice="Nothing.",
        clause="RFC 8628 3.5",
        move=_PERSON,
        everyday=True,
    ),
    Reason(
        name="device-late",
        says=("nobody has allowed this in time",),
        why="Nobody typed the code of the device in time.",
        advice="Nothing: begin anew on the device.",
        clause="RFC 8628 3.5 (expired_token)",
        move=_PERSON,
    ),
    Reason(
        name="device-denied",
        says=("the person has denied it",),
        why="Somebody typed the code of the device and denied it.",
        advice="Nothing.",
        clause="RFC 8628 3.5 (access_denied)",
        move=_PERSON,
    ),
    Reason(
        name="device-pkce",
        says=("there is no PKCE for devices",),
        why="The device sends a code_challenge, which nothing could check.",
        advice="Switch PKCE off in the device's settings.",
        clause="RFC 8628 3.1",
    ),
    Reason(
        name="access-token-missing",
        says=("no access token was sent",),
        why="No access token arrived.",
        advice="Some proxies drop the header Authorization; a token in the query is not read.",
        clause="RFC 6750 3",
        everyday=True,
    ),
    Reason(
        name="access-token-twice",
        says=("the access token was sent in two ways",),
        why="The access token came in the header and in the body.",
        advice="The application has to choose one.",
        clause="RFC 6750 2",
    ),
    Reason(
        name="access-token-invalid",
        says=("the access token is expired, revoked or not ours", "the access token is revoked"),
        why="The access token has expired or was revoked, is an ID token, or its signing key is gone.",
        advice="The application has to refresh it. When it is everybody after a restart, set signing_private_key.",
        clause="RFC 6750 3.1 (invalid_token)",
        everyday=True,
    ),
    Reason(
        name="access-token-without-openid",
        says=("the access token was not granted openid",),
        why="The access token is not one of a sign-in, so there is nobody to tell of.",
        advice="Add openid to the scopes in the settings of the application.",
        clause="OIDC Core 5.3; RFC 6750 3.1 (insufficient_scope)",
    ),
    Reason(
        name="client-gone",
        says=("the client is not registered any more",),
        why="The client of the access token is not in the registry any more.",
        advice="Add it to the file of identifier_registration_conf again, or switch the application off.",
        move=_ADMINISTRATOR,
    ),
    Reason(
        name="registration-token",
        says=("the initial access token is wrong", "the registration access token is wrong"),
        why="Somebody wants to register or change a client with a wrong token.",
        advice="Compare it with dynamic_registration_token; a changed client has got a new token of its own.",
        clause="RFC 7591 3; RFC 7592 2",
    ),
    Reason(
        name="registration-body",
        says=(
            "the body must be application/json",
            "the body is not a JSON document",
            "client metadata must be a JSON object",
            "it is too much; jwks_uri instead of jwks helps",
        ),
        why="What a client says about itself is no JSON object, or too much of it.",
        advice="It is a mistake of the application.",
        clause="RFC 7591 3.1",
    ),
    Reason(
        name="registration-metadata",
        says=(),
        why="A client says something about itself that is not taken; the words of the line name the part.",
        advice="Correct that part in the application.",
        clause="RFC 7591 2 and 3.2.2; OIDC Registration 2",
    ),
    Reason(
        name="registration-redirect-uri",
        says=(),
        why="A client wants to register a redirect URI that is not taken; the words of the line say why.",
        advice="Use https without wildcards and fragments; programs on a machine use loopback or a scheme of"
        " their own.",
        clause="RFC 7591 3.2.2; RFC 8252 7",
    ),
)
