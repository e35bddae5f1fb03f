"""The token endpoint over HTTP: proofs of clients, codes, refresh tokens, and what is in the tokens."""

from base64 import b64encode
from itertools import product

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authentication_context import PASSWORD
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.id_token import left_half_hash
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import SIGNED, Daemon
from tests.support.fakes import NOON, claims_of, header_of
from tests.support.requests import CALLBACK, CHALLENGE, ISSUER, MAIL, NOTES, PAGE, VERIFIER
from tests.support.visitor import Visitor

TOKEN = "/konnect/v1/token"
OFFLINE = "openid offline_access"


class TokenCase(SynchronousTestCase):
    """An application with the assembled daemon."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon()
        self.app = Application(self.daemon)


class ProofTests(TokenCase):
    """How a client proves who it is. Spec: RFC 6749 2.3.1 and 5.2."""

    def prove(self, app: Application, *headers: str, **values: str | None) -> tuple[int, str]:
        """Redeem a fresh code with some proof, and return status and error, if any."""
        answer = app.ask_token(
            *headers,
            grant_type="authorization_code",
            code=app.code(),
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
            **values,
        )
        return answer.status, json_of(answer).get("error", "")

    def test_good_proofs(self) -> None:
        """Header, body or nothing, as suits the client; names and secrets of any characters."""
        odd = Application(self.daemon, SIGNED)
        page = Application(self.daemon, PAGE)
        visitor = Visitor(self.daemon)
        code = page.told(visitor.submit(page.sign_in(visitor), allow="1"))["code"]

        self.assertEqual(page.redeem(code).status, 200)
        for app, headers, values in (
            (self.app, (self.app.basic(),), {}),
            (self.app, (self.app.basic(),), {"client_id": "mail"}),
            (self.app, (self.app.basic().replace("Basic", "bASIC"),), {}),
            (self.app, (), {"client_id": "mail", "client_secret": "mail-secret"}),
            (odd, (odd.basic(),), {}),
            (odd, (), {"client_id": "signed", "client_secret": SIGNED.secret}),
        ):
            with self.subTest(headers=headers, values=values):
                self.assertEqual(self.prove(app, *headers, **values), (200, ""))

    def test_bad_proofs(self) -> None:
        """They are all answered alike, with a challenge, and do not tell whether there is such a client."""
        for headers, values in (
            ((), {}),
            ((), {"client_id": "mail"}),
            ((), {"client_id": "mail", "client_secret": "wrong"}),
            ((), {"client_id": "mail", "client_secret": "mail-secre"}),
            ((), {"client_id": "stranger", "client_secret": "mail-secret"}),
            ((), {"client_secret": "mail-secret"}),
            ((self.app.basic("stranger"),), {}),
            ((self.app.basic("mail", ""),), {}),
            ((self.app.basic("mail", "wrong"),), {}),
            ((self.app.basic(),), {"client_id": "notes"}),
            ((self.app.basic(),), {"client_id": "mail", "client_secret": "mail-secret"}),
            ((self.app.basic(), self.app.basic()), {}),
            (("Authorization: Basic",), {}),
            (("Authorization: Basic bWFpbA==",), {}),
            (("Authorization: Basic \x80\xff",), {}),
            (("Authorization: Basic " + "a" * 5000,), {}),
            (("Authorization: Bearer a.b.c",), {"client_id": "mail", "client_secret": "mail-secret"}),
            (("Authorization: Basic " + b64encode(b"mail:%ff").decode(),), {}),
            (("Authorization: Basic " + b64encode(b"\xff:x").decode(),), {}),
            (("Authorization: Basic " + b64encode(b":mail-secret").decode(),), {}),
        ):
            answer = self.app.ask_token(*headers, grant_type="authorization_code", code="x", **values)
            with self.subTest(headers=headers, values=values):
                self.assertEqual(error_of(answer), (401, "invalid_client"))
                self.assertEqual(answer.header("WWW-Authenticate"), 'Basic realm="konnectd"')
        told = [
            json_of(self.app.ask_token(self.app.basic(client_id, "wrong"), grant_type="refresh_token"))
            for client_id in ("mail", "stranger")
        ]
        self.assertEqual(told[0], told[1])

    def test_secret_is_form_encoded(self) -> None:
        """In the header, as the specification wants it: a secret sent as it is, is another one."""
        raw = "Authorization: Basic " + b64encode(f"signed:{SIGNED.secret}".encode()).decode()

        self.assertEqual(self.prove(Application(self.daemon, SIGNED), raw), (401, "invalid_client"))

    def test_registered_method(self) -> None:
        """A client that was registered for one way may use no other."""
        found = []
        for method, by_header in product((AuthMethod.BASIC, AuthMethod.POST), (True, False)):
            daemon = Daemon(clients=(evolve(MAIL, auth_method=method),))
            app = Application(daemon)
            body = {} if by_header else {"client_id": "mail", "client_secret": "mail-secret"}
            found.append(self.prove(app, *([app.basic()] if by_header else []), **body)[0])

        self.assertEqual(found, [200, 401, 401, 200])

    def test_public_client_has_no_secret(self) -> None:
        """It is not let in with one that somebody made up."""
        answer = Application(self.daemon, PAGE).ask_token(client_id="page", client_secret="x", grant_type="x")

        self.assertEqual(error_of(answer), (401, "invalid_client"))


class RequestTests(TokenCase):
    """Token requests that break a rule. Spec: RFC 6749 5.2."""

    def test_errors(self) -> None:
        """Each has the code and status of its specification, as JSON that nobody keeps."""
        basic = self.app.basic()
        for body, expected in (
            ("", (400, "invalid_request")),
            ("grant_type=", (400, "invalid_request")),
            ("grant_type=password&username=alice&password=wonderland", (400, "unsupported_grant_type")),
            ("grant_type=password", (400, "unsupported_grant_type")),
            ("grant_type=authorization_code", (400, "invalid_request")),
            ("grant_type=refresh_token", (400, "invalid_request")),
            ("grant_type=authorization_code&code=x", (400, "invalid_grant")),
            ("grant_type=authorization_code&code=" + "x" * 60000, (400, "invalid_grant")),
            ("grant_type=refresh_token&refresh_token=x", (400, "invalid_grant")),
            ("grant_type=authorization_code&grant_type=authorization_code", (400, "invalid_request")),
            ("grant_type=authorization_code&code=x&code=x", (400, "invalid_request")),
            ("grant_type=authorization_code&code=%zz", (400, "invalid_request")),
            ("grant_type=authorization_code&code=%00", (400, "invalid_request")),
        ):
            answer = self.daemon.post(TOKEN, body, basic)
            with self.subTest(body=body[:60]):
                self.assertEqual(error_of(answer), expected)
                self.assertEqual((answer.header("Cache-Control"), answer.header("Pragma")), ("no-store", "no-cache"))

    def test_only_posted_forms(self) -> None:
        """Parameters in the address count for nothing, and other bodies are refused."""
        query = "grant_type=authorization_code&client_id=mail&client_secret=mail-secret"

        self.assertEqual(error_of(self.daemon.post(f"{TOKEN}?{query}", "")), (401, "invalid_client"))
        self.assertEqual(self.daemon.get(f"{TOKEN}?{query}").status, 405)
        for media_type in ("application/json", "multipart/form-data; boundary=a", "text/plain", ""):
            answer = self.daemon.ask("POST", TOKEN, f"Content-Type: {media_type}", self.app.basic(), body=b"a=b")
            with self.subTest(media_type=media_type):
                self.assertEqual(error_of(answer), (400, "invalid_request"))


class CodeTests(TokenCase):
    """A code works once, for two minutes, for whom it was made."""

    def test_once_and_then_everything_is_revoked(self) -> None:
        """Whoever shows a code again ends what it had given out. Spec: RFC 6749 4.1.2; RFC 9700 4.5."""
        code = self.app.code(scope=OFFLINE)
        tokens = json_of(self.app.redeem(code))
        self.assertEqual(self.app.userinfo(tokens["access_token"]).status, 200)
        refreshed = json_of(self.app.refresh(tokens["refresh_token"]))
        again = self.app.redeem(code)

        self.assertEqual(error_of(again), (400, "invalid_grant"))
        for access_token in (tokens["access_token"], refreshed["access_token"]):
            self.assertEqual(error_of(self.app.userinfo(access_token)), (401, "invalid_token"))
        self.assertEqual(error_of(self.app.refresh(tokens["refresh_token"])), (400, "invalid_grant"))

    def test_replay_after_its_end(self) -> None:
        """Also when the code would not have been good any more."""
        code = self.app.code(scope=OFFLINE)
        tokens = json_of(self.app.redeem(code))
        self.daemon.clock.advance(300)
        self.app.redeem(code)

        self.assertEqual(error_of(self.app.userinfo(tokens["access_token"])), (401, "invalid_token"))

    def test_two_minutes(self) -> None:
        """Up to the last second."""
        codes = [self.app.code(), self.app.code()]
        self.daemon.clock.advance(119)
        in_time = self.app.redeem(codes[0])
        self.daemon.clock.advance(1)

        self.assertEqual(in_time.status, 200)
        self.assertEqual(error_of(self.app.redeem(codes[1])), (400, "invalid_grant"))

    def test_bound(self) -> None:
        """Another address or verifier, or one left out, is refused, and the code is spent then."""
        changes: tuple[tuple[str, dict[str, str | None]], ...] = (
            ("invalid_grant", {"redirect_uri": CALLBACK + "/"}),
            ("invalid_grant", {"redirect_uri": None}),
            ("invalid_grant", {"redirect_uri": ""}),
            ("invalid_grant", {"code_verifier": None}),
            ("invalid_grant", {"code_verifier": VERIFIER[:-1] + "x"}),
            ("invalid_grant", {"code_verifier": CHALLENGE}),
            ("invalid_request", {"code_verifier": "x"}),
            ("invalid_request", {"code_verifier": "x" * 200}),
        )
        for error, change in changes:
            code = self.app.code()
            first = self.app.redeem(code, **change)
            with self.subTest(change=change):
                self.assertEqual(error_of(first), (400, error))
                self.assertEqual(error_of(self.app.redeem(code)), (400, "invalid_grant"))

    def test_verifier_without_challenge(self) -> None:
        """Somebody has taken the challenge away on the way to us. Spec: RFC 9700 4.8.2."""
        code = self.app.code(code_challenge=None, code_challenge_method=None)

        self.assertEqual(error_of(self.app.redeem(code)), (400, "invalid_grant"))

    def test_another_client(self) -> None:
        """It learns nothing, and neither spends the code nor revokes anything."""
        code = self.app.code(scope=OFFLINE)
        stolen = Application(self.daemon, NOTES).redeem(code)
        tokens = json_of(self.app.redeem(code))
        replayed = Application(self.daemon, NOTES).redeem(code)

        self.assertEqual((error_of(stolen), error_of(replayed)), ((400, "invalid_grant"), (400, "invalid_grant")))
        self.assertEqual(self.app.userinfo(tokens["access_token"]).status, 200)
        self.assertEqual(self.app.refresh(tokens["refresh_token"]).status, 200)

    def test_person_is_gone(self) -> None:
        """A code of somebody who was shut out in the meantime gives nothing."""
        code = self.app.code()
        del self.daemon.people.users["alice"]

        self.assertEqual(error_of(self.app.redeem(code)), (400, "invalid_grant"))

    def test_backend_is_silent(self) -> None:
        """The client is told to come back, and the code is still good when it does."""
        code = self.app.code()
        self.daemon.people.silent = True
        answer = self.app.redeem(code)
        self.daemon.people.silent = False

        self.assertEqual((*error_of(answer), answer.header("Retry-After")), (503, "temporarily_unavailable", "5"))
        self.assertEqual(self.app.redeem(code).status, 200)


class RefreshTests(TokenCase):
    """Refresh tokens. Spec: RFC 6749 6; OIDC Core 12."""

    def setUp(self) -> None:
        """Let Alice give an application lasting access."""
        super().setUp()
        self.tokens = self.app.tokens(scope=f"{OFFLINE} profile email")

    def test_again(self) -> None:
        """There is a new access token and a new ID token of the same person and time."""
        self.daemon.clock.advance(3000)
        fresh = json_of(self.app.refresh(self.tokens["refresh_token"]))
        before, now = claims_of(self.tokens["id_token"]), claims_of(fresh["id_token"])

        self.assertNotEqual(fresh["access_token"], self.tokens["access_token"])
        self.assertEqual(self.app.userinfo(fresh["access_token"]).status, 200)
        self.assertEqual(now["iat"], NOON + 3000)
        for name in ("iss", "sub", "aud", "auth_time", "sid"):
            self.assertEqual(now[name], before[name], name)

    def test_less(self) -> None:
        """A client may ask for less, not for more."""
        less = self.app.refresh(self.tokens["refresh_token"], scope="openid email")
        more = self.app.refresh(self.tokens["refresh_token"], scope="openid email groups")

        self.assertEqual(json_of(less)["scope"], "openid email")
        shown = json_of(self.app.userinfo(json_of(less)["access_token"]))
        self.assertEqual(shown.keys(), {"sub", "email", "email_verified"})
        self.assertEqual(error_of(more), (400, "invalid_scope"))

    def test_wrong_tokens(self) -> None:
        """Only a refresh token of this very client is one; no other kind of ours stands in for it."""
        other = Application(self.daemon, NOTES)
        answers = [other.refresh(self.tokens["refresh_token"])]
        answers += [self.app.refresh(self.tokens[kind]) for kind in ("access_token", "id_token")]
        answers += [self.app.refresh(self.tokens["refresh_token"] + "x")]

        self.assertEqual([error_of(answer) for answer in answers], [(400, "invalid_grant")] * 4)
        self.assertEqual(self.app.refresh(self.tokens["refresh_token"]).status, 200)

    def test_person_is_gone(self) -> None:
        """Lasting access ends with the person's."""
        del self.daemon.people.users["alice"]

        self.assertEqual(error_of(self.app.refresh(self.tokens["refresh_token"])), (400, "invalid_grant"))

    def test_only_when_granted(self) -> None:
        """Without the scope there is no refresh token."""
        self.assertNotIn("refresh_token", self.app.tokens(scope="openid profile"))


class ContentTests(TokenCase):
    """What is in the answer and in the tokens: Konnect's claims, which other programs read."""

    def test_answer(self) -> None:
        """Its members. Spec: RFC 6749 5.1; OIDC Core 3.1.3.3."""
        tokens = self.app.tokens(scope=f"{OFFLINE} unheard-of")

        self.assertEqual(
            {name: value for name, value in tokens.items() if not name.endswith("_token")},
            {"token_type": "Bearer", "expires_in": 600, "scope": OFFLINE},
        )
        self.assertEqual({header_of(tokens[name])["typ"] for name in tokens if name.endswith("_token")}, {"JWT"})

    def test_id_token(self) -> None:
        """All of it. Spec: OIDC Core 2 and 3.1.3.6."""
        tokens = self.app.tokens(scope="openid profile email", nonce="n-1")
        claims = claims_of(tokens["id_token"])

        self.assertRegex(claims.pop("sid"), r"\A[A-Za-z0-9_-]{43}\Z")
        self.assertEqual(
            claims,
            {
                "iss": ISSUER,
                "sub": public_subject("alice", "identifier-test"),
                "aud": "mail",
                "exp": NOON + 3600,
                "iat": NOON,
                "auth_time": NOON,
                "nonce": "n-1",
                "amr": ["pwd"],
                "azp": claims["aud"],
                "acr": PASSWORD,
                "at_hash": left_half_hash(tokens["access_token"], "ES256"),
            },
        )
        self.assertEqual(header_of(tokens["id_token"]), {"alg": "ES256", "kid": "es256-1", "typ": "JWT"})

    def test_without_nonce(self) -> None:
        """Who sends none gets none."""
        self.assertNotIn("nonce", claims_of(self.app.tokens(nonce=None)["id_token"]))

    def test_access_token(self) -> None:
        """As Kopano's token library reads it."""
        claims = claims_of(self.app.tokens(scope="openid profile email")["access_token"])

        self.assertRegex(claims.pop("jti"), r"\A[A-Za-z0-9_-]{32}\Z")
        self.assertRegex(claims.pop("kc.ref"), r"\A[A-Za-z0-9_-]{22}\Z")
        self.assertEqual(
            claims,
            {
                "iss": ISSUER,
                "sub": public_subject("alice", "identifier-test"),
                "aud": "mail",
                "exp": NOON + 600,
                "iat": NOON,
                "kc.isAccessToken": True,
                "kc.authorizedScopes": ["openid", "profile", "email"],
                "kc.identity": {"kc.i.id": "alice", "kc.i.un": "alice", "kc.i.dn": "Alice Liddell"},
                "kc.provider": "identifier-test",
            },
        )

    def test_refresh_token(self) -> None:
        """It lasts three years and says what was approved."""
        claims = claims_of(self.app.tokens(scope=OFFLINE)["refresh_token"])

        self.assertEqual((claims["exp"], claims["kc.isRefreshToken"]), (NOON + 94_608_000, True))
        self.assertEqual(claims["kc.approvedScopes"], ["openid", "offline_access"])
        self.assertNotIn("kc.isAccessToken", claims)

    def test_lifetimes(self) -> None:
        """They are the operator's."""
        words = ("--access-token-expiration=60", "--id-token-expiration=120", "--refresh-token-expiration=240")
        tokens = Application(Daemon(*words)).tokens(scope=OFFLINE)
        ends = [claims_of(tokens[kind])["exp"] - NOON for kind in ("access_token", "id_token", "refresh_token")]

        self.assertEqual((ends, tokens["expires_in"]), ([60, 120, 240], 60))

    def test_algorithm(self) -> None:
        """A client that was registered for an algorithm gets its tokens signed so."""
        tokens = Application(self.daemon, SIGNED).tokens()
        claims = claims_of(tokens["id_token"])

        self.assertEqual(header_of(tokens["id_token"])["alg"], "RS256")
        self.assertEqual(claims["at_hash"], left_half_hash(tokens["access_token"], "RS256"))
