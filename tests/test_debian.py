"""The Debian package, as far as it can be looked at without building it; `make package-test` does the rest."""

import re
import shutil
import stat
import subprocess
import sys
from importlib import util
from pathlib import Path
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd import cli
from konnectd.config import documents, keys, manpages
from konnectd.config.given import keys_of
from konnectd.config.options import CONFIG, OPTIONS
from konnectd.config.settings import load
from tests.real.manager import Unit
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
        self.assertEqual(unit().one("ExecReload").split()[1:], ["-HUP", "$MAINPID"])

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

    def test_credentials(self) -> None:
        """The files it names are those that make-keys makes and the unit loads."""
        (name, _, path) = unit().one("LoadCredential").partition(":")
        made = re.search(r'^SIGNING_KEY, SECRET = "(.*)", "(.*)"$', read("make-keys"), re.MULTILINE)
        named = re.findall(r"\$\{CREDENTIALS_DIRECTORY\}/(\S+)", read("settings"))

        self.assertEqual((named, path), ([f"{name}_{made[1]}", f"{name}_{made[2]}"], "/etc/konnectd/keys"))

    def test_unknown_setting(self) -> None:
        """A setting whose option has another name now stops the build."""
        made = conffile()

        self.assertRaises(made.UnknownSettingError, made.conffile, "#a = 1\n#ab =\n", {"b": "2"})
        self.assertEqual(made.conffile("#a = 1\n#ab =\n", {"a": "\\1"}), "a = \\1\n#ab =\n")


class KeyTests(SynchronousTestCase):
    """The program that makes the first key and the secret."""

    def setUp(self) -> None:
        """Choose a folder."""
        self.folder = folder(self)

    def make(self, where: Path) -> subprocess.CompletedProcess[str]:
        """Run it."""
        words = (sys.executable, "-I", str(DEBIAN / "make-keys"), str(where))
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    def test_once(self) -> None:
        """Both are good, for their owner alone, and another run changes nothing."""
        self.make(self.folder)
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        again = self.make(self.folder)
        after = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        modes = {stat.S_IMODE(path.stat().st_mode) for path in self.folder.iterdir()}
        (key,) = keys.load_signing_keys([self.folder / "signing-1.pem"], "", "PS256")

        self.assertEqual(
            (set(before), modes, key.kid), ({"signing-1.pem", "encryption-secret.key"}, {0o600}, "signing-1")
        )
        self.assertEqual((after, again.returncode, again.stdout), (before, 0, ""))
        self.assertEqual(len(before["encryption-secret.key"]), keys.SECRET_SIZE)

    def test_what_is_there_stays(self) -> None:
        """Not even a link that leads nowhere is written through."""
        (self.folder / "signing-1.pem").symlink_to(self.folder / "elsewhere")
        (self.folder / "encryption-secret.key").write_text("mine")
        self.make(self.folder)

        self.assertEqual((self.folder / "encryption-secret.key").read_text(), "mine")
        self.assertFalse((self.folder / "elsewhere").exists())

    def test_no_folder(self) -> None:
        """Whoever installs is told what is wrong, in one line."""
        done = self.make(self.folder / "absent")

        self.assertEqual(
            (done.returncode, done.stderr),
            (1, f"{self.folder}/absent/signing-1.pem can not be made: No such file or directory\n"),
        )


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
