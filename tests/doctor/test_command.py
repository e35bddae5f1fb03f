"""``konnectd doctor``: its words, its report, its exit status."""

import json

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.doctor import command
from konnectd.doctor.command import Report, Wanted, as_json, as_text, examine
from konnectd.doctor.finding import fault, good, hint, warning
from konnectd.doctor.people import Sight
from konnectd.inspection import inspect
from konnectd.late_fetch import NoFetch
from tests.support.asked import Asked
from tests.support.assembly import Daemon
from tests.support.commands import Result, caught
from tests.support.fakes import run
from tests.support.key_folders import installation
from tests.support.keys import quick_hash, rsa_key
from tests.support.requests import ISSUER

REPORT = Report(
    findings=(
        good("store", "is well"),
        hint("clients", "none", cause="Nothing set.", mend="Set it."),
        warning("files", "a\x1b[2Jb " + "long " * 60, cause="Its mode.", mend="chmod"),
        fault("issuer", "silent", cause="The proxy.", mend="Start it."),
    ),
    sight=Sight(client_id="app", scope=("openid",), id_token={"sub": "x"}, userinfo={"name": "A\u20ac\x1b"}),
)


class ReportTests(SynchronousTestCase):
    """What is printed."""

    def test_text(self) -> None:
        """Each finding with cause and mend, in its order, in lines that fit."""
        lines = as_text(REPORT).splitlines()

        self.assertEqual(
            [line.split()[0] for line in lines if line[:1].strip()][:4], ["good", "hint", "WARNING", "FAULT"]
        )
        self.assertEqual((max(map(len, lines)) <= 100, lines[-1]), (True, "1 fault; mend the first one first."))
        self.assertIn("         To do: Start it.", lines)

    def test_terminal(self) -> None:
        """Nothing in it plays with a terminal."""
        self.assertNotIn("\x1b", as_text(REPORT))

    def test_json(self) -> None:
        """The same for programs."""
        found = json.loads(as_json(REPORT))

        self.assertEqual(
            (found["ok"], len(found["findings"]), found["person"]["userinfo"]), (False, 4, {"name": "A€\x1b"})
        )

    def test_well(self) -> None:
        """Warnings are no faults."""
        report = Report(findings=REPORT.findings[:3])

        self.assertEqual((report.well, as_text(report).splitlines()[-1]), (True, "No fault was found."))


class CommandTests(SynchronousTestCase):
    """Words that lead nowhere, and a configuration by which nothing can be looked at."""

    def doctor(self, *words: str) -> Result:
        """Run it."""
        return caught(lambda: command.run(words, {}, MemoryReactorClock()))

    def test_misused(self) -> None:
        """Wrong words are 2, before anything is looked at."""
        for words in (
            ("--timeout=0",),
            ("--timeout=61",),
            ("--timeout=x",),
            ("--as-user",),
            ("--json=perhaps",),
            ("--client=x",),
        ):
            with self.subTest(words=words):
                self.assertEqual(self.doctor(*words).status, 2)

    def test_help(self) -> None:
        """Help is no mistake."""
        self.assertIn("--as-user", self.doctor("--help").output)

    def test_broken_configuration(self) -> None:
        """What is wrong with the configuration is told, all of it, and comes first."""
        words = ["--iss=https://id.example.com", "--log-level=loud", "--encryption-secret=/nowhere", "--file-users=/no"]
        found = inspect([*words, "file"], {}, MemoryReactorClock())
        report = run(examine(found, Wanted(), Asked(Daemon()), NoFetch()))
        faults = [each for each in report.findings if each.level == "fault"]

        self.assertEqual(([each.about for each in faults], report.well), (["configuration"] * 3, False))

    def test_order(self) -> None:
        """Everything is looked at in the order in which it is mended, from the files here to the world outside."""
        words = self.configuration()
        found = inspect(words, {}, MemoryReactorClock())
        report = run(examine(found, Wanted(username="alice"), Asked(Daemon(*words[:-1])), NoFetch()))

        self.assertEqual(
            list(dict.fromkeys(each.about for each in report.findings)),
            [
                "configuration",
                "files",
                "signing keys",
                "encryption secret",
                "store",
                "backend",
                "person",
                "daemon",
                "issuer",
                "clock",
                "published keys",
                "proxy",
                "clients",
            ],
        )
        self.assertEqual(report.sight is not None and report.sight.client_id, "")

    def configuration(self) -> list[str]:
        """Return words that are right."""
        place = installation(self, rsa_key())
        secret, users = place.root / "secret.key", place.root / "users.yaml"
        secret.write_bytes(bytes(range(32)))
        users.write_text(f"users: [{{username: alice, password: '{quick_hash('x')}'}}]")
        return [*place.flags, f"--encryption-secret={secret}", f"--file-users={users}", f"--iss={ISSUER}", "file"]
