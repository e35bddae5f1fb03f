"""Moments as people of a language write them. The server does not know where somebody is, so the time is UTC's."""

from datetime import UTC, datetime

from babel import Locale as Culture
from babel.dates import format_date, format_datetime


def machine(seconds: int) -> str:
    """Write a moment for programs. Spec: HTML, the ``time`` element."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ")


def day(seconds: int, tag: str) -> str:
    """Write the day of a moment in a language."""
    return format_date(datetime.fromtimestamp(seconds, UTC).date(), "long", locale=Culture.parse(tag, sep="-"))


def minute(seconds: int, tag: str) -> str:
    """Write day and time of a moment in a language."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return format_datetime(moment, "medium", tzinfo=UTC, locale=Culture.parse(tag, sep="-"))
