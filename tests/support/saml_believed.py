"""What of an answer is believed, or why nothing is."""

from konnectd.authorities._saml2_response import read_response
from konnectd.authorities._saml2_signature import Trusted
from konnectd.protocol.saml2 import Assertion, SamlError, SamlFault
from tests.support.fakes import NOON
from tests.support.saml_provider import saml_key

TRUSTED = Trusted(certificates=(saml_key().certificate,))


def believed(document: bytes, trusted: Trusted = TRUSTED) -> Assertion:
    """Return the assertion that is believed.

    Raises:
        SamlError: none is.
    """
    found = read_response(document, trusted, NOON).assertion
    if found is None:
        raise LookupError
    return found


def fault(document: bytes, trusted: Trusted = TRUSTED) -> SamlFault | None:
    """Return why an answer is not believed; None when it is."""
    try:
        read_response(document, trusted, NOON)
    except SamlError as error:
        return error.fault
    return None
