"""A full life with every secret marked: none of them gets into logs of any form, metrics, the audit log or dumps."""

import json
from typing import Any

from twisted.internet.task import Clock

from konnectd.happenings import Happening
from konnectd.journal import JournalObserver
from konnectd.log_json import JsonObserver
from konnectd.watch_assembly import Auditing
from konnectd.watching.metrics import Metrics
from konnectd.watching.pending import describe
from konnectd.web.edge import Observe
from tests.support.fakes import run
from tests.support.requests import ISSUER
from tests.watching.test_audit_events import Kept, faults
from tests.watching.test_metrics import GET
from tests.web.test_log_secrets import SecretTests as OneLife


class Journal:
    """Keeps what would go to the journal."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.text = ""

    def send(self, fields: Any) -> bool:  # noqa: ANN401 - pairs
        """Keep it."""
        self.text += repr(list(fields))
        return True


class WatchedLifeTests(OneLife):
    """The same run of a person and of mistakes as for the log, watched in every way there is."""

    def setUp(self) -> None:
        """Watch everything."""
        super().setUp()
        self.metrics = Metrics(backend="test", store="memory")
        self.kept: Any = Kept()
        auditing = Auditing(self.kept, lambda: 1.5)
        self.happened: list[Happening] = []

        def observe(*words: Any) -> None:
            self.metrics.observe(*words)
            auditing.observe(*words)
            self.happened += words[2].happened

        told: Observe = observe
        self.daemon.site = self.daemon.assembly.site(self.daemon.reactor, observe=told)
        self.dumps = ""

    def keep(self, visit: Any) -> Any:  # noqa: ANN401 - as the case it follows has it
        """Look into the process at each step, too."""
        self.dumps += describe(self.daemon.reactor)
        return super().keep(visit)

    def live(self) -> set[str]:
        """Live, and return every secret there was."""
        self.run_of_mistakes(self.run_of_a_person())
        self.flushLoggedErrors(ValueError)
        secrets = {secret for secret in self.secrets if len(secret) > 5}
        if len(secrets) < 20:
            raise AssertionError("there was nothing to find")
        return secrets

    def assert_clean(self, text: str, secrets: set[str]) -> None:
        """There is something, and none of it is secret."""
        self.assertGreater(len(text), 500)
        self.assertEqual({secret for secret in secrets if secret in text}, set())

    def test_log_as_json(self) -> None:
        """Nothing is in the log as JSON, tracebacks included."""
        secrets, written = self.live(), list[str]()
        observer = JsonObserver(written.append, "trace")
        for event in self.log.events:
            observer(event)

        self.assert_clean("".join(written), secrets)
        self.assertEqual([line for line in written if not json.loads(line)["event"]], [])

    def test_journal(self) -> None:
        """Nor in the fields of the journal."""
        secrets, journal = self.live(), Journal()
        taker: Any = journal
        observer = JournalObserver(taker, taker, "trace")
        for event in self.log.events:
            observer(event)

        self.assert_clean(journal.text, secrets)

    def test_metrics(self) -> None:
        """Nor in names and labels of figures."""
        secrets = self.live()

        self.assert_clean(run(self.metrics.on_metrics(GET)).body.decode(), secrets)

    def test_audit(self) -> None:
        """Nor in the audit log, whose every entry is as the schema has it."""
        secrets = self.live()

        self.assert_clean("\n".join(self.kept.lines), secrets)
        self.assertEqual([fault for line in self.kept.lines for fault in faults(line)], [])
        self.assertEqual([line for line in self.kept.lines if ISSUER in line], [])

    def test_dumps(self) -> None:
        """Nor in what is shown of timers, coroutines and threads."""
        secrets = self.live()

        self.assert_clean(self.dumps + describe(Clock()), secrets)

    def test_what_travels_with_answers(self) -> None:
        """Nor in what answers say they came of, however that may be shown."""
        secrets = self.live()

        self.assert_clean(repr(self.happened), secrets)


del OneLife
