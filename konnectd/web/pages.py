"""From view values to HTML pages.

A template is compiled once, when it is needed first; an operator's are also checked, at start. A request only fills one
in. Whatever a view holds is text: it is escaped, characters that no document may have are replaced, and names are kept
from disturbing what stands around them. The templates are well-formed XML, which tests rely on; the doctype is added
here.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from konnectd.http import HTML_TYPE, Headers, HttpRequest, HttpResponse
from konnectd.interfaces import Entropy
from konnectd.paths import Paths
from konnectd.protocol.client import is_plain_uri
from konnectd.web import moments, texts
from konnectd.web.branding import Brand
from konnectd.web.late_templates import read_templates
from konnectd.web.locales import Locale, Locales
from konnectd.web.policy import page_headers
from konnectd.web.static import StaticFiles
from konnectd.web.switch import Switch
from konnectd.web.views import ErrorPage, SignInFault, View

DOCTYPE = "<!DOCTYPE html>\n"
#: Longest name that is shown in full, in characters.
LONGEST_NAME = 120
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
#: What may not stand in a document at all: control characters, lone surrogates, non-characters. Spec: XML 1.0 2.2.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
#: What turns the direction of text around or hides in it; in a name it is only good for passing as somebody else.
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Pages:
    """Renders views."""

    def __init__(
        self,
        templates: Path,
        *,
        static: StaticFiles,
        entropy: Entropy,
        brand: Brand | None = None,
        over: Path | None = None,
        paths: Paths | None = None,
        languages: Collection[str] = (),
    ) -> None:
        """Compile all templates and catalogues.

        Args:
            templates: the folder of templates; ``locale`` is in it.
            static: what pages may refer to.
            entropy: where script nonces come from.
            brand: what the operator made theirs.
            over: a folder whose templates and catalogues count for more than ours.
            paths: where pages are, so that people can choose their language on them; None for no choice.
            languages: the only ones to have pages in, the default one first; none for all there are.

        Raises:
            BrokenTemplateError: a template has a mistake, and where.
            BrokenCatalogError: a catalogue has a mistake, and where.
            UnknownLanguageError: there are no pages in one of the languages.
        """
        self._paths = paths
        self._entropy = entropy
        everything = Locales.read(templates / "locale", over / "locale" if over is not None else None)
        self.locales = everything.only(languages)
        if over is None:
            self._template = make_environment(read_templates(templates), static, brand).get_template
            return
        # Only here: a start of those who have nothing of their own need not wait for it.
        from konnectd.web.template_check import ReadOnceLoader, check_templates  # noqa: PLC0415 - see above
        from konnectd.web.trial import try_templates  # noqa: PLC0415 - see above

        loader = ReadOnceLoader(templates, over)
        environment = make_environment(loader, static, brand)
        checked = check_templates(environment, loader, templates, frozenset(static.files))
        try_templates(checked, loader, over, self.locales.by_tag.values())
        self._template = environment.get_template

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of the languages there are pages in."""
        return tuple(locale.tag for locale in self.locales.by_tag.values())

    def render(
        self,
        view: View,
        request: HttpRequest,
        *,
        ui_locales: str = "",
        status: int | None = None,
        headers: Headers = (),
        form_targets: tuple[str, ...] = (),
        frames: tuple[str, ...] = (),
    ) -> HttpResponse:
        """Make the page of a view.

        Args:
            view: what to show.
            request: decides about the language.
            ui_locales: as the client sent it.
            status: 200 when left out, or what an error page says.
            headers: further ones, such as ``Set-Cookie``.
            form_targets: origins or schemes where posting the page's form may end, besides here.
            frames: origins that the page has in frames.

        Raises:
            ValueError: a form target is neither an origin nor a scheme, or a frame is not of an origin.
        """
        locale = self.locales.choose(request, ui_locales)
        nonce = self._entropy.token(16)
        # A page about an error repeats nothing of the request, so it has no way back to the same page.
        paths = self._paths if not isinstance(view, ErrorPage) else None
        switch = Switch.on(request, paths, self.locales) if paths is not None else None
        body = DOCTYPE + self._template(view.template).render(page=view, locale=locale, nonce=nonce, switch=switch)
        if status is None:
            status = view.status if isinstance(view, ErrorPage) else 200
        language = (b"Content-Language", locale.tag.encode("ascii"))
        fixed = ((b"Content-Type", HTML_TYPE), language, *page_headers(nonce, form_targets, frames))
        return HttpResponse(status=status, headers=fixed + headers, body=body.encode())


def make_environment(loader: BaseLoader, static: StaticFiles, brand: Brand | None = None) -> Environment:
    """Make the environment that templates are compiled in."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=loader,
        extensions=["jinja2.ext.i18n"],
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.policies["ext.i18n.trimmed"] = True
    # Any: the extension adds this method to the environment when it is loaded.
    i18n: Any = environment
    i18n.install_gettext_callables(_gettext, _ngettext, newstyle=True)
    environment.globals.update(
        static=static.url,
        brand=brand or Brand(),
        namings=texts.NAMINGS,
        explanations=texts.EXPLANATIONS,
        moves=texts.MOVES,
        sign_in_faults=_sign_in_faults(brand or Brand()),
        scopes=texts.SCOPES,
    )
    environment.filters.update(plain=plain, initial=initial, web_link=web_link, app_link=app_link)
    environment.filters.update(machine=moments.machine, day=_day, minute=_minute)
    return environment


def _sign_in_faults(brand: Brand) -> Mapping[SignInFault, str]:
    """Return what is said about a fault, in words that fit the name of the field."""
    naming = brand.username_label if brand.username_label in texts.NAMINGS else ""
    return {**texts.SIGN_IN_FAULTS, **texts.FAULTS_BY_NAMING.get(naming, {})}


@pass_context
def _gettext(context: Context, message: str) -> str:
    """Translate into the language of the page that is being rendered."""
    locale: Locale = context["locale"]
    return locale.gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, number: int) -> str:
    """Translate what depends on a number into the language of the page that is being rendered."""
    locale: Locale = context["locale"]
    return locale.ngettext(singular, plural, number)


@pass_context
def _day(context: Context, seconds: int) -> str:
    """Write the day of a moment in the language of the page that is being rendered."""
    locale: Locale = context["locale"]
    return moments.day(seconds, locale.tag)


@pass_context
def _minute(context: Context, seconds: int) -> str:
    """Write day and time of a moment in the language of the page that is being rendered."""
    locale: Locale = context["locale"]
    return moments.minute(seconds, locale.tag)


def _finalize(value: object) -> object:
    """Replace what may not stand in a document, in everything a template puts out.

    Text that is already markup has gone through a translation, which fills values in by itself.
    """
    if isinstance(value, Markup):
        return Markup(_NOT_TEXT.sub(REPLACEMENT, value))  # noqa: S704 - it was markup before; no character is added
    if isinstance(value, str):
        return _NOT_TEXT.sub(REPLACEMENT, value)
    return value


def plain(text: str) -> str:
    """Make a name fit to be shown: on one line, not endless, and unable to disturb what stands around it."""
    shown = " ".join(_INVISIBLE.sub("", text).split())
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def initial(text: str) -> str:
    """Return the letter that stands for somebody in a picture."""
    for character in unicodedata.normalize("NFC", text):
        if character.isalnum():
            return character.upper()[:1]
    return "\N{BULLET}"


def web_link(uri: str) -> str:
    """Return an address of the web, or nothing when it is anything else: a link must not run a script."""
    return uri if is_plain_uri(uri) and uri.lower().startswith(("https://", "http://")) else ""


def app_link(uri: str) -> str:
    """Return an address of the web or of an application on this device, or nothing when it is anything else."""
    return uri if is_plain_uri(uri) else ""
