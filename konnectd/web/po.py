"""Catalogues as translators write them: read, checked, and compiled.

The daemon comes here for an operator's catalogues only; ours were compiled by `konnectd.web.catalog`. What Babel knows
of all languages of the world is three megabytes, and is loaded for the name of a language only that we do not have.

Spec: the formats of GNU gettext.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel import localedata
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from konnectd.web.locales import DOMAIN, BrokenCatalogError

#: A tag in a translation: their order may change, but none may come or go.
_MARKUP = re.compile(r"</?[^<>]*>|&[^;\s]*;")
#: The header of a catalogue for which Babel would load all that it knows.
_LANGUAGE = re.compile(rb'^"Language:[^"\n]*"', re.MULTILINE)
_PLURALS = "Plural-Forms"


class _Compiled(Catalog):
    """A catalogue with the headers that count when texts are looked up, and none that differs from day to day."""

    def __init__(self, catalog: Catalog) -> None:
        """Take over the texts."""
        super().__init__()
        self._catalog = catalog

    def __iter__(self) -> Iterator[Message]:
        """Yield the header, then the texts."""
        # Of a catalogue whose locale it does not know, Babel leaves this header out.
        plurals = f"{_PLURALS}: {self._catalog.plural_forms}\n"
        yield Message("", f"Content-Type: text/plain; charset=utf-8\n{plurals}")
        yield from (message for message in self._catalog if message.id)


def name_of(tag: str) -> str:
    """Return what a language calls itself; empty when there is no such language.

    Args:
        tag: well-formed, such as ``pt-BR``.
    """
    from babel import Locale as Culture  # noqa: PLC0415 - see the module

    if not localedata.exists(tag.replace("-", "_")):
        return ""
    name = Culture.parse(tag, sep="-").display_name or ""
    return name[:1].upper() + name[1:]


def compiled(catalog: Catalog) -> bytes:
    """Return a catalogue in the form in which texts are looked up: the same texts give the same bytes everywhere."""
    stream = io.BytesIO()
    write_mo(stream, _Compiled(catalog))
    return stream.getvalue()


def read_catalog(file: Path) -> Catalog:
    """Read and check a catalogue.

    Raises:
        BrokenCatalogError: it is missing or unreadable, it does not say what plurals its language has and needs them,
            or a translation has other placeholders or markup than its original. Translations are markup, so this is
            also what keeps every page well-formed.
    """
    try:
        content = file.read_bytes()
        catalog = read_po(io.BytesIO(_LANGUAGE.sub(b'""', content)), domain=DOMAIN, abort_invalid=True)
    except PoFileError as error:
        raise BrokenCatalogError(f"{file}:{error.lineno}", str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenCatalogError(str(file), "can not be read") from error
    for message in catalog:
        if not message.id:
            continue
        originals, translations = _texts(message.id), _texts(message.string)
        if len(originals) > 1 and any(translations) and f'"{_PLURALS}:'.encode() not in content:
            raise BrokenCatalogError(str(file), "has plurals, but no header Plural-Forms that says when each is used")
        allowed = [(_placeholders(original), _markup(original)) for original in originals]
        for translation in filter(None, translations):
            if (_placeholders(translation), _markup(translation)) not in allowed:
                raise BrokenCatalogError(
                    f"{file}:{message.lineno}", f"placeholders or markup differ from those of {originals[0]!r}"
                )
    return catalog


def _texts(text: object) -> list[str]:
    """Return the one text of a message, or all its plural forms."""
    return [text] if isinstance(text, str) else [str(form) for form in text] if isinstance(text, list | tuple) else []


def _placeholders(text: str) -> list[str]:
    """Return the percent placeholders of a text, and any lone percent sign with what follows it."""
    return sorted(re.findall(r"%(?:\(\w*\)\w|%|.?)", text))


def _markup(text: str) -> list[str]:
    """Return the tags and character references of a text, and any angle bracket that belongs to none."""
    rest = _MARKUP.sub("", text)
    return _MARKUP.findall(text) + sorted(character for character in rest if character in "<>&")
