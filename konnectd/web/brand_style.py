"""The style sheet of an installation, made at start from colors and addresses that have been read as such.

No text of anybody stands in it. It only sets custom properties that the style sheet of all pages uses, and what is
behind the pages.
"""

from collections.abc import Iterator

from konnectd.protocol.branding import Branding
from konnectd.protocol.color import Color
from konnectd.protocol.palette import DARK, LIGHT, Palette, quiet_on

_DARK = "@media (prefers-color-scheme: dark)"
#: Small screens show the page alone, and people who ask for contrast need no picture.
_ROOM = "@media (min-width: 30.0625rem) and (prefers-contrast: no-preference) and (forced-colors: none)"


def style_of(branding: Branding, backdrop: str) -> bytes:
    """Return the style sheet of a brand; empty when it needs none.

    Args:
        branding: what the operator said.
        backdrop: the address of a picture behind the pages; empty for none.
    """
    return "".join(f"{rule}\n" for rule in _rules(branding, backdrop)).encode("ascii")


def _rules(branding: Branding, backdrop: str) -> Iterator[str]:
    """Yield the rules of the style sheet."""
    if branding.color is not None:
        yield _palette(Palette.of(branding.color, LIGHT, exact=True))
        dark = branding.color_dark or branding.color
        palette = Palette.of(dark, DARK, exact=branding.color_dark is not None)
        yield f"{_DARK} {{ {_palette(palette)} }}"
    # Queries do not weigh: what is for dark screens only must come last.
    if isinstance(branding.background, Color):
        yield f"@media (prefers-color-scheme: light) {{ {_ground(branding.background)} }}"
    if branding.background_dark is not None:
        yield f"{_DARK} {{ {_ground(branding.background_dark)} }}"
    if backdrop:
        yield f'{_ROOM} {{ html {{ background: var(--ground) url("{backdrop}") center / cover fixed no-repeat; }} }}'
        # A bright picture in a dark room hurts.
        yield (
            f"{_DARK} and {_ROOM.removeprefix('@media ')} {{ html {{ background-blend-mode: multiply; "
            "background-color: #606060; } }"
        )


def _palette(palette: Palette) -> str:
    """Return the rule of the colors that follow from the operator's."""
    return (
        f":root {{ --accent: {palette.accent.css}; --accent-strong: {palette.accent_strong.css}; "
        f"--fill: {palette.fill.css}; --fill-strong: {palette.fill_strong.css}; --on-accent: {palette.on_fill.css}; "
        f"--fill-edge: {palette.edge.css}; --tint: {palette.tint.css}; }}"
    )


def _ground(color: Color) -> str:
    """Return the rule of a color behind the pages, and of text on it."""
    return f":root {{ --ground: {color.css}; --on-ground: {quiet_on(color).css}; }}"
