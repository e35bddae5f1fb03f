"""What an administrator sees who starts the daemon with wrong settings of a directory."""

import re
import subprocess
import sys
from collections.abc import Mapping

from attrs import field, frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.real import slapd
from tests.real.daemon import ROOT, daemon, free_port
from tests.real.installation import Directory
from tests.real.slapd import BASE, OTHER_ADDRESS, SERVICE_PASSWORD, unused_uri
from tests.support.files import folder

PATIENCE = 30
#: How a line in the log begins that is not about what is tested here.
_OTHER = re.compile(r"time=\S+ level=(?:warn|info) ")
_FATAL = re.compile(r'time=\S+ level=fatal msg="(.*)" event=[a-z-]+')


@frozen(kw_only=True)
class Ended:
    """A daemon that did not start.

    Attributes:
        lines: what it had to say about settings.
    """

    status: int
    lines: tuple[str, ...]
    output: str = field(repr=False)


class StartCase(SynchronousTestCase):
    """A directory, and a daemon to be started with it."""

    skip = slapd.SKIP

    def setUp(self) -> None:
        """Start slapd."""
        self.directory = self.enterContext(Directory.start())
        self.tls, self.plain = self.directory.server.ports.tls, self.directory.server.ports.plain

    def start(self, *words: str, **changed: str) -> Ended:
        """Start with some variables changed, or left out if they are empty, and wait for the end."""
        port = free_port()
        command = (
            sys.executable,
            "-m",
            "konnectd.cli",
            "serve",
            f"--iss=http://localhost:{port}",
            f"--listen=127.0.0.1:{port}",
            *words,
            "ldap",
        )
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.variables(**changed),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        told = [line for line in done.stdout.splitlines() if not _OTHER.match(line)]
        return Ended(status=done.returncode, lines=tuple(map(_bare, told)), output=done.stdout)

    def variables(self, **changed: str) -> Mapping[str, str]:
        """Return the environment."""
        given = {**self.directory.by_ldaps(), **changed}
        return {"PATH": "/usr/bin:/bin", **{name: value for name, value in given.items() if value}}

    def assert_told(self, ended: Ended, *expected: str) -> None:
        """Check that it ended with exactly these faults, one in each line, each by a pattern, and told no secret."""
        self.assertEqual((ended.status, len(ended.lines)), (1, len(expected)), ended.output)
        for line, pattern in zip(ended.lines, expected, strict=True):
            self.assertRegex(line, f"^{pattern}$")
        self.assertNotIn("Traceback", ended.output)
        self.assertNotIn(SERVICE_PASSWORD, ended.output)


def _bare(line: str) -> str:
    """Return what a line says, without what stands before it."""
    found = _FATAL.fullmatch(line)
    return (found[1] if found else line.removeprefix("konnectd: ")).removeprefix("environment: ")


class WrongSettingTests(StartCase):
    """Settings that are wrong by themselves: nothing is asked of any server."""

    def test_wrong(self) -> None:
        """Each is told in one line, with its name and what it should be."""
        for changed, pattern in (
            ({"LDAP_URI": "http://127.0.0.1"}, "LDAP_URI: 'http://127.0.0.1' must look like ldap://host:389 or .*"),
            ({"LDAP_URI": "ldap.example.org"}, "LDAP_URI: 'ldap.example.org' must look like ldap://host:389 or .*"),
            ({"LDAP_URI": ""}, "ldap_uri: is needed: ldap://host or ldaps://host"),
            ({"LDAP_BASEDN": "people"}, "ldap_basedn: 'people' is no DN"),
            ({"LDAP_BINDPW": ""}, "ldap_bindpw: is needed with ldap_binddn; .*"),
            ({"LDAP_FILTER": "(&(objectClass=person)(uid=*"}, "LDAP_FILTER: lacks a closing parenthesis"),
            ({"LDAP_TLS_CACERT": "/nonexistent"}, "ldap_tls_cacert: /nonexistent can not be read: No such file.*"),
        ):
            with self.subTest(changed=changed):
                self.assert_told(self.start(**changed), pattern)

    def test_unknown(self) -> None:
        """So is a flag that is no option, and each wrong line of a file by its number."""
        file = folder(self) / "konnectd.conf"
        file.write_text("# a comment\nldap_bsedn = dc=example\nldap_filter = (uid=\n")
        by_flag = self.start("--ldap-ur=ldap://127.0.0.1")
        by_file = self.start(f"--config={file}")

        self.assert_told(by_flag, "command line: --ldap-ur: is not an option")
        self.assert_told(
            by_file,
            f"{file}:2: ldap_bsedn: is not an option",
            f"{file}:3: ldap_filter: lacks a closing parenthesis",
        )


class WrongDirectoryTests(StartCase):
    """Settings that the directory finds wrong."""

    def test_wrong(self) -> None:
        """The daemon ends soon after its start, and one line says which setting and what the server answered."""
        secret = "not-the-password"
        for changed, pattern in (
            (
                {"LDAP_BASEDN": f"ou=poeple,{BASE}"},
                f"ldap_basedn: the search base 'ou=poeple,{BASE}' can not be read: noSuchObject \\(32\\)",
            ),
            (
                {"LDAP_BINDPW": secret},
                "ldap_bindpw: ldaps://.* refused the service account 'cn=konnectd,.*': invalidCredentials \\(49\\): .*",
            ),
            ({"LDAP_TLS_CACERT": ""}, "ldap_tls_cacert: ldaps://.*: the certificate is not trusted: .*"),
            (
                {"LDAP_TLS_CACERT": str(self.directory.server.other_ca_file)},
                "ldap_tls_cacert: ldaps://.*: the certificate is not trusted: .*",
            ),
            (
                {"LDAP_URI": f"ldaps://{OTHER_ADDRESS}:{self.tls}"},
                f"ldap_uri: ldaps://{OTHER_ADDRESS}:{self.tls}: the certificate is for another name; .*",
            ),
        ):
            with self.subTest(changed=changed):
                ended = self.start(**changed)

                self.assert_told(ended, pattern)
                self.assertNotIn(secret, ended.output)


class UnreachableTests(StartCase):
    """Servers that do not answer: they may be back any time, so the daemon stays."""

    def test_told(self) -> None:
        """The daemon runs on, and one line says which server and why."""
        for changed, words in (
            ({"LDAP_URI": unused_uri()}, "can not be reached: connection refused"),
            ({"LDAP_URI": "ldaps://ldap.invalid"}, "can not be reached: no such host"),
            ({"LDAP_URI": f"ldaps://127.0.0.1:{self.plain}"}, "ended the connection instead of beginning TLS"),
            ({"LDAP_URI": f"ldap://127.0.0.1:{self.tls}"}, "ended the connection without a word"),
        ):
            port = free_port()
            flags = (f"--iss=http://localhost:{port}",)
            with (
                self.subTest(changed=changed),
                daemon(*flags, "ldap", port=port, environ=self.variables(**changed)) as running,
            ):
                line = running.said(changed["LDAP_URI"])

                self.assertIn("nobody can sign in until it does", line)
                self.assertIn(words, line)
                self.assertIsNone(running.process.poll())
