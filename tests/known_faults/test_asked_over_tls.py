"""Row 26: authorities that are asked over TLS, and what stands there in their place. Each test is about one check."""

import os
from contextlib import suppress as without  # trial has another meaning for what is called so in a module

from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from konnectd.authority import Question
from konnectd.authority_fetch import AskAuthorities
from tests.support.files import folder
from tests.support.kopano.certificates import Certificates
from tests.test_outward import Net, Wire

#: In how many turns two ends have agreed, or never will.
_TURNS = 10


class TcpWire(Wire):
    """A connection below TLS, of which more is asked."""

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - Twisted calls it
        """Do nothing: nothing is delayed."""


class Row26TlsTests(TestCase):
    """A server whose certificate is one for ``localhost``."""

    def setUp(self) -> None:
        """Make the certificate."""
        self.files = Certificates.in_folder(folder(self) / "tls")

    def trust(self) -> None:
        """Let this machine know who has signed it."""
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = str(self.files.certificate("ca"))
        self.addCleanup(lambda: os.environ.pop("SSL_CERT_FILE") if before is None else self._put_back(before))

    def _put_back(self, before: str) -> None:
        """Let it know who it knew."""
        os.environ["SSL_CERT_FILE"] = before

    async def asks(self, host: str, *, insecure: bool = False) -> bool:
        """Tell whether the server is asked anything, in the place of some host."""
        net = Net(("10.0.0.7",))
        question = Question(url=f"https://{host}/", insecure=insecure)
        asking = Deferred.fromCoroutine(AskAuthorities.over_network(net)(question)).addErrback(lambda _: None)
        ours, wire = net.tcpClients[0][2].buildProtocol(None), TcpWire()
        ours.makeConnection(wire)
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_certificate_file(str(self.files.certificate("server")))
        context.use_privatekey_file(str(self.files.key("server")))
        server, heard = SSL.Connection(context, None), b""
        server.set_accept_state()
        for _ in range(_TURNS):
            if wire.value():
                server.bio_write(wire.value())
            wire.clear()
            with without(SSL.Error):
                heard += server.recv(1024)
            with without(SSL.WantReadError):
                ours.dataReceived(server.bio_read(65_536))
            # What is written over TLS goes out a moment later, and by no other clock than the reactor's.
            await deferLater(reactor, 0)
        asking.cancel()
        return heard.startswith(b"GET / ")

    async def test_row_26_good_certificate(self) -> None:
        """A server is asked whose certificate is good; so the others here are not for another reason."""
        self.trust()

        self.assertTrue(await self.asks("localhost"))

    async def test_row_26_unknown_signer(self) -> None:
        """One whose certificate somebody has signed whom nobody knows is told nothing."""
        self.assertFalse(await self.asks("localhost"))

    async def test_row_26_other_name(self) -> None:
        """One whose certificate is for another host is told nothing."""
        self.trust()

        self.assertFalse(await self.asks("sso.corp.example"))

    async def test_row_26_insecure_is_of_one(self) -> None:
        """Only where the entry of the authority says so is it asked all the same."""
        self.assertTrue(await self.asks("sso.corp.example", insecure=True))
