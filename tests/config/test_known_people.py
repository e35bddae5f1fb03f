"""Options that do not go with backends that know people by what their browsers carry."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends.dummy import DummyBackend
from konnectd.config.known_people import check_fit
from konnectd.interfaces import Backend
from konnectd.option import ConfigErrors
from tests.support.assembly import settings_of
from tests.support.fakes import People
from tests.support.seen_people import SeenPeople

LOCAL = "http://localhost:8777"
LOGIN = "--sign-in-uri=/app/login"


class FitTests(SynchronousTestCase):
    """The options of one start."""

    def faults(self, backend: Backend, *words: str, issuer: str = "https://sso.example.com") -> list[str]:
        """Return the options that do not fit."""
        try:
            check_fit(settings_of(*words, issuer=issuer), backend)
        except ConfigErrors as error:
            return [fault.option for fault in error.faults]
        return []

    def test_sign_in_page(self) -> None:
        """People have to sign in somewhere, and that is not here."""
        self.assertEqual(self.faults(SeenPeople()), ["sign_in_uri"])
        self.assertEqual(self.faults(SeenPeople(), "--sign-in-uri=/signin/v1/identifier"), ["sign_in_uri"])
        ours = "--sign-in-uri=https://sso.example.com/signin/v1/identifier"
        self.assertEqual(self.faults(SeenPeople(), ours), ["sign_in_uri"])
        self.assertEqual(self.faults(SeenPeople(), LOGIN), [])
        self.assertEqual(self.faults(SeenPeople(), "--sign-in-uri=https://app.example.com/login"), [])

    def test_pages_of_others(self) -> None:
        """Front ends that sign people in by password have nothing to do."""
        found = self.faults(SeenPeople(), LOGIN, "--disable-identifier-client")
        self.assertEqual(found, ["disable_identifier_client"])
        found = self.faults(SeenPeople(), LOGIN, "--identifier-client-path=/srv/app")
        self.assertEqual(found, ["identifier_client_path"])

    def test_dummy(self) -> None:
        """One user for everybody is for this machine, unless the operator insists."""
        self.assertEqual(self.faults(DummyBackend()), ["identity_manager"])
        self.assertEqual(self.faults(DummyBackend(), issuer=LOCAL), [])
        self.assertEqual(self.faults(DummyBackend(), "--insecure"), [])

    def test_others(self) -> None:
        """Backends that check passwords go with everything."""
        self.assertEqual(self.faults(People(), "--disable-identifier-client"), [])
