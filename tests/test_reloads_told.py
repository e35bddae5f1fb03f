"""Who is told of a reload: the log, the audit log, figures, and the service manager."""

import json
import re
from typing import Any

from attrs import field, frozen

from konnectd.supervisor import Supervisor
from tests.config.test_keys import private_pem
from tests.support.connection import Connection, request
from tests.support.filed import CLIENTS, OTHER, FiledDaemon
from tests.support.files import folder
from tests.support.keys import p256_key
from tests.support.loglines import LogLines
from tests.test_late_generations import FiledCase
from tests.watching.test_audit_events import faults


@frozen(kw_only=True)
class Listening(Supervisor):
    """Keeps what it is told."""

    told: list[tuple[str, ...]] = field(factory=list)

    def tell(self, *lines: str) -> None:
        """Keep it."""
        self.told.append(lines)


class ToldTests(FiledCase):
    """Who is told of a reload."""

    def entries(self) -> list[dict[str, Any]]:
        """Stop, and return what the audit log says about reloads and what counts, after the start."""
        self.daemon.service.stopService()
        lines = (self.daemon.root / "audit.log").read_text().splitlines()
        self.assertEqual([fault for line in lines for fault in faults(line)], [])
        found = [json.loads(line) for line in lines]
        begun = [entry["event"] for entry in found].index("configuration")
        return [entry for entry in found[begun + 1 :] if entry["event"] != "stop"]

    def test_changes(self) -> None:
        """The log says which clients and keys have changed."""
        lines, daemon = LogLines(self), self.start()
        daemon.write("clients.yaml", f"clients:\n{OTHER}")
        daemon.write("keys/more.pem", private_pem(p256_key(2)))
        daemon.reload()
        (line,) = lines.about("event=reload-done")

        self.assertIn("clients: other added, mail removed; keys: more published", line)

    def test_audit_log(self) -> None:
        """The audit log says what has changed, and what counts now."""
        root = folder(self)
        daemon = self.start(audit_log=f"{root}/audit.log")
        daemon.write("clients.yaml", CLIENTS.replace("mail-secret", "another") + OTHER)
        daemon.reload()
        daemon.root = root
        first, *rest = self.entries()

        self.assertEqual((first["event"], first["reason"]), ("reload", "SIGHUP"))
        self.assertEqual((first["changed_clients"], first["changed_keys"]), ({"other": "added", "mail": "changed"}, {}))
        self.assertEqual([entry["event"] for entry in rest], ["keys", "configuration"])

    def test_audit_log_of_a_refusal(self) -> None:
        """It says as well that a reload was refused, and nothing of what stands in a file."""
        root = folder(self)
        daemon = self.start(audit_log=f"{root}/audit.log")
        daemon.write("clients.yaml", "clients: [{id: typed-wrong}]")
        daemon.reload()
        daemon.root = root
        (entry,) = self.entries()

        self.assertEqual((entry["event"], entry["faults"]), ("reload-refused", 1))
        self.assertNotIn("typed-wrong", str(entry))

    def test_figures(self) -> None:
        """Reloads are counted by what came of them, and the last one shows."""
        daemon = self.start(with_metrics="yes")
        daemon.reload()
        daemon.write("clients.yaml", "clients: 7\n")
        daemon.reload()
        page = self.metrics()

        for line in (
            'konnectd_reloads_total{outcome="done"} 1.0',
            'konnectd_reloads_total{outcome="refused"} 1.0',
            "konnectd_last_reload_refused 1.0",
        ):
            with self.subTest(line=line):
                self.assertIn(line, page)

    def metrics(self) -> str:
        """Return the page of figures."""
        site = next(site for port, site, *_ in self.daemon.reactor.tcpServers if port == 6777)
        return Connection(site).ask(request("GET", "/metrics")).body.decode()

    def test_ages_of_keys(self) -> None:
        """The ages of keys are those of the keys that sign now."""
        daemon = self.start(with_metrics="yes")
        daemon.write("new.pem", private_pem(p256_key(2)))
        daemon.configure(signing_private_key=f"{daemon.root}/new.pem")
        daemon.reload()
        ages = re.findall(r'konnectd_signing_key_age_seconds{kid="(.*)"}', self.metrics())

        self.assertEqual(ages, ["new"])

    def test_service_manager(self) -> None:
        """The service manager is told when it begins, by its own clock, and when it is over."""
        supervisor = Listening(address="/n")
        daemon = FiledDaemon(self, supervisor=supervisor)
        daemon.reload()
        begun, over = supervisor.told[-2:]

        self.assertEqual((begun[0], begun[1][:15], over[0]), ("RELOADING=1", "MONOTONIC_USEC=", "READY=1"))

    def test_service_manager_of_a_refusal(self) -> None:
        """People who ask it read that the last one was refused."""
        supervisor = Listening(address="/n")
        daemon = FiledDaemon(self, supervisor=supervisor)
        daemon.write("clients.yaml", "clients: 7\n")
        daemon.reload()

        self.assertIn("refused because of 1 fault", supervisor.told[-1][1])
