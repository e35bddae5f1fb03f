"""The end of a session is told by who may tell it, to us, and just now."""

from collections.abc import Mapping

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.saml2 import OLDEST, SKEW, STATUS, SUCCESS, SamlError, SamlFault
from konnectd.protocol.saml2_logout import LogoutAnswer, LogoutQuestion, check_left, check_logout

NOW = 1_700_000_000
QUESTION = LogoutQuestion(
    signed=True, request_id="lr1", issuer="https://idp", destination="https://sp/slo", issued_at=NOW
)
ANSWER = LogoutAnswer(
    signed=True,
    issuer="https://idp",
    destination="https://sp/slo",
    in_response_to="id-1",
    issued_at=NOW,
    statuses=(SUCCESS,),
)


def fault(message: LogoutQuestion | LogoutAnswer) -> SamlFault | None:
    """Return why a message is refused; None when it is not."""
    try:
        check_logout(message, issuer="https://idp", address="https://sp/slo", now=NOW)
    except SamlError as error:
        return error.fault
    return None


class LogoutTests(SynchronousTestCase):
    """Demands and answers."""

    def test_good(self) -> None:
        """Both count when they are right."""
        self.assertEqual((fault(QUESTION), fault(ANSWER)), (None, None))

    def test_wrong(self) -> None:
        """Each way in which one can be for somebody else, from somebody else, or from another time, is told."""
        cases: Mapping[str, tuple[LogoutQuestion | LogoutAnswer, SamlFault]] = {
            "issuer": (evolve(QUESTION, issuer="https://other"), SamlFault.ISSUER),
            "destination": (evolve(QUESTION, destination="https://other"), SamlFault.DESTINATION),
            "no destination": (evolve(QUESTION, destination=""), SamlFault.DESTINATION),
            "unsigned elsewhere": (evolve(QUESTION, signed=False, destination="https://x"), SamlFault.DESTINATION),
            "old": (evolve(ANSWER, issued_at=NOW - OLDEST - SKEW - 1), SamlFault.AGE),
            "ahead": (evolve(ANSWER, issued_at=NOW + SKEW + 1), SamlFault.AGE),
            "over": (evolve(QUESTION, not_on_or_after=NOW - SKEW), SamlFault.AGE),
        }
        for name, (message, expected) in cases.items():
            self.assertEqual(fault(message), expected, name)

    def test_unsigned_without_destination(self) -> None:
        """One that is not signed need not say where it goes."""
        self.assertIsNone(fault(evolve(QUESTION, signed=False, destination="")))


class LeftTests(SynchronousTestCase):
    """The answer to our own demand."""

    def left(self, answer: LogoutAnswer, request_id: str = "id-1") -> SamlFault | None:
        """Return what is wrong with an answer."""
        try:
            check_left(answer, request_id)
        except SamlError as error:
            return error.fault
        return None

    def test_good(self) -> None:
        """It says that the session is over."""
        self.assertIsNone(self.left(ANSWER))

    def test_of_another(self) -> None:
        """One to another question counts for nothing, nor does one to none."""
        self.assertEqual(self.left(ANSWER, "id-2"), SamlFault.IN_RESPONSE_TO)
        self.assertEqual(self.left(evolve(ANSWER, in_response_to=""), ""), SamlFault.IN_RESPONSE_TO)

    def test_refused(self) -> None:
        """One may say that the session goes on."""
        self.assertEqual(self.left(evolve(ANSWER, statuses=(f"{STATUS}Responder",))), SamlFault.REFUSED_THERE)
