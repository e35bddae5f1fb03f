"""What access tokens look like: Konnect's form, that of RFC 9068, and whom they are for."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.userinfo import Plain
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.token import TokenResponse
from konnectd.protocol.vocabulary import AccessTokenFormat
from tests.support.fakes import claims_of, header_of, run
from tests.support.people import ALICE
from tests.support.provider import Provider, told
from tests.support.requests import ISSUER, MAIL

FILES, CALENDAR = "https://files.example.com/", "urn:example:calendar"
#: What RFC 9068 2.2 demands.
REQUIRED = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}


class FormTests(SynchronousTestCase):
    """The two forms."""

    def tokens(self, form: AccessTokenFormat, scope: str = "openid profile offline_access") -> TokenResponse:
        """Return the tokens of a client that wants some form."""
        client = evolve(MAIL, access_token_format=form)
        self.provider = Provider(client)
        return self.provider.tokens(scope, client)

    def test_konnect(self) -> None:
        """Without a word Konnect's form stays as it is, to the last claim."""
        token = self.tokens(AccessTokenFormat.KONNECT).access_token

        self.assertEqual(header_of(token)["typ"], "JWT")
        self.assertEqual({"client_id", "scope", "auth_time"} & set(claims_of(token)), set())

    def test_profile(self) -> None:
        """The other form says all that RFC 9068 demands, and when the person signed in."""
        token = self.tokens(AccessTokenFormat.PROFILE).access_token
        claims = claims_of(token)

        self.assertEqual(header_of(token)["typ"], "at+jwt")
        self.assertLessEqual(REQUIRED, set(claims))
        self.assertEqual((claims["client_id"], claims["scope"]), ("mail", "openid profile offline_access"))
        self.assertEqual(claims["auth_time"], self.provider.clock.now())

    def test_profile_at_userinfo(self) -> None:
        """Both forms are good for userinfo, also after a refresh, and neither is a hint."""
        for form in AccessTokenFormat:
            tokens = self.tokens(form)
            again = self.provider.refresh(tokens.refresh_token)

            for token in (tokens.access_token, again.access_token):
                answer = run(self.provider.userinfo(f"Bearer {token}", None))
                self.assertEqual(isinstance(answer, Plain) and answer.claims["name"], "Alice Liddell")
                hinted = self.provider.ask(self.provider.browser_of(ALICE), client_id="mail", id_token_hint=token)
                self.assertEqual(told(hinted)["error"], "invalid_request")


class ResourceTests(SynchronousTestCase):
    """Tokens for servers. Spec: RFC 8707."""

    def setUp(self) -> None:
        """Register a client for two servers and for us."""
        self.client = evolve(MAIL, resources=(FILES, CALENDAR, ISSUER))
        self.provider = Provider(self.client)

    def redeemed(self, at_first: str | None, then: str | None = None) -> TokenResponse:
        """Return the tokens of a run that names servers."""
        code = self.provider.code(self.client, scope="openid offline_access", resource=at_first)
        return self.provider.redeem(code, self.client, resource=then)

    def audience(self, tokens: TokenResponse) -> object:
        """Return whom an access token is for."""
        return claims_of(tokens.access_token)["aud"]

    def test_audience(self) -> None:
        """A token is for the servers that were named at either endpoint, and for its client without any."""
        both = f"{FILES} {CALENDAR}"
        for at_first, then, wanted in (
            (None, None, "mail"),
            (FILES, None, FILES),
            (None, FILES, FILES),
            (both, None, [FILES, CALENDAR]),
            (both, CALENDAR, CALENDAR),
        ):
            self.assertEqual(self.audience(self.redeemed(at_first, then)), wanted, (at_first, then))

    def test_client_is_told(self) -> None:
        """Where the audience does not tell the client something else does."""
        self.assertEqual(claims_of(self.redeemed(FILES).access_token)["client_id"], "mail")

    def test_other_tokens(self) -> None:
        """ID token and refresh token are the client's whatever the access token is for."""
        tokens = self.redeemed(FILES)

        self.assertEqual([claims_of(token)["aud"] for token in (tokens.id_token, tokens.refresh_token)], ["mail"] * 2)

    def test_more_than_was_granted(self) -> None:
        """What was not granted at first is refused later, and what is not the client's at once."""
        with self.assertRaises(OAuthError) as caught:
            self.redeemed(FILES, CALENDAR)
        answer = self.provider.ask(self.provider.browser_of(ALICE), client_id="mail", resource="https://other.example/")

        self.assertEqual((caught.exception.code, told(answer)["error"]), ("invalid_target", "invalid_target"))

    def test_refreshing(self) -> None:
        """A refresh gives a token for all that was granted or part of it, and does not make it less for the next."""
        tokens = self.redeemed(f"{FILES} {CALENDAR}")
        less = self.provider.refresh(tokens.refresh_token, self.client, resource=FILES)
        all_again = self.provider.refresh(less.refresh_token, self.client)

        self.assertEqual((self.audience(less), self.audience(all_again)), (FILES, [FILES, CALENDAR]))
        with self.assertRaises(OAuthError) as caught:
            self.provider.refresh(all_again.refresh_token, self.client, resource=ISSUER)
        self.assertEqual(caught.exception.code, "invalid_target")

    def test_not_at_userinfo(self) -> None:
        """A token that a server was sent shows it nothing here, unless it is for us as well."""
        for resource, good in ((FILES, False), (f"{FILES} {ISSUER}", True)):
            token = f"Bearer {self.redeemed(resource).access_token}"
            try:
                found = bool(run(self.provider.userinfo(token, None)))
            except OAuthError as error:
                found = False
                self.assertEqual(error.code, "invalid_token")
            self.assertEqual(found, good, resource)
