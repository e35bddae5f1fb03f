"""``konnectd demo``: a whole provider, a client for it, and two people, on this machine and ready at once.

It takes every option that ``konnectd serve`` takes. What nobody gives is filled in so that nothing has to be given at
all.
"""

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from konnectd import runner
from konnectd.address import Address
from konnectd.config import documents
from konnectd.config.given import Given
from konnectd.config.settings import Settings, load
from konnectd.demo.assembly import make_service
from konnectd.option import ConfigError, ConfigErrors

INTRODUCTION = """\
A provider at http://localhost:8777, with a small application below /demo/ and two
people, alice and bob. Nothing has to be given. Most useful are

  --listen=127.0.0.1:9000                      another port; the issuer follows it
  --identifier-registration-conf=clients.yaml  applications of your own
  ldap --ldap-uri=...                          people of your own
  --log-level=info                             tell more

"""

PORT = 8777
#: Where the values come from that nobody has given.
_SOURCE = "demo"
#: What people write for this machine, or for all its addresses.
_LOCAL_HOSTS = frozenset({"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - nothing listens by it


def run(argv: Sequence[str]) -> int:
    """Run the demo until a signal ends it, and return the exit status.

    Args:
        argv: the words after ``demo``.
    """
    if documents.asks_for_help(argv):
        sys.stdout.write(INTRODUCTION + documents.usage("konnectd demo", backend="[BACKEND]"))
        return 0
    try:
        settings = read_settings(argv, os.environ)
    except ConfigErrors as error:
        runner.report(error, sys.stderr)
        return 1
    from twisted.internet import reactor  # noqa: PLC0415 - settings that are wrong should be told at once

    return runner.run(settings, reactor, make_service)


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read all options, with the demo's own defaults below them.

    The issuer follows the address that is listened at, and the other way round, when only one of them is given.

    Raises:
        ConfigErrors: something is wrong; it holds all faults.
    """
    settings = load(argv, environ, defaults=_defaults(f"http://localhost:{PORT}", PORT))
    iss_given, listen_given = (settings.sources[name] != _SOURCE for name in ("iss", "listen"))
    if iss_given:
        port = urlsplit(settings.iss).port or PORT
        follows = not listen_given and not settings.secure_cookies and port != PORT
        return load(argv, environ, defaults=_defaults(settings.iss, port)) if follows else settings
    issuer = f"http://localhost:{_port_of(settings)}{settings.uri_base_path}"
    return settings if issuer == settings.iss else load(argv, environ, defaults=_defaults(issuer, PORT))


def _defaults(issuer: str, port: int) -> tuple[Given, ...]:
    """Return what counts where nobody said anything."""
    values = {
        "iss": issuer,
        "listen": " ".join(_loopback(port)),
        "identity_manager": "file",
        # The address to open should not drown.
        "log_level": "warn",
    }
    return tuple(Given(name=name, text=text, source=_SOURCE) for name, text in values.items())


def _loopback(port: int) -> tuple[str, ...]:
    """Return the addresses that ``localhost`` may stand for on this machine."""
    four = f"127.0.0.1:{port}"
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return (four,)
    return (four, f"[::1]:{port}")


def _port_of(settings: Settings) -> int:
    """Return the port by which this machine's browsers reach us.

    Raises:
        ConfigErrors: they do not, or not without knowing more.
    """
    for text in settings.listen:
        address = Address.parse(text)
        if address.port > 0 and address.host in _LOCAL_HOSTS:
            return address.port
    problem = "is required with this address to listen at: the URL by which browsers reach the demo"
    raise ConfigErrors([ConfigError("iss", problem)])
