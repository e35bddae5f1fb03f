"""The revocation endpoint: whose tokens, how much of them, and what is said when nobody knows."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.revocations import Revocations
from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.token import TokenResponse
from tests.protocol.test_claims import KONNECT_REFRESH
from tests.support.fakes import ReadableSigner, SilentStore, run
from tests.support.provider import Provider
from tests.support.requests import MAIL, PAGE, form

CHAT = evolve(MAIL, client_id="chat", secret="chat-secret")
JOB = evolve(MAIL, client_id="job", grant_types=("client_credentials",), scopes=("read",))
WEB = evolve(PAGE, trusted=True)


class HalfSilentStore(SilentStore):
    """A store that takes the first of two writes and loses the other."""

    def __init__(self, store: Store) -> None:
        """Stand before a store."""
        self.store = store

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        await self.store.put(key, value, ttl)


class RevokeCase(SynchronousTestCase):
    """A provider that has given out tokens."""

    def setUp(self) -> None:
        """Give them out."""
        self.provider = Provider(MAIL, CHAT, WEB, JOB)
        self.tokens = self.provider.tokens("openid offline_access")

    def revoke(self, token: str | None, **changes: str | None) -> str:
        """Revoke a token and return the error; empty when there is none."""
        values: dict[str, str | None] = {"client_id": "mail", "client_secret": MAIL.secret, "token": token}
        try:
            run(self.provider.revoke("", form(**{**values, **changes})))
        except OAuthError as error:
            return str(error.code)
        return ""

    def works(self, tokens: TokenResponse) -> tuple[bool, bool]:
        """Tell whether an access token and a refresh token are good."""
        good = []
        for attempt in (
            lambda: run(self.provider.userinfo(f"Bearer {tokens.access_token}", None)),
            lambda: self.provider.refresh(tokens.refresh_token),
        ):
            try:
                attempt()
            except OAuthError:
                good.append(False)
            else:
                good.append(True)
        return good[0], good[1]


class RevokeTests(RevokeCase):
    """What is revoked. Spec: RFC 7009 2.1."""

    def test_refresh_token(self) -> None:
        """A refresh token goes with its whole family, the access tokens included."""
        again = self.provider.refresh(self.tokens.refresh_token)

        self.assertEqual(self.revoke(again.refresh_token), "")
        self.assertEqual([self.works(tokens) for tokens in (self.tokens, again)], [(False, False)] * 2)

    def test_spent_refresh_token(self) -> None:
        """A client that shows the one before the last means the same."""
        again = self.provider.refresh(self.tokens.refresh_token)

        self.assertEqual(self.revoke(self.tokens.refresh_token), "")
        self.assertEqual(self.works(again), (False, False))

    def test_access_token(self) -> None:
        """An access token goes alone."""
        again = self.provider.refresh(self.tokens.refresh_token)

        self.assertEqual(self.revoke(self.tokens.access_token), "")
        self.assertEqual(self.works(evolve(again, access_token=self.tokens.access_token)), (False, True))
        self.assertEqual(self.works(again)[0], True)

    def test_access_token_after_its_grant(self) -> None:
        """What is revoked with its grant stays revoked when a single token is revoked afterwards."""
        self.revoke(self.tokens.refresh_token)

        self.assertEqual(self.revoke(self.tokens.access_token), "")
        self.assertEqual(self.works(self.tokens), (False, False))

    def test_grant_after_access_token(self) -> None:
        """A grant can be revoked after one of its tokens."""
        again = self.provider.refresh(self.tokens.refresh_token)
        self.revoke(self.tokens.access_token)

        self.assertEqual(self.revoke(again.refresh_token), "")
        self.assertEqual(self.works(again), (False, False))

    def test_another_grant(self) -> None:
        """Other sign-ins of the same person at the same client go on."""
        other = self.provider.tokens("openid offline_access")
        self.revoke(self.tokens.refresh_token)
        self.revoke(self.tokens.access_token)

        self.assertEqual(self.works(other), (True, True))

    def test_client_token(self) -> None:
        """A token without a person can be revoked."""
        client = {"client_id": "job", "client_secret": JOB.secret}
        token = run(self.provider.token("", form(**client, grant_type="client_credentials"))).access_token

        self.assertEqual(self.revoke(token, client_id="job"), "")
        self.assertEqual(run(self.provider.introspect("", form(**client, token=token))), {"active": False})

    def test_token_of_konnect(self) -> None:
        """A refresh token from before the move can be revoked, also one that names no grant."""
        for changes in ({}, {"kc.ref": None}):
            old = run(self.provider.signer.sign({**KONNECT_REFRESH, "aud": "mail", **changes}))

            self.assertEqual(self.revoke(old), "")
            with self.assertRaises(OAuthError):
                self.provider.refresh(old)

    def test_public_client(self) -> None:
        """A client without a secret can give back its own."""
        tokens = self.provider.tokens("openid offline_access", WEB)

        self.assertEqual(self.revoke(tokens.refresh_token, client_id="page", client_secret=None), "")
        with self.assertRaises(OAuthError):
            self.provider.refresh(tokens.refresh_token, WEB)

    def test_hint(self) -> None:
        """A hint changes nothing, right or wrong."""
        for hint in ("access_token", "refresh_token", "saml"):
            tokens = self.provider.tokens("openid offline_access")

            self.assertEqual(self.revoke(tokens.refresh_token, token_type_hint=hint), "", hint)
            self.assertEqual(self.works(tokens), (False, False), hint)


class RefusedTests(RevokeCase):
    """Who may not, and what is nothing."""

    def test_who_asks(self) -> None:
        """Whoever is not the client learns nothing and does nothing."""
        for changes in ({"client_secret": "wrong"}, {"client_secret": None}, {"client_id": "x"}, {"client_id": None}):
            self.assertEqual(self.revoke(self.tokens.refresh_token, **changes), "invalid_client", changes)

        self.assertEqual(self.works(self.tokens), (True, True))

    def test_anothers(self) -> None:
        """A token is its client's only."""
        for token in (self.tokens.refresh_token, self.tokens.access_token):
            self.assertEqual(self.revoke(token, client_id="chat", client_secret=CHAT.secret), "invalid_grant")

        self.assertEqual(self.works(self.tokens), (True, True))

    def test_nothing(self) -> None:
        """What is over, unknown, or no token that can be revoked needs nothing. Spec: RFC 7009 2.2."""
        stranger = run(ReadableSigner(name="stranger").sign(KONNECT_REFRESH))
        for token in ("x", stranger, self.tokens.id_token):
            self.assertEqual(self.revoke(token), "")
        self.provider.clock.advance(self.provider.lifetimes.refresh_token)

        self.assertEqual(self.revoke(self.tokens.refresh_token), "")

    def test_missing(self) -> None:
        """Without a token the request is broken."""
        self.assertEqual([self.revoke(token) for token in (None, "")], ["invalid_request"] * 2)


class Row14Tests(RevokeCase):
    """Security history, row 14: a revocation that the store did not keep must not look like one."""

    def test_row_14_silent_store(self) -> None:
        """When the store does not answer the client is told so, for every kind of token."""
        for store in (SilentStore(), HalfSilentStore(self.provider.store)):
            revocations = Revocations(store=store, clock=self.provider.clock, lifetimes=self.provider.lifetimes)
            revoke = evolve(self.provider.revoke, revocations=revocations)
            kinds = (
                (self.tokens.access_token,)
                if isinstance(store, HalfSilentStore)
                else (
                    self.tokens.access_token,
                    self.tokens.refresh_token,
                )
            )
            for token in kinds:
                with self.assertRaises(BackendUnavailableError):
                    run(revoke("", form(client_id="mail", client_secret=MAIL.secret, token=token)))

    def test_row_14_again(self) -> None:
        """What failed can be tried again and then works."""
        self.test_row_14_silent_store()

        self.assertEqual(self.works(self.tokens)[0], True)
        self.assertEqual(self.revoke(self.tokens.access_token), "")
        self.assertEqual(self.works(self.tokens)[0], False)
