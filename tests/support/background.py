"""Work that nobody waits for, done when a test says so. It is a `konnectd.interfaces.Background`."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from tests.support.fakes import run


class Later:
    """Keeps what was planned.

    Attributes:
        planned: seconds and work, in order.
        complaints: what the operator was told: clients, and what is wrong with them.
    """

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self.planned: list[tuple[int, Callable[[], Awaitable[None]]]] = []
        self.complaints: list[tuple[str, str]] = []

    def after(self, seconds: int, work: Callable[[], Awaitable[None]]) -> None:
        """Plan something."""
        self.planned.append((seconds, work))

    def complain(self, client_id: str, problem: str) -> None:
        """Tell the operator."""
        self.complaints.append((client_id, problem))

    def do_all(self) -> tuple[int, ...]:
        """Do what is planned now, not what comes of it, and return after how many seconds each."""
        due, self.planned = self.planned, []
        for _, work in due:
            run(cast("Coroutine[Any, Any, None]", work()))
        return tuple(seconds for seconds, _ in due)
