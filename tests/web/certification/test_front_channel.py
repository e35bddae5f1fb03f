"""The plans for implicit, hybrid and form post: tokens that stand in the authorization response itself."""

from itertools import permutations

from konnectd.protocol.response_type import ALL
from tests.support.application import json_of
from tests.support.requests import ISSUER
from tests.web.certification.case import LONG_STATE, CertificationCase, Told

HYBRID = tuple(text for text in ALL if "code" in text and text != "code")
IMPLICIT = ("id_token", "id_token token")


class ServerTests(CertificationCase):
    """``oidcc-server`` of each plan: a plain flow and everything that is checked in every one."""

    def check(self, response_type: str, answer: Told, place: str) -> None:
        """Check an answer of one response type."""
        words, parts = response_type.split(), answer.parts
        expected = {"state", "iss", "session_state", *words}
        if "token" in words:
            expected = (expected - {"token"}) | {"access_token", "token_type", "expires_in", "scope"}
        self.assertEqual((answer.place, set(parts)), (place, expected), response_type)
        self.assertEqual((parts["state"], parts["iss"]), (LONG_STATE, ISSUER))
        if "id_token" in words:
            claims = self.id_token(parts["id_token"])
            for name, part in (("at_hash", "access_token"), ("c_hash", "code")):
                self.assertEqual(name in claims, part in parts, response_type)
                if part in parts:
                    self.check_hash(claims, name, parts[part], parts["id_token"])
        if "token" in words:
            self.assertEqual(parts["token_type"].lower(), "bearer")
            self.assertEqual(self.userinfo(parts["access_token"])["name"], "Alice Liddell")

    def test_fragment(self) -> None:
        """Answers with tokens stand in the fragment and nowhere else."""
        for response_type in ALL[1:]:
            self.setUp()
            self.check(response_type, self.authorize(response_type, scope="openid profile"), "fragment")

    def test_form_post(self) -> None:
        """With form_post the answer stands in a form that the browser posts, whatever is in it."""
        for response_type in ALL:
            self.setUp()
            answer = self.authorize(response_type, scope="openid profile", response_mode="form_post")
            self.check(response_type, answer, "form")

    def test_order_of_parts(self) -> None:
        """The order in which a response type is written does not matter."""
        for words in permutations(("code", "id_token", "token")):
            answer = self.authorize(" ".join(words))

            self.assertLess({"code", "id_token", "access_token"}, set(answer.parts))


class HybridTests(CertificationCase):
    """The hybrid plan's own checks."""

    def test_token_endpoint_gives_an_id_token(self) -> None:
        """An ID token comes from the token endpoint every time, for the same person. Spec: OIDC Core 3.3.3.3."""
        for response_type in HYBRID:
            self.setUp()
            parts = self.authorize(response_type).parts
            tokens = json_of(self.app.redeem(parts["code"]))
            claims = self.id_token(tokens["id_token"])

            self.check_hash(claims, "at_hash", tokens["access_token"], tokens["id_token"])
            if "id_token" in parts:
                first = self.id_token(parts["id_token"])
                self.assertEqual((first["sub"], first["sid"]), (claims["sub"], claims["sid"]))

    def test_code_works_once(self) -> None:
        """A code of a hybrid answer is spent like any other, and its reuse ends what came with it."""
        parts = self.authorize("code id_token token").parts
        tokens = json_of(self.app.redeem(parts["code"]))
        again = self.app.redeem(parts["code"])

        self.assertEqual((again.status, json_of(again)["error"]), (400, "invalid_grant"))
        for token in (tokens["access_token"], parts["access_token"]):
            self.assertEqual(self.app.userinfo(token).status, 401)


class NonceTests(CertificationCase):
    """``oidcc-ensure-request-without-nonce-fails`` and its opposite."""

    def test_required_with_an_id_token(self) -> None:
        """Where an ID token stands in the answer, a nonce is required, and the error stands where the answer would."""
        for response_type in (*IMPLICIT, "code id_token", "code id_token token"):
            for mode, place in ((None, "fragment"), ("form_post", "form")):
                answer = self.authorize(response_type, nonce=None, response_mode=mode)

                self.assertEqual((answer.place, answer.parts["error"]), (place, "invalid_request"), response_type)
                self.assertEqual(answer.parts["state"], LONG_STATE)
                self.assertNotIn("code", answer.parts)

    def test_not_required_without(self) -> None:
        """Elsewhere it is not."""
        for response_type in ("code", "code token"):
            self.assertIn("code", self.authorize(response_type, nonce=None).parts)


class ErrorTests(CertificationCase):
    """Errors stand where the answer would, and nowhere else."""

    def test_nobody_is_signed_in(self) -> None:
        """``oidcc-prompt-none-not-logged-in``."""
        for response_type in ALL:
            place = "query" if response_type == "code" else "fragment"
            answer = self.authorize(response_type, prompt="none")

            self.assertEqual(answer.place, place, response_type)
            self.check_refusal(answer.parts, "login_required")

    def test_token_alone(self) -> None:
        """A token without an ID token is for nobody in particular; it is not given out. Spec: RFC 9700 2.1.2."""
        self.assertEqual(self.authorize("token").parts["error"], "unsupported_response_type")


class ScopeTests(CertificationCase):
    """``oidcc-scope-profile`` and its siblings."""

    def test_claims_without_userinfo(self) -> None:
        """Where no access token is given out, the scope's claims stand in the ID token. Spec: OIDC Core 5.4."""
        claims = self.id_token(self.authorize("id_token", scope="openid profile email").parts["id_token"])

        self.assertEqual((claims["name"], claims["email"]), ("Alice Liddell", "alice@example.org"))

    def test_claims_with_userinfo(self) -> None:
        """Where one is, they do not."""
        for response_type in ("id_token token", "code id_token"):
            self.setUp()
            claims = self.id_token(self.authorize(response_type, scope="openid profile").parts["id_token"])

            self.assertNotIn("name", claims, response_type)
