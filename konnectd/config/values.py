"""How the text of an option becomes a value, for options that need more than a word, a number or yes and no.

A parser takes text and returns a value that is right, or raises `ValueError` with the rest of a sentence that begins
with the option's name. What two options must have in common is decided in `konnectd.config.settings`.
"""

import re
from enum import StrEnum
from urllib.parse import SplitResult

from konnectd.address import Address
from konnectd.option import seconds
from konnectd.protocol.client import LOOPBACK_HOSTS, is_plain_uri, split
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.scope import Scope


class LogLevel(StrEnum):
    """How much is written to the log, in the words of Konnect; each includes those above it."""

    PANIC = "panic"
    FATAL = "fatal"
    ERROR = "error"
    WARN = "warn"
    INFO = "info"
    DEBUG = "debug"
    TRACE = "trace"


_PATH = re.compile(r"(?:/[A-Za-z0-9._~\-]+)*")
#: A lifetime above this is a slip of the hand, not a wish.
_LONGEST_LIFETIME = 10 * 365 * 24 * 3600
_LONGEST_GRACE = 60


def is_loopback(parts: SplitResult) -> bool:
    """Tell whether a URI points at this very machine without TLS. Spec: RFC 8252 7.3."""
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS


def issuer(text: str) -> str:
    """Read an issuer identifier and keep it as written, because clients compare it character by character.

    Raises:
        ValueError: it is not an https URL with nothing but a host, port and path, nor http on a loopback host.

    Spec: OIDC Discovery 3 (``issuer``).
    """
    parts = split(text) if is_plain_uri(text) else None
    if parts is None or parts.scheme not in {"http", "https"}:
        raise ValueError("must be an absolute URL such as https://id.example.com, without user name and fragment")
    if parts.scheme == "http" and not is_loopback(parts):
        raise ValueError("must begin with https://; only an issuer on localhost, 127.0.0.1 or [::1] may use http")
    if "?" in text:
        raise ValueError("must not have a query")
    if _PATH.fullmatch(parts.path.removesuffix("/")) is None or {".", ".."} & set(parts.path.split("/")):
        raise ValueError("must have a plain path: letters, digits and -._~ between single slashes")
    return text


def listen(text: str) -> str:
    """Read where to listen; what an endpoint description means is Twisted's to say, when it is opened.

    Raises:
        ValueError: it is no ``host:port``, ``unix:/path`` or endpoint description.
    """
    return Address.parse(text).text


def base_path(text: str) -> str:
    """Read what stands before every path; the lone slash means nothing.

    Raises:
        ValueError: it does not begin with a slash, or has characters that mean something in URLs.
    """
    path = text.removesuffix("/")
    if _PATH.fullmatch(path) is None or {".", ".."} & set(path.split("/")):
        raise ValueError("must be a path such as /sub: letters, digits and -._~ between single slashes")
    return path


def page_uri(text: str) -> str:
    """Read the address of a page: a path on the issuer's host, or an absolute https URL.

    Raises:
        ValueError: it is neither, or has a query or fragment.
    """
    if "?" in text or "#" in text:
        raise ValueError("must not have a query or a fragment")
    if text.startswith("/"):
        return _absolute_path(text)
    parts = split(text) if is_plain_uri(text) else None
    if parts is None or not (parts.scheme == "https" or is_loopback(parts)):
        raise ValueError("must be a path such as /signin, or an https URL")
    return text


def _absolute_path(text: str) -> str:
    """Read a path; two slashes at its head would name another host."""
    if _PATH.fullmatch(text.removesuffix("/")) is None or {".", ".."} & set(text.split("/")):
        raise ValueError("must be a path of letters, digits and -._~ between single slashes")
    return text


def scope_token(text: str) -> str:
    """Read one scope.

    Raises:
        ValueError: it has characters no scope may have.

    Spec: RFC 6749 3.3.
    """
    try:
        tokens = Scope.parse(text).tokens
    except OAuthError:
        tokens = ()
    if tokens != (text,):
        raise ValueError(f"must be a scope without blanks, quotes and backslashes, not {text!r}")
    return text


def lifetime(text: str) -> int:
    """Read a lifetime in seconds; 0 means the default, as in Konnect.

    Raises:
        ValueError: it is no whole number, or beyond ten years.
    """
    span = seconds(text)
    if span > _LONGEST_LIFETIME:
        raise ValueError(f"must not be more than {_LONGEST_LIFETIME} seconds (ten years)")
    return span


def grace(text: str) -> int:
    """Read for how many seconds something that is over still counts; 0 for not at all.

    Raises:
        ValueError: it is no whole number, or beyond a minute, which is more than any lost answer needs.
    """
    span = seconds(text)
    if span > _LONGEST_GRACE:
        raise ValueError(f"must not be more than {_LONGEST_GRACE} seconds")
    return span


def log_level(text: str) -> LogLevel:
    """Read a log level.

    Raises:
        ValueError: it is none.
    """
    word = text.strip().lower()
    try:
        return LogLevel({"warning": "warn"}.get(word, word))
    except ValueError:
        raise ValueError(f"must be one of {', '.join(LogLevel)}") from None
