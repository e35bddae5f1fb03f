"""The options of the usage survey, and whose installation is never asked."""

from konnectd.config import survey
from konnectd.config.survey import SurveySettings, is_public
from tests.config.cases import ISS, SettingsTestCase

PUBLIC = "--iss=https://id.konnectd-survey.de"
OFF = ({"KOPANO_SURVEYCLIENT_AUTOSURVEY": "no"}, {"KOPANO_SURVEYCLIENT_ENABLED": "false"}, {"KONNECTD_SURVEY": "no"})


class PublicTests(SettingsTestCase):
    """Which issuers are meant for the whole internet."""

    def test_public(self) -> None:
        """Ordinary names and public addresses, whatever their port and path."""
        for name in (
            "id.konnectd-survey.de",
            "konnectd-survey.de:8443/sso",
            "ID.KONNECTD.ORG.",
            "8.8.8.8",
            "[2600::1]",
        ):
            self.assertTrue(is_public(f"https://{name}"), name)

    def test_not_public(self) -> None:
        """Loopback, private addresses, names without a dot, and those that the internet does not have."""
        names = "localhost 127.0.0.1 [::1] 10.1.2.3 192.168.1.1:8443 [fd00::1] [fe80::1] 100.64.0.1 192.0.2.1 sso "
        names += (
            "sso.example.com example.org id.test sso.localhost host.local id.corp id.home.arpa a.b.internal id.lan."
        )
        for name in names.split():
            self.assertFalse(is_public(f"https://{name}"), name)


class OptionTests(SettingsTestCase):
    """Switching it off, and where and when it goes otherwise."""

    def test_default(self) -> None:
        """As Konnect does it: a minute after the start, then each hour, to the makers of Konnect."""
        found = self.load(PUBLIC, "ldap").survey

        self.assertEqual(
            (found.survey_url, found.survey_start_delay, found.survey_error_delay, found.survey_interval),
            ("https://stats.kopano.io/api/stats/v1/submit", 60, 60, 3600),
        )
        self.assertEqual((found.is_sent("https://id.konnectd-survey.de"), found.survey_insecure), (True, False))

    def test_not_for_everybody(self) -> None:
        """An issuer that is not public has none, and nobody needs to switch it off."""
        found = self.load(ISS, "ldap")

        self.assertEqual((found.survey.is_sent(found.iss), found.warnings), (False, ()))

    def test_not_even_when_asked_for(self) -> None:
        """Nor does asking for it help."""
        found = self.load(ISS, "ldap", "--survey")

        self.assertFalse(found.survey.is_sent(found.iss))

    def test_off(self) -> None:
        """Each of the ways to say no is enough: variables of Konnect, ours, lines of the file, a flag."""
        found = [self.load(PUBLIC, "ldap", environ=environ) for environ in OFF]
        found += [self.load(PUBLIC, "ldap", file=f"{name} = no\n") for environ in OFF for name in environ]
        found += [self.load(PUBLIC, "ldap", file=f"{name} = no\n") for name in ("survey", "survey_enabled")]
        found.append(self.load(PUBLIC, "ldap", "--survey=no"))

        self.assertEqual({each.survey.is_sent(each.iss) for each in found}, {False})

    def test_variables(self) -> None:
        """Every variable of Konnect's has the effect it is named for."""
        environ = {
            "KOPANO_SURVEYCLIENT_AUTOSURVEY": "yes",
            "KOPANO_SURVEYCLIENT_ENABLED": "yes",
            "KOPANO_SURVEYCLIENT_URL": "http://127.0.0.1:9/x",
            "KOPANO_SURVEYCLIENT_START_DELAY": "1",
            "KOPANO_SURVEYCLIENT_ERROR_DELAY": "2",
            "KOPANO_SURVEYCLIENT_INTERVAL": "0",
            "KOPANO_SURVEYCLIENT_INSECURE": "yes",
        }
        found = self.load(PUBLIC, "ldap", environ=environ)

        self.assertEqual(
            found.survey,
            SurveySettings(
                survey_url="http://127.0.0.1:9/x",
                survey_start_delay=1,
                survey_error_delay=2,
                survey_interval=0,
                survey_insecure=True,
            ),
        )
        self.assertEqual([text[:16] for text in found.warnings if "survey" in text], ["survey_insecure:"])

    def test_faults(self) -> None:
        """An address without TLS that is elsewhere, and spans that are none, are told at start."""
        for text in ("http://stats.kopano.io/", "ftp://a.de/", "stats", "https://", "https://a b/"):
            (fault,) = self.faults(PUBLIC, "ldap", f"--survey-url={text}")
            self.assertIn("--survey-url: must be an address", fault, text)
        for text in ("1h", "-1", "31536001"):
            (fault,) = self.faults(PUBLIC, "ldap", f"--survey-interval={text}")
            self.assertIn("--survey-interval: must", fault, text)

    def test_target(self) -> None:
        """The default is to the letter what Konnect has."""
        self.assertEqual(survey.URL, "https://stats.kopano.io/api/stats/v1/submit")
