"""Whether an account may be used."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._ldap_answers import BindAnswer, Entry, PolicyFault
from konnectd.backends._ldap_faults import ResultError
from konnectd.backends._ldap_standing import ATTRIBUTES, judge_bind, judge_entry, judge_signed_in
from konnectd.interfaces import RefusalReason
from tests.support.fakes import NOON

DAY = NOON // 86_400


def entry(name: str, value: str) -> Entry:
    """Return an entry with one attribute."""
    return Entry.build(b"cn=a", [(name.encode(), [value.encode()])])


def ticks(seconds: int) -> str:
    """Return a moment as Windows writes it."""
    return str((seconds + 11_644_473_600) * 10_000_000)


class EntryTests(SynchronousTestCase):
    """What entries say."""

    def test_table(self) -> None:
        """Each attribute is understood, at its edges too."""
        table = (
            ("userAccountControl", "512", None),
            ("userAccountControl", "514", RefusalReason.DISABLED),
            ("USERACCOUNTCONTROL", "514", RefusalReason.DISABLED),
            ("userAccountControl", str(512 + 16), RefusalReason.LOCKED),
            ("userAccountControl", "many", None),
            ("msDS-User-Account-Control-Computed", "16", RefusalReason.LOCKED),
            ("msDS-User-Account-Control-Computed", str(0x800000), RefusalReason.EXPIRED),
            ("nsAccountLock", "TRUE", RefusalReason.DISABLED),
            ("nsAccountLock", "false", None),
            ("accountExpires", "0", None),
            ("accountExpires", "9223372036854775807", None),
            ("accountExpires", ticks(NOON), RefusalReason.EXPIRED),
            ("accountExpires", ticks(NOON + 1), None),
            ("shadowExpire", "-1", None),
            ("shadowExpire", "", None),
            ("shadowExpire", "0", RefusalReason.EXPIRED),
            ("shadowExpire", str(DAY), RefusalReason.EXPIRED),
            ("shadowExpire", str(DAY + 1), None),
            ("pwdEndTime", "20231114221320Z", RefusalReason.EXPIRED),
            ("pwdEndTime", "20231114221321Z", None),
            ("pwdEndTime", "2023111422Z", RefusalReason.EXPIRED),
            ("pwdEndTime", "20231399999999Z", None),
            ("pwdEndTime", "some day", None),
            ("pwdAccountLockedTime", "20231114221320Z", RefusalReason.LOCKED),
            ("pwdAccountLockedTime", "000001010000Z", RefusalReason.LOCKED),
            ("cn", "514", None),
        )
        for name, value, expected in table:
            self.assertEqual(judge_entry(entry(name, value), NOON), expected, (name, value))

    def test_asked_for(self) -> None:
        """All that is looked at is asked for."""
        self.assertEqual(len(ATTRIBUTES), 7)
        for name in ATTRIBUTES:
            for value in ("TRUE", "514", str(0x800000), "1", "20000101000000Z"):
                if judge_entry(entry(name, value), NOON) is not None:
                    break
            else:
                self.fail(f"{name} is asked for but not looked at")

    def test_lock_that_ended(self) -> None:
        """Who has just shown the right password is not locked any more, unless it is for good."""
        self.assertIsNone(judge_signed_in(entry("pwdAccountLockedTime", "20231114221320Z"), NOON))
        locked = judge_signed_in(entry("pwdAccountLockedTime", "000001010000Z"), NOON)
        self.assertEqual(locked, RefusalReason.LOCKED)


class BindTests(SynchronousTestCase):
    """What answers to binds mean."""

    def test_codes(self) -> None:
        """Codes that concern the person are reasons."""
        table = {
            0: None,
            19: RefusalReason.LOCKED,
            32: RefusalReason.UNKNOWN_USER,
            48: RefusalReason.WRONG_PASSWORD,
            49: RefusalReason.WRONG_PASSWORD,
            50: RefusalReason.WRONG_PASSWORD,
            53: RefusalReason.DISABLED,
        }
        for code, expected in table.items():
            self.assertEqual(judge_bind(BindAnswer(code=code)), expected, code)

    def test_faults(self) -> None:
        """Codes that concern the server are no reasons, a referral among them."""
        for code in (1, 2, 3, 7, 8, 10, 13, 34, 51, 52, 80, 999):
            with self.assertRaises(ResultError):
                judge_bind(BindAnswer(code=code))

    def test_windows(self) -> None:
        """The reasons of Active Directory are read from its text."""
        table = {
            "525": RefusalReason.UNKNOWN_USER,
            "52e": RefusalReason.WRONG_PASSWORD,
            "530": RefusalReason.DISABLED,
            "531": RefusalReason.DISABLED,
            "532": RefusalReason.EXPIRED,
            "533": RefusalReason.DISABLED,
            "701": RefusalReason.EXPIRED,
            "773": RefusalReason.EXPIRED,
            "775": RefusalReason.LOCKED,
            "999": RefusalReason.WRONG_PASSWORD,
        }
        for code, expected in table.items():
            text = f"80090308: LdapErr: DSID-0C090400, comment: AcceptSecurityContext error, data {code}, v1db1"
            self.assertEqual(judge_bind(BindAnswer(code=49, text=text)), expected, code)

    def test_policy_wins(self) -> None:
        """A password that has to be changed first does not sign in although the bind succeeds."""
        answer = BindAnswer(code=0, policy_fault=PolicyFault.CHANGE_AFTER_RESET)

        self.assertEqual(judge_bind(answer), RefusalReason.EXPIRED)
