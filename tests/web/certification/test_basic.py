"""The basic plan: ``response_type=code``, module by module in its order."""

import json
import re
from urllib.parse import urlencode

from konnectd.protocol.vocabulary import ErrorCode
from tests.support.application import Application, error_of, json_of
from tests.support.requests import CALLBACK, ISSUER, PAGE, VERIFIER
from tests.support.visitor import Visitor
from tests.web.certification.case import LONG_STATE, CertificationCase, entropy_of, told

#: Characters that must not come back in a description.
HOSTILE = 'a"b\\c\u00fc'


class FlowTests(CertificationCase):
    """Plain flows, and what must not disturb them."""

    def test_server(self) -> None:
        """``oidcc-server``: code, tokens, userinfo, and everything that is checked in every module."""
        answer = self.authorize("code")
        tokens = self.app.redeem(answer.parts["code"])
        content = json_of(tokens)
        claims = self.id_token(content["id_token"])

        self.assertEqual((answer.place, answer.parts["state"]), ("query", LONG_STATE))
        self.assertEqual(answer.parts["iss"], ISSUER)
        for value in (answer.parts["code"], content["access_token"]):
            self.assertGreater(entropy_of(value), 96)
        self.assertEqual((tokens.status, tokens.header("Cache-Control")), (200, "no-store"))
        self.check_json(tokens)
        self.assertEqual(content["token_type"].lower(), "bearer")
        self.assertGreater(content["expires_in"], 0)
        self.check_hash(claims, "at_hash", content["access_token"], content["id_token"])
        self.assertEqual(self.userinfo(content["access_token"])["sub"], claims["sub"])

    def test_response_type_missing(self) -> None:
        """``oidcc-response-type-missing``: told in the query, or by the form that was asked for, in every plan."""
        for mode, place in ((None, "query"), ("form_post", "form")):
            visit = self.app.arrive(self.visitor, response_type=None, response_mode=mode, state=LONG_STATE)

            self.assertEqual(told(visit).place, place)
            self.check_refusal(told(visit).parts, "invalid_request", "unsupported_response_type")

    def test_nonce_is_optional(self) -> None:
        """``oidcc-ensure-request-without-nonce-succeeds-for-code-flow``."""
        tokens = json_of(self.app.redeem(self.authorize("code", nonce=None).parts["code"]))

        self.assertNotIn("nonce", self.app.daemon.world.verifier.verify(tokens["id_token"]) or {"nonce": ""})

    def test_order_of_scopes(self) -> None:
        """``oidcc-alternate-happy-flow``: openid need not be the first."""
        self.assertIn("code", self.authorize("code", scope="email openid").parts)

    def test_ignored_parameters(self) -> None:
        """``-display-*``, ``-login-hint``, ``-ui-locales``, ``-claims-locales``, ``-acr-values``, ``-unknown-``."""
        for name, value in (
            ("display", "page"),
            ("display", "popup"),
            ("login_hint", "alice@example.org"),
            ("ui_locales", "se"),
            ("claims_locales", "se"),
            ("acr_values", "1 2"),
            ("extra", "foobar"),
        ):
            self.setUp()
            self.assertIn("code", self.authorize("code", **{name: value}).parts, name)

    def test_posted_request(self) -> None:
        """``oidcc-ensure-post-request-succeeds``: nothing of a posted request is lost on the way."""
        page = self.visitor.post(self.daemon.settings.paths.authorize, self.app.parameters(state=LONG_STATE))
        visit = self.visitor.submit(page, username="alice", password=self.daemon.people.passwords["alice"])

        self.assertEqual(told(visit).parts["state"], LONG_STATE)
        self.assertIn("code", told(visit).parts)

    def test_proof_key(self) -> None:
        """``oidcc-ensure-request-with-valid-pkce-succeeds``."""
        self.assertEqual(self.app.redeem(self.authorize("code").parts["code"]).status, 200)

    def test_secret_in_the_body(self) -> None:
        """``oidcc-server-client-secret-post``: it works, and the metadata says so."""
        code = self.authorize("code").parts["code"]
        proof = {"client_id": self.client.client_id, "client_secret": self.client.secret}
        answer = self.app.ask_token(
            grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER, **proof
        )
        metadata = json_of(self.daemon.get(self.daemon.settings.paths.discovery))

        self.assertEqual(answer.status, 200)
        self.assertIn("client_secret_post", metadata["token_endpoint_auth_methods_supported"])


class UserinfoTests(CertificationCase):
    """``oidcc-userinfo-*`` and ``oidcc-scope-*``."""

    def test_three_ways(self) -> None:
        """``-get``, ``-post-header``, ``-post-body``: each shows the same person."""
        token = json_of(self.app.redeem(self.authorize("code").parts["code"]))["access_token"]
        path, header = self.daemon.settings.paths.userinfo, f"Authorization: Bearer {token}"
        answers = (
            self.daemon.get(path, header),
            self.daemon.post(path, "", header),
            self.daemon.post(path, urlencode({"access_token": token})),
        )

        self.assertEqual([answer.status for answer in answers], [200, 200, 200])
        self.assertEqual(len({json_of(answer)["sub"] for answer in answers}), 1)

    def test_scopes(self) -> None:
        """``-profile``, ``-email``: what a scope opens is there, typed right; what it does not, is not."""
        for scope, there, absent in (("profile", "name", "email"), ("email", "email", "name")):
            self.setUp()
            tokens = json_of(self.app.redeem(self.authorize("code", scope=f"openid {scope}").parts["code"]))
            claims = self.userinfo(tokens["access_token"])

            self.assertIn(there, claims)
            self.assertNotIn(absent, claims)
            self.assertNotIn("", claims.values())
            self.assertIsInstance(claims.get("email_verified", False), bool)


class AgainTests(CertificationCase):
    """A second authorization in the same browser."""

    def auth_time(self, code: str) -> int:
        """Return when the person behind a code signed in."""
        claims = self.id_token(json_of(self.app.redeem(code))["id_token"])
        return int(str(claims["auth_time"]))

    def again(self, **changes: str | None) -> tuple[bool, str]:
        """Authorize again after some seconds: whether the sign-in page was shown, and the code at the end."""
        self.daemon.clock.advance(2)
        visit = self.app.arrive(self.visitor, **changes)
        asked = "password" in visit.fields
        if asked:
            visit = self.visitor.submit(visit, username="alice", password=self.daemon.people.passwords["alice"])
        return asked, told(visit).parts["code"]

    def test_prompt_login(self) -> None:
        """``oidcc-prompt-login``: the page is shown again, and ``auth_time`` is later."""
        first = self.auth_time(self.authorize("code").parts["code"])
        asked, code = self.again(prompt="login")

        self.assertTrue(asked)
        self.assertGreater(self.auth_time(code), first)

    def test_silence(self) -> None:
        """``oidcc-prompt-none-logged-in``: no page at all, and the same ``auth_time``."""
        first = self.auth_time(self.authorize("code").parts["code"])
        asked, code = self.again(prompt="none")

        self.assertEqual((asked, self.auth_time(code)), (False, first))

    def test_max_age(self) -> None:
        """``oidcc-max-age-1`` and ``-10000``: signed in again when it is too long ago, and only then."""
        first = self.auth_time(self.authorize("code", max_age="15000").parts["code"])

        for max_age, due in (("10000", False), ("1", True)):
            asked, code = self.again(max_age=max_age)
            self.assertEqual((asked, self.auth_time(code) > first), (due, due), max_age)

    def test_hint(self) -> None:
        """``oidcc-id-token-hint``: with prompt=none and one's own ID token."""
        token = json_of(self.app.redeem(self.authorize("code").parts["code"]))["id_token"]

        self.assertFalse(self.again(prompt="none", id_token_hint=token)[0])


class CodeTests(CertificationCase):
    """Codes and addresses."""

    def test_reuse(self) -> None:
        """``oidcc-codereuse`` and ``-30seconds``: ``invalid_grant``, and the first access token is dead."""
        code = self.authorize("code").parts["code"]
        token = json_of(self.app.redeem(code))["access_token"]
        self.daemon.clock.advance(30)

        self.assertEqual(error_of(self.app.redeem(code)), (400, "invalid_grant"))
        self.assertEqual(self.app.userinfo(token).status, 401)

    def test_unregistered_address(self) -> None:
        """``oidcc-ensure-registered-redirect-uri``: a page, and no redirect of any kind."""
        answer = self.daemon.get(self.app.url(redirect_uri=f"{CALLBACK}/other"))

        self.assertEqual((answer.status, answer.header("Location")), (400, ""))

    def test_refresh_token_of_another(self) -> None:
        """``oidcc-refresh-token``: refreshed for the one it was given to, refused to another client."""
        scope = "openid offline_access"
        first = json_of(self.app.redeem(self.authorize("code", scope=scope).parts["code"]))
        claims = self.id_token(first["id_token"])
        stolen = Application(self.daemon, PAGE).refresh(first["refresh_token"])
        self.daemon.clock.advance(1)
        second = self.app.refresh(first["refresh_token"], scope=scope)
        renewed = self.daemon.world.verifier.verify(json_of(second)["id_token"]) or {}

        self.assertEqual(error_of(stolen), (400, "invalid_grant"))
        self.assertEqual((second.status, second.header("Cache-Control")), (200, "no-store"))
        self.assertEqual(
            [renewed[name] for name in ("iss", "sub", "aud", "auth_time")],
            [claims[name] for name in ("iss", "sub", "aud", "auth_time")],
        )
        self.assertEqual(renewed.get("azp"), claims.get("azp"))
        self.assertNotEqual(renewed["iat"], claims["iat"])

    def test_strength_of_tokens(self) -> None:
        """``oidcc-refresh-token``: refresh tokens have 128 bits, access tokens 96, of characters that are allowed."""
        tokens = json_of(self.app.redeem(self.authorize("code", scope="openid offline_access").parts["code"]))

        for name, bits in (("refresh_token", 128), ("access_token", 96)):
            with self.subTest(name=name):
                self.assertGreater(entropy_of(tokens[name]), bits)
                self.assertIsNotNone(re.fullmatch(r"[\x20-\x7e]+", tokens[name]))


class MetadataTests(CertificationCase):
    """``oidcc-discovery-endpoint-verification``, of the config plan."""

    def test_document(self) -> None:
        """Names, types and lists that the tests ask for, for an https issuer."""
        metadata = json_of(self.daemon.get(self.daemon.settings.paths.discovery))

        self.assertEqual(metadata["issuer"], self.daemon.settings.iss)
        self.assertEqual([u for n, u in metadata.items() if n.endswith("_endpoint") and not u.startswith("https:")], [])
        self.assertIn("RS256", metadata["id_token_signing_alg_values_supported"])
        self.assertIn("openid", metadata["scopes_supported"])
        self.assertLess({"code", "id_token", "id_token token"}, set(metadata["response_types_supported"]))
        self.assertLess({"authorization_code", "implicit"}, set(metadata["grant_types_supported"]))
        self.assertIn("public", metadata["subject_types_supported"])
        self.assertTrue(metadata["claims_supported"])
        self.assertIsInstance(metadata["code_challenge_methods_supported"], list)
        for tag in metadata["ui_locales_supported"]:
            self.assertRegex(tag, r"\A[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")

    def test_keys(self) -> None:
        """Every key has a name of its own, and nothing private is shown."""
        keys = json.loads(self.daemon.get(self.daemon.settings.paths.jwks).body)["keys"]

        self.assertEqual(len({key["kid"] for key in keys}), len(keys))
        self.assertEqual([key for key in keys if {"d", "p", "q", "k"} & set(key)], [])

    def test_texts_of_errors(self) -> None:
        """What a request says is not repeated: descriptions have only characters that RFC 6749 allows there."""
        for name in (
            "scope",
            "max_age",
            "response_type",
            "response_mode",
            "claims",
            "code_challenge_method",
            "resource",
        ):
            parts = told(self.app.arrive(Visitor(self.daemon), state=LONG_STATE, **{name: HOSTILE})).parts

            self.check_refusal(parts, *ErrorCode)

    def test_texts_of_token_errors(self) -> None:
        """Nor at the token endpoint, which refuses with 400 and JSON."""
        for sent in (
            {"grant_type": HOSTILE},
            {"grant_type": "authorization_code", "code": HOSTILE},
            {"grant_type": "refresh_token", "refresh_token": HOSTILE},
            {"grant_type": "client_credentials", "scope": HOSTILE},
        ):
            answer = self.app.ask_token(self.app.basic(), **sent)

            self.assertEqual(answer.status, 400)
            self.check_json(answer)
            self.check_text(json_of(answer)["error"])
            self.check_text(json_of(answer)["error_description"])

    def test_unknown_client(self) -> None:
        """A client that is not who it says is refused with 401, whatever it calls itself."""
        for client_id in ("mail", HOSTILE):
            answer = self.app.ask_token(self.app.basic(client_id, "wrong"), grant_type="authorization_code", code="x")

            self.assertEqual(error_of(answer), (401, "invalid_client"))
            self.check_text(json_of(answer)["error_description"])
