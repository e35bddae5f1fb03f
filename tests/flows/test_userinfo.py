"""The userinfo endpoint, from a token to claims."""

from collections.abc import Mapping

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.userinfo import Plain, Signed
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.errors import BearerTokenError
from konnectd.protocol.grant import revoked_key
from tests.support.fakes import ReadableSigner, SilentStore, claims_of, header_of, run
from tests.support.people import ALICE, logon_of
from tests.support.provider import Provider, told
from tests.support.requests import ISSUER, MAIL, form


class UserInfoTests(SynchronousTestCase):
    """What a token lets its bearer see."""

    def setUp(self) -> None:
        """Let Alice give a client a token."""
        self.provider = Provider()
        self.tokens = self.provider.tokens("openid email offline_access")

    def ask(self, token: str, provider: Provider | None = None) -> Mapping[str, object]:
        """Ask with a token."""
        answer = run((provider or self.provider).userinfo(f"Bearer {token}", None))
        if isinstance(answer, Signed):
            return claims_of(answer.jws)
        return answer.claims

    def refusal(self, token: str) -> str:
        """Return the code with which a token is refused."""
        with self.assertRaises(BearerTokenError) as caught:
            self.ask(token)
        return str(caught.exception.code)

    def test_plain(self) -> None:
        """The claims that the token's scope shows, about the subject of the ID token."""
        self.assertEqual(
            self.ask(self.tokens.access_token),
            {"sub": claims_of(self.tokens.id_token)["sub"], "email": "alice@example.org", "email_verified": True},
        )

    def test_posted(self) -> None:
        """A token may be posted."""
        answer = run(self.provider.userinfo("", form(access_token=self.tokens.access_token)))

        self.assertIsInstance(answer, Plain)

    def test_fresh(self) -> None:
        """What is shown is what the backend knows now."""
        self.provider.people.users["alice"] = evolve(ALICE, email="a@example.net", email_verified=False)

        self.assertEqual(self.ask(self.tokens.access_token)["email"], "a@example.net")

    def test_signed(self) -> None:
        """A client that is registered so gets a signed answer, which names issuer and audience and is no ID token."""
        provider = Provider(evolve(MAIL, userinfo_signed_response_alg="ES256"))
        token = provider.tokens("openid email").access_token
        answer = run(provider.userinfo(f"Bearer {token}", None))
        jws = answer.jws if isinstance(answer, Signed) else ""

        self.assertEqual(header_of(jws)["alg"], "ES256")
        self.assertEqual(
            claims_of(jws),
            {
                "iss": ISSUER,
                "aud": "mail",
                "sub": logon_of(ALICE, 0).sub,
                "email": "alice@example.org",
                "email_verified": True,
            },
        )
        asked = provider.ask(provider.browser_of(ALICE), client_id="mail", id_token_hint=jws)
        self.assertEqual(told(asked)["error"], "invalid_request")

    def test_raw_subject(self) -> None:
        """Userinfo names a person as the ID token does."""
        tokens = self.provider.tokens("openid konnect/raw_sub")

        self.assertEqual(self.ask(tokens.access_token)["sub"], "alice")
        self.assertEqual(claims_of(tokens.id_token)["sub"], "alice")

    def test_other_tokens(self) -> None:
        """Nothing but an access token of ours will do."""
        stranger = run(ReadableSigner(name="stranger").sign(claims_of(self.tokens.access_token)))
        tokens = (self.tokens.id_token, self.tokens.refresh_token, stranger, "x", "a.b.c", self.provider.code())

        self.assertEqual([self.refusal(token) for token in tokens], ["invalid_token"] * len(tokens))

    def test_expired(self) -> None:
        """An access token is good for ten minutes."""
        self.provider.clock.advance(599)
        self.assertTrue(self.ask(self.tokens.access_token))
        self.provider.clock.advance(1)

        self.assertEqual(self.refusal(self.tokens.access_token), "invalid_token")

    def test_without_openid(self) -> None:
        """A token that was not granted openid shows nothing."""
        claims = {**claims_of(self.tokens.access_token), "kc.authorizedScopes": ["email"]}

        self.assertEqual(self.refusal(run(self.provider.signer.sign(claims))), "insufficient_scope")

    def test_gone(self) -> None:
        """Nobody learns about a person who is gone, or about somebody else who has their id now."""
        for users in ({}, {"alice": evolve(ALICE, subject="another")}):
            self.provider.people.users = users

            self.assertEqual(self.refusal(self.tokens.access_token), "invalid_token")

    def test_other_backend(self) -> None:
        """A token from before the backend was replaced shows nothing."""
        other = {"kc.provider": "identifier-other", "sub": public_subject("alice", "identifier-other")}
        claims = {**claims_of(self.tokens.access_token), **other}

        self.assertEqual(self.refusal(run(self.provider.signer.sign(claims))), "invalid_token")

    def test_client_gone(self) -> None:
        """A client that is not registered any more sees nothing any more."""
        del self.provider.registry.clients["mail"]

        self.assertEqual(self.refusal(self.tokens.access_token), "invalid_token")

    def test_revoked(self) -> None:
        """A token whose grant was revoked shows nothing."""
        grant_id = claims_of(self.tokens.access_token)["kc.ref"]
        run(self.provider.store.put(revoked_key(grant_id), "1", 60))

        self.assertEqual(self.refusal(self.tokens.access_token), "invalid_token")

    def test_token_of_konnect(self) -> None:
        """A token without a grant, from an older installation, is good as long as it lives."""
        claims = claims_of(self.tokens.access_token)
        del claims["kc.ref"]

        self.assertTrue(self.ask(run(self.provider.signer.sign(claims))))

    def test_silence(self) -> None:
        """When something behind us does not answer the token is not blamed."""
        silent = Provider(store=SilentStore())
        self.assertRaises(BackendUnavailableError, self.ask, self.tokens.access_token, silent)
        self.provider.people.silent = True

        self.assertRaises(BackendUnavailableError, self.ask, self.tokens.access_token)

    def test_nothing_sent(self) -> None:
        """Who sends nothing is asked for a token."""
        with self.assertRaises(BearerTokenError) as caught:
            run(self.provider.userinfo("", None))

        self.assertTrue(caught.exception.bare)
