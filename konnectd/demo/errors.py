"""What can go wrong between the demo application and the provider."""

from enum import StrEnum


class Trouble(StrEnum):
    """What kind of thing went wrong; each has its own words in `konnectd.demo.texts`."""

    UNKNOWN_ANSWER = "unknown_answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NONSENSE = "nonsense"
    NOT_BELIEVED = "not_believed"
    NOT_FROM_HERE = "not_from_here"
    MALFORMED = "malformed"


class SignInError(Exception):
    """The application can not go on with a sign-in.

    Attributes:
        trouble: what kind of thing went wrong.
        code: the provider's error code, if it sent one.
        description: further words: the provider's, or ours about what we refuse.
    """

    def __init__(self, trouble: Trouble, description: str = "", code: str = "") -> None:
        """Keep the facts."""
        super().__init__(trouble, description, code)
        self.trouble = trouble
        self.description = description
        self.code = code
