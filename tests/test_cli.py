"""Tests of the command line; what needs processes and sockets is in `tests.real.test_start`."""

import contextlib
import io
import json
from pathlib import Path

import yaml
from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd import __version__, cli
from konnectd.commands import check_config, keys, setup
from konnectd.doctor import command as doctor_command
from tests.config.test_keys import private_pem, public_pem
from tests.support.files import write
from tests.support.keys import ed25519_key, p256_key, rsa_key

ROOT = Path(konnectd.__file__).parent.parent


@frozen
class Result:
    """What a command did."""

    status: int
    output: str
    errors: str


def run(*argv: str) -> Result:
    """Run a command here."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = cli.main(argv)
    return Result(status, output.getvalue(), errors.getvalue())


class CommandTests(SynchronousTestCase):
    """Words find their command."""

    def test_nothing(self) -> None:
        """Without a command there is help, and it counts as a mistake."""
        self.assertEqual(run(), Result(2, "", cli.USAGE))

    def test_help(self) -> None:
        """Asking for help is none."""
        for argv in (("help",), ("--help",), ("-h",), ("help", "nonsense")):
            with self.subTest(argv=argv):
                self.assertEqual(run(*argv), Result(0, cli.USAGE, ""))

    def test_help_of_a_command(self) -> None:
        """Each command explains itself, both ways."""
        for name, word in (
            ("serve", "--iss=URL"),
            ("healthcheck", "--hostname=ADDRESS"),
            ("utils", "jwk-from-pem"),
            ("setup", "--user=NAME"),
            ("check-config", "--json"),
            ("doctor", "--as-user=NAME"),
            ("keys", "--every=SPAN"),
        ):
            with self.subTest(name=name):
                first, second = run("help", name), run(name, "--help")

                self.assertEqual((first.status, first), (0, second))
                self.assertIn(word, first.output)

    def test_unknown(self) -> None:
        """A word that is no command is told."""
        self.assertEqual(run("sevre"), Result(2, "", "konnectd: there is no command sevre; konnectd help lists them\n"))

    def test_version(self) -> None:
        """Three lines for a fault report."""
        found = run("version")

        self.assertEqual((found, found.output.count("\n")), (run("--version"), 3))
        self.assertIn(__version__, found.output)

    def test_utils(self) -> None:
        """A folder of commands lists what is in it."""
        self.assertEqual((run("utils").status, run("utils", "x").status, run("utils", "--help").status), (2, 2, 0))

    def test_bad_flags(self) -> None:
        """Every fault of the small commands is told, in one line each."""
        found = run("healthcheck", "--bogus", "--scheme=ftp", "--timeout=x", "--path")

        self.assertEqual((found.status, found.output, found.errors.count("\n")), (1, "", 4))
        self.assertEqual(run("version", "x").status, 1)

    def test_bad_settings(self) -> None:
        """Settings that are wrong are one line each and status 1, without a reactor."""
        found = run("serve", "--bogus=1", "--iss=http://id.example.com", "nis")

        self.assertEqual((found.status, found.output), (1, ""))
        self.assertEqual(
            [line.split(": ")[:3] for line in found.errors.splitlines()],
            [
                ["konnectd", "command line", "identity_manager"],
                ["konnectd", "command line", "--bogus"],
                ["konnectd", "command line", "--iss"],
            ],
        )


class JwkTests(SynchronousTestCase):
    """Keys printed as JSON Web Keys."""

    def jwk(self, path: Path, *flags: str) -> dict[str, str]:
        """Print a key and read it again."""
        found: dict[str, str] = json.loads(run("utils", "jwk-from-pem", *flags, str(path)).output)
        return found

    def test_public(self) -> None:
        """A public key, and a private one with ``--public``, give the public key and no warning."""
        private = write(self, "k.pem", private_pem(p256_key()))
        public = write(self, "k.pem", public_pem(p256_key()))
        wanted = {**p256_key().public.to_jwk(), "kid": "k"}

        self.assertEqual((self.jwk(private, "--public"), self.jwk(public)), (wanted, wanted))
        self.assertEqual(run("utils", "jwk-from-pem", "--public", str(private)).errors, "")

    def test_private(self) -> None:
        """A private key gives a private JWK, as always, with a word of warning."""
        path = write(self, "k.pem", private_pem(rsa_key()))

        self.assertIn("d", self.jwk(path))
        self.assertIn("PRIVATE", run("utils", "jwk-from-pem", str(path)).errors)

    def test_flags(self) -> None:
        """Key id and use can be given; an empty use leaves it out."""
        path = write(self, "k.pem", public_pem(ed25519_key()))
        given, without = self.jwk(path, "--kid=x", "--use=enc"), self.jwk(path, "--use=")

        self.assertEqual((given["kid"], given["use"], "use" in without), ("x", "enc", False))

    def test_forms(self) -> None:
        """JSON is indented by tabs, and YAML is the same key."""
        path = str(write(self, "k.pem", public_pem(rsa_key())))
        as_json, as_yaml = run("utils", "jwk-from-pem", path), run("utils", "jwk-from-pem", "--yaml", path)

        self.assertIn('\n\t"kty": "RSA"', as_json.output)
        self.assertEqual(yaml.safe_load(as_yaml.output), json.loads(as_json.output))

    def test_faults(self) -> None:
        """A file that is no key is told in one line."""
        for argv in (("nowhere.pem",), (str(write(self, "k.pem", "x")),), (), ("a", "b")):
            with self.subTest(argv=argv):
                found = run("utils", "jwk-from-pem", *argv)

                self.assertEqual((found.status, found.output, found.errors.count("\n")), (1, "", 1))


class ManualTests(SynchronousTestCase):
    """What is written about the commands."""

    def setUp(self) -> None:
        """Read the manual."""
        self.manual = (ROOT / "docs" / "operate" / "commands.md").read_text(encoding="utf-8")

    def test_every_command(self) -> None:
        """Each command that the help lists is in the manual."""
        names = {line.split()[0] for line in cli.USAGE.splitlines() if line.startswith("  ")}

        self.assertEqual(
            {name for name in names if f"`{name}`" not in self.manual and f"konnectd {name}" not in self.manual}, set()
        )

    def test_every_option(self) -> None:
        """So is each option that is a command's own."""
        tables = (check_config.OWN_OPTIONS, doctor_command.OWN_OPTIONS, keys.OWN_OPTIONS, setup.OWN_OPTIONS)

        self.assertEqual(
            [option.name for table in tables for option in table if f"--{option.name}" not in self.manual], []
        )
