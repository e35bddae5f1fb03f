"""The settings of the cookie backend: where the application answers, and which cookies it has to see."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen
from twisted.internet.ssl import Certificate

from konnectd.backends._trust import load_certificates
from konnectd.option import ConfigError, ConfigErrors, Option, seconds
from konnectd.protocol.client import is_plain_uri, split
from konnectd.sources import is_ours

#: Under which name faults in the words after the backend's name are told.
WORDS = "identity_manager_args"
_CA_FILE = "cookie_tls_cacert"
#: Spec: RFC 6265 4.1.1; RFC 9110 5.6.2 (token).
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def time_limit(text: str) -> int:
    """Return a time limit.

    Raises:
        ValueError: it is none, or no limit.
    """
    limit = seconds(text)
    if not 1 <= limit <= 30:
        raise ValueError("must be a number of seconds from 1 to 30")
    return limit


OPTIONS: tuple[Option, ...] = (
    Option(
        name="cookie-timeout",
        help="How long the application may take to say who somebody is, in seconds.",
        parse=time_limit,
        default=10,
        metavar="SECONDS",
        section="Cookie",
    ),
    Option(
        name="cookie-tls-cacert",
        help="A PEM file of certificate authorities that are trusted besides those of the system.",
        parse=Path,
        metavar="FILE",
        section="Cookie",
    ),
)


@frozen(kw_only=True)
class CookieSettings:
    """What the operator said.

    Attributes:
        url: where the application answers.
        names: the cookies it has to see; empty for all that are not ours.
        timeout: seconds.
        authorities: who may have signed its certificate, beside the authorities of the system.
        insecure: its certificate is not looked at.
    """

    url: str
    names: tuple[str, ...] = ()
    timeout: int = 10
    authorities: tuple[Certificate, ...] = ()
    insecure: bool = False

    @property
    def host(self) -> str:
        """The application, as it is named in messages."""
        return urlsplit(self.url).netloc

    @property
    def is_readable_on_the_way(self) -> bool:
        """Whether cookies go over a network without TLS."""
        parts = urlsplit(self.url)
        return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def read_settings(words: Sequence[str], options: Mapping[str, Any], *, insecure: bool) -> CookieSettings:
    """Read the words after the name of the backend, and its options.

    Raises:
        ConfigErrors: everything that is wrong with them.
    """
    faults: list[ConfigError] = []
    url = words[0] if words else ""
    if not _is_address(url):
        problem = "needs the http or https address of the application, without user, query and fragment"
        faults.append(ConfigError(WORDS, problem))
    names = tuple(dict.fromkeys(name for word in words[1:] for name in word.split()))
    for name in names:
        if _NAME.fullmatch(name) is None:
            faults.append(ConfigError(WORDS, f"{name[:40]!r} can not be the name of a cookie"))
        elif is_ours(name):
            faults.append(ConfigError(WORDS, f"{name!r} is a cookie of this daemon, which nobody else gets to see"))
    path: Path | None = options.get(_CA_FILE)
    authorities: tuple[Certificate, ...] = ()
    if path is not None:
        try:
            authorities = load_certificates(path)
        except ValueError as error:
            faults.append(ConfigError(_CA_FILE, str(error)))
    if faults:
        raise ConfigErrors(faults)
    timeout = options.get("cookie_timeout", 10)
    return CookieSettings(url=url, names=names, timeout=timeout, authorities=authorities, insecure=insecure)


def _is_address(url: str) -> bool:
    """Tell whether a word is the address of something that can be asked."""
    parts = split(url) if is_plain_uri(url) else None
    return parts is not None and parts.scheme in {"http", "https"} and not parts.query
