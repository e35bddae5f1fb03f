"""What can go wrong between us and a directory, and how an operator is told.

These exceptions stay inside the LDAP backend: what leaves it is `BackendUnavailableError` while the daemon runs, and
`ConfigErrors` at start when a setting is to blame. What concerns one person (a wrong password, a locked account) is no
fault and not here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.logger import Logger

from konnectd.interfaces import BackendUnavailableError
from konnectd.option import ConfigError

log = Logger()

#: Result codes that decide something here. Spec: RFC 4511 appendix A.
SUCCESS = 0
TIME_LIMIT_EXCEEDED = 3
SIZE_LIMIT_EXCEEDED = 4
STRONGER_AUTH_REQUIRED = 8
REFERRAL = 10
ADMIN_LIMIT_EXCEEDED = 11
CONFIDENTIALITY_REQUIRED = 13
CONSTRAINT_VIOLATION = 19
NO_SUCH_OBJECT = 32
INVALID_DN_SYNTAX = 34
INAPPROPRIATE_AUTHENTICATION = 48
INVALID_CREDENTIALS = 49
INSUFFICIENT_ACCESS_RIGHTS = 50
UNWILLING_TO_PERFORM = 53

#: These mean that the connection lost its identity or the server its mind; another connection may do better.
SPOILING = frozenset({1, 52})

_NAMES = {
    1: "operationsError",
    2: "protocolError",
    TIME_LIMIT_EXCEEDED: "timeLimitExceeded",
    SIZE_LIMIT_EXCEEDED: "sizeLimitExceeded",
    7: "authMethodNotSupported",
    STRONGER_AUTH_REQUIRED: "strongerAuthRequired",
    REFERRAL: "referral",
    ADMIN_LIMIT_EXCEEDED: "adminLimitExceeded",
    CONFIDENTIALITY_REQUIRED: "confidentialityRequired",
    CONSTRAINT_VIOLATION: "constraintViolation",
    NO_SUCH_OBJECT: "noSuchObject",
    INVALID_DN_SYNTAX: "invalidDNSyntax",
    INAPPROPRIATE_AUTHENTICATION: "inappropriateAuthentication",
    INVALID_CREDENTIALS: "invalidCredentials",
    INSUFFICIENT_ACCESS_RIGHTS: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    UNWILLING_TO_PERFORM: "unwillingToPerform",
    80: "other",
}


def code_name(code: int) -> str:
    """Name a result code as its specification does, with its number."""
    return f"{_NAMES.get(code, 'result code')} ({code})"


class LdapError(Exception):
    """The directory could not be asked, or gave no answer that can be used.

    Attributes:
        is_logged: whoever dials logs it, once for each server; it need not be logged for each person.
    """

    is_logged = False

    def config_error(self) -> ConfigError | None:
        """Return the setting that is to blame when this happens at start; None when none is."""
        return None


class UnreachableError(LdapError):
    """No connection could be made: refused, no route, no such host, or TLS did not come about."""

    is_logged = True


class LostError(LdapError):
    """The connection ended before the answer came; another connection may get one."""


class SilentError(LdapError):
    """No answer came in time."""


class ProtocolError(LdapError):
    """What came was not what LDAP allows."""


class UntrustedServerError(LdapError):
    """The server's certificate is not accepted."""

    is_logged = True

    def config_error(self) -> ConfigError:
        """Blame the authorities."""
        return ConfigError("ldap_tls_cacert", str(self))


class WrongNameError(UntrustedServerError):
    """The server's certificate is accepted, but it is for somebody else."""

    def config_error(self) -> ConfigError:
        """Blame the address, in which the name has to be that of the certificate."""
        return ConfigError("ldap_uri", str(self))


class StartTlsRefusedError(LdapError):
    """The server does not want StartTLS."""

    is_logged = True

    def config_error(self) -> ConfigError:
        """Blame the switch."""
        return ConfigError("ldap_starttls", str(self))


class ResultError(LdapError):
    """An operation ended with a result code that is no answer to the question.

    Attributes:
        code: the result code.
        text: what the server said about it.
    """

    def __init__(self, doing: str, code: int, text: str) -> None:
        """Keep the code; the text is made from all three."""
        super().__init__(f"{doing}: {code_name(code)}" + (f" {text!r}" if text else ""))
        self.code = code
        self.text = text


class ServiceRefusedError(ResultError):
    """The server does not let the service account in."""

    is_logged = True

    def config_error(self) -> ConfigError | None:
        """Blame name, password or missing TLS; a server that is merely busy blames nothing."""
        if self.code in {STRONGER_AUTH_REQUIRED, CONFIDENTIALITY_REQUIRED}:
            return ConfigError("ldap_uri", f"{self}: the server wants TLS, use ldaps:// or ldap_starttls")
        if self.code in {NO_SUCH_OBJECT, INVALID_DN_SYNTAX}:
            return ConfigError("ldap_binddn", str(self))
        if self.code in {INVALID_CREDENTIALS, INAPPROPRIATE_AUTHENTICATION, UNWILLING_TO_PERFORM}:
            return ConfigError("ldap_bindpw", f"{self}: check ldap_binddn and ldap_bindpw")
        return None


class MissingBaseError(ResultError):
    """The search base does not exist, or the service account may not see it.

    Attributes:
        option: the setting that names the base.
    """

    def __init__(self, option: str, base: str, code: int, text: str) -> None:
        """Keep which setting names it."""
        super().__init__(f"the search base {base!r} can not be read", code, text)
        self.option = option

    def config_error(self) -> ConfigError:
        """Blame the setting that names the base; rights that are missing are those of an account, or of nobody."""
        hint = (
            ": check ldap_binddn, without it searches are anonymous" if self.code == INSUFFICIENT_ACCESS_RIGHTS else ""
        )
        return ConfigError(self.option, f"{self}{hint}")


@contextmanager
def told_outside() -> Iterator[None]:
    """Let nothing out but the one exception that the rest of the daemon knows.

    Raises:
        BackendUnavailableError: the directory could not be asked.
    """
    try:
        yield
    except LdapError as error:
        if not error.is_logged:
            log.warn("LDAP: {fault}", fault=str(error))
        raise BackendUnavailableError(str(error)) from error
