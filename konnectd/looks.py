"""How the pages look and what they refer to: templates, catalogues, pictures, style, as files say it now.

Nothing here depends on clients, keys or backends, so that it is read and tried by itself.
"""

from attrs import frozen

from konnectd.config.settings import Settings
from konnectd.interfaces import Entropy
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.branding import Branding
from konnectd.web.branding import Branded
from konnectd.web.faces import PageFaces
from konnectd.web.locales import UnknownLanguageError
from konnectd.web.pages import Pages
from konnectd.web.static import StaticFiles
from konnectd.web.templates_path import find_templates


@frozen
class Looks:
    """Pages, and the files that they refer to."""

    faces: PageFaces
    static: StaticFiles

    @classmethod
    def read(cls, settings: Settings, branding: Branding, entropy: Entropy) -> "Looks":
        """Make the pages, with what the operator made theirs.

        Raises:
            BrokenCatalogError: a catalogue has a mistake.
            BrokenTemplateError: a template has a mistake.
            ConfigErrors: there are no pages in a language that was asked for.
            LookupError: the installation is not complete.
        """
        templates, over = find_templates(), settings.branding.templates_path
        branded = Branded.read(branding, templates, over, settings.paths.static)
        try:
            pages = Pages(
                templates,
                static=branded.static,
                entropy=entropy,
                brand=branded.brand,
                over=over,
                paths=settings.paths,
                languages=branding.locales,
            )
        except UnknownLanguageError as error:
            raise ConfigErrors([settings.locate(ConfigError("ui_locales", str(error)))]) from error
        return cls(PageFaces(pages), branded.static)
