"""What comes instead of an answer: documents that want to be more than text, or less, or just too much of it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._saml2_xml import LONGEST_MESSAGE
from konnectd.protocol.saml2 import SamlError, SamlFault
from tests.support.fakes import NOON
from tests.support.saml_believed import believed, fault
from tests.support.saml_provider import (
    Says,
    answer,
    assertion_of,
    logout_response_of,
    response_of,
    sign,
)


class HostileTests(SynchronousTestCase):
    """What is no message at all, or more than one."""

    def test_comment_in_name(self) -> None:
        """A comment that a canonical form leaves out could cut a name in two."""
        signed = answer(Says(name_id="admin.mallory")).replace(b"admin.mallory", b"admin<!---->.mallory")

        self.assertEqual(fault(signed), SamlFault.COMMENT)

    def test_instruction_in_name(self) -> None:
        """So could an instruction."""
        self.assertEqual(fault(answer().replace(b"t-4711", b"t-<?x?>4711")), SamlFault.COMMENT)

    def test_comment_around(self) -> None:
        """They are refused outside of everything as well."""
        self.assertEqual(fault(answer() + b"<!-- x -->"), SamlFault.COMMENT)
        self.assertEqual(fault(b"<!-- x -->" + answer()), SamlFault.COMMENT)

    def test_character_data(self) -> None:
        """A section of character data is the text that it stands for."""
        said = Says(attributes=(("uid", "al&ice"),))

        self.assertEqual(
            believed(answer(said).replace(b"al&amp;ice", b"<![CDATA[al&ice]]>")).attributes[0].values, ("al&ice",)
        )

    def test_element_in_name(self) -> None:
        """Elements in a name are refused, even if they are signed."""
        self.assertEqual(fault(answer(Says(name_id="ali<saml:x/>ce"))), SamlFault.MALFORMED)

    def test_document_type(self) -> None:
        """A document type is refused before it is read."""
        self.assertEqual(fault(b"<!DOCTYPE x>" + answer()), SamlFault.DOCUMENT_TYPE)

    def test_foreign_file(self) -> None:
        """Nothing is read from this machine or fetched from another one."""
        outside = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + answer().replace(b"alice", b"&e;")

        self.assertEqual(fault(outside), SamlFault.DOCUMENT_TYPE)

    def test_entity_bomb(self) -> None:
        """Entities of entities are not expanded."""
        entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"ha") for n in range(9))

        self.assertEqual(
            fault(b"<!DOCTYPE x [" + entities + b"]>" + answer().replace(b"alice", b"&a8;")), SamlFault.DOCUMENT_TYPE
        )

    def test_undefined_entity(self) -> None:
        """An entity that nobody defines is no text."""
        self.assertEqual(fault(answer().replace(b"alice", b"&e;")), SamlFault.MALFORMED)

    def test_other_encoding(self) -> None:
        """What a document type looks like in another encoding does not matter, as none is read."""
        hidden = ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY e "x">]>' + answer().decode()).encode(
            "utf-16"
        )

        self.assertEqual(fault(hidden), SamlFault.MALFORMED)

    def test_declared_encoding(self) -> None:
        """What a document says of its own encoding changes nothing."""
        self.assertEqual(believed(b'<?xml version="1.0" encoding="UTF-7"?>' + answer()).assertion_id, "a1")

    def test_too_large(self) -> None:
        """An answer that is larger than any is refused."""
        self.assertEqual(fault(answer() + b" " * LONGEST_MESSAGE), SamlFault.TOO_LARGE)

    def test_too_deep(self) -> None:
        """Elements are not in each other without end."""
        self.assertEqual(fault(b"<a>" * 40 + b"</a>" * 40), SamlFault.TOO_LARGE)

    def test_too_many(self) -> None:
        """Nor are there more than any answer has."""
        self.assertEqual(fault(b"<a>" + b"<b/>" * 3000 + b"</a>"), SamlFault.TOO_LARGE)

    def test_no_xml(self) -> None:
        """Something else is refused."""
        for document in (b"", b"\0", b"<a", b"{}", b"\xff\xfe", b"<a>\x0b</a>"):
            self.assertEqual(fault(document), SamlFault.MALFORMED, document)

    def test_other_message(self) -> None:
        """A good message of another kind, or an assertion alone, is no answer."""
        self.assertEqual(fault(logout_response_of()), SamlFault.UNEXPECTED)
        self.assertEqual(fault(sign(assertion_of(Says())).encode()), SamlFault.UNEXPECTED)

    def test_other_version(self) -> None:
        """SAML 1 is not spoken."""
        self.assertEqual(fault(answer().replace(b'Version="2.0"', b'Version="1.1"')), SamlFault.MALFORMED)

    def test_odd_ids(self) -> None:
        """An id is a name, and every message has one."""
        for name in ("", "1", "a b", "a'", "x" * 300):
            signed = answer().replace(b'ID="a1"', f'ID="{name}"'.encode())
            self.assertIn(fault(signed), {SamlFault.MALFORMED, SamlFault.SIGNATURE_PLACE}, name)

    def test_odd_times(self) -> None:
        """A time that is none is refused, even if it is signed."""
        for written in ("", "yesterday", "2023-11-14", "2023-13-41T00:00:00Z", "2023-11-14T22:13:20+99:99"):
            said = response_of(Says(), assertion_of(Says()))
            stamped = said.replace('NotBefore="2023-11-14T22:12:50Z"', f'NotBefore="{written}"')
            self.assertEqual(fault(sign(stamped).encode()), SamlFault.MALFORMED, written)

    def test_times_as_they_are_written(self) -> None:
        """Fractions of seconds, other zones and no zone at all are read."""
        for written in ("2023-11-14T22:12:50.123456789Z", "2023-11-14T23:12:50+01:00", "2023-11-14T22:12:50"):
            said = response_of(Says(), assertion_of(Says()))
            stamped = said.replace('NotBefore="2023-11-14T22:12:50Z"', f'NotBefore="{written}"')
            self.assertEqual(believed(sign(stamped).encode()).not_before, NOON - 30, written)

    @settings(deadline=None, max_examples=60)
    @given(st.integers(0, 5000), st.binary(max_size=6))
    def test_any_change(self, at: int, instead: bytes) -> None:
        """Whatever is put into a signed answer, what is believed of somebody is what was signed, or nothing is."""
        good = answer()
        at %= len(good)

        try:
            found = believed(good[:at] + instead + good[at:])
        except (SamlError, LookupError):
            return

        self.assertEqual(found, believed(good))

    @settings(deadline=None, max_examples=60)
    @given(st.binary(max_size=300))
    def test_anything(self, document: bytes) -> None:
        """Whatever is sent, it is refused in good order."""
        self.assertIsNotNone(fault(document))
