"""How the server is set up; tests change it as they go."""

import os
import pwd
from collections.abc import Callable

from attrs import define, field

from tests.support.kopano.sso import Issuer


def uid_of_account(name: str) -> int | None:
    """Return the uid of an account of this machine."""
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return None


@define(kw_only=True)
class Settings:
    """What an administrator would write into its configuration, and how quick it is.

    Attributes:
        own_uid: as whom it says to run; processes of that user are let in over a unix socket, as anybody.
        local_admins: uids that are let in there as well, as anybody.
        local_users: who has an account of the same name on the machine is let in there as that one.
        uid_of: finds the uid of such an account.
        trusted_keys: public keys, as DER; who has such a certificate is let in over TLS, as anybody.
        issuer: who may vouch for people with a token; None for nobody.
        enable_sso: tokens are looked at at all.
        idle_seconds: when a connection is closed that asks nothing; unix sockets never are.
        read_seconds: how long the rest of a request is waited for.
        unix_peer: pid and uid that all who come over a unix socket are taken for; None for what they are.
        address: where all who come over the network are taken to come from; empty for where they do.
    """

    own_uid: int = field(factory=os.getuid)
    local_admins: frozenset[int] = frozenset((0,))
    local_users: bool = True
    uid_of: Callable[[str], int | None] = uid_of_account
    trusted_keys: set[bytes] = field(factory=set, repr=False)
    issuer: Issuer | None = None
    enable_sso: bool = True
    idle_seconds: float = 5.0
    read_seconds: float = 60.0
    unix_peer: tuple[int, int] | None = None
    address: str = ""
