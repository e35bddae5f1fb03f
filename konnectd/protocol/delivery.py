"""What a browser is told to do with an answer for a client; the response modes themselves are in `konnectd.modes`."""

from collections.abc import Callable
from typing import TypeAlias

from attrs import field, frozen

from konnectd.protocol.authorize import Pairs, ReturnAddress


@frozen
class Delivery:
    """How an answer gets to a client.

    Attributes:
        location: where the browser goes.
        fields: what it posts there; empty when everything is in the location.
    """

    location: str = field(repr=False)
    fields: Pairs = field(default=(), repr=False)


#: How one response mode delivers; each is ``deliver`` of a module in `konnectd.modes`.
Mode: TypeAlias = Callable[[ReturnAddress, Pairs], Delivery]
