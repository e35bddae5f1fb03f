"""What we ask of an identity provider, and what we tell it."""

from datetime import UTC, datetime

from lxml import etree
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities import _saml2_messages as messages
from konnectd.authorities._saml2_keys import SigningKey
from konnectd.authorities._saml2_response import read_logout
from konnectd.protocol.saml2 import ENTITY, STATUS, SUCCESS, NameId
from tests.support.fakes import NOON
from tests.support.saml_provider import ACS, NAMES, SIGN_ON, SP, TRANSIENT, saml_key, stamp

HEADING = messages.Heading(message_id="id-1", destination=SIGN_ON, issuer=SP, now=NOON)


class AuthnRequestTests(SynchronousTestCase):
    """Please sign somebody in."""

    def test_values(self) -> None:
        """It says who asks whom, when, and where the answer goes."""
        root = messages.authn_request(HEADING, consumer=ACS, force=False)
        issuer, policy = root[0], root[1]

        self.assertEqual(
            dict(root.attrib),
            {
                "ID": "id-1",
                "Version": "2.0",
                "IssueInstant": stamp(NOON),
                "Destination": SIGN_ON,
                "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                "AssertionConsumerServiceURL": ACS,
            },
        )
        self.assertEqual((issuer.text, issuer.get("Format")), (SP, ENTITY))
        self.assertEqual(dict(policy.attrib), {"Format": TRANSIENT, "AllowCreate": "true"})

    def test_force(self) -> None:
        """It can demand a new proof."""
        self.assertEqual(messages.authn_request(HEADING, consumer=ACS, force=True).get("ForceAuthn"), "true")

    def test_signed(self) -> None:
        """For a form it is signed inside, after the issuer, where schemas want it."""
        key = saml_key()
        root = messages.authn_request(HEADING, consumer=ACS, force=False)
        document = messages.signed(root, SigningKey(key.key, key.certificate))
        config = SignatureConfiguration(location="./", verification_time=datetime.fromtimestamp(NOON, UTC))
        result = XMLVerifier().verify(document, x509_cert=key.certificate, expect_config=config)

        self.assertIsInstance(result, VerifyResult)
        self.assertEqual(etree.fromstring(document)[1].tag, f"{{{NAMES['ds']}}}Signature")


class LogoutTests(SynchronousTestCase):
    """Please sign them out; we have."""

    def test_request(self) -> None:
        """It names the person as the identity provider named them, and their session."""
        name_id = NameId(value="t1", format=TRANSIENT, name_qualifier="https://idp", sp_name_qualifier=SP)
        root = messages.logout_request(HEADING, name_id, "s-1")
        named, session = root[1], root[2]

        self.assertEqual((named.text, session.text), ("t1", "s-1"))
        self.assertEqual(
            dict(named.attrib), {"Format": TRANSIENT, "NameQualifier": "https://idp", "SPNameQualifier": SP}
        )

    def test_request_without_session(self) -> None:
        """Where there is no session to name, none is, and no qualifier either."""
        root = messages.logout_request(HEADING, NameId(value="t1"), "")

        self.assertEqual((len(root), dict(root[1].attrib)), (2, {}))

    def test_response(self) -> None:
        """It answers a request, with yes or no."""
        for done, statuses in ((True, (SUCCESS,)), (False, (f"{STATUS}Responder", f"{STATUS}UnknownPrincipal"))):
            root = messages.logout_response(HEADING, "lr1", done=done)
            found = read_logout(messages.written(root), signed=False)

            self.assertEqual((root.get("InResponseTo"), getattr(found, "statuses", None)), ("lr1", statuses))
