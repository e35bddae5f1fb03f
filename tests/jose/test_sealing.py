"""Sealed values: only ours, only for their purpose, only until their end, and never twice the same."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import Sealer
from konnectd.jose.sealing import LONGEST_SEALED, SecretSealer
from tests.contracts.sealers import CLAIMS, END, SealerContract

SECRET = bytes(range(32))
JSON = st.dictionaries(
    st.text(st.characters(), max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)


class SecretSealerContractTests(SealerContract, SynchronousTestCase):
    """It does what every sealer does."""

    def make_sealer(self) -> Sealer:
        """Return it with a secret."""
        return SecretSealer(SECRET)


class SecretTests(SynchronousTestCase):
    """The secret."""

    def test_size(self) -> None:
        """A secret has 32 bytes; what is wrong is said without showing it."""
        for secret in (b"", b"x" * 31, b"x" * 33, b"ab" * 32):
            with self.assertRaisesRegex(ValueError, f"must have 32 bytes, it has {len(secret)}$"):
                SecretSealer(secret)

    def test_other_secret(self) -> None:
        """Another installation opens nothing of ours and makes other tags."""
        ours, theirs = SecretSealer(SECRET), SecretSealer(SECRET[::-1])

        self.assertIsNone(theirs.open("logon", ours.seal("logon", CLAIMS, END), 0))
        self.assertNotEqual(ours.tag("code", "a"), theirs.tag("code", "a"))

    def test_same_secret(self) -> None:
        """After a restart with the same secret, values still open and tags are the same."""
        text = SecretSealer(SECRET).seal("logon", CLAIMS, END)

        self.assertEqual(SecretSealer(SECRET).open("logon", text, 0), CLAIMS)
        self.assertEqual(SecretSealer(SECRET).tag("code", "a"), SecretSealer(SECRET).tag("code", "a"))

    def test_tags_stay_the_same(self) -> None:
        """Tags of an earlier release are still recognized: they are part of what was handed out."""
        self.assertEqual(SecretSealer(SECRET).tag("code", "some text"), "eiHNC1EN6rdzyIVLAAuajQ")

    def test_earlier_release_opens(self) -> None:
        """A value sealed by an earlier release still opens: nobody is signed out by an update."""
        text = "AR8pe8dCL8ZVIGjRLwExeslG4pX-31ulvrC_MWo0unxD6Im-XhCbsQhXBRol_1yBKBaLAROGT0oWrNHY1zA8Ug"

        self.assertEqual(SecretSealer(SECRET).open("logon", text, END - 1), {"sub": "alice"})


class TamperingTests(SynchronousTestCase):
    """What attackers try."""

    def setUp(self) -> None:
        """Seal a value."""
        self.sealer = SecretSealer(SECRET)
        self.text = self.sealer.seal("logon", CLAIMS, END)

    def test_every_bit_counts(self) -> None:
        """A value with any one bit changed does not open."""
        content = urlsafe_b64decode(self.text + "=" * (-len(self.text) % 4))
        for position in range(len(content) * 8):
            changed = bytearray(content)
            changed[position // 8] ^= 1 << position % 8
            text = urlsafe_b64encode(changed).rstrip(b"=").decode()

            self.assertIsNone(self.sealer.open("logon", text, 0), position)

    def test_every_length(self) -> None:
        """No beginning and no longer form of a value opens."""
        for length in range(len(self.text)):
            self.assertIsNone(self.sealer.open("logon", self.text[:length], 0))
        for more in ("A", "AA", "AAAA", "=", "\n", " ", "é"):
            self.assertIsNone(self.sealer.open("logon", self.text + more, 0))

    def test_one_spelling(self) -> None:
        """The same bytes in another spelling do not open, so that a value has one name."""
        text = next(t for t in (self.sealer.seal("logon", {"n": n}, END) for n in range(99)) if "-" in t and "_" in t)

        for other in (text.replace("-", "+"), text.replace("_", "/"), text[:9] + "\n" + text[9:], text + "=="):
            self.assertIsNone(self.sealer.open("logon", other, 0))

    def test_size_limit(self) -> None:
        """What is longer than any value of ours is not even decoded, and is not sealed either."""
        self.assertIsNone(self.sealer.open("logon", "A" * (LONGEST_SEALED + 1), 0))
        with self.assertRaisesRegex(ValueError, "too much to seal"):
            self.sealer.seal("logon", {"a": "x" * LONGEST_SEALED}, END)

    def test_never_the_same(self) -> None:
        """Equal claims are sealed differently each time, and their text can not be seen."""
        texts = {self.sealer.seal("logon", {"sub": "alice"}, END) for _ in range(100)}

        self.assertEqual(len(texts), 100)
        self.assertFalse([text for text in texts if b"alice" in urlsafe_b64decode(text + "==")])

    def test_tag_opens_nothing(self) -> None:
        """A tag of a value is no value, and purposes of tags and values do not meet."""
        self.assertIsNone(self.sealer.open("logon", self.sealer.tag("logon", self.text), 0))


class PropertyTests(SynchronousTestCase):
    """For all values."""

    @settings(deadline=None, max_examples=150)
    @given(st.text(st.characters(), max_size=20), JSON, st.integers(-(2**40), 2**40))
    def test_inverse(self, purpose: str, claims: dict[str, object], end: int) -> None:
        """Opening what was sealed gives the same claims until the end and nothing from then on, for any text."""
        sealer = SecretSealer(SECRET)
        text = sealer.seal(purpose, claims, end)

        self.assertEqual(sealer.open(purpose, text, end - 1), claims)
        self.assertIsNone(sealer.open(purpose, text, end))
        self.assertIsNone(sealer.open(purpose + "x", text, end - 1))

    @settings(deadline=None, max_examples=150)
    @given(st.text(st.characters()) | st.binary().map(lambda content: urlsafe_b64encode(b"\x01" + content).decode()))
    def test_no_fault(self, text: str) -> None:
        """Foreign text never opens and never raises, and anything can be tagged."""
        sealer = SecretSealer(SECRET)

        self.assertIsNone(sealer.open("logon", text, 0))
        self.assertEqual(len(sealer.tag("code", text)), 22)
