"""``konnectd doctor`` with a directory, a daemon, certificates, and servers that do not do what they should."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.real import slapd
from tests.real.daemon import ROOT, daemon, free_port
from tests.real.installation import Directory
from tests.real.slapd import SERVICE_PASSWORD, silent_server, unused_uri, write_certificates
from tests.real.tls_server import TlsServer
from tests.support.files import folder
from tests.support.key_folders import installation
from tests.support.keys import quick_hash, rsa_key

PATIENCE = 60
SECRET = "marked-as-a-secret"
_OPTION_VARIABLES = ("KONNECTD_", "OIDC_", "LDAP_", "FILE_", "KOPANO_", "SSL_CERT_")


@frozen(kw_only=True)
class Examined:
    """What the doctor has said.

    Attributes:
        findings: level, subject and the rest of each.
        person: what an application gets to know, if somebody asked.
        output: everything.
    """

    status: int
    findings: tuple[tuple[str, str, str], ...]
    person: Mapping[str, Mapping[str, object]]
    output: str

    def faults(self) -> list[str]:
        """Return the subjects of all faults."""
        return [about for level, about, _ in self.findings if level == "fault"]

    def about(self, subject: str) -> str:
        """Return everything that was said about something."""
        return "\n".join(text for _, about, text in self.findings if about == subject)


def doctor(*words: str, environ: Mapping[str, str] | None = None) -> Examined:
    """Run the command as a process."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OPTION_VARIABLES)}
    done = subprocess.run(
        [sys.executable, "-m", "konnectd.cli", "doctor", "--json", *words],
        cwd=ROOT,
        env={**inherited, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if not done.stdout:
        raise AssertionError(done.stderr)
    found = json.loads(done.stdout)
    return Examined(
        status=done.returncode,
        findings=tuple(
            (each["level"], each["about"], f"{each['says']} {each['cause']} {each['mend']}")
            for each in found["findings"]
        ),
        person=found.get("person", {}),
        output=done.stdout + done.stderr,
    )


def _answer_in_the_clear(listening: socket.socket) -> None:
    """Answer one connection, whatever it says."""
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


class DoctorCase(SynchronousTestCase):
    """Keys, a secret and a client, in a folder."""

    def setUp(self) -> None:
        """Write them."""
        self.place = installation(self, rsa_key())
        self.root: Path = self.place.root
        self.port = free_port()
        self.write("secret.key", bytes(range(32)))
        clients = (
            f"clients: [{{id: notes, secret: {SECRET}-long-enough, redirect_uris: ['https://notes.example.org/cb']}}]"
        )
        self.write("clients.yaml", clients.encode())
        self.write("users.yaml", f"users: [{{username: alice, password: '{quick_hash(SECRET)}'}}]".encode())

    def write(self, name: str, content: bytes) -> Path:
        """Write a file for nobody else."""
        path = self.root / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def words(self, issuer: str = "") -> tuple[str, ...]:
        """Return the options of the daemon, and of the doctor."""
        return (
            f"--iss={issuer or f'http://localhost:{self.port}'}",
            *self.place.flags,
            f"--encryption-secret={self.root / 'secret.key'}",
            f"--identifier-registration-conf={self.root / 'clients.yaml'}",
        )

    def listening(self, issuer: str = "") -> tuple[str, ...]:
        """Return the same, with the address and people in a file."""
        return (
            *self.words(issuer),
            f"--listen=127.0.0.1:{self.port}",
            f"--file-users={self.root / 'users.yaml'}",
            "file",
        )


class DaemonTests(DoctorCase):
    """A daemon that is its own proxy."""

    def test_well(self) -> None:
        """Where all is well there is no fault, and the status is 0."""
        with daemon(*self.words(), f"--file-users={self.root / 'users.yaml'}", "file", port=self.port):
            found = doctor(*self.listening(), "--as-user=alice", "--client=notes")

        self.assertEqual((found.status, found.faults()), (0, []), found.output)
        self.assertEqual(found.person["id_token"]["aud"], "notes")

    def test_not_restarted(self) -> None:
        """A daemon that does not know of a new key yet is told, until the new key signs: then it is a fault."""
        with daemon(*self.words(), f"--file-users={self.root / 'users.yaml'}", "file", port=self.port):
            self.place.add("2030", rsa_key(2))
            waiting = doctor(*self.listening())
            self.place.lead_to("2030")
            active = doctor(*self.listening())

        self.assertEqual((waiting.faults(), active.faults()), ([], ["published keys"]))
        self.assertIn("not published: 2030", waiting.about("published keys"))

    def test_down(self) -> None:
        """A daemon that does not run is missed from both sides."""
        found = doctor(*self.listening())

        self.assertEqual((found.status, found.faults()), (1, ["daemon", "issuer"]))
        self.assertIn("Connection refused", found.about("issuer"))

    def test_unknown_host(self) -> None:
        """An issuer whose name is not known is told."""
        self.assertIn("not known by name", doctor(*self.listening("https://id.invalid")).about("issuer"))

    def test_hanging(self) -> None:
        """A server that accepts and says nothing costs a bounded time."""
        listening, uri = silent_server()
        self.addCleanup(listening.close)
        found = doctor(*self.listening(f"http://127.0.0.1:{uri.rpartition(':')[2]}"), "--timeout=1")

        self.assertIn("does not answer within 1 seconds", found.about("issuer"))

    def test_not_even_accepting(self) -> None:
        """So does one whose queue is full, which answers to nothing at all."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for each in waiting:
                self.addCleanup(each.close)
                each.setblocking(False)
                each.connect_ex(listening.getsockname())
            found = doctor(*self.listening(f"http://127.0.0.1:{listening.getsockname()[1]}"), "--timeout=1")

        self.assertIn("does not answer within 1 seconds", found.about("issuer"))

    def test_unix_socket(self) -> None:
        """A socket in the file system is asked at its path; one that nobody listens at is told."""
        path = self.root / "k.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        found = doctor(*self.words(), f"--listen=unix:{path}", f"--file-users={self.root / 'users.yaml'}", "file")

        self.assertIn("k.sock does not accept connections", found.about("daemon"))

    def test_no_secrets(self) -> None:
        """Nothing secret is printed, not even where everything is wrong."""
        (self.root / "secret.key").chmod(0o644)
        found = doctor(*self.listening(), f"--dynamic-registration-token={SECRET}", f"--redis-password={SECRET}")

        self.assertNotIn(SECRET, found.output)


class CertificateTests(DoctorCase):
    """A proxy with a certificate."""

    def setUp(self) -> None:
        """Make the certificates."""
        super().setUp()
        self.certificates = folder(self)
        write_certificates(self.certificates)
        self.trusting = {"SSL_CERT_FILE": str(self.certificates / "ca.pem")}

    def server(self, host: str = "127.0.0.1") -> TlsServer:
        """Start a proxy."""
        server = TlsServer(self.certificates, host)
        self.addCleanup(server.stop)
        return server

    def test_trusted(self) -> None:
        """A certificate that is trusted is told with its days; this one ends soon."""
        server = self.server()
        issuer = f"https://localhost:{server.port}"
        body = json.dumps({"issuer": issuer}).encode()
        server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nDate: nonsense\r\n\r\n%s" % (len(body), body)
        found = doctor(*self.listening(issuer), environ=self.trusting)

        self.assertIn("good for 2 more days", found.about("certificate"))
        self.assertIn(f"{issuer} answers", found.about("issuer"))

    def test_unknown_authority(self) -> None:
        """One of an authority that nobody knows is told, with the authority."""
        found = doctor(*self.listening(f"https://localhost:{self.server().port}"), "--timeout=5")

        self.assertIn("CN=Test CA, which is not trusted", found.about("certificate"))

    def test_another_name(self) -> None:
        """One for another name is told, with the names."""
        issuer = f"https://127.0.0.2:{self.server('127.0.0.2').port}"
        found = doctor(*self.listening(issuer), environ=self.trusting)

        self.assertIn("it is for localhost, 127.0.0.1, and not for 127.0.0.2", found.about("certificate"))

    def test_no_tls(self) -> None:
        """A server that speaks no TLS is told."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        thread = Thread(target=_answer_in_the_clear, args=(listening,), daemon=True)
        thread.start()
        found = doctor(*self.listening(f"https://localhost:{listening.getsockname()[1]}"))
        thread.join()

        self.assertIn("does not speak TLS as it should: wrong version number", found.about("issuer"))

    def test_endless(self) -> None:
        """A server that talks without end is left."""
        server = self.server()
        server.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        server.flood = b"x" * 10_000
        found = doctor(*self.listening(f"https://localhost:{server.port}"), environ=self.trusting)

        self.assertIn("answers more than", found.about("issuer"))


class DirectoryTests(DoctorCase):
    """A directory."""

    skip = slapd.SKIP

    def setUp(self) -> None:
        """Start slapd."""
        super().setUp()
        self.directory = self.enterContext(Directory.start())

    def examine(self, *words: str, **changed: str) -> Examined:
        """Run the doctor with some variables changed."""
        variables = {**self.directory.by_ldaps(), **changed}
        return doctor(*self.words(), f"--listen=127.0.0.1:{self.port}", *words, "ldap", environ=variables)

    def test_well(self) -> None:
        """A directory that is as the settings say is good, and a person in it is shown as a client would see them."""
        found = self.examine("--as-user=alice", "--client=notes", "--scope=openid profile email")

        self.assertEqual(found.faults(), ["daemon", "issuer"])
        self.assertIn("ldap is as the settings say", found.about("backend"))
        self.assertEqual(set(found.person["userinfo"]) & {"sub", "email", "name"}, {"sub", "email", "name"})

    def test_nobody(self) -> None:
        """Somebody who is not there is told."""
        self.assertIn("'nobody' can not sign in", self.examine("--as-user=nobody").about("person"))

    def test_wrong_password(self) -> None:
        """A wrong password of the service account is told by the name of the setting, and not shown."""
        found = self.examine(LDAP_BINDPW=f"{SECRET}-wrong")

        self.assertIn("backend", found.faults())
        self.assertEqual((SECRET in found.output, SERVICE_PASSWORD in found.output), (False, False))

    def test_wrong_base(self) -> None:
        """So is a base that does not exist."""
        self.assertIn("ldap_basedn", self.examine(LDAP_BASEDN="ou=nowhere,dc=example,dc=org").about("backend"))

    def test_down(self) -> None:
        """A directory that is down is told."""
        self.assertIn("does not answer", self.examine(LDAP_URI=unused_uri()).about("backend"))

    def test_hanging(self) -> None:
        """One that accepts and says nothing costs a bounded time."""
        listening, uri = silent_server()
        self.addCleanup(listening.close)
        found = self.examine(LDAP_URI=uri, LDAP_TIMEOUT="2")

        self.assertIn("does not answer", found.about("backend"))

    def test_unknown_authority(self) -> None:
        """A certificate of an authority that nobody knows is told by the setting."""
        found = self.examine(LDAP_TLS_CACERT=str(self.directory.server.other_ca_file))

        self.assertIn("ldap", found.about("backend"))
        self.assertIn("backend", found.faults())
