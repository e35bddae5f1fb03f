"""The options about watching the daemon: rows of the one table, and the value they are read into."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from attrs import fields, frozen

from konnectd.address import Address
from konnectd.config.values import listen
from konnectd.option import ConfigError, Option, one_of, switch

_SECTION = "Watching"
_LOGGING = "Logging"
TEXT, JSON = "text", "json"
#: Places of the audit log that are no files.
STDERR, JOURNAL = "stderr", "journal"
_LOCAL_NAMES = frozenset({"localhost", "ip6-localhost"})
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - nothing listens here


def audit_place(text: str) -> str | Path:
    """Read where the audit log goes: a word, or an absolute path.

    Raises:
        ValueError: it is neither.
    """
    word = text.strip()
    if word in {STDERR, JOURNAL}:
        return word
    if not word.startswith("/") or re.search(r"[\x00-\x1f\x7f]", word):
        raise ValueError(f"must be {STDERR}, {JOURNAL} or an absolute path")
    return Path(word)


OPTIONS: tuple[Option, ...] = (
    Option(
        name="with-metrics",
        help="Count and measure, and serve what comes of it to Prometheus, at /metrics of metrics-listen.",
        parse=switch,
        default=False,
        metavar="",
        section=_SECTION,
    ),
    Option(
        name="metrics-listen",
        help=(
            "Where metrics are served, as for listen. Nobody is asked who they are there, so it should not be "
            "reachable from outside."
        ),
        parse=listen,
        default="127.0.0.1:6777",
        metavar="ADDRESS",
        section=_SECTION,
    ),
    Option(
        name="with-pprof",
        help=(
            "Serve a profile of what the process spends its time on, and a list of what it waits for, at "
            "/debug/pprof/ of pprof-listen."
        ),
        parse=switch,
        default=False,
        metavar="",
        section=_SECTION,
    ),
    Option(
        name="pprof-listen",
        help=(
            "Where these are served: an address of this very machine, or unix:/path. Another one needs pprof-remote; "
            "a public address is refused."
        ),
        parse=listen,
        default="127.0.0.1:6060",
        metavar="ADDRESS",
        section=_SECTION,
    ),
    Option(
        name="pprof-remote",
        help=(
            "Let pprof-listen be an address that other machines can reach, such as 0.0.0.0:6060 in a container. "
            "Whoever reaches it can slow the daemon down."
        ),
        parse=switch,
        default=False,
        metavar="",
        section=_SECTION,
    ),
    Option(
        name="audit-log",
        help=(
            "Where to write who signed in, agreed, left or was refused, as one JSON object a line: a file, which is "
            "appended to, stderr, or journal. Without it nothing is written."
        ),
        parse=audit_place,
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="log-format",
        help=(
            f"The form of the log: {TEXT}, or {JSON} with one object a line. Where standard error leads to systemd's "
            "journal, each entry has its facts as fields as well."
        ),
        parse=one_of(TEXT, JSON),
        default=TEXT,
        metavar="FORM",
        section=_LOGGING,
    ),
)


@frozen(kw_only=True)
class WatchingSettings:
    """What the options say; the names are those of the options."""

    with_metrics: bool = False
    metrics_listen: str = "127.0.0.1:6777"
    with_pprof: bool = False
    pprof_listen: str = "127.0.0.1:6060"
    pprof_remote: bool = False
    audit_log: str | Path | None = None
    log_format: str = TEXT

    @property
    def counts(self) -> bool:
        """Whether anybody is told what requests came of."""
        return self.with_metrics or self.audit_log is not None

    @classmethod
    def take(cls, values: dict[str, Any]) -> "WatchingSettings":
        """Take the values of these options out of those of all."""
        return cls(**{one.name: values.pop(one.name) for one in fields(cls)})

    def faults(self, sources: Mapping[str, str]) -> tuple[ConfigError, ...]:
        """Return what is wrong with them together.

        Args:
            sources: where options were given.
        """
        problem = _refusal(Address.parse(self.pprof_listen), remote=self.pprof_remote) if self.with_pprof else ""
        return (ConfigError("pprof_listen", problem, sources.get("pprof_listen", "")),) if problem else ()


def _refusal(address: Address, *, remote: bool) -> str:
    """Say why profiles may not be served somewhere; empty if they may.

    What a description of Twisted's means can not be told here, so it counts as an address for others; a name other than
    that of the machine itself may mean any address, a public one too.
    """
    if address.path or address.host in _LOCAL_NAMES:
        return ""
    if address.port >= 0 and address.host not in _EVERYWHERE:
        try:
            host = ip_address(address.host.partition("%")[0])
            host = getattr(host, "ipv4_mapped", None) or host
        except ValueError:
            return f"must be an address, not the name {address.host}"
        if host.is_loopback:
            return ""
        if host.is_global or host.is_multicast:
            return f"{address.host} is public: whoever can reach it could look into the process"
    return "" if remote else f"{address.text} can be reached by other machines; pprof_remote allows that"
