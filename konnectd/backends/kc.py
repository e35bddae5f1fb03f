"""Users from a Kopano groupware server, over its unix socket or the network.

There are two ways, and the settings decide:

* **Each person has a session of their own** at the server. A sign-in begins it and asks who that is: two calls. When it
  has ended, a token of this daemon begins another one, if the server takes such tokens.
* **The service has a session**, by which everybody is looked up. A sign-in tries the password, which begins no session,
  and looks the name up meanwhile; then it asks who that is.

People's passwords go over connections that prove nothing themselves, and over none to a server that has not been seen
to look at passwords.

The parts are private modules: ``_kopano_by_person`` and ``_kopano_by_service`` are the two ways,
``_kopano_settings`` reads options, ``_kopano_client`` talks to the server, ``_kopano_gate`` tries whether it looks at
passwords, ``_kopano_sessions`` and ``_kopano_service`` keep sessions, and ``_kopano_people`` makes people of accounts.
"""

from collections.abc import Mapping
from typing import Any

from konnectd.backends._kopano_by_person import KopanoBackend
from konnectd.backends._kopano_by_service import KopanoServiceBackend
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_options import OPTIONS
from konnectd.backends._kopano_server import Server
from konnectd.backends._kopano_settings import read_settings

__all__ = ["OPTIONS", "KopanoBackend", "KopanoServiceBackend", "build"]


def build(
    options: Mapping[str, Any], reactor: Reactor, *, insecure: bool = False
) -> KopanoBackend | KopanoServiceBackend:
    """Make the backend from options.

    Args:
        options: parsed, by `Option.dest`.
        reactor: for the network and for time.
        insecure: accept any certificate of a server.

    Raises:
        ConfigErrors: everything that is wrong with the options.
    """
    settings = read_settings(options, insecure=insecure)
    server = Server(settings, reactor)
    if settings.account is None:
        return KopanoBackend(settings, reactor, server)
    return KopanoServiceBackend(settings, reactor, server, settings.account)
