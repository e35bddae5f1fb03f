"""Tests of colors and contrast. Spec: WCAG 2.2 1.4.3, 1.4.11."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.color import BLACK, SHAPE_CONTRAST, TEXT_CONTRAST, WHITE, Color, ink_on
from konnectd.protocol.palette import DARK, LIGHT, Palette, Scheme, quiet_on

PART = st.integers(0, 255)
COLORS = st.builds(Color, PART, PART, PART)
#: What somebody might write who wants to say more in a style sheet than a color.
NO_COLORS = (
    "",
    "red",
    "#12",
    "#12345",
    "#1234567",
    "#gggggg",
    "1f5fa8",
    " #1f5fa8",
    "#1f5fa8\n",
    "#1f5fa8;",
    "#fff}body{display:none",
    "rgb(1,2,3)",
    "var(--x)",
    "url(https://evil.example/)",
    "#\uff11\uff12\uff13",
)


class ColorTests(SynchronousTestCase):
    """Reading, writing and comparing."""

    def test_parse(self) -> None:
        """Three and six digits are read, in either case, and written in one way."""
        for text, css in (("#1f5fa8", "#1f5fa8"), ("#ABC", "#aabbcc"), ("#FFFFFF", "#ffffff"), ("#000", "#000000")):
            self.assertEqual(Color.parse(text).css, css)

    def test_nothing_else(self) -> None:
        """What is no such color is refused, so no text of anybody gets into a style sheet."""
        for text in NO_COLORS:
            with self.subTest(text=text):
                self.assertRaises(ValueError, Color.parse, text)

    def test_contrast(self) -> None:
        """The ratios are those that others compute."""
        cases = (
            (WHITE, BLACK, 21.0),
            (WHITE, WHITE, 1.0),
            (WHITE, Color.parse("#767676"), 4.54),
            (WHITE, Color.parse("#00b3f0"), 2.41),
            (BLACK, Color.parse("#010101"), 1.01),
        )
        for one, other, ratio in cases:
            self.assertAlmostEqual(one.contrast(other), ratio, 2)
            self.assertAlmostEqual(other.contrast(one), ratio, 2)

    @given(COLORS)
    def test_ink(self, ground: Color) -> None:
        """On any color white or black can be read."""
        self.assertGreaterEqual(ink_on(ground).contrast(ground), TEXT_CONTRAST)

    def test_white_first(self) -> None:
        """Where both can be read it is white."""
        self.assertEqual(ink_on(Color.parse("#1f5fa8")), WHITE)
        self.assertEqual(ink_on(Color.parse("#ffcc00")), BLACK)

    def test_shade(self) -> None:
        """A color that can be read is left alone; one that can not is changed as little as needed."""
        good, pale = Color.parse("#1f5fa8"), Color.parse("#ffcc00")
        shade = pale.readable_on((WHITE,), BLACK)

        self.assertEqual(good.readable_on((WHITE,), BLACK), good)
        self.assertGreaterEqual(shade.contrast(WHITE), TEXT_CONTRAST)
        self.assertLess(shade.contrast(WHITE), TEXT_CONTRAST + 0.5)

    def test_last_resort(self) -> None:
        """Where no shade can be read everywhere the farthest is taken."""
        self.assertEqual(Color.parse("#808080").readable_on((WHITE, BLACK, Color.parse("#444")), BLACK), BLACK)


class PaletteTests(SynchronousTestCase):
    """The colors that follow from an operator's."""

    @given(COLORS, st.sampled_from((LIGHT, DARK)), st.booleans())
    def test_readable(self, color: Color, scheme: Scheme, exact: bool) -> None:
        """Whatever the color, text in it and on it can be read, and the main button can be seen."""
        found = Palette.of(color, scheme, exact=exact)

        for ground in (scheme.card, scheme.ground, found.tint):
            self.assertGreaterEqual(found.accent.contrast(ground), TEXT_CONTRAST)
            self.assertGreaterEqual(found.accent_strong.contrast(ground), TEXT_CONTRAST)
        for fill in (found.fill, found.fill_strong):
            self.assertGreaterEqual(found.on_fill.contrast(fill), TEXT_CONTRAST)
        self.assertGreaterEqual(found.edge.contrast(scheme.card), SHAPE_CONTRAST)

    @given(COLORS)
    def test_quiet(self, ground: Color) -> None:
        """On any ground lesser text can be read as well."""
        self.assertGreaterEqual(quiet_on(ground).contrast(ground), TEXT_CONTRAST)

    def test_exact(self) -> None:
        """The button has the very color that was asked for; on dark screens only if it can be seen there."""
        navy = Color.parse("#0a2a5e")

        self.assertEqual(Palette.of(navy, LIGHT, exact=True).fill, navy)
        self.assertEqual(Palette.of(navy, DARK, exact=True).fill, navy)
        self.assertGreaterEqual(Palette.of(navy, DARK, exact=False).fill.contrast(DARK.card), TEXT_CONTRAST)
