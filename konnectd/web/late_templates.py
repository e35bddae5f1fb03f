"""Our own templates: read at start, compiled when the first page needs them.

Compiling all of them takes Jinja a fifth of the time until the daemon listens, and tests have found the mistakes in
these. An operator's are another matter: `konnectd.web.template_check` looks at them before anybody is served.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import DictLoader


def read_templates(folder: Path) -> DictLoader:
    """Read every template of a folder, so that what is shown later is what was there at start.

    Raises:
        LookupError: one can not be read.
    """
    return DictLoader(dict(_sources(folder)))


def _sources(folder: Path) -> Mapping[str, str]:
    """Return the texts by file name."""
    try:
        return {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.html")}
    except (OSError, UnicodeDecodeError) as error:
        raise LookupError(f"the templates in {folder} can not be read: {error}") from error
