"""Which setting is to blame when a server can not be reached: trying again would not help, so a start has to stop."""

from collections.abc import Iterator
from contextlib import contextmanager

from OpenSSL import SSL
from twisted.internet.ssl import VerificationError

from konnectd.interfaces import BackendUnavailableError
from konnectd.option import ConfigError, ConfigErrors

#: Words of OpenSSL, what is wrong when it says them, and which setting it is.
_WORDS = (
    ("certificate verify failed", "kc_tls_cacert", "the server's certificate is not signed by anybody who is trusted"),
    ("wrong version number", "kc_server_uri", "the server does not speak TLS at this port"),
    ("packet length too long", "kc_server_uri", "the server does not speak TLS at this port"),
    ("alert unknown ca", "kc_client_certificate", "the server does not trust who has signed it"),
    ("alert bad certificate", "kc_client_certificate", "the server does not accept it"),
    ("alert certificate expired", "kc_client_certificate", "it has expired"),
)


@contextmanager
def blaming() -> Iterator[None]:
    """Turn trouble that a setting is to blame for into a fault of that setting.

    Raises:
        ConfigErrors: there is one.
        BackendUnavailableError: there is none.
    """
    try:
        yield
    except BackendUnavailableError as error:
        fault = find_fault(error)
        if fault is None:
            raise
        raise ConfigErrors([fault]) from error


def find_fault(error: BackendUnavailableError) -> ConfigError | None:
    """Return the fault of a setting that is behind some trouble; None when none is known."""
    for cause in _causes(error):
        if isinstance(cause, VerificationError):
            return ConfigError("kc_server_uri", f"has another name than the server's certificate; {error}")
        if isinstance(cause, SSL.Error):
            told = str(cause)
            for words, option, problem in _WORDS:
                if words in told:
                    return ConfigError(option, f"{problem}; {error}")
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that is behind it, in the ways of Python and of Twisted's HTTP client."""
    yield error
    for reason in getattr(error, "reasons", ()):
        yield from _causes(reason.value)
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)
