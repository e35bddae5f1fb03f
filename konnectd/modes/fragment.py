"""An answer in the fragment of the redirect URI, which browsers do not send to servers.

Spec: OAuth 2.0 Multiple Response Types 2.1; RFC 6749 4.2.2.
"""

from urllib.parse import quote, urlencode

from konnectd.protocol.authorize import Pairs, ReturnAddress
from konnectd.protocol.delivery import Delivery


def deliver(address: ReturnAddress, pairs: Pairs) -> Delivery:
    """Put an answer into the fragment; a registered URI never has one."""
    return Delivery(f"{address.bare()}#{urlencode(pairs, quote_via=quote, safe='')}")
