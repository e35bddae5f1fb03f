"""How an installation looks and what it says of itself, as values that are right.

Nothing here is markup or a style sheet: that is made at the edge. The colors that follow from one are in
`konnectd.protocol.palette`.
"""

from enum import StrEnum

from attrs import field, frozen

from konnectd.protocol.client_logo import Logo
from konnectd.protocol.color import Color
from konnectd.protocol.local_text import NO_TEXT, LocalText

#: SVG is only ever shown as a picture, under headers that keep it from running anything.
SVG_TYPE = "image/svg+xml"
#: Longest text that an operator may put on the sign-in page, in characters.
LONGEST_TEXT = 1000


class LogoHeight(StrEnum):
    """How high the logo is: 24, 48 or 72 pixels at the usual size of text."""

    SMALL = "small"
    NORMAL = "normal"
    BIG = "big"


class Naming(StrEnum):
    """What the field for the username asks for, in words that are translated."""

    USERNAME = "username"
    EMAIL = "email"
    IDENTITY = "identity"


@frozen(kw_only=True)
class Branding:
    """What an operator made theirs.

    Attributes:
        name: of the organization or the service; empty for none.
        logo: instead of ours.
        logo_dark: the same for dark screens.
        logo_uri: where the logo leads; empty for nowhere.
        color: of buttons, links and marks.
        color_dark: the same on dark screens; without it a shade of ``color``.
        background: a color, or a picture, behind everything.
        background_dark: a color for dark screens.
        sign_in_text: below the form.
        username_label: what the field for the username is called.
        imprint_uri: links at the foot of every page; each may be empty.
        forgotten_password_uri: a link below the form; may be empty.
        locales: language tags that pages are in, the default first; empty for all there are.
    """

    name: str = ""
    logo: Logo | None = None
    logo_dark: Logo | None = None
    logo_height: LogoHeight = LogoHeight.NORMAL
    logo_uri: str = ""
    color: Color | None = None
    color_dark: Color | None = None
    background: Color | Logo | None = None
    background_dark: Color | None = None
    sign_in_text: LocalText = NO_TEXT
    username_label: Naming | str = Naming.USERNAME
    imprint_uri: str = ""
    privacy_uri: str = ""
    help_uri: str = ""
    forgotten_password_uri: str = field(default="", repr=False)
    locales: tuple[str, ...] = ()


#: What an installation has that says nothing.
PLAIN = Branding()
