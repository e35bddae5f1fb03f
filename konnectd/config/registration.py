"""Registered clients, read from ``identifier-registration.yaml``.

A client that is wrong stops the start, instead of being left out in silence until somebody can not sign in. The rules
for presented redirect URIs are `konnectd.protocol.client`; here are those for registered ones.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from attrs import field, frozen

from konnectd.config import yamlfile
from konnectd.config.registration_authentication import with_authentication
from konnectd.config.registration_claims import with_claims
from konnectd.config.registration_logout import with_logout
from konnectd.config.registration_requests import with_requests
from konnectd.config.registration_subjects import with_subjects
from konnectd.config.registration_texts import with_texts
from konnectd.config.registration_tokens import needs_redirect_uris, with_tokens
from konnectd.config.values import is_loopback, scope_token
from konnectd.config.yamlfile import Item, Table
from konnectd.jose.keys import METHODS
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.client import LONGEST_URI, Client, is_plain_uri, split
from konnectd.protocol.registered_uri import redirect_uri_problem
from konnectd.protocol.vocabulary import ApplicationType

if TYPE_CHECKING:
    from konnectd.authority_entry import AuthorityEntry

#: Tells an operator what to look at.
Warn: TypeAlias = Callable[[str], None]

_OPTION = "identifier_registration_conf"
_LONGEST_ID = 255
#: For request objects a client may use its secret, or nothing. Spec: OIDC Core 6.1.
_REQUEST_OBJECT_METHODS = (*METHODS, "HS256", "HS384", "HS512", "none")
_KEY_TYPES = ("RSA", "EC", "OKP", "oct")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@frozen
class FileRegistry:
    """The clients of a file, as a `konnectd.interfaces.ClientRegistry`."""

    clients: tuple[Client, ...]
    by_id: dict[str, Client] = field(init=False, repr=False, eq=False)

    @by_id.default
    def _by_id(self) -> dict[str, Client]:
        """Index them once."""
        return {client.client_id: client for client in self.clients}

    async def get(self, client_id: str) -> Client | None:
        """Return a client by its id."""
        return self.by_id.get(client_id)


@frozen(kw_only=True)
class Registration:
    """What is in the file.

    Attributes:
        authorities: who else may say who somebody is.
    """

    clients: tuple[Client, ...] = ()
    authorities: "tuple[AuthorityEntry, ...]" = ()


def load_clients(path: Path, *, loopback_issuer: bool, warn: Warn, pairwise_salt: bytes = b"") -> tuple[Client, ...]:
    """Read the registered clients; see `load_registration`.

    Raises:
        ConfigErrors: something in the file is wrong; it holds all faults.
    """
    return load_registration(path, loopback_issuer=loopback_issuer, warn=warn, pairwise_salt=pairwise_salt).clients


def load_registration(path: Path, *, loopback_issuer: bool, warn: Warn, pairwise_salt: bytes = b"") -> Registration:
    """Read the registered clients and the external authorities.

    Args:
        path: the YAML file.
        loopback_issuer: the issuer itself is http on this machine, so web clients may be http as well.
        warn: told about what has no effect.
        pairwise_salt: goes into pairwise subjects; empty when there are none.

    Raises:
        ConfigErrors: something in it is wrong; it holds all faults.
    """
    faults: list[ConfigError] = []
    document = yamlfile.read(path, _OPTION, faults)
    clients: dict[str, Client] = {}
    for table in document.tables("clients"):
        client = _client(table, loopback_issuer=loopback_issuer, warn=warn)
        client = with_subjects(client, table, pairwise_salt)
        _warn_of_unknown(table, f"client {client.client_id}: ", warn)
        if client.client_id in clients:
            table.fault("id", "another client has this id already")
        clients.setdefault(client.client_id, client)
    authorities = _authorities(document, warn)
    _warn_of_unknown(document, "", warn)
    if faults:
        raise ConfigErrors(faults)
    return Registration(clients=tuple(clients.values()), authorities=authorities)


def _authorities(document: Table, warn: Warn) -> "tuple[AuthorityEntry, ...]":
    """Read the external authorities."""
    if not document.has("authorities"):
        return ()
    from konnectd.config.authorities import read_authorities  # noqa: PLC0415 - only where there may be some

    return read_authorities(document, warn)


def _client(table: Table, *, loopback_issuer: bool, warn: Warn) -> Client:
    """Read one client; whatever is wrong with it becomes a fault of the table."""
    client_id = _client_id(table)
    kind = _application_type(table)
    insecure = table.switch("insecure")
    rule = _UriRule(kind=kind, http=insecure or loopback_issuer)
    redirect_uris = rule.read(table, "redirect_uris")
    if not table.has("redirect_uris") and needs_redirect_uris(table):
        table.fault("redirect_uris", "is required; there are no patterns, each address is written out")
    secret = table.text("secret")
    client = Client(
        client_id=client_id,
        secret=secret,
        name=table.text("name"),
        uri=_home_page(table),
        trusted=table.switch("trusted"),
        trusted_scopes=_scopes(table, "trusted_scopes") if table.has("trusted_scopes") else None,
        insecure=insecure,
        application_type=kind,
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=rule.read(table, "post_logout_redirect_uris"),
        origins=_origins(table, rule, redirect_uris),
        grant_types=table.texts("grant_types"),
        contacts=table.texts("contacts"),
        jwks=_jwks(table, warn),
        id_token_signed_response_alg=_algorithm(table, "id_token_signed_response_alg", METHODS),
        userinfo_signed_response_alg=_algorithm(table, "userinfo_signed_response_alg", METHODS),
        request_object_signing_alg=_algorithm(table, "request_object_signing_alg", _REQUEST_OBJECT_METHODS),
    )
    client = with_authentication(client, table)
    client = with_tokens(with_logout(client, table, http=rule.http), table)
    client = with_texts(with_requests(client, table), table)
    return with_claims(client, table)


def _warn_of_unknown(table: Table, label: str, warn: Warn) -> None:
    """Tell about keys that have no effect; a typing error in ``trusted`` must not pass unseen."""
    for item in table.unknown():
        warn(f"{item.source}: {label}{item.text}: is not known and has no effect")


def _client_id(table: Table) -> str:
    """Read the id, and name the table by it. Spec: RFC 6749 A.1."""
    client_id = table.text("id")
    if not client_id:
        table.name("client without id")
        table.fault("id", "is required")
        return f"\0{table.source}"
    table.name(f"client {client_id}")
    if len(client_id) > _LONGEST_ID or not client_id.isascii() or not client_id.isprintable():
        table.fault("id", f"must be at most {_LONGEST_ID} printable ASCII characters")
    return client_id


def _application_type(table: Table) -> ApplicationType:
    """Read where the client runs; on the web unless it says otherwise."""
    text = table.text("application_type") or ApplicationType.WEB
    try:
        return ApplicationType(text)
    except ValueError:
        table.fault("application_type", "must be web or native")
        return ApplicationType.WEB


def _home_page(table: Table) -> str:
    """Read a client's home page; as a link on our pages it must not be a script."""
    uri = table.text("uri")
    if uri and not (is_plain_uri(uri.partition("#")[0]) and urlsplit(uri).scheme in {"http", "https"}):
        table.fault("uri", "must be an http or https URL")
    return uri


def _scopes(table: Table, key: str) -> tuple[str, ...]:
    """Read a list of scopes."""
    for item in table.items(key):
        try:
            scope_token(item.text)
        except ValueError as error:
            table.fault(key, str(error), item.source)
    return table.texts(key)


def _algorithm(table: Table, key: str, methods: Iterable[str]) -> str:
    """Read the name of a signature algorithm; empty means the default."""
    text = table.text(key)
    if text and text not in methods:
        table.fault(key, f"must be one of {', '.join(methods)}")
    return text


def _jwks(table: Table, warn: Warn) -> dict[str, object] | None:
    """Read the client's public keys, without looking into them more than a mistake deserves. Spec: RFC 7517 5."""
    jwks = table.plain("jwks")
    if jwks is None:
        return None
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(jwks, dict) or not isinstance(keys, list):
        table.fault("jwks", "must have keys, a list")
        return None
    for key in keys:
        kind = key.get("kty") if isinstance(key, dict) else None
        if kind not in _KEY_TYPES:
            table.fault("jwks", f"each key must have a kty, one of {', '.join(_KEY_TYPES)}")
        elif kind != "oct" and "d" in key:
            warn(
                f"{table.source}: client {table.text('id')}: jwks: has a private key; only the public part belongs here"
            )
    return jwks


@frozen(kw_only=True)
class _UriRule:
    """Which URIs a client may register.

    Attributes:
        kind: where the client runs.
        http: addresses without TLS are allowed.
    """

    kind: ApplicationType
    http: bool

    def read(self, table: Table, key: str) -> tuple[str, ...]:
        """Read a list of redirect URIs."""
        for item in table.items(key):
            problem = self._problem(item)
            if problem:
                table.fault(key, f"{_shown(item.text)} {problem}", item.source)
        return tuple(dict.fromkeys(table.texts(key)))

    def _problem(self, item: Item) -> str:
        """Return what is wrong with a redirect URI, empty if nothing. Spec: RFC 9700 2.1; RFC 8252 7 and 8.4."""
        return redirect_uri_problem(item.text, self.kind, http=self.http)

    def check_origin(self, text: str) -> str:
        """Return what is wrong with an origin, empty if nothing. Spec: RFC 6454 6.2."""
        parts = split(text) if is_plain_uri(text) else None
        if parts is None or parts.scheme not in {"http", "https"} or text != _origin(text):
            return "must be as browsers send it, such as https://app.example.com: lower case, no path, no usual port"
        native_loopback = self.kind is ApplicationType.NATIVE and is_loopback(parts)
        if parts.scheme == "http" and not self.http and not native_loopback:
            return "must begin with https://"
        return ""


def _origins(table: Table, rule: _UriRule, redirect_uris: tuple[str, ...]) -> tuple[str, ...]:
    """Read where the client's scripts run; a web client that does not say runs where its first redirect URI is."""
    for item in table.items("origins"):
        problem = rule.check_origin(item.text)
        if problem:
            table.fault("origins", f"{_shown(item.text)} {problem}", item.source)
    if table.has("origins") or rule.kind is not ApplicationType.WEB or not redirect_uris:
        return table.texts("origins")
    origin = _origin(redirect_uris[0])
    return (origin,) if origin else ()


def _origin(uri: str) -> str:
    """Return the origin of a web address; empty if it has none. Spec: RFC 6454 6.2."""
    parts = split(uri)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _shown(text: str) -> str:
    """Return a URI as it is shown in a message."""
    return text if len(text) <= LONGEST_URI else f"{text[:80]}..."
