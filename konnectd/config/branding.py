"""How pages look and what they say, read from the files that the options name; once, at start.

A picture is known by how it begins, whatever its name ends in. SVG is read only as far as needed to know that it is a
picture and no document of another kind; that it can run nothing is seen to where it is served.
"""

import io
from pathlib import Path

from konnectd.config import yamlfile
from konnectd.config.branding_options import BrandingSettings, paragraph
from konnectd.config.text import language_tag
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.branding import PLAIN, SVG_TYPE, Branding
from konnectd.protocol.client_logo import Logo
from konnectd.protocol.color import Color
from konnectd.protocol.local_text import LocalText

#: Largest logo, in bytes: every sign-in waits for it.
LARGEST_LOGO = 256 * 1024
#: Largest picture behind the pages, in bytes.
LARGEST_BACKGROUND = 1024 * 1024
_SVG_ROOT = "http://www.w3.org/2000/svg svg"
#: How much of a file is looked at to tell whether it may be SVG, in bytes.
_HEAD = 4096


def read_branding(settings: BrandingSettings) -> Branding:
    """Read every file that the options about pages name.

    Raises:
        ConfigErrors: something is wrong; it holds all faults.
    """
    if settings == BrandingSettings():
        return PLAIN
    faults: list[ConfigError] = []
    folder = settings.templates_path
    if folder is not None and not folder.is_dir():
        faults.append(ConfigError("templates_path", f"{folder} is not a folder"))
    behind = settings.brand_background
    branding = Branding(
        name=settings.brand_name,
        logo=_picture(faults, "brand_logo", settings.brand_logo, LARGEST_LOGO, svg=True),
        logo_dark=_picture(faults, "brand_logo_dark", settings.brand_logo_dark, LARGEST_LOGO, svg=True),
        logo_height=settings.brand_logo_height,
        logo_uri=settings.brand_logo_uri,
        color=settings.brand_color,
        color_dark=settings.brand_color_dark,
        background=behind
        if isinstance(behind, Color)
        else _picture(faults, "brand_background", behind, LARGEST_BACKGROUND, svg=False),
        background_dark=settings.brand_background_dark,
        sign_in_text=LocalText(settings.sign_in_text, _texts(faults, settings.sign_in_texts)),
        username_label=settings.username_label,
        imprint_uri=settings.imprint_uri,
        privacy_uri=settings.privacy_uri,
        help_uri=settings.help_uri,
        forgotten_password_uri=settings.forgotten_password_uri,
        locales=settings.ui_locale,
    )
    _check_company(faults, settings)
    if faults:
        raise ConfigErrors(faults)
    return branding


def _check_company(faults: list[ConfigError], settings: BrandingSettings) -> None:
    """Refuse options that would do nothing without another one."""
    if settings.brand_logo is None:
        for name, given in (("brand_logo_dark", settings.brand_logo_dark), ("brand_logo_uri", settings.brand_logo_uri)):
            if given:
                faults.append(ConfigError(name, "needs brand_logo"))
    if settings.brand_color_dark is not None and settings.brand_color is None:
        faults.append(ConfigError("brand_color_dark", "needs brand_color"))


def _picture(faults: list[ConfigError], option: str, path: Path | None, largest: int, *, svg: bool) -> Logo | None:
    """Read a picture; None, with a fault, when it is none that browsers may be given."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        faults.append(ConfigError(option, f"{path} can not be read: {error.strerror}"))
        return None
    if len(content) > largest:
        faults.append(ConfigError(option, f"{path} is larger than {largest // 1024} KiB"))
        return None
    picture = Logo.find(content)
    if picture is None and svg and b"<svg" in content[:_HEAD]:
        problem = _svg_problem(content)
        if problem:
            faults.append(ConfigError(option, problem, str(path)))
            return None
        return Logo(media_type=SVG_TYPE, content=content)
    if picture is None:
        kinds = "PNG, JPEG, GIF, WebP or SVG" if svg else "PNG, JPEG, GIF or WebP"
        faults.append(ConfigError(option, f"{path} is no picture of a kind that is shown: {kinds}"))
    return picture


def _svg_problem(content: bytes) -> str:
    """Return what is wrong with an SVG file; empty if nothing."""
    from xml.parsers import expat  # noqa: PLC0415 - only where an installation has such a logo

    found: list[str] = []

    def declared(name: str, *rest: object) -> None:  # noqa: ARG001 - what expat calls
        raise ValueError("has a document type declaration, which no picture needs")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: found.append(name)  # noqa: ARG005 - what expat calls
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.ParseFile(io.BytesIO(content))
    except ValueError as error:
        return str(error)
    except expat.ExpatError as error:
        return f"is no well-formed SVG: {expat.ErrorString(error.code)} in line {error.lineno}"
    return "" if found[0] == _SVG_ROOT else "is no SVG: browsers show nothing without xmlns on the outermost element"


def _texts(faults: list[ConfigError], path: Path | None) -> dict[str, str]:
    """Read a text by language."""
    if path is None:
        return {}
    found: dict[str, str] = {}
    try:
        table = yamlfile.read(path, "sign_in_texts", faults)
    except ConfigErrors as error:
        faults += error.faults
        return {}
    for tag in table:
        try:
            found[language_tag(tag)] = paragraph(table.text(tag))
        except ValueError as error:
            table.fault(tag, str(error))
    return found
