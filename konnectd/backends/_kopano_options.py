"""The options of the Kopano backend, under the names Konnect gave them and some more in the same manner."""

from pathlib import Path

from konnectd.backends._kopano_address import Address
from konnectd.option import Option, seconds

_SECTION = "Kopano"

#: How long before the end of a session it has to have been used, in seconds.
MARGIN = 60


def server_uri(text: str) -> str:
    """Return the address of a server as it was written, if it is one.

    Raises:
        ValueError: it is none.
    """
    Address.parse(text.strip())
    return text.strip()


def session_timeout(text: str) -> int:
    """Return how long the server keeps a session that nobody uses, in seconds.

    Raises:
        ValueError: it is no number, or too short to be used before its end.
    """
    span = seconds(text)
    if not MARGIN < span <= 24 * 3600:
        raise ValueError(f"must be a number of seconds from {MARGIN + 1} to 86400; a server has 300 or more")
    return span


def time_limit(text: str) -> int:
    """Return a time limit.

    Raises:
        ValueError: it is none, or no limit.
    """
    limit = seconds(text)
    if not 1 <= limit <= 300:
        raise ValueError("must be a number of seconds from 1 to 300")
    return limit


OPTIONS: tuple[Option, ...] = (
    Option(
        name="kc-server-uri",
        help=(
            "The Kopano server: file:///run/kopano/server.sock for its unix socket, http://host:236, or "
            "https://host:237."
        ),
        parse=server_uri,
        default="http://127.0.0.1:236",
        env=("KOPANO_SERVER_DEFAULT_URI",),
        metavar="URI",
        section=_SECTION,
    ),
    Option(
        name="kc-server-username",
        help=(
            "An account that may see everybody, by which people are looked up; SYSTEM over a unix socket or with a "
            "client certificate. Without it each person has a session of their own, for which the server has to take "
            "tokens of this daemon (enable_sso)."
        ),
        default="",
        env=("KOPANO_SERVER_USERNAME", "KONNECTD_KOPANO_SERVER_USERNAME"),
        metavar="NAME",
        file=True,
        section=_SECTION,
    ),
    Option(
        name="kc-server-password",
        help="The password of kc-server-username; SYSTEM has none.",
        default="",
        env=("KOPANO_SERVER_PASSWORD", "KONNECTD_KOPANO_SERVER_PASSWORD"),
        metavar="PASSWORD",
        secret=True,
        section=_SECTION,
    ),
    Option(
        name="kc-client-certificate",
        help=(
            "A PEM file with the certificate that the account is proved with over https. Given without "
            "kc-server-username, the account is SYSTEM. It is never shown on connections that people's passwords go "
            "over."
        ),
        parse=Path,
        env=("KOPANO_CLIENT_CERTIFICATE",),
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="kc-client-private-key",
        help="A PEM file with the key of kc-client-certificate, without a passphrase.",
        parse=Path,
        env=("KOPANO_CLIENT_PRIVATE_KEY",),
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="kc-tls-cacert",
        help="A PEM file of certificate authorities that are trusted besides those of the system.",
        parse=Path,
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="kc-session-timeout",
        help=(
            "How long the server keeps a session that nobody uses (its session_timeout), in seconds. Where people have "
            f"sessions of their own, access tokens live {MARGIN} seconds less than this at most."
        ),
        parse=session_timeout,
        default=300,
        env=("KOPANO_SERVER_SESSION_TIMEOUT",),
        metavar="SECONDS",
        section=_SECTION,
    ),
    Option(
        name="kc-timeout",
        help="How long each call to the server may take, in seconds.",
        parse=time_limit,
        default=10,
        metavar="SECONDS",
        section=_SECTION,
    ),
)
