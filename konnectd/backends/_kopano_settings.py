"""From options to settings: everything that can be found wrong without asking a server is found here, at once."""

from collections.abc import Mapping
from ipaddress import ip_address

from attrs import field, frozen

from konnectd.backends._kopano_address import Address, Kind
from konnectd.backends._kopano_errors import UnsendableError
from konnectd.backends._kopano_logons import ServiceAccount
from konnectd.backends._kopano_options import MARGIN, OPTIONS
from konnectd.backends._kopano_soap import SYSTEM
from konnectd.backends._kopano_tls import ClientCertificate, ServerTrust, client_options
from konnectd.backends._settings_reader import Reader
from konnectd.option import ConfigErrors


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


def read_settings(options: Mapping[str, object], *, insecure: bool = False) -> Settings:
    """Make settings of options.

    Args:
        options: by name with underscores.
        insecure: any certificate of a server is accepted.

    Raises:
        ConfigErrors: everything that is wrong with them.
    """
    reader = Reader(OPTIONS, options)
    address = reader.parsed("kc_server_uri", Address.parse, reader.given("kc_server_uri").strip(), None)
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


def _trust(reader: Reader, *, insecure: bool) -> ServerTrust:
    """Read which server is believed."""
    path = reader.path("kc_tls_cacert")
    if path is None:
        return ServerTrust(insecure=insecure)
    trust = reader.parsed("kc_tls_cacert", lambda _: ServerTrust.load(path), "", ServerTrust())
    return ServerTrust(authorities=trust.authorities, insecure=insecure)


def _certificate(reader: Reader, address: Address | None) -> ClientCertificate | None:
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


def _account(reader: Reader, address: Address | None) -> ServiceAccount | None:
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


def _check_host(reader: Reader, address: Address, trust: ServerTrust) -> None:
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
