"""What an identity provider says counts for us, now, once asked, and for nobody else."""

from collections.abc import Mapping

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol import saml2
from konnectd.protocol.saml2 import (
    BEARER,
    ENTITY,
    OLDEST,
    SKEW,
    STATUS,
    SUCCESS,
    Assertion,
    Attribute,
    Confirmation,
    Expected,
    NameId,
    Response,
    SamlError,
    SamlFault,
    SignedIn,
    Statement,
)

NOW = 1_700_000_000
EXPECTED = Expected(issuer="https://idp", audience="https://sp", recipient="https://sp/acs", request_id="id-1")
CONFIRMATION = Confirmation(method=BEARER, recipient="https://sp/acs", in_response_to="id-1", not_on_or_after=NOW + 300)
ASSERTION = Assertion(
    assertion_id="a1",
    issuer="https://idp",
    issued_at=NOW,
    name_id=NameId(value="t1"),
    confirmations=(CONFIRMATION,),
    not_before=NOW - 10,
    not_on_or_after=NOW + 300,
    audiences=(frozenset({"https://sp"}),),
    statements=(Statement(session_index="s1", authn_instant=NOW - 5),),
    attributes=(Attribute(name="uid", values=("alice",)),),
)
RESPONSE = Response(
    signed=True,
    issuer="https://idp",
    destination="https://sp/acs",
    in_response_to="id-1",
    issued_at=NOW,
    statuses=(SUCCESS,),
    assertion=ASSERTION,
)


def fault(response: Response, now: int = NOW) -> SamlFault | None:
    """Return why an answer is refused; None when it is not."""
    try:
        saml2.check_response(response, EXPECTED, now)
    except SamlError as error:
        return error.fault
    return None


def about(**changes: object) -> Response:
    """Return an answer with something else in its assertion."""
    return evolve(RESPONSE, assertion=evolve(ASSERTION, **changes))  # type: ignore[arg-type] # of any field


class ResponseTests(SynchronousTestCase):
    """The answer around an assertion."""

    def test_good(self) -> None:
        """An answer that is right in every respect says who signed in, and what their session is called."""
        found = saml2.check_response(RESPONSE, EXPECTED, NOW)

        self.assertEqual((found.name_id.value, found.session_index, found.authn_instant), ("t1", "s1", NOW - 5))

    def test_wrong(self) -> None:
        """Each way in which it can be for somebody else, from somebody else, or from another time, is told."""
        cases: Mapping[str, tuple[Response, SamlFault]] = {
            "issuer": (evolve(RESPONSE, issuer="https://other"), SamlFault.ISSUER),
            "destination": (evolve(RESPONSE, destination="https://other/acs"), SamlFault.DESTINATION),
            "no destination": (evolve(RESPONSE, destination=""), SamlFault.DESTINATION),
            "unasked": (evolve(RESPONSE, in_response_to=""), SamlFault.IN_RESPONSE_TO),
            "other request": (evolve(RESPONSE, in_response_to="id-2"), SamlFault.IN_RESPONSE_TO),
            "old": (evolve(RESPONSE, issued_at=NOW - OLDEST - SKEW - 1), SamlFault.AGE),
            "ahead": (evolve(RESPONSE, issued_at=NOW + SKEW + 1), SamlFault.AGE),
            "no status": (evolve(RESPONSE, statuses=()), SamlFault.REFUSED_THERE),
            "no": (evolve(RESPONSE, statuses=(f"{STATUS}Responder",)), SamlFault.REFUSED_THERE),
            "success inside": (evolve(RESPONSE, statuses=(f"{STATUS}Requester", SUCCESS)), SamlFault.REFUSED_THERE),
            "passive": (evolve(RESPONSE, statuses=(f"{STATUS}Responder", saml2.NO_PASSIVE)), SamlFault.NOT_PASSIVE),
            "no assertion": (evolve(RESPONSE, assertion=None), SamlFault.ASSERTIONS),
        }
        for name, (response, expected) in cases.items():
            self.assertEqual(fault(response), expected, name)

    def test_unsigned_outside(self) -> None:
        """Where only the assertion is signed, the answer around it may leave out where it goes and who sends it."""
        self.assertIsNone(fault(evolve(RESPONSE, signed=False, destination="", issuer="")))

    def test_wrong_destination_unsigned(self) -> None:
        """What it does say has to be right."""
        self.assertEqual(fault(evolve(RESPONSE, signed=False, destination="https://other/acs")), SamlFault.DESTINATION)

    def test_edges_of_age(self) -> None:
        """It counts until the very last second, in both directions."""
        self.assertIsNone(fault(evolve(RESPONSE, issued_at=NOW - OLDEST - SKEW)))
        self.assertIsNone(fault(evolve(RESPONSE, issued_at=NOW + SKEW)))


class AssertionTests(SynchronousTestCase):
    """What was signed."""

    def test_wrong(self) -> None:
        """Each way in which it can be for somebody else, or from another time, is told."""
        confirmed = CONFIRMATION
        cases: Mapping[str, tuple[Response, SamlFault]] = {
            "issuer": (about(issuer="https://other"), SamlFault.ISSUER),
            "no issuer": (about(issuer=""), SamlFault.ISSUER),
            "old": (about(issued_at=NOW - OLDEST - SKEW - 1), SamlFault.AGE),
            "nobody": (about(name_id=None), SamlFault.SUBJECT),
            "no name": (about(name_id=NameId(value="")), SamlFault.SUBJECT),
            "an entity": (about(name_id=NameId(value="x", format=ENTITY)), SamlFault.SUBJECT),
            "unconfirmed": (about(confirmations=()), SamlFault.CONFIRMATION),
            "method": (about(confirmations=(evolve(confirmed, method="hok"),)), SamlFault.CONFIRMATION),
            "recipient": (about(confirmations=(evolve(confirmed, recipient="https://x"),)), SamlFault.CONFIRMATION),
            "no recipient": (about(confirmations=(evolve(confirmed, recipient=""),)), SamlFault.CONFIRMATION),
            "request": (about(confirmations=(evolve(confirmed, in_response_to="id-2"),)), SamlFault.CONFIRMATION),
            "endless": (about(confirmations=(evolve(confirmed, not_on_or_after=None),)), SamlFault.CONFIRMATION),
            "over": (about(confirmations=(evolve(confirmed, not_on_or_after=NOW - SKEW),)), SamlFault.CONFIRMATION),
            "later": (about(confirmations=(evolve(confirmed, not_before=NOW + SKEW + 1),)), SamlFault.CONFIRMATION),
            "early": (about(not_before=NOW + SKEW + 1), SamlFault.CONDITIONS),
            "late": (about(not_on_or_after=NOW - SKEW), SamlFault.CONDITIONS),
            "audience": (about(audiences=(frozenset({"https://other"}),)), SamlFault.AUDIENCE),
            "no audience": (about(audiences=()), SamlFault.AUDIENCE),
            "both audiences": (
                about(audiences=(frozenset({"https://sp"}), frozenset({"https://other"}))),
                SamlFault.AUDIENCE,
            ),
            "not signed in": (about(statements=()), SamlFault.SESSION),
            "session over": (about(statements=(Statement(session_not_on_or_after=NOW - SKEW),)), SamlFault.SESSION),
        }
        for name, (response, expected) in cases.items():
            self.assertEqual(fault(response), expected, name)

    def test_edges(self) -> None:
        """Clocks may differ by as much as they may, and by nothing more."""
        self.assertIsNone(fault(about(not_before=NOW + SKEW, not_on_or_after=NOW - SKEW + 1)))

    def test_no_conditions(self) -> None:
        """Times are not required beside those of the confirmation."""
        self.assertIsNone(fault(about(not_before=None, not_on_or_after=None)))

    def test_one_confirmation_is_enough(self) -> None:
        """One that is not for us does no harm beside one that is."""
        self.assertIsNone(fault(about(confirmations=(Confirmation(method="hok"), CONFIRMATION))))

    def test_earliest_end(self) -> None:
        """Of several sessions the first that is named counts, and the earliest end."""
        statements = (
            Statement(session_not_on_or_after=NOW + 900),
            Statement(session_index="s2", session_not_on_or_after=NOW + 600),
        )
        found = saml2.check_response(about(statements=statements), EXPECTED, NOW)

        self.assertEqual((found.session_index, found.session_ends_at), ("s2", NOW + 600))

    def test_words_for_how(self) -> None:
        """How somebody proved it is told in the words of OpenID Connect, where there are any."""
        context = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
        known = saml2.check_response(about(statements=(Statement(context=context),)), EXPECTED, NOW)

        self.assertEqual((known.amr, saml2.check_response(RESPONSE, EXPECTED, NOW).amr), (("pwd",), ()))

    @settings(deadline=None)
    @given(st.integers(-400, 400), st.integers(-400, 400), st.integers(-400, 400), st.integers(0, 400))
    def test_remembered_long_enough(self, issued: int, confirmed: int, condition: int, later: int) -> None:
        """As long as an assertion is believed, it is remembered as one that was seen."""
        response = evolve(
            RESPONSE,
            issued_at=NOW + issued,
            assertion=evolve(
                ASSERTION,
                issued_at=NOW + issued,
                not_before=None,
                not_on_or_after=NOW + condition,
                confirmations=(evolve(CONFIRMATION, not_on_or_after=NOW + confirmed),),
            ),
        )
        try:
            found = saml2.check_response(response, EXPECTED, NOW)
            saml2.check_response(response, EXPECTED, NOW + later)
        except SamlError:
            return

        self.assertLess(NOW + later, found.good_until + 1)


class RecentTests(SynchronousTestCase):
    """Who has to prove it again."""

    def recent(self, authn_instant: int | None, since: object) -> SamlFault | None:
        """Return what is wrong with having proved it at a moment."""
        found = SignedIn(
            issuer="https://idp",
            name_id=NameId(value="t1"),
            assertion_id="a1",
            session_index="",
            session_ends_at=None,
            authn_instant=authn_instant,
            good_until=NOW,
        )
        try:
            saml2.check_recent(found, since)
        except SamlError as error:
            return error.fault
        return None

    def test_not_asked_for(self) -> None:
        """Who does not have to may have proved it at any time."""
        self.assertIsNone(self.recent(None, 0))

    def test_in_time(self) -> None:
        """A proof since they were sent there will do, by a clock that may differ a little."""
        self.assertIsNone(self.recent(NOW - SKEW, NOW))

    def test_too_early(self) -> None:
        """An older one does not."""
        self.assertEqual(self.recent(NOW - SKEW - 1, NOW), SamlFault.STALE)

    def test_unknown(self) -> None:
        """One at a time that is not told does not."""
        self.assertEqual(self.recent(None, NOW), SamlFault.STALE)

    def test_forgotten(self) -> None:
        """Whether they had to has to be known."""
        self.assertEqual(self.recent(NOW, None), SamlFault.UNEXPECTED)


class IdentityTests(SynchronousTestCase):
    """Which attribute says who it is."""

    def identity(self, *attributes: Attribute) -> str:
        """Return who it is, or why nobody knows."""
        try:
            return saml2.find_identity(attributes, "uid")
        except SamlError as error:
            return error.fault.value

    def test_by_either_name(self) -> None:
        """Its full name will do, and so will its friendly one."""
        full, friendly = (
            Attribute(name="uid", values=("a",)),
            Attribute(name="urn:oid:0", friendly_name="uid", values=("b",)),
        )

        self.assertEqual((self.identity(full), self.identity(friendly)), ("a", "b"))

    def test_one_value(self) -> None:
        """One with several values says nobody, as one with none does, or with blanks."""
        for values in ((), ("a", "b"), (" ",)):
            self.assertEqual(self.identity(Attribute(name="uid", values=values)), "identity_attribute_missing", values)

    def test_another(self) -> None:
        """Another attribute says nobody."""
        self.assertEqual(self.identity(Attribute(name="mail", values=("a",))), "identity_attribute_missing")
