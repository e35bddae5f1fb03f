"""What the demo says: the meaning of every parameter, claim and error, in one sentence for somebody new to it.

English only: the demo is for developers and administrators, and the specifications it explains are English as well.
"""

from collections.abc import Mapping

from konnectd.demo.errors import Trouble

CLAIMS: Mapping[str, str] = {
    "iss": "Issuer: who made this token. The application compares it with the provider it asked.",
    "sub": "Subject: the name of the person for programs. It never changes and is never given to anybody else.",
    "aud": "Audience: the application the token was made for. Everybody else must refuse it.",
    "exp": "Expires: after this moment the token counts for nothing.",
    "iat": "Issued at: when the token was made.",
    "nbf": "Not before: until this moment the token counts for nothing.",
    "auth_time": "When the person really proved who they are, which can be long before this token was made.",
    "nonce": "The random value of the authorization request, given back: this token belongs to that very sign-in.",
    "at_hash": "Half of the hash of the access token, so that nobody can exchange one of the two for another.",
    "c_hash": "Half of the hash of the code, so that nobody can exchange it for another.",
    "azp": "Authorized party: the application that asked, when the token is for several.",
    "acr": "How strong the proof was, in words the provider and its applications agreed on.",
    "amr": "How the person proved who they are; pwd means with a password.",
    "sid": "The session at the provider. Signing out is about this session.",
    "jti": "A name for this one token.",
    "name": "The whole name, for showing.",
    "given_name": "The first name.",
    "family_name": "The last name.",
    "preferred_username": "The name the person signs in with. Show it if you like, but know people by sub.",
    "email": "The mail address.",
    "email_verified": "Whether the provider vouches that the address really belongs to the person.",
    "middle_name": "The middle name.",
    "nickname": "What friends call the person.",
    "profile": "A page about the person.",
    "picture": "The address of a picture.",
    "website": "The person’s own page.",
    "gender": "The gender.",
    "birthdate": "The day or the year of birth; the year 0000 hides the year.",
    "zoneinfo": "The time zone.",
    "locale": "The language, and perhaps the region, the person likes to be spoken to in.",
    "updated_at": "When the provider’s knowledge of the person last changed, in seconds since 1970.",
    "phone_number": "The telephone number.",
    "phone_number_verified": "Whether the provider vouches that the number really belongs to the person.",
    "address": "The postal address, in parts.",
    "groups": "The groups the person is in; applications often decide by them what somebody may do.",
}
OTHER_CLAIM = "A claim of this provider’s own; the specification does not know it."

ASKED: Mapping[str, str] = {
    "response_type": "The application wants a code, not the tokens themselves: addresses end up in histories and logs.",
    "client_id": "Who is asking. The provider looks the application up in its registration by this name.",
    "redirect_uri": "Where the answer goes. It must be registered letter by letter, so no code goes astray.",
    "scope": "What the application would like: openid for signing in at all, the others for more about the person, and "
    "offline_access for a refresh token.",
    "state": "A random value that comes back with the answer. It shows that this browser asked the question.",
    "nonce": "Another random value. It comes back inside the ID token.",
    "code_challenge": "The hash of a secret that only the application knows (PKCE). Whoever brings the code must know "
    "the secret.",
    "code_challenge_method": "How the hash was made: with SHA-256.",
}
ANSWERED: Mapping[str, str] = {
    "code": "Stands for what the person allowed. It is good once and for a few minutes, and useless without the secret "
    "behind the challenge.",
    "state": "The same value as in the question. An answer with another one would have been thrown away.",
    "iss": "Which provider this answer is from, so that answers of two providers can not be mixed up.",
    "session_state": "Changes when the session at the provider changes.",
}
REDEEMING: Mapping[str, str] = {
    "grant_type": "What is exchanged for tokens: here a code.",
    "code": "The code that the browser brought.",
    "redirect_uri": "Once more where the code went; it must be the same as before.",
    "client_id": "Who is asking. This application has no password of its own; the verifier takes its place.",
    "code_verifier": "The secret behind the challenge. The provider hashes it and compares.",
}
REFRESHING: Mapping[str, str] = {
    "grant_type": "What is exchanged for tokens: here a refresh token.",
    "refresh_token": "The refresh token from the code exchange.",
    "client_id": "Who is asking. A refresh token is good for the application it was made for, and nobody else.",
}
GIVEN: Mapping[str, str] = {
    "access_token": "The key to the provider’s other endpoints. The application passes it on and does not look inside.",
    "token_type": "How the access token is shown: whoever bears it may use it, so it must stay secret.",
    "expires_in": "For how many seconds the access token is good.",
    "id_token": "Says who signed in; it is opened further down.",
    "refresh_token": "Good for new tokens later, without the person.",
    "scope": "What was really granted, which can be less than what was asked for.",
}
LEAVING: Mapping[str, str] = {
    "id_token_hint": "The ID token once more: it shows whose session is meant, so nobody has to be asked.",
    "client_id": "Who is asking.",
    "post_logout_redirect_uri": "Where the browser goes afterwards. It must be registered, too.",
    "state": "A random value that comes back, so that the application knows its own request again.",
}
METADATA: Mapping[str, str] = {
    "issuer": "The name of the provider, the same as in every token. It must be the address that was asked.",
    "authorization_endpoint": "Where browsers are sent to sign in.",
    "token_endpoint": "Where the application exchanges a code for tokens.",
    "userinfo_endpoint": "Where the application asks about the person.",
    "jwks_uri": "The public keys that check the provider’s signatures.",
    "end_session_endpoint": "Where browsers are sent to sign out.",
    "scopes_supported": "What an application can ask for.",
}
HEADER: Mapping[str, str] = {
    "alg": "How the token is signed. The application takes only what the provider has announced.",
    "kid": "Which of the provider’s keys made the signature.",
    "typ": "What kind of token this is.",
}
REFUSAL: Mapping[str, str] = {
    "error": "The error code of the specification.",
    "error_description": "What the provider adds for the developer.",
}

#: A title, and what it means.
TROUBLES: Mapping[Trouble, tuple[str, str]] = {
    Trouble.UNKNOWN_ANSWER: (
        "This answer belongs to no question",
        "An answer of the provider must carry the state of a sign-in that began in this browser, a short time ago, and "
        "each is taken once. Perhaps this page was reloaded, or its address was copied. Nobody was signed in by it.",
    ),
    Trouble.REFUSED: ("The provider refused", "The application asked, and the provider said no. Nobody was signed in."),
    Trouble.UNREACHABLE: (
        "The provider does not answer",
        "The application could not reach the provider, or waited too long.",
    ),
    Trouble.NONSENSE: (
        "The provider’s answer makes no sense",
        "The application got an answer that breaks the rules of OpenID Connect, so it does not go on.",
    ),
    Trouble.NOT_BELIEVED: (
        "The ID token is not believed",
        "The application checks every ID token before it lets somebody in. This one did not pass.",
    ),
    Trouble.NOT_FROM_HERE: (
        "This form was not sent from here",
        "The application takes forms only from its own pages, in a browser that keeps its cookies. Perhaps the page "
        "was open for long, or cookies are switched off.",
    ),
    Trouble.MALFORMED: (
        "This request is malformed",
        "A parameter is there twice, or is not properly encoded. The application does not guess what was meant.",
    ),
}
#: What the most frequent error codes of a provider mean, for somebody who does not know them.
CODES: Mapping[str, str] = {
    "access_denied": "The person chose Deny on the consent page. That is their right: the application learns nothing "
    "about them, and has to live with it.",
    "invalid_grant": "The code is spent, too old, or not this application’s.",
    "invalid_request": "Something is missing from the request, or wrong with it.",
    "invalid_scope": "The application asked for something that it can not have.",
    "login_required": "Nobody is signed in, and the application asked not to show a sign-in page.",
    "temporarily_unavailable": "Something behind the provider does not answer. Later it may.",
    "server_error": "The provider has a fault. Its log says which.",
}
