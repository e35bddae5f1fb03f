"""Vouching for people towards their backend, with tokens that are worth nothing here."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToClient
from konnectd.flows.browser import LOGON
from konnectd.flows.endsession import Confirm
from konnectd.flows.identifier_api import Greeted
from konnectd.flows.vouch import Vouching
from konnectd.protocol.errors import BearerTokenError, OAuthError, UntrustedRequestError
from konnectd.protocol.identifier_api import Hello
from konnectd.protocol.registration import PREFIX
from konnectd.protocol.vouching import AUDIENCE
from tests.flows.test_register import RegisterTestCase
from tests.support.fakes import SilentStore, claims_of, header_of, run
from tests.support.people import ALICE
from tests.support.provider import Provider, told
from tests.support.requests import CALLBACK, CLIENTS, ISSUER, MAIL, form

#: A client that has the very name which the tokens are for.
NAMESAKE = evolve(MAIL, client_id=AUDIENCE)


class VouchCase(SynchronousTestCase):
    """A provider that vouches for Alice."""

    def setUp(self) -> None:
        """Vouch for her."""
        self.provider = Provider(*CLIENTS, NAMESAKE)
        self.vouching = Vouching(
            issuer=ISSUER,
            signer=self.provider.signer,
            clock=self.provider.clock,
            entropy=self.provider.entropy,
        )
        self.token = run(self.vouching(ALICE.user_id))


class TokenTests(VouchCase):
    """What is made."""

    def test_for_one_person(self) -> None:
        """A token names the person and says until when it is good."""
        claims = claims_of(self.token)

        self.assertEqual((claims["sub"], claims["exp"]), (ALICE.user_id, self.provider.clock.now() + 60))

    def test_signed_as_by_default(self) -> None:
        """Its header has the key's id and the default algorithm, which is what the server looks for."""
        self.assertEqual(header_of(self.token), {"alg": "PS256", "kid": "konnectd", "typ": "JWT"})

    def test_each_is_another(self) -> None:
        """No two of them have the same id."""
        ids = {claims_of(run(self.vouching(ALICE.user_id)))["jti"] for _ in range(3)}

        self.assertEqual(len(ids), 3)


class RefusedTests(VouchCase):
    """Our own endpoints, each of which verifies the signature and finds it good. Spec: RFC 8725 3.11 and 3.12."""

    def setUp(self) -> None:
        """Make sure of the signature."""
        super().setUp()
        self.assertIsNotNone(self.provider.signer.verify(self.token))

    def test_userinfo(self) -> None:
        """Nobody is shown to who has one."""
        with self.assertRaises(BearerTokenError) as caught:
            run(self.provider.userinfo(f"Bearer {self.token}", None))

        self.assertEqual(caught.exception.code, "invalid_token")

    def test_introspection(self) -> None:
        """It is not active, whoever asks."""
        for client in (MAIL, NAMESAKE):
            asked = form(client_id=client.client_id, client_secret=client.secret, token=self.token)

            self.assertEqual(run(self.provider.introspect("", asked)), {"active": False}, client.client_id)

    def test_refreshing(self) -> None:
        """It is no refresh token."""
        for client in (MAIL, NAMESAKE):
            with self.assertRaises(OAuthError, msg=client.client_id) as caught:
                self.provider.refresh(self.token, client)

            self.assertEqual(caught.exception.code, "invalid_grant")

    def test_revoking(self) -> None:
        """There is nothing to revoke, and so nothing is noted: a store that does not answer is not missed."""
        revocations = evolve(self.provider.revocations, store=SilentStore())
        revoke = evolve(self.provider.revoke, revocations=revocations)
        asked = form(client_id=AUDIENCE, client_secret=NAMESAKE.secret, token=self.token)

        self.assertIsNone(run(revoke("", asked)))

    def test_code(self) -> None:
        """It is no code."""
        with self.assertRaises(OAuthError) as caught:
            self.provider.redeem(self.token, NAMESAKE)

        self.assertEqual(caught.exception.code, "invalid_grant")

    def test_hint_at_the_authorization_endpoint(self) -> None:
        """It says nothing about who is meant."""
        answer = self.provider.ask(self.provider.browser_of(ALICE), client_id="mail", id_token_hint=self.token)

        self.assertIsInstance(answer, ToClient)
        self.assertEqual(told(answer)["error"], "invalid_request")

    def test_hint_at_the_way_out(self) -> None:
        """It signs nobody out, and is no proof that an application asks."""
        browser = self.provider.browser_of(ALICE)
        with self.assertRaises(UntrustedRequestError):
            run(self.provider.end_session(form(id_token_hint=self.token), browser))

        self.assertIsInstance(run(self.provider.end_session(form(), browser)), Confirm)

    def test_hint_of_a_front_end(self) -> None:
        """It keeps nobody from being greeted, as anything that is no hint."""
        api = self.provider.api
        asked = {"flow": "oidc", "scope": "openid", "client_id": "mail", "redirect_uri": CALLBACK}
        hello = Hello.parse({**asked, "id_token_hint": self.token})

        self.assertIsInstance(run(api.hello(hello, self.provider.browser_of(ALICE))), Greeted)

    def test_logon(self) -> None:
        """A browser that keeps one in the place of its logon is nobody's."""
        browser = self.provider.browser_of(ALICE)

        self.assertIsNone(self.provider.sign_in.find(evolve(browser, sealed={LOGON: self.token})))


class RegistrationTests(RegisterTestCase):
    """The endpoint where clients register themselves, and the ids that it gives out, which are tokens as well."""

    def setUp(self) -> None:
        """Vouch for Alice with the keys of the endpoint."""
        super().setUp()
        vouching = Vouching(issuer=ISSUER, signer=self.signer, clock=self.clock, entropy=self.register.entropy)
        self.token = run(vouching(ALICE.user_id))

    def test_no_registration_token(self) -> None:
        """It shows nobody a registration."""
        made = self.create()
        for client_id in (made.client_id, AUDIENCE, ALICE.user_id):
            with self.assertRaises(BearerTokenError, msg=client_id):
                run(self.register.read(f"Bearer {self.token}", client_id))

    def test_no_client(self) -> None:
        """It is nobody's client id."""
        for client_id in (self.token, f"{PREFIX}{self.token}"):
            self.assertIsNone(run(self.register.clients.get(client_id)))
