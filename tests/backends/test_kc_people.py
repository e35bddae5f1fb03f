"""What an account of a groupware server says about a person."""

from collections.abc import Mapping

from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import Scope
from konnectd.protocol.scope_claims import scope_claims
from tests.support.kopano import codes
from tests.support.kopano_case import PersonCase

#: What clients are shown of the people of the captures, by scope profile.
NAMES: Mapping[str, tuple[str, str, str]] = {
    "alice": ("Alice Anderson", "Alicia", "Andersson"),
    "bob": ("Bob van der Berg", "Bob", "van der Berg"),
    "carol": ("Carol", "", ""),
    "dave": ("Dave Only Given", "Davey", ""),
    "erin": ("Erin NoMail", "", ""),
}


class PeopleTests(PersonCase):
    """Accounts become people."""

    def test_alice(self) -> None:
        """All there is to know."""
        self.assertEqual(
            self.sign_in("ALICE", "alice-secret"),
            EndUser(
                user_id="AAAAAKwhqVBA0+5Isxn7p1MwRCUBAAAABgAAAAMAAABlM0lhMWVkM1RmU29hempISWo1aEZRPT0AAAAA",
                subject="e3Ia1ed3TfSoazjHIj5hFQ",
                username="alice",
                name="Alice Anderson",
                given_name="Alicia",
                family_name="Andersson",
                email="alice@example.test",
                email_verified=True,
                numeric_id=3,
                unique_id="e3Ia1ed3TfSoazjHIj5hFQ",
                identity={"kc.i.us": "e3Ia1ed3TfSoazjHIj5hFQ"},
            ),
        )

    def test_names(self) -> None:
        """Properties win; without any the full name is taken apart at its first blank, if it has one."""
        for name, expected in NAMES.items():
            user = self.sign_in(name)

            self.assertEqual((user.name, user.given_name, user.family_name), expected)

    def test_properties_of_another_type(self) -> None:
        """A property counts only with its exact tag, and one that is there is enough to leave the full name alone."""
        self.change("bob", properties=((0x3A06001F, "Robert"),))

        user = self.sign_in("bob")

        self.assertEqual((user.given_name, user.family_name), ("", ""))

    def test_blanks(self) -> None:
        """Blanks around a full name, and several of them inside, are no names."""
        for full_name, expected in ((" Bob  Berg ", ("Bob", "Berg")), (" Bob ", ("", "")), ("", ("", ""))):
            self.change("bob", full_name=full_name)
            user = self.sign_in("bob")

            self.assertEqual((user.given_name, user.family_name), expected)

    def test_no_mail(self) -> None:
        """Who has no address has no claim about one."""
        claims = scope_claims(Scope.of(["email"]), self.sign_in("erin"))

        self.assertNotIn("email", claims)

    def test_claims(self) -> None:
        """The numeric id and the name go with one scope, the unique id with another."""
        claims = scope_claims(Scope.of(["konnect/id", "konnect/uuid"]), self.sign_in())

        self.assertEqual(claims, {"id": 3, "username": "alice", "kc.uuid": "e3Ia1ed3TfSoazjHIj5hFQ"})

    def test_letters(self) -> None:
        """Letters of all kinds arrive as they are."""
        user = self.sign_in("zoë", "zoë-sécret <&> \"' 😀")

        self.assertEqual((user.name, user.given_name, user.family_name), ("Zoë <Öst> & Søn", "Zoë", "<Öst> & Søn"))

    def test_external_id(self) -> None:
        """An external id may be text, as with a directory, and of any length."""
        for external, subject in (("MTAwMA==", "MTAwMA"), ("+/8=", "-_8"), ("QQ==" * 1, "QQ")):
            self.change("bob", external=external)

            self.assertEqual(self.sign_in("bob").subject, subject)

    def test_classes(self) -> None:
        """Only people are people."""
        alice = self.sign_in()
        for object_class in (65538, codes.CLASS_ROOM, 65540, 65541, 0x30001):
            self.change("alice", object_class=object_class)

            self.assertIsNone(self.find(alice), object_class)
