"""Numbers by name, and words of a server that are fit for a log."""

import re

from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_errors import (
    LONGEST_REASON,
    Code,
    KopanoError,
    KopanoFaultError,
    clean_reason,
    code_name,
)


class CodeTests(SynchronousTestCase):
    """The server's numbers."""

    def test_all(self) -> None:
        """They run without a gap from 0x80000001 to 0x80000031, as the server counts."""
        numbers = [code.value for code in Code if code]

        self.assertEqual(numbers, list(range(0x80000001, 0x80000032)))

    def test_names(self) -> None:
        """A number is named as in the server's logs; one that nobody knows is told by its digits."""
        table = {
            2147483650: "KCERR_NOT_FOUND",
            2147483657: "KCERR_LOGON_FAILED",
            2147483664: "KCERR_END_OF_SESSION",
            0x80000011: "KCWARN_CALL_KEEPALIVE",
            0x80000025: "KCERR_SSO_CONTINUE",
            0x80000031: "KCERR_BAD_CHARWIDTH",
            0x80000032: "KC:0x80000032",
            7: "KC:0x00000007",
        }

        self.assertEqual({number: code_name(number) for number in table}, table)

    def test_error(self) -> None:
        """An error has number and name, and says both."""
        error = KopanoError("logon", 0x80000009)

        self.assertEqual((error.code, error.name), (Code.KCERR_LOGON_FAILED, "KCERR_LOGON_FAILED"))
        self.assertEqual(str(error), "logon: KCERR_LOGON_FAILED (0x80000009)")


class ReasonTests(SynchronousTestCase):
    """Words of the server."""

    def test_one_line(self) -> None:
        """Nothing splits a line of the log or changes how it is shown."""
        reason = clean_reason("a\r\nb\0\x1b[31mc\u202ed\u2028e\u00a0f  g\ud800")

        self.assertTrue(reason.isprintable())
        self.assertEqual(reason, "a b [31mc d e f g")

    def test_short(self) -> None:
        """However much it says, little is kept."""
        self.assertEqual(len(clean_reason("x" * 100_000)), LONGEST_REASON)

    def test_fault(self) -> None:
        """A Fault says which call it was for, and that there was no reason when there was none."""
        self.assertEqual(KopanoFaultError("getUser", " a\nb ").reason, "a b")
        self.assertTrue(re.fullmatch("getUser: .*no reason given", str(KopanoFaultError("getUser", "\n"))))
