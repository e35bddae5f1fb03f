"""A real slapd on loopback, in a folder of its own, with certificates of an authority of its own.

It is started for a test and stopped after it. Where slapd is missing, `SKIP` says so, and tests that need it are
skipped.
"""

import datetime
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import IO

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/libexec:/usr/bin")
_SCHEMA = Path("/etc/ldap/schema")
_MODULES = Path("/usr/lib/ldap")

#: Why tests with slapd can not run here; None when they can.
SKIP: str | None = None
if _SLAPD is None or not _SCHEMA.is_dir() or not _MODULES.is_dir() or shutil.which("ldapsearch") is None:
    SKIP = "slapd and ldap-utils are not installed"

BASE = "dc=example,dc=org"
PEOPLE = f"ou=people,{BASE}"
ROOT_DN, ROOT_PASSWORD = f"cn=root,{BASE}", "root-secret"
SERVICE_DN, SERVICE_PASSWORD = f"cn=konnectd,{BASE}", "service-secret"

#: The address whose name is in no certificate.
OTHER_ADDRESS = "127.0.0.2"

_CONFIG = """\
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/nis.schema
include {schema}/inetorgperson.schema
include {folder}/windows.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
moduleload memberof
pidfile {folder}/slapd.pid
loglevel stats
sizelimit 500
{tls}
database config
access to * by * none
database monitor
access to * by dn.exact="{root}" read by * none
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/db
maxsize 16777216
dbnosync
index objectClass,uid eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by anonymous auth by * none
overlay memberof
overlay ppolicy
{ppolicy}
"""

_TLS = """\
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSCACertificateFile {folder}/ca.pem
TLSCipherSuite {ciphers}
"""

#: What Active Directory and others keep about accounts, as far as the backend looks at it.
_WINDOWS_SCHEMA = """\
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.3 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.4 NAME 'accountExpires' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'windowsAccount' SUP top AUXILIARY
  MAY ( sAMAccountName $ userAccountControl $ objectGUID $ accountExpires ) )
"""


@frozen(kw_only=True)
class Ports:
    """Where it listens."""

    plain: int
    tls: int


class Slapd:
    """One server with its folder."""

    def __init__(self, entries: str, *, tls: bool = True, ppolicy: str = "", ciphers: str = "") -> None:
        """Make a folder with configuration, certificates and entries; `start` starts it.

        Args:
            entries: LDIF.
            tls: it has a certificate.
            ppolicy: further lines for the password policy overlay.
            ciphers: what TLS it speaks, in GnuTLS's words.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="slapd-"))
        self.ports = Ports(plain=_free_port(), tls=_free_port())
        self.ca_file = self.folder / "ca.pem"
        self.other_ca_file = self.folder / "other.pem"
        self._tls = tls
        self._process: subprocess.Popen[str] | None = None
        self._log: list[str] = []
        self._asked = 0
        write_certificates(self.folder)
        (self.folder / "db").mkdir()
        (self.folder / "windows.schema").write_text(_WINDOWS_SCHEMA)
        (self.folder / "slapd.conf").write_text(self._config(ppolicy, ciphers))
        (self.folder / "entries.ldif").write_text(entries)
        self._run("slapadd", "-q", "-l", str(self.folder / "entries.ldif"))

    @property
    def uri(self) -> str:
        """Its URI without TLS."""
        return f"ldap://127.0.0.1:{self.ports.plain}"

    @property
    def ldaps_uri(self) -> str:
        """Its URI with TLS."""
        return f"ldaps://127.0.0.1:{self.ports.tls}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        hosts = ("127.0.0.1", OTHER_ADDRESS)
        listen = [f"ldap://{host}:{self.ports.plain}" for host in hosts]
        if self._tls:
            listen += [f"ldaps://{host}:{self.ports.tls}" for host in hosts]
        command = [str(_SLAPD), "-f", str(self.folder / "slapd.conf"), "-h", " ".join(listen), "-d", "stats"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        if process.stderr is None:
            raise AssertionError("no pipe")
        ready = Event()
        Thread(target=self._read_log, args=(process.stderr, ready), daemon=True).start()
        if not ready.wait(10) or process.poll() is not None:
            raise AssertionError("slapd did not start:\n" + "\n".join(self._log[-20:]))
        self._process = process
        self._asked = 0
        self._wait_until_it_listens()

    def stop(self) -> None:
        """Stop it, as a machine that crashes does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def modify(self, ldif: str) -> None:
        """Change entries."""
        self._client("ldapmodify", ldif)

    def counters(self) -> dict[str, int]:
        """Return how many searches, binds and connections there have been, this question left out."""
        names = {
            "search": "cn=Search,cn=Operations",
            "bind": "cn=Bind,cn=Operations",
            "connect": "cn=Total,cn=Connections",
        }
        counts = {}
        for name, dn in names.items():
            # Each question is a connection, a bind and a search of its own, and counts itself.
            self._asked += 1
            text = self._client("ldapsearch", "", "-LLL", "-b", f"{dn},cn=Monitor", "-s", "base", "+")
            fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            counts[name] = int(fields.get("monitorOpInitiated", fields.get("monitorCounter", "0"))) - self._asked
        return counts

    def _wait_until_it_listens(self) -> None:
        """Try to connect until that works; slapd says that it has started a moment before it listens."""
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.ports.plain), 1).close()
            except ConnectionRefusedError:
                Event().wait(0.02)
            else:
                return
        raise AssertionError("slapd does not listen")

    def _client(self, program: str, text: str, *arguments: str) -> str:
        """Run one of the command line clients as root."""
        command = [program, "-x", "-H", self.uri, "-D", ROOT_DN, "-w", ROOT_PASSWORD, *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=10, check=False)
        if done.returncode:
            raise AssertionError(f"{program} failed: {done.stderr}")
        return done.stdout

    def _config(self, ppolicy: str, ciphers: str) -> str:
        """Return the text of slapd.conf."""
        return _CONFIG.format(
            schema=_SCHEMA,
            modules=_MODULES,
            folder=self.folder,
            tls=_TLS.format(folder=self.folder, ciphers=ciphers or "NORMAL") if self._tls else "",
            base=BASE,
            root=ROOT_DN,
            root_password=ROOT_PASSWORD,
            service=SERVICE_DN,
            ppolicy=ppolicy,
        )

    def _run(self, tool: str, *arguments: str) -> None:
        """Run one of slapd's own tools."""
        command = [str(Path(str(_SLAPD)).with_name(tool)), "-f", str(self.folder / "slapd.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode:
            raise AssertionError(f"{tool} failed: {done.stderr}")

    def _read_log(self, stream: IO[str], ready: Event) -> None:
        """Keep what it says, and notice that it listens."""
        for line in stream:
            self._log.append(line.rstrip())
            if "slapd starting" in line:
                ready.set()
        ready.set()


def silent_server() -> tuple[socket.socket, str]:
    """Return a socket on which connections are accepted and nothing is ever said, and its URI."""
    listening = socket.create_server(("127.0.0.1", 0))
    return listening, f"ldap://127.0.0.1:{listening.getsockname()[1]}"


def unused_uri() -> str:
    """Return a URI where nothing listens."""
    return f"ldap://127.0.0.1:{_free_port()}"


def _free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def write_certificates(folder: Path, *hosts: str) -> None:
    """Write two authorities, and a server certificate of the first for localhost, 127.0.0.1 and further hosts."""
    key, authority = _authority("Test CA")
    _, other = _authority("Other CA")
    server_key = ec.generate_private_key(ec.SECP256R1())
    dns = [x509.DNSName(name) for name in ("localhost", *hosts)]
    names = x509.SubjectAlternativeName([*dns, x509.IPAddress(ip_address("127.0.0.1"))])
    server = _certificate("localhost", server_key, "Test CA", key, [(names, False)])
    (folder / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    (folder / "other.pem").write_bytes(other.public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(server.public_bytes(Encoding.PEM))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )


def _authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Return a certificate authority with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.BasicConstraints(ca=True, path_length=None)
    return key, _certificate(name, key, name, key, [(usage, True)])


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    """Return a certificate that is good for some days."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2, hours=12))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())
