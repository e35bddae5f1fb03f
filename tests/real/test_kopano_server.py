"""The stand-in for a groupware server on real sockets: what only a socket, a handshake or a process can show."""

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from OpenSSL import SSL
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectionRefusedError as RefusedError
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import Agent, readBody
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from tests.real.daemon import ROOT
from tests.real.kopano_server import KopanoProcess
from tests.support.kopano import codes
from tests.support.kopano.asking import Heard, envelope, post, values
from tests.support.kopano.people import People
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.untyped import Untyped

#: How long an answer is waited for, in seconds.
_PATIENCE = 10.0
_ASK_AS_ANOTHER = """\
import sys
from tests.real.test_kopano_server import ask, resolve, unix
print(ask(unix(sys.argv[1]), resolve(int(sys.argv[2]))).code)
"""


def unix(path: str | Path) -> socket.socket:
    """Connect to a unix socket."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(_PATIENCE)
    peer.connect(str(path))
    return peer


def tcp(port: int, source: str = "127.0.0.1") -> socket.socket:
    """Connect to a port."""
    return socket.create_connection(("127.0.0.1", port), _PATIENCE, source_address=(source, 0))


def logon(name: str, password: str, flags: int = 1) -> bytes:
    """Write a request for a session."""
    given = values(szUsername=name, szPassword=password, szImpersonateUser="", ulCapabilities=592, ulFlags=flags)
    return post(envelope("logon", given), "Connection: close")


def sso_logon(text: str) -> bytes:
    """Write a request for a session of whom a token stands for."""
    given = base64.b64encode(b"KCOIDC" + text.encode()).decode()
    content = values(
        szUsername="", lpInput=given, szImpersonateUser="", clientCaps=592, clientVersion="8", szClientApp="konnect"
    )
    return post(envelope("ssoLogon", content), "Connection: close")


def token(key: JWK, issuer: str) -> str:
    """Sign a token for alice."""
    alice = next(person for person in People() if person.name == "alice")
    claims = {
        "iss": issuer,
        "sub": alice.entry_id.to_text(),
        "exp": int(time.time()) + 60,
        "kc.isAccessToken": True,
        "kc.authorizedScopes": ["kopano/gc"],
    }
    jws = JWS(json.dumps(claims))
    jws.add_signature(key, None, json.dumps({"alg": "ES256", "kid": "one"}))
    signed: str = jws.serialize(compact=True)
    return signed


def resolve(session: int) -> bytes:
    """Write a request that needs a session."""
    return post(envelope("resolveUsername", values(lpszUsername="bob", ulSessionId=session)), "Connection: close")


def ask_with(connection: SSL.Connection, request: bytes) -> Heard:
    """Ask over TLS."""
    connection.set_connect_state()
    connection.do_handshake()
    connection.sendall(request)
    return Heard(connection.recv(65536))


def ask(peer: socket.socket, request: bytes) -> Heard:
    """Ask on a connection, and read until its end."""
    with peer:
        peer.sendall(request)
        heard = b""
        while piece := peer.recv(65536):
            heard += piece
    return Heard(heard)


class ProcessTests(SynchronousTestCase):
    """The server as a process of its own."""

    def setUp(self) -> None:
        """Start."""
        self.server = KopanoProcess("--user", "frank:a password:Frank Foo:frank@example.test", "--idle", "0.3")
        self.addCleanup(self.server.remove)

    def tls(self, name: str = "") -> ssl.SSLSocket:
        """Connect with TLS, and with a certificate if one is named."""
        certificates = self.server.certificates
        context = ssl.create_default_context(cafile=certificates.certificate("ca"))
        # What is offered is of no meaning to the real server, and must be to none.
        context.set_alpn_protocols(["h2", "http/1.1"])
        if name:
            context.load_cert_chain(certificates.certificate(name), certificates.key(name))
        return context.wrap_socket(tcp(self.server.tls_port), server_hostname="localhost")

    def test_all_ways_lead_to_it(self) -> None:
        """The same account is good on all three."""
        connections = (unix(self.server.socket), tcp(self.server.port), self.tls())

        self.assertEqual([ask(each, logon("alice", "alice-secret")).code for each in connections], [0, 0, 0])

    def test_people_of_the_command_line(self) -> None:
        """Whoever was named there has an account."""
        self.assertEqual(ask(tcp(self.server.port), logon("frank", "a password")).code, codes.SUCCESS)

    def test_certificates(self) -> None:
        """The trusted one opens everything, another one of the same authority nothing."""
        heard = [ask(self.tls(name), logon("SYSTEM", "", flags=0)).code for name in ("client", "client2", "")]

        self.assertEqual(heard, [codes.SUCCESS, codes.LOGON_FAILED, codes.LOGON_FAILED])

    def test_a_certificate_of_a_stranger(self) -> None:
        """It ends the handshake, though none is needed."""
        with self.assertRaises(ssl.SSLError) as raised:
            ask(self.tls("stranger"), logon("alice", "alice-secret"))

        self.assertIn("UNKNOWN_CA", str(raised.exception))

    def test_a_session_of_tls_that_goes_on(self) -> None:
        """Whoever goes on with the TLS session of a connection with the certificate has not left it behind."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        # A session of this version is there as soon as the handshake is.
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        peers = [socket.create_connection(("127.0.0.1", self.server.tls_port)) for _ in range(3)]
        for peer in peers:
            self.addCleanup(peer.close)
        first, trusted, last = (SSL.Connection(context, peer) for peer in peers)
        certificates, request = self.server.certificates, logon("alice", "wrong", flags=3)
        trusted.use_certificate(load_pem_x509_certificate(certificates.certificate("client").read_bytes()))
        trusted.use_privatekey(load_pem_private_key(certificates.key("client").read_bytes(), None))
        fresh = ask_with(first, request)
        ask_with(trusted, request)
        last.set_session(trusted.get_session())
        resumed = ask_with(last, request)

        self.assertEqual((fresh.code, resumed.code), (codes.LOGON_FAILED, codes.SUCCESS))

    def test_who_is_at_the_other_end(self) -> None:
        """The user of this process is believed without a password, unless the flag forbids it."""
        heard = [ask(unix(self.server.socket), logon("bob", "wrong", flags)).code for flags in (0, 1)]

        self.assertEqual(heard, [codes.SUCCESS, codes.LOGON_FAILED])

    def test_another_process(self) -> None:
        """A session of the unix socket is of no use in another process."""
        session = ask(unix(self.server.socket), logon("alice", "alice-secret")).session
        here = ask(unix(self.server.socket), resolve(session)).code
        words = [sys.executable, "-c", _ASK_AS_ANOTHER, str(self.server.socket), str(session)]
        there = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout

        self.assertEqual((here, int(there)), (codes.SUCCESS, codes.END_OF_SESSION))

    def test_another_address(self) -> None:
        """A session of one address is of no use from another one."""
        session = ask(tcp(self.server.port), logon("alice", "alice-secret")).session
        heard = [ask(tcp(self.server.port, source), resolve(session)).code for source in ("127.0.0.1", "127.0.0.2")]

        self.assertEqual(heard, [codes.SUCCESS, codes.END_OF_SESSION])

    def test_idle_connections(self) -> None:
        """They are closed over the network, with TLS in the orderly way."""
        with tcp(self.server.port) as plain, self.tls() as secure:
            heard = (plain.recv(1), secure.recv(1))

        self.assertEqual(heard, (b"", b""))

    def test_idle_on_a_unix_socket(self) -> None:
        """There they stay, longer than any that was made after them."""
        with unix(self.server.socket) as peer, tcp(self.server.port) as later:
            later.recv(1)
            heard = ask(peer, logon("alice", "alice-secret")).code

        self.assertEqual(heard, codes.SUCCESS)

    def test_anybody_may_connect(self) -> None:
        """The socket is open to all, as that of the real server."""
        self.assertEqual(self.server.socket.stat().st_mode & 0o777, 0o666)

    def test_forgetting(self) -> None:
        """A signal makes it forget all sessions."""
        session = ask(tcp(self.server.port), logon("alice", "alice-secret")).session
        self.server.forget()

        self.assertEqual(ask(tcp(self.server.port), resolve(session)).code, codes.END_OF_SESSION)


class _Issuer(BaseHTTPRequestHandler):
    """Tells where keys are, and which."""

    keys: ClassVar[str] = ""

    def do_GET(self) -> None:
        """Tell."""
        host, port = self.server.server_address[:2]
        where = json.dumps({"jwks_uri": f"http://{host!s}:{port}/keys"})
        body = (self.keys if self.path == "/keys" else where).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class IssuerTests(SynchronousTestCase):
    """Tokens of an issuer that is named on the command line."""

    def test_its_keys_are_fetched(self) -> None:
        """A token that it has signed is good."""
        key = JWK.generate(kty="EC", crv="P-256", kid="one")
        served = type("_Served", (_Issuer,), {"keys": json.dumps({"keys": [key.export_public(as_dict=True)]})})
        issuer = HTTPServer(("127.0.0.1", 0), served)
        self.addCleanup(issuer.server_close)
        Thread(target=issuer.serve_forever, daemon=True).start()
        self.addCleanup(issuer.shutdown)
        url = f"http://127.0.0.1:{issuer.server_address[1]}"
        server = KopanoProcess("--sso-issuer", url)
        self.addCleanup(server.remove)

        self.assertEqual(ask(tcp(server.port), sso_logon(token(key, url))).code, codes.SUCCESS)


class EndTests(SynchronousTestCase):
    """How a process of it ends."""

    def setUp(self) -> None:
        """Start."""
        self.server = KopanoProcess()
        self.addCleanup(self.server.remove)

    def test_signals(self) -> None:
        """Both of those that people use end it well, with somebody connected too, and nothing stays behind."""
        ended = []
        for number in (signal.SIGTERM, signal.SIGINT):
            with unix(self.server.socket):
                ended.append((self.server.stop(number), self.server.socket.exists()))
            self.server.start()

        self.assertEqual(ended, [(0, False), (0, False)])

    def test_after_a_crash(self) -> None:
        """It is where it was before, over the socket that was left behind too."""
        port = self.server.port
        self.server.stop(signal.SIGKILL)
        self.server.start()
        heard = [ask(each, logon("alice", "alice-secret")).code for each in (unix(self.server.socket), tcp(port))]

        self.assertEqual(heard, [codes.SUCCESS, codes.SUCCESS])

    def test_who_runs_it(self) -> None:
        """It can be told that nobody on the machine is anybody special."""
        other = KopanoProcess("--no-local-admins")
        self.addCleanup(other.remove)

        self.assertEqual(ask(unix(other.socket), logon("SYSTEM", "", flags=0)).code, codes.LOGON_FAILED)


@implementer(IAgentEndpointFactory)
class _Socket:
    """Leads everywhere to a unix socket."""

    def __init__(self, path: Path) -> None:
        """Lead there."""
        self._path = path

    def endpointForURI(self, uri: Untyped) -> UNIXClientEndpoint:  # noqa: N802 - Twisted's
        """Return it."""
        return UNIXClientEndpoint(installed, str(self._path))


class InProcessTests(TestCase):
    """The server in the process of a test; trial sees to it that nothing is left in the reactor."""

    def setUp(self) -> None:
        """Start."""
        folder = tempfile.TemporaryDirectory(prefix="kopano-")
        self.addCleanup(folder.cleanup)
        self.server = KopanoServer(installed)
        self.addCleanup(lambda: ensureDeferred(self.server.stop()))
        self.path = Path(folder.name) / "server.sock"

    async def get(self, agent: Agent, url: str = "http://localhost/") -> bytes:
        """Fetch something."""
        response = await agent.request(b"GET", url.encode())
        body: bytes = await readBody(response)
        return body

    async def test_process_of_a_unix_socket(self) -> None:
        """The server sees which process it talks to, and as whom that runs."""
        self.server.listen_unix(self.path)
        with unix(self.path):
            while not self.server.connections:
                await _turn()
            seen = next(iter(self.server.connections)).peer()

        self.assertEqual((seen.pid, seen.uid), (os.getpid(), os.getuid()))

    async def test_over_a_unix_socket(self) -> None:
        """Twisted's client reaches it."""
        self.server.listen_unix(self.path)
        agent = Agent.usingEndpointFactory(installed, _Socket(self.path))

        self.assertIn(b"HTTP GET method not implemented", await self.get(agent))

    async def test_listening_again(self) -> None:
        """It can go away, and come back at the same port with what it knew."""
        url = f"http://127.0.0.1:{self.server.listen_tcp()}/"
        agent = Agent(installed)
        await self.server.stop_listening()
        with self.assertRaises(RefusedError):
            await self.get(agent, url)
        self.server.listen_again()

        self.assertIn(b"HTTP GET method not implemented", await self.get(agent, url))

    async def test_stopping_with_somebody_connected(self) -> None:
        """The connection ends with the server."""
        port = self.server.listen_tcp()
        with tcp(port) as peer:
            while not self.server.connections:
                await _turn()
            await self.server.stop()
            with self.assertRaises(ConnectionResetError):
                peer.recv(1)

        self.assertEqual(self.server.connections, set())


async def _turn() -> None:
    """Let the reactor turn once."""
    turned: Untyped = Deferred()
    reactor: Untyped = installed
    reactor.callLater(0, turned.callback, None)
    await turned
