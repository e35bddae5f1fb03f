"""Settings: everything wrong with them is told at once."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends.ldap import OPTIONS, build
from konnectd.interfaces import PasswordBackend
from konnectd.option import ConfigErrors
from tests.support.ldap_people import SETTINGS

#: Variables of Konnect, each with a value it took.
KONNECT = {
    "LDAP_URI": "ldap://localhost:389",
    "LDAP_BINDDN": "cn=konnectd,dc=example,dc=org",
    "LDAP_BINDPW": "secret",
    "LDAP_BASEDN": "ou=people,dc=example,dc=org",
    "LDAP_SCOPE": "SUB",
    "LDAP_FILTER": "(objectClass=organizationalPerson)",
    "LDAP_LOGIN_ATTRIBUTE": "uid",
    "LDAP_EMAIL_ATTRIBUTE": "mail",
    "LDAP_NAME_ATTRIBUTE": "cn",
    "LDAP_FAMILY_NAME_ATTRIBUTE": "sn",
    "LDAP_GIVEN_NAME_ATTRIBUTE": "givenName",
    "LDAP_UUID_ATTRIBUTE": "entryUUID",
    "LDAP_UUID_ATTRIBUTE_TYPE": "text",
    "LDAP_UIDNUMBER_ATTRIBUTE": "uidNumber",
    "LDAP_SUB_ATTRIBUTES": "uidNumber mail",
}


class OptionTests(SynchronousTestCase):
    """The table of options."""

    def test_variables(self) -> None:
        """Each variable of Konnect is an option, takes Konnect's values, and together they make a backend."""
        options: dict[str, Any] = {}
        for option in OPTIONS:
            text = KONNECT.get(option.env[0])
            if text is not None:
                options[option.dest] = tuple(map(option.parse, text.split())) if option.multiple else option.parse(text)

        self.assertEqual(len(options), len(KONNECT))
        self.assertIsInstance(build(options, Clock()), PasswordBackend)

    def test_names(self) -> None:
        """Flag, key and variable of each option are the same words."""
        for option in OPTIONS:
            self.assertEqual(option.env, (option.key.upper(),))
            self.assertTrue(option.name.startswith("ldap-"))
            self.assertTrue(option.help.endswith("."), option.name)
            self.assertEqual(option.section, "LDAP")

    def test_secret(self) -> None:
        """The password is the one secret."""
        self.assertEqual([option.name for option in OPTIONS if option.secret], ["ldap-bindpw"])

    def test_defaults(self) -> None:
        """Defaults are taken by their own parsers."""
        for option in OPTIONS:
            defaults = option.default if isinstance(option.default, tuple) else (option.default,)
            for default in defaults:
                if isinstance(default, str) and default:
                    self.assertEqual(option.parse(default), default, option.name)

    def test_bad_values(self) -> None:
        """Values that mean nothing are refused where they are read."""
        table = {
            "ldap-uri": ("localhost", "http://a"),
            "ldap-scope": ("all",),
            "ldap-filter": ("(uid=", "(a=b))"),
            "ldap-login-attribute": ("u id", "uid,a=b"),
            "ldap-email-attribute": ("1mail", "mail)"),
            "ldap-uuid-attribute-type": ("hex",),
            "ldap-timeout": ("0", "-1", "x", "301"),
            "ldap-bind-connections": ("0", "257", "x"),
            "ldap-groups": ("yes",),
            "ldap-group-member-attribute": ("", "a b", "member:r u l e"),
        }
        by_name = {option.name: option for option in OPTIONS}
        for name, values in table.items():
            for value in values:
                with self.assertRaises(ValueError, msg=f"{name}={value}"):
                    by_name[name].parse(value)


class BuildTests(SynchronousTestCase):
    """Making a backend."""

    def faults(self, **options: Any) -> list[str]:
        """Return the settings that are blamed."""
        with self.assertRaises(ConfigErrors) as caught:
            build({**SETTINGS, **options}, Clock())
        return [fault.option for fault in caught.exception.faults]

    def test_nothing_given(self) -> None:
        """What is needed is told, all of it at once."""
        with self.assertRaises(ConfigErrors) as caught:
            build({}, Clock())

        self.assertEqual([fault.option for fault in caught.exception.faults], ["ldap_uri", "ldap_basedn"])

    def test_all_at_once(self) -> None:
        """Faults of different settings are told together."""
        found = self.faults(
            ldap_uri=("ftp://x", "ldap://ok"),
            ldap_binddn="",
            ldap_filter="(a",
            ldap_tls_cacert="/nonexistent.pem",
            ldap_scope="all",
            ldap_email_attribute="a b",
        )

        self.assertEqual(
            sorted(found),
            ["ldap_bindpw", "ldap_email_attribute", "ldap_filter", "ldap_scope", "ldap_tls_cacert", "ldap_uri"],
        )

    def test_single(self) -> None:
        """Settings that do not go together are told."""
        table: list[tuple[dict[str, Any], str]] = [
            ({"ldap_bindpw": ""}, "ldap_bindpw"),
            ({"ldap_bindpw": "a\0b"}, "ldap_bindpw"),
            ({"ldap_binddn": "admin"}, "ldap_binddn"),
            ({"ldap_basedn": "example.org"}, "ldap_basedn"),
            ({"ldap_login_attribute": ()}, "ldap_login_attribute"),
            ({"ldap_uri": ("ldaps://a", "ldaps://b"), "ldap_starttls": True}, "ldap_starttls"),
            ({"ldap_timeout": 0}, "ldap_timeout"),
            ({"ldap_groups": "memberof", "ldap_group_attribute": ""}, "ldap_group_attribute"),
            (
                {"ldap_groups": "search", "ldap_group_member_attribute": "memberUid", "ldap_group_nested": True},
                "ldap_group_nested",
            ),
            ({"ldap_group_basedn": "groups"}, "ldap_group_basedn"),
        ]
        for options, expected in table:
            self.assertEqual(self.faults(**options), [expected], options)

    def test_password_is_not_told(self) -> None:
        """No message has the password in it."""
        with self.assertRaises(ConfigErrors) as caught:
            build({**SETTINGS, "ldap_binddn": "", "ldap_bindpw": "hunter2"}, Clock())

        self.assertNotIn("hunter2", str(caught.exception))

    def test_windows_account(self) -> None:
        """Active Directory's ways to name the service account are taken."""
        for account in ("konnectd@example.org", "EXAMPLE\\konnectd"):
            self.assertIsInstance(build({**SETTINGS, "ldap_binddn": account}, Clock()), PasswordBackend)
