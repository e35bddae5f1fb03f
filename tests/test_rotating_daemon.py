"""A whole daemon that rotates its keys: what clients see, what is written down, and what it refuses to start with."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.contents import read_contents
from konnectd.config.key_changes import KeyChanges
from konnectd.config.key_settings import KeySettings
from konnectd.config.settings import Settings, load
from konnectd.option import ConfigErrors
from tests.config.test_keys import private_pem
from tests.support.connection import Connection, request
from tests.support.filed import FiledDaemon
from tests.support.files import folder
from tests.support.keys import p256_key
from tests.support.loglines import LogLines

HOUR, DAY = 3600, 86_400


class LinkedDaemon(FiledDaemon):
    """One whose key lies as `konnectd setup` lays it, since more than the time after which it has to be rotated."""

    def configure(self, **lines: str) -> None:
        """Write the configuration, and lay the key out before the first time."""
        link = self.root / "signing.pem"
        if not link.is_symlink():
            link.rename(self.root / "keys" / "first.pem")
            self.write("keys/first.dates", "published = 2024-01-01T00:00:00Z\nactivated = 2024-01-01T00:00:00Z\n")
            link.symlink_to("keys/first.pem")
            for path in (self.root, self.root / "keys"):
                path.chmod(0o700)
        super().configure(**lines)

    def published(self) -> list[str]:
        """Return the ids of keys that clients see, the one that signs first."""
        answer = Connection(self.site).ask(request("GET", "/konnect/v1/jwks.json"))
        return [key["kid"] for key in json.loads(answer.body)["keys"] if key["kid"] != "default"]

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.reactor.advance(seconds)


class DaemonTests(SynchronousTestCase):
    """A daemon with a key that has signed for long enough."""

    def start(self, **lines: str) -> LinkedDaemon:
        """Start it, with rotation."""
        return LinkedDaemon(self, key_rotation="90d", **lines)

    def test_published(self) -> None:
        """Clients see the next key soon after the start, and the old one still signs."""
        daemon = self.start()
        before = daemon.published()
        daemon.wait(60)
        after = daemon.published()

        self.assertEqual((before, after[0], len(after)), (["first"], "first", 2))

    def test_signs(self) -> None:
        """A key that was published for long enough signs, and the old one is published still."""
        daemon = self.start()
        daemon.write("keys/next.pem", private_pem(p256_key(2)))
        daemon.write("keys/next.dates", "published = 2026-01-01T00:00:00Z\n")
        daemon.wait(60)

        self.assertEqual(daemon.published(), ["next", "first"])

    def test_audit_log(self) -> None:
        """Each step is in the audit log, after the reload that let it count."""
        root = folder(self)
        daemon = self.start(audit_log=f"{root}/audit.log")
        daemon.wait(60)
        daemon.service.stopService()
        entries: list[dict[str, Any]] = [json.loads(line) for line in (root / "audit.log").read_text().splitlines()]
        (step,) = [entry for entry in entries if entry["event"].startswith("key-")]
        reloads = [entry for entry in entries if entry["event"] == "reload"]

        self.assertEqual(step["event"], "key-published")
        self.assertEqual(reloads[-1]["changed_keys"], {step["key"]: "published"})

    def test_ages(self) -> None:
        """What is shown of the ages of keys is that of the key that signs now."""
        daemon = self.start(with_metrics="yes")
        daemon.write("keys/next.pem", private_pem(p256_key(2)))
        daemon.write("keys/next.dates", "published = 2026-01-01T00:00:00Z\n")
        daemon.wait(60)
        site = next(site for port, site, *_ in daemon.reactor.tcpServers if port == 6777)
        figures = Connection(site).ask(request("GET", "/metrics")).body.decode()

        self.assertIn('konnectd_signing_key_age_seconds{kid="next"}', figures)
        self.assertNotIn('kid="first"', figures)

    def test_reload_by_others(self) -> None:
        """Keys that a reload has brought are no reason for another one."""
        daemon, log = self.start(), LogLines(self)
        with KeyChanges.begin(KeySettings.of(daemon.settings), 1_900_000_000) as changes:
            changes.new("mine")
        daemon.reload()
        daemon.wait(60)

        self.assertEqual(len(log.about("event=reload-done")), 1)

    def test_somewhere_else(self) -> None:
        """After a reload with another folder, keys of that one are rotated."""
        daemon = self.start()
        other = folder(self)
        other.chmod(0o700)
        (other / "keys").mkdir(mode=0o700)
        (other / "keys" / "other.pem").write_bytes(private_pem(p256_key(3)))
        (other / "keys" / "other.pem").chmod(0o600)
        (other / "keys" / "other.dates").write_text(
            "published = 2024-01-01T00:00:00Z\nactivated = 2024-01-01T00:00:00Z\n"
        )
        (other / "signing.pem").symlink_to("keys/other.pem")
        daemon.configure(signing_private_key=f"{other}/signing.pem", validation_keys_path=f"{other}/keys")
        daemon.reload()
        daemon.wait(60)

        self.assertEqual(len(list((other / "keys").glob("*.pem"))), 2)
        self.assertEqual(len(list((daemon.root / "keys").glob("*.pem"))), 1)

    def test_option_waits(self) -> None:
        """Another span counts after a restart, which is told."""
        daemon = self.start()
        daemon.configure(key_rotation="30d")

        self.assertEqual(daemon.reload().restart, ("key_rotation",))

    def test_off(self) -> None:
        """Without the option nothing is looked at, and no timer waits."""
        daemon = LinkedDaemon(self)
        daemon.wait(10 * DAY)

        self.assertEqual(daemon.published(), ["first"])
        self.assertFalse(any("rotation" in service.name for service in daemon.service if service.name))


class StartTests(SynchronousTestCase):
    """Starts with keys that can not be rotated."""

    def settings(self, *lines: str) -> Settings:
        """Return the settings of some lines."""
        path = folder(self) / "k.conf"
        path.write_text("oidc_issuer_identifier = https://id.example.com\nkey_rotation = 90d\n" + "".join(lines))
        return load((f"--config={path}", "--file-users=u", "file"), {})

    def test_refused(self) -> None:
        """A start is refused, with the line of the option and what to do."""
        settings = self.settings()
        error = self.assertRaises(ConfigErrors, read_contents, settings, warn=lambda _: None)

        self.assertRegex(
            str(error),
            r"k\.conf:2: key_rotation: signing_private_key and validation_keys_path have to be set; konnectd",
        )
