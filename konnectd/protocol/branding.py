"""How an installation looks and what it says of itself, as values that are right; and the colors that follow from one.

Nothing here is markup or a style sheet: that is made at the edge.
"""

from enum import StrEnum

from attrs import field, frozen

from konnectd.protocol.client_logo import Logo
from konnectd.protocol.color import BLACK, SHAPE_CONTRAST, TEXT_CONTRAST, WHITE, Color, ink_on
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


#: What an installation has that says nothing.
PLAIN = Branding()


@frozen(kw_only=True)
class Scheme:
    """The grounds of one color scheme, as the style sheet of all pages has them.

    Attributes:
        card: behind the text of a page.
        ground: around it.
        quiet: text of lesser weight.
        far: where text goes to be read.
        tint_share: how much of a color a tinted ground has.
    """

    card: Color
    ground: Color
    quiet: Color
    far: Color
    tint_share: float


LIGHT = Scheme(card=WHITE, ground=Color.parse("#edf1f5"), quiet=Color.parse("#4f5d6c"), far=BLACK, tint_share=0.08)
DARK = Scheme(
    card=Color.parse("#1a212a"), ground=Color.parse("#10151b"), quiet=Color.parse("#a9b5c2"), far=WHITE, tint_share=0.16
)


def quiet_on(ground: Color) -> Color:
    """Return the color of text on any ground that should not push itself forward."""
    for quiet in (LIGHT.quiet, DARK.quiet):
        if quiet.contrast(ground) >= TEXT_CONTRAST:
            return quiet
    return ink_on(ground)


@frozen(kw_only=True)
class Palette:
    """The colors that follow from one; text has a contrast of 4.5 to 1 in each.

    Attributes:
        accent: text and lines.
        accent_strong: the same under the pointer.
        fill: the ground of the main button.
        fill_strong: the same under the pointer.
        on_fill: text on both.
        edge: around the main button, which must be seen on the card.
        tint: the ground of what is set off.
    """

    accent: Color
    accent_strong: Color
    fill: Color
    fill_strong: Color
    on_fill: Color
    edge: Color
    tint: Color

    @classmethod
    def of(cls, color: Color, scheme: Scheme, *, exact: bool) -> "Palette":
        """Make the palette of a color.

        Args:
            color: the operator's.
            scheme: where it is shown.
            exact: the main button has this very color, although it may hardly be seen but for its edge.
        """
        tint = scheme.card.mixed(color, scheme.tint_share)
        accent = color.readable_on((scheme.card, scheme.ground, tint), scheme.far)
        visible = color.contrast(scheme.card) >= SHAPE_CONTRAST
        fill = color if exact or visible else accent
        ink = ink_on(fill)
        return cls(
            accent=accent,
            accent_strong=accent.mixed(scheme.far, 0.3),
            fill=fill,
            fill_strong=fill.mixed(BLACK if ink == WHITE else WHITE, 0.2),
            on_fill=ink,
            edge=fill if fill.contrast(scheme.card) >= SHAPE_CONTRAST else accent,
            tint=tint,
        )
