"""Where the templates are: beside the package in a checkout, inside it when installed."""

from pathlib import Path

import konnectd


def find_templates() -> Path:
    """Return the folder of templates, static files and catalogues.

    Raises:
        LookupError: it is missing, so the installation is not complete.
    """
    package = Path(konnectd.__file__).resolve().parent
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "layout.html").is_file():
            return folder
    raise LookupError(f"no templates beside or in {package}")
