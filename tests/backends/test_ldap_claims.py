"""Further claims out of a directory: typed right, or left out."""

from konnectd.backends._ldap_claims import ClaimSource
from konnectd.option import ConfigErrors
from tests.support.fakes import run
from tests.support.ldap_case import Case
from tests.support.ldap_people import ALICE_DN, backend

SOURCES = (
    "nickname=displayName",
    "locale=preferredLanguage",
    "updated_at=modifyTimestamp",
    "phone_number=telephoneNumber",
    "website=labeledURI",
    "address.formatted=postalAddress",
    "address.locality=l",
    "address.postal_code=postalCode",
)


class SourceTests(Case):
    """What an operator may write."""

    def faults(self, *sources: str) -> list[str]:
        """Return what is wrong with some sources."""
        error = self.assertRaises(ConfigErrors, backend, {"ldap_claims": sources}, one=self.directory)
        return [str(fault) for fault in error.faults]

    def test_read_and_written(self) -> None:
        """A source is written as it was read."""
        self.assertEqual([str(ClaimSource.parse(f" {text} ")) for text in SOURCES], list(SOURCES))

    def test_wrong(self) -> None:
        """Claims that have a place of their own or none, and what is no attribute, are refused by name."""
        for text in ("sub=uid", "email=mail", "name=cn", "groups=ou", "address=l", "address.x=l", "shoe=size", "l", ""):
            self.assertRaises(ValueError, ClaimSource.parse, text)
        for text in ("locale", "locale=", "locale=a b", "locale=a)(b", "locale=a=b", "locale=*"):
            self.assertRaises(ValueError, ClaimSource.parse, text)
        self.assertEqual(len(self.faults("sub=uid", "locale=*")), 2)

    def test_twice(self) -> None:
        """A claim has one source."""
        self.assertEqual(self.faults("locale=a", "locale=b"), ["ldap_claims: locale is there twice"])

    def test_verdict_alone(self) -> None:
        """A verdict about a number needs the number."""
        (fault,) = self.faults("phone_number_verified=verified")

        self.assertEqual(fault, "ldap_claims: phone_number_verified does not go without phone_number")


class ClaimsTests(Case):
    """What people of a directory have."""

    def further(self, **attributes: str) -> dict[str, object]:
        """Return alice's further claims when her entry has some attributes more."""
        self.directory.entries[ALICE_DN].update({name: (value.encode(),) for name, value in attributes.items()})
        people = backend({"ldap_claims": SOURCES}, one=self.directory)
        found = run(people.find(ALICE_DN))
        signed_in = run(people.logon("alice", "wonderland"))
        if found is None:
            raise AssertionError("alice is not found")
        self.assertEqual(getattr(signed_in, "further", None), found.further)
        return dict(found.further)

    def test_everything(self) -> None:
        """Each attribute becomes its claim."""
        found = self.further(
            displayName="Al",
            preferredLanguage="en-GB, de;q=0.5",
            modifyTimestamp="20231114221320Z",
            telephoneNumber="+44 1865 276150",
            labeledURI="https://alice.example.org/",
            postalAddress="Christ Church $ Oxford $ \\24 \\5C",
            l="Oxford",
            postalCode="OX1 1DP",
        )

        self.assertEqual(
            found,
            {
                "nickname": "Al",
                "locale": "en-GB",
                "updated_at": 1_700_000_000,
                "phone_number": "+44 1865 276150",
                "phone_number_verified": False,
                "website": "https://alice.example.org/",
                "address": {"formatted": "Christ Church\nOxford\n$ \\", "locality": "Oxford", "postal_code": "OX1 1DP"},
            },
        )

    def test_nothing(self) -> None:
        """What an entry does not have is absent."""
        self.assertEqual(self.further(), {})

    def test_nonsense(self) -> None:
        """What can not be typed right is absent, and keeps nobody out."""
        found = self.further(
            displayName=" ",
            preferredLanguage="Deutsch (Schweiz)",
            modifyTimestamp="yesterday",
            labeledURI="javascript:alert(1)",
            postalAddress=" $ $ ",
            l="null",
        )

        self.assertEqual(found, {})

    def test_first_that_fits(self) -> None:
        """Of several values the first counts that can be the claim; octets that are no text are none."""
        self.directory.entries[ALICE_DN]["labeledURI"] = (b"\xff\xfe", b"see my page", b"https://a.example", b"x")

        self.assertEqual(self.further(), {"website": "https://a.example"})

    def test_scopes_and_claims(self) -> None:
        """Scopes and claims are those that have a source."""
        plain, full = backend(one=self.directory), backend({"ldap_claims": SOURCES}, one=self.directory)

        self.assertEqual(set(full.scopes) - set(plain.scopes), {"address", "phone"})
        self.assertEqual(
            set(full.claims) - set(plain.claims),
            {"nickname", "locale", "updated_at", "phone_number", "phone_number_verified", "website", "address"},
        )
