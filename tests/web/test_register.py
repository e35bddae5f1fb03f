"""The registration endpoint over HTTP: who may, what is answered, and what a client that registered itself can do."""

import json

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.registration import PREFIX
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import run
from tests.support.registering import JSON_HEADER, ON, REGISTER, SelfRegistered, register
from tests.support.requests import CALLBACK
from tests.support.visitor import Visitor

GOOD = {"redirect_uris": [CALLBACK], "client_name": "Self-made"}
SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw"


class SwitchTests(SynchronousTestCase):
    """Whether there is such an endpoint at all."""

    def test_off(self) -> None:
        """Nobody registers unless the operator wants it, and ids of such clients are nobody's."""
        client_id = SelfRegistered.begin(Daemon(ON)).client.client_id
        daemon = Daemon()

        self.assertEqual(register(daemon, GOOD).status, 404)
        self.assertNotIn("registration_endpoint", json_of(daemon.get("/.well-known/openid-configuration")))
        self.assertEqual(Application(daemon).arrive(Visitor(daemon), client_id=client_id).answer.status, 400)

    def test_initial_token(self) -> None:
        """Where a token is asked for, only who shows it registers, and is told so as RFC 6750 says."""
        daemon = Daemon(ON, "--dynamic-registration-token=sesame")
        without, wrong = register(daemon, GOOD), register(daemon, GOOD, "Authorization: Bearer open")

        self.assertEqual((without.status, without.header("WWW-Authenticate")), (401, 'Bearer realm="konnectd"'))
        self.assertEqual((wrong.status, json_of(wrong)["error"]), (401, "invalid_token"))
        self.assertEqual(register(daemon, GOOD, "Authorization: Bearer sesame").status, 201)

    def test_base_path(self) -> None:
        """The address that is told is the one that answers, below a base path too."""
        daemon = Daemon(ON, "--uri-base-path=/sub", issuer="https://sso.example.com/sub")
        answer = daemon.ask("POST", "/sub" + REGISTER, JSON_HEADER, body=json.dumps(GOOD).encode())

        self.assertIn("https://sso.example.com/sub/konnect/v1/register?", json_of(answer)["registration_client_uri"])


class EndpointTests(SynchronousTestCase):
    """What is sent there, and what is answered."""

    def setUp(self) -> None:
        """Begin where everybody may register."""
        self.daemon = Daemon(ON)

    def test_every_method_without_anything(self) -> None:
        """Without a word each method is answered by an error, none by a fault."""
        for method, status in (("GET", 401), ("PUT", 401), ("DELETE", 401), ("POST", 400), ("PATCH", 405)):
            with self.subTest(method=method):
                self.assertEqual(self.daemon.ask(method, REGISTER).status, status)

    def test_hostile_bodies(self) -> None:
        """Whatever is posted, it is refused in JSON and never a fault."""
        for content_type, body in (
            ("application/json", b""),
            ("application/json", b"\xff\xfe"),
            ("application/json", b"{"),
            ("application/json", b"[]"),
            ("application/json", b"[" * 60_000),
            ("application/json", b'{"a":' * 10_000),
            (
                "application/json",
                b'{"redirect_uris": ["%s"], "redirect_uris": ["https://evil.example/"]}' % b"https://a/",
            ),
            ("application/json", b'{"default_max_age": NaN}'),
            ("application/json", b'{"default_max_age": ' + b"9" * 5000 + b"}"),
            ("application/json", b'{"redirect_uris": ["\\ud800"]}'),
            ("application/json", b'{"redirect_uris": ["https://a.example/"], "client_name": "\\ud800"}'),
            ("application/json", b'{"redirect_uris": ["https://a.example/"], "client_name": "\\u0000"}'),
            ("application/x-www-form-urlencoded", b"redirect_uris=https://a.example/"),
            ("text/plain", json.dumps(GOOD).encode()),
            ("application/jsonx", json.dumps(GOOD).encode()),
        ):
            answer = self.daemon.ask("POST", REGISTER, f"Content-Type: {content_type}", body=body)
            with self.subTest(body=body[:60]):
                self.assertEqual(answer.status, 400)
                self.assertIn(json_of(answer)["error"], {"invalid_client_metadata", "invalid_redirect_uri"})

    def test_hostile_keys(self) -> None:
        """Whatever stands in a key, the answer is clear, and so is that to whoever then names the client."""
        deep: object = "deep"
        for _ in range(600):
            deep = [deep]
        for key in (
            {"kty": []},
            {"kty": {}},
            {"kty": "EC", "crv": "P-256", "note": deep},
            {"kty": "EC", "crv": "P-256", "x": deep},
            {"kty": "EC", "note": float("nan")},
        ):
            answer = register(self.daemon, {**GOOD, "jwks": {"keys": [key]}})
            self.assertIn(answer.status, {201, 400})
            if answer.status == 201:
                app = Application(Daemon(ON), Client(client_id=json_of(answer)["client_id"]))
                self.assertEqual(app.arrive(Visitor(app.daemon)).answer.status, 200)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_content_type(self) -> None:
        """JSON may say its charset."""
        body = json.dumps(GOOD).encode()

        self.assertEqual(
            self.daemon.ask("POST", REGISTER, "Content-Type: Application/JSON; charset=utf-8", body=body).status, 201
        )

    def test_too_long(self) -> None:
        """A body beyond the server's limit is not read."""
        answer = self.daemon.ask("POST", REGISTER, JSON_HEADER, body=b"[" + b" " * 70_000)

        self.assertEqual(answer.status, 413)

    def test_no_scripts(self) -> None:
        """Scripts of other origins can not read it."""
        answer = register(self.daemon, GOOD, "Origin: https://page.example")

        self.assertEqual(answer.header("Access-Control-Allow-Origin"), "")


class ManagementTests(SynchronousTestCase):
    """A client and its registration. Spec: RFC 7592."""

    def setUp(self) -> None:
        """Begin with a client that registered itself."""
        self.daemon = Daemon(ON)
        self.app = SelfRegistered.begin(self.daemon, client_name="Self-made")

    def test_read(self) -> None:
        """It sees what is registered; nobody keeps such an answer."""
        answer = self.app.manage("GET")

        self.assertEqual((answer.status, answer.header("Cache-Control")), (200, "no-store"))
        self.assertEqual(json_of(answer)["client_name"], "Self-made")

    def test_update(self) -> None:
        """A redirect URI it changed is good from then on, and the one before is not."""
        new = "https://notes.example.org/new"
        said = {"client_id": self.app.client.client_id, "redirect_uris": [new]}
        answer = self.app.manage("PUT", said)

        self.assertEqual((answer.status, json_of(answer)["redirect_uris"]), (200, [new]))
        self.assertEqual(self.app.arrive(Visitor(self.daemon)).answer.status, 400)
        self.assertIn("password", self.app.arrive(Visitor(self.daemon), redirect_uri=new).fields)

    def test_delete(self) -> None:
        """A client that left can do nothing any more: no new request, and no use of what it has."""
        tokens = self.app.tokens()
        answer = self.app.manage("DELETE")

        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(self.app.manage("GET").status, 401)
        self.assertEqual(self.app.arrive(Visitor(self.daemon)).answer.status, 400)
        self.assertEqual(self.app.userinfo(tokens["access_token"]).status, 401)
        self.assertEqual(error_of(self.app.redeem("x")), (401, "invalid_client"))

    def test_others(self) -> None:
        """Neither another client's token nor any other token of ours manages it."""
        other = SelfRegistered.begin(self.daemon, client_name="Other")
        tokens = self.app.tokens()
        for token in (
            other.told_at_start["registration_access_token"],
            tokens["access_token"],
            tokens["id_token"],
            self.app.client.client_id.removeprefix(PREFIX),
            self.app.client.secret,
        ):
            for method in ("GET", "PUT", "DELETE"):
                with self.subTest(token=token[:30], method=method):
                    said = GOOD if method == "PUT" else None
                    self.assertEqual(self.app.manage(method, said, token=token).status, 401)
        self.assertEqual(self.app.manage("GET").status, 200)

    def test_its_token_is_no_other(self) -> None:
        """The token that manages a client opens nothing else."""
        token = self.app.told_at_start["registration_access_token"]

        self.assertEqual(self.app.userinfo(token).status, 401)
        self.assertEqual(self.app.arrive(Visitor(self.daemon), client_id=f"{PREFIX}{token}").answer.status, 400)
        hinted = self.app.told(self.app.arrive(Visitor(self.daemon), id_token_hint=token))
        self.assertEqual(hinted["error"], "invalid_request")


class ClientTests(SynchronousTestCase):
    """What a client can do that registered itself."""

    def setUp(self) -> None:
        """Begin where everybody may register."""
        self.daemon = Daemon(ON)

    def test_whole_run(self) -> None:
        """Whatever way of authentication it chose, a person signs in, agrees, and it gets their claims."""
        for method in ("client_secret_basic", "client_secret_post", "client_secret_jwt", "none"):
            app = SelfRegistered.begin(self.daemon, token_endpoint_auth_method=method)
            with self.subTest(method=method):
                self.assertEqual(json_of(app.userinfo(app.tokens()["access_token"]))["sub"][-8:], "@konnect")

    def test_never_trusted(self) -> None:
        """People are asked, whatever it says about itself."""
        app = SelfRegistered.begin(self.daemon, trusted=True, insecure=True, client_name="Mail")
        page = app.sign_in(Visitor(self.daemon))

        self.assertTrue(page.path.endswith("/consent"))

    def test_only_its_method(self) -> None:
        """A client proves itself in the way it registered and in no other."""
        app = SelfRegistered.begin(self.daemon, token_endpoint_auth_method="client_secret_post")
        answer = app.ask_token(app.basic(), grant_type="authorization_code", code=app.code(), redirect_uri=CALLBACK)

        self.assertEqual(error_of(answer), (401, "invalid_client"))

    def test_public_needs_pkce(self) -> None:
        """A client without a secret is bound to its codes by PKCE."""
        app = SelfRegistered.begin(self.daemon, token_endpoint_auth_method="none")
        told = app.told(app.arrive(Visitor(self.daemon), code_challenge=None, code_challenge_method=None))

        self.assertEqual(told["error"], "invalid_request")

    def test_default_max_age(self) -> None:
        """A logon older than the client wants is not enough, unless the request itself says otherwise."""
        app = SelfRegistered.begin(self.daemon, default_max_age=60)
        visitor = Visitor(self.daemon)
        app.run_through(visitor)
        self.daemon.clock.advance(61)

        self.assertIn("password", app.arrive(visitor).fields)
        self.assertNotIn("password", app.arrive(visitor, max_age="1000").fields)

    def test_auth_time(self) -> None:
        """Who asks for ``auth_time`` always gets it. Spec: OIDC Registration 2 (``require_auth_time``)."""
        app = SelfRegistered.begin(self.daemon, require_auth_time=True)
        claims = self.daemon.world.verifier.verify(app.tokens()["id_token"]) or {}

        self.assertEqual(claims["auth_time"], self.daemon.clock.now())

    def test_expired_secret(self) -> None:
        """With an expired secret it can not redeem codes, but people can still get to it (P27)."""
        self.daemon = Daemon(ON, "--dynamic-client-secret-expiration=100")
        app = SelfRegistered.begin(self.daemon)
        self.daemon.clock.advance(100)

        self.assertEqual(error_of(app.redeem(app.code())), (401, "invalid_client"))

    def test_konnects_client(self) -> None:
        """A client that registered at Konnect goes on with its id and its secret."""
        claims = {
            "sub": SecretDigest.of(SECRET, "My App").digest,
            "iat": self.daemon.clock.now(),
            "name": "My App",
            "application_type": "web",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code"],
            "id_token_signed_response_alg": "RS256",
            "token_endpoint_auth_method": "client_secret_basic",
        }
        app = SelfRegistered.begin(self.daemon)
        app.client = Client(
            client_id=PREFIX + run(self.daemon.world.signer.sign(claims)),  # type: ignore[arg-type]
            secret=SECRET,
            auth_method=app.client.auth_method,
        )

        self.assertEqual(app.redeem(app.code()).status, 200)

    def test_other_tokens_of_ours(self) -> None:
        """No token of ours behind the prefix is a client (D5)."""
        tokens = Application(self.daemon).tokens(scope="openid offline_access")
        for name in ("access_token", "id_token", "refresh_token"):
            visit = Application(self.daemon).arrive(Visitor(self.daemon), client_id=PREFIX + tokens[name])
            with self.subTest(token=name):
                self.assertEqual((visit.answer.status, visit.left), (400, False))
