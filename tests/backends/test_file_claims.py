"""Further standard claims in the file of users."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._file_users import parse_users
from konnectd.backends.file import build_from
from tests.backends.test_file_users import entry, faults

FULL = (
    "nickname: Al",
    "birthdate: 1852-05-04",
    "locale: en-GB",
    "updated_at: 2023111422Z",
    "website: https://alice.example.org/",
    "phone_number: +44 1865 276150",
    "phone_number_verified: yes",
    "address: {street_address: Christ Church, locality: Oxford, postal_code: 01234}",
)


class FileClaimsTests(SynchronousTestCase):
    """What an entry may say."""

    def test_everything(self) -> None:
        """Each key becomes its claim, typed; digits stay as they are written."""
        (user,) = parse_users("users:\n" + entry(*FULL), "users.yaml")

        self.assertEqual(
            user.end_user.further,
            {
                "nickname": "Al",
                "birthdate": "1852-05-04",
                "locale": "en-GB",
                "updated_at": 1699999200,
                "website": "https://alice.example.org/",
                "phone_number": "+44 1865 276150",
                "phone_number_verified": True,
                "address": {"street_address": "Christ Church", "locality": "Oxford", "postal_code": "01234"},
            },
        )

    def test_lines(self) -> None:
        """A postal address may have several lines."""
        text = entry("address:", "  formatted: |", "    Christ Church", "    Oxford")
        (user,) = parse_users("users:\n" + text, "users.yaml")

        self.assertEqual(user.end_user.further, {"address": {"formatted": "Christ Church\nOxford"}})

    def test_faults(self) -> None:
        """What can not be typed right is told with its line."""
        for line, problem in (
            ("website: javascript:alert(1)", "website must be an http or https URL"),
            ("locale: Deutsch (Schweiz)", "locale must be a language tag, such as en-US"),
            ("updated_at: yesterday", "updated_at must be seconds since the epoch, or a time such as 20240131120000Z"),
            ("birthdate: 26.11.1865", "birthdate must be a date such as 1865-11-26, or a year"),
            ("zoneinfo: +01:00", "zoneinfo must be the name of a time zone, such as Europe/Berlin"),
            ("nickname: [Al]", "nickname must be a single value"),
            ("phone_number_verified: yes", "phone_number_verified does not go without phone_number"),
            ("address: Oxford", "address must be a mapping"),
            ("address: {city: Oxford}", "address.city is not known, or is there twice"),
            ("address: {locality: Oxford, locality: Cambridge}", "address.locality is not known, or is there twice"),
            ("address.locality: Oxford", "address.locality is not a key of a user"),
        ):
            (fault,) = faults("users:\n" + entry(line))
            self.assertIn(f"users.yaml:4: file_users: {problem}", fault)

    def test_scopes_and_claims(self) -> None:
        """Scopes and claims are those that somebody in the file has."""
        plain = build_from(parse_users("users:\n" + entry(), "users.yaml"), Clock())
        full = build_from(parse_users("users:\n" + entry() + entry(*FULL, username="bob"), "users.yaml"), Clock())

        self.assertEqual(set(full.scopes) - set(plain.scopes), {"address", "phone"})
        self.assertEqual(
            set(full.claims) - set(plain.claims),
            {
                *("nickname", "birthdate", "locale", "updated_at", "website"),
                *("phone_number", "phone_number_verified", "address"),
            },
        )
