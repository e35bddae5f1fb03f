"""Search filters: what operators write, and what becomes of it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from ldaptor.protocols import pureber, pureldap
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import _ldap_filter as filters

CONTEXT = pureldap.LDAPBERDecoderContext_Filter(
    fallback=pureldap.LDAPBERDecoderContext(fallback=pureber.BERDecoderContext()),
    inherit=pureldap.LDAPBERDecoderContext_Filter(fallback=pureber.BERDecoderContext()),
)


def read(found: filters.Filter) -> object:
    """Read a filter back with ldaptor."""
    message, used = pureber.berDecodeObject(CONTEXT, found.wire)
    if used != len(found.wire):
        raise AssertionError("there is more than one filter")
    return message


class ParseTests(SynchronousTestCase):
    """Filters as text."""

    def test_wire(self) -> None:
        """Filters become the bytes that the specification says."""
        table = {
            "(uid=a)": "a3080403756964040161",
            "(uid=*)": "8703756964",
            "(!(uid=a))": "a20aa3080403756964040161",
            "(&)": "a000",
            "(|)": "a100",
            "(a>=1)": "a506040161040131",
            "(a<=1)": "a606040161040131",
            "(a~=1)": "a806040161040131",
            "(a=b*c*d)": "a40e0401613009800162810163820164",
            "(a=*c*)": "a4080401613003810163",
            "(a:=b)": "a906820161830162",
            "(a:dn:1.2:=b)": "a90e" + "8103312e32" + "820161" + "830162" + "8401ff",
            "(:1.2:=b)": "a9088103312e32830162",
        }
        for text, wire in table.items():
            self.assertEqual(filters.parse(text).wire.hex(), wire, text)

    def test_octets(self) -> None:
        """Octets in hex stand for themselves, and other text for its UTF-8."""
        self.assertEqual(filters.parse(r"(cn=j\c3\b6rg\2a\28\29\5c\00)"), filters.equals("cn", b"j\xc3\xb6rg*()\\\0"))
        self.assertEqual(filters.parse("(cn=jörg)"), filters.parse(r"(cn=j\C3\B6rg)"))

    def test_forgiven(self) -> None:
        """What Konnect took is taken: no parentheses, too many of them, blanks between parts."""
        strict = filters.parse("(&(a=1)(|(b=2)(c=3)))")
        for text in ("&(a=1)(|(b=2)(c=3))", "((&(a=1)(|(b=2)(c=3))))", " ( & (a=1)\n (| (b=2) (c=3) ) ) "):
            self.assertEqual(filters.parse(text), strict, text)
        self.assertEqual(filters.parse("(a;lang-de=1)"), filters.equals("a;lang-de", "1"))
        self.assertEqual(filters.parse("(2.5.4.3=%s)"), filters.equals("2.5.4.3", "%s"))

    def test_refused(self) -> None:
        """What is no filter is refused, and the reason is told."""
        for text in (
            "", " ", "(", ")", "()", "(a=1", "(a=1))", "(a=1)(b=2)", "(a)", "(=1)", "(a b=1)", "(!(a=1)(b=2))", "(!)",
            "(&(a=1)", r"(a=\zz)", r"(a=\2)", "(&a=1)", "(:=b)",
            "(a:b:c:=d)", "(a:!:=d)", "(!a:=d)", "(" * 500, "(!" * 500,
        ):  # fmt: skip
            with self.assertRaises(ValueError, msg=text) as caught:
                filters.parse(text)

            self.assertTrue(str(caught.exception))

    @settings(deadline=None)
    @given(text=st.text(alphabet="()&|!=*<>~:\\ab1. ", max_size=30))
    def test_any_text(self, text: str) -> None:
        """Any text is either one filter that ldaptor reads, or refused."""
        try:
            found = filters.parse(text)
        except ValueError:
            return

        self.assertIsNotNone(read(found))


class BuildTests(SynchronousTestCase):
    """Filters from values."""

    @settings(deadline=None)
    @given(value=st.binary(max_size=40))
    def test_any_value(self, value: bytes) -> None:
        """Whatever a value is, it is compared as it is and changes nothing around it."""
        found = filters.all_of(filters.present("a"), filters.equals("uid", value))

        first, second = read(found)
        self.assertIsInstance(first, pureldap.LDAPFilter_present)
        self.assertEqual((second.attributeDesc.value, second.assertionValue.value), (b"uid", value))

    def test_vector(self) -> None:
        """The filter of a sign-in is the one that escaping would give."""
        built = filters.all_of(filters.parse("(objectClass=inetOrgPerson)"), filters.equals("uid", "a*(b)"))

        self.assertEqual(built, filters.parse(r"(&(objectClass=inetOrgPerson)(uid=a\2a\28b\29))"))

    def test_any_of_one(self) -> None:
        """One alternative is no choice."""
        self.assertEqual(filters.any_of(filters.equals("a", "1")), filters.equals("a", "1"))

    def test_rule(self) -> None:
        """A matching rule is sent with its attribute."""
        self.assertEqual(filters.matches_rule("member", "1.2.3", "x"), filters.parse("(member:1.2.3:=x)"))
