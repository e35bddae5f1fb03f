"""The standard claims beyond name and address of mail: which scope opens each, and how each is typed.

A backend has text; here it becomes what a client may rely on: seconds, booleans, URLs, an object for the postal
address. What can not be typed right is refused, so that it is left out rather than shown wrong.

Spec: OIDC Core 5.1, 5.1.1 and 5.4.
"""

import re
from calendar import monthrange, timegm
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from konnectd.protocol.scope import ADDRESS, PHONE, PROFILE

#: Longest text of a claim, in characters; one that is longer is no name, number or address of anybody.
LONGEST_CLAIM = 2048
#: Claims that a backend may have text for. Members of the postal address have a dot in their name.
NAMES = (
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "phone_number",
    "phone_number_verified",
    "address.formatted",
    "address.street_address",
    "address.locality",
    "address.region",
    "address.postal_code",
    "address.country",
)

Parse: TypeAlias = Callable[[str], object]

_ADDRESS = "address"
NUMBER = "phone_number"
VERIFIED = "phone_number_verified"
#: Which scope opens a claim that is not of the profile.
SCOPE_OF: Mapping[str, str] = {_ADDRESS: ADDRESS, NUMBER: PHONE, VERIFIED: PHONE}
_GENERALIZED_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,]\d+)?Z")
_BIRTHDATE = re.compile(r"(\d{4})(?:-?(\d\d)-?(\d\d))?")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+)*")
#: A moment before this is no moment at which somebody's entry was changed, but a mistake in its unit or its source.
_EARLIEST = 631152000  # 1990
_LATEST = 10**10


def parse(name: str, text: str) -> object:
    """Make the value of a claim from a backend's text.

    Args:
        name: one of `NAMES`.
        text: as the backend has it.

    Raises:
        ValueError: it can not be a value of this claim, in words that follow its name.
    """
    return _PARSERS.get(name, _text)(text)


def gather(values: Mapping[str, object]) -> Mapping[str, object]:
    """Put values together as claims: members of the postal address in an object, a verdict only beside its number.

    Args:
        values: by names out of `NAMES`.

    Spec: OIDC Core 5.1 and 5.1.1.
    """
    claims = {name: value for name, value in values.items() if "." not in name and name != VERIFIED}
    address = {name.partition(".")[2]: value for name, value in values.items() if "." in name}
    if address:
        claims[_ADDRESS] = address
    if NUMBER in claims:
        claims[VERIFIED] = values.get(VERIFIED, False)
    return claims


def filled(names: Iterable[str]) -> tuple[str, ...]:
    """Return the claims that a backend with these values for somebody can fill."""
    found = gather(dict.fromkeys(names))
    return tuple(found)


def opened_by(names: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes, ``profile`` left out, that a backend with these values can serve."""
    scopes = (SCOPE_OF.get(name, PROFILE) for name in filled(names))
    return tuple(scope for scope in dict.fromkeys(scopes) if scope != PROFILE)


def _text(text: str) -> str:
    """Read words in one line.

    Raises:
        ValueError: nothing is to be seen, or more than anybody needs.
    """
    found = text.strip()
    if not found or len(found) > LONGEST_CLAIM or not found.isprintable():
        raise ValueError(f"must have 1 to {LONGEST_CLAIM} printable characters")
    # A word that programs write for nothing, and that nobody wants to be called by.
    if found.lower() == "null":
        raise ValueError("must not be the word null")
    return found


def _lines(text: str) -> str:
    """Read words in one or more lines. Spec: OIDC Core 5.1.1.

    Raises:
        ValueError: nothing is to be seen, or more than anybody needs.
    """
    return "\n".join(_text(line) for line in _short(text).replace("\r\n", "\n").strip().split("\n"))


def _short(text: str) -> str:
    """Refuse what is too long to be looked at.

    Raises:
        ValueError: it is.
    """
    if len(text) > LONGEST_CLAIM:
        raise ValueError(f"must have 1 to {LONGEST_CLAIM} printable characters")
    return text


def _url(text: str) -> str:
    """Read the address of a page or picture; in a client's page it must not be a script.

    Raises:
        ValueError: it is no http or https URL.
    """
    found = _text(text)
    try:
        parts = urlsplit(found)
    except ValueError:
        raise ValueError("must be an http or https URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(sign in found for sign in " \"'<>\\"):
        raise ValueError("must be an http or https URL")
    return found


def _locale(text: str) -> str:
    """Read a language tag; of a list in the manner of ``Accept-Language`` the first one counts.

    Raises:
        ValueError: it is none.

    Spec: RFC 5646 2.1; RFC 2798 2.7 (``preferredLanguage``).
    """
    tag = _text(text).partition(",")[0].partition(";")[0].strip().replace("_", "-")
    if _LANGUAGE_TAG.fullmatch(tag) is None:
        raise ValueError("must be a language tag, such as en-US")
    return tag


def _zone(text: str) -> str:
    """Read the name of a time zone.

    Raises:
        ValueError: it can not be one.
    """
    found = _text(text)
    if _ZONE.fullmatch(found) is None:
        raise ValueError("must be the name of a time zone, such as Europe/Berlin")
    return found


def _birthdate(text: str) -> str:
    """Read a day of birth, with year ``0000`` if nobody is to know it, or a year alone.

    Raises:
        ValueError: it is none.

    Spec: OIDC Core 5.1 (``birthdate``).
    """
    # Directories keep it as a generalized time too; the hour of it means nothing.
    day = text.strip()
    day = day[:8] if _GENERALIZED_TIME.fullmatch(day) else day
    found = _BIRTHDATE.fullmatch(day)
    if found is None or not day.isascii():
        raise ValueError("must be a date such as 1865-11-26, or a year")
    year, month, date = found.groups()
    if month is None:
        return str(year)
    # The year that hides the year counts as a leap year, for those born on the last of February.
    if not 1 <= int(month) <= 12 or not 1 <= int(date) <= monthrange(int(year) or 2000, int(month))[1]:
        raise ValueError("must be a day that there is")
    return f"{year}-{month}-{date}"


def _moment(text: str) -> int:
    """Read a moment as seconds since the epoch: a number of them, or a generalized time in UTC.

    Raises:
        ValueError: it is none, or is not of this age.

    Spec: OIDC Core 5.1 (``updated_at``); RFC 4517 3.3.13.
    """
    written = text.strip()
    found = _GENERALIZED_TIME.fullmatch(written) if written.isascii() else None
    moment = -1
    if found is not None:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        if 1 <= month <= 12 and year > 0 and 1 <= day <= monthrange(year, month)[1] and hour < 24 and minute < 60:
            moment = timegm((year, month, day, hour, minute, second))
    elif written.isascii() and written.isdecimal() and len(written) <= 10:
        moment = int(written)
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("must be seconds since the epoch, or a time such as 20240131120000Z")
    return moment


def _verdict(text: str) -> bool:
    """Read a yes or no as directories and people write it.

    Raises:
        ValueError: it is neither.

    Spec: RFC 4517 3.3.3.
    """
    word = text.strip().lower()
    if word not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        raise ValueError("must be yes or no")
    return word in {"true", "yes", "on", "1"}


_PARSERS: Mapping[str, Parse] = {
    "profile": _url,
    "picture": _url,
    "website": _url,
    "birthdate": _birthdate,
    "zoneinfo": _zone,
    "locale": _locale,
    "updated_at": _moment,
    VERIFIED: _verdict,
    "address.formatted": _lines,
    "address.street_address": _lines,
}
