"""Where Redis is, what is needed to be let in, and the way there."""

from pathlib import Path
from typing import Any, Final, Self, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen
from OpenSSL import crypto
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    TLSVersion,
    optionsForClientTLS,
    trustRootFromCertificates,
)

#: Twisted's reactor or one in memory, its stream client endpoints, and its certificates with keys: none has a type.
Reactor: TypeAlias = Any
Endpoint: TypeAlias = Any
OwnCertificate: TypeAlias = Any

PORT: Final = 6379
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FORM: Final = "must look like redis://host:6379/0, rediss://host:6379/0 or unix:///run/redis/redis.sock?db=0"
#: Longest PEM file that is read, in bytes.
_LONGEST_FILE: Final = 1 << 20
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


@frozen(kw_only=True)
class Server:
    """Where Redis listens.

    Attributes:
        path: of a socket in the file system; then there is no host.
        db: the number of the database.
        username: of an access control list; empty for the default user.
    """

    host: str = ""
    port: int = PORT
    path: str = ""
    tls: bool = False
    db: int = 0
    username: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL.

        Raises:
            ValueError: it is none, or it has a password in it, which would be shown in logs.
        """
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError as error:
            # The text may have a password in it that was not seen as one.
            raise ValueError(_FORM) from error
        if parts.password is not None:
            raise ValueError("must not have a password in it: give it as redis_password")
        username = unquote(parts.username or "")
        if parts.scheme == "unix" and parts.path.startswith("/") and not parts.hostname:
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            if query.keys() <= {"db"}:
                return cls(path=unquote(parts.path), db=_database(query.get("db", "0")), username=username)
        if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.query or parts.fragment or port == 0:
            raise ValueError(_FORM)
        return cls(
            host=parts.hostname,
            port=port or PORT,
            tls=parts.scheme == "rediss",
            db=_database(parts.path.removeprefix("/") or "0"),
            username=username,
        )

    def __str__(self) -> str:
        """Write it as a URL."""
        user = f"{self.username}@" if self.username else ""
        if self.path:
            return f"unix://{user}{self.path}?db={self.db}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{user}{host}:{self.port}/{self.db}"

    @property
    def is_private(self) -> bool:
        """Nobody can listen on the way."""
        return self.tls or bool(self.path) or self.host in _LOOPBACK


def _database(text: str) -> int:
    """Read the number of a database.

    Raises:
        ValueError: it is none.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(_FORM)
    return int(text)


@frozen(kw_only=True)
class Access:
    """What is needed to be let in, and to know whom one talks to.

    Attributes:
        authorities: who may have signed the server's certificate, instead of those the system trusts.
        own: our certificate with its key, for servers that want one.
        insecure: any certificate will do.
    """

    password: str = field(default="", repr=False)
    authorities: tuple[Certificate, ...] = ()
    own: OwnCertificate = field(default=None, repr=False)
    insecure: bool = False


def read_authorities(path: Path) -> tuple[Certificate, ...]:
    """Read certificates from a PEM file.

    Raises:
        ValueError: it can not be read, or has none.
    """
    text = _read(path)
    blocks = (block.partition(_END)[0] for block in text.split(_BEGIN)[1:])
    try:
        found = tuple(Certificate.loadPEM(f"{_BEGIN}{block}{_END}\n".encode()) for block in blocks)
    except (crypto.Error, ValueError) as error:
        raise ValueError(f"{path} has a certificate that can not be read") from error
    if not found:
        raise ValueError(f"{path} has no certificate in PEM form")
    return found


def read_own(path: Path) -> OwnCertificate:
    """Read a certificate and its private key from a PEM file.

    Raises:
        ValueError: it can not be read, lacks one of both, or has a passphrase, which nobody is there to type.
    """
    text = _read(path)
    if "ENCRYPTED" in text:
        raise ValueError(f"{path} has a key with a passphrase; decrypt it first")
    try:
        return PrivateCertificate.loadPEM(text)  # type: ignore[no-untyped-call] # without types
    except (crypto.Error, ValueError) as error:
        raise ValueError(f"{path} does not have a certificate and its private key in PEM form") from error


def _read(path: Path) -> str:
    """Read a small text file.

    Raises:
        ValueError: it can not be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"{path} can not be read: {error.strerror}") from error
    if len(content) > _LONGEST_FILE:
        raise ValueError(f"{path} is larger than {_LONGEST_FILE} bytes")
    return content.decode("utf-8", "replace")


def endpoint_of(server: Server, access: Access, reactor: Reactor, timeout: float) -> Endpoint:
    """Return the way to a server; TLS, where it is spoken, is 1.2 or better and accepts that host's certificate."""
    if server.path:
        return UNIXClientEndpoint(reactor, server.path, timeout)  # type: ignore[no-untyped-call]
    plain: Endpoint = HostnameEndpoint(reactor, server.host, server.port, timeout)
    if not server.tls:
        return plain
    if access.insecure:
        own = access.own
        unchecked: Any = CertificateOptions(
            privateKey=own.privateKey.original if own is not None else None,
            certificate=own.original if own is not None else None,
            raiseMinimumTo=TLSVersion.TLSv1_2,
        )
        return wrapClientTLS(unchecked, plain, reactor)
    authorities = access.authorities
    checked = optionsForClientTLS(
        server.host,
        trustRoot=trustRootFromCertificates(authorities) if authorities else None,  # type: ignore[no-untyped-call]
        clientCertificate=access.own,
        extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_2},
    )
    return wrapClientTLS(checked, plain, reactor)
