"""``konnectd check-config``: every fault at once, or every setting with where it comes from, and nothing else done."""

import json
import os
from collections.abc import Mapping

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.commands import check_config
from konnectd.config.options import OPTIONS
from tests.config.test_keys import private_pem
from tests.support.commands import Result, caught
from tests.support.files import folder
from tests.support.keys import quick_hash, rsa_key

SECRET = "marked-as-a-secret"
CLIENTS = f"clients: [{{id: notes, secret: {SECRET}-of-a-client, redirect_uris: ['https://notes.example.org/cb']}}]\n"
USERS = f"users: [{{username: alice, password: '{quick_hash(SECRET)}'}}]\n"


class CheckCase(SynchronousTestCase):
    """A configuration that is right, which tests spoil."""

    def setUp(self) -> None:
        """Write everything."""
        self.root = folder(self)
        self.reactor = MemoryReactorClock()
        self.files: dict[str, str | bytes] = {
            "signing.pem": private_pem(rsa_key()),
            "secret.key": bytes(range(32)),
            "clients.yaml": CLIENTS,
            "scopes.yaml": "scopes: {x: {description: More}}\n",
            "users.yaml": USERS,
            "token": f"{SECRET}-in-a-file\n",
        }
        self.lines = {
            "oidc_issuer_identifier": "https://id.example.com",
            "identity_manager": "file",
            "signing_private_key": f"{self.root}/signing.pem",
            "encryption_secret_key": f"{self.root}/secret.key",
            "identifier_registration_conf": f"{self.root}/clients.yaml",
            "identifier_scopes_conf": f"{self.root}/scopes.yaml",
            "file_users": f"{self.root}/users.yaml",
            "dynamic_registration_token": SECRET,
        }

    def check(self, *words: str, environ: Mapping[str, str] | None = None) -> Result:
        """Run the command."""
        for name, content in self.files.items():
            path = self.root / name
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(0o600)
        conf = self.root / "k.conf"
        conf.write_text("".join(f"{key} = {value}\n" for key, value in self.lines.items()))
        argv = (f"--config={conf}", *words)
        return caught(lambda: check_config.run(argv, environ or {}, self.reactor))

    def faults(self, *words: str) -> list[str]:
        """Return the options that are faulty."""
        found = self.check("--json", *words)
        document = json.loads(found.output)
        self.assertEqual((found.status, document["ok"], document["settings"]), (1, False, []))
        return [fault["option"] for fault in document["faults"]]


class GoodTests(CheckCase):
    """A configuration that is right."""

    def test_settings(self) -> None:
        """Each setting is told with its value and its place."""
        found = self.check("--log-level=debug", environ={"REQUEST_LOG": "yes", "KONNECTD_REQUEST_LOG": "yes"})
        lines = found.output.splitlines()

        self.assertEqual((found.status, found.errors), (0, ""))
        for line in (
            f"oidc_issuer_identifier = https://id.example.com    # {self.root}/k.conf:1",
            "log_level = debug    # command line",
            "request_log = yes    # environment",
            "listen = 127.0.0.1:8777    # default",
            f"file_users = {self.root}/users.yaml    # {self.root}/k.conf:7",
        ):
            with self.subTest(line=line):
                self.assertIn(line, lines)

    def test_every_option(self) -> None:
        """No option of the daemon is left out."""
        document = json.loads(self.check("--json").output)

        self.assertLessEqual({option.key for option in OPTIONS}, {row["name"] for row in document["settings"]})

    def test_no_secrets(self) -> None:
        """No secret is shown, wherever it stands, in either form."""
        outputs = [self.check(*words) for words in ((), ("--json",))]
        text = "".join(found.output + found.errors for found in outputs)

        self.assertNotIn(SECRET, text)
        self.assertIn(f"dynamic_registration_token = {check_config.MASK}", text)

    def test_secret_as_a_flag(self) -> None:
        """Not even one that stands on the command line."""
        found = self.check(f"--dynamic-registration-token={SECRET}", f"--ldap-bindpw={SECRET}")

        self.assertNotIn(SECRET, found.output + found.errors)

    def test_word(self) -> None:
        """A backend that is a word comes from the command line."""
        self.assertIn("identity_manager = file    # command line\n", self.check("file").output)

    def test_nothing_happens(self) -> None:
        """Nothing is written, connected to or listened at."""
        self.lines.update(store="sqlite", sqlite_path=f"{self.root}/store.db")
        found = self.check()

        self.assertEqual((found.status, sorted(os.listdir(self.root))), (0, sorted([*self.files, "k.conf"])))  # noqa: PTH208 - names
        self.assertEqual((self.reactor.tcpClients, self.reactor.tcpServers, self.reactor.unixServers), ([], [], []))

    def test_sockets_of_systemd(self) -> None:
        """A socket that systemd hands over to the daemon is not missed here."""
        self.assertEqual(self.check("--listen=systemd:index=0").status, 0)

    def test_directory(self) -> None:
        """A directory is not asked."""
        self.lines.update(identity_manager="ldap", ldap_uri="ldap://ldap.example.com", ldap_basedn="dc=example")
        self.lines.update(ldap_bindpw=SECRET, ldap_binddn="cn=k")
        found = self.check()

        self.assertEqual((found.status, self.reactor.tcpClients), (0, []))
        self.assertNotIn(SECRET, found.output)

    def test_redis(self) -> None:
        """Redis is not asked either."""
        self.lines.update(store="redis", redis_password=SECRET)
        found = self.check()

        self.assertEqual((found.status, self.reactor.tcpClients, SECRET in found.output), (0, [], False))

    def test_warnings(self) -> None:
        """What a start would warn of is told, and is no fault."""
        self.files["clients.yaml"] = CLIENTS.replace("{id", "{trustd: yes, id")
        found = self.check()

        self.assertEqual((found.status, "trustd" in found.errors), (0, True))


class FaultTests(CheckCase):
    """A configuration that is wrong."""

    def test_all_at_once(self) -> None:
        """Settings, keys, secret, clients, scopes, users, templates: one run tells everything."""
        self.lines.update(log_level="loud", bogus="1", templates_path=f"{self.root}/nowhere")
        self.files.update(
            {
                "signing.pem": "x",
                "secret.key": b"short",
                "clients.yaml": "clients: [{id: a}]",
                "scopes.yaml": "[",
                "users.yaml": "users: 1",
            }
        )

        self.assertEqual(
            set(self.faults("--listen=nowhere")),
            {
                "--listen",
                "log_level",
                "bogus",
                "signing_private_key",
                "encryption_secret",
                "client a",
                "identifier_scopes_conf",
                "file_users",
                "templates_path",
            },
        )

    def test_places(self) -> None:
        """Each fault has its file and line."""
        self.files["clients.yaml"] = "clients:\n- id: a\n  redirect_uris: [ftp://a]\n"
        self.lines["log_level"] = "loud"
        errors = self.check().errors

        self.assertIn(f"{self.root}/k.conf:9: log_level: ", errors)
        self.assertIn(f"{self.root}/clients.yaml:3: ", errors)

    def test_no_consequences(self) -> None:
        """What only comes of another fault is not told."""
        self.lines["signing_method"] = "ES512x"

        self.assertEqual(self.faults(), ["signing_method"])

    def test_no_issuer(self) -> None:
        """Without an issuer, the rest is looked at all the same."""
        del self.lines["oidc_issuer_identifier"]
        self.files["secret.key"] = b"short"

        self.assertEqual(self.faults(), ["iss", "encryption_secret"])

    def test_no_backend(self) -> None:
        """Without a backend too."""
        self.lines["identity_manager"] = "nis"
        self.files["secret.key"] = b"short"

        self.assertEqual(self.faults(), ["identity_manager", "encryption_secret"])

    def test_template(self) -> None:
        """A template with a mistake is told with its line, also where keys are wrong."""
        (self.root / "over").mkdir()
        (self.root / "over" / "signin.html").write_text("\n{% if %}")
        self.lines["templates_path"] = f"{self.root}/over"
        alone = self.check().errors
        self.files["signing.pem"] = "x"
        together = self.check().errors

        self.assertEqual(
            [f"{self.root}/over/signin.html:2: templates_path: " in text for text in (alone, together)], [True, True]
        )

    def test_listening(self) -> None:
        """An address that Twisted does not understand would stop the start."""
        self.assertEqual(self.faults("--listen=tcp:nonsense"), ["listen"])

    def test_unreadable(self) -> None:
        """A configuration that is not there, a loop of links, a folder: one line each."""
        (self.root / "loop").symlink_to("loop")
        for name in ("nowhere", "loop", "."):
            with self.subTest(name=name):
                found = caught(
                    lambda name=name: check_config.run([f"--config={self.root / name}"], {}, self.reactor)  # type: ignore[misc] # a default
                )

                self.assertEqual(found.status, 1)
                self.assertIn("can not be read", found.errors)

    def test_loop_in_a_front_end(self) -> None:
        """A loop of links in a front end is left out like any other that leads nowhere."""
        (self.root / "app" / "static").mkdir(parents=True)
        (self.root / "app" / "index.html").write_text("x")
        (self.root / "app" / "static" / "a.js").symlink_to("a.js")
        self.lines["identifier_client_path"] = f"{self.root}/app"

        self.assertEqual(self.check().status, 0)

    def test_misused(self) -> None:
        """A flag of the command itself that is wrong is 2."""
        self.assertEqual(self.check("--json=maybe").status, 2)

    def test_help(self) -> None:
        """Help is no mistake."""
        self.assertEqual(self.check("--help").status, 0)
