"""The options about people who stay signed in when they close their browser."""

from collections.abc import Iterator, Mapping
from typing import Any

from konnectd.config.values import lifetime
from konnectd.option import Option, one_of

NO, OFFER, PRESET = "no", "offer", "preset"
#: Two weeks, in seconds.
IDLE = 1_209_600
#: Thirty days, in seconds.
LIFETIME = 2_592_000

OPTIONS: tuple[Option, ...] = (
    Option(
        name="stay-signed-in",
        help=(
            "Whether people may stay signed in when they close their browser. no: a logon ends with the browser, and "
            "after a day. offer: the sign-in page has a box for it. preset: the box is ticked, and has to be cleared "
            "on a computer that others use."
        ),
        parse=one_of(NO, OFFER, PRESET),
        default=NO,
        metavar="WORD",
        section="Users",
    ),
    Option(
        name="logon-idle",
        help=(
            "Where people stay signed in: after how many seconds without use their logon ends; 0 means the default, "
            "two weeks."
        ),
        parse=lifetime,
        default=IDLE,
        metavar="SECONDS",
        section="Users",
    ),
    Option(
        name="logon-lifetime",
        help=(
            "Where people stay signed in: after how many seconds they have to prove again who they are, however much "
            "they use their logon; 0 means the default, 30 days."
        ),
        parse=lifetime,
        default=LIFETIME,
        metavar="SECONDS",
        section="Users",
    ),
)


def advice(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an operator should know who lets people stay signed in."""
    if values["encryption_secret"] is None:
        yield "stay_signed_in: without encryption_secret everybody has to sign in again after each start"
    elif values["store"] == "memory":
        yield "store: which sessions were ended is forgotten when this process ends, and people stay signed in longer"
    if values["logon_idle"] > values["logon_lifetime"]:
        yield "logon_idle: is longer than logon_lifetime, so it never ends a logon"
