"""Sign-in of devices: where they begin, and what a person decides."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.device import Found, Refusal, user_code_key
from konnectd.protocol.device import (
    DEVICE_TTL,
    MOST_TRIES,
    MOST_UNPROVEN,
    MOST_WRONG,
    TRIES_TTL,
    find_user_code,
    shown,
    unproven_key,
    user_code_of,
)
from konnectd.protocol.errors import InvalidClientError, OAuthError
from konnectd.protocol.scope import Scope
from tests.support.devices import BOX, PLACE, TV, Devices
from tests.support.fakes import run
from tests.support.provider import Provider
from tests.support.requests import MAIL, form
from tests.support.steps import WaitingStore, in_turns

WRONG = "ZZZZ-ZZZZ"


class DeviceCase(SynchronousTestCase):
    """A television in front of a provider."""

    def setUp(self) -> None:
        """Begin with a provider nobody has used."""
        self.provider = Provider(TV, BOX, MAIL)
        self.devices = Devices(self.provider)


class BeginningTests(DeviceCase):
    """The endpoint where devices begin. Spec: RFC 8628 3.1 and 3.2."""

    def test_answer(self) -> None:
        """Two codes, where to type one of them, and for how long."""
        answer = run(self.devices.begin("", form(client_id="tv", scope="openid"))).to_json()

        self.assertEqual((answer["verification_uri"], answer["expires_in"], answer["interval"]), (PLACE, 600, 5))
        self.assertIsNotNone(find_user_code(str(answer["user_code"])))

    def test_who_may(self) -> None:
        """Clients that are registered for it, and prove who they are."""
        with self.assertRaises(OAuthError) as caught:
            self.devices.start(MAIL)
        with self.assertRaises(InvalidClientError):
            self.devices.start(evolve(BOX, secret="wrong"))

        self.assertEqual(caught.exception.code, "unauthorized_client")
        self.assertNotEqual(self.devices.start(BOX), self.devices.start(TV))

    def test_a_code_that_is_taken(self) -> None:
        """Two devices never have the same code; when none can be found, the device tries again later."""
        entropy = self.provider.entropy
        following = [f"n{entropy.count + number}".ljust(43, "A") for number in range(2, 6)]
        for chance in following[:3]:
            run(self.provider.store.add(user_code_key(self.provider.sealer, user_code_of(chance)), "taken", 60))
        codes = self.devices.start()
        for number in range(2, 6):
            chance = f"n{entropy.count + number}".ljust(43, "A")
            run(self.provider.store.add(user_code_key(self.provider.sealer, user_code_of(chance)), "taken", 60))
        with self.assertRaises(OAuthError) as caught:
            self.devices.start()

        self.assertEqual(codes.user_code, shown(user_code_of(following[3])))
        self.assertEqual(caught.exception.code, "temporarily_unavailable")

    def test_full(self) -> None:
        """Who can not prove who they are fills no store: beyond a number only devices of other clients begin."""
        run(self.provider.store.put(unproven_key(TV), str(MOST_UNPROVEN - 1), DEVICE_TTL))
        self.devices.start()

        with self.assertRaises(OAuthError) as caught:
            self.devices.start()
        self.assertEqual(caught.exception.code, "temporarily_unavailable")
        self.devices.start(BOX)
        self.provider.clock.advance(DEVICE_TTL)
        self.devices.start()


class EnteringTests(DeviceCase):
    """Typing a code. Spec: RFC 8628 5.1; security history, row 22."""

    def test_good(self) -> None:
        """It leads to what the device asks for, for this session and nobody else."""
        codes = self.devices.start()
        ticket = self.devices.ticket(codes)
        waiting = run(self.devices.approval.waiting(self.devices.logon(), ticket))
        other = run(self.devices.approval.waiting(self.devices.logon("session-2"), ticket))
        what = (waiting.client, waiting.request.scope) if waiting is not None else None

        self.assertEqual(what, (TV, Scope.parse("openid profile")))
        self.assertIsNone(other)
        self.assertIsNone(run(self.devices.approval.waiting(self.devices.logon(), "invented")))

    def test_guessing(self) -> None:
        """After some wrong codes even the right one has to wait, in another session of the same person as well."""
        codes = self.devices.start()
        answers = {self.devices.enter(WRONG, f"session-{number}") for number in range(MOST_TRIES)}
        late = self.devices.enter(codes.user_code, "session-99")
        self.provider.clock.advance(TRIES_TTL)
        fresh = self.devices.start()

        self.assertEqual((answers, late), ({Refusal.UNKNOWN}, Refusal.TOO_MANY_TRIES))
        self.assertIsInstance(self.devices.enter(fresh.user_code), Found)

    def test_guessing_at_once(self) -> None:
        """Of many codes at the same moment no more are looked up than one after the other."""
        store = WaitingStore(self.provider.store)
        codes = self.devices.start()
        approval = evolve(self.devices.approval, store=store)
        typed = [WRONG] * 50 + [codes.user_code]
        runs = in_turns((), *(approval.enter(self.devices.logon(), text) for text in typed))
        answers = [each.answer for each in runs]

        self.assertEqual(answers.count(Refusal.UNKNOWN), MOST_TRIES)
        self.assertEqual(answers[-1], Refusal.TOO_MANY_TRIES)

    def test_everybody_guesses(self) -> None:
        """All wrong codes together are limited as well."""
        codes = self.devices.start()
        for _ in range(MOST_WRONG):
            run(self.provider.store.increment("device-wrong", TRIES_TTL))

        self.assertEqual(self.devices.enter(codes.user_code), Refusal.TOO_MANY_TRIES)

    def test_wrong_codes_add_up(self) -> None:
        """A wrong code counts for everybody, a right one does not, and what can be no code does not count at all."""
        codes = self.devices.start()
        self.devices.enter(WRONG)
        self.devices.enter(codes.user_code)
        for _ in range(2 * MOST_TRIES):
            self.devices.enter("nonsense")

        self.assertEqual(run(self.provider.store.get("device-wrong")), "1")
        self.assertIsInstance(self.devices.enter(codes.user_code), Found)

    def test_too_late(self) -> None:
        """A code is good for ten minutes."""
        codes = self.devices.start()
        ticket = self.devices.ticket(codes)
        self.provider.clock.advance(600)

        self.assertEqual(self.devices.enter(codes.user_code), Refusal.UNKNOWN)
        self.assertFalse(run(self.devices.approval.decide(self.devices.logon(), ticket, allow=True)))

    def test_a_client_that_is_gone(self) -> None:
        """Nobody is asked for a client that is not registered for this any more."""
        codes = self.devices.start()
        self.provider.registry.clients["tv"] = evolve(TV, grant_types=())
        changed = self.devices.enter(codes.user_code)
        del self.provider.registry.clients["tv"]

        self.assertEqual((changed, self.devices.enter(codes.user_code)), (Refusal.UNKNOWN, Refusal.UNKNOWN))

    def test_an_old_clock(self) -> None:
        """A request that is over is over, even while the store still has it."""
        codes = self.devices.start()
        self.provider.clock.advance(599)
        self.assertIsInstance(self.devices.enter(codes.user_code), Found)
        later = evolve(self.devices.approval, clock=Ahead())

        self.assertEqual(run(later.enter(self.devices.logon(), codes.user_code)), Refusal.UNKNOWN)


class Ahead:
    """A clock that is a year ahead of everything."""

    def now(self) -> int:
        """Return seconds since the epoch."""
        return 1_731_536_000


class DecidingTests(DeviceCase):
    """Allowing and denying. Spec: RFC 8628 3.3."""

    def test_once(self) -> None:
        """The first decision counts."""
        codes = self.devices.start()
        ticket, logon = self.devices.ticket(codes), self.devices.logon()
        decisions = [run(self.devices.approval.decide(logon, ticket, allow=allow)) for allow in (False, True)]

        self.assertEqual((decisions, self.devices.error(codes)), ([True, False], "access_denied"))

    def test_fifty_at_once(self) -> None:
        """Of fifty decisions at the same moment one counts (row 22)."""
        codes = self.devices.start()
        ticket, logon = self.devices.ticket(codes), self.devices.logon()
        approval = evolve(self.devices.approval, store=WaitingStore(self.provider.store))
        runs = in_turns((), *(approval.decide(logon, ticket, allow=True) for _ in range(50)))

        self.assertEqual([each.answer for each in runs].count(True), 1)

    def test_scope_can_only_shrink(self) -> None:
        """What can not be granted any more when somebody allows it is not granted (row 22)."""
        codes = self.devices.start(TV, "openid profile groups")
        ticket, logon = self.devices.ticket(codes), self.devices.logon()
        run(self.devices.approval_with(frozenset({"openid", "profile", "email"})).decide(logon, ticket, allow=True))

        self.assertEqual(str(self.devices.poll(codes, TV, scope="openid profile groups email").scope), "openid profile")
