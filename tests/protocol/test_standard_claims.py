"""Standard claims: typed as clients may rely on, or left out."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol import standard_claims
from konnectd.protocol.standard_claims import NAMES, filled, gather, opened_by, parse

GOOD: tuple[tuple[str, str, object], ...] = (
    ("nickname", " Al ", "Al"),
    ("gender", "female", "female"),
    ("profile", "https://people.example/~alice", "https://people.example/~alice"),
    ("picture", "http://people.example:8080/a.png?s=1", "http://people.example:8080/a.png?s=1"),
    ("birthdate", "1865-11-26", "1865-11-26"),
    ("birthdate", "18651126", "1865-11-26"),
    ("birthdate", "18651126000000Z", "1865-11-26"),
    ("birthdate", "0000-02-29", "0000-02-29"),
    ("birthdate", "1865", "1865"),
    ("zoneinfo", "Europe/Berlin", "Europe/Berlin"),
    ("zoneinfo", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("zoneinfo", "Etc/GMT+1", "Etc/GMT+1"),
    ("locale", "de", "de"),
    ("locale", "de_CH", "de-CH"),
    ("locale", "en-GB;q=0.9, de;q=0.5", "en-GB"),
    ("updated_at", "1700000000", 1700000000),
    ("updated_at", "20231114221320Z", 1700000000),
    ("updated_at", "20231114221320.123Z", 1700000000),
    ("updated_at", "2023111422Z", 1699999200),
    ("phone_number", "+1 (425) 555-1212", "+1 (425) 555-1212"),
    ("phone_number_verified", "TRUE", True),
    ("phone_number_verified", "no", False),
    ("address.formatted", "1 Main St\r\nOxford", "1 Main St\nOxford"),
    ("address.street_address", "1 Main St\nFlat 2", "1 Main St\nFlat 2"),
    ("address.postal_code", "01234", "01234"),
)
BAD: tuple[tuple[str, str], ...] = (
    *((name, "") for name in NAMES),
    *((name, "  ") for name in NAMES),
    *((name, "null") for name in NAMES),
    *((name, "x" * 3000) for name in NAMES),
    *((name, "a\x00b") for name in NAMES),
    ("nickname", "a\nb"),
    ("website", "javascript:alert(1)"),
    ("website", "data:text/html,x"),
    ("website", "//people.example"),
    ("website", "https://"),
    ("website", "https://[::1"),
    ("picture", 'https://a.example/"><script>'),
    ("birthdate", "1865-13-01"),
    ("birthdate", "1865-02-29"),
    ("birthdate", "26.11.1865"),
    ("birthdate", "\u0661\u0668\u0666\u0665"),
    ("zoneinfo", "../../etc/passwd"),
    ("zoneinfo", "+01:00"),
    ("locale", "Deutsch (Schweiz)"),
    ("locale", "*"),
    ("updated_at", "1700000000000"),
    ("updated_at", "0"),
    ("updated_at", "20231345221320Z"),
    ("updated_at", "20230229000000Z"),
    ("updated_at", "20231114226020Z"),
    ("updated_at", "2023-11-14T22:13:20Z"),
    ("updated_at", "\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660"),
    ("phone_number_verified", "maybe"),
    ("address.formatted", "a\n\nb"),
)


class ParseTests(SynchronousTestCase):
    """From text to a value."""

    def test_good(self) -> None:
        """Text of a backend becomes a value of the right type."""
        for name, text, expected in GOOD:
            found = parse(name, text)
            self.assertEqual((name, found, type(found)), (name, expected, type(expected)))

    def test_bad(self) -> None:
        """What can not be typed right is refused, in words that do not repeat it."""
        for name, text in BAD:
            error = self.assertRaises(ValueError, parse, name, text)
            if len(text.strip()) > 1 and text != "null":
                self.assertNotIn(text, str(error), name)

    @settings(deadline=None)
    @given(st.sampled_from(NAMES), st.text())
    def test_any_text(self, name: str, text: str) -> None:
        """Any text becomes a value that certification tests take, or is refused."""
        try:
            found = parse(name, text)
        except ValueError:
            return
        if isinstance(found, str):
            self.assertTrue(found.strip())
            self.assertNotEqual(found.lower(), "null")
        else:
            self.assertIn(name, ("updated_at", "phone_number_verified"))


class GatherTests(SynchronousTestCase):
    """From values to claims."""

    def test_address(self) -> None:
        """Members of the postal address stand in an object; without one there is none."""
        self.assertEqual(
            gather({"nickname": "Al", "address.locality": "Oxford", "address.country": "UK"}),
            {"nickname": "Al", "address": {"locality": "Oxford", "country": "UK"}},
        )
        self.assertEqual(gather({}), {})

    def test_telephone(self) -> None:
        """A number is not verified unless something says so, and no verdict stands by itself."""
        self.assertEqual(gather({"phone_number": "1"}), {"phone_number": "1", "phone_number_verified": False})
        self.assertEqual(
            gather({"phone_number_verified": True, "phone_number": "1"}),
            {"phone_number": "1", "phone_number_verified": True},
        )
        self.assertEqual(gather({"phone_number_verified": True}), {})

    def test_what_a_backend_can_fill(self) -> None:
        """Claims and scopes are named that can be filled, and no others."""
        self.assertEqual(filled(("locale", "address.region", "address.country")), ("locale", "address"))
        self.assertEqual(opened_by(("locale", "address.region", "address.country")), ("address",))
        self.assertEqual(opened_by(("phone_number",)), ("phone",))
        self.assertEqual(opened_by(("locale", "phone_number_verified")), ())
        self.assertEqual(set(filled(NAMES)) & {"address"}, {"address"})
        self.assertEqual(set(standard_claims.SCOPE_OF.values()), {"address", "phone"})
