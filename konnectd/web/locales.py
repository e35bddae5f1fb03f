"""Languages of the pages: catalogues, and which of them a browser gets.

Ours are compiled already, as ``locale/<tag>/LC_MESSAGES/konnectd.mo`` below the templates; each is looked into when the
first person wants it. Those of an operator are text, and read at start by `konnectd.web.po`. The texts in the code are
English; a text without translation stays English.
"""

import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Self

from attrs import evolve, field, frozen

from konnectd.http import HttpRequest

DEFAULT = "en"
DOMAIN = "konnectd"
#: Where somebody's choice on one of our pages is kept.
CHOSEN = "KKUL"
#: Cookie in which a site may keep somebody's choice, for all its services.
COOKIE = "ui_locale"
#: More languages than anybody asks for; the rest of a longer list is not looked at.
MOST_TAGS = 20
#: Spec: RFC 5646 2.1, as far as catalogues go.
_TAG = re.compile("[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
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
#: What whoever speaks a language reads as easily: both stand for Norwegian, of which one form is written more.
_CLOSE: Mapping[str, str] = {"no": "nb", "nn": "nb"}
#: What each of our languages is called in itself; an operator's further ones are asked of Babel.
NAMES: Mapping[str, str] = {
    "ar": "العربية",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "hi": "हिन्दी",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "is": "Íslenska",
    "it": "Italiano",
    "ja": "日本語",
    "nb": "Norsk bokmål",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt-PT": "Português",
    "ru": "Русский",
    "sl": "Slovenščina",
}


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


class UnknownLanguageError(Exception):
    """Pages were asked for in a language that there are none in."""


@frozen
class Locale:
    """One language.

    Attributes:
        tag: for ``lang`` and ``Content-Language``.
        name: in the language itself.
        direction: ``ltr`` or ``rtl``.
        catalog: its texts, compiled; empty for none.
        fallback: the language whose texts count where this one has none; None for English.
    """

    tag: str
    name: str
    direction: str
    catalog: bytes = field(default=b"", repr=False)
    fallback: "Locale | None" = field(default=None, repr=False)

    @cached_property
    def _translations(self) -> NullTranslations:
        """Its texts, ready to be looked up."""
        found = GNUTranslations(io.BytesIO(self.catalog)) if self.catalog else NullTranslations()
        if self.fallback is not None:
            found.add_fallback(self.fallback._translations)  # noqa: SLF001 - of the same class
        return found

    def gettext(self, message: str) -> str:
        """Translate a text."""
        return self._translations.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Translate a text that depends on a number."""
        return self._translations.ngettext(singular, plural, number)

    @classmethod
    def read(cls, folder: Path, *, text: bool = False) -> Self:
        """Read one catalogue.

        Args:
            folder: named after the language, such as ``locale/pt-BR``.
            text: look at the text only, whatever was made of it by others; otherwise it counts when there is nothing
                compiled.

        Raises:
            BrokenCatalogError: it can not be used.
        """
        tag = folder.name.replace("_", "-")
        compiled = folder / "LC_MESSAGES" / f"{DOMAIN}.mo"
        if tag in NAMES and not text and compiled.is_file():
            return cls(tag, NAMES[tag], direction(tag), compiled.read_bytes())
        if _TAG.fullmatch(tag) is None:
            raise BrokenCatalogError(str(folder), "is not named after a language")
        from konnectd.web import po  # noqa: PLC0415 - brings Babel, which nobody needs who has no catalogue of their own

        name = NAMES.get(tag) or po.name_of(tag)
        if not name:
            raise BrokenCatalogError(str(folder), "is not named after a language")
        return cls(tag, name, direction(tag), po.compiled(po.read_catalog(compiled.with_suffix(".po"))))


@frozen
class Locales:
    """All languages there are.

    Attributes:
        by_tag: each by its tag in lower case.
        default: the one for those who want none of them.
    """

    by_tag: Mapping[str, Locale]
    default: Locale

    @classmethod
    def read(cls, folder: Path, over: Path | None = None) -> Self:
        """Read all catalogues of a folder; English is always there.

        Args:
            folder: our catalogues.
            over: those of an operator: what they translate counts, what they do not is ours.

        Raises:
            BrokenCatalogError: one of them can not be used.
        """
        english = Locale(DEFAULT, NAMES[DEFAULT], "ltr")
        found = {DEFAULT: english}
        for place in (folder, over):
            for locale in _read_all(place, text=place is over):
                known = found.get(locale.tag.lower()) if place is over else None
                found[locale.tag.lower()] = evolve(locale, fallback=known)
        return cls(found, found[DEFAULT])

    def only(self, tags: Collection[str]) -> Self:
        """Return some of them; the first one is for those who want none of these. All of them when none is named.

        Raises:
            UnknownLanguageError: one of them is not there.
        """
        if not tags:
            return self
        wanted = [tag.replace("_", "-").lower() for tag in tags]
        for tag in wanted:
            if tag not in self.by_tag:
                known = ", ".join(sorted(locale.tag for locale in self.by_tag.values()))
                raise UnknownLanguageError(f"there are no pages in {tag!r}, but in {known}")
        return evolve(self, by_tag={tag: self.by_tag[tag] for tag in wanted}, default=self.by_tag[wanted[0]])

    @cached_property
    def by_name(self) -> tuple[Locale, ...]:
        """All of them in the order in which people look for them: Latin letters first, then the others."""
        return tuple(sorted(self.by_tag.values(), key=lambda locale: locale.name.casefold()))

    def choose(self, request: HttpRequest, ui_locales: str = "") -> Locale:
        """Choose a language: what the client asks for, what the cookie says, what the browser prefers, the default.

        Whoever has chosen one on our own pages has said it themselves; all the others can only guess.

        Spec: OIDC Core 3.1.2.1 (``ui_locales``); RFC 4647 3.4 (lookup).
        """
        if len(self.by_tag) > 1:
            for tag in _wishes(request, ui_locales):
                locale = self.find(tag)
                if locale is not None:
                    return locale
        return self.default

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
        language = wanted.partition("-")[0]
        variants = (locale for known, locale in self.by_tag.items() if known.startswith(f"{language}-"))
        return next(variants, None) or self.by_tag.get(_CLOSE.get(language, ""))


def _read_all(folder: Path | None, *, text: bool) -> Iterator[Locale]:
    """Read each catalogue of a folder, if there is one."""
    if folder is not None and folder.is_dir():
        for entry in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
            yield Locale.read(entry, text=text)


def direction(tag: str) -> str:
    """Return how a language is written: ``ltr`` or ``rtl``; a script in the tag counts for more than the language."""
    language, *rest = tag.split("-")
    script = next((part.title() for part in rest if len(part) == _SCRIPT_LENGTH and part.isalpha()), "")
    from_the_right = script in _RIGHT_SCRIPTS if script else language.lower() in _RIGHT_LANGUAGES
    return "rtl" if from_the_right else "ltr"


def _wishes(request: HttpRequest, ui_locales: str) -> Iterator[str]:
    """Yield the language tags somebody asked for, the dearest first."""
    yield request.cookies.get(f"__Secure-{CHOSEN}") or request.cookies.get(CHOSEN, "")
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
