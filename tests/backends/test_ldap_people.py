"""Whom a directory lets in, and how they are found again, against one in memory."""

from collections.abc import Mapping
from typing import Any

from konnectd.interfaces import BackendUnavailableError, RefusalReason
from konnectd.protocol.end_user import public_subject
from tests.support.fakes import run
from tests.support.ldap_case import Case
from tests.support.ldap_people import ALICE_DN, BASE


class AccountTests(Case):
    """Accounts that may not be used."""

    def gone(self) -> bool:
        """Tell whether alice is no longer found."""
        return run(self.backend.find(ALICE_DN)) is None

    def test_disabled(self) -> None:
        """A disabled account is refused with its right password, and found no more."""
        for name, value in (("userAccountControl", "514"), ("nsAccountLock", "TRUE")):
            self.change_alice(**{name: value})

            self.assertEqual((self.refusal(), self.gone()), (RefusalReason.DISABLED, True), name)
            del self.directory.entries[ALICE_DN][name]

    def test_disabled_wrong_password(self) -> None:
        """With a wrong password nobody learns, not even the log, that an account is disabled."""
        self.change_alice(userAccountControl="514")

        self.assertEqual(self.refusal(password="x"), RefusalReason.WRONG_PASSWORD)

    def test_enabled(self) -> None:
        """An account whose flags say nothing bad is let in."""
        self.change_alice(userAccountControl="512", accountExpires="0", shadowExpire="-1", nsAccountLock="false")

        self.assertEqual((self.refusal(), self.gone()), (None, False))

    def test_expired(self) -> None:
        """An account whose last day has passed is refused, and found no more."""
        yesterday = {
            "accountExpires": str((1_700_000_000 - 86_400 + 11_644_473_600) * 10_000_000),
            "shadowExpire": str(1_700_000_000 // 86_400 - 1),
            "pwdEndTime": "20231113000000Z",
            "msDS-User-Account-Control-Computed": str(0x800000),
        }
        for name, value in yesterday.items():
            self.directory.entries[ALICE_DN][name] = (value.encode(),)

            self.assertEqual((self.refusal(), self.gone()), (RefusalReason.EXPIRED, True), name)
            del self.directory.entries[ALICE_DN][name]

    def test_locked_by_server(self) -> None:
        """A lock is the reason when the server answers as to a wrong password."""
        self.change_alice(pwdAccountLockedTime="20231114221300Z")
        self.directory.passwords[ALICE_DN] = "not this one while locked"

        self.assertEqual((self.refusal(), self.gone()), (RefusalReason.LOCKED, True))

    def test_lock_that_has_ended(self) -> None:
        """A lock is over when the server takes the password again."""
        self.change_alice(pwdAccountLockedTime="20231114221300Z")

        self.assertEqual(self.refusal(), None)

    def test_locked_for_good(self) -> None:
        """A lock without end holds even if the server takes the password."""
        self.change_alice(pwdAccountLockedTime="000001010000Z")

        self.assertEqual(self.refusal(), RefusalReason.LOCKED)

    def test_policy(self) -> None:
        """What the password policy has against a password is the reason."""
        self.signed_in()
        for error, reason in ((0, RefusalReason.EXPIRED), (1, RefusalReason.LOCKED), (2, RefusalReason.EXPIRED)):
            self.directory.policy = bytes([0x30, 3, 0x81, 1, error])

            self.assertEqual(self.refusal(), reason)

    def test_windows(self) -> None:
        """Active Directory's reasons are understood."""
        self.signed_in()
        reasons = {"52e": "wrong_password", "533": "account_disabled", "775": "account_locked"}
        for code, reason in reasons.items():
            text = f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v1db1"
            self.directory.codes["bind"] = (49, text)

            self.assertEqual(self.refusal(), RefusalReason(reason), code)

    def test_gone(self) -> None:
        """Who was removed is found no more."""
        del self.directory.entries[ALICE_DN]

        self.assertTrue(self.gone())

    def test_no_longer_a_user(self) -> None:
        """Who does not match the filter any more is found no more."""
        self.directory.entries[ALICE_DN]["objectClass"] = (b"device",)

        self.assertTrue(self.gone())


class SubjectTests(Case):
    """Subjects made of attributes."""

    options: Mapping[str, Any] = {
        "ldap_sub_attributes": ("uidNumber", "MAIL"),
        "ldap_uidnumber_attribute": "uidnumber",
        "ldap_email_verified": True,
    }

    def test_subject(self) -> None:
        """The subject has the attributes, and is asked for although nothing else maps them."""
        self.change_alice(mail="a b@x.org")

        self.assertEqual(self.signed_in().subject, "MAIL=a+b%40x.org&uidNumber=1001")

    def test_find(self) -> None:
        """A person is found by their attributes, wherever their entry is now."""
        user = self.signed_in()
        self.directory.entries[f"cn=alice,ou=moved,{BASE}"] = self.directory.entries.pop(ALICE_DN)

        self.assertEqual(run(self.backend.find(user.user_id)), user)

    def test_numeric_id(self) -> None:
        """A numeric id is shown when an attribute is named for it, and with it its scope."""
        self.assertEqual(self.signed_in().numeric_id, 1001)
        self.assertIn("konnect/id", self.backend.scopes)

    def test_verified(self) -> None:
        """Addresses are verified when the operator says so."""
        self.assertTrue(self.signed_in().email_verified)

    def test_no_address(self) -> None:
        """Nobody's missing address is verified."""
        self.directory.entries[ALICE_DN]["mail"] = ()

        self.assertFalse(self.signed_in().email_verified)

    def test_lacking(self) -> None:
        """Who has none of the attributes has no subject, which is a fault of the installation."""
        with self.assertRaisesRegex(BackendUnavailableError, "ldap_sub_attributes"):
            run(self.backend.logon("bob", "builder"))

    def test_other_attributes(self) -> None:
        """A subject never makes the daemon compare an attribute that was not chosen."""
        for user_id in ("uid=alice", "uidNumber=1001&uid=alice", "uidNumber", "&", "=1001", "%75id=alice"):
            self.assertIsNone(run(self.backend.find(user_id)), user_id)
        self.assertEqual(self.directory.arguments("search"), [])

    def test_part_of_subject(self) -> None:
        """A subject that only has some of the attributes is nobody's."""
        self.assertIsNone(run(self.backend.find("uidNumber=1001")))


class VectorTests(Case):
    """Values that Konnect gives out for the same directory."""

    def test_public_subject(self) -> None:
        """The public subject of a DN is Konnect's."""
        self.assertEqual(
            public_subject(ALICE_DN, self.backend.name),
            "iMpNMH-LB1rvuzO62BXOuj1Q0NWONgF4jN5il4uhMuhnt1NgJPqDTAvulDhemUfXM5yOPfdskMBf77jTKk6IZg@konnect",
        )


class FindTests(Case):
    """Finding people again."""

    def test_case(self) -> None:
        """A subject keeps the case in which it was issued."""
        issued = ALICE_DN.upper()

        found = run(self.backend.find(issued))

        self.assertEqual((found.user_id, found.subject) if found else None, (issued, issued))

    def test_bad_dn(self) -> None:
        """A subject that the server takes for no DN is nobody's."""
        self.directory.codes["search"] = (34, "invalid DN")

        self.assertIsNone(run(self.backend.find("not a dn")))

    def test_by_username(self) -> None:
        """A name that another authority has vouched for finds its person without a password."""
        self.assertEqual(run(self.backend.find_by_username("ALICE")), self.signed_in())
        self.assertIsNone(run(self.backend.find_by_username("nobody")))

    def test_disabled_by_username(self) -> None:
        """A name that another authority has vouched for does not let a disabled account in."""
        self.change_alice(userAccountControl="2")

        self.assertIsNone(run(self.backend.find_by_username("alice")))
