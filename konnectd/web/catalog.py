"""Keeps the message catalogues in step with the texts: ``python -m konnectd.web.catalog --check`` or ``--write``.

For developers and translators, in a checkout. The daemon itself only reads catalogues (`konnectd.web.locales`).
"""

import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from konnectd.web.locales import DOMAIN, BrokenCatalogError
from konnectd.web.po import compiled, read_catalog
from konnectd.web.templates_path import find_templates

#: Functions whose argument is a text to translate.
KEYWORDS: Mapping[str, tuple[int, ...] | None] = {"mark": None, "_": None, "gettext": None, "ngettext": (1, 2)}
HEADER = """\
# Texts of konnectd's pages.
# Written by: python -m konnectd.web.catalog --write
#"""
#: Header fields that would differ from run to run or from machine to machine, and those that nobody filled in.
_UNSTEADY = re.compile(
    rb'^"(?:(?:POT-Creation-Date|PO-Revision-Date|Generated-By|Project-Id-Version): |'
    rb'[\w-]+: [^"]*(?:EMAIL@ADDRESS|@li\.org))[^"]*"\n',
    re.MULTILINE,
)


def extract(top: Path) -> Catalog:
    """Collect the texts of the code and the templates.

    Args:
        top: the checkout.

    Raises:
        OSError: something can not be read.
    """
    with (top / "templates" / "locale" / "babel.cfg").open(encoding="utf-8") as stream:
        methods, options = parse_mapping_cfg(stream)  # type: ignore[no-untyped-call]  # Babel left this one out
    catalog = Catalog(project=DOMAIN, header_comment=HEADER, charset="utf-8", fuzzy=False)
    found = extract_from_dir(top, methods, options, KEYWORDS, directory_filter=lambda path: _is_ours(Path(path), top))
    for filename, _, message, comments, context in found:
        catalog.add(message, None, [(Path(filename).as_posix(), 0)], auto_comments=comments, context=context)
    return catalog


def _is_ours(folder: Path, top: Path) -> bool:
    """Tell whether a folder may have texts in it; an environment or a build folder has copies of them."""
    return folder.relative_to(top).parts[0] in {"konnectd", "templates"}


def documents(top: Path) -> Mapping[Path, bytes]:
    """Return what the template of all catalogues, and each catalogue, as text and compiled, should contain.

    Raises:
        BrokenCatalogError: a catalogue can not be used.
        OSError: something can not be read.
    """
    template = extract(top)
    folder = top / "templates" / "locale"
    wanted = {folder / f"{DOMAIN}.pot": _write(template)}
    for file in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        locale = file.parent.parent.name.replace("-", "_")
        read_catalog(file)
        with file.open("rb") as stream:
            catalog = read_po(stream, locale=locale, domain=DOMAIN)
        catalog.update(template, no_fuzzy_matching=True, update_header_comment=True)
        catalog.obsolete.clear()
        wanted[file] = _write(catalog)
        wanted[file.with_suffix(".mo")] = compiled(catalog)
    return wanted


def missing(file: Path, content: bytes) -> Iterator[str]:
    """Yield a complaint about each text that a catalogue does not translate, or that somebody has doubts about.

    Args:
        file: of the catalogue.
        content: the catalogue.
    """
    if file.suffix == ".po":
        for message in read_po(io.BytesIO(content), domain=DOMAIN):
            forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
            if message.id and (message.fuzzy or not all(forms)):
                yield f"{file}: is not translated: {message.id!r}"


def _write(catalog: Catalog) -> bytes:
    """Write a catalogue so that the same texts give the same bytes everywhere."""
    stream = io.BytesIO()
    write_po(stream, catalog, width=100, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return _UNSTEADY.sub(b"", stream.getvalue())


def main(arguments: Sequence[str], errors: TextIO = sys.stderr, top: Path | None = None) -> int:
    """Check or write all catalogues, and return the exit status; a text that is missing in one is a fault, too."""
    if list(arguments) not in (["--check"], ["--write"]):
        errors.write("usage: python -m konnectd.web.catalog --check | --write\n")
        return 2
    try:
        wanted = documents(top or find_templates().parent)
    except BrokenCatalogError as error:
        errors.write(f"{error}\n")
        return 1
    writing = arguments[0] == "--write"
    stale = [file for file, content in wanted.items() if not file.is_file() or file.read_bytes() != content]
    for file in stale:
        if writing:
            file.write_bytes(wanted[file])
    faults = [] if writing else [f"{file}: is not up to date; run `make generate`" for file in stale]
    faults += [complaint for file, content in wanted.items() for complaint in missing(file, content)]
    errors.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
