"""Messages out of bytes, and what is no message."""

from hypothesis import given, settings
from hypothesis import strategies as st
from ldaptor.protocols import pureldap
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import _ldap_ber as ber
from konnectd.backends._ldap_answers import Entry, PolicyFault, read_policy
from konnectd.backends._ldap_wire import LONGEST_MESSAGE, EntryMessage, take_message

ENTRY = pureldap.LDAPSearchResultEntry("cn=a", [("cn", [b"a", b"b"]), ("mail", [])])


def wire(message: object, message_id: int = 7) -> bytes:
    """Write a message."""
    content: bytes = pureldap.LDAPMessage(message, id=message_id).toWire()
    return content


class TakeTests(SynchronousTestCase):
    """Taking messages from what was received."""

    def test_entry(self) -> None:
        """An entry comes with all its values in order."""
        message = take_message(bytearray(wire(ENTRY)))

        self.assertIsInstance(message.value, EntryMessage)
        self.assertEqual(message.value.attributes, [(b"cn", [b"a", b"b"]), (b"mail", [])])

    def test_bit_by_bit(self) -> None:
        """A message is taken when it is complete, and what follows stays."""
        received = bytearray()
        content = wire(ENTRY) + wire(pureldap.LDAPSearchResultDone(resultCode=0))
        taken = []
        for octet in content:
            received.append(octet)
            taken.append(take_message(received))

        self.assertEqual([type(one.value).__name__ for one in taken if one], ["EntryMessage", "LDAPSearchResultDone"])
        self.assertEqual(received, b"")

    def test_too_long(self) -> None:
        """A message that would be too long is refused by its length, before it has come."""
        with self.assertRaisesRegex(ValueError, "too long"):
            take_message(bytearray(b"\x30\x84" + (LONGEST_MESSAGE + 1).to_bytes(4, "big")))

    def test_no_ldap(self) -> None:
        """What other protocols say is refused."""
        for content in (
            b"HTTP/1.1 400 Bad Request", b"\x15\x03\x01\x00\x02", b"\x30\x80", b"\x30\xff", b"\x30\x00",
            b"\x30\x03\x02\x01\x01", b"\x30\x05\x02\x01\x01\x04\x00" + b"\x30", b"\x30\x04\x02\x01\x01\x02",
        ):  # fmt: skip
            received = bytearray(content)
            try:
                message = take_message(received)
            except ValueError:
                continue
            self.assertFalse(message is not None and isinstance(message.value, pureldap.LDAPProtocolResponse), content)

    def test_many_values(self) -> None:
        """An entry with very many values is read in time that grows with its size only."""
        values = [b"%d" % number for number in range(100_000)]

        message = take_message(bytearray(wire(pureldap.LDAPSearchResultEntry("cn=a", [("member", values)]))))

        self.assertEqual(message.value.attributes, [(b"member", values)])

    @settings(deadline=None)
    @given(content=st.binary(max_size=60))
    def test_any_bytes(self, content: bytes) -> None:
        """Any bytes are a message, the beginning of one, or refused; nothing else happens."""
        received = bytearray(b"\x30" + bytes([len(content)]) + content)
        try:
            take_message(received)
        except ValueError:
            return

        self.assertLessEqual(len(received), len(content) + 2)

    def test_controls(self) -> None:
        """Controls come with their values, whether they have one or not."""
        answer = pureldap.LDAPBindResponse(resultCode=0)
        controls = [(b"1.2.3", True, b"value"), (b"1.2.4", None, None)]
        content = pureldap.LDAPMessage(answer, controls=controls, id=1).toWire()

        message = take_message(bytearray(content))

        self.assertEqual(
            [(kind, value) for kind, _, value in message.controls], [(b"1.2.3", b"value"), (b"1.2.4", None)]
        )

    @settings(deadline=None)
    @given(position=st.integers(0, 30), octet=st.integers(0, 255))
    def test_damaged(self, position: int, octet: int) -> None:
        """A message with a damaged octet is read somehow or refused; nothing else happens."""
        content = bytearray(wire(ENTRY))
        content[position % len(content)] = octet
        try:
            take_message(content)
        except ValueError as error:
            self.assertTrue(str(error))


class BerTests(SynchronousTestCase):
    """BER."""

    def test_lengths(self) -> None:
        """Short and long lengths are measured, indefinite and huge ones refused."""
        self.assertEqual(ber.measure(b"\x04\x05"), (2, 7))
        self.assertEqual(ber.measure(b"\x04\x82\x01\x00"), (4, 260))
        for content in (b"\x04\x80", b"\x04\x85\0\0\0\0\1"):
            with self.assertRaisesRegex(ValueError, "indefinite"):
                ber.measure(content)

    def test_cut_off(self) -> None:
        """Elements that are cut off are refused."""
        for content in (b"\x04", b"\x04\x01", b"\x04\x82\x01"):
            with self.assertRaises(ber.TruncatedError):
                list(ber.elements(content))


class EntryTests(SynchronousTestCase):
    """Entries as values."""

    def test_case(self) -> None:
        """Attributes are found by their name in any case."""
        entry = Entry.build(b"cn=a", [(b"sAMAccountName", [b"a"])])

        self.assertEqual(entry.text("SAMACCOUNTNAME"), "a")
        self.assertEqual((entry.text("other"), entry.first("other"), entry.values("other")), ("", None, ()))

    def test_ranges(self) -> None:
        """Lists that come in parts are one list."""
        entry = Entry.build(b"cn=a", [(b"memberOf", []), (b"memberOf;range=0-1", [b"a", b"b"])])

        self.assertEqual(entry.texts("memberOf"), ("a", "b"))

    def test_bad_name(self) -> None:
        """A name that is not UTF-8 is refused."""
        with self.assertRaises(ValueError):
            Entry.build(b"cn=\xff", [])


class PolicyTests(SynchronousTestCase):
    """Password policy responses."""

    def test_read(self) -> None:
        """Error and grace logons are read; what can not be read counts as not said."""
        table = {
            "3000": (None, None),
            "3003810100": (PolicyFault.PASSWORD_EXPIRED, None),
            "3003810101": (PolicyFault.ACCOUNT_LOCKED, None),
            "3003810102": (PolicyFault.CHANGE_AFTER_RESET, None),
            "3003810107": (None, None),
            "3005a003810103": (None, 3),
            "3005a003800103": (None, None),
            "3005a003": (None, None),
            "": (None, None),
            "ff": (None, None),
        }
        for content, expected in table.items():
            self.assertEqual(read_policy(bytes.fromhex(content)), expected, content)
