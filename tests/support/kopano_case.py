"""What tests of the Kopano backend begin with: a server in memory, a clock, and a backend that has both."""

import base64
import json
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_by_person import KopanoBackend
from konnectd.backends._kopano_by_service import KopanoServiceBackend
from konnectd.backends._kopano_server import Server
from konnectd.backends._kopano_settings import read_settings
from konnectd.backends.kc import build
from konnectd.interfaces import BackendUnavailableError, Refused
from konnectd.protocol.end_user import EndUser
from tests.support.fakes import NOON
from tests.support.kopano.memory import MemoryEndpoint
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.sessions import Peer, Transport
from tests.support.kopano.settings import Settings
from tests.support.kopano.sso import Issuer

#: The daemon runs as root, whom a server believes over a unix socket unless it is told not to look.
ROOT = Peer(transport=Transport.UNIX, pid=100, uid=0)
#: Something on the way adds a certificate that the server trusts.
TUNNEL = Peer(transport=Transport.TLS, public_key=b"trusted")
URI = "file:///run/kopano/server.sock"
SERVICE: Mapping[str, Any] = {"kc_server_username": "svc", "kc_server_password": "svc-secret"}
#: More turns than any test needs until everything that can happen has happened.
_TURNS = 200

Answer = TypeVar("Answer")


class MemoryReactor(Clock):
    """A clock whose unix sockets all lead to one server.

    Attributes:
        server: where they lead.
        endpoint: how; a test may say that it is down.
    """

    def __init__(self, peer: Peer = ROOT) -> None:
        """Begin at noon, with a server that has the people of the captures."""
        super().__init__()
        self.advance(NOON)
        self.server = KopanoServer(self, settings=Settings(own_uid=999), seed=1)
        self.server.settings.trusted_keys = {b"trusted"}
        self.endpoint = MemoryEndpoint(self.server, peer)

    def connect_as(self, peer: Peer) -> None:
        """Reach the server as somebody else from now on."""
        self.endpoint = MemoryEndpoint(self.server, peer)

    def connectUNIX(self, path: str, factory: Any, timeout: float = 30, checkPID: int = 0) -> None:  # noqa: ANN401, N803
        """Connect to the server, whatever the path."""
        connecting = self.endpoint.connect(factory)
        connecting.addErrback(lambda failure: factory.clientConnectionFailed(None, failure))

    def turn(self) -> None:
        """Let happen what can happen without time going by."""
        for _ in range(_TURNS):
            self.advance(0)

    def wait(self, seconds: float) -> None:
        """Let time go by, and everything happen on its way."""
        end = self.seconds() + seconds
        self.turn()
        while self.calls and self.calls[0].getTime() <= end:
            self.advance(self.calls[0].getTime() - self.seconds())
            self.turn()
        self.advance(end - self.seconds())
        self.turn()


class Voucher:
    """Makes tokens that the server in memory takes, as long as it is set up to.

    Attributes:
        made: for whom, in order.
        token: the last one.
    """

    def __init__(self, server: KopanoServer) -> None:
        """Be believed by a server."""
        self.made: list[str] = []
        self.token = ""
        self._issuer = Issuer(keys={})
        server.settings.issuer = self._issuer

    async def __call__(self, user_id: str) -> str:
        """Make a token for somebody."""
        self.made.append(user_id)
        claims = {"sub": user_id, "kc.isAccessToken": True, "kc.authorizedScopes": ["openid", "kopano/gc"]}
        parts = ({"alg": "none"}, {**claims, "jti": len(self.made)})
        self.token = ".".join((*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts), "x"))
        self._issuer.taken_as_good.add(self.token)
        return self.token


class Case(SynchronousTestCase):
    """A server in memory, and a backend over it that never was told a wrong thing."""

    options: Mapping[str, Any] = {}
    backend: Any

    def setUp(self) -> None:
        """Make both."""
        self.reactor = MemoryReactor()
        self.server = self.reactor.server
        self.backend = self.make()
        self.addCleanup(self._close)

    def _close(self) -> None:
        """End, whatever a test has done to the server."""
        self.server.troubles.clear()
        closing = self.begin(self.backend.close())
        self.reactor.wait(30)
        self.successResultOf(closing)

    def make(self, **options: object) -> KopanoBackend | KopanoServiceBackend:
        """Return a backend."""
        return build({"kc_server_uri": URI, **self.options, **options}, self.reactor)

    def begin(self, coroutine: Coroutine[Any, Any, Answer]) -> "Deferred[Answer]":
        """Begin something, and let happen what can happen without time going by."""
        begun = Deferred.fromCoroutine(coroutine)
        self.reactor.turn()
        return begun

    def done(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Return what comes of something that takes no time."""
        answer: Answer = self.successResultOf(self.begin(coroutine))
        return answer

    def trouble(self, coroutine: Coroutine[Any, Any, object]) -> str:
        """Return why there is no answer."""
        return str(self.failureResultOf(self.begin(coroutine), BackendUnavailableError).value)

    def sign_in(self, username: str = "alice", password: str = "") -> EndUser:
        """Return who is signed in by a name and a password; those of the captures are made of names."""
        answer = self.done(self.backend.logon(username, password or f"{username}-secret"))
        if isinstance(answer, Refused):
            self.fail(f"refused: {answer.reason}")
        found: EndUser = answer
        return found

    def find(self, user: EndUser) -> EndUser | None:
        """Return somebody as they are now."""
        found: EndUser | None = self.done(self.backend.find(user.user_id))
        return found

    def calls(self) -> list[str]:
        """Return the names of the calls there have been since this was asked last."""
        names = [asked.call for asked in self.server.asked]
        self.server.asked.clear()
        return names

    def change(self, name: str, **values: Any) -> None:
        """Change an account."""
        person = self.server.people.by_name(name)
        if person is None:
            self.fail(f"no {name}")
        self.server.people.replace(evolve(person, **values))


class PersonCase(Case):
    """A backend that keeps a session for each person, and is vouched for them."""

    def setUp(self) -> None:
        """Let the server believe it."""
        super().setUp()
        self.vouch = Voucher(self.server)
        self.backend.rely_on(self.vouch)


def small(reactor: MemoryReactor, most: int) -> KopanoBackend:
    """Return a backend that keeps few sessions."""
    settings = read_settings({"kc_server_uri": URI})
    return KopanoBackend(settings, reactor, Server(settings, reactor), most)
