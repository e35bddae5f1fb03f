"""The protocol's endpoints under their URLs: keys and metadata, userinfo, and that every route answers."""

import json
from base64 import urlsafe_b64encode
from hashlib import blake2b
from urllib.parse import urlsplit

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.device import GRANT_TYPE as DEVICE_CODE
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.response_type import ALL
from konnectd.protocol.vocabulary import AuthMethod
from konnectd.web.route import Cors
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import SIGNED, Daemon, ring
from tests.support.connection import Heard, request
from tests.support.fakes import claims_of, header_of
from tests.support.people import ALICE
from tests.support.requests import ISSUER, MAIL, NOTES, PAGE
from tests.support.visitor import Visitor

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/konnect/v1/jwks.json"
USERINFO = "/konnect/v1/userinfo"


class RouteTests(SynchronousTestCase):
    """Every route of the assembled daemon."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon()

    def test_every_route_answers(self) -> None:
        """Without any parameter each of them says something sensible, and none fails."""
        for route in self.daemon.assembly.routes:
            for method in route.methods:
                answer = self.daemon.ask(method, route.path)
                # Without a client there is no logo, which is all that its route can say.
                sensible = {404} if route.name == "client-logo" else {200, 302, 303, 400, 401, 403}
                with self.subTest(path=route.path, method=method):
                    self.assertIn(answer.status, sensible)

    def test_other_methods(self) -> None:
        """What a route is not there for is refused with the methods it is there for."""
        for route in self.daemon.assembly.routes:
            for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - set(route.methods):
                answer = self.daemon.ask(method, route.path)
                with self.subTest(path=route.path, method=method):
                    self.assertEqual(answer.status, 405)
                    self.assertIn(route.methods[0], answer.header("Allow"))

    def test_scripts_of_others(self) -> None:
        """Scripts read what is public and what a token is shown for; nothing that hangs on a cookie."""
        readable = {route.name for route in self.daemon.assembly.routes if route.cors is Cors.ANY_ORIGIN}
        for route in self.daemon.assembly.routes:
            answer = self.daemon.ask(route.methods[0], route.path, "Origin: https://page.example")
            with self.subTest(path=route.path):
                allowed = "*" if route.name in readable else ""
                self.assertEqual(answer.header("Access-Control-Allow-Origin"), allowed)
                self.assertEqual(answer.header("Access-Control-Allow-Credentials"), "")

        public = {"device-authorization", "discovery", "jwks", "oauth-metadata", "par", "revoke", "token", "userinfo"}
        self.assertEqual(readable, public)

    def test_preflight(self) -> None:
        """A single-page application may send its token and its credentials."""
        for path in (USERINFO, "/konnect/v1/token"):
            answer = self.daemon.ask(
                "OPTIONS", path, "Origin: https://page.example", "Access-Control-Request-Method: POST"
            )
            with self.subTest(path=path):
                self.assertEqual(answer.status, 204)
                self.assertIn("authorization", answer.header("Access-Control-Allow-Headers").lower())

    def test_health_check(self) -> None:
        """Supervisors get an empty answer that no proxy keeps."""
        answer = self.daemon.get("/health-check")

        self.assertEqual((answer.status, answer.body, answer.header("Cache-Control")), (200, b"", "no-store"))

    def test_no_such_page(self) -> None:
        """An address that leads nowhere is a page for people."""
        answer = self.daemon.get("/konnect/v1/register")

        self.assertEqual((answer.status, answer.header("Content-Type")), (404, "text/html; charset=utf-8"))


class DocumentTests(SynchronousTestCase):
    """Keys and metadata: bytes made once."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon()

    def test_headers(self) -> None:
        """They may be kept for some minutes by anybody, and asked for again by their tag."""
        for path, media_type in ((DISCOVERY, "application/json; charset=utf-8"), (JWKS, "application/jwk-set+json")):
            answer = self.daemon.get(path)
            with self.subTest(path=path):
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.header("Content-Type"), media_type)
                self.assertEqual(answer.header("Cache-Control"), "public, max-age=300")
                self.assertRegex(answer.header("ETag"), r'\A"[0-9a-f]{32}"\Z')

    def test_same_bytes(self) -> None:
        """The answer does not depend on who asks and when, nor on the parameters of a curious proxy."""
        for path in (DISCOVERY, JWKS):
            first = self.daemon.get(path)
            self.daemon.clock.advance(1000)
            second = self.daemon.connect().ask(
                request(
                    "GET", f"{path}?x=%00&x", "Cookie: a=b", "X-Forwarded-Host: evil.example", host="Host: evil.example"
                )
            )
            with self.subTest(path=path):
                self.assertEqual((first.body, first.header("ETag")), (second.body, second.header("ETag")))
                self.assertNotIn(b"evil", second.body)

    def test_unchanged(self) -> None:
        """Whoever has the bytes already gets none. Spec: RFC 9110 13.1.2."""
        for path in (DISCOVERY, JWKS):
            tag = self.daemon.get(path).header("ETag")
            for sent, status in (
                (tag, 304),
                (f"W/{tag}", 304),
                (f'"other", {tag}', 304),
                ("*", 304),
                ('"other"', 200),
                (tag[:-2] + '"', 200),
                ("", 200),
            ):
                answer = self.daemon.get(path, f"If-None-Match: {sent}")
                with self.subTest(path=path, sent=sent):
                    self.assertEqual((answer.status, bool(answer.body)), (status, status == 200))
                    self.assertEqual(answer.header("ETag"), tag)
                    self.assertEqual(answer.header("Access-Control-Allow-Origin"), "*")

    def test_keys_are_public(self) -> None:
        """Each has an id of its own and nothing that signs. Spec: RFC 7517 9.3; OIDC Core 10.1."""
        keys = json.loads(self.daemon.get(JWKS).body)["keys"]

        self.assertEqual({key["kid"] for key in keys}, {"es256-1", "ps256-1", "default"})
        self.assertEqual(len(keys), 3)
        private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
        self.assertEqual([key["kid"] for key in keys if private & key.keys()], [])


class MetadataTests(SynchronousTestCase):
    """Discovery says exactly what is true."""

    def metadata(self, daemon: Daemon) -> dict[str, object]:
        """Return the document."""
        return json_of(daemon.get(DISCOVERY))

    def test_every_endpoint_is_there(self) -> None:
        """What it names is served under the issuer's host, with and without a base path."""
        for words, issuer in (
            ((), ISSUER),
            (("--uri-base-path=/sub",), f"{ISSUER}/sub"),
            ((), "http://localhost:8777"),
            (("--uri-base-path=/a/b",), "https://[::1]:8443/a/b/"),
        ):
            daemon = Daemon(*words, issuer=issuer)
            document = self.metadata(daemon)
            paths = {route.path for route in daemon.assembly.routes}
            named = [str(value) for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
            with self.subTest(issuer=issuer):
                self.assertEqual(document["issuer"], issuer)
                self.assertGreaterEqual(len(named), 5)
                self.assertEqual({url for url in named if not url.startswith(f"{daemon.origin}/")}, set())
                self.assertEqual({urlsplit(url).path for url in named} - paths, set())

    def test_what_is_supported(self) -> None:
        """What can be done is in it, what can not be done is not."""
        document = self.metadata(Daemon())

        expected = {
            "response_types_supported": list(ALL),
            "response_modes_supported": ["form_post", "fragment", "query"],
            "grant_types_supported": [
                "authorization_code",
                "client_credentials",
                DEVICE_CODE,
                "refresh_token",
                "implicit",
            ],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": [str(method) for method in AuthMethod],
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "claims_parameter_supported": True,
            "request_parameter_supported": True,
            "request_uri_parameter_supported": True,
            "authorization_response_iss_parameter_supported": True,
            "id_token_signing_alg_values_supported": list(ring().algorithms),
            "userinfo_signing_alg_values_supported": list(ring().algorithms),
        }
        self.assertEqual({name: document.get(name) for name in expected}, expected)
        self.assertNotIn("registration_endpoint", document)

    def test_no_empty_lists(self) -> None:
        """A list with nothing in it is left out. Spec: RFC 8414 3.2."""
        self.assertEqual([name for name, value in self.metadata(Daemon()).items() if value in ([], "", None)], [])

    def test_languages(self) -> None:
        """The languages of the pages are told, and each of them is what a page is served in."""
        daemon = Daemon()
        tags = self.metadata(daemon)["ui_locales_supported"]
        shown = [
            daemon.get(f"/signin/v1/identifier/_/signin?ui_locales={tag}").header("Content-Language")
            for tag in tags  # type: ignore[attr-defined]
        ]

        self.assertIn("en", shown)
        self.assertEqual(shown, tags)

    def test_scopes(self) -> None:
        """Exactly the scopes it names are granted, whether the operator chose them or not."""
        for words in ((), ("--allow-scope=email", "--allow-scope=calendar")):
            daemon = Daemon(*words)
            named = self.metadata(daemon)["scopes_supported"]
            asked = "openid profile email groups offline_access calendar konnect/id konnect/uuid konnect/raw_sub other"
            granted = Application(daemon).tokens(scope=asked)["scope"].split()
            with self.subTest(words=words):
                self.assertEqual(set(granted), set(named) & set(asked.split()))  # type: ignore[call-overload]
                self.assertEqual(named[0], "openid")  # type: ignore[index]

    def test_claims(self) -> None:
        """Every claim of an ID token and of userinfo is named, and none that nobody can be granted."""
        own = {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "amr", "acr", "azp"}
        for words in ((), ("--allow-scope=email",)):
            daemon = Daemon(*words)
            tokens = Application(daemon).tokens(scope="openid profile email groups konnect/id konnect/uuid")
            shown = json_of(Application(daemon).userinfo(tokens["access_token"])).keys()
            with self.subTest(words=words):
                self.assertEqual(claims_of(tokens["id_token"]).keys() - own, set())
                self.assertEqual(set(self.metadata(daemon)["claims_supported"]), own | shown)  # type: ignore[call-overload]


class UserinfoTests(SynchronousTestCase):
    """Who the bearer of an access token may learn about."""

    def setUp(self) -> None:
        """Let Alice give an application a token."""
        self.daemon = Daemon()
        self.app = Application(self.daemon)
        self.scope = "openid profile email groups konnect/id konnect/uuid"
        self.token = self.app.tokens(scope=self.scope)["access_token"]

    def posted(self, body: str, *headers: str) -> Heard:
        """Post a form to the endpoint."""
        return self.daemon.post(USERINFO, body, *headers)

    def test_three_ways(self) -> None:
        """The token comes in the header, by GET or POST, or in a posted form. Spec: RFC 6750 2.1 and 2.2."""
        header = f"Authorization: Bearer {self.token}"
        answers = [
            self.daemon.get(USERINFO, header),
            self.daemon.get(USERINFO, f"authorization: bearer {self.token}"),
            self.daemon.ask("POST", USERINFO, header),
            self.posted("", header),
            self.posted(f"access_token={self.token}"),
        ]

        for answer in answers:
            self.assertEqual((answer.status, answer.body), (200, answers[0].body))
            self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_claims(self) -> None:
        """All that was granted is told, under Konnect's names."""
        self.assertEqual(
            json_of(self.app.userinfo(self.token)),
            {
                "sub": public_subject("alice", "identifier-test"),
                "name": "Alice Liddell",
                "family_name": "Liddell",
                "given_name": "Alice",
                "preferred_username": "alice",
                "email": "alice@example.org",
                "email_verified": True,
                "groups": ["wonderland", "readers"],
                "id": 1001,
                "username": "alice",
                "kc.uuid": ALICE.unique_id,
            },
        )

    def test_subject(self) -> None:
        """``sub`` is what it has always been, so that accounts at clients stay. Spec: OIDC Core 8."""
        digest = blake2b(b"alice identifier-test", key=b"konnect-IDToken-v1").digest()
        sub = json_of(self.app.userinfo(self.token))["sub"]

        self.assertEqual(sub, urlsafe_b64encode(digest).decode().rstrip("=") + "@konnect")
        self.assertEqual(sub, claims_of(self.app.tokens()["id_token"])["sub"])

    def test_raw_subject(self) -> None:
        """Who is granted it gets the backend's own subject, in the ID token too; the access token keeps the other."""
        tokens = self.app.tokens(scope="openid konnect/raw_sub")
        told = json_of(self.app.userinfo(tokens["access_token"]))["sub"]

        self.assertEqual((told, claims_of(tokens["id_token"])["sub"]), ("alice", "alice"))
        self.assertEqual(claims_of(tokens["access_token"])["sub"], public_subject("alice", "identifier-test"))

    def test_least(self) -> None:
        """Without further scopes there is the subject and nothing else."""
        for app in (self.app, Application(self.daemon, PAGE), Application(self.daemon, NOTES)):
            visitor = Visitor(self.daemon)
            visit = app.sign_in(visitor, scope="openid")
            visit = visit if visit.left else visitor.submit(visit, allow="1")
            token = json_of(app.redeem(app.told(visit)["code"]))["access_token"]

            self.assertEqual(json_of(app.userinfo(token)).keys(), {"sub"})

    def test_signed(self) -> None:
        """A client that was registered so gets it signed by the algorithm it named. Spec: OIDC Core 5.3.2."""
        app = Application(self.daemon, SIGNED)
        answer = app.userinfo(app.tokens(scope="openid email")["access_token"])

        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "application/jwt"))
        self.assertEqual(answer.header("Cache-Control"), "no-store")
        jws = answer.body.decode()
        verified = self.daemon.world.verifier.verify(jws)
        self.assertEqual(header_of(jws)["alg"], "RS256")
        self.assertEqual(
            verified,
            {
                "sub": public_subject("alice", "identifier-test"),
                "email": "alice@example.org",
                "email_verified": True,
                "iss": ISSUER,
                "aud": "signed",
            },
        )

    def test_no_token(self) -> None:
        """Who shows nothing is asked for a token, without an error. Spec: RFC 6750 3.1."""
        for answer in (
            self.daemon.get(USERINFO),
            self.daemon.get(f"{USERINFO}?access_token={self.token}"),
            self.daemon.get(USERINFO, "Authorization: Basic YTpi"),
            self.posted("other=1"),
        ):
            self.assertEqual((answer.status, answer.header("WWW-Authenticate")), (401, 'Bearer realm="konnectd"'))

    def test_bad_requests(self) -> None:
        """Each broken rule has the code and status of its specification, and a challenge. Spec: RFC 6750 3."""
        bearer = f"Authorization: Bearer {self.token}"
        for answer, expected in (
            (self.posted(f"access_token={self.token}", bearer), (400, "invalid_request")),
            (self.posted(f"access_token={self.token}&access_token={self.token}"), (400, "invalid_request")),
            (self.daemon.get(USERINFO, "Authorization: Bearer"), (400, "invalid_request")),
            (self.daemon.get(USERINFO, "Authorization: Bearer a b"), (400, "invalid_request")),
            (self.daemon.get(USERINFO, bearer, bearer), (400, "invalid_request")),
            (self.daemon.get(USERINFO, "Authorization: Bearer a.b.c"), (401, "invalid_token")),
            (self.daemon.ask("POST", USERINFO, "Content-Type: text/plain", body=b"x"), (400, "invalid_request")),
        ):
            self.assertEqual(error_of(answer), expected)
            if answer.status == 401:
                self.assertIn('error="invalid_token"', answer.header("WWW-Authenticate"))

    def test_end(self) -> None:
        """A token is good for ten minutes and not a second more."""
        self.daemon.clock.advance(599)
        self.assertEqual(self.app.userinfo(self.token).status, 200)
        self.daemon.clock.advance(1)

        self.assertEqual(error_of(self.app.userinfo(self.token)), (401, "invalid_token"))

    def test_person_is_gone(self) -> None:
        """A token of somebody who may not sign in any more is worth nothing."""
        del self.daemon.people.users["alice"]

        self.assertEqual(error_of(self.app.userinfo(self.token)), (401, "invalid_token"))

    def test_backend_is_silent(self) -> None:
        """Then the client is told to come back, and the token is still good."""
        self.daemon.people.silent = True
        answer = self.app.userinfo(self.token)
        self.daemon.people.silent = False

        self.assertEqual((*error_of(answer), answer.header("Retry-After")), (503, "temporarily_unavailable", "5"))
        self.assertEqual(self.app.userinfo(self.token).status, 200)

    def test_client_is_gone(self) -> None:
        """A token whose client was struck off the register shows nothing."""
        other = Daemon(clients=(NOTES,))

        self.assertEqual(MAIL.client_id, claims_of(self.token)["aud"])
        self.assertEqual(error_of(Application(other).userinfo(self.token)), (401, "invalid_token"))
