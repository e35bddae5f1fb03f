"""Envelopes that say what they should whatever is put into them, and answers that want to be more than answers."""

from time import perf_counter
from xml.etree import ElementTree as ET

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import _kopano_xml as xml
from konnectd.backends._kopano_errors import KopanoError, KopanoFaultError, MalformedAnswerError, UnsendableError
from tests.support.hostile import HOSTILE
from tests.support.kopano_calls import READERS, replied, sent

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope'
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns="urn:zarafa"><SOAP-ENV:Body>'
)
_CLOSE = "</SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n"
FAULT = "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>broken</faultstring></SOAP-ENV:Fault>"
RESOLVED = "<ulUserId>3</ulUserId><sUserId>{}</sUserId>".format(
    "AAAAAKwhqVBA0+5Isxn7p1MwRCUBAAAABgAAAAMAAABlM0lhMWVkM1RmU29hempISWo1aEZRPT0AAAAA"
)
RESOLVE, LOGON, LOGOFF, USER, BOOK = (
    READERS[name] for name in ("resolveUsername", "logon", "logoff", "getUser", "abResolveNames")
)
BOMB = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))


def envelope(body: str) -> bytes:
    """Return an answer with something in its body."""
    return f"{_OPEN}{body}{_CLOSE}".encode()


def resolved(children: str = f"{RESOLVED}<er>0</er>", name: str = "ns:resolveUserResponse") -> bytes:
    """Return the answer to a look-up of a name."""
    return envelope(f"<{name}>{children}</{name}>")


class WritingTests(SynchronousTestCase):
    """What is sent."""

    @given(st.text(st.characters(exclude_categories=("Cs",)), max_size=50))
    @example("]]>")
    @example("\t\n\r\x85\u2028")
    @example("<&>\"'&#0;&amp;")
    @settings(deadline=None)
    def test_any_text(self, text: str) -> None:
        """Text is read as itself by whoever reads XML, or it is not sent at all."""
        try:
            content = xml.envelope("logon", xml.leaf("szUsername", text))
        except UnsendableError:
            self.assertRegex(text, "[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
            return
        request = sent(content)

        self.assertEqual(request and request.fields, (("szUsername", text),))

    def test_hostile(self) -> None:
        """Text that wants to be markup stays in its element, or is refused."""
        for text in HOSTILE:
            try:
                content = xml.envelope("logon", xml.leaf("szUsername", text), xml.leaf("ulFlags", 1))
            except UnsendableError:
                continue
            with self.subTest(text=text[:40]):
                self.assertEqual([child.tag for child in ET.fromstring(content)[0][0]], ["szUsername", "ulFlags"])  # noqa: S314

    def test_forbidden(self) -> None:
        """What XML has no way to write is refused, and not replaced by something else."""
        for text in ("\0", "a\x0bb", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"):
            with self.subTest(text=ascii(text)), self.assertRaises(UnsendableError):
                xml.escape(text)

    def test_children_have_no_prefix(self) -> None:
        """A child with a prefix would be ignored without a word."""
        content = xml.envelope("logoff", xml.leaf("ulSessionId", 7))

        self.assertIn(b"<ns:logoff><ulSessionId>7</ulSessionId></ns:logoff>", content)


class ReadingTests(SynchronousTestCase):
    """Answers as they should be, or nearly."""

    def test_any_order(self) -> None:
        """Fields are found by name, and those nobody knows are skipped."""
        found = RESOLVE.read(resolved(f"<er>0</er><new><er>1</er></new>{RESOLVED}"))

        self.assertEqual(found.numeric_id, 3)

    def test_last_one_counts(self) -> None:
        """Of several fields with one name the last one counts, as it does for the server."""
        self.assertEqual(RESOLVE.read(resolved(f"<er>7</er>{RESOLVED}<ulUserId>9</ulUserId><er>0</er>")).numeric_id, 9)

    def test_white_space(self) -> None:
        """Space around numbers means nothing."""
        self.assertEqual(RESOLVE.read(resolved(f"{RESOLVED}<ulUserId>\n 12\t</ulUserId><er> 0 </er>")).numeric_id, 12)

    def test_forms(self) -> None:
        """A mark at the beginning, CDATA, comments and other prefixes are as good as without."""
        good = resolved()
        for content in (
            b"\xef\xbb\xbf" + good,
            good.partition(b"\n")[2],
            good.replace(b"<er>0</er>", b"<er><![CDATA[0]]></er>"),
            good.replace(b"<er>0</er>", b"<er><!-- x -->0<?x y?></er>"),
            good.replace(b"SOAP-ENV", b"x").replace(b"ns:resolve", b"y:resolve").replace(b":ns=", b":y="),
        ):
            with self.subTest(content=content[:60]):
                self.assertEqual(RESOLVE.read(content).numeric_id, 3)

    def test_first_element_is_the_answer(self) -> None:
        """What comes after the answer is not looked at."""
        found = RESOLVE.read(envelope(f"<ns:resolveUserResponse>{RESOLVED}<er>0</er></ns:resolveUserResponse><x/>"))

        self.assertEqual(found.numeric_id, 3)

    def test_fault_in_a_good_answer(self) -> None:
        """A Fault is one wherever it stands in the body, and is never taken for success."""
        good = resolved().partition(b"<SOAP-ENV:Body>")[2].partition(b"</SOAP-ENV:Body>")[0].decode()
        for body in (FAULT, FAULT + good, good + FAULT):
            for call in READERS.values():
                with self.subTest(body=body[:40], call=call.method):
                    self.assertEqual(self.assertRaises(KopanoFaultError, call.read, envelope(body)).reason, "broken")

    def test_find_fault(self) -> None:
        """The words of a Fault are found; in anything else there are none."""
        self.assertEqual(xml.find_fault(envelope(FAULT)), "broken")
        self.assertEqual([xml.find_fault(content) for content in (resolved(), b"", b"<html/>")], [None] * 3)


class HostileTests(SynchronousTestCase):
    """Answers that are none."""

    def assert_malformed(self, content: bytes, pattern: str = ".") -> None:
        """Check that something is no answer to a look-up."""
        error = self.assertRaises(MalformedAnswerError, RESOLVE.read, content)
        self.assertRegex(str(error), pattern)

    def test_no_envelope(self) -> None:
        """What is no XML, or another document, is refused."""
        for content in (
            b"", b"\0", b"hello", b"<html/>", b"<Envelope><Body/></Envelope>", envelope(""), envelope("text"),
            resolved().replace(b"schemas.xmlsoap.org/soap/envelope", b"www.w3.org/2003/05/soap-envelope"),
            resolved().replace(b"SOAP-ENV:Body", b"SOAP-ENV:Bode"), resolved() + b"<x/>",
            resolved().decode().encode("utf-16"),
            resolved().replace(b'encoding="UTF-8"', b'encoding="UTF-7"').replace(b"<er>", b"+ADw-er>"),
        ):  # fmt: skip
            with self.subTest(content=content[:60]):
                self.assert_malformed(content)

    def test_cut_off(self) -> None:
        """An answer that lacks as much as one character of its end is none."""
        whole = resolved().rstrip()
        for length in range(0, len(whole), 7):
            self.assert_malformed(whole[:length])
        self.assert_malformed(whole[:-1])

    def test_other_answer(self) -> None:
        """The answer to another call is not taken for one to this, nor one from another namespace."""
        for name in ("ns:logonResponse", "resolveUserResponse", "ns:resolveUser", "SOAP-ENV:resolveUserResponse"):
            with self.subTest(name=name):
                self.assert_malformed(resolved(name=name), "not the answer")

    def test_document_type(self) -> None:
        """No document type is read, so no entity exists and no file or address is opened."""
        for definition in (
            "", '<!ENTITY a "0">', f"{BOMB}", '<!ENTITY a SYSTEM "file:///etc/passwd">',
            '<!ENTITY % a SYSTEM "http://127.0.0.1:1/x"> %a;', '<!ATTLIST x y CDATA "z">',
        ):  # fmt: skip
            for value in ("0", "&a;", "&e9;"):
                content = resolved(f"{RESOLVED}<er>{value}</er>").replace(
                    b"?>\n", f"?>\n<!DOCTYPE x [{definition}]>".encode(), 1
                )
                with self.subTest(definition=definition[:40], value=value):
                    self.assert_malformed(content, "document type")

    def test_unknown_entity(self) -> None:
        """An entity that nobody has defined stands for nothing."""
        self.assert_malformed(resolved(f"{RESOLVED}<er>0&a;</er>"))

    def test_hidden_document_type(self) -> None:
        """Another encoding does not hide one."""
        hidden = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "0">]><x>&a;</x>'
        self.assert_malformed(hidden.encode("utf-16"))

    def test_too_deep(self) -> None:
        """Elements inside of each other have an end, however small they are."""
        for depth in (xml.DEEPEST, 200, 20_000):
            with self.subTest(depth=depth):
                self.assert_malformed(resolved(f"{RESOLVED}<er>0</er>{'<a>' * depth}{'</a>' * depth}"))

    def test_deep_enough(self) -> None:
        """The deepest that is allowed is allowed; it begins with envelope, body and answer."""
        inner = xml.DEEPEST - 3

        self.assertEqual(RESOLVE.read(resolved(f"{RESOLVED}<er>0</er>{'<a>' * inner}{'</a>' * inner}")).numeric_id, 3)

    def test_too_wide(self) -> None:
        """No element is looked at that has more children than anybody needs."""
        self.assert_malformed(resolved("<er>0</er>" * (xml.WIDEST + 1)), "more than")
        many = "<item><ulPropId>1</ulPropId></item>" * (xml.WIDEST + 1)
        content = replied("getUser-ok").replace(b"<lpsPropmap>", f"<lpsPropmap>{many}".encode())
        self.assertRaises(MalformedAnswerError, USER.read, content)

    def test_too_long(self) -> None:
        """No answer is read that is longer than anybody needs."""
        padding = " " * (xml.LONGEST_ANSWER - len(resolved()))

        self.assertEqual(RESOLVE.read(resolved() + padding.encode()).numeric_id, 3)
        self.assert_malformed(resolved() + padding.encode() + b" ", "longer than")

    def test_numbers(self) -> None:
        """A number is a number of its range, written in digits."""
        for number in (
            "", " ", "-1", "+1", "0x1", "1.0", "1e3", "1 2", "4294967296", "9" * 20, "9" * 5000, "\u0661", "\u00b2",
            "null", "<a/>", "0<a/>", "NaN", "1_0",
        ):  # fmt: skip
            for field in ("er", "ulUserId"):
                with self.subTest(number=number[:20], field=field):
                    self.assert_malformed(resolved(f"{RESOLVED}<er>0</er><{field}>{number}</{field}>"))

    def test_sessions(self) -> None:
        """A session is a number of 64 bits, and there is one, and a server that has given it."""
        good = replied("logon-user-ok")
        number = b"9661529679815429599"
        self.assertEqual(LOGON.read(good.replace(number, b"18446744073709551615")).session.number, 2**64 - 1)
        for bad in (b"18446744073709551616", b"-1", b"0", b""):
            with self.subTest(bad=bad):
                self.assertRaises(MalformedAnswerError, LOGON.read, good.replace(number, bad))
        self.assertRaises(MalformedAnswerError, LOGON.read, good.replace(b"UOS6KIvlQvO0g8nk+K27ZQ==", b""))

    def test_missing(self) -> None:
        """A field that must be there is missed, and none is made up."""
        self.assert_malformed(resolved(RESOLVED), "has no er")
        self.assert_malformed(resolved("<er>0</er>"), "has no ulUserId")
        self.assert_malformed(resolved("<er>0</er><ulUserId>3</ulUserId>"), "sUserId")
        for call, name in ((LOGON, "logonResponse"), (LOGOFF, "logoffResponse"), (USER, "getUserResponse")):
            with self.subTest(name=name):
                self.assertRaises(MalformedAnswerError, call.read, resolved("<er>0</er>", f"ns:{name}"))

    def test_prefixed_fields(self) -> None:
        """A field with a prefix is another field."""
        self.assert_malformed(resolved(f"{RESOLVED}<ns:er>0</ns:er>"), "has no er")

    def test_entry_ids(self) -> None:
        """What should be an entry id and is none is not handed on."""
        for text in ("!!!", "AAAA", "<a/>", "A" * 4000):
            with self.subTest(text=text[:10]):
                self.assert_malformed(resolved(f"<ulUserId>3</ulUserId><sUserId>{text}</sUserId><er>0</er>"))

    def test_user_without_name(self) -> None:
        """An account has a name."""
        content = replied("getUser-ok").replace(b"<lpszUsername>alice</lpszUsername>", b"<lpszUsername/>")

        self.assertRaises(MalformedAnswerError, USER.read, content)

    def test_book(self) -> None:
        """There is a row for each name that was asked for, no less and no more, and each says what became of it."""
        good = replied("abResolveNames-resolved")
        for old, new in ((b"<aFlags><item>2</item>", b"<aFlags>"), (b"<aFlags>", b"<aFlags><item>0</item>"),
                         (b"<aFlags><item>2", b"<aFlags><item>3"), (b"<aFlags><item>2", b"<aFlags><item>02"),
                         (b"<sRowSet", b"<sRowSet2")):  # fmt: skip
            with self.subTest(new=new):
                content = good.replace(b"</sRowSet", b"</sRowSet2") if b"Set2" in new else good
                self.assertRaises(MalformedAnswerError, BOOK.read, content.replace(old, new))

    @given(st.binary(max_size=300) | st.text(max_size=100).map(envelope))
    @settings(deadline=None)
    def test_anything(self, content: bytes) -> None:
        """Whatever comes, it is an answer, an error of the server's or no answer, and nothing else happens."""
        for call in READERS.values():
            self.assertRaises((KopanoFaultError, MalformedAnswerError), call.read, content)

    @given(st.data())
    @settings(deadline=None, max_examples=200)
    def test_broken(self, data: st.DataObject) -> None:
        """A real answer with a part exchanged for another text is read, or is one of our errors."""
        name = data.draw(st.sampled_from(("getUser-ok", "logon-user-ok", "resolveUsername-ok", "logoff-ok")))
        whole = replied(name)
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 40)))
        text = data.draw(
            st.sampled_from((b"", b"<", b">", b"&", b"</", b"<item>", b"0", b"\xff", b'"', b"<!--", b"]]>"))
        )
        call = {"getUser-ok": USER, "logon-user-ok": LOGON, "resolveUsername-ok": RESOLVE, "logoff-ok": LOGOFF}[name]
        try:
            call.read(whole[:start] + text + whole[end:])
        except (KopanoError, KopanoFaultError, MalformedAnswerError) as error:
            self.assertLess(len(str(error)), 400)

    def test_time(self) -> None:
        """The worst answers that are short enough to be looked at take milliseconds on a quiet machine."""
        room = xml.LONGEST_ANSWER - 600
        worst = {
            "many": "<a/>" * (room // 4),
            "attributes": "<a" + "".join(f" a{number}=''" for number in range(room // 10)) + "/>",
            "namespaces": "".join(f"<a xmlns='u{number}'/>" for number in range(room // 19)),
            "wide": ("<a>" * 10 + "</a>" * 10) * (room // 70),
            "text": "&#65;" * (room // 5),
            "names": "".join(f"<a{number}/>" for number in range(room // 9)),
            "deep": ("<a>" * 250 + "</a>" * 250) * (room // 1750),
        }
        for name, children in worst.items():
            content = resolved(children)
            taken = []
            for _ in range(5):
                start = perf_counter()
                self.assertRaises(MalformedAnswerError, RESOLVE.read, content)
                taken.append(perf_counter() - start)
            with self.subTest(name=name):
                self.assertLess(min(taken), 0.1)
