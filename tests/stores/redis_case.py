"""What tests of the store in Redis have in common."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError
from konnectd.stores._redis_link import Link
from konnectd.stores._redis_server import Access, Server
from konnectd.stores.redis import RedisStore
from tests.support.loglines import LogLines
from tests.support.redis_memory import Redis

TIMEOUT = 2
SECRET = "kc-secret-value"


class RedisCase(SynchronousTestCase):
    """A server in memory and a store in it."""

    def setUp(self) -> None:
        """Begin with an empty server."""
        super().setUp()
        self.reactor = Clock()
        self.redis = Redis(self.reactor)
        self.log = LogLines(self)
        self.made = self.open()

    def open(self, url: str = "redis://redis.example/3", password: str = "", prefix: str = "k:") -> RedisStore:
        """Return a store with a connection of its own."""
        link = Link(self.reactor, Server.parse(url), Access(password=password), self.redis, TIMEOUT)
        return RedisStore(link, prefix)

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """Begin something that may wait."""
        return Deferred.fromCoroutine(coroutine)

    def done(self, coroutine: Coroutine[Any, Any, Any]) -> object:
        """Return the answer of something that does not wait."""
        answer: object = self.successResultOf(self.begin(coroutine))
        return answer

    def refused(self, coroutine: Coroutine[Any, Any, Any]) -> str:
        """Return why something is not known, which is known at once; it names the server and no secret."""
        return self.reason_of(self.begin(coroutine))

    def reason_of(self, deferred: Deferred[Any]) -> str:
        """Return why something is not known."""
        text = str(self.failureResultOf(deferred, BackendUnavailableError).value)
        self.assertIn("redis.example", text)
        self.assertNotIn(SECRET, text)
        return text
