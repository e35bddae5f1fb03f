"""One authorization as the certification tests look at it: where its answer stands, and what is in its tokens."""

import re
from math import log2
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.signing import KeyRingVerifier
from konnectd.protocol.client import Client
from konnectd.protocol.id_token import left_half_hash
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon, ring
from tests.support.connection import Heard
from tests.support.fakes import header_of
from tests.support.requests import CALLBACK, ISSUER, MAIL
from tests.support.visitor import Visit, Visitor

#: As long as the longest the tests send, with every unreserved character in it.
LONG_STATE = ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~" * 2)[:128]
VERIFIER = KeyRingVerifier(ring())
#: What an answer that refuses may hold.
OF_ERROR = frozenset({"error", "error_description", "error_uri", "state", "session_state", "iss"})
#: Characters of ``error`` and ``error_description``. Spec: RFC 6749 4.1.2.1 and 5.2.
_TEXT = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


def entropy_of(value: str) -> float:
    """Return how many bits a value has by the frequencies of its own characters, as the tests estimate it."""
    counts = [value.count(character) for character in set(value)]
    return -sum(count * log2(count / len(value)) for count in counts)


@frozen(kw_only=True)
class Told:
    """An answer and where it stood: ``query``, ``fragment`` or ``form``."""

    place: str
    parts: dict[str, str]


def told(visit: Visit) -> Told:
    """Read the answer a browser brings back, or is about to post.

    Raises:
        AssertionError: it stands in two places, a part is repeated, or there is none.
    """
    if visit.left:
        parts = urlsplit(visit.url)
        places = {"query": parse_qsl(parts.query), "fragment": parse_qsl(parts.fragment)}
        found = [(place, pairs) for place, pairs in places.items() if pairs]
    else:
        found = [("form", list(visit.fields.items()))] if visit.action == CALLBACK else []
    if len(found) != 1 or len(dict(found[0][1])) != len(found[0][1]):
        raise AssertionError(f"no one answer at {visit.url}: {found}")
    return Told(place=found[0][0], parts=dict(found[0][1]))


class CertificationCase(SynchronousTestCase):
    """A daemon, a client and a browser of its own for each test, as the certification tests have them."""

    client: Client = MAIL

    def setUp(self) -> None:
        """Begin anew."""
        self.daemon = Daemon()
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)

    def authorize(self, response_type: str, **changes: str | None) -> Told:
        """Send the browser through an authorization; it signs in when it is asked to."""
        visit = self.app.arrive(self.visitor, response_type=response_type, state=LONG_STATE, **changes)
        if "password" in visit.fields:
            visit = self.visitor.submit(visit, username="alice", password=self.daemon.people.passwords["alice"])
        return told(visit)

    def id_token(self, token: str, nonce: str = "nonce-1") -> dict[str, object]:
        """Check an ID token as every module does, and return its claims. Spec: OIDC Core 3.1.3.7."""
        claims = dict(VERIFIER.verify(token) or {})

        self.assertTrue(claims, "the signature is not ours")
        self.assertTrue(header_of(token)["kid"])
        self.assertEqual((claims["iss"], claims["aud"], claims["nonce"]), (ISSUER, self.client.client_id, nonce))
        self.assertLess(abs(int(str(claims["iat"])) - self.daemon.clock.now()), 300)
        return claims

    def check_hash(self, claims: dict[str, object], name: str, value: str, token: str) -> None:
        """Check ``at_hash`` or ``c_hash``. Spec: OIDC Core 3.2.2.9 and 3.3.2.10."""
        self.assertEqual(claims[name], left_half_hash(value, str(header_of(token)["alg"])))

    def check_refusal(self, parts: dict[str, str], *codes: str) -> None:
        """Check an answer that refuses as every module does: nothing is there twice, missing, or of a wrong kind."""
        self.assertIn(parts["error"], codes)
        self.assertEqual((parts["state"], parts["iss"]), (LONG_STATE, ISSUER))
        self.assertEqual(set(parts) - OF_ERROR, set())
        self.check_text(parts["error_description"])

    def check_text(self, text: str) -> None:
        """Check what a client's developer is told."""
        self.assertIsNotNone(_TEXT.fullmatch(text), text)

    def check_json(self, answer: Heard) -> None:
        """Check what an answer says that it is; a charset beside it does not matter."""
        self.assertEqual(answer.header("Content-Type").partition(";")[0], "application/json")

    def userinfo(self, access_token: str) -> dict[str, object]:
        """Return what an access token shows."""
        answer = self.app.userinfo(access_token)

        self.assertEqual(answer.status, 200)
        self.check_json(answer)
        return json_of(answer)
