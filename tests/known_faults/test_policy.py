"""Row 9: whatever way a token is got, and used, the client's and the person's rules hold."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import Browser
from konnectd.protocol.client import Client
from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.device import GRANT_TYPE as DEVICE
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.application import Application, error_of
from tests.support.assembly import Daemon
from tests.support.devices import BOX, TV, Devices
from tests.support.fakes import claims_of, run
from tests.support.page_case import INNER
from tests.support.people import ALICE, logon_of
from tests.support.provider import Provider, told
from tests.support.registering import ON, SelfRegistered
from tests.support.requests import CALLBACK, MAIL, NOTES, PAGE, PROGRAM, VERIFIER, form, request_of
from tests.support.visitor import Visitor

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", DEVICE)
FILES = "https://files.example.com/"
JOB = evolve(MAIL, client_id="job", grant_types=("client_credentials",), scopes=("read",), resources=(FILES,))
SOMEBODY_ELSE = {"alice": evolve(ALICE, subject="another")}


class PolicyCase(SynchronousTestCase):
    """A provider with clients of every kind."""

    def setUp(self) -> None:
        """Begin with a provider nobody has used."""
        self.provider = Provider(MAIL, NOTES, PAGE, PROGRAM, JOB, TV, BOX)
        self.alice = self.provider.browser_of(ALICE)

    def refused(self, client_id: str | None, **values: str | None) -> str:
        """Return the error of a token request; empty for none."""
        try:
            run(self.provider.token("", form(client_id=client_id, **values)))
        except OAuthError as error:
            return str(error.code)
        return ""


class Row9ClientTests(PolicyCase):
    """The client's rules, for every grant type."""

    def test_row_9_wrong_secret(self) -> None:
        """A wrong secret opens nothing."""
        errors = {self.refused("mail", grant_type=name, client_secret="wrong", code="x") for name in GRANT_TYPES}

        self.assertEqual(errors, {"invalid_client"})

    def test_row_9_no_secret(self) -> None:
        """Nor does none, where there is one."""
        self.assertEqual({self.refused("mail", grant_type=name) for name in GRANT_TYPES}, {"invalid_client"})

    def test_row_9_unknown_client(self) -> None:
        """Nobody gets anything as somebody who is not registered."""
        self.assertEqual({self.refused("stranger", grant_type=name) for name in GRANT_TYPES}, {"invalid_client"})

    def test_row_9_two_proofs(self) -> None:
        """Who proves two things at once, so that two readers could believe different ones, has proven nothing."""
        daemon = Daemon()
        app = Application(daemon, NOTES)
        answer = app.ask_token(app.basic(), client_secret=NOTES.secret, grant_type="client_credentials")

        self.assertEqual(error_of(answer), (401, "invalid_client"))

    def test_row_9_two_names(self) -> None:
        """Nor has who says two names."""
        daemon = Daemon()
        answer = Application(daemon, NOTES).ask_token(
            Application(daemon, NOTES).basic(), client_id="mail", grant_type="client_credentials"
        )

        self.assertEqual(error_of(answer), (401, "invalid_client"))

    def test_row_9_no_secret_is_none(self) -> None:
        """A client without a secret has not shown it by showing nothing."""
        self.assertFalse(PAGE.accepts_secret(""))

    def test_row_9_registered_method(self) -> None:
        """A client proves itself as it is registered, though it could in another way."""
        client = evolve(MAIL, auth_method=AuthMethod.BASIC)
        self.provider.registry.clients["mail"] = client

        self.assertEqual(
            self.refused("mail", client_secret=MAIL.secret, grant_type="authorization_code", code="x"), "invalid_client"
        )

    def test_row_9_method_of_kind(self) -> None:
        """A client that can keep no secret proves nothing by a digest that fits nothing."""
        self.assertFalse(Client(client_id="c", secret_digest=SecretDigest("", "")).accepts_secret("A" * 86))

    def test_row_9_expired_secret(self) -> None:
        """The secret of a client that registered itself ends when it was told."""
        daemon = Daemon(ON, "--dynamic-client-secret-expiration=3600")
        app = SelfRegistered.begin(daemon)
        before = app.ask_token(app.basic(), grant_type="client_credentials")
        daemon.clock.advance(3600)
        afterwards = app.ask_token(app.basic(), grant_type="client_credentials")

        self.assertEqual(
            (error_of(before), error_of(afterwards)), ((400, "unauthorized_client"), (401, "invalid_client"))
        )

    def test_row_9_deleted_client(self) -> None:
        """A client that was deleted is none any more, though its id is still ours."""
        daemon = Daemon(ON)
        app = SelfRegistered.begin(daemon)
        app.manage("DELETE")

        self.assertEqual(error_of(app.ask_token(app.basic(), grant_type="client_credentials")), (401, "invalid_client"))

    def test_row_9_grant_types_of_jobs(self) -> None:
        """Nobody acts for themselves who is not registered for it."""
        self.assertEqual(
            self.refused("mail", client_secret=MAIL.secret, grant_type="client_credentials"), "unauthorized_client"
        )

    def test_row_9_jobs_without_secret(self) -> None:
        """Nor who can not prove who they are."""
        self.provider.registry.clients["page"] = evolve(PAGE, grant_types=("client_credentials",))

        self.assertEqual(self.refused("page", grant_type="client_credentials"), "unauthorized_client")

    def test_row_9_scope_of_jobs(self) -> None:
        """Nor for more than they are registered for."""
        job = {"client_secret": JOB.secret, "grant_type": "client_credentials"}

        self.assertEqual(self.refused("job", **job, scope="read write"), "invalid_scope")
        self.assertEqual(self.refused("job", **job, scope="read"), "")

    def test_row_9_servers(self) -> None:
        """Nobody gets a token for a server they are not registered for, in whatever way."""
        job = {"client_secret": JOB.secret, "grant_type": "client_credentials"}
        code = {"client_secret": MAIL.secret, "grant_type": "authorization_code", "redirect_uri": CALLBACK}

        self.assertEqual(self.refused("job", **job, resource="https://more.example.com/"), "invalid_target")
        self.assertEqual(self.refused("job", **job, resource=FILES), "")
        asked = {**code, "code": self.provider.code(), "code_verifier": VERIFIER, "resource": FILES}
        self.assertEqual(self.refused("mail", **asked), "invalid_target")

    def test_row_9_response_types(self) -> None:
        """Nobody gets tokens from the authorization endpoint in a way they have not registered."""
        self.provider.registry.clients["mail"] = evolve(MAIL, response_types=("code",))
        answer = told(self.provider.ask(self.alice, client_id="mail", response_type="code id_token"))

        self.assertEqual(answer["error"], "unauthorized_client")

    def test_row_9_response_types_that_are_off(self) -> None:
        """Nor in a way that the operator has switched off."""
        daemon = Daemon("--response-types=rfc9700")
        location = daemon.get(Application(daemon).url(response_type="code id_token")).header("Location")

        self.assertIn("error=unsupported_response_type", location)

    def test_row_9_pushed_only(self) -> None:
        """A client whose requests have to be pushed is not asked otherwise."""
        self.provider.registry.clients["mail"] = evolve(MAIL, require_pushed_authorization_requests=True)

        self.assertEqual(told(self.provider.ask(self.alice, client_id="mail"))["error"], "invalid_request")

    def test_row_9_signed_only(self) -> None:
        """Nor is one whose requests have to be signed."""
        self.provider.registry.clients["mail"] = evolve(MAIL, require_signed_request_object=True)

        self.assertEqual(told(self.provider.ask(self.alice, client_id="mail"))["error"], "invalid_request")

    def test_row_9_introspection(self) -> None:
        """Nobody learns about tokens who can not prove who they are, or whose the token is not."""
        token = self.provider.tokens().access_token
        with self.assertRaises(OAuthError) as caught:
            run(self.provider.introspect("", form(client_id="page", token=token)))
        stranger = form(client_id="notes", client_secret=NOTES.secret, token=token)

        self.assertEqual(caught.exception.code, "invalid_client")
        self.assertEqual(run(self.provider.introspect("", stranger)), {"active": False})


class Row9PersonTests(PolicyCase):
    """The person's rules: who is gone, or somebody else by now, and what they have not allowed."""

    def test_row_9_code(self) -> None:
        """A code is not redeemed for somebody who is not there, or not who they were."""
        for users in ({}, SOMEBODY_ELSE):
            provider = Provider()
            code = provider.code()
            provider.people.users = dict(users)

            with self.assertRaises(OAuthError) as caught:
                provider.redeem(code)
            self.assertEqual(caught.exception.code, "invalid_grant")

    def test_row_9_signed_out(self) -> None:
        """Nor for somebody who has signed out before the client came with it, and would not be told again."""
        daemon = Daemon()
        app, visitor = Application(daemon, MAIL), Visitor(daemon)
        code = app.code(visitor)
        visitor.submit(visitor.open(f"{INNER}goodbye"), signout="1")

        self.assertEqual(error_of(app.redeem(code)), (400, "invalid_grant"))

    def test_row_9_tokens_at_once(self) -> None:
        """Nor is anybody told without a code that somebody is there."""
        now = self.provider.clock.now()
        progress = self.provider.pending.begin(request_of(MAIL, response_type="id_token"), None)
        for users in ({}, SOMEBODY_ELSE):
            self.provider.people.users = dict(users)
            # Who signed in for this very request is not looked up by what comes before.
            answer = self.provider.ask(
                self.provider.browser_of(ALICE),
                client_id="mail",
                response_type="id_token",
                interaction=self.provider.pending.seal(progress),
            )

            self.assertEqual((told(answer).get("error"), progress.started_at), ("login_required", now))

    def test_row_9_authorization(self) -> None:
        """Nobody who is gone is still signed in, nor somebody else in their name."""
        for users in ({}, SOMEBODY_ELSE):
            self.provider.people.users = dict(users)
            answer = told(self.provider.ask(self.alice, client_id="mail", prompt="none"))

            self.assertEqual(answer["error"], "login_required")

    def test_row_9_other_people(self) -> None:
        """A session from before the people were replaced is nobody's."""
        logon = logon_of(ALICE, self.provider.clock.now(), provider="identifier-other")
        browser = Browser({"KKT": self.provider.sealer.seal("KKT", logon.to_json(), self.provider.clock.now() + 60)})

        self.assertEqual(told(self.provider.ask(browser, client_id="mail", prompt="none"))["error"], "login_required")

    def userinfo(self, token: str) -> str:
        """Return the error of a userinfo request; empty for none."""
        try:
            run(self.provider.userinfo(f"Bearer {token}", None))
        except OAuthError as error:
            return str(error.code)
        return ""

    def test_row_9_userinfo(self) -> None:
        """A token of somebody who is gone, or somebody else, shows nothing."""
        token = self.provider.tokens().access_token
        for users in ({}, SOMEBODY_ELSE):
            self.provider.people.users = dict(users)

            self.assertEqual(self.userinfo(token), "invalid_token")

    def test_row_9_userinfo_of_a_client_that_is_gone(self) -> None:
        """Nor does one of a client that is not registered any more."""
        token = self.provider.tokens().access_token
        del self.provider.registry.clients["mail"]

        self.assertEqual(self.userinfo(token), "invalid_token")

    def test_row_9_userinfo_for_other_servers(self) -> None:
        """A server that was shown a token can not look up here who showed it."""
        self.provider.registry.clients["mail"] = client = evolve(MAIL, resources=(FILES,))
        token = self.provider.redeem(self.provider.code(client, resource=FILES), client).access_token

        self.assertEqual(self.userinfo(token), "invalid_token")

    def test_row_9_userinfo_without_openid(self) -> None:
        """A token that is not about signing in shows nobody."""
        claims = {**claims_of(self.provider.tokens().access_token), "kc.authorizedScopes": ["profile"]}

        self.assertEqual(self.userinfo(run(self.provider.signer.sign(claims))), "insufficient_scope")

    def test_row_9_userinfo_of_nobody(self) -> None:
        """A token of a client for itself is nobody's."""
        job = form(client_id="job", client_secret=JOB.secret, grant_type="client_credentials")

        self.assertEqual(self.userinfo(run(self.provider.token("", job)).access_token), "invalid_token")

    def test_row_9_introspection_of_somebody_gone(self) -> None:
        """Servers are told that a token of somebody who is gone is worth nothing."""
        token = self.provider.tokens().access_token
        asking = form(client_id="mail", client_secret=MAIL.secret, token=token)
        self.assertEqual(run(self.provider.introspect("", asking))["active"], True)
        for users in ({}, SOMEBODY_ELSE):
            self.provider.people.users = dict(users)

            self.assertEqual(run(self.provider.introspect("", asking)), {"active": False})

    def test_row_9_device(self) -> None:
        """A device gets nothing for somebody who is gone, or somebody else."""
        for users in ({}, SOMEBODY_ELSE):
            provider = Provider(TV, BOX, MAIL)
            devices = Devices(provider)
            codes = devices.start()
            devices.decide(codes)
            provider.people.users = dict(users)

            self.assertEqual(devices.error(codes), "invalid_grant")
