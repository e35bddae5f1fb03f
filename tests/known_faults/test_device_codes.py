"""Row 22: codes of devices, redeemed twice, guessed, or good for more than was allowed."""

from attrs import evolve

from konnectd.flows.device import Found, Refusal, user_code_key
from konnectd.protocol.device import (
    ALPHABET,
    DEVICE_TTL,
    MOST_TRIES,
    MOST_WRONG,
    TRIES_TTL,
    USER_CODE_LENGTH,
    DeviceRequest,
    handle_of,
    request_key,
    user_code_of,
)
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.session import ended_session_key
from konnectd.web.views import ErrorKind
from tests.contracts.stores import MANY
from tests.grants.test_device_code import DeviceCodeCase
from tests.support.application import error_of
from tests.support.devices import BOX, TV, Codes
from tests.support.fakes import run
from tests.support.page_case import INNER, OURS
from tests.support.people import BOB, logon_of
from tests.support.provider import SUPPORTED
from tests.support.steps import WaitingStore, in_turns
from tests.web.test_device import DeviceCase as PageCase

FILES, MORE = "https://files.example", "https://more.example"
WRONG = "ZZZZ-ZZZZ"


class Row22DeviceTests(DeviceCodeCase):
    """What a device can do."""

    def test_row_22_not_registered(self) -> None:
        """A client that is not registered for it does not begin, is asked for by nobody, and gets nothing."""
        self.devices.decide(self.codes)
        second = self.devices.start()
        self.provider.registry.clients["tv"] = evolve(TV, grant_types=())
        with self.assertRaises(OAuthError) as begins:
            self.devices.start(evolve(TV, grant_types=()))

        self.assertEqual(begins.exception.code, "unauthorized_client")
        self.assertEqual(self.devices.enter(second.user_code), Refusal.UNKNOWN)
        self.assertEqual(self.devices.error(self.codes), "unauthorized_client")

    def test_row_22_proof(self) -> None:
        """A client that keeps a secret begins with it."""
        with self.assertRaises(OAuthError) as caught:
            self.devices.start(evolve(BOX, secret="wrong"))

        self.assertEqual(caught.exception.code, "invalid_client")

    def test_row_22_made_up(self) -> None:
        """What we never made, or made for another client, is no code, and has no effect."""
        self.devices.decide(self.codes)
        for codes, client in ((Codes("A" * 65, ""), TV), (self.codes, BOX)):
            self.assertEqual(self.devices.error(codes, client), "invalid_grant")

        self.assertEqual(self.devices.error(self.codes), "")

    def test_row_22_twice(self) -> None:
        """A code is good once."""
        self.devices.decide(self.codes)

        self.assertEqual([self.devices.error(self.codes) for _ in range(2)], ["", "invalid_grant"])

    def test_row_22_not_decided(self) -> None:
        """As long as nobody has decided there is nothing."""
        self.assertEqual(self.devices.error(self.codes), "authorization_pending")

    def test_row_22_denied(self) -> None:
        """Who was denied is denied, and has no second try."""
        self.devices.decide(self.codes, allow=False)

        self.assertEqual([self.devices.error(self.codes) for _ in range(2)], ["access_denied", "invalid_grant"])

    def test_row_22_haste(self) -> None:
        """Who asks too often waits longer each time."""
        answers = []
        for pause in (1, 1, 5, 9, 10):
            answers.append(self.devices.error(self.codes))
            self.provider.clock.advance(pause)

        pending, slow = "authorization_pending", "slow_down"
        self.assertEqual(answers, [pending, slow, slow, pending, slow])

    def test_row_22_late(self) -> None:
        """What nobody fetched in time is not to be had."""
        self.devices.decide(self.codes)
        self.provider.clock.advance(DEVICE_TTL)

        self.assertEqual(self.devices.error(self.codes), "expired_token")

    def test_row_22_signed_out(self) -> None:
        """Who signs out before the device has its tokens has taken it back."""
        self.devices.decide(self.codes)
        run(self.provider.store.put(ended_session_key("session-1"), "1", 60))

        self.assertEqual(self.devices.error(self.codes), "invalid_grant")

    def test_row_22_servers(self) -> None:
        """Tokens are for no server that was not named when it began."""
        tv = evolve(TV, resources=(FILES, MORE))
        self.provider.registry.clients["tv"] = tv
        codes = self.devices.start(tv, "openid", resource=FILES)
        self.devices.decide(codes)

        self.assertEqual(self.devices.error(codes, tv, resource=MORE), "invalid_target")

    def test_row_22_foreign_servers(self) -> None:
        """Nor does a device begin with one that its client is not registered for."""
        with self.assertRaises(OAuthError) as caught:
            self.devices.start(TV, "openid", resource=FILES)

        self.assertEqual(caught.exception.code, "invalid_target")

    def test_row_22_without_openid(self) -> None:
        """Nor without saying that it is about signing in."""
        with self.assertRaises(OAuthError) as caught:
            self.devices.start(TV, "profile")

        self.assertEqual(caught.exception.code, "invalid_scope")

    def test_row_22_scope(self) -> None:
        """Nothing is granted that could not be granted when it began."""
        codes = self.devices.start(TV, "openid none-such")
        self.devices.decide(codes)

        self.assertEqual(str(self.devices.poll(codes).scope), "openid")

    def test_row_22_other_names(self) -> None:
        """A client that knows people by names of its own gets no other one."""
        tv = evolve(TV, pairwise=Pairwise("tv.example", b"salt"))
        self.provider.registry.clients["tv"] = tv
        codes = self.devices.start(tv, "openid konnect/raw_sub")
        self.devices.decide(codes)

        self.assertEqual(str(self.devices.poll(codes, tv).scope), "openid")


class Row22PersonTests(DeviceCodeCase):
    """What a person can do, and what somebody who guesses can not."""

    def test_row_22_entropy(self) -> None:
        """There are more than 2**34 codes, of the length and the letters that are said."""
        codes = {user_code_of(str(number)) for number in range(300)}

        self.assertGreater(len(ALPHABET) ** USER_CODE_LENGTH, 2**34)
        self.assertEqual((len(codes), {len(code) for code in codes}), (300, {8}))
        self.assertEqual({letter for code in codes for letter in code}, set("BCDFGHJKLMNPQRSTVWXZ"))

    def test_row_22_guessing(self) -> None:
        """Whoever guesses is stopped, in all of their sessions."""
        for number in range(MOST_TRIES):
            self.devices.enter(WRONG, f"session-{number}")

        self.assertEqual(self.devices.enter(self.codes.user_code, "session-99"), Refusal.TOO_MANY_TRIES)

    def test_row_22_guessing_at_once(self) -> None:
        """Of many guesses at the same moment no more learn an answer."""
        approval = evolve(self.devices.approval, store=WaitingStore(self.provider.store))
        runs = in_turns((), *(approval.enter(self.devices.logon(), WRONG) for _ in range(MANY)))

        self.assertEqual([each.answer for each in runs].count(Refusal.UNKNOWN), MOST_TRIES)

    def test_row_22_guessing_together(self) -> None:
        """Many people who guess are stopped together."""
        for _ in range(MOST_WRONG):
            run(self.provider.store.increment("device-wrong", TRIES_TTL))

        self.assertEqual(self.devices.enter(self.codes.user_code), Refusal.TOO_MANY_TRIES)

    def test_row_22_wrong_ones_count(self) -> None:
        """Each wrong code counts for everybody."""
        self.devices.enter(WRONG)

        self.assertEqual(run(self.provider.store.get("device-wrong")), "1")

    def test_row_22_too_late(self) -> None:
        """A code that is over leads nowhere, even while the store still has it."""
        ticket = self.devices.ticket(self.codes)
        place = user_code_key(self.provider.sealer, self.codes.user_code.replace("-", ""))
        text = run(self.provider.store.get(place)) or ""
        self.provider.clock.advance(DEVICE_TTL)
        run(self.provider.store.put(place, text, 600))

        self.assertEqual(self.devices.enter(self.codes.user_code), Refusal.UNKNOWN)
        self.assertFalse(run(self.devices.approval.decide(self.devices.logon(), ticket, allow=True)))

    def test_row_22_ends_in_the_store(self) -> None:
        """The store does not have it for longer."""
        place = user_code_key(self.provider.sealer, self.codes.user_code.replace("-", ""))
        self.provider.clock.advance(DEVICE_TTL)

        self.assertIsNone(run(self.provider.store.get(place)))

    def test_row_22_ticket(self) -> None:
        """What leads from the code to the decision is good in its own session."""
        ticket = self.devices.ticket(self.codes)
        bob: Logon = logon_of(BOB, self.provider.clock.now(), session_id="session-2")

        self.assertIsNone(run(self.devices.approval.waiting(bob, ticket)))
        self.assertFalse(run(self.devices.approval.decide(bob, ticket, allow=True)))

    def test_row_22_decided_once(self) -> None:
        """Of two decisions the first counts."""
        ticket = self.devices.ticket(self.codes)
        logon = self.devices.logon()
        decided = [run(self.devices.approval.decide(logon, ticket, allow=allow)) for allow in (False, True)]

        self.assertEqual((decided, self.devices.error(self.codes)), ([True, False], "access_denied"))

    def test_row_22_fifty_decisions(self) -> None:
        """Of fifty at the same moment one counts."""
        ticket = self.devices.ticket(self.codes)
        approval = evolve(self.devices.approval, store=WaitingStore(self.provider.store))
        runs = in_turns((), *(approval.decide(self.devices.logon(), ticket, allow=True) for _ in range(MANY)))

        self.assertEqual([each.answer for each in runs].count(True), 1)

    def test_row_22_scope_that_is_off(self) -> None:
        """What can not be granted any more when somebody allows it is not granted."""
        approval = self.devices.approval_with(SUPPORTED - {"profile"})
        run(approval.decide(self.devices.logon(), self.devices.ticket(self.codes), allow=True))

        self.assertEqual(str(self.devices.poll(self.codes).scope), "openid")

    def test_row_22_what_another_client_asked(self) -> None:
        """Nobody is asked for a client that is gone."""
        del self.provider.registry.clients["tv"]

        self.assertEqual(self.devices.enter(self.codes.user_code), Refusal.UNKNOWN)

    def test_row_22_a_code_that_is_taken(self) -> None:
        """Two devices never have the same code."""
        entropy = self.provider.entropy
        following = user_code_of(f"n{entropy.count + 2}".ljust(43, "A"))
        run(self.provider.store.add(user_code_key(self.provider.sealer, following), "taken", 60))
        codes = self.devices.start()

        self.assertNotEqual(codes.user_code.replace("-", ""), following)
        self.assertIsInstance(self.devices.enter(codes.user_code), Found)

    def test_row_22_not_in_the_store(self) -> None:
        """Whoever reads the store finds neither of the two codes."""
        asked = run(self.provider.store.get(request_key(handle_of(self.codes.device_code)))) or ""
        code = self.codes.user_code.replace("-", "")

        self.assertIsNotNone(DeviceRequest.from_text(asked))
        self.assertNotIn(self.codes.device_code, asked + request_key(handle_of(self.codes.device_code)))
        self.assertNotIn(code, asked + user_code_key(self.provider.sealer, code))


class Row22PageTests(PageCase):
    """The page."""

    def test_row_22_signed_in(self) -> None:
        """Nobody types a code who is not signed in."""
        visit = self.visitor.post(f"{INNER}device", {"user_code": self.user_code}, OURS, cross_site=False)

        self.assertIn("password", visit.fields)

    def test_row_22_not_by_opening(self) -> None:
        """An address with the code in it allows nothing."""
        page = self.sign_in(str(self.told["verification_uri_complete"]))

        self.assertIn("user_code", page.fields)
        self.assertEqual(error_of(self.poll()), (400, "authorization_pending"))

    def test_row_22_neither_button(self) -> None:
        """Who presses neither button has not allowed it, nor who presses both."""
        for buttons in ({}, {"allow": "1", "deny": "1"}):
            self.setUp()
            self.visitor.submit(self.enter(self.sign_in()), **buttons)

            self.assertEqual(error_of(self.poll()), (400, "access_denied"))

    def test_row_22_other_sites(self) -> None:
        """Another site neither types a code nor allows anything."""
        page = self.enter(self.sign_in())
        visit = self.visitor.submit(page, "Origin: https://evil.example", allow="1")

        self.assertRefused(visit, ErrorKind.CROSS_SITE)
        self.assertEqual(error_of(self.poll()), (400, "authorization_pending"))
