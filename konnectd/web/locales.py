"""Languages of the pages: catalogues, and which of them a browser gets.

Catalogues are ``locale/<tag>/LC_MESSAGES/konnectd.po`` below the templates. They are compiled in memory at start, so
that a checkout needs no build step. The texts in the code are English; a text without translation stays English.

What Babel knows of all languages of the world is three megabytes, and is not loaded for what is needed here.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from gettext import GNUTranslations
from pathlib import Path
from typing import Self

from attrs import field, frozen
from babel import localedata
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from konnectd.http import HttpRequest

DEFAULT = "en"
DOMAIN = "konnectd"
#: Cookie in which a site may keep somebody's choice.
COOKIE = "ui_locale"
#: More languages than anybody asks for; the rest of a longer list is not looked at.
MOST_TAGS = 20
#: Spec: RFC 5646 2.1, as far as catalogues go.
_TAG = re.compile("[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
#: A tag in a translation: their order may change, but none may come or go.
_MARKUP = re.compile(r"</?[^<>]*>|&[^;\s]*;")


#: What is written from the right, as far as catalogues go: languages whose usual script is, and those scripts.
_RIGHT_LANGUAGES = frozenset(
    {
        *(
            "apc",
            "ar",
            "bal",
            "bgn",
            "ckb",
            "dv",
            "fa",
            "he",
            "ks",
            "lrc",
            "mzn",
            "nqo",
            "ps",
            "rhg",
            "sd",
            "sdh",
            "skr",
        ),
        *("syr", "trw", "ug", "ur", "yi"),
    }
)
_RIGHT_SCRIPTS = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})
_SCRIPT_LENGTH = 4
#: The header of a catalogue for which Babel would load all that it knows.
_LANGUAGE = re.compile(rb'^"Language:[^"\n]*"', re.MULTILINE)
_PLURALS = b"Plural-Forms:"


class BrokenCatalogError(Exception):
    """A catalogue can not be used.

    Attributes:
        source: file and, where known, line.
        problem: what is wrong, in words for a translator.
    """

    def __init__(self, source: str, problem: str) -> None:
        """Keep both facts; the text is made from them."""
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem


@frozen
class Locale:
    """One language.

    Attributes:
        tag: for ``lang`` and ``Content-Language``.
        direction: ``ltr`` or ``rtl``.
        translations: its texts.
    """

    tag: str
    direction: str
    translations: GNUTranslations = field(repr=False)

    def gettext(self, message: str) -> str:
        """Translate a text."""
        return self.translations.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Translate a text that depends on a number."""
        return self.translations.ngettext(singular, plural, number)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read one catalogue.

        Args:
            folder: named after the language, such as ``locale/pt-BR``.

        Raises:
            BrokenCatalogError: it can not be used.
        """
        tag = folder.name.replace("_", "-")
        if _TAG.fullmatch(tag) is None or not localedata.exists(tag.replace("-", "_")):
            raise BrokenCatalogError(str(folder), "is not named after a language")
        return cls(tag, direction(tag), _compile(read_catalog(folder / "LC_MESSAGES" / f"{DOMAIN}.po")))


@frozen
class Locales:
    """All languages there are, by lower-case tag; English is always among them."""

    by_tag: Mapping[str, Locale]

    @classmethod
    def read(cls, folder: Path, over: Path | None = None) -> Self:
        """Read all catalogues of a folder.

        Args:
            folder: our catalogues.
            over: those of an operator: what they translate counts, what they do not is ours.

        Raises:
            BrokenCatalogError: one of them can not be used.
        """
        found = {DEFAULT: Locale(DEFAULT, "ltr", _compile(Catalog()))}
        for place in (folder, over):
            for locale in _read_all(place):
                known = found.get(locale.tag.lower())
                if known is not None and place is over:
                    locale.translations.add_fallback(known.translations)
                found[locale.tag.lower()] = locale
        return cls(found)

    def choose(self, request: HttpRequest, ui_locales: str = "") -> Locale:
        """Choose a language: what the client asks for, what the cookie says, what the browser prefers, English.

        Spec: OIDC Core 3.1.2.1 (``ui_locales``); RFC 4647 3.4 (lookup).
        """
        if len(self.by_tag) > 1:
            for tag in _wishes(request, ui_locales):
                locale = self.find(tag)
                if locale is not None:
                    return locale
        return self.by_tag[DEFAULT]

    def find(self, tag: str) -> Locale | None:
        """Return the language a tag stands for, or the closest one there is.

        Closest is first what remains when the tag is shortened, then any variant of the same language: whoever reads
        Brazilian Portuguese is better off with that of Portugal than with English.
        """
        wanted = tag.replace("_", "-").lower()
        if _TAG.fullmatch(wanted) is None:
            return None
        shorter = wanted
        while shorter:
            if shorter in self.by_tag:
                return self.by_tag[shorter]
            shorter = shorter.rpartition("-")[0]
        language = wanted.partition("-")[0] + "-"
        return next((locale for known, locale in self.by_tag.items() if known.startswith(language)), None)


def _read_all(folder: Path | None) -> Iterator[Locale]:
    """Read each catalogue of a folder, if there is one."""
    if folder is not None and folder.is_dir():
        for entry in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
            yield Locale.read(entry)


def direction(tag: str) -> str:
    """Return how a language is written: ``ltr`` or ``rtl``; a script in the tag counts for more than the language."""
    language, *rest = tag.split("-")
    script = next((part.title() for part in rest if len(part) == _SCRIPT_LENGTH and part.isalpha()), "")
    from_the_right = script in _RIGHT_SCRIPTS if script else language.lower() in _RIGHT_LANGUAGES
    return "rtl" if from_the_right else "ltr"


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
        if len(originals) > 1 and any(translations) and _PLURALS not in content:
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


def _compile(catalog: Catalog) -> GNUTranslations:
    """Make a catalogue fast to look things up in."""
    stream = io.BytesIO()
    write_mo(stream, catalog)
    stream.seek(0)
    return GNUTranslations(stream)


def _wishes(request: HttpRequest, ui_locales: str) -> Iterator[str]:
    """Yield the language tags somebody asked for, the dearest first."""
    yield from ui_locales.split(maxsplit=MOST_TAGS)[:MOST_TAGS]
    yield request.cookies.get(COOKIE, "")
    yield from _by_quality(request.header("accept-language").split(",", MOST_TAGS)[:MOST_TAGS])


def _by_quality(items: Iterable[str]) -> list[str]:
    """Sort the items of an ``Accept-Language`` header by their weight; what has none of it is left out.

    Spec: RFC 9110 12.4.2 and 12.5.4.
    """
    weighed = []
    for item in items:
        tag, _, parameter = item.partition(";")
        quality = _quality(parameter)
        if quality > 0:
            weighed.append((-quality, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]


def _quality(parameter: str) -> int:
    """Read a weight in thousandths; 1 when there is none, 0 when it is broken."""
    if not parameter.strip():
        return 1000
    match = re.fullmatch(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", parameter, re.ASCII | re.IGNORECASE)
    return round(float(match.group(1)) * 1000) if match is not None else 0
