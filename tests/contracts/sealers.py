"""What every sealer must do."""

from typing import TYPE_CHECKING

from konnectd.interfaces import Sealer

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object

CLAIMS: dict[str, object] = {"v": 1, "sub": "älice", "amr": ["pwd"], "nested": {"none": None}}
END = 1_700_000_000


class SealerContract(Base):
    """Mix into a test case and override `make_sealer`."""

    sealer: Sealer

    def setUp(self) -> None:
        """Take a sealer."""
        super().setUp()
        self.sealer = self.make_sealer()

    def make_sealer(self) -> Sealer:
        """Return a sealer."""
        raise NotImplementedError

    def test_round_trip(self) -> None:
        """What was sealed opens for its purpose, as often as one likes."""
        text = self.sealer.seal("logon", CLAIMS, END)

        self.assertEqual([self.sealer.open("logon", text, END - 1) for _ in range(2)], [CLAIMS] * 2)

    def test_fits_into_cookies(self) -> None:
        """Sealed values and tags can stand in cookies and URLs as they are."""
        self.assertRegex(self.sealer.seal("logon", CLAIMS, END), r"\A[A-Za-z0-9_-]+\Z")
        self.assertRegex(self.sealer.tag("code", "some text"), r"\A[A-Za-z0-9_-]{22}\Z")

    def test_purpose(self) -> None:
        """A value sealed for one purpose does not open for another."""
        text = self.sealer.seal("logon", CLAIMS, END)

        for purpose in ("consent", "logo", "logonx", "Logon", ""):
            self.assertIsNone(self.sealer.open(purpose, text, END - 1))

    def test_end(self) -> None:
        """A value does not open from its end on."""
        text = self.sealer.seal("logon", CLAIMS, END)

        self.assertEqual([self.sealer.open("logon", text, now) for now in (END, END + 1)], [None, None])

    def test_foreign_text(self) -> None:
        """Text that was never sealed does not open."""
        for text in ("", "a", "AQ", "e30", "bnVsbA", "W10", "älice", "\x00", "=" * 50, "A" * 200_000):
            self.assertIsNone(self.sealer.open("logon", text, 0))

    def test_tags(self) -> None:
        """A tag is equal for equal text and purpose only."""
        tags = [
            self.sealer.tag(purpose, text)
            for purpose, text in (("code", "a"), ("code", "b"), ("codea", ""), ("c", "a"))
        ]

        self.assertEqual(len(set(tags)), 4)
        self.assertEqual(self.sealer.tag("code", "a"), tags[0])
