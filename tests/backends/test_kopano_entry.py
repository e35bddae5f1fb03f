"""Entry ids: what they say, and which of them are the same account."""

from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_entry import LONGEST_ENTRY_ID, MAIL_USER, EntryId, has_external_id, strict_base64

WIRE = "AAAAAKwhqVBA0+5Isxn7p1MwRCUBAAAABgAAAAMAAABlM0lhMWVkM1RmU29hempISWo1aEZRPT0AAAAA"
SYSTEM = "AAAAAKwhqVBA0+5Isxn7p1MwRCUAAAAABgAAAAIAAAAAAAAA"
GUID = bytes.fromhex("ac21a95040d3ee48b319fba753304425")


def entry_text(
    external: bytes,
    *,
    flags: int = 0,
    guid: bytes = GUID,
    version: int = 1,
    kind: int = 6,
    number: int = 3,
    nuls: int = 4,
) -> str:
    """Return an entry id on the wire whose external id stands there as given."""
    numbers = [part.to_bytes(4, "little") for part in (version, kind, number)]
    return b64encode(b"".join((flags.to_bytes(4, "little"), guid, *numbers, external, b"\0" * nuls))).decode()


class EntryIdTests(SynchronousTestCase):
    """One entry id."""

    def test_example(self) -> None:
        """The one of the reference says what the reference says."""
        entry_id = EntryId.parse(WIRE)

        self.assertEqual(entry_id.external_id.hex(), "7b721ad5e7774df4a86b38c7223e6115")
        self.assertEqual(
            (entry_id.subject, entry_id.numeric_id, entry_id.mapi_type), ("e3Ia1ed3TfSoazjHIj5hFQ", 3, MAIL_USER)
        )

    def test_kept(self) -> None:
        """It is sent back as it came."""
        self.assertEqual(str(EntryId.parse(WIRE)), WIRE)

    @given(st.binary(min_size=1, max_size=300), st.integers(1, 4))
    @settings(deadline=None)
    def test_any_external_id(self, external: bytes, nuls: int) -> None:
        """Whatever bytes identify somebody, they are found, and the subject is them, written for URLs."""
        entry_id = EntryId.parse(entry_text(b64encode(external), nuls=nuls))

        self.assertEqual(entry_id.external_id, external)
        self.assertEqual(strict_base64(_padded(entry_id.subject), 300), external)
        self.assertRegex(entry_id.subject, r"\A[A-Za-z0-9_-]+\Z")

    def test_same_account(self) -> None:
        """Flags and the number that one server has do not make another account."""
        same = EntryId.parse(entry_text(b"e3Ia1ed3TfSoazjHIj5hFQ==", flags=1, number=4242))

        self.assertEqual(same, EntryId.parse(WIRE))
        self.assertEqual(hash(same), hash(EntryId.parse(WIRE)))

    def test_other_account(self) -> None:
        """Another external id, provider or type is another account."""
        others = [
            entry_text(b"AAAA1ed3TfSoazjHIj5hFQ=="),
            entry_text(b"e3Ia1ed3TfSoazjHIj5hFQ==", guid=b"\0" * 16),
            entry_text(b"e3Ia1ed3TfSoazjHIj5hFQ==", kind=8),
        ]

        self.assertEqual([EntryId.parse(other) == EntryId.parse(WIRE) for other in others], [False] * 3)

    def test_refused(self) -> None:
        """What is none, or has nothing that identifies anybody, is refused."""
        for text in (
            "", "!!!", WIRE[:-1], WIRE[:28], f"{WIRE}\n", f" {WIRE}", WIRE.replace("A", "\u0410"), SYSTEM,
            entry_text(b""), entry_text(b"", nuls=0), entry_text(b"****"), entry_text(b"abc"),
            entry_text(b"AAAA", version=2), entry_text(b"A" * 4 * LONGEST_ENTRY_ID),
        ):  # fmt: skip
            with self.subTest(text=text[:60]), self.assertRaises(ValueError):
                EntryId.parse(text)

    def test_no_other_way(self) -> None:
        """Nor can one be made without being read: an empty one would be about whoever asks."""
        for content in (b"", b"\0" * 32, strict_base64(SYSTEM, 100)):
            with self.subTest(content=content), self.assertRaises(ValueError):
                EntryId(content)

    def test_system(self) -> None:
        """The server's own account is told from what is malformed."""
        self.assertFalse(has_external_id(strict_base64(SYSTEM, 100)))


class Base64Tests(SynchronousTestCase):
    """Base64 in the one way it should be written."""

    def test_refused(self) -> None:
        """Without padding, with too much, broken, in the other alphabet, or with bits left over, it is refused."""
        for text in ("YQ", "YQ=", "YQ===", "Y Q=", "YQ==\n", "YR==", "_-8=", "YQ==YQ==", "=", "\xe9\xe9\xe9\xe9"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                strict_base64(text, 100)

    def test_length(self) -> None:
        """The longest that is allowed is allowed, and one more is not."""
        self.assertEqual(strict_base64(b64encode(b"x" * 6).decode(), 6), b"x" * 6)
        with self.assertRaises(ValueError):
            strict_base64(b64encode(b"x" * 7).decode(), 6)


def _padded(text: str) -> str:
    """Return what was written for URLs in the other alphabet."""
    return text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
