"""Tests of the options about pages: what they take and what they refuse."""

from pathlib import Path

from konnectd.protocol.branding import LogoHeight, Naming
from konnectd.protocol.color import Color
from tests.config.cases import ISS, SettingsTestCase
from tests.protocol.test_color import NO_COLORS

#: Addresses that no link of ours may have.
NO_LINKS = (
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "//example.com/",
    "/imprint",
    "example.com",
    "https:example.com",
    "https://user@example.com/",
    "https://example.com/\"onclick='x'",
    "https://example.com/ x",
    "https://example.com/#a#b",
    "ftp://example.com/",
    "http://[::1",
)
LINKS = ("imprint-uri", "privacy-uri", "help-uri", "forgotten-password-uri", "brand-logo-uri")
TEXTS = ("brand-name", "sign-in-text", "username-label")


class BrandingOptionsTests(SettingsTestCase):
    """What stands in the file or on the command line."""

    def test_nothing(self) -> None:
        """Without a word everything is ours."""
        found = self.load(ISS, "ldap").branding

        self.assertEqual((found.brand_name, found.brand_color, found.templates_path), ("", None, None))
        self.assertEqual(found.username_label, Naming.USERNAME)

    def test_everything(self) -> None:
        """Each option is read into what it means."""
        found = self.load(
            ISS,
            "ldap",
            file=(
                "brand_name = 'Example University'\nbrand_logo = /l.png\nbrand_logo_dark = /d.svg\n"
                "brand_logo_height = BIG\nbrand_logo_uri = https://www.example.com/\nbrand_color = #1F5FA8\n"
                "brand_color_dark = #8db\nbrand_background = #eee\nbrand_background_dark = #000\n"
                "sign_in_text = 'Welcome & <hello>'\nsign_in_texts = /t.yaml\nusername_label = Email\n"
                "imprint_uri = https://example.com/imprint#top\nprivacy_uri = http://example.com/\n"
                "help_uri = tel:+49-30-1\nforgotten_password_uri = mailto:help@example.com?subject=Password\n"
                "templates_path = /t\n"
            ),
        ).branding

        self.assertEqual((found.brand_name, found.sign_in_text), ("Example University", "Welcome & <hello>"))
        self.assertEqual((found.brand_logo, found.brand_logo_dark), (Path("/l.png"), Path("/d.svg")))
        self.assertEqual((found.brand_logo_height, found.username_label), (LogoHeight.BIG, Naming.EMAIL))
        self.assertEqual((found.brand_color, found.brand_color_dark), (Color.parse("#1f5fa8"), Color.parse("#88ddbb")))
        self.assertEqual(found.brand_background, Color.parse("#eeeeee"))
        self.assertEqual((found.brand_background_dark, found.templates_path), (Color.parse("#000"), Path("/t")))
        self.assertEqual((found.help_uri, found.imprint_uri), ("tel:+49-30-1", "https://example.com/imprint#top"))
        self.assertEqual(found.forgotten_password_uri, "mailto:help@example.com?subject=Password")

    def test_background_file(self) -> None:
        """What does not begin like a color is the name of a file."""
        found = self.load(ISS, "ldap", "--brand-background=sky.jpg").branding

        self.assertEqual(found.brand_background, Path("sky.jpg"))

    def test_names_of_lico(self) -> None:
        """The names by which others know these options count as well, as flags and in the file."""
        values = {
            "identifier-default-banner-logo": "/l.png",
            "identifier-default-banner-logo-height": "small",
            "identifier-default-sign-in-page-text": "Hello",
            "identifier-default-logo-target-url": "https://example.com/",
            "identifier-default-username-hint-text": "Identity",
        }
        lines = "".join(f"{name.replace('-', '_')} = {value}\n" for name, value in values.items())
        for found in (
            self.load(ISS, "ldap", *(f"--{name}={value}" for name, value in values.items())).branding,
            self.load(ISS, "ldap", file=lines).branding,
        ):
            self.assertEqual((found.brand_logo, found.brand_logo_height), (Path("/l.png"), LogoHeight.SMALL))
            self.assertEqual((found.sign_in_text, found.brand_logo_uri), ("Hello", "https://example.com/"))
            self.assertEqual(found.username_label, Naming.IDENTITY)

    def test_languages(self) -> None:
        """Languages can be named on the command line and in the file, under both names; what is none is refused."""
        for found in (
            self.load(ISS, "ldap", "--ui-locale=de", "--ui-locale=pt_PT").branding,
            self.load(ISS, "ldap", "--identifier-ui-locale=de", "--identifier-ui-locale=pt-PT").branding,
            self.load(ISS, "ldap", file="ui_locales = de pt-PT\n").branding,
        ):
            self.assertEqual(found.ui_locale, ("de", "pt-pt"))
        self.assertIn("is not a language", self.faults(ISS, "ldap", "--ui-locale=../de")[0])

    def test_twice_by_two_names(self) -> None:
        """One option under two names is one too many."""
        faults = self.faults(ISS, "ldap", file="sign_in_text = a\nidentifier_default_sign_in_page_text = b\n")

        self.assertEqual(len(faults), 1)
        self.assertIn("was given already", faults[0])

    def test_no_color(self) -> None:
        """What is no color is refused for each option that takes one."""
        for name in ("brand-color", "brand-color-dark", "brand-background-dark"):
            for text in filter(None, NO_COLORS):
                with self.subTest(name=name, text=text):
                    self.assertIn("such as #1f5fa8", self.faults(ISS, "ldap", f"--{name}={text}")[0])
        self.assertIn("such as #1f5fa8", self.faults(ISS, "ldap", "--brand-background=#fff;}")[0])

    def test_no_link(self) -> None:
        """What is no address for a link is refused for each option that takes one."""
        for name in LINKS:
            for text in NO_LINKS:
                with self.subTest(name=name, text=text):
                    self.assertIn("must be an address", self.faults(ISS, "ldap", f"--{name}={text}")[0])

    def test_schemes(self) -> None:
        """A new password is not asked for over http but on this machine; only some are written to or called."""
        for name, text in (
            ("forgotten-password-uri", "http://example.com/"),
            ("imprint-uri", "mailto:a@example.com"),
            ("privacy-uri", "tel:1"),
            ("help-uri", "sip:a@example.com"),
        ):
            self.assertIn("must be an address", self.faults(ISS, "ldap", f"--{name}={text}")[0])
        self.assertIn("behind its scheme", self.faults(ISS, "ldap", "--help-uri=mailto:")[0])
        self.load(ISS, "ldap", "--forgotten-password-uri=http://localhost:1/")

    def test_texts(self) -> None:
        """A text has an end, and nothing in it that can not be seen."""
        for name in TEXTS:
            for text, words in (
                ("x" * 1001, "must not have more than"),
                ("a\x00b", "can not be seen"),
                ("a\u202eb", "can not be seen"),
                ("a\ud800b", "can not be seen"),
            ):
                with self.subTest(name=name, text=text[:5]):
                    self.assertIn(words, self.faults(ISS, "ldap", f"--{name}={text}")[0])
        self.assertIn("one line", self.faults(ISS, "ldap", "--brand-name=a\nb")[0])
        self.assertEqual(self.load(ISS, "ldap", "--sign-in-text= a\r\nb\t ").branding.sign_in_text, "a\nb")

    def test_height(self) -> None:
        """A logo is as high as one of three words says."""
        self.assertIn("small, normal, big", self.faults(ISS, "ldap", "--brand-logo-height=48px")[0])
