"""What hypothesis makes up: requests of good and bad will, and the values that travel sealed or stored."""

from hypothesis import strategies as st

from konnectd.protocol.claims_request import ClaimsRequest
from konnectd.protocol.end_user import Logon
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.interaction import Consent
from konnectd.protocol.progress import Progress
from konnectd.protocol.scope import Scope
from konnectd.protocol.scope_claims import SCOPE_OF
from tests.support.requests import CALLBACK, CHALLENGE, CLIENTS

#: Ways to write somebody else's address so that a careless reader takes it for the registered one.
HOSTILE_URIS = (
    "https://evil.example/cb",
    "//evil.example/cb",
    "/cb",
    "",
    "https:notes.example.org/cb",
    "https:///notes.example.org/cb",
    "https://notes.example.org@evil.example/cb",
    "https://evil.example@notes.example.org/cb",
    "https://notes.example.org:443@evil.example/cb",
    "https://@notes.example.org/cb",
    "https://notes.example.org\\@evil.example/cb",
    "https://evil.example\\@notes.example.org/cb",
    "https://notes.example.org.evil.example/cb",
    "https://notes.example.org./cb",
    "https://evilnotes.example.org/cb",
    "https://notes.example.org:8443/cb",
    "https://notes.example.org:443/cb",
    "https://notes.example.org:/cb",
    "https://notes.example.org:99999/cb",
    "https://notes.example.org:x/cb",
    "https://NOTES.example.org/cb",
    "HTTPS://notes.example.org/cb",
    "http://notes.example.org/cb",
    "https://notes.example.org/CB",
    "https://notes.example.org/cb/",
    "https://notes.example.org/cb/../evil",
    "https://notes.example.org/cb/..;/evil",
    "https://notes.example.org/x/../cb",
    "https://notes.example.org/cb/%2e%2e/evil",
    "https://notes.example.org/cb%252f..%252fevil",
    "https://notes.example.org/%63b",
    "https://notes.example.org/cb%00",
    "https://notes.example.org/cb?x=1",
    "https://notes.example.org/cb?",
    "https://notes.example.org/cb#",
    "https://notes.example.org/cb#evil",
    "https://notes.example.org/cb ",
    " https://notes.example.org/cb",
    "https://notes.example.org/cb\t",
    "https://notes\t.example.org/cb",
    "https://notes.example.org/cb\r\nLocation: https://evil.example",
    "https://notes.example.org/cb\x00",
    "https://n\u043etes.example.org/cb",
    "https://xn--ntes-2ve.example.org/cb",
    "https://notes.example.org\u3002evil.example/cb",
    "https://notes.example.org\uff0fevil/cb",
    "https://[::1/cb",
    "https://[fe80::1%25eth0]/cb",
    "https://[notes.example.org]/cb",
    "javascript:alert(1)//https://notes.example.org/cb",
    "JaVaScRiPt://notes.example.org/cb%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://notes.example.org/cb",
    "view-source:https://notes.example.org/cb",
    "https://notes.example.org/*",
    "https://*.example.org/cb",
    "https://notes.example.org/cb" + "a" * 2000,
)

_NAMES = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "code_challenge",
    "code_challenge_method",
    "id_token_hint",
    "request",
    "request_uri",
    "registration",
    "interaction",
    "konnect",
    "flow",
    "login_hint",
    "ui_locales",
    "claims",
    "display",
    "error",
    "error_description",
)
_WORDS = (
    *(client.client_id for client in CLIENTS),
    *(uri for client in CLIENTS for uri in client.redirect_uris),
    "http://127.0.0.1:5555/cb?a=1",
    CALLBACK + "@evil.example",
    CHALLENGE,
    "code",
    "token",
    "code id_token",
    "query",
    "fragment",
    "form_post",
    "openid",
    "openid offline_access profile",
    "profile",
    "none",
    " none",
    "none login",
    "login",
    "consent",
    "select_account",
    "login consent select_account",
    "0",
    "1",
    "-1",
    "99999999999999",
    "S256",
    "plain",
    "a.b.c",
)

#: Any text that can stand in a form: everything but lone surrogates.
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
#: Changes to a good request; None leaves a parameter out.
CHANGES: st.SearchStrategy[dict[str, str | None]] = st.dictionaries(
    st.sampled_from(_NAMES),
    st.one_of(st.none(), st.sampled_from(_WORDS), st.sampled_from(HOSTILE_URIS), TEXT),
    max_size=6,
)
#: Pairs of a form, names and values of any kind.
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=20)

SCOPE_TOKENS = st.text(
    st.sampled_from([chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"\\']), min_size=1, max_size=20
)
SCOPES = st.lists(st.one_of(st.sampled_from(["openid", "profile", "offline_access"]), SCOPE_TOKENS), max_size=8).map(
    Scope.of
)
SECONDS = st.integers(0, 2**40)

LOGONS = st.builds(
    Logon,
    provider=TEXT,
    user_id=TEXT,
    subject=TEXT,
    username=TEXT,
    name=TEXT,
    auth_time=SECONDS,
    session_id=TEXT,
    amr=st.lists(TEXT, max_size=3).map(tuple),
    kept=st.booleans(),
)
_NAMED = st.lists(st.sampled_from(sorted(SCOPE_OF)), unique=True, max_size=4).map(tuple)
#: What was allowed claim by claim, with conditions left behind.
CLAIMS_REQUESTS = st.builds(ClaimsRequest, userinfo=_NAMED, id_token=_NAMED)
GRANTS = st.builds(
    AuthorizationGrant,
    grant_id=TEXT,
    client_id=TEXT,
    redirect_uri=TEXT,
    scope=SCOPES,
    nonce=TEXT,
    code_challenge=TEXT,
    logon=LOGONS,
    claims=CLAIMS_REQUESTS,
    withdrawal=TEXT,
)
PROGRESSES = st.builds(Progress, fingerprint=TEXT, started_at=SECONDS, session_id=TEXT, account=TEXT)
CONSENTS = st.builds(Consent, consent_id=TEXT, sub=TEXT, fingerprint=TEXT, allow=st.booleans(), scope=SCOPES)

#: Whatever JSON can say, shallow.
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
