"""What each page of the demo application shows, as values; how it looks is decided in ``templates/demo``."""

from typing import ClassVar

from attrs import field, frozen


@frozen
class Line:
    """One value with its name and its meaning."""

    name: str
    value: str = field(repr=False)
    meaning: str = ""


@frozen(kw_only=True)
class Sheet:
    """Some lines that belong together.

    Attributes:
        ticked: the lines are rules that hold, named by what they say.
    """

    title: str
    lines: tuple[Line, ...]
    ticked: bool = False


@frozen(kw_only=True)
class Source:
    """Something word by word, folded away until somebody wants to see it.

    Attributes:
        pieces: shown one after the other, each in a color of its own.
    """

    title: str
    pieces: tuple[str, ...] = field(repr=False)


@frozen(kw_only=True)
class Button:
    """What somebody can do in a step.

    Attributes:
        action: where the form goes.
    """

    label: str
    action: str


@frozen(kw_only=True)
class Step:
    """One step of the flow.

    Attributes:
        id: for links to it.
        route: who speaks to whom.
        words: paragraphs.
        request: the request in one line.
        reply: the status in one line; empty when there is no answer yet.
        refused: the answer is a refusal.
        command: what does the same from a shell.
        remark: what to know before trying it.
    """

    id: str
    title: str
    route: str
    words: tuple[str, ...]
    request: str = field(default="", repr=False)
    asked: Sheet | None = None
    reply: str = ""
    refused: bool = False
    sheets: tuple[Sheet, ...] = ()
    sources: tuple[Source, ...] = ()
    command: str = field(default="", repr=False)
    remark: str = ""
    button: Button | None = None


@frozen(kw_only=True)
class Guest:
    """Somebody who can sign in, with a password that is no secret."""

    name: str
    username: str
    password: str = field(repr=False)


@frozen(kw_only=True)
class LandingPage:
    """What this is, and the button to begin.

    Attributes:
        start_action: where the form goes.
        guests: empty when the operator brought people of their own.
        backend: where people come from.
        signed_out: somebody has just signed out.
    """

    template: ClassVar[str] = "demo/landing.html"

    start_action: str
    csrf: str = field(repr=False)
    issuer: str
    metadata_uri: str
    client_id: str
    guests: tuple[Guest, ...]
    backend: str
    signed_out: bool = False


@frozen(kw_only=True)
class StepsPage:
    """Everything that was said, step by step.

    Attributes:
        name: what to call the person.
    """

    template: ClassVar[str] = "demo/steps.html"

    name: str
    csrf: str = field(repr=False)
    steps: tuple[Step, ...]


@frozen(kw_only=True)
class TroublePage:
    """Why there is no sign-in.

    Attributes:
        code: the provider's error code, if it sent one.
        meaning: of the code.
        description: further words for the developer.
        home: where to begin again.
    """

    template: ClassVar[str] = "demo/trouble.html"

    title: str
    what: str
    code: str = ""
    meaning: str = ""
    description: str = ""
    home: str


DemoView = LandingPage | StepsPage | TroublePage
