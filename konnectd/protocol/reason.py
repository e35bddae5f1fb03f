"""What a reason is: the name of a broken rule that the log, ``konnectd explain`` and the manual have in common.

The reasons themselves are in `konnectd.protocol.reasons` and the files beside it.
"""

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen


class Move(StrEnum):
    """Who can do something about an error."""

    PERSON = "person"
    DEVELOPER = "developer"
    ADMINISTRATOR = "administrator"


#: What the person may be told, by who has to do something.
FOR_THE_PERSON: Mapping[Move, str] = {
    Move.PERSON: "Please go back to the application and sign in once more from there.",
    Move.DEVELOPER: "Your account is fine. The application has a mistake, and the people who run it have to mend it.",
    Move.ADMINISTRATOR: "Your account is fine. Something has to be set right here; we are looking at it.",
}


@frozen(kw_only=True)
class Reason:
    """One rule that a request can break.

    Attributes:
        name: stable, for the log and for those who count.
        says: the descriptions of errors that mean it, letter by letter; ``*`` stands for any text at the end.
        why: what happened, in words for an administrator.
        advice: what to change, and where.
        clause: of the specification that says so; empty when it is a rule of the house.
        move: who can do something about it.
        everyday: it happens all the time and nobody has to look at it.
    """

    name: str
    says: tuple[str, ...]
    why: str
    advice: str
    clause: str = ""
    move: Move = Move.DEVELOPER
    everyday: bool = False

    @property
    def person(self) -> str:
        """What the person may be told."""
        return FOR_THE_PERSON[self.move]
