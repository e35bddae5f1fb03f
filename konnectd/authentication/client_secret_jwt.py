"""A proof that a client signed with its secret, which itself stays at home.

Spec: OIDC Core 9; RFC 7523 2.2 and 3.
"""

from konnectd.authentication._assertion import AssertionMethod
from konnectd.interfaces import AuthenticationTools
from konnectd.protocol.vocabulary import AuthMethod


def build(tools: AuthenticationTools) -> AssertionMethod:
    """Make the method."""
    return AssertionMethod(tools, AuthMethod.SECRET_JWT)
