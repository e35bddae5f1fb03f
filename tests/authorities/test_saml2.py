"""Signing in at a SAML identity provider, from the departure to somebody who is known here."""

from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

from attrs import evolve
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities import saml2
from konnectd.authorities._saml2_redirect import check_signature, read_query
from konnectd.authorities._saml2_settings import Saml2Settings
from konnectd.authorities._saml2_signature import Trusted
from konnectd.authority import AuthorityError, Departure, Rebuff, Returned, Wish
from konnectd.authority_entry import AuthorityEntry
from konnectd.protocol.vocabulary import Prompt
from tests.contracts.authorities import AuthorityContract
from tests.support.fakes import NOON, run
from tests.support.saml_case import DENIED, METADATA, SamlCase, SamlWorld, posted, request_of, saml_entry, says_to
from tests.support.saml_provider import ACS, NAMES, SIGN_ON, SP, answer, metadata_of, saml_key

POST = "https://idp.example.net/post"


def keyed() -> Saml2Settings:
    """Return settings with a key for our requests."""
    key = saml_key("PS256", 14)
    return Saml2Settings(
        metadata_endpoint=METADATA,
        signing_key=key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        signing_certificate=key.certificate.public_bytes(Encoding.PEM),
    )


class ContractTests(AuthorityContract, SynchronousTestCase):
    """It does what every authority does."""

    def make_authority(self) -> saml2.Authority:
        """Return one whose identity provider is there."""
        self.world = SamlWorld()
        return saml2.build(saml_entry(), self.world.tools())

    def silence(self) -> None:
        """Let the identity provider not answer any more."""
        self.world.document = None

    def consent(self, departure: Departure) -> Returned:
        """Sign in there."""
        return posted(answer(says_to(departure, NOON)))

    def refusal(self, departure: Departure) -> Returned:
        """Say no there."""
        return posted(answer(says_to(departure, NOON, status=DENIED)))


class DepartureTests(SamlCase):
    """Being sent there."""

    def test_request(self) -> None:
        """The identity provider is asked to send its answer to us."""
        departure = self.depart()
        request = request_of(departure)

        self.assertEqual(departure.location.partition("?")[0], SIGN_ON)
        self.assertEqual(request.get("AssertionConsumerServiceURL"), ACS)
        self.assertEqual(request.findtext("saml:Issuer", namespaces=NAMES), SP)

    def test_state(self) -> None:
        """The state goes along."""
        self.assertEqual(parse_qs(urlsplit(self.depart().location).query)["RelayState"], ["st4te"])

    def test_forced(self) -> None:
        """Who has to prove it again, or to be somebody else, is made to."""
        cases = (
            (Wish(), None),
            (Wish(prompt=frozenset({Prompt.LOGIN})), "true"),
            (Wish(prompt=frozenset({Prompt.SELECT_ACCOUNT})), "true"),
            (Wish(max_age=0), "true"),
        )
        for wish, expected in cases:
            self.assertEqual(request_of(self.depart(wish)).get("ForceAuthn"), expected, wish)

    def test_entity_id(self) -> None:
        """We are called what the entry says, where it does."""
        self.make(saml_entry(evolve(self.settings, entity_id="urn:konnect")))

        self.assertEqual(request_of(self.depart()).findtext("saml:Issuer", namespaces=NAMES), "urn:konnect")

    def test_signed(self) -> None:
        """With a key the address is signed."""
        self.make(saml_entry(keyed()))
        packed = read_query(urlsplit(self.depart().location).query)

        trusted = Trusted(certificates=(saml_key("PS256", 14).certificate,))
        self.assertTrue(check_signature(packed, trusted, NOON))

    def test_posted(self) -> None:
        """An identity provider that wants a form gets one."""
        self.world.document = metadata_of(sign_on="", post=POST)
        departure = self.depart()
        fields = dict(departure.fields)
        request = etree.fromstring(b64decode(fields["SAMLRequest"]))

        self.assertEqual((departure.location, fields["RelayState"]), (POST, "st4te"))
        self.assertEqual(request.get("Destination"), POST)

    def test_posted_and_signed(self) -> None:
        """With a key there is a signature inside."""
        self.make(saml_entry(keyed()))
        self.world.document = metadata_of(sign_on="", post=POST)
        request = etree.fromstring(b64decode(dict(self.depart().fields)["SAMLRequest"]))

        self.assertIsNotNone(request.find("ds:Signature", NAMES))

    def test_check_tells_of_a_missing_key(self) -> None:
        """The operator is told when the identity provider wants signed requests and there is no key."""
        demanding = '<md:IDPSSODescriptor WantAuthnRequestsSigned="true" '
        self.world.document = metadata_of().replace("<md:IDPSSODescriptor ", demanding)

        self.assertIn("signing_key is not set", run(self.authority.check()))

    def test_check_tells_of_dates(self) -> None:
        """The operator is told how long the certificates are good, and when none is."""
        self.assertIn("certificates until 2023-11-24", run(self.authority.check()))
        self.world.clock.advance(11 * 86_400)

        error = self.assertRaises(AuthorityError, lambda: run(self.authority.check()))
        self.assertIn("in date", str(error))

    def test_other_kind(self) -> None:
        """An entry of another kind makes no authority of this one."""
        entry = AuthorityEntry(authority_id="a", name="a", kind="oidc")

        self.assertRaises(TypeError, saml2.build, entry, self.world.tools())


class ArrivalTests(SamlCase):
    """Coming back."""

    def test_identity(self) -> None:
        """Whoever signed in there is known, with what is said of the way."""
        found = self.signed_in(session_ends=NOON + 3600)

        self.assertEqual((found.name, found.auth_time, found.amr), ("alice", NOON, ("pwd",)))
        self.assertEqual((found.reference, found.ends_at), ("s-1", NOON + 3600))

    def test_claim(self) -> None:
        """Another attribute may say who it is."""
        self.make(saml_entry(claim="mail"))

        self.assertEqual(self.signed_in(attributes=(("uid", "x"), ("mail", "a@b.example"))).name, "a@b.example")

    def test_no_identity(self) -> None:
        """Without that attribute nobody knows who it is."""
        self.assertEqual(self.refused(attributes=(("mail", "a@b.example"),))[0], Rebuff.NO_IDENTITY)

    def test_refused(self) -> None:
        """What is wrong with an answer is told to the operator, in our words."""
        cases = {
            "wrong_audience": {"audience": "https://other"},
            "not_confirmed_for_us": {"recipient": "https://other/acs"},
            "wrong_destination": {"destination": "https://other/acs"},
            "wrong_in_response_to": {"in_response_to": "id-x"},
            "wrong_issuer": {"issuer": "https://other"},
            "too_old_or_ahead": {"now": NOON - 3600},
            "outside_its_conditions": {"not_on_or_after": NOON - 3600},
        }
        for expected, changes in cases.items():
            self.assertEqual(self.refused(**changes), (Rebuff.INVALID, expected))

    def test_twice(self) -> None:
        """An answer that was taken is never taken again, not even by the browser it was made for."""
        departure = self.depart()
        document = answer(self.says(departure))
        self.arrive(departure, document)

        error = self.assertRaises(AuthorityError, self.arrive, departure, document)
        self.assertEqual((error.rebuff, str(error)), (Rebuff.INVALID, "seen_before"))

    def test_refused_ones_are_not_used_up(self) -> None:
        """One that was refused, as by a browser it was not made for, is still good where it belongs."""
        departure, other = self.depart(), self.depart()
        document = answer(self.says(departure))
        self.assertRaises(AuthorityError, self.arrive, other, document)

        self.assertEqual(self.arrive(departure, document).name, "alice")

    def test_bad_base64(self) -> None:
        """What is no base64 is refused."""
        error = self.assertRaises(AuthorityError, self.arrive, self.depart(), "%%%")

        self.assertEqual(str(error), "malformed (no base64)")

    def test_huge(self) -> None:
        """What is larger than any answer is refused before it is unpacked."""
        error = self.assertRaises(AuthorityError, self.arrive, self.depart(), "A" * 1_000_000)

        self.assertEqual(str(error), "too_large")

    def test_line_ends(self) -> None:
        """Ends of lines in base64 do no harm."""
        departure = self.depart()
        written = posted(answer(self.says(departure))).parameters.get("SAMLResponse") or ""

        self.assertEqual(self.arrive(departure, f"{written[:60]}\r\n{written[60:]}").name, "alice")

    def test_other_door(self) -> None:
        """An answer that comes where sessions end signs nobody in."""
        departure = self.depart()
        returned = evolve(posted(answer(self.says(departure))), doorway="_/saml2/slo")

        self.assertRaises(AuthorityError, lambda: run(self.authority.arrive(returned, departure.remembered)))

    def test_recent(self) -> None:
        """Who had to prove it again and comes with an old proof is refused."""
        wish = Wish(prompt=frozenset({Prompt.LOGIN}))

        self.assertEqual(self.refused(wish, known_since=NOON - 3600)[0], Rebuff.STALE)

    def test_recent_enough(self) -> None:
        """Who is as recent as they have to be is let in, even if the identity provider has asked for nothing."""
        self.assertEqual(self.signed_in(Wish(max_age=600), known_since=NOON - 600).name, "alice")
        self.assertEqual(self.refused(Wish(max_age=600), known_since=NOON - 661, assertion_id="a2")[0], Rebuff.STALE)

    def test_any_time(self) -> None:
        """Who only chooses an account, or has nothing to prove, may come with an old proof."""
        for number, wish in enumerate((Wish(), Wish(prompt=frozenset({Prompt.SELECT_ACCOUNT})))):
            found = self.signed_in(wish, known_since=NOON - 3600, assertion_id=f"a{number}")

            self.assertEqual(found.auth_time, NOON - 3600)

    def test_long_session_name(self) -> None:
        """A session with a name that is too long for a cookie is known by a digest of it."""
        self.assertEqual(len(self.signed_in(session_index="s" * 300).reference), 64)


class NewCertificateTests(SamlCase):
    """The identity provider signs with another key from one day to the next."""

    def setUp(self) -> None:
        """Know the old one."""
        super().setUp()
        self.departure = self.depart()
        self.new = saml_key("PS256", 12)

    def arrive_later(self, seconds: int) -> str:
        """Come back after a while with an answer by the new key, and return who it is."""
        self.world.clock.advance(seconds)
        return self.arrive(self.departure, answer(self.says(self.departure), self.new)).name

    def test_fetched(self) -> None:
        """Its metadata are asked for again, and the answer counts."""
        self.world.document = metadata_of(self.new)

        self.assertEqual((self.arrive_later(61), self.world.asked), ("alice", 2))

    def test_not_at_once(self) -> None:
        """Whoever sends wrong signatures can not make us ask all the time."""
        self.world.document = metadata_of(self.new)

        self.assertRaises(AuthorityError, self.arrive_later, 59)
        self.assertEqual(self.world.asked, 1)

    def test_unchanged(self) -> None:
        """Where nothing is new the answer is refused."""
        self.assertRaises(AuthorityError, self.arrive_later, 61)
        self.assertEqual(self.world.asked, 2)

    def test_in_the_place_of_the_old_one(self) -> None:
        """What the old key signs does not count any more then."""
        self.world.document = metadata_of(self.new)
        self.arrive_later(61)

        departure = self.depart()
        self.assertRaises(AuthorityError, self.arrive, departure, answer(self.says(departure)))


class MetadataTests(SamlCase):
    """What we say of ourselves."""

    def test_before_theirs(self) -> None:
        """Ours are there while those of the identity provider are not."""
        self.world.document = None
        document = self.authority.metadata()

        self.assertIsNotNone(document)
        self.assertIn(ACS.encode(), document.content if document else b"")

    def test_type(self) -> None:
        """They have a type of their own."""
        document = self.authority.metadata()

        self.assertEqual(document.media_type if document else "", "application/samlmetadata+xml")
