"""The colors of pages that follow from one of an operator's, so that everything can still be read.

It is for installations that have such a color; the others need not load it.
"""

from attrs import frozen

from konnectd.protocol.color import BLACK, SHAPE_CONTRAST, TEXT_CONTRAST, WHITE, Color, ink_on


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
