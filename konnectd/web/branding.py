"""What an operator made theirs, in the form that pages need: addresses of pictures and of a style sheet, and words.

The style sheet is made by `konnectd.web.brand_style` and served as our own is, because pages may have no style inside.
Where nothing was said, there is none.
"""

from pathlib import Path
from typing import Self

from attrs import frozen

from konnectd.protocol.branding import PLAIN, SVG_TYPE, Branding, LogoHeight, Naming
from konnectd.protocol.client_logo import Logo
from konnectd.protocol.local_text import NO_TEXT, LocalText
from konnectd.web.static import StaticFile, StaticFiles

STYLE = "brand.css"
_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    SVG_TYPE: ".svg",
}


@frozen(kw_only=True)
class Brand:
    """What templates know as ``brand``.

    Attributes:
        name: of the organization; empty for none.
        logo: the address of the logo; empty for ours.
        logo_type: its media type.
        logo_dark: the address of the one for dark screens; empty for none.
        style: the address of a further style sheet; empty for none.
        backdrop: whether there is a picture behind the page.
    """

    name: str = ""
    logo: str = ""
    logo_type: str = ""
    logo_dark: str = ""
    logo_height: LogoHeight = LogoHeight.NORMAL
    logo_uri: str = ""
    style: str = ""
    backdrop: bool = False
    sign_in_text: LocalText = NO_TEXT
    username_label: str = Naming.USERNAME
    imprint_uri: str = ""
    privacy_uri: str = ""
    help_uri: str = ""
    forgotten_password_uri: str = ""

    @property
    def has_foot(self) -> bool:
        """Whether anything stands at the foot of pages."""
        return bool(self.imprint_uri or self.privacy_uri or self.help_uri)


@frozen(kw_only=True)
class Branded:
    """A brand, and what is served for it.

    Attributes:
        brand: for the templates.
        static: files that pages refer to, the brand's among them.
    """

    brand: Brand
    static: StaticFiles

    @classmethod
    def read(cls, branding: Branding, templates: Path, over: Path | None, prefix: str) -> Self:
        """Read the static files, and make what pages need.

        Args:
            branding: what the operator said.
            templates: our folder of templates; ``static`` is in it.
            over: the operator's, whose files count for more; it need not have any.
            prefix: the URL path they are served below, ending in a slash.

        Raises:
            LookupError: a file is of a kind that is not served, or can not be read.
        """
        static = StaticFiles.read(templates / "static", prefix)
        if over is not None and (over / "static").is_dir():
            try:
                static = static.with_files(StaticFiles.read(over / "static", prefix).files)
            except (LookupError, OSError) as error:
                raise LookupError(f"{over / 'static'}: {error}") from error
        return cls.of(branding, static, prefix)

    @classmethod
    def of(cls, branding: Branding, static: StaticFiles, prefix: str) -> Self:
        """Make what pages need.

        Args:
            branding: what the operator said.
            static: files that there are besides.
            prefix: the URL path they are served below, ending in a slash.
        """
        if branding == PLAIN:
            return cls(brand=Brand(), static=static)
        # Only here: a start of those who have nothing of their own need not wait for it.
        from konnectd.web.brand_style import style_of  # noqa: PLC0415 - see above

        behind = branding.background if isinstance(branding.background, Logo) else None
        logo = _file("brand-logo", branding.logo, prefix)
        logo_dark = _file("brand-logo-dark", branding.logo_dark, prefix)
        backdrop = _file("brand-background", behind, prefix)
        rules = style_of(branding, _address(backdrop))
        style = StaticFile.of(STYLE, rules, prefix) if rules else None
        files = {file.path: file for file in (logo, logo_dark, backdrop, style) if file is not None}
        brand = Brand(
            name=branding.name,
            logo=_address(logo),
            logo_type=branding.logo.media_type if branding.logo is not None else "",
            logo_dark=_address(logo_dark),
            logo_height=branding.logo_height,
            logo_uri=branding.logo_uri,
            style=_address(style),
            backdrop=backdrop is not None,
            sign_in_text=branding.sign_in_text,
            username_label=branding.username_label,
            imprint_uri=branding.imprint_uri,
            privacy_uri=branding.privacy_uri,
            help_uri=branding.help_uri,
            forgotten_password_uri=branding.forgotten_password_uri,
        )
        return cls(brand=brand, static=static.with_files(files))


def _file(stem: str, picture: Logo | None, prefix: str) -> StaticFile | None:
    """Make a file of a picture; it is called after what it is, whatever the operator's is called."""
    if picture is None:
        return None
    return StaticFile.of(f"{stem}{_SUFFIXES[picture.media_type]}", picture.content, prefix)


def _address(file: StaticFile | None) -> str:
    """Return the address of a file; empty for none."""
    return file.path if file is not None else ""
