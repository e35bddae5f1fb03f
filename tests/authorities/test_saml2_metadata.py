"""What is taken from the metadata of an identity provider, and what ours say."""

from cryptography import x509
from lxml import etree
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._saml2_metadata import IdentityProvider, read_metadata, write_metadata
from konnectd.authorities._saml2_signature import Trusted
from konnectd.authorities._saml2_xml import LONGEST_METADATA, duration
from konnectd.protocol.saml2 import SamlError, SamlFault
from tests.support.fakes import NOON
from tests.support.saml_provider import ACS, IDP, LOGOUT, NAMES, SIGN_ON, SLO, SP, metadata_of, saml_key, sign, stamp

DAY = 86_400


def read(document: str, entity_id: str = "", pin: Trusted | None = None) -> IdentityProvider:
    """Read metadata."""
    return read_metadata(document.encode(), entity_id=entity_id, pin=pin, now=NOON)


def fault(document: str, entity_id: str = "", pin: Trusted | None = None) -> SamlFault | None:
    """Return why metadata can not be used; None when they can."""
    try:
        read(document, entity_id, pin)
    except SamlError as error:
        return error.fault
    return None


def federation(*entities: str, attributes: str = "") -> str:
    """Write the metadata of a federation."""
    inner = "".join(entities)
    return f'<md:EntitiesDescriptor xmlns:md="{NAMES["md"]}" ID="f1"{attributes}>{inner}</md:EntitiesDescriptor>'


class ReadTests(SynchronousTestCase):
    """One identity provider."""

    def test_values(self) -> None:
        """Its name, where browsers are sent, and its certificates."""
        found = read(metadata_of(post="https://idp.example.net/post"))

        self.assertEqual(
            (found.entity_id, found.sign_on, found.sign_on_post), (IDP, SIGN_ON, "https://idp.example.net/post")
        )
        self.assertEqual((found.logout, found.logout_answer), (LOGOUT, LOGOUT))
        self.assertEqual(found.certificates, (saml_key().certificate,))

    def test_answers_elsewhere(self) -> None:
        """Answers about the end of a session may go to another place."""
        written = metadata_of().replace(f'Location="{LOGOUT}"', f'Location="{LOGOUT}" ResponseLocation="{LOGOUT}/done"')

        self.assertEqual(read(written).logout_answer, f"{LOGOUT}/done")

    def test_certificates(self) -> None:
        """All that are for signing count, or for anything; one for encrypting does not."""
        first, second = saml_key(), saml_key("PS256", 12)

        self.assertEqual(read(metadata_of(first, second)).certificates, (first.certificate, second.certificate))
        self.assertEqual(read(metadata_of(first, use="")).certificates, (first.certificate,))
        self.assertEqual(fault(metadata_of(first, use=' use="encryption"')), SamlFault.MALFORMED)

    def test_wants_signed(self) -> None:
        """It may demand that requests are signed."""
        demanding = metadata_of().replace(
            "<md:IDPSSODescriptor ", '<md:IDPSSODescriptor WantAuthnRequestsSigned="true" '
        )

        self.assertEqual((read(metadata_of()).wants_signed, read(demanding).wants_signed), (False, True))

    def test_times(self) -> None:
        """Of the times on the way to it the earliest count."""
        inner = metadata_of(attributes=f' validUntil="{stamp(NOON + DAY)}" cacheDuration="PT2H"')
        found = read(federation(inner, attributes=f' validUntil="{stamp(NOON + 9)}" cacheDuration="P1D"'))

        self.assertEqual((found.valid_until, found.cache_seconds), (NOON + 9, 7200))

    def test_no_longer_valid(self) -> None:
        """What says itself that it is no longer true is not used."""
        self.assertEqual(fault(metadata_of(attributes=f' validUntil="{stamp(NOON)}"')), SamlFault.AGE)

    def test_not_enough(self) -> None:
        """Without a name or somewhere to go nobody can sign in."""
        for written in (metadata_of(sign_on=""), metadata_of(entity_id="")):
            self.assertEqual(fault(written), SamlFault.MALFORMED)

    def test_odd_addresses(self) -> None:
        """Nobody is sent to what is no address of a page."""
        for address in (
            "javascript:alert(1)",
            "https://idp.example.net/ x",
            "https://idp.example.net/\u00e9",
            "/sso",
            "https://i/#x",
        ):
            self.assertEqual(fault(metadata_of(sign_on=address)), SamlFault.MALFORMED, address)

    def test_odd_certificate(self) -> None:
        """A certificate that can not be read is told, instead of one fewer being known."""
        self.assertEqual(fault(metadata_of().replace("MII", "AAA", 1)), SamlFault.MALFORMED)

    def test_other_documents(self) -> None:
        """Something else, and a service provider, are no identity provider."""
        other = metadata_of().replace("IDPSSODescriptor", "SPSSODescriptor")
        old = metadata_of().replace(NAMES["samlp"], "urn:oasis:names:tc:SAML:1.1:protocol")

        self.assertEqual(fault("<html/>"), SamlFault.MALFORMED)
        self.assertEqual((fault(other), fault(old)), (SamlFault.ISSUER, SamlFault.ISSUER))

    def test_too_large(self) -> None:
        """Metadata are not without end."""
        self.assertEqual(fault(metadata_of() + " " * LONGEST_METADATA), SamlFault.TOO_LARGE)

    def test_durations(self) -> None:
        """A duration is read as XML has it; what is none is none."""
        cases = {"PT1H": 3600, "P1DT1M1.5S": 86_461, "P1Y1M": 395 * DAY, "P": None, "": None, "1h": None, "-PT1H": None}

        self.assertEqual({written: duration(written) for written in cases}, cases)


class FederationTests(SynchronousTestCase):
    """Several in one document."""

    def test_first(self) -> None:
        """Without a name the first identity provider is meant."""
        service = metadata_of(entity_id="https://sp").replace("IDPSSODescriptor", "SPSSODescriptor")

        self.assertEqual(read(federation(service, metadata_of())).entity_id, IDP)

    def test_by_name(self) -> None:
        """With a name it is that one, or none."""
        both = federation(metadata_of(entity_id="https://other"), metadata_of())

        self.assertEqual(read(both, IDP).entity_id, IDP)
        self.assertEqual(fault(both, "https://third"), SamlFault.ISSUER)


class PinnedTests(SynchronousTestCase):
    """Who has to have signed them."""

    PIN = Trusted(certificates=(saml_key("PS256", 13).certificate,))

    def test_signed(self) -> None:
        """Signed by whom the operator names they count."""
        written = sign(metadata_of(attributes=' ID="m1"'), saml_key("PS256", 13))

        self.assertEqual(read(written, pin=self.PIN).entity_id, IDP)

    def test_not_signed(self) -> None:
        """Unsigned, or signed by the identity provider itself, they do not."""
        written = metadata_of(attributes=' ID="m1"')

        self.assertEqual(fault(written, pin=self.PIN), SamlFault.UNSIGNED)
        self.assertEqual(fault(sign(written), pin=self.PIN), SamlFault.SIGNATURE)


class OwnTests(SynchronousTestCase):
    """What we say of ourselves."""

    def own(
        self, certificate: x509.Certificate | None = None, encryption: x509.Certificate | None = None
    ) -> etree._Element:
        """Write and read them."""
        return etree.fromstring(
            write_metadata(entity_id=SP, consumer=ACS, logout=SLO, signing=certificate, encryption=encryption, now=NOON)
        )

    def test_values(self) -> None:
        """Our name, where answers go, and where sessions end."""
        root = self.own()
        found = {str(each.tag).rpartition("}")[2]: each.get("Location") for each in root.iter() if each.get("Location")}

        self.assertEqual(root.get("entityID"), SP)
        self.assertEqual(found, {"AssertionConsumerService": ACS, "SingleLogoutService": SLO})

    def test_validity(self) -> None:
        """They count for two days, as Konnect's do."""
        self.assertEqual(self.own().get("validUntil"), stamp(NOON + 2 * DAY))

    def test_signing(self) -> None:
        """With a key they say that requests are signed, and by which."""
        plain, keyed = self.own(), self.own(saml_key().certificate)

        signs = [root[0].get("AuthnRequestsSigned") for root in (plain, keyed)]
        self.assertEqual(signs, ["false", "true"])
        self.assertEqual([each.text for each in keyed.iter(f"{{{NAMES['ds']}}}X509Certificate")], [saml_key().written])

    def test_encryption(self) -> None:
        """With a key for it they say that assertions may be encrypted."""
        key = next(self.own(encryption=saml_key().certificate).iter(f"{{{NAMES['md']}}}KeyDescriptor"))

        self.assertEqual(key.get("use"), "encryption")
