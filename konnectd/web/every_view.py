"""All kinds of pages there are, wherever they stand."""

from konnectd.web import account_views, chooser_views, device_views, federation_views, views
from konnectd.web.views import View

EVERY_VIEW: tuple[type[View], ...] = (
    *views.VIEWS,
    *account_views.VIEWS,
    *chooser_views.VIEWS,
    *device_views.VIEWS,
    *federation_views.VIEWS,
)
