"""The options of the usage survey: rows of the one table, the value they are read into, and who is never asked.

The names are those of Konnect. What is sent is `konnectd.survey`.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from attrs import fields, frozen

from konnectd.config.values import is_loopback
from konnectd.option import Option, seconds, switch
from konnectd.protocol.client import is_plain_uri, split
from konnectd.reach import Reach

#: Where Konnect sends it.
URL = "https://stats.kopano.io/api/stats/v1/submit"
START_DELAY = 60
ERROR_DELAY = 60
INTERVAL = 3600
#: A year, in seconds.
_LONGEST = 31_536_000
_SECTION = "Usage survey"

#: Names below these are nobody's on the internet; the last ones are what networks call themselves. Spec: RFC 2606 2
#: and 3; RFC 6762 3; RFC 7686 1; RFC 8375 3; RFC 9476 3.
_NOT_PUBLIC = frozenset(
    (
        *("example", "invalid", "localhost", "test", "example.com", "example.net", "example.org"),
        *("alt", "home.arpa", "local", "onion"),
        *("corp", "home", "internal", "intranet", "lan", "localdomain", "private"),
    )
)


def url(text: str) -> str:
    """Read where to send it: https, or http on this very machine.

    Raises:
        ValueError: it is something else.
    """
    parts = split(text) if is_plain_uri(text) else None
    if parts is None or not (parts.scheme == "https" or is_loopback(parts)):
        raise ValueError("must be an address that begins with https://, or with http:// on this very machine")
    return text


def span(text: str) -> int:
    """Read a span in seconds.

    Raises:
        ValueError: it is no whole number, or more than a year.
    """
    found = seconds(text)
    if found > _LONGEST:
        raise ValueError(f"must not be more than {_LONGEST} seconds (a year)")
    return found


def is_public(issuer: str) -> bool:
    """Tell whether an issuer is meant for the whole internet, as far as its name says."""
    host = (urlsplit(issuer).hostname or "").rstrip(".").lower()
    try:
        ip_address(host)
    except ValueError:
        labels = host.split(".")
        return len(labels) > 1 and not _NOT_PUBLIC & {".".join(labels[at:]) for at in range(len(labels))}
    return Reach().permits(host)


OPTIONS: tuple[Option, ...] = (
    Option(
        name="survey",
        help=(
            "Send a usage survey to the makers of Konnect, as Konnect does: versions, system, backend, and two numbers "
            "that tell installations apart; nothing about people or clients. It is sent only for a public issuer; no "
            "stops it."
        ),
        parse=switch,
        default=True,
        env=("KOPANO_SURVEYCLIENT_AUTOSURVEY",),
        metavar="",
        section=_SECTION,
    ),
    Option(
        name="survey-enabled",
        help="The same as survey; either of them stops it.",
        parse=switch,
        default=True,
        env=("KOPANO_SURVEYCLIENT_ENABLED",),
        metavar="",
        section=_SECTION,
    ),
    Option(
        name="survey-url",
        help="Where the usage survey is sent.",
        parse=url,
        default=URL,
        env=("KOPANO_SURVEYCLIENT_URL",),
        metavar="URL",
        section=_SECTION,
    ),
    Option(
        name="survey-start-delay",
        help="How long after the start it is sent first, in seconds.",
        parse=span,
        default=START_DELAY,
        env=("KOPANO_SURVEYCLIENT_START_DELAY",),
        metavar="SECONDS",
        section=_SECTION,
    ),
    Option(
        name="survey-error-delay",
        help="How long after a failure it is tried again, in seconds; twice as long after each further one.",
        parse=span,
        default=ERROR_DELAY,
        env=("KOPANO_SURVEYCLIENT_ERROR_DELAY",),
        metavar="SECONDS",
        section=_SECTION,
    ),
    Option(
        name="survey-interval",
        help="How long after it was sent it is sent again, in seconds; 0 means once.",
        parse=span,
        default=INTERVAL,
        env=("KOPANO_SURVEYCLIENT_INTERVAL",),
        metavar="SECONDS",
        section=_SECTION,
    ),
    Option(
        name="survey-insecure",
        help="Do not check the certificate of where it is sent.",
        parse=switch,
        default=False,
        env=("KOPANO_SURVEYCLIENT_INSECURE",),
        metavar="",
        section=_SECTION,
    ),
)


@frozen(kw_only=True)
class SurveySettings:
    """What the options say.

    Attributes:
        survey: what the operator said; whether it is sent depends on the issuer as well.
        survey_enabled: the same.
        survey_start_delay: seconds.
        survey_error_delay: seconds.
        survey_interval: seconds; 0 for once.
        survey_insecure: the certificate is not checked.
    """

    survey: bool = True
    survey_enabled: bool = True
    survey_url: str = URL
    survey_start_delay: int = START_DELAY
    survey_error_delay: int = ERROR_DELAY
    survey_interval: int = INTERVAL
    survey_insecure: bool = False

    @classmethod
    def take(cls, values: dict[str, Any]) -> "SurveySettings":
        """Take the values of these options out of those of all."""
        return cls(**{one.name: values.pop(one.name) for one in fields(cls)})

    def is_sent(self, issuer: str) -> bool:
        """Tell whether there is a survey of an installation."""
        return self.survey and self.survey_enabled and is_public(issuer)

    def advice(self, issuer: str) -> Iterator[str]:
        """Yield what an operator should think about twice."""
        if self.survey_insecure and self.is_sent(issuer):
            yield "survey_insecure: whoever sits in between can read the usage survey"
