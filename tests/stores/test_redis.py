"""The store in Redis, with a Redis in memory: the contract, being let in, questions and answers."""

from collections.abc import Sequence

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.stores._redis_link import SHORTEST_REST, Link
from konnectd.stores._redis_server import Access, Server
from konnectd.stores.redis import RedisStore
from tests.contracts.stores import StoreContract
from tests.stores.redis_case import SECRET, TIMEOUT, RedisCase
from tests.support.fakes import FixedClock
from tests.support.redis_memory import Redis


class ContractTests(StoreContract, SynchronousTestCase):
    """It does what every store does; three have connections of their own, as three machines would."""

    def make_store(self, clock: FixedClock) -> Store:
        """Return a store in an empty server."""
        self.reactor = Clock()
        redis = Redis(self.reactor)
        server = Server.parse("redis://redis.example")
        links = [Link(self.reactor, server, Access(), redis, TIMEOUT) for _ in range(3)]
        self.stores = [RedisStore(link, "k:") for link in links]
        return self.stores[0]

    def sharers(self) -> Sequence[Store]:
        """Return all three."""
        return self.stores

    def pass_time(self, seconds: int) -> None:
        """Let time pass for the server."""
        self.reactor.advance(seconds)


class ConnectTests(RedisCase):
    """Being let in."""

    def test_nothing_before_a_question(self) -> None:
        """No connection is made before there is something to ask, and one is enough for all that follows."""
        before = self.redis.connections
        for number in range(20):
            self.done(self.made.put(f"a{number}", "1", 60))

        self.assertEqual((before, self.redis.connections), (0, 1))

    def test_first_words(self) -> None:
        """It asks to be let in, chooses the database, and sees whether the server is able to work."""
        self.redis.password, self.redis.username = SECRET, "konnectd"
        self.done(self.open("redis://konnectd@redis.example/3", SECRET).get("a"))

        self.assertEqual(
            self.redis.commands,
            [
                ("AUTH", (b"konnectd", SECRET.encode())),
                ("PING", ()),
                ("SELECT", (b"3",)),
                ("INFO", (b"memory",)),
                ("GET", (b"k:a",)),
            ],
        )

    def test_password_of_the_default_user(self) -> None:
        """A password alone is that of the default user."""
        self.redis.password = SECRET

        self.assertIsNone(self.done(self.open(password=SECRET).get("a")))

    def test_not_let_in(self) -> None:
        """The operator learns what is wrong, and the password is not told."""
        self.redis.password = SECRET
        faults = (self.refused(self.open(password="wrong").get("a")), self.refused(self.open().get("a")))
        self.redis.password = ""
        unasked = self.refused(self.open(password=SECRET).get("a"))

        self.assertIn("the password or the user name is wrong", faults[0])
        self.assertIn("it wants a password", faults[1])
        self.assertIn("or it has none", unasked)
        self.assertEqual([line for line in self.log.lines("warn") if SECRET in line or "'wrong'" in line], [])

    def test_no_such_database(self) -> None:
        """A database that is not there is no reason to use another one."""
        self.assertIn("it said ERR", self.refused(self.open("redis://redis.example/99").get("a")))
        self.assertEqual(self.redis.names(), ["PING", "SELECT"])

    def test_keys_begin_with_the_prefix(self) -> None:
        """Others can have the same database."""
        self.done(self.made.put("a", "1", 60))

        self.assertEqual(self.redis.entries.keys(), {b"k:a"})
        self.assertIsNone(self.done(self.open(prefix="other:").get("a")))

    def test_forgetful_server(self) -> None:
        """The operator is told once of a server that forgets what is alive when its memory is full."""
        self.redis.memory = "maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n"
        for _ in range(2):
            self.done(self.made.get("a"))
            self.redis.drop_all()

        self.assertEqual(len(self.log.about("allkeys-lru", "warn")), 1)

    def test_server_that_refuses(self) -> None:
        """Nothing is said of one that refuses instead, has no limit, or does not tell."""
        for memory in (
            "maxmemory:1000\r\nmaxmemory_policy:noeviction\r\n",
            "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n",
            "",
        ):
            self.redis.memory = memory
            self.done(self.open().get("a"))
        self.redis.errors["INFO"] = "NOPERM this user has no permissions"
        self.done(self.open().get("a"))

        self.assertEqual(self.log.lines("warn"), [])


class PipelineTests(RedisCase):
    """Many questions on one connection."""

    def setUp(self) -> None:
        """Connect, and hold answers back."""
        super().setUp()
        self.done(self.made.get("x"))
        self.redis.holding = True

    def test_answers_find_their_questions(self) -> None:
        """Questions do not wait for each other, and each gets its own answer."""
        asked = [self.begin(self.made.increment(key, 60)) for key in ("a", "a", "b", "a")]
        names = self.redis.names()[-4:]
        self.redis.release()

        self.assertEqual(names, ["EVAL"] * 4)
        self.assertEqual([self.successResultOf(each) for each in asked], [1, 2, 1, 3])

    def test_one_who_leaves(self) -> None:
        """The answer to a question nobody waits for any more is not given to somebody else."""
        asked = [self.begin(self.made.increment("a", 60)) for _ in range(3)]
        asked[1].addErrback(lambda _: None)
        asked[1].cancel()
        self.redis.release()

        self.assertEqual([self.successResultOf(asked[place]) for place in (0, 2)], [1, 3])

    def test_answer_nobody_asked_for(self) -> None:
        """An answer without a question ends the connection: kept, it would be a yes to the next question."""
        self.redis.send_all(b"+OK\r\n")
        self.redis.holding = False
        self.done(self.made.put("a", "1", 60))

        self.assertFalse(self.done(self.made.add("a", "2", 60)))
        self.assertEqual(self.redis.connections, 2)

    def test_one_answer_too_many(self) -> None:
        """Nor is one that comes right behind another."""
        asked = self.begin(self.made.put("a", "1", 60))
        self.redis.send_all(b"+OK\r\n+OK\r\n")
        self.redis.holding = False

        self.assertIsNone(self.successResultOf(asked))
        self.assertFalse(self.done(self.made.add("a", "2", 60)))
        self.assertEqual(self.redis.connections, 2)

    def test_not_redis(self) -> None:
        """Something else that answers is not believed."""
        asked = self.begin(self.made.add("a", "1", 60))
        self.redis.send_all(b"HTTP/1.1 200 OK\r\n\r\n")

        self.assertIn("does not speak as Redis does", self.reason_of(asked))

    def test_answers_of_the_wrong_kind(self) -> None:
        """An answer that the question can not have is neither a yes nor a no."""
        wrong: tuple[tuple[str, tuple[object, ...], bytes], ...] = (
            ("add", ("a", "1", 60), b":1\r\n"),
            ("add", ("a", "1", 0), b"+OK\r\n"),
            ("put", ("a", "1", 60), b"$-1\r\n"),
            ("put", ("a", "1", 0), b":7\r\n"),
            ("get", ("a",), b":1\r\n"),
            ("get_each", ("a", "b"), b":1\r\n"),
            ("get_each", ("a", "b"), b"$-1\r\n"),
            ("get_each", ("a", "b"), b"$4\r\n1,-:\r\n"),
            ("get_each", ("a", "b"), b"$6\r\n1,-:xy\r\n"),
            ("get_each", ("a", "b"), b"$3\r\n1:x\r\n"),
            ("get_each", ("a", "b"), b"$6\r\n1,x:xy\r\n"),
            ("get_each", ("a", "b"), b"$16\r\n1,0000000000001:\r\n"),
            ("take", ("a",), b":1\r\n"),
            ("increment", ("a", 60), b"+OK\r\n"),
        )
        for method, arguments, answer in wrong:
            asked = self.begin(getattr(self.made, method)(*arguments))
            self.redis.send_all(answer)
            with self.subTest(method=method, answer=answer):
                self.failureResultOf(asked, BackendUnavailableError)


class ErrorTests(RedisCase):
    """Errors of the server."""

    def test_errors(self) -> None:
        """Each is told with what it means, and what the server repeats of the question is not."""
        self.done(self.made.get("a"))
        for error, words in (
            ("OOM command not allowed when used memory > 'maxmemory'.", "no memory left"),
            ("MISCONF Redis is configured to save RDB snapshots, but it's unable to", "can not write to its disk"),
            (f"ERR unknown command 'SET', with args beginning with: 'k:a' '{SECRET}'", "must be Redis 6.2"),
            ("NOPERM this user has no permissions to run the 'set' command", "its user may not"),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", "it said WRONGTYPE"),
        ):
            self.redis.errors["SET"] = error
            with self.subTest(error=error):
                self.assertIn(words, self.refused(self.made.add("a", SECRET, 60)))
        self.assertEqual(self.redis.connections, 1)

    def test_replica(self) -> None:
        """One that has become a replica is left, because its name may lead to the new primary."""
        self.done(self.made.get("a"))
        self.redis.errors["SET"] = "READONLY You can't write against a read only replica."
        fault = self.refused(self.made.put("a", "1", 60))
        del self.redis.errors["SET"]
        self.reactor.advance(SHORTEST_REST)
        self.done(self.made.put("a", "1", 60))

        self.assertIn("it is a replica", fault)
        self.assertEqual(self.redis.connections, 2)

    def test_still_loading(self) -> None:
        """One that has just started is asked again when it has read its file."""
        self.redis.errors["PING"] = "LOADING Redis is loading the dataset in memory"
        fault = self.refused(self.made.get("a"))
        del self.redis.errors["PING"]
        self.reactor.advance(SHORTEST_REST)

        self.assertIn("still reading its file", fault)
        self.assertIsNone(self.done(self.made.get("a")))
