"""Messages in addresses: what is signed is what stands there, and nothing grows without end."""

import zlib
from base64 import b64encode
from urllib.parse import parse_qs, quote, urlsplit

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._saml2_keys import SigningKey
from konnectd.authorities._saml2_redirect import LONGEST_QUERY, address, check_signature, inflate, read_query
from konnectd.authorities._saml2_signature import Trusted
from konnectd.authorities._saml2_xml import LONGEST_MESSAGE
from konnectd.protocol.saml2 import SamlError, SamlFault
from tests.support.fakes import NOON
from tests.support.saml_provider import SamlKey, deflate, logout_request_of, query_of, saml_key

MESSAGE = logout_request_of()
CURVE = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"


def trusted(*keys: SamlKey, sha1: bool = False) -> Trusted:
    """Trust some keys."""
    return Trusted(certificates=tuple(key.certificate for key in keys or (saml_key(),)), sha1=sha1)


def is_signed(query: str, who: Trusted | None = None, now: int = NOON) -> bool | SamlFault:
    """Tell whether a query is signed, or what is wrong with the signature."""
    try:
        return check_signature(read_query(query), who or trusted(), now)
    except SamlError as error:
        return error.fault


class ReadTests(SynchronousTestCase):
    """What stands in a query."""

    def fault(self, query: str) -> SamlFault | None:
        """Return why a query is refused; None when it is not."""
        try:
            read_query(query)
        except SamlError as error:
            return error.fault
        return None

    def test_values(self) -> None:
        """The message is unpacked, and what comes with it is kept."""
        found = read_query(query_of("SAMLRequest", MESSAGE, relay_state="a b&c"))

        self.assertEqual((found.name, found.document, found.relay_state), ("SAMLRequest", MESSAGE, "a b&c"))

    def test_not_exactly_one(self) -> None:
        """No message, two of them, or one twice, is refused."""
        one, other = query_of("SAMLRequest", MESSAGE), query_of("SAMLResponse", MESSAGE)
        for query in ("", "RelayState=x", f"{one}&{other}", f"{one}&{one}", f"{one}&RelayState=1&RelayState=2"):
            self.assertEqual(self.fault(query), SamlFault.MALFORMED, query[:30])

    def test_bad_base64(self) -> None:
        """What is no base64 is refused, and so is what was not packed, or is cut off."""
        for written in ("%%%", "a", "!!!!", quote(b64encode(MESSAGE)), quote(b64encode(deflate(MESSAGE)[:-4]))):
            self.assertEqual(self.fault(f"SAMLRequest={written}"), SamlFault.MALFORMED, written[:30])

    def test_bomb(self) -> None:
        """A few bytes do not become many."""
        self.assertEqual(self.fault(query_of("SAMLRequest", b"a" * 10_000_000)), SamlFault.TOO_LARGE)

    def test_too_long(self) -> None:
        """A query is not without end."""
        self.assertEqual(self.fault("x" * (LONGEST_QUERY + 1)), SamlFault.TOO_LARGE)

    def test_largest(self) -> None:
        """The largest message that is read is unpacked as a whole."""
        self.assertEqual(len(inflate(deflate(b"a" * LONGEST_MESSAGE))), LONGEST_MESSAGE)

    def test_other_packing(self) -> None:
        """A message with a head of zlib's around it is refused."""
        self.assertEqual(self.fault(f"SAMLRequest={quote(b64encode(zlib.compress(MESSAGE)))}"), SamlFault.MALFORMED)

    @settings(deadline=None, max_examples=50)
    @given(st.text(max_size=60))
    def test_anything(self, query: str) -> None:
        """Whatever stands there, it is refused in good order."""
        self.assertIsNotNone(self.fault(f"SAMLRequest={query}"))


class SignatureTests(SynchronousTestCase):
    """Who says it."""

    def test_good(self) -> None:
        """A signature by any of the certificates counts."""
        query = query_of("SAMLRequest", MESSAGE, saml_key(), relay_state="x/y")

        self.assertIs(is_signed(query, trusted(saml_key("PS256", 12), saml_key())), True)

    def test_none(self) -> None:
        """Without a signature it is not signed."""
        self.assertIs(is_signed(query_of("SAMLRequest", MESSAGE)), False)

    def test_curve(self) -> None:
        """A key on a curve signs as well."""
        key = saml_key("ES256")

        self.assertIs(is_signed(query_of("SAMLRequest", MESSAGE, key, algorithm=CURVE), trusted(key)), True)

    def test_short_numbers(self) -> None:
        """Two numbers of another size are none of its signatures."""
        key = saml_key("ES256")
        packed = read_query(query_of("SAMLRequest", MESSAGE, key, algorithm=CURVE))

        with self.assertRaises(SamlError) as caught:
            check_signature(evolve(packed, signature=packed.signature[:-1]), trusted(key), NOON)

        self.assertEqual(caught.exception.fault, SamlFault.SIGNATURE)

    def test_other_spelling(self) -> None:
        """It is over what was written: other parameters and another order do no harm."""
        query = query_of("SAMLRequest", MESSAGE, saml_key(), relay_state="x/y")
        parts = query.split("&")

        self.assertIs(is_signed("&".join(["lang=en", *reversed(parts)])), True)

    def test_changed(self) -> None:
        """A change of any part breaks it."""
        query = query_of("SAMLRequest", MESSAGE, saml_key(), relay_state="x")
        other = query_of("SAMLRequest", logout_request_of(request_id="lr2"))
        cases = (
            query.replace("RelayState=x", "RelayState=y"),
            query.replace("&RelayState=x", ""),
            f"{other}&{query.partition('&')[2]}",
            query.replace("SAMLRequest=", "SAMLResponse="),
        )
        for changed in cases:
            self.assertEqual(is_signed(changed), SamlFault.SIGNATURE)

    def test_by_another(self) -> None:
        """One by somebody else is worse than none."""
        self.assertEqual(is_signed(query_of("SAMLRequest", MESSAGE, saml_key("PS256", 12))), SamlFault.SIGNATURE)

    def test_empty(self) -> None:
        """One that is empty, or only announced, is none that counts."""
        query = query_of("SAMLRequest", MESSAGE)
        for rest in ("&Signature=", "&SigAlg=x", "&SigAlg=x&Signature="):
            self.assertEqual(is_signed(query + rest), SamlFault.SIGNATURE, rest)

    def test_algorithms(self) -> None:
        """SHA-1 counts only where the operator says so; what is unknown never does."""
        old = query_of("SAMLRequest", MESSAGE, saml_key(), algorithm=SHA1)
        unknown = query_of(
            "SAMLRequest", MESSAGE, saml_key(), algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-md5"
        )
        mixed = query_of("SAMLRequest", MESSAGE, saml_key(), algorithm=CURVE)

        self.assertEqual({is_signed(query) for query in (old, unknown, mixed)}, {SamlFault.ALGORITHM})
        self.assertIs(is_signed(old, trusted(sha1=True)), True)

    def test_out_of_date(self) -> None:
        """A certificate that is out of date signs nothing."""
        query = query_of("SAMLRequest", MESSAGE, saml_key())

        self.assertEqual(is_signed(query, now=NOON + 90 * 86_400), SamlFault.CERTIFICATE)


class AddressTests(SynchronousTestCase):
    """What we send."""

    def test_round_trip(self) -> None:
        """What we write can be read, and our signature checked, with a key of either kind."""
        for key in (saml_key(), saml_key("ES256")):
            location = address("https://idp/sso", "SAMLRequest", MESSAGE, "s/t", SigningKey(key.key, key.certificate))

            self.assertIs(is_signed(urlsplit(location).query, trusted(key)), True)

    def test_unsigned(self) -> None:
        """Without a key there is a message and a state, and nothing else."""
        location = address("https://idp/sso", "SAMLRequest", MESSAGE, "s", None)

        self.assertEqual(set(parse_qs(urlsplit(location).query)), {"SAMLRequest", "RelayState"})

    def test_query_is_kept(self) -> None:
        """An address that has a query keeps it."""
        location = address("https://idp/sso?tenant=1", "SAMLRequest", MESSAGE, "", None)

        self.assertEqual(set(parse_qs(urlsplit(location).query)), {"tenant", "SAMLRequest"})
