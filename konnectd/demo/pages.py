"""From views to the pages of the demo application, with the same escaping and the same headers as the provider's."""

from pathlib import Path

from konnectd.demo.views import DemoView
from konnectd.http import HTML_TYPE, Headers, HttpResponse
from konnectd.interfaces import Entropy
from konnectd.web.pages import DOCTYPE, make_environment
from konnectd.web.policy import page_headers
from konnectd.web.static import StaticFiles
from konnectd.web.template_check import ReadOnceLoader

TEMPLATES = ("demo/landing.html", "demo/steps.html", "demo/trouble.html")
_LANGUAGE = (b"Content-Language", b"en")


class DemoPages:
    """Renders the views of the demo application."""

    def __init__(self, templates: Path, *, static: StaticFiles, entropy: Entropy) -> None:
        """Compile the templates.

        Args:
            templates: the folder of all templates.
            static: what pages may refer to.
            entropy: where script nonces come from.
        """
        environment = make_environment(ReadOnceLoader(templates), static)
        self._templates = {name: environment.get_template(name) for name in TEMPLATES}
        self._entropy = entropy

    def render(
        self, view: DemoView, *, status: int = 200, headers: Headers = (), form_targets: tuple[str, ...] = ()
    ) -> HttpResponse:
        """Make the page of a view.

        Args:
            view: what to show.
            status: the HTTP status.
            headers: further ones, such as ``Set-Cookie``.
            form_targets: where posting a form of the page may end besides here.
        """
        nonce = self._entropy.token(16)
        body = DOCTYPE + self._templates[view.template].render(page=view, nonce=nonce)
        fixed = ((b"Content-Type", HTML_TYPE), _LANGUAGE, *page_headers(nonce, form_targets))
        return HttpResponse(status=status, headers=fixed + headers, body=body.encode())
