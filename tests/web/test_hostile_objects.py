"""Hostile request objects and references, each by the name of what it tries: none of them gets anywhere.

Rows of the security history that are tested here: 1 and 3 (addresses), 6 (replay), 7 (PKCE), 12 (foreign proofs), 16
(addresses we are made to ask), 25 (secrets that are kept).
"""

from urllib.parse import urlencode

from attrs import evolve
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.pushed_request import PREFIX
from konnectd.protocol.request_object import LONGEST_REQUEST_OBJECT
from konnectd.stores.memory import MemoryStore
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import NOON, FixedClock
from tests.support.forgery import segment
from tests.support.keys import p256_key, rsa_key
from tests.support.request_objects import (
    CLIENT_RSA_KEY,
    OBJECT_CLIENTS,
    OBJECT_URI,
    PUBLIC,
    SIGNING,
    UNSIGNING,
    contents,
    hmac_signed,
    signed,
    unsigned,
)
from tests.support.requests import CALLBACK
from tests.support.strategies import HOSTILE_URIS
from tests.support.visitor import Visit, Visitor

EVIL = "https://evil.example/cb"


class HostileCase(SynchronousTestCase):
    """A daemon with Alice's browser signed in to it, for clients that send objects."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(clients=(*OBJECT_CLIENTS, evolve(SIGNING, client_id="other", jwks=None)))
        self.visitor = Visitor(self.daemon)
        Application(self.daemon, SIGNING).sign_in(self.visitor)

    def bring(self, client_id: str = "signing", **sent: str) -> Visit:
        """Send Alice's browser here."""
        query = urlencode({"client_id": client_id, **sent})
        return self.visitor.open(f"{self.daemon.settings.paths.authorize}?{query}")

    def assertPage(self, visit: Visit, name: str = "") -> None:
        """Fail unless the browser stays here, in front of a page that says whose fault it is."""
        self.assertEqual((visit.left, visit.answer.status, visit.answer.header("Location")), (False, 400, ""), name)
        self.assertEqual(self.flushLoggedErrors(), [])


class ForgedObjectTests(HostileCase):
    """Objects that the client has not signed."""

    def test_table(self) -> None:
        """None of them counts, and none moves the browser."""
        public = CLIENT_RSA_KEY.public.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        foreign = rsa_key(8)
        good = signed(contents())
        header, _, signature = good.split(".")
        for name, token in {
            "unsigned": unsigned(contents(redirect_uri=CALLBACK)),
            "unsigned, in capitals": unsigned(contents(), alg="NONE"),
            "unsigned with a signature": unsigned(contents(), signature=signature),
            "foreign key": signed(contents(), foreign, "RS256", kid=CLIENT_RSA_KEY.kid),
            "key in the header": signed(contents(), foreign, "RS256", jwk=foreign.public.to_jwk()),
            "address of keys in the header": signed(contents(), foreign, "RS256", jku=OBJECT_URI, x5u=OBJECT_URI),
            "public key as a secret": hmac_signed(contents(), public, CLIENT_RSA_KEY.kid),
            "no secret": hmac_signed(contents(), b""),
            "something that must be understood": signed(contents(), crit=["exp"]),
            "other contents": f"{header}.{segment(b'{}')}.{signature}",
            "signature cut short": good[:-4],
            "encrypted": "a.b.c.d.e",
            "empty": "..",
            "nested": signed(contents(request=good)),
            "leads on": signed(contents(request_uri=OBJECT_URI)),
            "of another client": signed(contents(UNSIGNING)),
            "in the name of another client": signed(contents(iss="unsigning")),
            "for another provider": signed(contents(aud="https://other.example.com")),
            "from yesterday": signed(contents(exp=NOON - 86400)),
            "from tomorrow": signed(contents(nbf=NOON + 86400)),
            "a proof of who a client is": signed({"iss": "signing", "sub": "signing", "exp": NOON + 60, "jti": "1"}),
            "characters of no parameter": signed(contents(state="a\x00b")),
            "half a character": signed(contents(state="\ud800")),
            "types of no parameter": signed(contents(redirect_uri=[CALLBACK])),
        }.items():
            self.assertPage(self.bring(request=token), name)
        self.assertEqual(self.daemon.web.asked, [])

    def test_oversized(self) -> None:
        """An object that is too long is not looked at, however it comes."""
        token = signed(contents(pad="x" * LONGEST_REQUEST_OBJECT))
        visit = self.visitor.post(self.daemon.settings.paths.authorize, {"client_id": "signing", "request": token})

        self.assertPage(visit)

    def test_deep(self) -> None:
        """An object that is nested for its own sake is no fault of ours."""
        deep: dict[str, object] = {}
        for _ in range(400):
            deep = {"a": deep}
        visit = self.bring(request=signed(contents(claims=deep)))

        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertIn(visit.answer.status, {302, 400})

    def test_what_a_person_did(self) -> None:
        """A client can not sign that a person has chosen or agreed."""
        token = signed(contents(prompt="login", interaction="forged", konnect="forged", flow="consent"))
        visit = self.bring(request=token)

        self.assertIn("password", visit.fields)


class AddressTests(HostileCase):
    """Rows 1 and 3: no object and no reference moves the browser to an address that is not registered."""

    def test_addresses_inside(self) -> None:
        """Whether it is signed or not, an address inside has to be registered."""
        for uri in (EVIL, *HOSTILE_URIS):
            self.assertPage(self.bring(request=signed(contents(redirect_uri=uri))), uri)
            self.assertPage(self.bring("unsigning", request=unsigned(contents(UNSIGNING, redirect_uri=uri))), uri)

    def test_unsigned_object_over_a_good_address(self) -> None:
        """An unsigned object can not replace the address of a client that signs; the client is told."""
        visit = self.bring(request=unsigned(contents(redirect_uri=EVIL)), redirect_uri=CALLBACK)

        self.assertTrue(visit.url.startswith(f"{CALLBACK}?error=invalid_request_object"), visit.url)

    def test_errors_before_the_proof(self) -> None:
        """Every fault of an object or a reference with a bad address, or none, beside it is a page."""
        for sent in (
            {"request": "x"},
            {"request_uri": EVIL},
            {"request_uri": f"{PREFIX}x"},
            {"request": "x", "request_uri": "x"},
            {"request": unsigned(contents())},
        ):
            for more in ({}, {"redirect_uri": EVIL}):
                self.assertPage(self.bring(**sent, **more), str(sent))
                self.assertPage(self.bring("nobody", **sent, **more), str(sent))


class SentOutTests(HostileCase):
    """Row 16: nobody makes us ask an address that the client did not register."""

    def test_table(self) -> None:
        """Addresses of our own network, of files, and such as look like the registered one."""
        for uri in (
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/",
            "http://localhost:6379/",
            "file:///etc/passwd",
            "gopher://localhost/",
            "data:text/plain,x",
            OBJECT_URI.replace("https", "http"),
            f"{OBJECT_URI}?",
            f"{OBJECT_URI}/../x",
            OBJECT_URI.replace("notes.", "notes.example.org@evil."),
            OBJECT_URI.replace("notes.example.org", "notes.example.org."),
            f"{OBJECT_URI}\\@evil.example",
            f"{OBJECT_URI}#{'x' * 600}",
        ):
            self.assertPage(self.bring(request_uri=uri), uri)
            self.assertPage(self.bring("other", request_uri=f"{uri}x"), uri)
        self.assertEqual(self.daemon.web.asked, [])

    def test_what_is_there(self) -> None:
        """Whatever stands at the registered address, only a good object counts, and nothing of it is shown."""
        for content in (b"root:x:0:0", b"\xff\xfe", b"", unsigned(contents()).encode(), b"x" * 100_000):
            self.daemon.web.pages[OBJECT_URI] = content
            visit = self.bring(request_uri=OBJECT_URI)
            self.assertPage(visit, repr(content[:20]))
            self.assertNotIn(b"root:x", visit.answer.body)


class PushedTests(HostileCase):
    """Rows 6, 7 and 25: references and what is kept for them."""

    def push(self, client_id: str = "signing", secret: str = SIGNING.secret, **changes: str) -> str:
        """Push a request; returns its reference, or the error."""
        sent = {"client_id": client_id, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
        sent |= {"client_secret": secret} if secret else {}
        answer = self.daemon.post(self.daemon.settings.paths.par, urlencode({**sent, **changes}))
        if answer.status != 201:
            return error_of(answer)[1]
        return str(json_of(answer)["request_uri"])

    def test_replay(self) -> None:
        """A reference that was answered is worth nothing, whoever brings it."""
        reference = self.push()
        self.assertTrue(self.bring(request_uri=reference).left)

        self.assertPage(self.bring(request_uri=reference))

    def test_reference_of_another(self) -> None:
        """Row 6: a reference is bound to its client."""
        self.assertPage(self.bring("other", request_uri=self.push()))

    def test_in_the_name_of_another(self) -> None:
        """Row 12: an object in the name of a client does not let somebody else push for it."""
        self.assertEqual(self.push(secret="", request=signed(contents())), "invalid_client")
        self.assertEqual(self.push("other", request=signed(contents(), p256_key(9))), "invalid_request_object")

    def test_proof_key(self) -> None:
        """Row 7: PKCE can not be left out by pushing, nor taken away by what stands beside the reference."""
        self.assertEqual(self.push(PUBLIC.client_id, ""), "invalid_request")

    def test_nothing_secret_is_kept(self) -> None:
        """Row 25: the store has nothing of what the client proved itself with, and no reference that would work."""
        store = SpyingStore()
        self.daemon = Daemon(clients=OBJECT_CLIENTS, store=store)
        reference = self.push()
        self.assertTrue(reference.startswith(PREFIX), reference)

        written = " ".join(store.written)
        self.assertIn("par:", written)
        self.assertNotIn(SIGNING.secret, written)
        self.assertNotIn(reference.removeprefix(PREFIX), written)

    def test_nothing_of_a_request_is_kept(self) -> None:
        """Row 25: nor what the request says, about the client as about a person: not even a hint, which is a token."""
        store = SpyingStore()
        self.daemon = Daemon(clients=OBJECT_CLIENTS, store=store)
        marked = {name: f"c4n4ry-{name}" for name in ("state", "nonce", "login_hint", "acr_values")}
        self.assertTrue(self.push(**marked).startswith(PREFIX))

        self.assertNotIn("c4n4ry", " ".join(store.written))


class SpyingStore(MemoryStore):
    """A store that remembers what was written.

    Attributes:
        written: keys and values.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(FixedClock())
        self.written: list[str] = []

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        self.written += [key, value]
        await super().put(key, value, ttl)
