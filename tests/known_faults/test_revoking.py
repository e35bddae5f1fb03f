"""Row 14: a revocation that was not kept, and said to be done."""

from collections.abc import Collection

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest
from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.protocol.errors import OAuthError
from konnectd.web.errors import as_json
from tests.support.fakes import claims_of, run
from tests.support.provider import Provider
from tests.support.requests import MAIL, form

CHAT = evolve(MAIL, client_id="chat", secret="chat-secret")
OFFLINE = "openid offline_access"


class Failing:
    """A store in which some methods do not answer."""

    def __init__(self, store: Store, methods: Collection[str]) -> None:
        """Stand before a store."""
        self.store = store
        self.methods = methods

    def __getattr__(self, name: str) -> object:
        """Be the store, or fail."""
        if name in self.methods:
            raise BackendUnavailableError(f"the store does not {name}")
        return getattr(self.store, name)


class Row14Tests(SynchronousTestCase):
    """What is revoked, and what is said."""

    def setUp(self) -> None:
        """Give out tokens."""
        self.provider = Provider(MAIL, CHAT)
        self.tokens = self.provider.tokens(OFFLINE)

    def revoke(self, token: str, client_id: str = "mail", secret: str = MAIL.secret) -> str:
        """Revoke a token; return the error, if there is one."""
        try:
            run(self.provider.revoke("", form(client_id=client_id, client_secret=secret, token=token)))
        except OAuthError as error:
            return str(error.code)
        return ""

    def userinfo(self, token: str) -> bool:
        """Tell whether an access token is good."""
        try:
            run(self.provider.userinfo(f"Bearer {token}", None))
        except OAuthError:
            return False
        return True

    def refreshes(self, token: str) -> bool:
        """Tell whether a refresh token is good."""
        try:
            self.provider.refresh(token)
        except OAuthError:
            return False
        return True

    def introspected(self, token: str) -> bool:
        """Tell whether a server would be told that a token is good."""
        asked = form(client_id="mail", client_secret=MAIL.secret, token=token)
        return run(self.provider.introspect("", asked))["active"] is True

    def test_row_14_refresh_token(self) -> None:
        """A refresh token that was revoked gives nothing, nor does what came from it open anything."""
        self.assertEqual(self.revoke(self.tokens.refresh_token), "")

        self.assertEqual(
            (self.refreshes(self.tokens.refresh_token), self.userinfo(self.tokens.access_token)), (False, False)
        )

    def test_row_14_access_token(self) -> None:
        """An access token that was revoked opens nothing, and nothing else is lost with it."""
        self.assertEqual(self.revoke(self.tokens.access_token), "")

        self.assertEqual(
            (self.userinfo(self.tokens.access_token), self.refreshes(self.tokens.refresh_token)), (False, True)
        )

    def test_row_14_introspection(self) -> None:
        """Servers are told the same."""
        other = self.provider.tokens(OFFLINE)
        self.revoke(self.tokens.refresh_token)
        self.revoke(other.access_token)

        self.assertEqual([self.introspected(tokens.access_token) for tokens in (self.tokens, other)], [False, False])

    def test_row_14_one_of_many(self) -> None:
        """One access token of a grant can be revoked, and the others go on."""
        second = self.provider.refresh(self.tokens.refresh_token)
        self.revoke(self.tokens.access_token)

        self.assertEqual(
            [self.userinfo(token) for token in (self.tokens.access_token, second.access_token)], [False, True]
        )

    def test_row_14_lasts(self) -> None:
        """A family stays revoked for as long as it would have lived."""
        self.revoke(self.tokens.refresh_token)
        self.provider.clock.advance(self.provider.lifetimes.refresh_token - 1)

        self.assertFalse(self.refreshes(self.tokens.refresh_token))

    def test_row_14_lasts_for_access_tokens(self) -> None:
        """An access token does, too."""
        self.revoke(self.tokens.access_token)
        self.provider.clock.advance(self.provider.lifetimes.access_token - 1)

        self.assertFalse(self.userinfo(self.tokens.access_token))

    def test_row_14_all_of_it(self) -> None:
        """What was revoked altogether is not brought back by revoking a part of it."""
        self.revoke(self.tokens.refresh_token)
        self.revoke(self.tokens.access_token)

        self.assertFalse(self.refreshes(self.tokens.refresh_token))

    def test_row_14_others(self) -> None:
        """Nobody revokes the tokens of others, nor in the name of others."""
        for token in (self.tokens.access_token, self.tokens.refresh_token):
            self.assertEqual(self.revoke(token, "chat", CHAT.secret), "invalid_grant")
            self.assertEqual(self.revoke(token, secret="wrong"), "invalid_client")

        self.assertEqual(
            (self.userinfo(self.tokens.access_token), self.refreshes(self.tokens.refresh_token)), (True, True)
        )

    def assert_told(self, token: str, *methods: str) -> None:
        """Check that a client is told when the store could not keep that a token is revoked."""
        revocations = evolve(self.provider.revocations, store=Failing(self.provider.store, methods))
        revoke = evolve(self.provider.revoke, revocations=revocations)

        with self.assertRaises(BackendUnavailableError, msg=str(methods)):
            run(revoke("", form(client_id="mail", client_secret=MAIL.secret, token=token)))

    def test_row_14_not_kept(self) -> None:
        """Whatever the store could not keep is not said to be done."""
        self.assert_told(self.tokens.refresh_token, "put")

    def test_row_14_not_kept_of_an_access_token(self) -> None:
        """Nor is it of an access token, whichever of its two entries was lost."""
        self.assert_told(self.tokens.access_token, "put")
        self.assert_told(self.tokens.access_token, "add")

    def test_row_14_half_kept(self) -> None:
        """Where one of two entries was lost the client can try again, and it works."""
        self.assert_told(self.tokens.access_token, "add")
        self.assertEqual(self.revoke(self.tokens.access_token), "")

        self.assertFalse(self.userinfo(self.tokens.access_token))

    def test_row_14_order(self) -> None:
        """The entry of the token comes first: without it the one of the grant would say nothing."""
        presented = claims_of(self.tokens.access_token)
        self.assert_told(self.tokens.access_token, "put")

        self.assertIsNone(run(self.provider.store.get(f"revoked:{presented['kc.ref']}")))

    def test_row_14_status(self) -> None:
        """What could not be done is answered as such, with a word about when to come again."""
        answer = as_json(BackendUnavailableError("x"), HttpRequest(method="POST", path="/revoke"), "ref-1")

        self.assertEqual(answer.status if answer is not None else 0, 503)
