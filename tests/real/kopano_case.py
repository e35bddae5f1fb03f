"""What tests of the groupware client begin with: a server on real sockets, and clients. All end with the test."""

import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from konnectd.backends._kopano_address import Address
from konnectd.backends._kopano_client import PeopleClient, ServiceClient
from konnectd.backends._kopano_logons import PersonLogon, ServiceAccount
from konnectd.backends._kopano_tls import ClientCertificate, ServerTrust
from konnectd.interfaces import BackendUnavailableError
from tests.support.kopano.certificates import Certificates
from tests.support.kopano.server import KopanoServer

UNIX, TCP, TLS = KINDS = ("unix", "tcp", "tls")
ALICE = PersonLogon("alice", "alice-secret")
SVC = ServiceAccount("svc", "svc-secret")
SYSTEM = ServiceAccount("SYSTEM", "")


class Case(TestCase):
    """One server that listens everywhere.

    Attributes:
        server: it.
        addresses: where it listens, by kind.
        certificates: of TLS.
        trust: that believes the server.
    """

    timeout = 60

    def setUp(self) -> None:
        """Listen."""
        # Where trial keeps files, a path may be too long for a unix socket.
        place = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, place)
        self.certificates = Certificates.in_folder(place / "tls")
        self.trust = ServerTrust.load(self.certificates.certificate("ca"))
        self.server = KopanoServer(reactor, seed=1)
        self.server.settings.trusted_keys = self.certificates.trusted_keys()
        self.server.listen_unix(place / "server.sock")
        tls = self.server.listen_tls(self.certificates.options())
        self.addCleanup(lambda: Deferred.fromCoroutine(self.server.stop()))
        self.addresses = {
            UNIX: f"file://{place}/server.sock",
            TCP: f"http://127.0.0.1:{self.server.listen_tcp()}",
            TLS: f"https://localhost:{tls}",
        }

    def people(
        self, kind: str = TCP, *, timeout: float = 10, address: str = "", trust: ServerTrust | None = None
    ) -> PeopleClient:
        """Return a client for people, which ends with the test."""
        where = Address.parse(address or self.addresses[kind])
        client = PeopleClient(reactor, where, trust=trust or self.trust, timeout=timeout)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client

    def service(
        self, kind: str = TCP, account: ServiceAccount = SVC, *, certificate: str = "", timeout: float = 10
    ) -> ServiceClient:
        """Return a client of the service, which ends with the test, and may show a certificate of some name."""
        shown = None
        if certificate:
            files = self.certificates
            shown = ClientCertificate.load(files.certificate(certificate), files.key(certificate))
        where = Address.parse(self.addresses[kind])
        client = ServiceClient(reactor, where, account, trust=self.trust, certificate=shown, timeout=timeout)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client

    async def unavailable(self, coroutine: Coroutine[Any, Any, object]) -> str:
        """Return why there is no answer."""
        try:
            await coroutine
        except BackendUnavailableError as error:
            return str(error)
        raise AssertionError("there is an answer")

    async def fails(self, kind: type[Exception], coroutine: Coroutine[Any, Any, object]) -> Any:  # noqa: ANN401 - of any kind
        """Return the error that something ends with."""
        try:
            await coroutine
        except kind as error:
            return error
        raise AssertionError("it did not fail")

    async def eventually(self, condition: Any) -> None:  # noqa: ANN401 - a function of no arguments
        """Wait until the server has noticed something; the test's own time limit ends this."""
        while not condition():
            await deferLater(reactor, 0.005)

    async def quiet(self) -> None:
        """Wait until nobody is connected any more."""
        await self.eventually(lambda: not self.server.connections)
