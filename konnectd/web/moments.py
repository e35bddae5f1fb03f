"""Moments as people of a language write them. The server does not know where somebody is, so the time is UTC's."""

from datetime import UTC, datetime


def machine(seconds: int) -> str:
    """Write a moment for programs. Spec: HTML, the ``time`` element."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ")


def day(seconds: int, tag: str) -> str:
    """Write the day of a moment in a language."""
    from babel import Locale as Culture  # noqa: PLC0415 - brings much about all languages, for pages that few open
    from babel.dates import format_date  # noqa: PLC0415 - see above

    return format_date(datetime.fromtimestamp(seconds, UTC).date(), "long", locale=Culture.parse(tag, sep="-"))


def minute(seconds: int, tag: str) -> str:
    """Write day and time of a moment in a language."""
    from babel import Locale as Culture  # noqa: PLC0415 - see `day`
    from babel.dates import format_datetime  # noqa: PLC0415 - see `day`

    moment = datetime.fromtimestamp(seconds, UTC)
    return format_datetime(moment, "medium", tzinfo=UTC, locale=Culture.parse(tag, sep="-"))
