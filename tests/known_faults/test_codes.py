"""Rows 6 and 7: authorization codes, and who may redeem one."""

from collections.abc import Mapping
from urllib.parse import urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authorize import AuthorizationRequest, ReturnAddress
from konnectd.protocol.client import Client
from konnectd.protocol.device import GRANT_TYPE
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import CODE_TTL, AuthorizationGrant
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import check_code_grant
from tests.contracts.stores import MANY
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.devices import TV
from tests.support.fakes import run
from tests.support.people import ALICE, logon_of
from tests.support.provider import Provider, redemption
from tests.support.redirects import answer_of
from tests.support.requests import CALLBACK, CHALLENGE, MAIL, PAGE, VERIFIER, form, sent
from tests.support.steps import WaitingBackend, WaitingStore, in_turns

OTHER = evolve(MAIL, client_id="other", secret="other-secret")
REFUSED = (400, "invalid_grant")
NO_CHALLENGE: Mapping[str, None] = {"code_challenge": None, "code_challenge_method": None}


class CodeCase(SynchronousTestCase):
    """A daemon with an application that gets codes."""

    words: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(*self.words, clients=(MAIL, PAGE, OTHER, TV))
        self.app = Application(self.daemon)
        self.public = Application(self.daemon, PAGE)

    def told(self, app: Application, **changes: str | None) -> dict[str, str]:
        """Return what a client is told at once that asks for a code."""
        return answer_of(self.daemon.get(app.url(**changes)).header("Location"))

    def push(self, app: Application, **changes: str | None) -> Heard:
        """Push a request of a client that can keep no secret."""
        return self.daemon.post(self.daemon.settings.paths.par, urlencode(app.parameters(**changes)))


class Row6Tests(CodeCase):
    """Codes of others, and codes that come back."""

    def test_row_6_made_up(self) -> None:
        """What we never made is no code, however like one it looks."""
        for code in ("A" * 65, self.app.code()[:-22] + "A" * 22, ""):
            self.assertEqual(self.app.redeem(code).status, 400)

        self.assertEqual(self.app.redeem(self.app.code()).status, 200)

    def test_row_6_spared_by_others(self) -> None:
        """Another client does not even spend a code."""
        code = self.app.code()
        self.assertEqual(error_of(Application(self.daemon, OTHER).redeem(code)), REFUSED)

        self.assertEqual(self.app.redeem(code).status, 200)

    def test_row_6_what_was_kept(self) -> None:
        """What was kept for a code says once more whose it is."""
        address = ReturnAddress.verify(MAIL, sent(client_id="mail"))
        request = AuthorizationRequest.parse(address, sent(client_id="mail"))
        grant = AuthorizationGrant.of(request, logon_of(ALICE, 1), Scope.of(["openid"]), "grant-1")
        good = form(redirect_uri=CALLBACK, code_verifier=VERIFIER)
        check_code_grant(grant, MAIL, good)

        self.assertRaises(OAuthError, check_code_grant, grant, OTHER, good)

    def test_row_6_guessing(self) -> None:
        """Whoever has a code, but not what goes with it, gets no second try."""
        for changes in ({"redirect_uri": f"{CALLBACK}/"}, {"code_verifier": "x" * 43}):
            code = self.app.code()

            self.assertEqual(error_of(self.app.redeem(code, **changes)), REFUSED)
            self.assertEqual(error_of(self.app.redeem(code)), REFUSED)

    def test_row_6_expired(self) -> None:
        """A code that nobody fetched tokens for is over after two minutes."""
        code = self.app.code()
        self.daemon.clock.advance(CODE_TTL)

        self.assertEqual(error_of(self.app.redeem(code)), REFUSED)

    def test_row_6_refresh_tokens(self) -> None:
        """The second use of a code ends the refresh tokens that came of it as well."""
        code = self.app.code(scope="openid offline_access")
        token = json_of(self.app.redeem(code))["refresh_token"]
        self.app.redeem(code)

        self.assertEqual(error_of(self.app.refresh(token)), REFUSED)

    def test_row_6_for_as_long_as_they_live(self) -> None:
        """They stay ended for as long as they would have lived."""
        code = self.app.code(scope="openid offline_access")
        token = json_of(self.app.redeem(code))["refresh_token"]
        self.app.redeem(code)
        self.daemon.clock.advance(30 * 24 * 3600)

        self.assertEqual(error_of(self.app.refresh(token)), REFUSED)

    def test_row_6_chance(self) -> None:
        """A code has more than 128 bits that nobody can guess."""
        codes = {self.app.code() for _ in range(3)}

        self.assertEqual({len(code) for code in codes}, {43 + 22})
        self.assertEqual(len({code[:20] for code in codes}), 3)

    def test_row_6_fifty_at_once(self) -> None:
        """Of fifty who redeem one code at the same moment one gets tokens."""
        first = Provider()
        code = first.code()
        behind = Provider(store=WaitingStore(first.store), backend=WaitingBackend(first.people), sealer=first.sealer)
        runs = in_turns((), *(behind.token("", redemption(code)) for _ in range(MANY)))

        self.assertEqual(sum(run.answer is not None for run in runs), 1)


class Row7Tests(CodeCase):
    """PKCE left out, taken out, or checked only sometimes."""

    def code_without_challenge(self) -> str:
        """Return a code of a client that keeps a secret and sent no challenge."""
        return self.app.code(**NO_CHALLENGE)

    def test_row_7_public_client(self) -> None:
        """A client that can keep no secret has to send a challenge."""
        self.assertEqual(self.told(self.public, **NO_CHALLENGE)["error"], "invalid_request")

    def test_row_7_every_response_with_a_code(self) -> None:
        """It has to in every way in which it gets a code."""
        for response_type in ("code id_token", "code token", "code id_token token"):
            told = self.told(self.public, **NO_CHALLENGE, response_type=response_type)

            self.assertEqual(told["error"], "invalid_request", response_type)

    def test_row_7_verifier_left_out(self) -> None:
        """Who sent a challenge has to show the verifier."""
        self.assertEqual(error_of(self.app.redeem(self.app.code(), code_verifier=None)), REFUSED)

    def test_row_7_verifier_alone(self) -> None:
        """A verifier without a challenge means that somebody took the challenge out of the request."""
        self.assertEqual(error_of(self.app.redeem(self.code_without_challenge())), REFUSED)

    def test_row_7_verifier_wrong(self) -> None:
        """Another verifier is none."""
        self.assertEqual(error_of(self.app.redeem(self.app.code(), code_verifier="x" * 43)), REFUSED)

    def test_row_7_challenge_for_verifier(self) -> None:
        """The challenge, which everybody could read, is no verifier."""
        self.assertEqual(error_of(self.app.redeem(self.app.code(), code_verifier=CHALLENGE)), REFUSED)

    def test_row_7_verifier_malformed(self) -> None:
        """A verifier that could be guessed is refused as such, whatever its challenge."""
        for verifier in ("short", "x" * 129, "x" * 42 + "="):
            answer = self.app.redeem(self.app.code(), code_verifier=verifier)

            self.assertEqual(error_of(answer), (400, "invalid_request"), verifier)

    def test_row_7_plain(self) -> None:
        """The method that proves nothing is refused, by name and where no method is named."""
        for method in ("plain", "s256", None):
            told = self.told(self.app, code_challenge=VERIFIER, code_challenge_method=method)

            self.assertEqual(told["error"], "invalid_request", method)

    def test_row_7_method_alone(self) -> None:
        """A method without a challenge means that somebody took the challenge out."""
        self.assertEqual(self.told(self.app, code_challenge=None)["error"], "invalid_request")

    def test_row_7_challenge_malformed(self) -> None:
        """A challenge that is no digest, and that nothing could ever fit, is refused at once."""
        for challenge in ("short", CHALLENGE + "=", CHALLENGE[:-1] + "+"):
            self.assertEqual(self.told(self.app, code_challenge=challenge)["error"], "invalid_request", challenge)

    def test_row_7_pushed(self) -> None:
        """A pushed request needs the challenge as any other, and is told so when it is pushed."""
        self.assertEqual(error_of(self.push(self.public, **NO_CHALLENGE)), (400, "invalid_request"))
        self.assertEqual(self.push(self.public).status, 201)

    def test_row_7_devices(self) -> None:
        """Where a device begins nobody would look at a challenge, so none is taken."""
        sent = urlencode({"client_id": "tv", "scope": "openid", "code_challenge": CHALLENGE})
        answer = self.daemon.post(self.daemon.settings.paths.device_authorization, sent)

        self.assertEqual(error_of(answer), (400, "invalid_request"))

    def test_row_7_devices_verifier(self) -> None:
        """Nor would anybody look at a verifier where it gets tokens."""
        answer = self.daemon.post(
            self.daemon.settings.paths.token,
            urlencode({"client_id": "tv", "grant_type": GRANT_TYPE, "device_code": "x", "code_verifier": VERIFIER}),
        )

        self.assertEqual(error_of(answer), (400, "invalid_request"))

    def test_row_7_kinds_of_codes(self) -> None:
        """No code of a device passes for a code, which would get around all of this, nor the other way around."""
        tv: Client = evolve(TV, redirect_uris=(CALLBACK,))
        provider = Provider(tv)
        secret = "s" * 43
        for purpose, values in (
            ("device-code", redemption("", tv)),
            ("code", form(client_id="tv", grant_type=GRANT_TYPE, device_code="x")),
        ):
            code = secret + provider.sealer.tag(purpose, f"{secret} tv")
            name = "code" if purpose == "device-code" else "device_code"
            with self.assertRaises(OAuthError) as caught:
                run(provider.token("", form(**{**dict(values.items()), name: code})))

            self.assertIn("unknown", caught.exception.description)


class Row7StrictTests(CodeCase):
    """Where an operator asks it of everybody."""

    words = ("--response-types=rfc9700",)

    def test_row_7_confidential_client(self) -> None:
        """A client that keeps a secret has to send a challenge as well."""
        told = self.told(self.app, code_challenge=None, code_challenge_method=None)

        self.assertEqual(told["error"], "invalid_request")
