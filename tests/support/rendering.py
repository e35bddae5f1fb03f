"""The pages of this checkout, ready to be rendered in tests."""

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.pages import Pages
from konnectd.web.static import StaticFiles
from konnectd.web.templates_path import find_templates
from konnectd.web.views import View
from tests.support.fakes import CountingEntropy

GET = HttpRequest(method="GET", path="/signin/v1/identifier")
STATIC = StaticFiles.read(find_templates() / "static", "/signin/v1/static/")
PAGES = Pages(find_templates(), static=STATIC, entropy=CountingEntropy())


def page(view: View) -> bytes:
    """Return the bytes of a view's page."""
    return PAGES.render(view, GET).body


def header(response: HttpResponse, name: bytes) -> str:
    """Return the one header with a name."""
    (value,) = (value for key, value in response.headers if key == name)
    return value.decode()
