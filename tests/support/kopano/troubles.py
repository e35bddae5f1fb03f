"""What may go wrong with an answer, when a test wants it to."""

from collections import deque
from typing import TypeAlias

from attrs import define, field, frozen

ANY = "*"


@frozen
class Hang:
    """No answer comes, and the connection stays open."""


@frozen
class CloseBefore:
    """The connection ends without an answer; the call was carried out."""


@frozen
class CloseInside:
    """The connection ends in the middle of the answer.

    Attributes:
        after: so many bytes.
    """

    after: int


@frozen
class HangInside:
    """The answer stops in the middle, and the connection stays open.

    Attributes:
        after: so many bytes.
    """

    after: int


@frozen
class Trickle:
    """The answer comes byte by byte.

    Attributes:
        interval: between two of them, in seconds.
    """

    interval: float


@frozen
class Raw:
    """These bytes come instead of the response, whatever they are.

    Attributes:
        content: the bytes.
        close: the connection ends after them.
    """

    content: bytes = field(repr=False)
    close: bool = False


@frozen
class Huge:
    """The answer is well-formed and longer than anybody would want to read.

    Attributes:
        size: of the body, at least so many bytes.
        chunked: its length is not announced.
    """

    size: int
    chunked: bool = True


@frozen
class Refuse:
    """The call comes to a code of the server's, and is not carried out.

    Attributes:
        code: the number.
    """

    code: int


Trouble: TypeAlias = Hang | HangInside | CloseBefore | CloseInside | Trickle | Raw | Huge | Refuse


@define(eq=False)
class Troubles:
    """What is planned.

    Attributes:
        delay: how long each answer takes, in seconds.
        delays: the same, for calls of a name.
    """

    delay: float = 0.0
    delays: dict[str, float] = field(factory=dict)
    _planned: deque[tuple[str, Trouble]] = field(factory=deque)

    def plan(self, trouble: Trouble, call: str = ANY, times: int = 1) -> None:
        """Let something happen to the next calls of a name, or to the next ones of all."""
        self._planned.extend([(call, trouble)] * times)

    def clear(self) -> None:
        """Plan nothing any more."""
        self.delay = 0.0
        self.delays.clear()
        self._planned.clear()

    def take(self, call: str) -> Trouble | None:
        """Return what happens to a call, and plan it no more."""
        for index, (name, trouble) in enumerate(self._planned):
            if name in {ANY, call}:
                del self._planned[index]
                return trouble
        return None

    def delay_of(self, call: str) -> float:
        """Return how long the answer to a call takes, in seconds."""
        return self.delays.get(call, self.delay)
