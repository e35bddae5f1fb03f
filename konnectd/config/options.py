"""THE table of options: flags, environment, configuration file, its example and the manual are made from these rows.

A backend's own options are not here but in its file. Names and defaults are those of Konnect, so that its installations
can move over with their files.
"""

from collections.abc import Mapping
from pathlib import Path

from konnectd.config import branding_options, endpoints, guests, proxies, staying, survey, watching_options
from konnectd.config.identifier_options import IDENTIFIER_OPTIONS
from konnectd.config.key_rotation_options import ROTATION_OPTIONS
from konnectd.config.values import (
    LogLevel,
    base_path,
    grace,
    issuer,
    lifetime,
    listen,
    log_level,
    page_uri,
    scope_token,
)
from konnectd.jose.keys import METHODS, check_kid
from konnectd.option import Option, one_of, seconds, switch
from konnectd.protocol.response_type import Profile
from konnectd.reach import network

ACCESS_TOKEN_EXPIRATION = 600
ID_TOKEN_EXPIRATION = 3600
REFRESH_TOKEN_EXPIRATION = 94_608_000
REFRESH_TOKEN_GRACE = 10
CONSENT_EXPIRATION = 31_536_000

_PROVIDER = "Provider"
_USERS = "Users"
_KEYS = "Keys"
_CLIENTS = "Clients and scopes"
_STORE = "Store"
_TOKENS = "Tokens"
_LOGGING = "Logging"

#: Names the configuration file; therefore it can not stand in one.
CONFIG = Option(
    name="config",
    help=(
        "The configuration file. None is read unless it is named here. What Konnect's own, konnectd.cfg, leaves out is "
        "looked for beside it, as Konnect's launcher did."
    ),
    parse=Path,
    metavar="FILE",
)

OPTIONS: tuple[Option, ...] = (
    Option(
        name="iss",
        help=(
            "The issuer identifier, which is the URL people and clients know this daemon by. Required. It must begin "
            "with https://, unless it names this very machine (localhost, 127.0.0.1, [::1])."
        ),
        parse=issuer,
        keys=("oidc_issuer_identifier", "iss"),
        env=("OIDC_ISSUER_IDENTIFIER",),
        metavar="URL",
        section=_PROVIDER,
    ),
    Option(
        name="listen",
        help=(
            "Where to accept HTTP connections: host:port, unix:/path/to/socket, or any endpoint description of "
            "Twisted, such as systemd:domain=INET:index=0. May be given several times."
        ),
        parse=listen,
        default=("127.0.0.1:8777",),
        env=("KONNECTD_LISTEN", "LICOD_LISTEN"),
        metavar="ADDRESS",
        multiple=True,
        section=_PROVIDER,
    ),
    Option(
        name="uri-base-path",
        help=(
            "A path put before /konnect/v1/ and /signin/v1/, for a daemon that shares its host name with others. "
            "Give the same path in the issuer identifier."
        ),
        parse=base_path,
        default="",
        metavar="PATH",
        section=_PROVIDER,
    ),
    Option(
        name="sign-in-uri",
        help="Where people are sent to sign in. The default is /signin/v1/identifier below the base path.",
        parse=page_uri,
        metavar="URI",
        section=_PROVIDER,
    ),
    Option(
        name="signed-out-uri",
        help=(
            "Where people are sent after signing out when the client named no page. The default is /signin/v1/goodbye "
            "below the base path."
        ),
        parse=page_uri,
        metavar="URI",
        section=_PROVIDER,
    ),
    *endpoints.OPTIONS,
    *IDENTIFIER_OPTIONS,
    *proxies.OPTIONS,
    Option(
        name="insecure",
        help=(
            "Do not check the TLS certificates of servers this daemon connects to. For trying things out only: "
            "whoever sits in between can then sign in as anybody."
        ),
        parse=switch,
        default=False,
        metavar="",
        section=_PROVIDER,
    ),
    Option(
        name="fetch-allow",
        help=(
            "A network, such as 10.1.0.0/16, or one address, that this daemon may ask for what clients publish (key "
            "sets, request objects) although it is not public. Without it such addresses are refused, because clients "
            "choose them. May be given several times."
        ),
        parse=network,
        default=(),
        metavar="NETWORK",
        multiple=True,
        section=_CLIENTS,
    ),
    Option(
        name="identity-manager",
        help="Where users come from: the name of a backend. On the command line it is the first word. Required.",
        metavar="BACKEND",
        section=_USERS,
    ),
    Option(
        name="identity-manager-args",
        help="Further words for the backend, for those that take some. On the command line they follow its name.",
        default=(),
        metavar="WORD",
        multiple=True,
        section=_USERS,
    ),
    Option(
        name="signing-private-key",
        help=(
            "A private key that signs tokens: a PEM file (PKCS#1, PKCS#8 or SEC1) or a JWK in a .json file; RSA from "
            "2048 bit, P-256, P-384, P-521 or Ed25519. The first one that is listed signs; the others are published "
            "and still accepted. Its file name without extension is the key id. Without any, a random key is made at "
            "each start, and all tokens end with the process."
        ),
        parse=Path,
        default=(),
        env=("KONNECTD_SIGNING_PRIVATE_KEY", "KONNECTD_SIGNING_PRIVATE_KEY_FILE", "LICOD_SIGNING_PRIVATE_KEY"),
        metavar="FILE",
        multiple=True,
        section=_KEYS,
    ),
    Option(
        name="signing-kid",
        help="The key id of the first signing key, instead of its file name or the kid of its JWK.",
        parse=check_kid,
        default="",
        env=("KONNECTD_SIGNING_KID", "LICOD_SIGNING_KID"),
        metavar="KID",
        section=_KEYS,
    ),
    Option(
        name="signing-method",
        help=f"The algorithm that signs tokens; it must fit the first signing key. One of {', '.join(METHODS)}.",
        parse=one_of(*METHODS),
        default="PS256",
        metavar="ALG",
        section=_KEYS,
    ),
    Option(
        name="validation-keys-path",
        help=(
            "A folder of further keys (*.pem, *.json) that are published and accepted but do not sign, such as those "
            "that signed until yesterday."
        ),
        parse=Path,
        env=("KONNECTD_VALIDATION_KEYS_PATH", "LICOD_VALIDATION_KEYS_PATH"),
        metavar="FOLDER",
        section=_KEYS,
    ),
    Option(
        name="encryption-secret",
        help=(
            "A file of exactly 32 random bytes that protects cookies. Without it a random secret is made at each "
            "start, and everybody has to sign in again."
        ),
        parse=Path,
        keys=("encryption_secret_key", "encryption_secret"),
        env=("KONNECTD_ENCRYPTION_SECRET", "KONNECTD_ENCRYPTION_SECRET_FILE", "LICOD_ENCRYPTION_SECRET"),
        metavar="FILE",
        section=_KEYS,
    ),
    *ROTATION_OPTIONS,
    Option(
        name="identifier-registration-conf",
        help="The YAML file of registered clients.",
        parse=Path,
        metavar="FILE",
        section=_CLIENTS,
    ),
    Option(
        name="identifier-scopes-conf",
        help="The YAML file that says what further scopes mean to people.",
        parse=Path,
        metavar="FILE",
        section=_CLIENTS,
    ),
    Option(
        name="require-pushed-authorization-requests",
        help=(
            "Accept authorization requests only from clients that pushed them first (RFC 9126). The same can be asked "
            "of single clients in their registration."
        ),
        parse=switch,
        default=False,
        metavar="",
        section=_CLIENTS,
    ),
    Option(
        name="allow-scope",
        help=(
            "A scope clients may be granted; openid always is. When any is given, exactly those are supported; "
            "otherwise all the backend and the scopes file know. May be given several times."
        ),
        parse=scope_token,
        default=(),
        keys=("allowed_scopes", "allow_scope"),
        metavar="SCOPE",
        multiple=True,
        section=_CLIENTS,
    ),
    guests.OPTION,
    Option(
        name="allow-dynamic-client-registration",
        help=(
            "Let clients register themselves, at /konnect/v1/register below the base path. They are never trusted: "
            "people are asked for consent."
        ),
        parse=switch,
        default=False,
        metavar="",
        section=_CLIENTS,
    ),
    Option(
        name="dynamic-registration-token",
        help=(
            "What a client has to show to register itself (an initial access token). Without it, everybody may who "
            "can reach the daemon."
        ),
        default="",
        metavar="TOKEN",
        secret=True,
        section=_CLIENTS,
    ),
    Option(
        name="dynamic-client-secret-expiration",
        help="How long the secret of a client is good that registered itself, in seconds; 0 is for ever.",
        parse=seconds,
        default=0,
        metavar="SECONDS",
        section=_CLIENTS,
    ),
    Option(
        name="pairwise-salt",
        help=(
            "A file of exactly 32 random bytes that goes into pairwise subjects, by which each client knows people "
            "under names of its own. Without it there are none. It must never change, or clients do not know people "
            "again."
        ),
        parse=Path,
        metavar="FILE",
        section=_CLIENTS,
    ),
    Option(
        name="access-token-expiration",
        help="The life of an access token in seconds; 0 means the default.",
        parse=lifetime,
        default=ACCESS_TOKEN_EXPIRATION,
        metavar="SECONDS",
        section=_TOKENS,
    ),
    Option(
        name="id-token-expiration",
        help="The life of an ID token in seconds; 0 means the default.",
        parse=lifetime,
        default=ID_TOKEN_EXPIRATION,
        metavar="SECONDS",
        section=_TOKENS,
    ),
    Option(
        name="refresh-token-expiration",
        help="The life of a refresh token in seconds; 0 means the default, three years.",
        parse=lifetime,
        default=REFRESH_TOKEN_EXPIRATION,
        metavar="SECONDS",
        section=_TOKENS,
    ),
    Option(
        name="refresh-token-grace",
        help=(
            "For how many seconds a refresh token that has just been used gives the very same successor again, for "
            "clients that lose an answer or ask twice at once; at most 60. Used later than that it revokes everything "
            "that came from its grant. 0 means never."
        ),
        parse=grace,
        default=REFRESH_TOKEN_GRACE,
        metavar="SECONDS",
        section=_TOKENS,
    ),
    Option(
        name="consent-expiration",
        help=(
            "How long the daemon remembers what somebody has allowed to a client that is not trusted, in seconds; "
            "0 means the default, one year."
        ),
        parse=lifetime,
        default=CONSENT_EXPIRATION,
        metavar="SECONDS",
        section=_TOKENS,
    ),
    *staying.OPTIONS,
    Option(
        name="response-types",
        help=(
            "What clients may ask the authorization endpoint for: all, which includes the implicit and hybrid flows; "
            "rfc9700, which is codes only, with PKCE from every client; or a list such as code,code+id_token."
        ),
        parse=Profile.parse,
        default=Profile(),
        metavar="TYPES",
        section=_CLIENTS,
    ),
    Option(
        name="store",
        help=(
            "Where the daemon keeps what it must not forget: used and unused codes, revoked tokens, attempts to guess "
            "a password. memory is for one daemon, and forgets at a restart; sqlite is a file for several daemons on "
            "one machine; redis is for several machines."
        ),
        default="memory",
        metavar="STORE",
        section=_STORE,
    ),
    *branding_options.OPTIONS,
    *watching_options.OPTIONS,
    Option(
        name="log-level",
        help=f"The least important events that are logged: {', '.join(LogLevel)}.",
        parse=log_level,
        default=LogLevel.INFO,
        metavar="LEVEL",
        section=_LOGGING,
    ),
    Option(
        name="log-timestamp",
        help="Begin each line of the log with the time; switch it off where something else adds one.",
        parse=switch,
        default=True,
        metavar="",
        section=_LOGGING,
    ),
    Option(
        name="request-log",
        help=(
            "Log a line for every request, at level debug: method, path, status, milliseconds and address, never the "
            "query string."
        ),
        parse=switch,
        default=False,
        env=("KOPANO_DEBUG_SERVER_REQUEST_LOG",),
        metavar="",
        section=_LOGGING,
    ),
    *survey.OPTIONS,
)


#: What lico has and we do not have. A value is refused, unless it says no to what is not there anyway, because an
#: installation that relies on one of these must not start without it.
ABSENT: tuple[Option, ...] = (Option(name="allow-client-signed-logins", metavar="", help=""),)

#: What the names of a backend's settings begin with where that is not its own name, and whose they are.
FOREIGN_PREFIXES: Mapping[str, str] = {"KOPANO_SERVER_": "kc", "KOPANO_CLIENT_": "kc"}
