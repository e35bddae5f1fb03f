"""Everything that is logged, as an operator with the most talkative settings could read it, and more."""

from typing import Any

from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from konnectd.logs import TextObserver


class LogLines:
    """Keeps what is logged while a test runs.

    Attributes:
        events: as they were logged.
    """

    def __init__(self, case: SynchronousTestCase | TestCase) -> None:
        """Begin to listen, until the test ends."""
        self.events: list[dict[str, Any]] = []
        publisher: Any = globalLogPublisher
        publisher.addObserver(self.events.append)
        case.addCleanup(publisher.removeObserver, self.events.append)

    def lines(self, level: str = "trace") -> list[str]:
        """Return the lines that a log of some level has."""
        written: list[str] = []
        observer = TextObserver(written.append, level, timestamp=False)
        for event in self.events:
            observer(event)
        return written

    def text(self) -> str:
        """Return all lines, and all fields of all events whether they are written or not."""
        return "".join(self.lines()) + "".join(repr(event) for event in self.events)

    def about(self, text: str, level: str = "info") -> list[str]:
        """Return the lines of a level that have some text in them."""
        return [line for line in self.lines(level) if text in line]
