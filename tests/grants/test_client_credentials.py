"""The client credentials grant: an access token for the client itself, and nothing more."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.grants import client_credentials
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.token import TokenResponse
from tests.grants.test_authorization_code import tools_of
from tests.support.fakes import claims_of, header_of, run
from tests.support.provider import Provider
from tests.support.requests import MAIL, form

JOB = evolve(MAIL, client_id="job", grant_types=("client_credentials",), scopes=("read", "openid", "offline_access"))


class ClientCredentialsTests(SynchronousTestCase):
    """What a client gets for itself. Spec: RFC 6749 4.4."""

    def setUp(self) -> None:
        """Begin with a provider nobody has used."""
        self.provider = Provider(JOB, MAIL)

    def ask(self, client_id: str = "job", **more: str) -> TokenResponse:
        """Ask for a token."""
        values = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": MAIL.secret}
        return run(self.provider.token("", form(**values, **more)))

    def test_good(self) -> None:
        """It gets an access token of the form of RFC 9068, no ID token and no refresh token, whatever it asks for."""
        answer = self.ask()

        self.assertEqual((answer.id_token, answer.refresh_token, answer.expires_in), ("", "", 600))
        self.assertEqual(header_of(answer.access_token)["typ"], "at+jwt")
        self.assertEqual(claims_of(answer.access_token)["sub"], "job")

    def test_no_two_the_same(self) -> None:
        """Each has an id of its own."""
        self.assertNotEqual(*(claims_of(self.ask().access_token)["jti"] for _ in range(2)))

    def test_refused(self) -> None:
        """Who is not registered for it gets nothing."""
        with self.assertRaises(OAuthError) as caught:
            self.ask("mail")

        self.assertEqual(caught.exception.code, "unauthorized_client")
        self.assertEqual(client_credentials.build(tools_of(self.provider)).grant_type, "client_credentials")

    def test_no_person(self) -> None:
        """Userinfo has nothing to say about it, not even where openid is in its scope."""
        with self.assertRaises(OAuthError) as caught:
            run(self.provider.userinfo(f"Bearer {self.ask().access_token}", None))

        self.assertEqual(caught.exception.code, "invalid_token")

    def test_refreshing(self) -> None:
        """It can not be refreshed."""
        with self.assertRaises(OAuthError) as caught:
            self.provider.refresh(self.ask().access_token, JOB)

        self.assertEqual(caught.exception.code, "invalid_grant")
