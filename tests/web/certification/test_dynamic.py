"""The dynamic plan: clients that register themselves, module by module.

The plan leaves the response type open; here it is mostly ``code``. The modules about request objects are in
`tests.web.certification.test_requests`; what a registration has to do with them is here.
"""

import json
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.keys import KeyRing, PrivateKey
from tests.support.application import error_of, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of, header_of
from tests.support.keys import p256_key, rsa_key
from tests.support.logos import PNG
from tests.support.markup import elements
from tests.support.registering import ON, SelfRegistered, register
from tests.support.request_objects import signed
from tests.support.requests import CALLBACK, ISSUER
from tests.support.visitor import Visitor

KEYS_URI = "https://notes.example.org/keys.json"
#: Keys of a client, none of them ours.
CLIENT_KEY, NEXT_KEY = p256_key(7), p256_key(8)


def key_set(*keys: PrivateKey) -> dict[str, object]:
    """Return the public keys a client publishes."""
    return {"keys": [key.public.to_jwk() for key in keys]}


class DynamicCase(SynchronousTestCase):
    """A daemon where everybody may register, and a client that signs its proofs, as the plan has it."""

    def setUp(self) -> None:
        """Begin anew."""
        self.daemon = Daemon(ON)

    def client(self, **members: object) -> SelfRegistered:
        """Register a client as the plan does it."""
        return SelfRegistered.begin(
            self.daemon,
            CLIENT_KEY,
            **{"token_endpoint_auth_method": "private_key_jwt", "jwks": key_set(CLIENT_KEY), **members},
        )


class RegistrationTests(DynamicCase):
    """What is told at registration."""

    def test_answer(self) -> None:
        """201, JSON; with a secret comes its end; the place and the token to manage it come together."""
        for method in ("client_secret_basic", "client_secret_post", "private_key_jwt", "none"):
            keys = {"jwks": key_set(CLIENT_KEY)} if method == "private_key_jwt" else {}
            answer = register(self.daemon, {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": method, **keys})
            content = json_of(answer)
            with self.subTest(method=method):
                self.assertEqual((answer.status, answer.header("Cache-Control")), (201, "no-store"))
                self.assertTrue(content["client_id"])
                self.assertEqual("client_secret" in content, method.startswith("client_secret"))
                self.assertEqual("client_secret_expires_at" in content, "client_secret" in content)
                self.assertTrue(content["registration_client_uri"].startswith("https://"))
                self.assertTrue(content["registration_access_token"])
                self.assertEqual(content["redirect_uris"], [CALLBACK])

    def test_discovery(self) -> None:
        """``oidcc-discovery-endpoint-verification``: what the dynamic plan wants to be there."""
        metadata = json_of(self.daemon.get("/.well-known/openid-configuration"))

        self.assertLessEqual({"code", "id_token", "id_token token"}, set(metadata["response_types_supported"]))
        self.assertLessEqual({"authorization_code", "implicit"}, set(metadata["grant_types_supported"]))
        self.assertIn("RS256", metadata["id_token_signing_alg_values_supported"])
        self.assertEqual(metadata["registration_endpoint"], f"{ISSUER}/konnect/v1/register")

    def test_end(self) -> None:
        """Every module that registered a client ends with a DELETE, which has to be answered 204 and nothing."""
        answer = self.client().manage("DELETE")

        self.assertEqual((answer.status, answer.body), (204, b""))

    def test_regfrag(self) -> None:
        """``oidcc-redirect-uri-regfrag``: a fragment can not be registered."""
        answer = register(self.daemon, {"redirect_uris": [f"{CALLBACK}#foobar"]})

        self.assertEqual(error_of(answer), (400, "invalid_redirect_uri"))

    def test_jwks_uri(self) -> None:
        """``oidcc-registration-jwks-uri``: keys that stand elsewhere prove the client as well."""
        self.daemon.web.publish(KEYS_URI, key_set(CLIENT_KEY))
        app = self.client(jwks=None, jwks_uri=KEYS_URI)

        self.assertEqual(app.told_at_start["jwks_uri"], KEYS_URI)
        self.assertEqual(app.redeem(app.code()).status, 200)


class PageTests(DynamicCase):
    """What people are shown of a registration."""

    def test_links(self) -> None:
        """``oidcc-registration-policy-uri`` and ``-tos-uri``: people can read both before they sign in, and agree."""
        policy, terms = "https://notes.example.org/privacy", "https://notes.example.org/terms"
        for members in ({}, {"policy_uri": policy}, {"tos_uri": terms}, {"policy_uri": policy, "tos_uri": terms}):
            app, visitor = self.client(**members), Visitor(self.daemon)
            for page in (app.arrive(visitor), app.sign_in(visitor)):
                links = {e.attributes["href"] for e in elements(page.answer.body) if e.name == "a"}
                with self.subTest(members=members, page=page.title):
                    self.assertEqual(links & {policy, terms}, set(members.values()))

    def test_logo(self) -> None:
        """``oidcc-registration-logo-uri``: people see it before they sign in, and agree; it comes from us."""
        logo = "https://notes.example.org/logo.png"
        self.daemon.web.pages[logo] = PNG
        app, visitor = self.client(logo_uri=logo), Visitor(self.daemon)

        self.assertEqual(app.told_at_start["logo_uri"], logo)
        for page in (app.arrive(visitor), app.sign_in(visitor)):
            shown = [e.attributes["src"] for e in elements(page.answer.body) if e.name == "img"]
            with self.subTest(page=page.title):
                self.assertEqual(self.daemon.get(shown[-1]).body, PNG)
                self.assertNotIn(logo.encode(), page.answer.body)


class SignatureTests(DynamicCase):
    """How what is given out is signed."""

    def test_rs256(self) -> None:
        """``oidcc-idtoken-rs256``: RS256 is what a client gets that asks for it, or for nothing."""
        for members in ({"id_token_signed_response_alg": "RS256"}, {}):
            tokens = self.client(**members).tokens()
            with self.subTest(members=members):
                self.assertEqual(header_of(tokens["id_token"])["alg"], "RS256")

    def test_unsigned(self) -> None:
        """``oidcc-idtoken-unsigned``: not offered, and refused."""
        answer = register(self.daemon, {"redirect_uris": [CALLBACK], "id_token_signed_response_alg": "none"})

        self.assertEqual(error_of(answer), (400, "invalid_client_metadata"))

    def test_userinfo(self) -> None:
        """``oidcc-userinfo-rs256``: a JWT of ours for this client, with no nonce in it."""
        app = self.client(userinfo_signed_response_alg="RS256")
        answer = app.userinfo(app.tokens()["access_token"])
        token = answer.body.decode()
        claims = self.daemon.world.verifier.verify(token) or {}

        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "application/jwt"))
        self.assertEqual(header_of(token)["alg"], "RS256")
        self.assertEqual((claims["iss"], claims["aud"]), (ISSUER, app.client.client_id))
        self.assertNotIn("nonce", claims)


class RedirectUriTests(DynamicCase):
    """Where answers go: nowhere but to what was registered, byte for byte."""

    def assertPage(self, app: SelfRegistered, **changes: str | None) -> None:
        """Fail unless the browser stays with us and is told."""
        visit = app.arrive(Visitor(self.daemon), **changes)

        self.assertFalse(visit.left)
        self.assertEqual(visit.answer.status, 400)

    def test_missing(self) -> None:
        """``oidcc-ensure-redirect-uri-in-authorization-request``: of two, nobody guesses one."""
        self.assertPage(self.client(redirect_uris=[CALLBACK, f"{CALLBACK}2"]), redirect_uri=None)

    def test_query_ok(self) -> None:
        """``oidcc-redirect-uri-query-OK``: a query that was registered stays."""
        app = self.client(redirect_uris=[f"{CALLBACK}?foo=bar"])

        self.assertEqual(app.told(app.run_through())["foo"], "bar")

    def test_query_mismatch(self) -> None:
        """``oidcc-redirect-uri-query-mismatch``."""
        self.assertPage(
            self.client(redirect_uris=[f"{CALLBACK}?foo=bar"]), redirect_uri=f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
        )

    def test_query_added(self) -> None:
        """``oidcc-redirect-uri-query-added``."""
        self.assertPage(self.client(), redirect_uri=f"{CALLBACK}?dummy1=lorem&dummy2=ipsum")


class SectorTests(DynamicCase):
    """Pairwise subjects."""

    URI = "https://sector.example.org/uris.json"

    def setUp(self) -> None:
        """Begin where there are pairwise subjects."""
        self.daemon = Daemon(ON, pairwise_salt=bytes(range(32)))

    def test_sector_uri(self) -> None:
        """``oidcc-registration-sector-uri``: it is fetched, and the client works."""
        self.daemon.web.pages[self.URI] = json.dumps([CALLBACK, "https://other.example.org/cb"]).encode()
        app = self.client(sector_identifier_uri=self.URI, subject_type="pairwise")

        self.assertEqual(app.told_at_start["sector_identifier_uri"], self.URI)
        self.assertEqual(app.redeem(app.code()).status, 200)

    def test_sector_bad(self) -> None:
        """``oidcc-registration-sector-bad``: a redirect URI that is not in the document refuses the client."""
        self.daemon.web.pages[self.URI] = json.dumps(["https://other.example.org/cb"]).encode()
        said = {"redirect_uris": [CALLBACK], "sector_identifier_uri": self.URI, "subject_type": "pairwise"}

        self.assertEqual(error_of(register(self.daemon, said)), (400, "invalid_client_metadata"))


class KeyTests(DynamicCase):
    """Keys of the client, and ours."""

    def test_rotation(self) -> None:
        """``oidcc-refresh-token-rp-key-rotation``: an unknown key is looked for where the client has its keys."""
        self.daemon.web.publish(KEYS_URI, key_set(CLIENT_KEY))
        app = self.client(
            jwks=None,
            jwks_uri=KEYS_URI,
            grant_types=["authorization_code", "refresh_token"],
        )
        tokens = app.tokens(scope="openid offline_access", prompt="consent")
        self.daemon.clock.advance(60)
        app.key = NEXT_KEY
        self.daemon.web.publish(KEYS_URI, key_set(NEXT_KEY))

        self.assertEqual(app.refresh(tokens["refresh_token"]).status, 200)

    def test_rotation_of_rsa_keys(self) -> None:
        """The same with RS256, which is what the module signs with."""
        first, second = (PrivateKey(kid, rsa_key(number).key) for kid, number in (("one", 7), ("two", 8)))
        self.daemon.web.publish(KEYS_URI, key_set(first))
        app = self.client(jwks=None, jwks_uri=KEYS_URI, grant_types=["authorization_code", "refresh_token"])
        app.key = first
        tokens = app.tokens(scope="openid offline_access", prompt="consent")
        self.daemon.clock.advance(60)
        app.key = second
        self.daemon.web.publish(KEYS_URI, key_set(second))

        self.assertEqual(app.refresh(tokens["refresh_token"], **app.proof(alg="RS256")).status, 200)

    def test_audience(self) -> None:
        """``oidcc-ensure-client-assertion-with-iss-aud-succeeds``: a proof may be for the issuer."""
        app = self.client()

        self.assertEqual(app.redeem(app.code(), **app.proof(aud=ISSUER)).status, 200)

    def test_our_keys(self) -> None:
        """Every key that signs is published; which these are the operator says."""
        published = {key["kid"] for key in json.loads(self.daemon.get("/konnect/v1/jwks.json").body)["keys"]}

        self.assertIn(header_of(self.client().tokens()["id_token"])["kid"], published)

    def test_rotation_of_ours(self) -> None:
        """``oidcc-server-rotate-keys``: a key put behind the first is new by id and by value, and nothing is gone."""
        first, second = PrivateKey("first", rsa_key(1).key), PrivateKey("second", rsa_key(2).key)
        before, after = (
            {(str(key["kid"]), str(key["n"])) for key in KeyRing(signing, (), "RS256").jwks()["keys"]}
            for signing in ((first,), (first, second))
        )

        ((kid, modulus),) = after - before
        self.assertLess(before, after)
        self.assertNotIn(kid, {known for known, _ in before})
        self.assertNotIn(modulus, {known for _, known in before})


class RequestUriTests(DynamicCase):
    """``oidcc-request-uri-signed-rs256`` and ``-unsigned``: addresses that are registered."""

    URI = "https://notes.example.org/request.jwt"

    def test_signed(self) -> None:
        """The object is fetched, checked by the keys of the registration, and used."""
        key = rsa_key(7)
        app = SelfRegistered.begin(
            self.daemon, request_object_signing_alg="RS256", request_uris=[self.URI], jwks=key_set(key)
        )
        inside = {"iss": app.client.client_id, "aud": ISSUER, **app.parameters(nonce="inside")}
        self.daemon.web.pages[self.URI] = signed(inside, key=key, alg="RS256").encode()
        tokens = app.tokens(request_uri=self.URI, nonce=None)

        self.assertEqual(claims_of(tokens["id_token"])["nonce"], "inside")

    def test_not_registered(self) -> None:
        """An address that was not registered is not asked."""
        app = SelfRegistered.begin(self.daemon, jwks=key_set(CLIENT_KEY))
        app.arrive(Visitor(self.daemon), request_uri=self.URI)

        self.assertNotIn(self.URI, self.daemon.web.asked)


class ResponseTypeTests(DynamicCase):
    """What a client registered is what it gets."""

    def test_not_registered(self) -> None:
        """A response type that was not registered is refused, at the client's own address."""
        app = self.client(response_types=["code"])
        visit = app.arrive(Visitor(self.daemon), response_type="id_token")

        self.assertTrue(visit.url.startswith(f"{CALLBACK}#"))
        self.assertIn(urlencode({"error": "unauthorized_client"}), visit.url)

    def test_implicit(self) -> None:
        """A client that registered for ID tokens alone gets one."""
        app = self.client(response_types=["id_token"], grant_types=["implicit"])
        visit = app.run_through(response_type="id_token", code_challenge=None, code_challenge_method=None)

        self.assertIn("id_token=", visit.url.partition("#")[2])
