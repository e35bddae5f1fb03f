"""What pages need to offer other languages; what answers is `konnectd.web.language`."""

import re

from attrs import frozen

from konnectd.http import HttpRequest
from konnectd.paths import Paths
from konnectd.web.locales import Locale, Locales
from konnectd.web.urls import LONGEST_LOCATION

#: With fewer there is nothing to choose.
_CHOICE = 2
#: What may stand in the way back: a path and a query as we write them ourselves.
_BACK = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*\Z")
_AMBIGUOUS = re.compile(r"//|/\.|\\")


@frozen(kw_only=True)
class Switch:
    """What the templates know as ``switch``.

    Attributes:
        action: where the form goes; posts ``language`` and ``back``.
        back: the page it stands on.
        locales: what can be chosen.
    """

    action: str
    back: str
    locales: tuple[Locale, ...]

    @classmethod
    def on(cls, request: HttpRequest, paths: Paths, locales: Locales) -> "Switch | None":
        """Return the switch of a page; None where there is nothing to choose, or no way back to the same page."""
        if len(locales.by_tag) < _CHOICE or request.method != "GET" or not request.path.startswith(paths.pages):
            return None
        back = f"{request.path}?{request.query}" if request.query else request.path
        return cls(action=paths.language, back=back, locales=locales.by_name) if leads_back(back, paths) else None


def leads_back(address: str, paths: Paths) -> bool:
    """Tell whether an address is one of a page of ours, and of nothing else."""
    path = address.partition("?")[0]
    inside = path.startswith(paths.pages) and path not in {paths.authorize, paths.endsession}
    inside = inside and _AMBIGUOUS.search(path) is None and "%" not in path
    return inside and len(address) <= LONGEST_LOCATION and _BACK.match(address) is not None
