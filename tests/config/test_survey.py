"""Settings that are made although something is wrong, to find out what else is."""

from konnectd.config.settings import survey
from tests.config.cases import BACKENDS, ISS, SettingsTestCase


class SurveyTests(SettingsTestCase):
    """Faults, and settings all the same."""

    def test_good(self) -> None:
        """Where nothing is wrong they are those that would be served by."""
        found, faults = survey([ISS, "ldap"], {}, BACKENDS)

        self.assertEqual((found, faults), (self.load(ISS, "ldap"), ()))

    def test_wrong_value(self) -> None:
        """A value that is wrong gives way to its default, and the rest stays."""
        found, faults = survey([ISS, "--signing-method=x", "--signing-kid=k", "ldap"], {}, BACKENDS)

        self.assertEqual((found.signing_method, found.signing_kid, len(faults)), ("PS256", "k", 1))

    def test_nothing_said(self) -> None:
        """Without issuer and backend there are settings as well, by which nobody could serve."""
        found, faults = survey([], {}, BACKENDS)

        self.assertEqual((found.backend, len(faults)), ("", 2))

    def test_effective(self) -> None:
        """Each option has its value, also those that became parts of others, and knows where it comes from."""
        found = self.load(ISS, "--brand-name=Us", "ldap", environ={"KONNECTD_SIGNING_KID": "k"})

        self.assertEqual([found.effective[name] for name in ("brand_name", "signing_kid")], ["Us", "k"])
        self.assertEqual([found.sources[name] for name in ("iss", "signing_kid")], ["command line", "environment"])

    def test_words(self) -> None:
        """A backend that is a word is where words are, whatever the file says."""
        found = self.load(ISS, "ldap", file="identity_manager = file\n")

        self.assertEqual((found.backend, found.sources["identity_manager"]), ("ldap", "command line"))
