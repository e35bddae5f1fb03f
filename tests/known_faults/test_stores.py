"""Rows 6, 8, 12, 14 and 22 at their root: what every store does in one step, and says when it could not."""

import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.stores._redis_link import Link
from konnectd.stores._redis_server import Access, Server
from konnectd.stores._sqlite_file import StoreFile
from konnectd.stores.memory import MemoryStore
from konnectd.stores.redis import RedisStore
from konnectd.stores.sqlite import SqliteStore
from tests.support.at_once import AtOnce
from tests.support.fakes import FixedClock, run
from tests.support.files import folder
from tests.support.redis_memory import Redis

Answer = TypeVar("Answer")


class StoreCase(SynchronousTestCase):
    """One store of each kind."""

    def setUp(self) -> None:
        """Begin empty."""
        clock = FixedClock()
        self.memory = MemoryStore(clock, limit=3)
        self.sqlite = self.on_file(sqlite3.connect)
        reactor = Clock()
        self.server = Redis(reactor)
        self.redis = RedisStore(Link(reactor, Server.parse("redis://redis.example"), Access(), self.server, 2), "k:")
        self.stores: tuple[Store, ...] = (self.memory, self.sqlite, self.redis)

    def on_file(self, connect: Callable[..., Any]) -> SqliteStore:
        """Return a store on a file."""
        file = StoreFile(folder(self) / "store.db", connect)
        self.addCleanup(file.close)
        return SqliteStore(AtOnce(file), FixedClock())

    def asked(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """Return the answer to a question."""
        answer: Answer = self.successResultOf(Deferred.fromCoroutine(question))
        return answer

    def unanswered(self, question: Coroutine[Any, Any, Any]) -> bool:
        """Tell whether a question has no answer, and it is said so."""
        self.failureResultOf(Deferred.fromCoroutine(question), BackendUnavailableError)
        return True


class StoreTests(StoreCase):
    """What hangs on a store."""

    def test_row_6_taken_once(self) -> None:
        """What was taken is gone, so no code is redeemed twice."""
        for store in self.stores:
            self.asked(store.put("code", "1", 60))

            self.assertEqual([self.asked(store.take("code")) for _ in range(2)], ["1", None], type(store).__name__)

    def test_row_8_the_first_stays(self) -> None:
        """What was added stays the first, so that there is one successor."""
        for store in self.stores:
            answers = [self.asked(store.add("spent", value, 60)) for value in ("1", "2")]

            self.assertEqual((answers, self.asked(store.get("spent"))), ([True, False], "1"), type(store).__name__)

    def test_row_12_added_once(self) -> None:
        """Who adds second is told so, so no proof is believed twice."""
        for store in self.stores:
            self.assertEqual([self.asked(store.add("proof", "1", 60)) for _ in range(2)], [True, False])

    def test_row_22_counted(self) -> None:
        """Each try counts."""
        for store in self.stores:
            self.assertEqual([self.asked(store.increment("tries", 60)) for _ in range(3)], [1, 2, 3])

    def test_row_14_full_memory(self) -> None:
        """A memory that is full does not forget what was revoked; it says that it can keep no more."""
        for number in range(3):
            run(self.memory.put(f"revoked:{number}", "1", 60))

        self.assertTrue(self.unanswered(self.memory.put("revoked:3", "1", 60)))
        self.assertEqual([run(self.memory.get(f"revoked:{number}")) for number in range(3)], ["1"] * 3)

    def test_row_14_file(self) -> None:
        """A file that can not be written is told as such."""

        def broken(*_words: object, **_more: object) -> Any:  # noqa: ANN401 - never returns
            raise sqlite3.OperationalError("disk I/O error")

        self.assertTrue(self.unanswered(self.on_file(broken).put("revoked", "1", 60)))

    def test_row_14_refusing_server(self) -> None:
        """A server that refuses to write is told as such."""
        self.server.errors["SET"] = "MISCONF it can not write to its disk"

        self.assertTrue(self.unanswered(self.redis.put("revoked", "1", 60)))
