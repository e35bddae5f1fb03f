"""Colors, and whether text in one can be read on another.

What is chosen here keeps the contrast that everybody needs: a color of the operator's is never made unreadable by what
is written in it or on it. Where it is too pale or too dark for text, text gets a shade of it.

Spec: WCAG 2.2, relative luminance, contrast ratio, 1.4.3 (text), 1.4.11 (everything else).
"""

import re
from collections.abc import Iterable
from colorsys import hls_to_rgb, rgb_to_hls
from typing import Self

from attrs import frozen

#: The least contrast of text. Spec: WCAG 2.2 1.4.3.
TEXT_CONTRAST = 4.5
#: The least contrast of what one has to see besides text. Spec: WCAG 2.2 1.4.11.
SHAPE_CONTRAST = 3.0

_FORM = re.compile("#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_SHORT = 4
_STEPS = 50


@frozen
class Color:
    """A color of sRGB; each part is from 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a color as style sheets write it in hexadecimal.

        Raises:
            ValueError: it is written otherwise; nothing else may reach a style sheet.
        """
        if _FORM.fullmatch(text) is None:
            raise ValueError("must be a color such as #1f5fa8")
        digits = "".join(digit * 2 for digit in text[1:]) if len(text) == _SHORT else text[1:]
        return cls(int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16))

    @property
    def css(self) -> str:
        """The color as it stands in a style sheet."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """How bright it is, from 0 (black) to 1 (white)."""
        return 0.2126 * _linear(self.red) + 0.7152 * _linear(self.green) + 0.0722 * _linear(self.blue)

    def contrast(self, other: "Color") -> float:
        """Return the contrast ratio to another color, from 1 to 21."""
        bright, dark = sorted((self.luminance, other.luminance), reverse=True)
        return (bright + 0.05) / (dark + 0.05)

    def mixed(self, other: "Color", share: float) -> "Color":
        """Return this color with a share of another, which is from 0 to 1."""
        return Color(
            round(self.red + (other.red - self.red) * share),
            round(self.green + (other.green - self.green) * share),
            round(self.blue + (other.blue - self.blue) * share),
        )

    def readable_on(self, grounds: Iterable["Color"], toward: "Color") -> "Color":
        """Return the shade nearest to this color in which text can be read on each ground.

        Args:
            grounds: what is behind the text.
            toward: black where grounds are bright, white where they are dark; the last resort.
        """
        behind = tuple(grounds)
        # Only the lightness changes: mixed with white or black a color would look as if it had been washed.
        hue, lightness, saturation = rgb_to_hls(self.red / 255, self.green / 255, self.blue / 255)
        end = 1.0 if toward == WHITE else 0.0
        for step in range(_STEPS):
            parts = hls_to_rgb(hue, lightness + (end - lightness) * step / _STEPS, saturation)
            shade = Color(*(round(part * 255) for part in parts))
            if all(shade.contrast(ground) >= TEXT_CONTRAST for ground in behind):
                return shade
        return toward


WHITE = Color(255, 255, 255)
BLACK = Color(0, 0, 0)


def ink_on(ground: Color) -> Color:
    """Return the color of text on a ground: white where it can be read, else black, which then can be."""
    return WHITE if WHITE.contrast(ground) >= TEXT_CONTRAST else BLACK


def _linear(part: int) -> float:
    """Return how much light one part of a color is."""
    value = part / 255
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
