"""Tells twistd that there is konnectd; the work is in `konnectd.tap`, which is imported only when it is asked for."""

from typing import Any

from twisted.application.service import ServiceMaker

_ServiceMaker: Any = ServiceMaker  # carries no types
konnectd = _ServiceMaker("konnectd", "konnectd.tap", "An OpenID Connect provider.", "konnectd")
