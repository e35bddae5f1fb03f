"""A route as the server keeps it: what can be known of its answers before anybody asks, and which paths are plain."""

import re

from attrs import frozen

from konnectd.web import origin
from konnectd.web.route import Cors, Route

#: Two readers could disagree about these: empty and dot segments, encoded slashes, dots and backslashes, NUL.
AMBIGUOUS = re.compile(rb"//|/\.{1,2}(?:/|\Z)|%(?:2[EFef]|5[Cc]|00)")
_ROUTE_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/-]*\Z")


@frozen(kw_only=True)
class Mounted:
    """A route with what can be known of its answers beforehand.

    Attributes:
        route: as it was declared.
        methods: those that reach it.
        allow: as they stand in ``Allow``.
        fixed: header lines of all its answers.
    """

    route: Route
    methods: frozenset[str]
    allow: bytes
    fixed: bytes

    @classmethod
    def of(cls, route: Route) -> "Mounted":
        """Prepare a route.

        Raises:
            ValueError: its path could be taken for another one, or for a pattern.
        """
        if _ROUTE_PATH.match(route.path) is None or AMBIGUOUS.search(route.path.encode()) is not None:
            raise ValueError(f"not a plain path: {route.path}")
        readable = origin.READABLE if route.cors is Cors.ANY_ORIGIN else ()
        return cls(
            route=route,
            methods=frozenset(route.methods),
            allow=origin.allow(route),
            fixed=b"".join(b"%s: %s\r\n" % header for header in readable),
        )
