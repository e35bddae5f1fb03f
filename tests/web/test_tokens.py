"""Tokens that are out, over HTTP: refreshing, revoking, asking about them, and the metadata OAuth clients look for."""

import json
from urllib.parse import urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.fakes import SilentStore, claims_of, header_of
from tests.support.requests import CLIENTS, ISSUER, MAIL
from tests.support.visitor import Visitor

BASE = "/konnect/v1"
OFFLINE = "openid offline_access"
METADATA = "/.well-known/oauth-authorization-server"
JOB = evolve(
    MAIL,
    client_id="job",
    secret="job-secret",
    grant_types=("client_credentials",),
    scopes=("read",),
    introspection=True,
)
CHAT = evolve(MAIL, client_id="chat", secret="chat-secret")


class TokensCase(SynchronousTestCase):
    """An application with the assembled daemon."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(clients=(*CLIENTS, JOB, CHAT))
        self.app = Application(self.daemon)
        self.job = Application(self.daemon, JOB)
        self.visitor = Visitor(self.daemon)

    def send(self, path: str, *headers: str, **values: str) -> Heard:
        """Post a form to an endpoint."""
        return self.daemon.post(f"{BASE}/{path}", urlencode(values), *headers)


class RefreshModuleTests(TokensCase):
    """Module oidcc-refresh-token of the certification suite."""

    def setUp(self) -> None:
        """Give out tokens."""
        super().setUp()
        self.first = self.app.tokens(self.visitor, scope=OFFLINE)

    def test_metadata(self) -> None:
        """The grant type and the scope are in the metadata."""
        told = json_of(self.daemon.get("/.well-known/openid-configuration"))

        self.assertIn("refresh_token", told["grant_types_supported"])
        self.assertIn("offline_access", told["scopes_supported"])

    def test_refresh(self) -> None:
        """A refresh is not kept by anybody and gives all three tokens; the ID token is newer, of the same sign-in."""
        self.daemon.clock.advance(5)
        answer = self.app.refresh(self.first["refresh_token"])
        second = json_of(answer)
        old, new = claims_of(self.first["id_token"]), claims_of(second["id_token"])

        self.assertEqual((answer.status, answer.header("Cache-Control")), (200, "no-store"))
        self.assertNotEqual(new["iat"], old["iat"])
        for name in ("iss", "sub", "aud", "auth_time", "azp"):
            self.assertEqual(new.get(name), old.get(name), name)
        self.assertNotEqual(second["access_token"], self.first["access_token"])
        self.assertNotEqual(second["refresh_token"], self.first["refresh_token"])
        self.assertEqual(self.app.userinfo(second["access_token"]).status, 200)

    def test_second_client(self) -> None:
        """One client's token is no grant for another."""
        answer = Application(self.daemon, CHAT).refresh(self.first["refresh_token"])

        self.assertEqual(error_of(answer), (400, "invalid_grant"))

    def test_form(self) -> None:
        """A refresh token has more than 128 bits nobody can guess, and only characters that are allowed."""
        self.assertRegex(self.first["refresh_token"], r"\A[A-Za-z0-9._-]{60,}\Z")

    def test_reuse(self) -> None:
        """A spent token that comes back after the grace is refused, and so is what came from it."""
        second = json_of(self.app.refresh(self.first["refresh_token"]))
        self.daemon.clock.advance(10)
        answers = [self.app.refresh(tokens["refresh_token"]) for tokens in (self.first, second)]

        self.assertEqual([error_of(answer) for answer in answers], [(400, "invalid_grant")] * 2)


class ErrorTests(TokensCase):
    """Which error is which. Spec: RFC 6749 5.2; RFC 7009 2.2.1; RFC 7662 2.3; RFC 8707 2."""

    def test_table(self) -> None:
        """Status and code of everything that is refused."""
        tokens = self.app.tokens(self.visitor, scope=OFFLINE)
        mine, refresh = self.app.basic(), tokens["refresh_token"]
        renew = {"grant_type": "refresh_token", "refresh_token": refresh}
        for path, header, values, wanted in (
            ("token", mine, {**renew, "refresh_token": "x"}, (400, "invalid_grant")),
            ("token", mine, {**renew, "refresh_token": tokens["access_token"]}, (400, "invalid_grant")),
            ("token", mine, {"grant_type": "refresh_token"}, (400, "invalid_request")),
            ("token", mine, {**renew, "scope": "openid email"}, (400, "invalid_scope")),
            ("token", mine, {**renew, "resource": "https://files.example/"}, (400, "invalid_target")),
            ("token", mine, {**renew, "resource": "files"}, (400, "invalid_target")),
            ("token", self.app.basic(secret="wrong"), renew, (401, "invalid_client")),
            ("token", mine, {"grant_type": "client_credentials"}, (400, "unauthorized_client")),
            ("token", self.job.basic(), {"grant_type": "client_credentials", "scope": "x"}, (400, "invalid_scope")),
            ("revoke", mine, {}, (400, "invalid_request")),
            ("revoke", self.job.basic(), {"token": refresh}, (400, "invalid_grant")),
            ("revoke", self.app.basic(secret="wrong"), {"token": refresh}, (401, "invalid_client")),
            ("introspect", mine, {}, (400, "invalid_request")),
            ("introspect", self.app.basic(secret="wrong"), {"token": refresh}, (401, "invalid_client")),
        ):
            answer = self.send(path, header, **values)
            self.assertEqual(error_of(answer), wanted, (path, values))
            self.assertEqual(answer.header("Cache-Control"), "no-store")

        self.assertEqual(self.app.refresh(refresh).status, 200)

    def test_public_clients(self) -> None:
        """Clients without a secret may give back tokens, and may not ask about any."""
        answers = [self.send(path, client_id="page", token="x") for path in ("revoke", "introspect")]

        self.assertEqual((answers[0].status, error_of(answers[1])), (200, (401, "invalid_client")))

    def test_not_a_form(self) -> None:
        """What is sent otherwise than as a form is not read."""
        for path in ("revoke", "introspect"):
            answer = self.daemon.ask(
                "POST", f"{BASE}/{path}", self.app.basic(), "Content-Type: application/json", body=b'{"token": "x"}'
            )
            self.assertEqual(error_of(answer), (400, "invalid_request"))


class RevokeTests(TokensCase):
    """The revocation endpoint."""

    def test_sign_out_everywhere(self) -> None:
        """What was given back is good for nothing, and nothing is said but that it is done."""
        tokens = self.app.tokens(self.visitor, scope=OFFLINE)
        answer = self.send("revoke", self.app.basic(), token=tokens["refresh_token"], token_type_hint="refresh_token")

        self.assertEqual((answer.status, answer.body, answer.header("Cache-Control")), (200, b"", "no-store"))
        self.assertEqual(error_of(self.app.refresh(tokens["refresh_token"])), (400, "invalid_grant"))
        self.assertEqual(self.app.userinfo(tokens["access_token"]).status, 401)

    def test_row_14(self) -> None:
        """Security history, row 14: without the store's word the answer is 503, never 200."""
        tokens = self.app.tokens(self.visitor, scope=OFFLINE)
        silent = Application(Daemon(clients=(*CLIENTS, JOB, CHAT), store=SilentStore()))
        for token in (tokens["refresh_token"], tokens["access_token"]):
            answer = silent.daemon.post(f"{BASE}/revoke", urlencode({"token": token}), silent.basic())
            self.assertEqual(error_of(answer), (503, "temporarily_unavailable"))

    def test_scripts(self) -> None:
        """A single-page application may give back its tokens; no script may ask about any."""
        answers = [
            self.send(path, "Origin: https://page.example", client_id="page") for path in ("revoke", "introspect")
        ]

        self.assertEqual([answer.header("Access-Control-Allow-Origin") for answer in answers], ["*", ""])


class ServerTests(TokensCase):
    """A server that acts for itself, and asks what the tokens it is shown are worth."""

    def test_own_token(self) -> None:
        """It gets a token without a person, which userinfo does not take, and can ask about it."""
        answer = json_of(self.send("token", self.job.basic(), grant_type="client_credentials"))
        token = answer["access_token"]

        self.assertEqual(
            (set(answer), answer["scope"]), ({"access_token", "token_type", "expires_in", "scope"}, "read")
        )
        self.assertEqual(header_of(token)["typ"], "at+jwt")
        self.assertEqual(error_of(self.app.userinfo(token)), (401, "invalid_token"))
        self.assertEqual(json_of(self.send("introspect", self.job.basic(), token=token))["client_id"], "job")

    def test_introspection(self) -> None:
        """It is told about a living token, and nothing about any other."""
        tokens = self.app.tokens(self.visitor, scope=OFFLINE)
        told = self.send("introspect", self.job.basic(), token=tokens["access_token"])
        stranger = self.send("introspect", Application(self.daemon, CHAT).basic(), token=tokens["access_token"])
        self.send("revoke", self.app.basic(), token=tokens["refresh_token"])
        dead = self.send("introspect", self.job.basic(), token=tokens["access_token"])

        self.assertEqual((json_of(told)["username"], told.header("Cache-Control")), ("alice", "no-store"))
        self.assertEqual([json.loads(answer.body) for answer in (stranger, dead)], [{"active": False}] * 2)


class MetadataTests(SynchronousTestCase):
    """Where OAuth clients look. Spec: RFC 8414 3 and 3.1."""

    def test_same_document(self) -> None:
        """It is the same document as for OpenID clients, and readable for scripts."""
        daemon = Daemon()
        answer = daemon.get(METADATA, "Origin: https://page.example")

        self.assertEqual(answer.body, daemon.get("/.well-known/openid-configuration").body)
        self.assertEqual((answer.status, answer.header("Access-Control-Allow-Origin")), (200, "*"))

    def test_issuer_with_a_path(self) -> None:
        """An issuer with a path has that at the end."""
        daemon = Daemon("--uri-base-path=/id", issuer=f"{ISSUER}/id")
        answers = [daemon.get(METADATA + path) for path in ("/id", "", "/other")]

        self.assertEqual([answer.status for answer in answers], [200, 200, 404])
        self.assertEqual(json_of(answers[0])["issuer"], f"{ISSUER}/id")

    def test_endpoints(self) -> None:
        """The endpoints are told, and that who asks about tokens has to prove who it is."""
        told = json_of(Daemon().get(METADATA))

        self.assertEqual(told["revocation_endpoint"], f"{ISSUER}{BASE}/revoke")
        self.assertEqual(told["introspection_endpoint"], f"{ISSUER}{BASE}/introspect")
        self.assertIn("none", told["revocation_endpoint_auth_methods_supported"])
        self.assertNotIn("none", told["introspection_endpoint_auth_methods_supported"])
        self.assertIn("client_credentials", told["grant_types_supported"])
