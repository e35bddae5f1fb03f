"""The options about how pages look and what they say: rows of the one table, and the value they are read into.

The files they name are read by `konnectd.config.branding`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import field, fields, frozen

from konnectd.config.text import language_tag, plain_text
from konnectd.config.values import is_loopback
from konnectd.option import Option
from konnectd.protocol.branding import LONGEST_TEXT, LogoHeight, Naming
from konnectd.protocol.client import is_plain_uri, split
from konnectd.protocol.color import Color

#: Longest name and label, in characters: they stand on one line.
_LONGEST_NAME = 60
_SECTION = "Branding"


def name(text: str) -> str:
    """Read a name.

    Raises:
        ValueError: it is too long, or has characters that disturb what stands around it.
    """
    return plain_text(text, _LONGEST_NAME)


def paragraph(text: str) -> str:
    """Read a text for a page.

    Raises:
        ValueError: it is too long, or has characters that disturb what stands around it.
    """
    return plain_text(text, LONGEST_TEXT, lines=True)


def label(text: str) -> Naming | str:
    """Read what a field is called: a word that is translated, or any other text.

    Raises:
        ValueError: it is no name.
    """
    word = text.strip().lower()
    return Naming(word) if word in set(Naming) else name(text)


def height(text: str) -> LogoHeight:
    """Read how high a logo is.

    Raises:
        ValueError: it is none of the words for that.
    """
    try:
        return LogoHeight(text.strip().lower())
    except ValueError:
        raise ValueError(f"must be one of {', '.join(LogoHeight)}") from None


def background(text: str) -> Color | Path:
    """Read a color, which begins with ``#``, or the name of a file.

    Raises:
        ValueError: it begins like a color and is none.
    """
    return Color.parse(text) if text.startswith("#") else Path(text)


def link(*schemes: str) -> Callable[[str], str]:
    """Make a parser of addresses for links, of these schemes; http is for this very machine where it is not among them.

    A fragment is allowed, because links have them; user names are not.
    """
    shown = " or ".join(f"{scheme}://" if scheme.startswith("http") else f"{scheme}:" for scheme in schemes)

    def parse(text: str) -> str:
        parts = split(text) if is_plain_uri(text.replace("#", "", 1)) else None
        if parts is None or not (parts.scheme in schemes or is_loopback(parts)):
            raise ValueError(f"must be an address that begins with {shown}")
        if not (parts.netloc or parts.path):
            raise ValueError("must not be empty behind its scheme")
        return text

    return parse


OPTIONS: tuple[Option, ...] = (
    Option(
        name="brand-name",
        help="The name of the organization or the service: beside the title of every page, and where no logo is given.",
        parse=name,
        default="",
        metavar="NAME",
        section=_SECTION,
    ),
    Option(
        name="brand-logo",
        help="The logo on every page: a PNG, JPEG, GIF, WebP or SVG file of at most 256 KiB; 20 KiB are plenty.",
        parse=Path,
        aliases=("identifier-default-banner-logo",),
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="brand-logo-dark",
        help="The logo for dark screens. Without it the other one stands on a white plate there.",
        parse=Path,
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="brand-logo-height",
        help="How high the logo is: small (24 pixels), normal (48) or big (72).",
        parse=height,
        default=LogoHeight.NORMAL,
        aliases=("identifier-default-banner-logo-height",),
        metavar="HEIGHT",
        section=_SECTION,
    ),
    Option(
        name="brand-logo-uri",
        help="Where the logo leads, in a window of its own.",
        parse=link("https", "http"),
        default="",
        aliases=("identifier-default-logo-target-url",),
        metavar="URI",
        section=_SECTION,
    ),
    Option(
        name="brand-color",
        help=(
            "The color of buttons, links and marks, such as #1f5fa8. Text on it is white or black, whichever can be "
            "read; text in it gets a shade that can be read."
        ),
        parse=Color.parse,
        metavar="COLOR",
        section=_SECTION,
    ),
    Option(
        name="brand-color-dark",
        help="The same for dark screens. Without it a shade of the other one.",
        parse=Color.parse,
        metavar="COLOR",
        section=_SECTION,
    ),
    Option(
        name="brand-background",
        help=(
            "What is behind the pages: a color such as #e8eef5, for bright screens, or a PNG, JPEG, GIF or WebP file "
            "of at most 1 MiB, which small screens do not load."
        ),
        parse=background,
        metavar="COLOR|FILE",
        section=_SECTION,
    ),
    Option(
        name="brand-background-dark",
        help="A color that is behind the pages on dark screens.",
        parse=Color.parse,
        metavar="COLOR",
        section=_SECTION,
    ),
    Option(
        name="sign-in-text",
        help="A text below the sign-in form. It is no markup; line breaks count.",
        parse=paragraph,
        default="",
        aliases=("identifier-default-sign-in-page-text",),
        metavar="TEXT",
        section=_SECTION,
    ),
    Option(
        name="sign-in-texts",
        help="A YAML file with the text below the sign-in form by language, such as: de: Willkommen.",
        parse=Path,
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="username-label",
        help="What the field for the username is called: username, email or identity, which are translated, or a text.",
        parse=label,
        default=Naming.USERNAME,
        aliases=("identifier-default-username-hint-text",),
        metavar="LABEL",
        section=_SECTION,
    ),
    Option(
        name="imprint-uri",
        help="Who is responsible for the service; a link at the foot of every page.",
        parse=link("https", "http"),
        default="",
        metavar="URI",
        section=_SECTION,
    ),
    Option(
        name="privacy-uri",
        help="What the service does with people's data; a link at the foot of every page.",
        parse=link("https", "http"),
        default="",
        metavar="URI",
        section=_SECTION,
    ),
    Option(
        name="help-uri",
        help="Where people get help: a page, mailto: or tel:; a link at the foot of every page.",
        parse=link("https", "http", "mailto", "tel"),
        default="",
        metavar="URI",
        section=_SECTION,
    ),
    Option(
        name="forgotten-password-uri",
        help="Where people get a new password: an https page, mailto: or tel:; a link below the sign-in form.",
        parse=link("https", "mailto", "tel"),
        default="",
        metavar="URI",
        section=_SECTION,
    ),
    Option(
        name="ui-locale",
        help=(
            "A language, such as de or pt-PT, that the pages shall be in; people who want none of these get the first "
            "one. The default is all that there are translations for, English first. May be given several times."
        ),
        parse=language_tag,
        default=(),
        keys=("ui_locales",),
        aliases=("identifier-ui-locale",),
        metavar="TAG",
        multiple=True,
        section=_SECTION,
    ),
    Option(
        name="templates-path",
        help=(
            "A folder whose files take the place of those of the same name in konnectd's folder of templates: pages, "
            "static files, translations. They are checked at start."
        ),
        parse=Path,
        metavar="FOLDER",
        section=_SECTION,
    ),
)


@frozen(kw_only=True)
class BrandingSettings:
    """What the options say; the names are those of the options."""

    brand_name: str = ""
    brand_logo: Path | None = None
    brand_logo_dark: Path | None = None
    brand_logo_height: LogoHeight = LogoHeight.NORMAL
    brand_logo_uri: str = ""
    brand_color: Color | None = None
    brand_color_dark: Color | None = None
    brand_background: Color | Path | None = None
    brand_background_dark: Color | None = None
    sign_in_text: str = ""
    sign_in_texts: Path | None = None
    username_label: Naming | str = Naming.USERNAME
    imprint_uri: str = ""
    privacy_uri: str = ""
    help_uri: str = ""
    forgotten_password_uri: str = field(default="", repr=False)
    ui_locale: tuple[str, ...] = ()
    templates_path: Path | None = None

    @classmethod
    def take(cls, values: dict[str, Any]) -> "BrandingSettings":
        """Take the values of these options out of those of all."""
        return cls(**{one.name: values.pop(one.name) for one in fields(cls)})
