"""What clients may ask for, and where the answer stands."""

from itertools import permutations

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authorize import AuthorizationRequest, ReturnAddress
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.response_type import ALL, CODE_ONLY, Profile, ResponsePart, default_mode, name, parse
from tests.support.requests import MAIL, PAGE, sent

EVERY_MODE = ("query", "fragment", "form_post")


class ResponseTypeTests(SynchronousTestCase):
    """Sets of parts."""

    def test_order_is_free(self) -> None:
        """Every order of the parts is the same response type."""
        for text in ALL:
            for words in permutations(text.split()):
                with self.subTest(words=words):
                    self.assertEqual(name(parse(" ".join(words)) or frozenset()), text)

    def test_unknown(self) -> None:
        """A token alone, a part twice, another case and other words are none."""
        for text in ("", "token", "code code", "Code", "code tokens", "none", "id_token id_token"):
            with self.subTest(text=text):
                self.assertIsNone(parse(text))

    def test_default_mode(self) -> None:
        """Only a code alone may stand in a query."""
        modes = {text: default_mode(parse(text)) for text in ALL}

        self.assertEqual({text for text, mode in modes.items() if mode == "query"}, {"code"})
        self.assertEqual(default_mode(None), "query")


class ModeTests(SynchronousTestCase):
    """Where the answer of a request stands, errors included."""

    def mode(self, **changes: str | None) -> str:
        """Return the response mode of a request whose address is proven."""
        return ReturnAddress.verify(MAIL, sent(client_id="mail", **changes), EVERY_MODE).response_mode

    def test_table(self) -> None:
        """What was asked for, where that is safe; else the default of the response type."""
        for response_type, asked, mode in (
            ("code", None, "query"),
            ("code", "query", "query"),
            ("code", "fragment", "fragment"),
            ("code", "form_post", "form_post"),
            ("code", "pigeon", "query"),
            ("code id_token", None, "fragment"),
            ("id_token", "query", "fragment"),
            ("id_token", "form_post", "form_post"),
            ("bogus", None, "query"),
            ("bogus", "fragment", "fragment"),
            (None, "form_post", "form_post"),
        ):
            with self.subTest(response_type=response_type, asked=asked):
                self.assertEqual(self.mode(response_type=response_type, response_mode=asked), mode)

    def test_never_tokens_in_a_query(self) -> None:
        """Asking for tokens in the query is an error."""
        for text in ALL[1:]:
            parameters = sent(client_id="mail", response_type=text, response_mode="query")
            address = ReturnAddress.verify(MAIL, parameters, EVERY_MODE)

            error = self.assertRaises(OAuthError, AuthorizationRequest.parse, address, parameters)
            self.assertEqual((error.code, address.response_mode), ("invalid_request", "fragment"), text)


class ProfileTests(SynchronousTestCase):
    """What an operator switches on."""

    def refused(self, profile: Profile, **changes: str | None) -> str:
        """Return the error of a request under a profile; empty for none."""
        parameters = sent(client_id="mail", **changes)
        try:
            AuthorizationRequest.parse(ReturnAddress.verify(MAIL, parameters), parameters, profile)
        except OAuthError as error:
            return error.code
        return ""

    def test_words(self) -> None:
        """All, codes with PKCE only, or a list."""
        listed = Profile.parse("code, id_token+code".replace(" ", ""))

        self.assertEqual(Profile.parse("all").names, ALL)
        self.assertEqual((Profile.parse("rfc9700").names, Profile.parse("RFC9700").require_pkce), (("code",), True))
        self.assertEqual((listed.names, listed.require_pkce), (("code", "code id_token"), False))
        for text in ("", "token", "code,", "everything"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, Profile.parse, text)

    def test_off_is_off(self) -> None:
        """What is not on is not supported."""
        self.assertEqual(self.refused(Profile.parse("rfc9700"), response_type="id_token"), "unsupported_response_type")
        self.assertEqual(self.refused(Profile.parse("all"), response_type="id_token"), "")

    def test_proof_key_of_everybody(self) -> None:
        """Under RFC 9700 confidential clients use PKCE too."""
        none: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}

        self.assertEqual(self.refused(Profile.parse("rfc9700"), **none), "invalid_request")
        self.assertEqual(self.refused(Profile.parse("all"), **none), "")

    def test_offline_access_needs_a_code(self) -> None:
        """Without a code there is no refresh token to get, so the scope is passed over. Spec: OIDC Core 11."""
        scope = "openid offline_access"
        for response_type, kept in (("id_token", "openid"), ("code id_token", scope)):
            parameters = sent(client_id="mail", scope=scope, response_type=response_type)
            request = AuthorizationRequest.parse(ReturnAddress.verify(MAIL, parameters), parameters)

            self.assertEqual(str(request.wanted(scope.split())), kept)

    def test_public_client_without_a_code(self) -> None:
        """PKCE binds codes; where there is none, nothing has to be bound."""
        parameters = sent(
            client_id=PAGE.client_id,
            redirect_uri=PAGE.redirect_uris[0],
            response_type="id_token",
            code_challenge=None,
            code_challenge_method=None,
        )
        request = AuthorizationRequest.parse(ReturnAddress.verify(PAGE, parameters), parameters)

        self.assertNotEqual(request.response_type, CODE_ONLY)
        self.assertNotIn(ResponsePart.CODE, request.response_type)
