"""From options to settings: everything that can be found wrong without asking a server is found here, at once."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

from attrs import field, frozen

from konnectd.backends._kopano_address import Address, Kind
from konnectd.backends._kopano_errors import UnsendableError
from konnectd.backends._kopano_logons import ServiceAccount
from konnectd.backends._kopano_options import MARGIN, OPTIONS
from konnectd.backends._kopano_soap import SYSTEM
from konnectd.backends._kopano_tls import ClientCertificate, ServerTrust, client_options
from konnectd.option import ConfigError, ConfigErrors

Value = TypeVar("Value")


@frozen(kw_only=True)
class Settings:
    """How the server is reached, and by whom people are looked up.

    Attributes:
        account: of the service; None where each person has a session of their own.
        certificate: what the service proves with who it is.
        session_timeout: seconds.
        timeout: of each call, in seconds.
    """

    address: Address
    trust: ServerTrust
    account: ServiceAccount | None = None
    certificate: ClientCertificate | None = field(default=None, repr=False)
    session_timeout: int
    timeout: int

    @property
    def usable_for(self) -> int:
        """For how many seconds after its last use a session can be relied on."""
        return self.session_timeout - MARGIN

    @property
    def in_the_clear(self) -> bool:
        """Whether passwords leave this machine without TLS."""
        return self.address.kind is Kind.TCP and not _is_loopback(self.address.host)


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self, options: Mapping[str, object]) -> None:
        """Lay what was given over the defaults."""
        self._values = {option.dest: option.default for option in OPTIONS} | dict(options)
        self._parsers = {option.dest: option.parse for option in OPTIONS}
        self.faults: list[ConfigError] = []

    def fault(self, option: str, problem: str) -> None:
        """Remember a fault."""
        self.faults.append(ConfigError(option, problem))

    def text(self, option: str) -> str:
        """Return a text; the empty text when there is none."""
        value = self._values.get(option)
        return "" if value is None else str(value)

    def path(self, option: str) -> Path | None:
        """Return a path."""
        text = self.text(option)
        return Path(text) if text else None

    def number(self, option: str) -> int:
        """Return a number that its own parser takes."""
        return self.parsed(option, lambda text: int(str(self._parsers[option](text))), self.text(option), 0)

    def parsed(self, option: str, parse: Callable[[str], Value], text: str, otherwise: Value) -> Value:
        """Return what a parser makes of a text; something else, and a fault, when it is not taken."""
        try:
            return parse(text)
        except ValueError as error:
            self.fault(option, str(error))
            return otherwise


def read_settings(options: Mapping[str, object], *, insecure: bool = False) -> Settings:
    """Make settings of options.

    Args:
        options: by name with underscores.
        insecure: any certificate of a server is accepted.

    Raises:
        ConfigErrors: everything that is wrong with them.
    """
    reader = _Reader(options)
    address = reader.parsed("kc_server_uri", Address.parse, reader.text("kc_server_uri").strip(), None)
    trust = _trust(reader, insecure=insecure)
    certificate = _certificate(reader, address)
    account = _account(reader, address)
    session_timeout, timeout = reader.number("kc_session_timeout"), reader.number("kc_timeout")
    if address is not None and address.kind is Kind.TLS:
        _check_host(reader, address, trust)
    if reader.faults or address is None:
        raise ConfigErrors(reader.faults)
    return Settings(
        address=address,
        trust=trust,
        account=account,
        certificate=certificate,
        session_timeout=session_timeout,
        timeout=timeout,
    )


def _trust(reader: _Reader, *, insecure: bool) -> ServerTrust:
    """Read which server is believed."""
    path = reader.path("kc_tls_cacert")
    if path is None:
        return ServerTrust(insecure=insecure)
    trust = reader.parsed("kc_tls_cacert", lambda _: ServerTrust.load(path), "", ServerTrust())
    return ServerTrust(authorities=trust.authorities, insecure=insecure)


def _certificate(reader: _Reader, address: Address | None) -> ClientCertificate | None:
    """Read what the service proves with who it is."""
    certificate, key = reader.path("kc_client_certificate"), reader.path("kc_client_private_key")
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        given, missing = "kc_client_certificate", "kc_client_private_key"
        if certificate is None:
            given, missing = missing, given
        reader.fault(missing, f"is needed with {given}")
        return None
    if address is not None and address.kind is not Kind.TLS:
        reader.fault("kc_client_certificate", f"is of use with https:// only, and kc_server_uri is {address}")
        return None
    return reader.parsed("kc_client_certificate", lambda _: ClientCertificate.load(certificate, key), "", None)


def _account(reader: _Reader, address: Address | None) -> ServiceAccount | None:
    """Read by whom people are looked up; a certificate alone stands for the server's own account."""
    name, password = reader.text("kc_server_username"), reader.text("kc_server_password")
    has_certificate = reader.path("kc_client_certificate") is not None
    if not name and not has_certificate:
        if password:
            reader.fault("kc_server_password", "is a password without an account: give kc_server_username too")
        return None
    name = name or SYSTEM
    is_system = name.upper() == SYSTEM
    if not password and not is_system:
        reader.fault("kc_server_password", "is needed with kc_server_username; only SYSTEM signs in without one")
        return None
    if is_system and not has_certificate and address is not None and address.kind is not Kind.UNIX:
        reader.fault("kc_server_username", "can be SYSTEM over a unix socket or with kc_client_certificate only")
        return None
    try:
        return ServiceAccount(name, password)
    except UnsendableError as error:
        reader.fault("kc_server_username", f"and kc_server_password can not be an account's: {error}")
        return None


def _check_host(reader: _Reader, address: Address, trust: ServerTrust) -> None:
    """Notice a host that can not be in a certificate."""
    try:
        client_options(address.host, trust, None)
    except ValueError as error:
        reader.fault("kc_server_uri", f"has a host name that can not be in a certificate: {error}")


def _is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost"
