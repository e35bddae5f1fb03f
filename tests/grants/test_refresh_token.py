"""Refresh tokens: good for their client, as long as the person is there, and never for more than was granted."""

from collections.abc import Mapping

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.grants import refresh_token
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.errors import InvalidClientError, OAuthError
from konnectd.protocol.grant import revoked_key
from konnectd.protocol.token import TokenResponse
from tests.grants.test_authorization_code import tools_of
from tests.protocol.test_claims import KONNECT_REFRESH
from tests.support.fakes import ReadableSigner, SilentStore, claims_of, run
from tests.support.people import ALICE
from tests.support.provider import Provider
from tests.support.requests import MAIL, NOTES, form


class RefreshTests(SynchronousTestCase):
    """What a refresh token gives."""

    def setUp(self) -> None:
        """Give out tokens."""
        self.provider = Provider()
        self.first = self.provider.tokens("openid profile offline_access")
        self.token = self.first.refresh_token

    def refused(self, token: str | None = None, **more: str | None) -> str:
        """Return the error of a refresh that is refused."""
        with self.assertRaises(OAuthError, msg=str(more)) as caught:
            self.provider.refresh(self.token if token is None else token, **more)
        return str(caught.exception.code)

    def resigned(self, changes: Mapping[str, object]) -> str:
        """Return the token with some claims changed, as we would have signed it."""
        return run(self.provider.signer.sign({**claims_of(self.token), **changes}))

    def test_good(self) -> None:
        """It gives a new access token, and an ID token about the same logon as before."""
        self.provider.clock.advance(1000)
        again: TokenResponse = self.provider.refresh(self.token)
        old, new = claims_of(self.first.id_token), claims_of(again.id_token)

        self.assertNotEqual(again.access_token, self.first.access_token)
        for name in ("iss", "sub", "aud", "auth_time", "sid", "amr"):
            self.assertEqual(new[name], old[name], name)
        self.assertEqual((new["iat"], "nonce" in new), (old["iat"] + 1000, False))
        self.assertEqual(str(again.scope), "openid profile offline_access")

    def test_people_change(self) -> None:
        """The new token says what the backend knows now."""
        self.provider.people.users["alice"] = evolve(ALICE, name="Alice L.")
        identity = claims_of(self.provider.refresh(self.token).access_token)["kc.identity"]

        self.assertEqual(identity["kc.i.dn"], "Alice L.")

    def test_scope(self) -> None:
        """Less may be asked for, more may not; the next token is good for all that was granted again."""
        less = self.provider.refresh(self.token, scope="openid")

        self.assertEqual(claims_of(less.access_token)["kc.authorizedScopes"], ["openid"])
        self.assertEqual(str(less.scope), "openid")
        for scope in ("openid email", "openid profile offline_access konnect/raw_sub", "profile", '"'):
            self.assertEqual(self.refused(scope=scope), "invalid_scope")
        self.assertEqual(str(self.provider.refresh(less.refresh_token).scope), "openid profile offline_access")

    def test_subject_stays(self) -> None:
        """A client that knows a person by the raw subject does so after a refresh for less, too."""
        tokens = self.provider.tokens("openid profile offline_access konnect/raw_sub")
        again = self.provider.refresh(tokens.refresh_token, scope="openid")

        self.assertEqual(claims_of(again.id_token)["sub"], "alice")

    def test_person_gone(self) -> None:
        """Who is gone, or whose id is somebody else's now, gets nothing."""
        for users in ({}, {"alice": evolve(ALICE, subject="another")}):
            self.provider.people.users = users

            self.assertEqual(self.refused(), "invalid_grant")

    def test_other_backend(self) -> None:
        """A token from before the backend was replaced gives nothing, though the id is known here."""
        other = {"kc.provider": "identifier-other", "sub": public_subject("alice", "identifier-other")}

        self.assertEqual(self.refused(self.resigned(other)), "invalid_grant")

    def test_wrong_client(self) -> None:
        """Another client gets nothing, nor does the client without its secret."""
        with self.assertRaises(OAuthError) as caught:
            self.provider.refresh(self.token, NOTES)
        self.assertEqual(caught.exception.code, "invalid_grant")

        with self.assertRaises(InvalidClientError):
            self.provider.refresh(self.token, evolve(MAIL, secret="wrong"))
        with self.assertRaises(InvalidClientError):
            self.provider.refresh(self.token, evolve(MAIL, secret=""))

    def test_other_tokens(self) -> None:
        """Nothing but a refresh token of ours will do."""
        stranger = run(ReadableSigner(name="stranger").sign(claims_of(self.token)))
        tokens = (self.first.access_token, self.first.id_token, stranger, "x", "a.b.c", self.provider.code())

        self.assertEqual([self.refused(token) for token in tokens], ["invalid_grant"] * len(tokens))

    def test_missing(self) -> None:
        """Without a token the request is broken."""
        self.assertEqual(self.refused(""), "invalid_request")

    def test_expired(self) -> None:
        """It ends with its life, and so does all that comes from it: using it does not prolong that."""
        life = self.provider.lifetimes.refresh_token
        self.provider.clock.advance(life // 2)
        again = self.provider.refresh(self.token)
        self.provider.clock.advance(life - life // 2 - 1)
        last = self.provider.refresh(again.refresh_token)
        self.provider.clock.advance(1)

        self.assertEqual([self.refused(t) for t in (again.refresh_token, last.refresh_token)], ["invalid_grant"] * 2)

    def test_revoked(self) -> None:
        """It ends with its grant."""
        run(self.provider.store.put(revoked_key(claims_of(self.token)["kc.ref"]), "1", 60))

        self.assertEqual(self.refused(), "invalid_grant")

    def test_token_of_konnect(self) -> None:
        """A refresh token from before the move works once, tells of no logon, and ends when it would have."""
        old = run(self.provider.signer.sign({**KONNECT_REFRESH, "aud": "mail"}))
        again = self.provider.refresh(old)
        identity = claims_of(again.id_token)

        new = claims_of(again.refresh_token)

        self.assertEqual((new["exp"], new["kc.ref"]), (KONNECT_REFRESH["exp"], KONNECT_REFRESH["kc.ref"]))
        self.assertEqual(identity["sub"], KONNECT_REFRESH["sub"])
        self.assertEqual({"auth_time", "sid", "amr", "nonce"} & set(identity), set())
        self.assertTrue(run(self.provider.userinfo(f"Bearer {again.access_token}", None)))
        self.provider.clock.advance(60)
        self.assertEqual(self.refused(old), "invalid_grant")
        self.assertEqual(self.refused(again.refresh_token), "invalid_grant")

    def test_token_of_konnect_without_reference(self) -> None:
        """A refresh token that names no grant works as long as its person is there."""
        old = run(self.provider.signer.sign({**KONNECT_REFRESH, "aud": "mail", "kc.ref": None}))

        again = self.provider.refresh(old)

        self.assertEqual(claims_of(again.refresh_token)["kc.ref"], "token:j-0")
        self.provider.people.users = {}
        self.assertEqual(self.refused(again.refresh_token), "invalid_grant")

    def test_silence(self) -> None:
        """When something behind us does not answer the token is not blamed."""
        grant = refresh_token.build(evolve(tools_of(self.provider), store=SilentStore()))
        with self.assertRaises(BackendUnavailableError):
            run(grant.approve(MAIL, form(refresh_token=self.token)))
        self.provider.people.silent = True

        self.assertRaises(BackendUnavailableError, self.provider.refresh, self.token)
        self.assertEqual(grant.grant_type, "refresh_token")
