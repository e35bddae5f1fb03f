"""The end of a session, wherever it begins: here, or at the identity provider."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from attrs import evolve

from konnectd.authorities._saml2_redirect import check_signature, read_query
from konnectd.authorities._saml2_signature import Trusted
from konnectd.authority import AuthorityError, Demand, Departure, Rebuff
from tests.authorities.test_saml2 import keyed
from tests.support.fakes import NOON, run
from tests.support.saml_case import DENIED, SamlCase, brought, posted, request_of, saml_entry
from tests.support.saml_provider import (
    IDP,
    LOGOUT,
    NAMES,
    SLO,
    TRANSIENT,
    Says,
    answer,
    logout_request_of,
    logout_response_of,
    metadata_of,
    saml_key,
)


class LeavingTests(SamlCase):
    """Who signs out here is sent there."""

    def leave(self, held: Mapping[str, object] | None = None) -> Departure | None:
        """Sign in, and out."""
        return run(self.authority.leave(self.signed_in().held if held is None else held, "far3well"))

    def gone(self) -> Departure:
        """Sign in and out, and be sent there."""
        departure = self.leave()
        if departure is None:
            raise LookupError
        return departure

    def test_request(self) -> None:
        """The identity provider is told whose session, and which."""
        departure = self.gone()
        request = request_of(departure)
        named = request.findall("saml:NameID", NAMES)

        self.assertEqual(departure.location.partition("?")[0], LOGOUT)
        self.assertEqual([(each.text, each.get("Format")) for each in named], [("t-4711", TRANSIENT)])
        self.assertEqual(request.findtext("samlp:SessionIndex", namespaces=NAMES), "s-1")

    def test_state(self) -> None:
        """The state goes along."""
        self.assertEqual(parse_qs(urlsplit(self.gone().location).query)["RelayState"], ["far3well"])

    def test_signed(self) -> None:
        """With a key it is signed, as many identity providers want it."""
        self.make(saml_entry(keyed()))
        packed = read_query(urlsplit(self.gone().location).query)

        self.assertTrue(check_signature(packed, Trusted(certificates=(saml_key("PS256", 14).certificate,)), NOON))

    def test_nowhere(self) -> None:
        """One that can not end sessions is not asked to."""
        self.world.document = metadata_of(logout="")

        self.assertIsNone(self.leave())

    def test_unknown(self) -> None:
        """Without knowing whose session, or where it is, nobody is sent anywhere."""
        self.assertIsNone(self.leave({"idp": IDP, "name_id": "t-4711"}))
        run(self.authority.check())
        self.assertIsNone(self.leave({}))
        self.assertIsNone(self.leave({"idp": "https://other", "name_id": "t-4711"}))

    def back(self, says: Says, *, signed: bool = True) -> str:
        """Come back with an answer; return what is wrong with it."""
        departure = self.gone()
        written = logout_response_of(evolve(says, in_response_to=str(request_of(departure).get("ID"))))
        returned = brought("SAMLResponse", written, saml_key() if signed else None)
        try:
            run(self.authority.left(returned, departure.remembered))
        except AuthorityError as error:
            return f"{error.rebuff.value}: {error}"
        return ""

    def test_left(self) -> None:
        """It says that it is done, and signs that, or does not."""
        self.assertEqual(self.back(Says()), "")

    def test_left_unsigned(self) -> None:
        """It need not sign that: nothing comes of it but a line in the log."""
        self.assertEqual(self.back(Says(), signed=False), "")

    def test_not_left(self) -> None:
        """It says that it is not."""
        self.assertEqual(self.back(Says(status=DENIED)), "authority_denied: refused_by_identity_provider ('Responder')")

    def test_other_answer(self) -> None:
        """Somebody else's answer is none."""
        self.assertEqual(self.back(Says(issuer="https://other")), "authority_invalid: wrong_issuer")

    def test_answer_to_something_else(self) -> None:
        """One to another question, or a question, is no answer."""
        departure = self.gone()
        for returned in (
            brought("SAMLResponse", logout_response_of(), saml_key()),
            brought("SAMLRequest", logout_request_of(), saml_key()),
        ):
            self.assertRaises(
                AuthorityError, lambda back=returned: run(self.authority.left(back, departure.remembered))
            )


class DemandTests(SamlCase):
    """Who signs out there is sent here."""

    def setUp(self) -> None:
        """Know the identity provider."""
        super().setUp()
        run(self.authority.check())

    def demand(self, document: bytes | None = None, *, signed: bool = True, relay_state: str = "") -> Demand:
        """Bring a demand."""
        key = saml_key() if signed else None
        returned = brought("SAMLRequest", document or logout_request_of(), key, relay_state)
        return run(self.authority.demanded(returned))

    def why_not(self, document: bytes) -> str:
        """Return why a demand is refused."""
        return str(self.assertRaises(AuthorityError, self.demand, document))

    def test_certain(self) -> None:
        """One that is signed and names a session ends it without a question."""
        found = self.demand()

        self.assertEqual((found.reference, found.certain), ("s-1", True))

    def test_not_trusted(self) -> None:
        """Where the authority is not trusted the person is asked."""
        self.make(saml_entry(trusted=False))

        self.assertFalse(self.demand().certain)

    def test_not_signed(self) -> None:
        """So they are where anybody could have written it."""
        self.assertEqual((self.demand(signed=False).reference, self.demand(signed=False).certain), ("s-1", False))

    def test_no_one_session(self) -> None:
        """So they are where it names no session or several, as it may be somebody else's."""
        for indexes in ((), ("s-1", "s-2")):
            name = f"lr{len(indexes)}"
            found = self.demand(logout_request_of(request_id=name, indexes=indexes))
            self.assertEqual((found.reference, found.certain), ("", False), indexes)

    def test_twice(self) -> None:
        """One that was taken is not taken again."""
        self.demand()

        self.assertEqual(self.why_not(logout_request_of()), "seen_before")

    def test_refused(self) -> None:
        """One to or from somebody else, or of another time, is refused."""
        cases = {
            "wrong_issuer": logout_request_of(Says(issuer="https://other")),
            "wrong_destination": logout_request_of(destination="https://other"),
            "too_old_or_ahead": logout_request_of(Says(now=NOON - 3600)),
            "unexpected_message": logout_response_of(),
        }
        for expected, document in cases.items():
            self.assertEqual(self.why_not(document), expected)

    def test_bad_signature(self) -> None:
        """A wrong signature is worse than none."""
        returned = brought("SAMLRequest", logout_request_of(), saml_key("PS256", 12))

        error = self.assertRaises(AuthorityError, lambda: run(self.authority.demanded(returned)))
        self.assertEqual(str(error), "bad_signature")

    def test_new_certificate(self) -> None:
        """One by a key that is new there is looked at again with newer metadata."""
        self.world.document = metadata_of(saml_key("PS256", 12))
        self.world.clock.advance(61)
        said = Says(now=self.world.clock.now())
        returned = brought("SAMLRequest", logout_request_of(said), saml_key("PS256", 12))

        self.assertTrue(run(self.authority.demanded(returned)).certain)

    def test_long_relay_state(self) -> None:
        """What comes back with the answer is not endless."""
        error = self.assertRaises(AuthorityError, self.demand, relay_state="x" * 513)

        self.assertEqual(error.rebuff, Rebuff.INVALID)

    def test_recognized(self) -> None:
        """It knows a demand of its own identity provider from others, and from answers."""
        cases = (
            (brought("SAMLRequest", logout_request_of()), True),
            (brought("SAMLRequest", logout_request_of(Says(issuer="https://other"))), False),
            (brought("SAMLRequest", logout_response_of()), False),
            (brought("SAMLRequest", b"<a"), False),
            (brought("SAMLResponse", logout_response_of()), False),
            (posted(answer()), False),
        )
        for returned, expected in cases:
            self.assertEqual(self.authority.recognizes(returned), expected)

    def test_recognizes_nothing_yet(self) -> None:
        """While nothing is known of the identity provider nothing is recognized."""
        self.make(saml_entry())

        self.assertFalse(self.authority.recognizes(brought("SAMLRequest", logout_request_of())))

    def answered(self, *, done: bool, relay_state: str = "") -> Departure:
        """Answer a demand."""
        departure = run(self.authority.answer(self.demand(relay_state=relay_state), done=done))
        if departure is None:
            raise LookupError
        return departure

    def test_answer(self) -> None:
        """It hears that it was done, or was not."""
        for done, expected in ((True, "Success"), (False, "Responder")):
            self.world.clock.advance(1)
            self.make(saml_entry())
            run(self.authority.check())
            departure = self.answered(done=done)
            response = request_of(departure)
            code = response.find("samlp:Status/samlp:StatusCode", NAMES)

            self.assertEqual((response.get("InResponseTo"), response.get("Destination")), ("lr1", LOGOUT))
            self.assertTrue(str(code is not None and code.get("Value")).endswith(expected))

    def test_answer_with_relay_state(self) -> None:
        """What it wants back comes back."""
        query = parse_qs(urlsplit(self.answered(done=True, relay_state="its own").location).query)

        self.assertEqual(query["RelayState"], ["its own"])

    def test_no_answer(self) -> None:
        """One that can hear nothing hears nothing."""
        self.world.document = metadata_of(logout="")
        self.make(saml_entry())
        run(self.authority.check())

        self.assertIsNone(run(self.authority.answer(Demand(), done=True)))

    def test_address(self) -> None:
        """The demand goes to the address that our metadata name."""
        document = self.authority.metadata()

        self.assertIn(SLO.encode(), document.content if document else b"")
