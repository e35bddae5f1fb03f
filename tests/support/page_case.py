"""What tests of the sign-in area's pages begin with: a browser in front of the assembled daemon."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.texts import EXPLANATIONS, SIGN_IN_FAULTS
from konnectd.web.views import ErrorKind, SignInFault
from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.requests import ISSUER, MAIL, NOTES
from tests.support.visitor import Visit, Visitor

ENTRY = "/signin/v1/identifier"
INNER = f"{ENTRY}/_/"
OURS = f"Origin: {ISSUER}"


class PageCase(SynchronousTestCase):
    """A browser in front of the assembled daemon."""

    def setUp(self) -> None:
        """Assemble, with an application of the house and one that needs consent."""
        self.daemon = Daemon()
        self.mail = Application(self.daemon, MAIL)
        self.notes = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)

    def assertFault(self, visit: Visit, fault: SignInFault) -> None:
        """Fail unless the browser is at the sign-in form again, with one word of explanation."""
        self.assertEqual((visit.answer.status, visit.title), (200, "Sign in"))
        self.assertIn(SIGN_IN_FAULTS[fault], visit.text)

    def assertRefused(self, visit: Visit, kind: ErrorKind, status: int = 403) -> None:
        """Fail unless the browser is at an error page of some kind."""
        self.assertEqual((visit.answer.status, visit.title), (status, EXPLANATIONS[kind].title))
