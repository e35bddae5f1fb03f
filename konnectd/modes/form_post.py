"""An answer posted as a form by the browser itself: neither in a log nor in the history.

Spec: OAuth 2.0 Form Post Response Mode 2.
"""

from konnectd.protocol.authorize import Pairs, ReturnAddress
from konnectd.protocol.delivery import Delivery


def deliver(address: ReturnAddress, pairs: Pairs) -> Delivery:
    """Put an answer into the fields of a form."""
    return Delivery(address.bare(), pairs)
