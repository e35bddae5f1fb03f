"""Row 25: secrets in the store, in what is printed, and in the log.

What a complete run leaves in the log is `tests.web.test_log_secrets`.
"""

from urllib.parse import urlencode

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.explain import Line
from konnectd.fetch import GuardedFetch
from konnectd.flows.authorize import ToConsent, ToSignIn
from konnectd.flows.browser import Browser, Keep
from konnectd.flows.device import Found, user_code_key
from konnectd.flows.logon import LogonForm
from konnectd.flows.par import Reference
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import FetchError, RefusalReason, Refused
from konnectd.jose.sealing import SecretSealer
from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import Credentials
from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.delivery import Delivery
from konnectd.protocol.device import GRANT_TYPE, DeviceCodes
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.pushed_request import PushedRequest
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import TokenResponse
from konnectd.protocol.vocabulary import AuthMethod
from konnectd.stores.memory import Entry, MemoryStore
from tests.support.application import Application, json_of
from tests.support.assembly import SECRET, Daemon
from tests.support.assertions import ASSERTION_TYPE, KEYED, keyed
from tests.support.devices import TV
from tests.support.fakes import FixedClock, run
from tests.support.loglines import LogLines
from tests.support.page_case import INNER
from tests.support.provider import Provider
from tests.support.registering import ON, SelfRegistered
from tests.support.requests import MAIL, NOTES, VERIFIER, address_of, request_of
from tests.support.visitor import Visitor
from tests.test_fetch import URL, Server

WRONG, MISPLACED = "c4n4ry-wrong-password", "c4n4ry-password-as-name"
CANARY = "c4n4ry"


class Recording(MemoryStore):
    """A store that writes down all that it was ever given.

    Attributes:
        written: names and values of entries.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(FixedClock())
        self.written: list[str] = []

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        self.written += [key, value]
        await super().put(key, value, ttl)

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one."""
        self.written += [key, value]
        return await super().add(key, value, ttl)

    async def increment(self, key: str, ttl: int) -> int:
        """Count."""
        self.written.append(key)
        return await super().increment(key, ttl)


class Row25StoreTests(SynchronousTestCase):
    """What is in the store after a run, for whoever reads it."""

    def setUp(self) -> None:
        """Assemble."""
        self.store = Recording()
        self.daemon = Daemon(ON, clients=(MAIL, NOTES, TV, KEYED), store=self.store)
        self.app = Application(self.daemon)
        self.visitor = Visitor(self.daemon)

    def assert_not_written(self, *secrets: str) -> None:
        """Check that something was written, and none of some secrets."""
        text = "\n".join(self.store.written)

        self.assertGreater(len(self.store.written), 0)
        self.assertEqual([secret for secret in secrets if len(secret) < 4 or secret in text], [])

    def test_row_25_codes(self) -> None:
        """No code is in it, nor a verifier."""
        code = self.app.code(self.visitor)
        self.app.redeem(code)

        self.assert_not_written(code, VERIFIER)

    def test_row_25_tokens(self) -> None:
        """No token is, of those that were spent and those that are good."""
        first = self.app.tokens(self.visitor, scope="openid offline_access")
        second = json_of(self.app.refresh(first["refresh_token"]))
        paths = self.daemon.settings.paths
        for token in (second["access_token"], second["refresh_token"]):
            self.daemon.post(paths.revoke, urlencode({"token": token}), self.app.basic())

        self.assert_not_written(
            *(told[name] for told in (first, second) for name in ("access_token", "id_token", "refresh_token"))
        )

    def test_row_25_passwords(self) -> None:
        """No password is, be it wrong or typed into the field of the name, nor is a name that nobody has."""
        page = self.app.arrive(self.visitor)
        for username, password in (("alice", WRONG), (MISPLACED, WRONG), ("alice", "wonderland")):
            self.visitor.submit(page, username=username, password=password)

        self.assert_not_written("wonderland", WRONG, MISPLACED)

    def test_row_25_names_can_not_be_tried_out(self) -> None:
        """Nor is a digest that anybody could find from it what was typed for a name, which may be a password."""
        for number in range(2):
            provider = Provider(store=self.store, sealer=SecretSealer(bytes([number]) * 32))
            run(provider.logon(LogonForm(username=MISPLACED, password=WRONG)))
        names = {name for name in self.store.written if name.startswith("tries:")}

        self.assertEqual(len(names), 2)

    def test_row_25_cookies(self) -> None:
        """No cookie is, so nobody who reads it is anybody."""
        page = Application(self.daemon, NOTES).sign_in(self.visitor)
        self.visitor.submit(page, allow="1")

        self.assert_not_written(*(cookie.value for cookie in self.visitor.jar.values()))

    def test_row_25_secrets_of_clients(self) -> None:
        """What a client proves itself by is not kept with what it pushed."""
        pushed = self.app.parameters(client_secret=MAIL.secret)
        answers = [self.daemon.post(self.daemon.settings.paths.par, urlencode(pushed))]
        keyed_app, proof = Application(self.daemon, KEYED), keyed()
        proven = keyed_app.parameters(client_assertion=proof, client_assertion_type=ASSERTION_TYPE)
        answers.append(self.daemon.post(self.daemon.settings.paths.par, urlencode(proven)))

        self.assertEqual([answer.status for answer in answers], [201, 201])
        self.assert_not_written(MAIL.secret, proof)

    def test_row_25_references(self) -> None:
        """Nor is the reference that it got."""
        answer = self.daemon.post(
            self.daemon.settings.paths.par, urlencode(self.app.parameters(client_secret=MAIL.secret))
        )

        self.assert_not_written(json_of(answer)["request_uri"])

    def test_row_25_proofs(self) -> None:
        """A proof that is remembered is not named."""
        proof = keyed(jti="c4n4ry-proof")
        Application(self.daemon, KEYED).ask_token(
            grant_type="authorization_code", client_assertion_type=ASSERTION_TYPE, client_assertion=proof
        )

        self.assert_not_written("c4n4ry-proof", proof)

    def test_row_25_devices(self) -> None:
        """Neither code of a device is in it."""
        sent = urlencode({"client_id": "tv", "scope": "openid"})
        told = json_of(self.daemon.post(self.daemon.settings.paths.device_authorization, sent))
        self.app.sign_in(self.visitor)
        found = self.visitor.submit(self.visitor.open(f"{INNER}device"), user_code=told["user_code"])
        self.visitor.submit(found, allow="1")
        asked = urlencode({"client_id": "tv", "grant_type": GRANT_TYPE, "device_code": told["device_code"]})
        tokens = json_of(self.daemon.post(self.daemon.settings.paths.token, asked))

        self.assert_not_written(
            told["device_code"], told["user_code"], told["user_code"].replace("-", ""), tokens["access_token"]
        )

    def test_row_25_user_codes_can_not_be_tried_out(self) -> None:
        """Nor is a digest that anybody could find a user code from by trying them all: there are too few of them."""
        names = {user_code_key(SecretSealer(bytes([number]) * 32), "BCDFGHJK") for number in range(2)}

        self.assertEqual(len(names), 2)

    def test_row_25_clients_that_register(self) -> None:
        """No secret of a client that registered itself is, nor the token that manages it."""
        app = SelfRegistered.begin(self.daemon)
        told = app.told_at_start
        members = {"client_id": app.client.client_id, "client_secret": told["client_secret"]}
        answer = app.manage("PUT", {**members, "redirect_uris": [app.redirect_uri]})

        self.assertEqual(answer.status, 200)
        self.assert_not_written(told["client_secret"], told["registration_access_token"])

    def test_row_25_secret_that_is_read_again(self) -> None:
        """Nor is one that has to be read again, because the client signs with it; it is sealed."""
        app = SelfRegistered.begin(self.daemon, token_endpoint_auth_method="client_secret_jwt")
        told = app.told_at_start
        members = {"client_id": app.client.client_id, "redirect_uris": [app.redirect_uri]}
        app.manage("PUT", {**members, "token_endpoint_auth_method": "client_secret_jwt"})

        self.assert_not_written(told["client_secret"], SECRET.hex())
        self.assertNotIn(told["client_secret"], told["client_id"])


class Row25PrintTests(SynchronousTestCase):
    """Values that are logged, or stand in a traceback."""

    def assert_hides(self, *values: object) -> None:
        """Check that nothing of what is secret in some values is printed."""
        self.assertEqual([repr(value) for value in values if CANARY in repr(value)], [])

    def test_row_25_clients(self) -> None:
        """Not what clients prove themselves by."""
        self.assert_hides(
            Client(client_id="c", secret=CANARY),
            Client(client_id="c", backchannel_logout_uri=CANARY, frontchannel_logout_uri=CANARY),
            Client(client_id="c", jwks_uri=CANARY, request_uris=(CANARY,)),
            Credentials(client_id="c", secret=CANARY, method=AuthMethod.BASIC),
            Credentials(client_id="c", assertion=CANARY, method=AuthMethod.SECRET_JWT),
            SecretDigest("name", CANARY),
            Pairwise("sector", CANARY.encode()),
        )

    def test_row_25_people(self) -> None:
        """Not what people type, and not what they may have typed into the wrong field."""
        self.assert_hides(
            LogonForm(username=CANARY, password="x"),
            LogonForm(username="x", password=CANARY),
            Refused(RefusalReason.WRONG_PASSWORD, principal=CANARY),
        )

    def test_row_25_browsers(self) -> None:
        """Not what browsers keep for us, nor what travels through their addresses."""
        travelling = Parameters({"code": CANARY})

        self.assert_hides(
            Browser({"KKT": CANARY}),
            Keep("KKT", CANARY),
            travelling,
            ToSignIn(travelling, CANARY),
            ToConsent(travelling, CANARY),
            Delivery(f"https://a.example/?code={CANARY}", (("code", CANARY),)),
        )

    def test_row_25_requests(self) -> None:
        """Not what is in a request, or in an answer."""
        self.assert_hides(
            HttpRequest(method="GET", path="/", headers={"authorization": CANARY}),
            HttpRequest(method="POST", path="/", body=CANARY.encode()),
            HttpResponse(body=CANARY.encode()),
            address_of(state=CANARY),
            request_of(nonce=CANARY),
            request_of(login_hint=CANARY),
            request_of(id_token_hint=CANARY),
            PushedRequest(client_id="c", parameters=Parameters({"state": CANARY}), expires_at=1),
        )

    def test_row_25_given_out(self) -> None:
        """Not what is given out."""
        scope = Scope.of(["openid"])

        self.assert_hides(
            TokenResponse(access_token=CANARY, expires_in=1, scope=scope),
            TokenResponse(access_token="x", id_token=CANARY, expires_in=1, scope=scope),
            TokenResponse(access_token="x", refresh_token=CANARY, expires_in=1, scope=scope),
            DeviceCodes(device_code=CANARY, user_code="x", verification_uri="x"),
            DeviceCodes(device_code="x", user_code=CANARY, verification_uri="x"),
            Reference(CANARY, 1),
            Found(CANARY),
            Entry(CANARY, 1),
        )


class Row25LogTests(SynchronousTestCase):
    """The log."""

    def setUp(self) -> None:
        """Listen."""
        self.log = LogLines(self)
        self.daemon = Daemon()

    def test_row_25_addresses(self) -> None:
        """What stands behind a question mark is not logged, whoever asked for it."""
        self.daemon.get(f"/nowhere?code={CANARY}")
        self.daemon.get(f"{self.daemon.settings.paths.authorize}?client_id=stranger&state={CANARY}")
        self.daemon.get(f"{self.daemon.settings.paths.userinfo}?access_token={CANARY}")

        self.assertGreater(len(self.log.lines()), 0)
        self.assertNotIn(CANARY, self.log.text())

    def test_row_25_paths_without_end(self) -> None:
        """A path is cut, so that nobody fills the log, and nothing of it begins a line."""
        self.daemon.get("/" + "x" * 2000)

        self.assertLess(len("".join(self.log.lines())), 1000)

    def test_row_25_addresses_of_clients(self) -> None:
        """Nor is what stands behind one in an address of a client, in whatever is said of it."""
        server = Server()
        server.status = 404
        fetch = GuardedFetch(RequestTraversalAgent(server), Clock())
        for url in (f"{URL}?key={CANARY}", f"http://client.example.org/?key={CANARY}", f"{URL}#{CANARY}"):
            failure = self.failureResultOf(Deferred.fromCoroutine(fetch.get(url)), FetchError)

            self.assertNotIn(CANARY, str(failure.value))

    def test_row_25_trails(self) -> None:
        """What is told of a request names no client that is not registered, and no word that is not one of ours."""
        app = Application(self.daemon, NOTES)
        for name in ("client_id", "response_type", "response_mode", "prompt", "state", "nonce", "login_hint"):
            self.daemon.get(app.url(**{name: CANARY, "max_age": "x"}))
        app.ask_token(app.basic(), grant_type=CANARY, code=CANARY, code_verifier=CANARY)

        self.assertGreater(len(self.log.about("refused: ")), 7)
        self.assertNotIn(CANARY, self.log.text())

    def test_row_25_forged(self) -> None:
        """Nobody makes a line of the log look like a decision by what they type."""
        line = 'level=info msg="refused: x [E123456] at=token client=notes"'
        typed = [f"{before}{line}" for before in ("", "x ", "' ", '" ', "x: ", "2026-11-26T01:02:03+0000 ")]

        for text in typed[1:]:
            self.assertIsNone(Line.parse(text), text)
            self.assertIsNone(Line.parse(f"level=warn msg={text!r}"), text)
        self.assertIsNotNone(Line.parse(typed[0]))

    def test_row_25_mistakes(self) -> None:
        """No description of a mistake repeats what was sent."""
        app = Application(self.daemon, NOTES)
        answers = [
            self.daemon.get(app.url(**{name: CANARY}))
            for name in ("client_id", "redirect_uri", "response_type", "prompt", "max_age", "request", "claims")
        ]
        answers += [
            app.ask_token(app.basic(CANARY, CANARY), grant_type="authorization_code"),
            app.ask_token(app.basic(), grant_type=CANARY),
            app.ask_token(app.basic(), grant_type="authorization_code", code=CANARY),
            app.ask_token(app.basic(), grant_type="refresh_token", refresh_token=CANARY),
        ]

        self.assertEqual([answer.status for answer in answers if CANARY.encode() in answer.body], [])
        self.assertNotIn(CANARY, self.log.text())
