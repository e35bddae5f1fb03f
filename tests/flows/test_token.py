"""The token endpoint: clients, grants and the tokens that come out."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import InvalidClientError, OAuthError
from konnectd.protocol.id_token import left_half_hash
from konnectd.protocol.token import TokenResponse
from tests.protocol.test_client_authentication import basic
from tests.support.fakes import claims_of, header_of, run
from tests.support.people import ALICE, logon_of
from tests.support.provider import Provider, redemption
from tests.support.requests import ISSUER, MAIL, PAGE, form


class TokenTests(SynchronousTestCase):
    """What the endpoint gives out."""

    def setUp(self) -> None:
        """Begin with a provider nobody has used."""
        self.provider = Provider()

    def test_without_refresh(self) -> None:
        """An access token and an ID token, and no refresh token unless it was asked for."""
        response = self.provider.tokens("openid profile")

        self.assertEqual(
            (response.refresh_token, response.expires_in, str(response.scope)), ("", 600, "openid profile")
        )
        self.assertTrue(response.access_token and response.id_token)

    def test_what_tokens_say(self) -> None:
        """All tokens are about the same person, client and grant, and no two have the same id."""
        response = self.provider.tokens("openid offline_access")
        access, identity, refresh = (
            claims_of(token) for token in (response.access_token, response.id_token, response.refresh_token)
        )
        sub = logon_of(ALICE, 0).sub

        self.assertEqual({(t["iss"], t["aud"], t["sub"]) for t in (access, identity, refresh)}, {(ISSUER, "mail", sub)})
        self.assertEqual(access["kc.ref"], refresh["kc.ref"])
        self.assertNotEqual(access["jti"], refresh["jti"])
        self.assertEqual((identity["nonce"], identity["auth_time"]), ("nonce-1", self.provider.clock.now()))
        self.assertEqual(identity["at_hash"], left_half_hash(response.access_token, "PS256"))

    def test_algorithms(self) -> None:
        """Tokens are signed by the client's algorithm, if there is a key for it; ours by the default."""
        for wanted, found in (("", "PS256"), ("PS256", "PS256"), ("ES256", "ES256"), ("RS512", "PS256")):
            provider = Provider(evolve(MAIL, id_token_signed_response_alg=wanted))
            response = provider.tokens("openid offline_access")
            used = [
                header_of(token)["alg"] for token in (response.access_token, response.id_token, response.refresh_token)
            ]

            self.assertEqual(used, [found, found, "PS256"], wanted)
            self.assertEqual(claims_of(response.id_token)["at_hash"], left_half_hash(response.access_token, found))

    def test_client_in_the_header(self) -> None:
        """A client may show its secret in the header."""
        parameters = redemption(self.provider.code()).without("client_id", "client_secret")
        response = run(self.provider.token(basic("mail", "mail-secret"), parameters))

        self.assertIsInstance(response, TokenResponse)

    def test_public_client(self) -> None:
        """A client without a secret proves by its verifier that the code is its own."""
        provider = Provider(evolve(PAGE, trusted=True))

        self.assertTrue(provider.tokens("openid", evolve(PAGE, trusted=True)).access_token)

    def test_clients_that_are_refused(self) -> None:
        """An unknown client, a wrong secret and none at all are refused, and the code is still good afterwards."""
        code = self.provider.code()
        for change in (
            {"client_id": "stranger"},
            {"client_secret": "wrong"},
            {"client_secret": None},
            {"client_id": None},
        ):
            with self.assertRaises(InvalidClientError, msg=str(change)):
                self.provider.redeem(code, **change)

        self.assertTrue(self.provider.redeem(code).access_token)

    def test_grant_types(self) -> None:
        """A grant type that is missing or that we do not have is told by its code, to clients only."""
        client = {"client_id": "mail", "client_secret": "mail-secret"}
        cases = {None: "invalid_request", "": "invalid_request", "password": "unsupported_grant_type"}
        for grant_type, code in cases.items():
            with self.assertRaises(OAuthError, msg=grant_type) as caught:
                run(self.provider.token("", form(**client, grant_type=grant_type)))
            self.assertEqual(caught.exception.code, code)
        with self.assertRaises(InvalidClientError):
            run(self.provider.token("", form(client_id="stranger", grant_type="password")))

    def test_no_id_token_without_openid(self) -> None:
        """A refresh token of an older installation that was not granted openid brings an access token alone."""
        old = dict(claims_of(self.provider.tokens("openid offline_access").refresh_token))
        old["kc.approvedScopes"] = ["offline_access"]
        token = run(self.provider.signer.sign(old))
        response = self.provider.refresh(token)

        self.assertEqual((response.id_token, str(response.scope)), ("", "offline_access"))
        self.assertTrue(response.access_token and response.refresh_token)

    def test_silent_registry(self) -> None:
        """When the registry does not answer nobody is told that they are unknown."""
        code = self.provider.code()
        self.provider.registry.silent = True

        self.assertRaises(BackendUnavailableError, self.provider.redeem, code)
