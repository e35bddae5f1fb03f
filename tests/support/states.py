"""Every state a page can be in: each sample, with names that nobody has thought of, and after something was done."""

from collections.abc import Mapping

import attrs
from attrs import frozen

from konnectd.protocol.local_text import LocalText
from konnectd.web.views import FormPostPage, View
from tests.support.views import SAMPLES

#: Names as they come: longer than any line, without a blank, written from the right, and meant to do harm.
NAMES: Mapping[str, str] = {
    "long": "Amt für Bildung, Forschung, Kunst, Sport und Archivwesen der vereinigten Städte und Gemeinden am Strom",
    "unbroken": "donaudampfschifffahrtsgesellschaftskapitaenswitwenrentenauszahlungsstelle.verwaltung.example.org",
    "right": "مكتبة المدينة – الفرع الشمالي",
    "hostile": '"><script>alert(1)</script>{{7*7}}<!-- \u202egro.live\u202c & Co',
}
#: Samples that show names, one of each kind of page.
NAMED = (
    "signin-logo",
    "signin-wrong_credentials",
    "signin-authorities",
    "authorities",
    "chooser-logo",
    "consent-logo",
    "welcome",
    "account",
    "goodbye",
    "farewell",
    "signed_out",
    "form_post",
    "error-redirect_uri",
    "device_code",
    "device",
)
_SHOWN = frozenset(
    {
        *("client_name", "client_host", "redirect_host", "display_name", "username", "name", "host", "description"),
        *("token", "user_code", "browser", "system", "code", "reference"),
    }
)
_TYPE = "document.getElementById('password').value = 'wonderland';"
_STAY = "document.forms[0].addEventListener('submit', (event) => event.preventDefault());"


@frozen(kw_only=True)
class State:
    """A page, and what somebody does there.

    Attributes:
        done: a script that does it; empty for nothing.
    """

    view: View
    done: str = ""

    @property
    def sends_itself(self) -> bool:
        """Whether the page is gone at once where there are scripts."""
        return isinstance(self.view, FormPostPage)


def renamed(view: View, text: str) -> View:
    """Return a view with the same text in every field that is shown and not empty."""
    changes: dict[str, object] = {}
    for field in attrs.fields(type(view)):  # type: ignore[arg-type]  # every view is a class of attrs
        value = getattr(view, field.name)
        if field.name in _SHOWN and value:
            changes[field.name] = LocalText(text) if isinstance(value, LocalText) else text
        elif attrs.has(type(value)):
            changes[field.name] = renamed(value, text)
        elif isinstance(value, tuple):
            changes[field.name] = tuple(renamed(part, text) if attrs.has(type(part)) else part for part in value)
    return attrs.evolve(view, **changes)  # type: ignore[misc]  # every view is a class of attrs


#: What is done on the sign-in page by hand and by its script.
DONE: Mapping[str, State] = {
    "signin~nothing-typed": State(view=SAMPLES["signin"], done="document.forms[0].requestSubmit();"),
    "signin~password-shown": State(
        view=SAMPLES["signin-logo"], done=f"{_TYPE} document.querySelector('.reveal').click();"
    ),
    "signin~caps-lock": State(
        view=SAMPLES["signin"],
        done=f"{_TYPE} document.getElementById('password').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'A', modifierCapsLock: true}));",
    ),
    "signin~languages": State(view=SAMPLES["signin"], done="document.querySelector('.languages').open = true;"),
    "consent~sent": State(view=SAMPLES["consent"], done=f"{_STAY} document.forms[0].requestSubmit();"),
}

#: Every state, by a name for files.
STATES: Mapping[str, State] = {
    **{name: State(view=view) for name, view in SAMPLES.items()},
    **DONE,
    **{
        f"{sample}~{kind}": State(view=renamed(SAMPLES[sample], text))
        for sample in NAMED
        for kind, text in NAMES.items()
    },
}
