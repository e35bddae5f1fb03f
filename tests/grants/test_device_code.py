"""The device code grant: waiting, and tokens once for what somebody has allowed."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.userinfo import Plain
from konnectd.grants import device_code
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.device import GRANT_TYPE, answer_key, handle_of
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import REVOKED, revoked_key
from konnectd.protocol.session import ended_session_key
from tests.grants.test_authorization_code import tools_of
from tests.support.devices import BOX, TV, Codes, Devices
from tests.support.fakes import claims_of, run
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider
from tests.support.requests import MAIL, VERIFIER, form
from tests.support.steps import WaitingStore, in_turns

FILES = "https://files.example"


class DeviceCodeCase(SynchronousTestCase):
    """A television that waits."""

    def setUp(self) -> None:
        """Let it begin."""
        self.provider = Provider(TV, BOX, MAIL)
        self.devices = Devices(self.provider)
        self.codes = self.devices.start()


class WaitingTests(DeviceCodeCase):
    """As long as nobody has decided. Spec: RFC 8628 3.5."""

    def test_pending(self) -> None:
        """A device that asks as often as it was told hears that it has to wait."""
        answers = []
        for _ in range(4):
            answers.append(self.devices.error(self.codes))
            self.provider.clock.advance(5)

        self.assertEqual(answers, ["authorization_pending"] * 4)

    def test_slow_down(self) -> None:
        """One that asks more often has to wait five seconds longer each time."""
        answers = []
        for pause in (1, 1, 5, 9, 10, 20, 20):
            answers.append(self.devices.error(self.codes))
            self.provider.clock.advance(pause)

        pending, slow = "authorization_pending", "slow_down"
        self.assertEqual(answers, [pending, slow, slow, pending, slow, pending, pending])

    def test_each_device_for_itself(self) -> None:
        """The haste of one does not slow another one down."""
        other = self.devices.start()
        errors = [self.devices.error(codes) for codes in (self.codes, self.codes, other)]

        self.assertEqual(errors, ["authorization_pending", "slow_down", "authorization_pending"])

    def test_too_late(self) -> None:
        """After ten minutes it hears that it is late, and later that nobody knows its code."""
        self.provider.clock.advance(600)
        late = self.devices.error(self.codes)
        self.provider.clock.advance(600)

        self.assertEqual((late, self.devices.error(self.codes)), ("expired_token", "invalid_grant"))

    def test_allowed_too_late(self) -> None:
        """What nobody fetched in time is not to be had."""
        self.devices.decide(self.codes)
        self.provider.clock.advance(600)

        self.assertEqual(self.devices.error(self.codes), "expired_token")

    def test_denied(self) -> None:
        """Somebody said no; that is the end of it."""
        self.devices.decide(self.codes, allow=False)
        answers = [self.devices.error(self.codes) for _ in range(2)]

        self.assertEqual(answers, ["access_denied", "invalid_grant"])


class RefusedTests(DeviceCodeCase):
    """Codes that are good for nothing."""

    def test_foreign(self) -> None:
        """What we never made, made for another client or for something else, has no effect."""
        self.devices.decide(self.codes)
        code = self.provider.code(MAIL)
        cases = (
            (Codes("invented", ""), TV),
            (Codes("", ""), TV),
            (Codes(code, ""), TV),
            (Codes(self.codes.device_code[:-1], ""), TV),
            (self.codes, BOX),
        )
        for codes, client in cases:
            with self.subTest(code=codes, client=client.client_id):
                self.assertIn(self.devices.error(codes, client), {"invalid_grant", "invalid_request"})
        self.assertEqual(self.devices.error(self.codes), "")

    def test_not_as_a_code(self) -> None:
        """A device code is no authorization code, so nothing gets around PKCE that way (row 7)."""
        self.devices.decide(self.codes)
        with self.assertRaises(OAuthError) as caught:
            self.provider.redeem(self.codes.device_code, TV)

        self.assertEqual(caught.exception.code, "invalid_grant")

    def test_verifier(self) -> None:
        """A verifier that nobody would check is refused, not passed over (row 7)."""
        self.devices.decide(self.codes)
        refused = self.devices.error(self.codes, TV, code_verifier=VERIFIER)

        self.assertEqual((refused, self.devices.error(self.codes)), ("invalid_request", ""))

    def test_no_code(self) -> None:
        """Without a code there is nothing to answer."""
        self.assertEqual(self.devices.error(self.codes, TV, device_code=None), "invalid_request")

    def test_not_registered(self) -> None:
        """A client that is not registered for it any more gets nothing."""
        self.devices.decide(self.codes)
        self.provider.registry.clients["tv"] = evolve(TV, grant_types=())

        self.assertEqual(self.devices.error(self.codes), "unauthorized_client")

    def test_what_another_version_wrote(self) -> None:
        """A decision that can not be read is none."""
        run(self.provider.store.put(answer_key(handle_of(self.codes.device_code)), "{}", 60))

        self.assertEqual(self.devices.error(self.codes), "invalid_grant")


class TokenTests(DeviceCodeCase):
    """What it gets."""

    def test_tokens(self) -> None:
        """An ID token that says how and when the person signed in, and an access token that works."""
        self.devices.decide(self.codes)
        tokens = self.devices.poll(self.codes)
        told = claims_of(tokens.id_token)
        info = run(self.provider.userinfo(f"Bearer {tokens.access_token}", None))

        self.assertEqual((told["aud"], told["amr"], told["sid"]), ("tv", ["pwd"], TV.sid_of("session-1")))
        self.assertEqual(told["auth_time"], self.provider.clock.now() - 100)
        self.assertNotIn("nonce", told)
        self.assertEqual((tokens.refresh_token, str(tokens.scope)), ("", "openid profile"))
        self.assertIsInstance(info, Plain)
        self.assertIn("Alice Liddell", str(info.claims if isinstance(info, Plain) else info))
        self.assertEqual(device_code.build(tools_of(self.provider)).grant_type, GRANT_TYPE)

    def test_once(self) -> None:
        """A code is good once, whoever has allowed it."""
        self.devices.decide(self.codes)
        answers = [self.devices.error(self.codes) for _ in range(3)]

        self.assertEqual(answers, ["", "invalid_grant", "invalid_grant"])

    def test_fifty_at_once(self) -> None:
        """Of fifty who show an allowed code at the same moment one gets something (row 22)."""
        self.devices.decide(self.codes)
        tools = evolve(tools_of(self.provider), store=WaitingStore(self.provider.store))
        shown = form(device_code=self.codes.device_code)
        runs = in_turns((), *(device_code.build(tools).approve(TV, shown) for _ in range(50)))
        refused = [each.fault.code for each in runs if isinstance(each.fault, OAuthError)]

        self.assertEqual((refused, len(runs)), (["invalid_grant"] * 49, 50))

    def test_refresh_token(self) -> None:
        """With offline_access it lasts, until the person takes it back."""
        codes = self.devices.start(BOX, "openid offline_access")
        self.devices.decide(codes)
        tokens = self.devices.poll(codes, BOX)
        again = self.provider.refresh(tokens.refresh_token, BOX)
        (permit,) = run(self.provider.permits.all(self.devices.logon().sub))
        run(self.provider.permits.forget(self.devices.logon().sub, "box"))
        with self.assertRaises(OAuthError):
            self.provider.refresh(again.refresh_token, BOX)

        self.assertEqual(permit.client_id, "box")

    def test_resources(self) -> None:
        """Tokens are for the servers that were named, and for no others. Spec: RFC 8707 2.2."""
        tv = evolve(TV, resources=(FILES, "https://other.example"))
        self.provider.registry.clients["tv"] = tv
        codes = [self.devices.start(tv, "openid", resource=FILES) for _ in range(2)]
        for each in codes:
            self.devices.decide(each)
        token = self.devices.poll(codes[0]).access_token

        self.assertEqual(claims_of(token)["aud"], FILES)
        self.assertEqual(self.devices.error(codes[1], TV, resource="https://other.example"), "invalid_target")

    def test_signed_out(self) -> None:
        """Who signs out before the device has its tokens has taken it back."""
        self.devices.decide(self.codes)
        run(self.provider.store.put(ended_session_key("session-1"), "1", 60))

        self.assertEqual(self.devices.error(self.codes), "invalid_grant")

    def test_taken_back(self) -> None:
        """Who takes back what the client may do means the device as well that has no tokens yet, not what follows."""
        self.devices.decide(self.codes)
        run(self.provider.permits.forget(self.devices.logon().sub, "tv"))
        later = self.devices.start()
        self.devices.decide(later)

        self.assertEqual((self.devices.error(self.codes), self.devices.error(later)), ("invalid_grant", ""))
        self.assertEqual(self.devices.error(self.codes), "invalid_grant")

    def test_taken_back_from_another(self) -> None:
        """What is taken back from another client, or by another person, does not matter."""
        self.devices.decide(self.codes)
        run(self.provider.permits.forget(self.devices.logon().sub, "box"))
        run(self.provider.permits.forget(logon_of(BOB, 1).sub, "tv"))

        self.assertEqual(self.devices.error(self.codes), "")

    def test_taken_back_before_it_is_allowed(self) -> None:
        """A device that waits is not meant: the person decides about it afterwards."""
        run(self.provider.permits.forget(self.devices.logon().sub, "tv"))
        self.devices.decide(self.codes)

        self.assertEqual(self.devices.error(self.codes), "")

    def test_at_the_last_moment(self) -> None:
        """That it was taken back is known for as long as the device may ask."""
        self.devices.decide(self.codes)
        run(self.provider.permits.forget(self.devices.logon().sub, "tv"))
        self.provider.clock.advance(599)

        self.assertEqual(self.devices.error(self.codes), "invalid_grant")

    def test_grant_revoked(self) -> None:
        """A grant that is revoked has no device code either."""
        self.devices.decide(self.codes)
        grant_id = self.provider.sealer.tag("grant", handle_of(self.codes.device_code))
        run(self.provider.store.put(revoked_key(grant_id), REVOKED, 60))

        self.assertEqual(self.devices.error(self.codes), "invalid_grant")

    def test_somebody_who_is_gone(self) -> None:
        """The person is looked up again."""
        for change in ({}, {"alice": evolve(BOB, user_id="alice")}):
            codes = self.devices.start()
            self.devices.decide(codes)
            self.provider.people.users = dict(change)
            with self.subTest(change=change):
                self.assertEqual(self.devices.error(codes), "invalid_grant")
            self.provider.people.users = {"alice": ALICE}

    def test_silent_backend(self) -> None:
        """When the backend does not answer the code is not spent."""
        self.devices.decide(self.codes)
        self.provider.people.silent = True
        with self.assertRaises(BackendUnavailableError):
            self.devices.poll(self.codes)
        self.provider.people.silent = False

        self.assertEqual(self.devices.error(self.codes), "")
