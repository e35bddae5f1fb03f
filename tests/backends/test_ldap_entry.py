"""People out of entries, subjects out of entries, and entries by subjects."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import _ldap_entry as entries
from konnectd.backends._ldap_entry import UuidType

GUID = bytes.fromhex("00112233445566778899aabbccddeeff")
PAIRS = st.lists(st.tuples(st.text(min_size=1, max_size=8), st.binary(max_size=12)), min_size=1, max_size=4)


class UniqueIdTests(SynchronousTestCase):
    """Unique ids as clients see them."""

    def test_vectors(self) -> None:
        """The same bytes are shown in each way."""
        self.assertEqual(entries.unique_id(GUID, UuidType.UUID), "00112233-4455-6677-8899-aabbccddeeff")
        self.assertEqual(entries.unique_id(GUID, UuidType.GUID), "33221100-5544-7766-8899-aabbccddeeff")
        self.assertEqual(entries.unique_id(GUID, UuidType.BINARY), "ABEiM0RVZneImaq7zN3u/w==")
        self.assertEqual(entries.unique_id(b"abc", UuidType.TEXT), "abc")

    def test_wrong_size(self) -> None:
        """What does not have sixteen bytes is no such id."""
        for kind in (UuidType.UUID, UuidType.GUID):
            self.assertEqual(entries.unique_id(GUID[:15], kind), "")
            self.assertEqual(entries.unique_id(None, kind), "")


class SubjectTests(SynchronousTestCase):
    """Subjects made of attributes."""

    def test_vector(self) -> None:
        """It is written as Konnect wrote it."""
        pairs = (("uidNumber", b"1000"), ("mail", b"a b@x.org"))

        self.assertEqual(entries.encode_subject(pairs), "mail=a+b%40x.org&uidNumber=1000")

    def test_octets(self) -> None:
        """Values that are no text are written by octet, and several of one name in their order."""
        pairs = (("objectGUID", GUID[:3]), ("mail", b"z"), ("mail", b"a"))

        self.assertEqual(entries.encode_subject(pairs), "mail=z&mail=a&objectGUID=%00%11%22")

    @settings(deadline=None)
    @given(pairs=PAIRS)
    def test_read_back(self, pairs: list[tuple[str, bytes]]) -> None:
        """What was written is read again, sorted by name."""
        written = entries.encode_subject(tuple(pairs))

        self.assertEqual(entries.decode_subject(written), tuple(sorted(pairs, key=lambda pair: pair[0])))

    @settings(deadline=None)
    @given(text=st.text(max_size=30))
    def test_any_text(self, text: str) -> None:
        """Any text is pairs or none."""
        pairs = entries.decode_subject(text)

        self.assertEqual(pairs is None, any("=" not in part or part.startswith("=") for part in text.split("&")))


class NameTests(SynchronousTestCase):
    """Typed names."""

    def test_clean(self) -> None:
        """Names are composed; those with control characters, and empty or endless ones, are nobody's."""
        self.assertEqual(entries.clean_name("jo\u0308rg *()\\"), "jörg *()\\")
        for name in ("", "  ", "a\0", "a\n", "a\x7f", "a\x85", "\ud800", "x" * 257):
            self.assertIsNone(entries.clean_name(name), repr(name[:9]))


class RdnTests(SynchronousTestCase):
    """First parts of DNs."""

    def test_table(self) -> None:
        """Escapes are resolved and separators respected."""
        table = {
            "cn=a,dc=b": [("cn", "a")],
            "CN = a b,dc=c": [("cn", "a b")],
            r"cn=Doe\, Jane,dc=b": [("cn", "Doe, Jane")],
            r"cn=a\+b+uid=c,dc=b": [("cn", "a+b"), ("uid", "c")],
            r"cn=J\C3\BCrgen,dc=b": [("cn", "Jürgen")],
            r"cn=\\\#\",dc=b": [("cn", '\\#"')],
            r"cn=a\ ,dc=b": [("cn", "a ")],
            "cn=a\\": [("cn", "a")],
            "": [("", "")],
        }
        for dn, expected in table.items():
            self.assertEqual(list(entries.rdn_values(dn)), expected, dn)
