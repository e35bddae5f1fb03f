"""The introspection endpoint: who may ask, and what a token is worth at this moment."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.withdrawal import withdrawal_key
from tests.support.fakes import SilentStore, claims_of, run
from tests.support.people import ALICE
from tests.support.provider import Provider
from tests.support.requests import MAIL, PAGE, form

FILES = "https://files.example.com/"
WEBMAIL = evolve(MAIL, resources=(FILES,))
#: A server that is registered under the address that tokens for it name.
OWN = evolve(MAIL, client_id=FILES, secret="files-secret")
SERVER = evolve(MAIL, client_id="server", secret="server-secret", introspection=True)
STRANGER = evolve(MAIL, client_id="stranger", secret="stranger-secret")
JOB = evolve(MAIL, client_id="job", grant_types=("client_credentials",), scopes=("read",))
NOTHING = {"active": False}


class IntrospectTests(SynchronousTestCase):
    """What is told. Spec: RFC 7662 2."""

    def setUp(self) -> None:
        """Give out tokens."""
        self.provider = Provider(WEBMAIL, SERVER, STRANGER, OWN, PAGE, JOB)
        self.tokens = self.provider.tokens("openid profile offline_access", WEBMAIL)

    def ask(self, token: str | None, client_id: str = "server", secret: str | None = None) -> dict[str, object]:
        """Ask about a token; an error is told by its code."""
        known = self.provider.registry.clients.get(client_id, SERVER)
        values = {"client_id": client_id, "client_secret": known.secret if secret is None else secret, "token": token}
        try:
            return dict(run(self.provider.introspect("", form(**values))))
        except OAuthError as error:
            return {"error": str(error.code)}

    def test_access_token(self) -> None:
        """A living one is told with its person, client and scope."""
        told = self.ask(self.tokens.access_token)

        self.assertEqual((told["active"], told["client_id"], told["username"]), (True, "mail", "alice"))
        self.assertEqual((told["scope"], told["aud"]), ("openid profile offline_access", "mail"))

    def test_refresh_token(self) -> None:
        """A refresh token is active until it is spent, for its own client; nobody else learns of it."""
        again = self.provider.refresh(self.tokens.refresh_token, WEBMAIL)

        self.assertEqual(self.ask(self.tokens.refresh_token, "mail"), NOTHING)
        self.assertEqual(self.ask(again.refresh_token, "mail")["active"], True)
        self.assertEqual(self.ask(again.refresh_token), NOTHING)

    def test_client_token(self) -> None:
        """A token without a person is told as such."""
        client = {"client_id": "job", "client_secret": JOB.secret}
        token = run(self.provider.token("", form(**client, grant_type="client_credentials"))).access_token
        told = self.ask(token)

        self.assertEqual((told["active"], told["sub"], "username" in told), (True, "job", False))

    def test_over(self) -> None:
        """Nothing is told of what is expired, revoked, forged, or no access token or refresh token."""
        run(self.provider.revoke("", form(client_id="mail", client_secret=MAIL.secret, token=self.tokens.access_token)))
        living = self.provider.tokens("openid", WEBMAIL)
        self.assertEqual(self.ask(living.access_token)["active"], True)
        answers = [self.ask(token) for token in (self.tokens.access_token, living.id_token, "x", "a.b.c")]
        self.provider.clock.advance(600)

        self.assertEqual([*answers, self.ask(living.access_token)], [NOTHING] * 5)

    def test_session_ended(self) -> None:
        """A refresh token ends with the session of its sign-in, as refreshing says too."""
        session_id = claims_of(self.tokens.refresh_token)["kc.identity"]["kc.i.session"]
        run(self.provider.store.put(ended_session_key(session_id), "1", 60))

        self.assertEqual(self.ask(self.tokens.refresh_token), NOTHING)

    def test_taken_back(self) -> None:
        """Nor is it active when the person has taken back what the client may do."""
        claims = claims_of(self.tokens.refresh_token)
        run(self.provider.store.put(withdrawal_key(str(claims["sub"]), str(claims["aud"])), "mark", 60))

        self.assertEqual(self.ask(self.tokens.refresh_token), NOTHING)

    def test_person_gone(self) -> None:
        """A token whose person is gone, or is somebody else, is worth nothing."""
        for users in ({}, {"alice": evolve(ALICE, subject="another")}):
            self.provider.people.users = users

            self.assertEqual(self.ask(self.tokens.access_token), NOTHING)

    def test_whose_business(self) -> None:
        """Its client's, its audience's, and that of who may look at all; others can not tell it from nothing."""
        code = self.provider.code(WEBMAIL, resource=FILES)
        access = self.provider.redeem(code, WEBMAIL).access_token

        self.assertEqual([self.ask(access, asker)["active"] for asker in ("mail", FILES)], [True, True])
        self.assertEqual(self.ask(access, "stranger"), NOTHING)
        self.assertEqual(self.ask(access)["aud"], FILES)

    def test_who_asks(self) -> None:
        """Who can not prove who they are may not even try."""
        for client_id, secret in (("server", "wrong"), ("page", ""), ("unknown", "x")):
            self.assertEqual(self.ask(self.tokens.access_token, client_id, secret), {"error": "invalid_client"})

    def test_missing(self) -> None:
        """Without a token the request is broken."""
        self.assertEqual(self.ask(None), {"error": "invalid_request"})

    def test_silence(self) -> None:
        """When nobody knows whether a token is revoked nobody says that it is active, nor that it is not."""
        revocations = evolve(self.provider.revocations, store=SilentStore())
        introspect = evolve(self.provider.introspect, revocations=revocations)
        values = {"client_id": "server", "client_secret": SERVER.secret, "token": self.tokens.access_token}
        with self.assertRaises(BackendUnavailableError):
            run(introspect("", form(**values)))
        self.provider.people.silent = True

        self.assertRaises(BackendUnavailableError, self.ask, self.tokens.access_token)
