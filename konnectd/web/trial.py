"""Tries templates of an operator at start, by showing every page once with something in every field.

What a browser would refuse under our policy, or what would leave people unable to go on, is found here and not by
whoever signs in first. Our own templates are not tried: tests have done that.
"""

import traceback
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs
from attrs import evolve
from jinja2 import Template, TemplateError

from konnectd.protocol.local_text import LocalText
from konnectd.web.chooser_views import ChooserPage
from konnectd.web.every_view import EVERY_VIEW
from konnectd.web.locales import Locale
from konnectd.web.switch import Switch
from konnectd.web.template_check import BrokenTemplateError, ReadOnceLoader
from konnectd.web.views import ConsentPage, SignInPage, View

#: Is in every field; a link where links are.
_FILLING = "https://example.com/"
_NONCE = "trial"
_ENGLISH = Locale("en", "English", "ltr")
_SWITCH = Switch(action="/", back="/", locales=(_ENGLISH, evolve(_ENGLISH, tag="de", name="Deutsch")))
#: The fields and buttons without which a page leads nowhere.
_NEEDED: Mapping[type[Any], frozenset[str]] = {
    SignInPage: frozenset({"username", "password"}),
    ChooserPage: frozenset({"account", "other"}),
    ConsentPage: frozenset({"allow", "deny"}),
}
_CSRF = "csrf"
#: Elements that load what an attribute names.
_LOADING = {"link": "href", "script": "src", "img": "src", "source": "srcset"}


def try_templates(
    templates: Mapping[str, Template], loader: ReadOnceLoader, over: Path, locales: Iterable[Locale]
) -> None:
    """Show every page in every language.

    Args:
        templates: of the pages, by name.
        loader: knows which templates belong to them.
        over: the operator's folder.
        locales: the languages.

    Raises:
        BrokenTemplateError: a page can not be shown, would not work, or a template belongs to no page.
    """
    used = {name for names in loader.names.values() for name in names.templates}
    for file in sorted(over.glob("*.html")):
        if file.name not in templates and file.name not in used:
            raise BrokenTemplateError(file.name, 0, "takes the place of no page, and no template uses it")
    spoken = tuple(locales)
    for view in EVERY_VIEW:
        template = templates[view.template]
        for page in samples(view):
            # Languages differ in words only; each is tried with one of the samples below.
            _examine(view, page, _shown(template, view.template, page, spoken[0]))
        for locale in spoken[1:]:
            _shown(template, view.template, page, locale)


def samples(view: type[View]) -> Iterator[View]:
    """Yield values of a view: with nothing in it that can be left out, with each word of a choice, with everything."""
    made: Any = view
    hints = get_type_hints(made)
    fields = attrs.fields(made)
    yield made(**{one.name: _filled(hints[one.name]) for one in fields if one.default is attrs.NOTHING})
    full = {one.name: _filled(hints[one.name]) for one in fields}
    for one in fields:
        for choice in _choices(hints[one.name]):
            yield made(**{**full, one.name: choice})
    yield made(**full)


def _choices(kind: Any) -> Iterable[object]:  # noqa: ANN401 - a type, or what stands for several
    """Return the values of a type that has few."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    found: list[object] = []
    for one in kinds:
        if one is bool:
            found += [False, True]
        elif isinstance(one, type) and issubclass(one, StrEnum):
            found += list(one)
    return found


def _filled(kind: Any) -> object:  # noqa: ANN401 - a type, or what stands for several
    """Return a value of a type with something in every field."""
    if isinstance(kind, UnionType):
        return _filled(next(one for one in get_args(kind) if one is not NoneType))
    if get_origin(kind) is tuple:
        return tuple(_filled(one) for one in get_args(kind) if one is not Ellipsis)
    if kind is LocalText:
        return LocalText(_FILLING)
    if attrs.has(kind):
        hints = get_type_hints(kind)
        return kind(**{one.name: _filled(hints[one.name]) for one in attrs.fields(kind)})
    choices = tuple(_choices(kind))
    if choices:
        return choices[-1]
    return 1 if kind is int else _FILLING


def _shown(template: Template, name: str, page: View, locale: Locale) -> str:
    """Show a page.

    Raises:
        BrokenTemplateError: that fails.
    """
    try:
        return template.render(page=page, locale=locale, nonce=_NONCE, switch=_SWITCH)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # Jinja puts the places in templates into the traceback.
        places = [entry for entry in traceback.extract_tb(error.__traceback__) if entry.filename.endswith(".html")]
        where = (Path(places[-1].filename).name, places[-1].lineno or 0) if places else (name, 0)
        raise BrokenTemplateError(*where, f"can not be shown: {error}") from error


class _Reader(HTMLParser):
    """Reads a page for what it would do."""

    def __init__(self) -> None:
        """Begin."""
        super().__init__()
        self.names: set[str] = set()
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element."""
        given = {name: value or "" for name, value in attrs}
        if "name" in given:
            self.names.add(given["name"])
        if tag == "style" or "style" in given:
            self.problems.append("has style inside, which browsers refuse here; it belongs into a file in static")
        self.problems += [f"has {name}, which browsers refuse here" for name in given if name.startswith("on")]
        if tag == "script" and given.get("nonce") != _NONCE:
            self.problems.append('has a script without nonce="{{ nonce }}", which browsers refuse here')
        loaded = given.get(_LOADING.get(tag, ""), "")
        ours = loaded.startswith(("/", "data:")) and not loaded.startswith("//")
        if loaded and loaded != _FILLING and not ours:
            self.problems.append(f"loads {loaded[:80]}, which browsers refuse here: it is not from static(...)")


def _examine(view: type[View], page: View, body: str) -> None:
    """Look whether a page would work in a browser.

    Raises:
        BrokenTemplateError: it would not.
    """
    reader = _Reader()
    reader.feed(body)
    if reader.problems:
        raise BrokenTemplateError(view.template, 0, reader.problems[0])
    needed = _NEEDED.get(view, frozenset()) | ({_CSRF} if hasattr(page, _CSRF) else frozenset())
    for name in sorted(needed - reader.names):
        raise BrokenTemplateError(view.template, 0, f"has no field or button {name}, without which it leads nowhere")
