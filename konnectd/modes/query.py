"""An answer in the query of the redirect URI: for codes, which are of no use to who reads a log later.

Spec: OAuth 2.0 Multiple Response Types 2.1; RFC 6749 4.1.2.
"""

from konnectd.protocol.authorize import RESPONSE_PARAMETERS, Pairs, ReturnAddress, add_to_query
from konnectd.protocol.delivery import Delivery


def deliver(address: ReturnAddress, pairs: Pairs) -> Delivery:
    """Put an answer into the query; what the registered URI has there is kept."""
    return Delivery(add_to_query(address.redirect_uri, pairs, RESPONSE_PARAMETERS))
