"""The container's entrypoint, without an engine: run as one would run it, with the environment that one would set."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.config.test_keys import private_pem
from tests.real.daemon import ROOT, free_port
from tests.support.keys import quick_hash, rsa_key
from tests.support.migrating import data
from tests.support.seclusion import NO_SURVEY

ENTRYPOINT = ROOT / "container" / "entrypoint.sh"
NOBODY = 65534
#: What stands for konnectd: it says how it was called.
_RECORDER = """\
#!/bin/sh
printf '%s\\0' "$$" "$(umask)" "$(id -u)" "$(id -G)" "$#" "$@"
exec env -0
"""
_KONNECTD = """\
#!/bin/sh
cd {root} && exec {python} -m konnectd.cli "$@"
"""
_PATH = "/usr/bin:/bin"


@frozen
class Recorded:
    """How konnectd was called."""

    pid: int
    umask: int
    uid: int
    groups: str
    words: list[str]
    environ: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> "Recorded":
        """Read what the recorder has written."""
        pid, umask, uid, groups, count, *rest = text.removesuffix("\0").split("\0")
        words, environ = rest[: int(count)], rest[int(count) :]
        pairs = (entry.partition("=") for entry in environ)
        return cls(int(pid), int(umask, 8), int(uid), groups, words, {name: value for name, _, value in pairs})


class ContainerCase(SynchronousTestCase):
    """A temporary root with secrets and a program, readable by who runs in it."""

    def setUp(self) -> None:
        """Make it; who is root becomes somebody else, as in the image."""
        self.root = Path(self.enterContext(TemporaryDirectory(prefix="container-")))
        self.secrets = self.root / "run" / "secrets"
        self.secrets.mkdir(parents=True)
        self.put_program(_RECORDER)
        shutil.copy(ENTRYPOINT, self.root / "docker-entrypoint")
        for path in (self.root, self.root / "run", self.secrets):
            path.chmod(0o755)

    def put_program(self, text: str) -> None:
        """Let something be konnectd."""
        program = self.root / "bin" / "konnectd"
        program.parent.mkdir(exist_ok=True)
        program.write_text(text.format(python=sys.executable, root=ROOT))
        for path in (program, program.parent):
            path.chmod(0o755)

    def secret(self, name: str, content: bytes = b"s3cret") -> Path:
        """Write a secret."""
        path = self.secrets / name
        path.write_bytes(content)
        path.chmod(0o444)
        return path

    def environ(self, **more: str) -> dict[str, str]:
        """Return what an engine would set."""
        return {
            "PATH": f"{self.root / 'bin'}:{_PATH}",
            "KONNECTD_DOCKER_SECRETS_PATH": str(self.secrets),
            "KONNECTD_LISTEN": "0.0.0.0:8777",
            "KONNECTD_METRICS_LISTEN": "0.0.0.0:6777",
            **NO_SURVEY,
            **more,
        }

    def start(self, *words: str, user: int | None = NOBODY, **environ: str) -> "subprocess.Popen[str]":
        """Start the container."""
        someone = user if os.geteuid() == 0 else None
        return subprocess.Popen(
            [str(self.root / "docker-entrypoint"), *words],
            env=self.environ(**environ),
            cwd="/",
            user=someone,
            group=someone,
            extra_groups=() if someone is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *words: str, user: int | None = NOBODY, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the container to its end."""
        process = self.start(*words, user=user, **environ)
        output, errors = process.communicate(timeout=30)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def seen(self, *words: str, user: int | None = NOBODY, **environ: str) -> Recorded:
        """Run it with the recorder in the place of konnectd, and return how that was called."""
        found = self.call(*words, user=user, **environ)
        if found.returncode != 0:
            raise AssertionError(found.stderr)
        return Recorded.read(found.stdout)

    def options(self, *words: str, **environ: str) -> Mapping[str, str]:
        """Return the variables that konnectd gets to see, but for what an engine sets anyway."""
        ordinary = {*self.environ(), "PWD", "OLDPWD", "SHLVL", "_"}
        found = self.seen(*words, **environ).environ
        return {name: value for name, value in found.items() if name not in ordinary}


class WordTests(ContainerCase):
    """What is run."""

    def test_commands(self) -> None:
        """A command of konnectd, or a flag, is handed to it; without any there is help."""
        cases = {
            (): ["help"],
            ("help",): ["help"],
            ("version",): ["version"],
            ("--version",): ["--version"],
            ("healthcheck", "--timeout=4"): ["healthcheck", "--timeout=4"],
            ("serve", "--iss=https://a b", "ldap"): ["serve", "--iss=https://a b", "ldap"],
        }

        for words, wanted in cases.items():
            self.assertEqual(self.seen(*words).words, wanted, words)

    def test_more_words(self) -> None:
        """The variable of Konnect's image adds words to serve, and is gone then."""
        found = self.seen("serve", "--iss=https://a", ARGS="--log-level=debug ldap")

        self.assertEqual(found.words, ["serve", "--iss=https://a", "--log-level=debug", "ldap"])
        self.assertEqual(self.options("serve", ARGS="ldap"), {})

    def test_other_executable(self) -> None:
        """A variable of Konnect's image that has no effect is told of, unless it asks for what happens anyway."""
        told = {
            value: (found.returncode, found.stderr)
            for value in ("konnectd", "/bin/sh")
            for found in (self.call("version", EXE=value),)
        }

        self.assertEqual(told["konnectd"], (0, ""))
        self.assertEqual(told["/bin/sh"], (0, "entrypoint: EXE has no effect; give a program as the command\n"))

    def test_anything_else(self) -> None:
        """Another program is run as it is, with its words and its status."""
        found = self.call("sh", "-c", 'echo "$1"; exit 3', "x", "a  b")

        self.assertEqual((found.stdout, found.returncode), ("a  b\n", 3))

    def test_it_is_the_process(self) -> None:
        """The script becomes konnectd, so signals of the engine reach that."""
        process = self.start("serve")
        output, _ = process.communicate(timeout=30)

        self.assertEqual(Recorded.read(output).pid, process.pid)

    def test_nobody_reads_what_it_writes(self) -> None:
        """New files would be nobody else's."""
        self.assertEqual(self.seen("serve").umask, 0o077)

    def test_root_becomes_somebody_else(self) -> None:
        """Who is root by the operator's will runs it as somebody else, in no further group."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else")
        found = self.seen("serve", user=0, KONNECTD_USER="nobody", KONNECTD_GROUP="nogroup")

        self.assertEqual((found.uid, found.groups), (NOBODY, str(NOBODY)))

    def test_root_stays_nobody(self) -> None:
        """Nobody can have it run as root after all."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else")
        for name in ("root", "0"):
            found = self.call("serve", user=0, KONNECTD_USER=name)
            self.assertEqual((found.returncode, found.stderr), (1, "entrypoint: KONNECTD_USER must not be root\n"))


class SecretTests(ContainerCase):
    """From secrets to options."""

    def test_none(self) -> None:
        """Without secrets nothing is set; konnectd itself says what that means."""
        self.assertEqual(self.options("serve"), {})

    def test_no_folder(self) -> None:
        """Nor where there is not even a folder for them."""
        self.assertEqual(self.options("serve", KONNECTD_DOCKER_SECRETS_PATH="/nowhere"), {})

    def test_all(self) -> None:
        """Each of the names of Konnect's image becomes an option; secrets stay in their files."""
        files = [entry["secret"] for entry in data()["container"].values() if "secret" in entry]
        paths = {name.removeprefix("konnectd_"): str(self.secret(name)) for name in files}
        self.secret("konnectd_ldap_bind_dn", b"cn=konnectd,dc=example\n")

        self.assertEqual(
            self.options("serve"),
            {
                "KONNECTD_SIGNING_PRIVATE_KEY": paths["signing_private_key"],
                "KONNECTD_ENCRYPTION_SECRET": paths["encryption_secret"],
                "KOPANO_SERVER_USERNAME_FILE": paths["kopano_server_username"],
                "KOPANO_SERVER_PASSWORD_FILE": paths["kopano_server_password"],
                "LDAP_BINDDN": "cn=konnectd,dc=example",
                "LDAP_BINDPW_FILE": paths["ldap_bind_password"],
            },
        )

    def test_other_names(self) -> None:
        """A variable names another file in the folder, or one that is elsewhere."""
        key, elsewhere = self.secret("signing-2026-11"), self.root / "x.key"
        elsewhere.write_bytes(bytes(32))
        elsewhere.chmod(0o444)
        found = self.options(
            "serve",
            KONNECTD_SIGNING_PRIVATE_KEY_FILE="signing-2026-11",
            KONNECTD_ENCRYPTION_SECRET_FILE=str(elsewhere),
        )

        self.assertEqual(
            found, {"KONNECTD_SIGNING_PRIVATE_KEY": str(key), "KONNECTD_ENCRYPTION_SECRET": str(elsewhere)}
        )

    def test_named_and_missing(self) -> None:
        """One that was named and is not there stops the start: random keys would be made in its place."""
        found = self.call("serve", KONNECTD_ENCRYPTION_SECRET_FILE="typo")

        self.assertEqual((found.returncode, found.stdout), (1, ""))
        self.assertIn(f"names {self.secrets}/typo, which is not there", found.stderr)

    def test_unreadable(self) -> None:
        """So does one that belongs to somebody else."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else")
        self.secret("konnectd_encryption_secret").chmod(0o400)
        found = self.call("serve")

        self.assertEqual(found.returncode, 1)
        self.assertIn(f"can not be read by user {NOBODY}", found.stderr)

    def test_options_win(self) -> None:
        """What the operator says of an option itself counts."""
        for name in ("signing_private_key", "ldap_bind_password", "ldap_bind_dn"):
            self.secret(f"konnectd_{name}")
        said = {"KONNECTD_SIGNING_PRIVATE_KEY": "/a.pem /b.pem", "LDAP_BINDPW": "x", "LDAP_BINDDN": "cn=x"}

        self.assertEqual(self.options("serve", **said), said)

    def test_names_are_no_program(self) -> None:
        """A name with a blank or a dollar sign in it is a name."""
        for name in ("a b", "$(touch x)", "`id`", "a;b", "*"):
            path = self.secret(name)
            found = self.options("serve", KONNECTD_ENCRYPTION_SECRET_FILE=name)
            self.assertEqual(found, {"KONNECTD_ENCRYPTION_SECRET": str(path)}, name)


class DaemonTests(ContainerCase):
    """The real daemon by way of the entrypoint."""

    def setUp(self) -> None:
        """Give it secrets and somebody to know."""
        super().setUp()
        self.put_program(_KONNECTD)
        self.secret("konnectd_signing_private_key", private_pem(rsa_key()))
        self.secret("konnectd_encryption_secret", bytes(range(32)))
        someone = {"username": "alice", "password": quick_hash("wonderland")}
        users = self.secret("users.yaml", json.dumps({"users": [someone]}).encode())
        self.listen = f"127.0.0.1:{free_port()}"
        self.metrics = free_port()
        self.words = ("serve", "--iss=https://sso.example.com", f"--file-users={users}", "file")

    def live(self, *before: str) -> tuple[bool, int, str]:
        """Run it until it is healthy, and return whether it was, its status and its log.

        Who is root has a number of its own in there, as an engine gives one, and may read what root may.
        """
        own = ("unshare", "--user", "--map-user=65532", "--map-group=65532") if os.geteuid() == 0 else ()
        process = subprocess.Popen(
            [*before, *own, str(self.root / "docker-entrypoint"), *self.words],
            env=self.environ(KONNECTD_LISTEN=self.listen, KONNECTD_METRICS_LISTEN=f"0.0.0.0:{self.metrics}"),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        well = self.healthy(process)
        self.seen_metrics = self.ask_for_metrics()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
        return well, process.returncode, log

    def ask_for_metrics(self) -> str:
        """Return what is at the address of metrics; empty if nothing is."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=10) as answer:
                return str(answer.read(), "utf-8")
        except OSError:
            return ""

    def healthy(self, process: "subprocess.Popen[str]") -> bool:
        """Ask it for its health, until it is well or ends."""
        limit = time.monotonic() + 30
        words = [str(self.root / "bin" / "konnectd"), "healthcheck", f"--hostname={self.listen}", "--timeout=4"]
        while time.monotonic() < limit and process.poll() is None:
            if subprocess.run(words, check=False, capture_output=True).returncode == 0:
                return True
            time.sleep(0.1)
        return False

    def test_life(self) -> None:
        """It finds its secrets, is healthy, and ends in order at the engine's signal."""
        well, status, log = self.live()

        self.assertEqual((well, status, "random" in log), (True, 0, False), log)
        self.assertIn("SIGTERM received, stopping", log)

    def test_metrics(self) -> None:
        """They are off, and by the flag alone they are where the image says."""
        self.live()
        off = self.seen_metrics
        self.words = (*self.words, "--with-metrics")
        self.live()

        self.assertEqual(off, "")
        self.assertIn("konnectd_build_info", self.seen_metrics)

    def test_without_secrets(self) -> None:
        """Without them it runs as well, and says what that means."""
        for path in self.secrets.glob("konnectd_*"):
            path.unlink()
        well, status, log = self.live()

        self.assertEqual((well, status, log.count("using a random")), (True, 0, 2), log)

    def test_read_only(self) -> None:
        """It needs no place to write to."""
        if os.geteuid() != 0:
            raise SkipTest("only root can make everything read-only")
        script = 'mount --make-rprivate / && mount -o remount,ro,bind / && ! touch /x && exec "$@"'
        well, status, log = self.live("unshare", "--mount", "sh", "-c", script, "sh")

        self.assertEqual((well, status), (True, 0), log)
