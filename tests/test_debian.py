"""The Debian package, as far as it can be looked at without building it; `make package-test` does the rest."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from importlib import util
from pathlib import Path
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd import cli
from konnectd.commands import keys as key_command
from konnectd.commands import setup
from konnectd.config import documents, manpages
from konnectd.config.given import keys_of
from konnectd.config.options import CONFIG, OPTIONS
from konnectd.config.settings import load
from tests.real.manager import Unit
from tests.support.commands import Result, caught
from tests.support.files import folder, write

ROOT = Path(konnectd.__file__).parent.parent
DEBIAN = ROOT / "debian"
SCRIPTS = ("konnectd.postinst", "konnectd.prerm", "konnectd.postrm")
#: What is written into the file of settings by hand; the package can not know it.
BY_HAND = "oidc_issuer_identifier = https://id.example.com\nidentity_manager = file\n"
MOST_EXPOSED = 2.0


def read(name: str) -> str:
    """Return a file of the package's sources."""
    return (DEBIAN / name).read_text(encoding="utf-8")


def unit() -> Unit:
    """Return the unit of the service."""
    return Unit.parse(read("konnectd.service"))


def conffile() -> ModuleType:
    """Return the program that makes konnectd.conf."""
    spec = util.spec_from_file_location("conffile", DEBIAN / "conffile.py")
    made = util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def without_arguments(words: str) -> str:
    """Return what stands in small letters in a line that says how a command is called."""
    return " ".join(word for word in words.split() if word.islower())


class UnitTests(SynchronousTestCase):
    """What systemd is told."""

    def test_command_line(self) -> None:
        """It is a command that there is, with flags that there are."""
        program, command, *flags = unit().words
        names = {flag.removeprefix("--").partition("=")[0] for flag in flags}

        self.assertEqual((program, f"  {command} " in cli.USAGE), ("/usr/bin/konnectd", True))
        self.assertEqual(names - {option.name for option in (CONFIG, *OPTIONS)}, set())

    def test_socket_is_where_the_daemon_listens(self) -> None:
        """With and without the socket, a proxy finds it at the same address."""
        (listen,) = (option for option in OPTIONS if option.name == "listen")

        self.assertEqual((Unit.parse(read("konnectd.socket")).one("ListenStream"),), listen.default)

    def test_there_is_time_to_answer(self) -> None:
        """It is not killed while it still answers what was asked before."""
        self.assertGreater(int(unit().one("TimeoutStopSec")), 10)

    def test_reload(self) -> None:
        """A reload sends the signal that lets it read files anew."""
        self.assertEqual(shlex.split(unit().one("ExecReload")), ["/bin/sh", "-c", "kill -HUP $MAINPID && sleep 0.5"])

    def test_exposure(self) -> None:
        """What it can do to the machine is little, in the eyes of systemd."""
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not there")
        words = ("systemd-analyze", "security", "--offline=true", "--no-pager", str(DEBIAN / "konnectd.service"))
        said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
        if found is None:
            self.skipTest(f"this systemd-analyze can not say it: {said.stderr.strip()}")

        self.assertLessEqual(float(found[1]), MOST_EXPOSED)


class ConffileTests(SynchronousTestCase):
    """What the package sets in konnectd.conf."""

    def test_it_starts(self) -> None:
        """With an issuer and a backend it can be read, and names what the package has put there."""
        made = conffile()
        text = made.conffile((ROOT / "etc" / "konnectd.conf").read_text(encoding="utf-8"), made.read(read("settings")))
        path = write(self, "konnectd.conf", text + BY_HAND)
        found = load((f"--config={path}", "--file-users=u"), {"CREDENTIALS_DIRECTORY": "/run/credentials/k"})
        installed = {f"/etc/konnectd/{Path(line.split()[0]).name}" for line in read("konnectd.install").splitlines()}

        self.assertLessEqual(
            {str(found.identifier_registration_conf), str(found.identifier_scopes_conf)},
            installed,
        )
        self.assertEqual(found.store_options["sqlite_path"], Path("/var/lib/konnectd/konnectd.sqlite"))

    def test_keys_can_be_rotated(self) -> None:
        """Keys are where the daemon may write although it may write nearly nowhere."""
        state = Path("/var/lib") / unit().one("StateDirectory")
        named = dict(line.split(" = ") for line in read("settings").splitlines() if not line.startswith("#"))
        places = [named[key] for key in ("signing_private_key", "validation_keys_path", "encryption_secret_key")]

        self.assertEqual([Path(place).parent for place in places], [state] * 3)

    def test_credentials(self) -> None:
        """What the unit loads is there from the beginning, or it would not start."""
        (_, _, path) = unit().one("LoadCredential").partition(":")

        self.assertIn(path.removeprefix("/"), read("konnectd.dirs").split())

    def test_unknown_setting(self) -> None:
        """A setting whose option has another name now stops the build."""
        made = conffile()

        self.assertRaises(made.UnknownSettingError, made.conffile, "#a = 1\n#ab =\n", {"b": "2"})
        self.assertEqual(made.conffile("#a = 1\n#ab =\n", {"a": "\\1"}), "a = \\1\n#ab =\n")


class KeyTests(SynchronousTestCase):
    """The first key and the secret."""

    def setUp(self) -> None:
        """Write the configuration of the package, for another folder."""
        self.state = folder(self)
        self.state.chmod(0o700)
        made = conffile()
        text = made.conffile((ROOT / "etc" / "konnectd.conf").read_text(encoding="utf-8"), made.read(read("settings")))
        self.conf = write(self, "konnectd.conf", text.replace("/var/lib/konnectd", str(self.state)))

    def run_as_installed(self, command: Callable[..., int], *words: str) -> Result:
        """Run a command with this configuration."""
        return caught(lambda: command((*words, f"--config={self.conf}"), {}, 1_700_000_000))

    def files(self) -> dict[str, bytes]:
        """Return everything that was made."""
        return {
            str(path.relative_to(self.state)): path.read_bytes() for path in self.state.rglob("*") if path.is_file()
        }

    def test_once(self) -> None:
        """`konnectd setup` makes both where the configuration names them, and another call changes nothing."""
        first = self.run_as_installed(setup.run)
        before = self.files()
        again = self.run_as_installed(setup.run)

        self.assertEqual((first.status, first.errors, "configuration" in first.output), (0, "", False))
        self.assertEqual((again.status, self.files()), (0, before))

    def test_the_package_calls_it(self) -> None:
        """It is called at the first installation, for the user that the unit names, and what can go wrong is told."""
        (called,) = re.findall(r"^        (konnectd setup .*) \|\|$", read("konnectd.postinst"), re.MULTILINE)
        flags = dict(flag.removeprefix("--").split("=") for flag in called.split()[2:])
        config = dict(flag.removeprefix("--").split("=") for flag in unit().words[2:])["config"]

        self.assertEqual(flags, {"user": unit().one("User"), "config": config})

    def test_rotation(self) -> None:
        """What was made can be rotated."""
        self.run_as_installed(setup.run)
        found = self.run_as_installed(lambda words, environ, now: key_command.run(words, environ, lambda: now), "new")

        self.assertEqual((found.status, found.errors), (0, ""))
        self.assertIn("2023-11-14-2: made and published", found.output)


class ManualTests(SynchronousTestCase):
    """The manual pages."""

    def rendered(self, name: str) -> str:
        """Return a page as people read it, and see that nothing is wrong with it."""
        if shutil.which("man") is None:
            self.skipTest("man is not there")
        words = ("man", "--warnings=w", "--encoding=UTF-8", "--local-file", str(ROOT / "docs" / "man" / name))
        environ = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "500"}
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=environ)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_command(self) -> None:
        """konnectd(8) has every flag, as it is typed, and every command."""
        text = self.rendered("konnectd.8")
        flags = [f"--{option.name}" for found in documents.sections().values() for option in found]

        self.assertEqual([flag for flag in flags if flag not in text], [])

    def test_every_command_is_in_it(self) -> None:
        """What `konnectd help` lists is in the manual."""
        listed = [line.strip().partition("  ")[0] for line in cli.USAGE.splitlines() if line.startswith("  ")]
        typed, explained = ({without_arguments(words) for words in each} for each in (listed, manpages.COMMANDS))

        self.assertEqual(typed, explained)

    def test_file(self) -> None:
        """konnectd.conf(5) has every key, as it is written."""
        text = self.rendered("konnectd.conf.5")
        missing = [
            key
            for found in documents.sections().values()
            for option in found
            for key in keys_of(option)
            if re.search(rf"\b{key}\b", text) is None
        ]

        self.assertEqual(missing, [])


class PackageTests(SynchronousTestCase):
    """The rest of it."""

    def test_version(self) -> None:
        """The package has the version of what is in it."""
        self.assertEqual(re.match(r"konnectd \((.*)\)", read("changelog"))[1], konnectd.__version__)

    def test_scripts(self) -> None:
        """A shell understands the maintainer scripts, they stop at the first fault, and debhelper finds its place."""
        for name in SCRIPTS:
            text = read(name)
            done = subprocess.run(("sh", "-n", str(DEBIAN / name)), capture_output=True, check=False, timeout=60)
            with self.subTest(name=name):
                self.assertEqual((done.stderr, "\nset -e\n" in text, "\n#DEBHELPER#\n" in text), (b"", True, True))

    def test_files_are_there(self) -> None:
        """What is installed from the sources is in them; the rest is made by the build."""
        lists = ("konnectd.install", "konnectd.manpages", "konnectd.examples")
        named = [line.split()[0] for name in lists for line in read(name).splitlines()]

        self.assertEqual([path for path in named if not (ROOT / path).exists()], ["debian/build/konnectd.conf"])

    def test_nobody_starts_with_passwords_that_are_known(self) -> None:
        """The people of the example are an example."""
        self.assertNotIn("users.yaml", read("konnectd.install"))
