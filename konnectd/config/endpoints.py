"""The options about further addresses of endpoints, which clients may have from Konnect."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import astuple, frozen

from konnectd.config.values import page_uri
from konnectd.option import ConfigError, Option
from konnectd.paths import Paths
from konnectd.protocol.client import split

_AUTHORIZE, _ENDSESSION = "authorization_endpoint_uri", "endsession_endpoint_uri"
#: The backend whose clients had an address of the authorization endpoint that nobody configured, below the base path.
_COOKIE, _FORMER = "cookie", "/konnect/v1/authorize"
#: What answers for supervisors, beside what `Paths` has.
_HEALTH = "/healthz/"


def endpoint_path(text: str) -> str:
    """Read the address of an endpoint, of which only the path counts, as for Konnect.

    Raises:
        ValueError: it has no plain path, or more than one.
    """
    if "?" in text or "#" in text:
        raise ValueError("must not have a query or a fragment")
    parts = None if text.startswith("/") else split(text)
    path = text if parts is None else parts.path
    if not path.startswith("/") or path == "/":
        raise ValueError("must be a path such as /authorize, or a URL with one")
    return page_uri(path)


OPTIONS: tuple[Option, ...] = (
    Option(
        name="authorization-endpoint-uri",
        help=(
            "A further address of the authorization endpoint, as a path or as a URL of which only the path counts. It "
            "sends browsers on to the one in the metadata. For clients that were told of it when Konnect's cookie or "
            "dummy manager was there. The default with the cookie backend is /konnect/v1/authorize below the base path."
        ),
        parse=endpoint_path,
        default="",
        metavar="URI",
        section="Provider",
    ),
    Option(
        name="endsession-endpoint-uri",
        help="A further address of the end session endpoint, as authorization-endpoint-uri is one.",
        parse=endpoint_path,
        default="",
        metavar="URI",
        section="Provider",
    ),
)


@frozen(kw_only=True)
class EndpointSettings:
    """Paths that send on to endpoints; empty for none."""

    authorization_endpoint_uri: str = ""
    endsession_endpoint_uri: str = ""

    @classmethod
    def take(cls, values: dict[str, Any], backend: str) -> "EndpointSettings":
        """Take the values of these options out of those of all.

        Args:
            values: of all options.
            backend: the name of the one that was chosen.
        """
        authorize = values.pop(_AUTHORIZE)
        if not authorize and backend == _COOKIE:
            authorize = values["uri_base_path"] + _FORMER
        return cls(authorization_endpoint_uri=authorize, endsession_endpoint_uri=values.pop(_ENDSESSION))

    def moved(self, paths: Paths) -> Mapping[str, str]:
        """Return where each of these paths sends on to; an endpoint that is there already needs none."""
        pairs = {self.authorization_endpoint_uri: paths.authorize, self.endsession_endpoint_uri: paths.endsession}
        return {old: new for old, new in pairs.items() if old and old != new}

    def faults(self, base: str, sources: Mapping[str, str]) -> Iterator[ConfigError]:
        """Yield what can not be, because something else answers there.

        Args:
            base: the base path.
            sources: where options were given.
        """
        paths = Paths.below(base)
        if self.authorization_endpoint_uri and self.authorization_endpoint_uri == self.endsession_endpoint_uri:
            problem = "is the address of the authorization endpoint"
            yield ConfigError(_ENDSESSION, problem, sources.get(_ENDSESSION, ""))
        own = set(astuple(paths))
        for name, path in ((_AUTHORIZE, self.authorization_endpoint_uri), (_ENDSESSION, self.endsession_endpoint_uri)):
            below = path.startswith((paths.pages, paths.session, _HEALTH))
            if path in self.moved(paths) and (path in own or below):
                yield ConfigError(name, f"{path} is the address of something else", sources.get(name, ""))
