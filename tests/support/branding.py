"""Installations that made something their own, and pages as they show them."""

from functools import lru_cache

from konnectd.protocol.branding import Branding, LogoHeight
from konnectd.protocol.client_logo import Logo
from konnectd.protocol.color import Color
from konnectd.protocol.local_text import LocalText
from konnectd.web.branding import Branded
from konnectd.web.pages import Pages
from konnectd.web.static import StaticFile
from konnectd.web.templates_path import find_templates
from konnectd.web.views import View
from tests.support.fakes import CountingEntropy
from tests.support.logos import PNG, png
from tests.support.rendering import GET, STATIC

PREFIX = "/signin/v1/static/"
#: Would do something if it were more than a picture.
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 48" onload="alert(1)"><script>alert(2)</script>'
    b'<style>text { font: 700 30px sans-serif }</style><rect width="48" height="48" rx="10" fill="#8a1538"/>'
    b'<text x="60" y="35" fill="#8a1538">Example</text></svg>'
)
SVG_DARK = SVG.replace(b"#8a1538", b"#f2a7bd")
EVERYTHING = Branding(
    name="Example University",
    logo=Logo(media_type="image/svg+xml", content=SVG),
    logo_dark=Logo(media_type="image/svg+xml", content=SVG_DARK),
    logo_height=LogoHeight.NORMAL,
    logo_uri="https://www.example.com/",
    color=Color.parse("#8a1538"),
    background=Color.parse("#f4e9ec"),
    background_dark=Color.parse("#1d0d12"),
    sign_in_text=LocalText("Members of the university sign in with the name on their card.\nGuests ask at the desk."),
    username_label="Name on your card",
    imprint_uri="https://www.example.com/imprint",
    privacy_uri="https://www.example.com/privacy",
    help_uri="mailto:help@example.com",
    forgotten_password_uri="https://www.example.com/password",
)
#: A logo that is dark on nothing, a color that is too pale for text, and a picture behind everything.
PICTURES = Branding(
    name="Example",
    logo=Logo(media_type="image/png", content=PNG),
    color=Color.parse("#ffcc00"),
    background=Logo(media_type="image/png", content=png(64, 64)),
    help_uri="https://www.example.com/help",
    imprint_uri="https://www.example.com/imprint",
    forgotten_password_uri="tel:+49-30-1",
)


def served(branding: Branding) -> dict[str, StaticFile]:
    """Return what is served for a brand alone, by the name of the file without digest."""
    found = Branded.of(branding, STATIC, PREFIX).static.files.values()
    mine = [file for file in found if file not in STATIC.files.values()]
    return {
        f"{file.path.removeprefix(PREFIX).split('.')[0]}{file.path[file.path.rindex('.') :]}": file for file in mine
    }


def branded_page(view: View, branding: Branding) -> bytes:
    """Return the bytes of a view's page as an installation shows it."""
    return _pages(branding).render(view, GET).body


@lru_cache(maxsize=8)
def _pages(branding: Branding) -> Pages:
    """Return the pages of an installation; to compile them takes longer than a test should."""
    look = Branded.of(branding, STATIC, PREFIX)
    return Pages(find_templates(), static=look.static, entropy=CountingEntropy(), brand=look.brand)
