"""The usage survey: what is told, that nobody can find out more from it, and when it is sent."""

import hashlib
import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import load
from konnectd.demo.assembly import make_service as make_demo
from konnectd.service import build_survey, make_service
from konnectd.survey import Machine, NotSentError, Plan, Survey, report, stats
from tests.support.files import write
from tests.support.keys import quick_hash
from tests.support.loglines import LogLines

MACHINE = Machine(machine_id="0123456789abcdef0123456789abcdef", utsname="Linux x86_64 6.1.0", osrelease="Debian 12")
ISSUER = "https://id.konnectd-survey.de"
SECRET = bytes(range(32))
URL = "https://stats.kopano.io/api/stats/v1/submit"
PLAN = Plan(start_delay=60, error_delay=60, interval=3600)


def told(secret: bytes = SECRET, issuer: str = ISSUER, machine: Machine = MACHINE) -> Mapping[str, str]:
    """Return what is told of an installation."""
    return stats(machine, secret=secret, issuer=issuer, version="1.2.3", backend="ldap")


class ReportTests(SynchronousTestCase):
    """What is told."""

    def test_form(self) -> None:
        """Form and names are those that receivers of Konnect's survey know, and there is nothing else."""
        found = json.loads(report(told()))

        self.assertEqual((found["version"], set(found)), (2, {"version", "stats"}))
        self.assertEqual(
            {name: (entry["type"], set(entry)) for name, entry in found["stats"].items()},
            dict.fromkeys(
                ("machine_id", "utsname", "osrelease", "program_name", "program_version", "server_guid", "userplugin"),
                ("string", {"desc", "type", "value"}),
            ),
        )

    def test_values(self) -> None:
        """What may be known is told as it is."""
        found = dict(told())
        del found["machine_id"], found["server_guid"]

        self.assertEqual(
            found,
            {
                "utsname": "Linux x86_64 6.1.0",
                "osrelease": "Debian 12",
                "program_name": "konnectd",
                "program_version": "1.2.3",
                "userplugin": "ldap",
            },
        )

    def test_form_of_the_numbers(self) -> None:
        """They look as those of Konnect: 32 small digits, and 64 large ones."""
        self.assertRegex(told()["machine_id"], "^[0-9a-f]{32}$")
        self.assertRegex(told()["server_guid"], "^[0-9A-F]{64}$")

    def test_always_the_same(self) -> None:
        """The same installation is counted once; another machine, issuer or secret is another one."""
        other = Machine(machine_id="f" * 32, utsname="", osrelease="")

        self.assertEqual(told(), told())
        self.assertNotEqual(told()["machine_id"], told(machine=other)["machine_id"])
        self.assertNotEqual(told()["server_guid"], told(issuer=f"{ISSUER}/")["server_guid"])
        for name in ("machine_id", "server_guid"):
            self.assertNotEqual(told()[name], told(secret=bytes(32))[name])

    def test_nothing_to_guess(self) -> None:
        """BUG of Konnect: the id of the machine is not told, nor a hash that others could make of it or the issuer."""
        text = report(told()).decode().lower()
        for value in (MACHINE.machine_id, ISSUER, ISSUER.removeprefix("https://"), SECRET.hex()):
            plain = value.encode()
            hashes = (hashlib.new(name, plain).hexdigest() for name in ("sha256", "sha1", "md5"))
            for trace in (value, *hashes, hashlib.blake2b(plain, digest_size=32).hexdigest()):
                self.assertNotIn(trace[:32], text)

    def test_no_id(self) -> None:
        """A machine without an id has none, instead of one that all such machines have in common."""
        self.assertEqual(told(machine=Machine(machine_id="", utsname="", osrelease=""))["machine_id"], "")

    def test_not_shown(self) -> None:
        """The id is not even in what we say of ourselves."""
        self.assertNotIn(MACHINE.machine_id, repr(MACHINE))

    def test_this_machine(self) -> None:
        """What is read from this machine is short, and all of it is there."""
        found = Machine.read()

        self.assertEqual(len(found.utsname.split(" ")), 3)
        self.assertNotEqual(found.osrelease, "")


class PlanTests(SynchronousTestCase):
    """When it is sent."""

    def test_back_off(self) -> None:
        """BUG of Konnect, whose error delay has no effect: after failures it is tried sooner, then ever more rarely."""
        self.assertEqual(
            [PLAN.wait(failures) for failures in range(9)], [3600, 60, 120, 240, 480, 960, 1920, 3600, 3600]
        )

    def test_once(self) -> None:
        """Without an interval it is sent once, and tried until it was."""
        once = Plan(start_delay=0, error_delay=900, interval=0)

        self.assertEqual([once.wait(failures) for failures in range(5)], [None, 900, 1800, 3600, 3600])

    @given(st.integers(0, 10**6), st.integers(0, 31_536_000), st.integers(0, 31_536_000))
    def test_never_without_a_pause(self, failures: int, error_delay: int, interval: int) -> None:
        """Whatever the settings, there is a second at least between two, and a year at most."""
        wait = Plan(start_delay=0, error_delay=error_delay, interval=interval).wait(failures)

        self.assertTrue(wait is None or 1 <= wait <= 31_536_000)


class Receiver:
    """Takes reports, or does not."""

    def __init__(self) -> None:
        """Take all."""
        self.bodies: list[bytes] = []
        self.outcome: Exception | Deferred[None] | None = None

    async def __call__(self, body: bytes) -> None:
        """Take one, or fail."""
        self.bodies.append(body)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is not None:
            await self.outcome


class SurveyTests(SynchronousTestCase):
    """Sending, from start to end."""

    def setUp(self) -> None:
        """Make one that has not begun."""
        self.lines = LogLines(self)
        self.clock = Clock()
        self.receiver = Receiver()
        self.survey = Survey(PLAN, told(), URL, self.receiver, self.clock)

    def test_said_at_start(self) -> None:
        """Before anything is sent, the log says what, where and how to stop it, at a level everybody sees."""
        self.survey.startService()
        (line,) = self.lines.about("usage survey", "warn")

        for word in (URL, *told(), "survey = no", "KOPANO_SURVEYCLIENT_AUTOSURVEY=no", "docs/operate/survey.md"):
            self.assertIn(word, line)
        self.assertEqual(self.receiver.bodies, [])

    def test_times(self) -> None:
        """A minute after the start, and then each hour."""
        self.survey.startService()
        counts = []
        for seconds in (59, 1, 3599, 1, 3600):
            self.clock.advance(seconds)
            counts.append(len(self.receiver.bodies))

        self.assertEqual(counts, [0, 1, 1, 2, 3])
        self.assertEqual(set(self.receiver.bodies), {report(told())})

    def test_failures(self) -> None:
        """A receiver that is away costs no line but for who looks for it, and is asked more and more rarely."""
        self.survey.startService()
        self.receiver.outcome = NotSentError("nobody there")
        counts = []
        for seconds in (60, 60, 60, 60, 240):
            self.clock.advance(seconds)
            counts.append(len(self.receiver.bodies))

        self.assertEqual(counts, [1, 2, 2, 3, 4])
        self.assertEqual(len(self.lines.about("was not sent: nobody there", "debug")), 4)
        self.assertEqual(self.lines.about("not sent", "info"), [])

    def test_recovery(self) -> None:
        """Once it is back, it is asked as before."""
        self.survey.startService()
        self.receiver.outcome = NotSentError("nobody there")
        self.clock.pump((60, 60))
        self.receiver.outcome = None
        counts = []
        for seconds in (120, 3599, 1):
            self.clock.advance(seconds)
            counts.append(len(self.receiver.bodies))

        self.assertEqual(counts, [3, 3, 4])

    def test_our_fault(self) -> None:
        """Even a fault of ours disturbs nobody, and does not end it."""
        self.survey.startService()
        self.receiver.outcome = KeyError("ours")
        self.clock.pump((60, 60))

        self.assertEqual((len(self.receiver.bodies), self.lines.about("survey could not", "info")), (2, []))

    def test_stop(self) -> None:
        """Nothing is sent after the end, and nothing is left that would keep it from ending."""
        self.survey.startService()
        self.survey.stopService()

        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_while_sending(self) -> None:
        """A report that is under way is broken off, and not tried again."""
        self.survey.startService()
        cancelled: list[object] = []
        self.receiver.outcome = Deferred(cancelled.append)
        self.clock.advance(60)
        self.survey.stopService()

        self.assertEqual((len(cancelled), self.clock.getDelayedCalls()), (1, []))


class WhoseTests(SynchronousTestCase):
    """Which daemons have one."""

    def setUp(self) -> None:
        """Write what a daemon needs."""
        users = f"users:\n  - username: alice\n    password: '{quick_hash('wonderland')}'\n"
        self.words = (f"--file-users={write(self, 'users.yaml', users)}", "--listen=127.0.0.1:8777")

    def services(self, issuer: str, *words: str) -> set[str]:
        """Return the names of what runs in a daemon."""
        settings = load((f"--iss={issuer}", *self.words, *words, "file"), {})
        return {service.name for service in make_service(settings, MemoryReactorClock())}

    def test_public(self) -> None:
        """An issuer of the internet has one."""
        self.assertIn("survey", self.services(ISSUER))

    def test_private(self) -> None:
        """Others have none."""
        for issuer in ("https://sso.example.com", "http://localhost:8777", "https://10.0.0.1"):
            self.assertNotIn("survey", self.services(issuer))

    def test_off(self) -> None:
        """Nor has one whose operator said no."""
        self.assertNotIn("survey", self.services(ISSUER, "--survey=no"))

    def test_demo(self) -> None:
        """The demo has none, whatever it is told."""
        settings = load((f"--iss={ISSUER}", "--survey", *self.words, "file"), {})

        self.assertNotIn("survey", {service.name for service in make_demo(settings, MemoryReactorClock())})

    def test_nobody_is_asked_before_its_time(self) -> None:
        """What is made at start connects to nobody."""
        reactor = MemoryReactorClock()
        survey = build_survey(load((f"--iss={ISSUER}", *self.words, "file"), {}), SECRET, reactor)

        self.assertEqual((survey is not None, reactor.tcpClients, reactor.getDelayedCalls()), (True, [], []))
