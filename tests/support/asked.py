"""What answers the doctor's questions in memory: the assembled daemon, with whatever stands in between."""

from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from attrs import evolve

from konnectd.doctor.finding import Finding, Level
from konnectd.doctor.probe import Answer, NoAnswerError, Tls
from tests.support.assembly import Daemon

#: Changes an answer on its way, or takes it away.
Between = Callable[[str, Answer], Answer]


class Asked:
    """A `konnectd.doctor.probe.Asks` without a network.

    Attributes:
        asked: the paths, in their order.
        sockets: the sockets in the file system that were asked at.
    """

    def __init__(self, daemon: Daemon, tls: Tls | None = None) -> None:
        """Let a daemon answer."""
        self.asked: list[str] = []
        self.sockets: list[str] = []
        self.between: Between = lambda _, answer: answer
        self.problem: NoAnswerError | None = None
        self._daemon = daemon
        self._tls = tls

    async def look(self, url: str) -> Tls | None:
        """Look at who is there."""
        return self._tls

    async def get(self, url: str, *, unix: str = "") -> Answer:
        """Ask."""
        path = urlsplit(url).path
        self.asked.append(path)
        self.sockets.append(unix)
        if self.problem is not None:
            raise self.problem
        heard = self._daemon.get(path)
        headers: dict[str, tuple[str, ...]] = {}
        for name, value in heard.headers:
            headers[name.lower()] = (*headers.get(name.lower(), ()), value)
        return self.between(path, Answer(status=heard.status, headers=headers, body=heard.body, tls=self._tls))

    def now(self) -> int:
        """Return the time that answers have."""
        heard = self._daemon.get("/health-check")
        return int(parsedate_to_datetime(heard.header("Date")).timestamp())


def at(path: str, **changed: object) -> Between:
    """Return what changes the answer at one path."""
    return lambda here, answer: evolve(answer, **changed) if here == path else answer


def with_headers(path: str, headers: Mapping[str, tuple[str, ...]]) -> Between:
    """Return what changes headers of the answer at one path; those without a value are taken away."""

    def change(here: str, answer: Answer) -> Answer:
        if here != path:
            return answer
        kept = {name: values for name, values in {**answer.headers, **headers}.items() if values}
        return evolve(answer, headers=kept)

    return change


def worst(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Return level and subject of everything that is worse than a hint."""
    return [
        (finding.level.value, finding.about) for finding in findings if finding.level in {Level.FAULT, Level.WARNING}
    ]


def told(findings: Sequence[Finding]) -> str:
    """Return everything that is said."""
    return "\n".join(f"{each.level} {each.about}: {each.says} {each.cause} {each.mend}" for each in findings)
