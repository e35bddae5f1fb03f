"""The way to Redis, with a Redis in memory: a server that is down, silent or gone, and the end of the daemon."""

from konnectd.stores._redis_link import IDLE, LONGEST_REST, SHORTEST_REST
from tests.stores.redis_case import TIMEOUT, RedisCase


class DownTests(RedisCase):
    """A server that is not there."""

    def test_refused(self) -> None:
        """It is told at once, to the operator once, and again when it is over."""
        self.redis.down = True
        for _ in range(5):
            self.assertIn("connection refused", self.refused(self.made.get("a")))
            self.reactor.advance(LONGEST_REST)
        self.redis.down = False
        self.done(self.made.get("a"))

        self.assertEqual(len(self.log.about("can not be used", "warn")), 1)
        self.assertEqual(len(self.log.about("can be used again", "warn")), 1)

    def test_rest(self) -> None:
        """While it rests nobody tries, and each failure makes the rest longer, up to a limit."""
        self.redis.unreachable = True
        self.begin(self.made.get("a")).addErrback(lambda _: None)
        self.reactor.advance(TIMEOUT)
        self.redis.unreachable, self.redis.down = False, True
        rest, rests = SHORTEST_REST, []
        for _ in range(8):
            self.reactor.advance(rest - 0.01)
            self.redis.down = False
            self.assertIn("can not be used", self.refused(self.made.get("a")))
            self.redis.down = True
            self.reactor.advance(0.01)
            self.refused(self.made.get("a"))
            rest = min(rest * 2, LONGEST_REST)
            rests.append(rest)

        self.assertEqual((self.redis.connections, rests[-1]), (0, LONGEST_REST))

    def test_no_way(self) -> None:
        """Connecting takes as long as it may, for all who came before it failed; those after are told at once."""
        self.redis.unreachable = True
        first = [self.begin(self.made.get("a")) for _ in range(3)]
        self.reactor.advance(TIMEOUT - 0.1)
        waiting = [each.called for each in first]
        self.reactor.advance(0.1)
        after = self.refused(self.made.get("a"))

        self.assertEqual(waiting, [False] * 3)
        self.assertEqual(["no answer in time" in self.reason_of(each) for each in first], [True] * 3)
        self.assertIn("no answer in time", after)

    def test_one_tries(self) -> None:
        """When the rest is over one waits for the attempt, and the others are told at once."""
        self.redis.unreachable = True
        self.begin(self.made.get("a")).addErrback(lambda _: None)
        self.reactor.advance(TIMEOUT)
        self.reactor.advance(SHORTEST_REST)
        one = self.begin(self.made.get("a"))
        self.refused(self.made.get("a"))

        self.assertNoResult(one)
        self.reactor.advance(TIMEOUT)
        self.reason_of(one)

    def test_first_one_leaves(self) -> None:
        """The attempt goes on for those who still wait."""
        self.redis.silent = {"PING"}
        first, second = self.begin(self.made.get("a")), self.begin(self.made.get("a"))
        first.addErrback(lambda _: None)
        first.cancel()
        self.redis.send_all(b"+PONG\r\n")

        self.assertIsNone(self.successResultOf(second))

    def test_our_fault(self) -> None:
        """A mistake in making a connection is logged with its traceback; nobody waits for ever."""
        self.redis.mistake = KeyError("mistake")
        reasons = [self.refused(self.made.get("a")) for _ in range(2)]
        self.redis.mistake = None
        self.reactor.advance(SHORTEST_REST)

        self.assertEqual(["could not be made" in reason for reason in reasons], [True, True])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertIsNone(self.done(self.made.get("a")))

    def test_silent(self) -> None:
        """A server that takes questions and does not answer is given up after a while, and then rests."""
        self.done(self.made.get("a"))
        self.redis.silent = {"*"}
        asked = [self.begin(self.made.take("a")) for _ in range(3)]
        self.reactor.advance(TIMEOUT)
        after = self.refused(self.made.get("a"))

        self.assertEqual(["no answer in 2 s" in self.reason_of(each) for each in asked], [True] * 3)
        self.assertIn("no answer in 2 s", after)

    def test_late_answer(self) -> None:
        """An answer that comes too late is for nobody."""
        self.done(self.made.put("a", "1", 60))
        self.redis.holding = True
        asked = self.begin(self.made.take("a"))
        self.reactor.advance(TIMEOUT)
        self.reason_of(asked)
        self.redis.holding = False
        self.redis.release()
        self.reactor.advance(SHORTEST_REST)

        self.assertEqual(self.done(self.made.increment("b", 60)), 1)

    def test_no_timer_stays(self) -> None:
        """After an answer nothing is left that could end the connection."""
        self.done(self.made.get("a"))

        self.assertEqual(self.reactor.getDelayedCalls(), [])


class LostTests(RedisCase):
    """A connection that ends."""

    def test_while_idle(self) -> None:
        """A server that was restarted while nobody asked is found again without anybody noticing."""
        self.done(self.made.put("a", "1", 60))
        self.redis.drop_all()

        self.assertEqual((self.done(self.made.get("a")), self.log.lines("warn")), ("1", []))

    def test_while_asked(self) -> None:
        """A question whose connection ends is not repeated: it may have been obeyed."""
        self.done(self.made.put("a", "1", 60))
        self.redis.holding = True
        asked = self.begin(self.made.take("a"))
        self.redis.drop_all()
        count = self.redis.names().count("GETDEL")

        self.assertIn("ended the connection", self.reason_of(asked))
        self.assertEqual(count, 1)

    def test_idle_for_long(self) -> None:
        """A connection that a firewall may have forgotten is replaced before it is used."""
        self.done(self.made.get("a"))
        self.reactor.advance(IDLE + 1)
        self.done(self.made.get("a"))

        self.assertEqual((self.redis.connections, len(self.redis.servers)), (2, 1))

    def test_in_use(self) -> None:
        """One that is in use is not."""
        for _ in range(5):
            self.done(self.made.get("a"))
            self.reactor.advance(IDLE - 1)

        self.assertEqual(self.redis.connections, 1)


class CloseTests(RedisCase):
    """The daemon ends."""

    def test_open(self) -> None:
        """The connection ends, and nothing is asked any more."""
        self.done(self.made.get("a"))
        self.done(self.made.close())

        self.assertEqual((self.redis.servers, self.reactor.getDelayedCalls()), ([], []))
        self.assertIn("is stopping", self.refused(self.made.get("a")))
        self.assertEqual(self.log.lines("warn"), [])

    def test_while_connecting(self) -> None:
        """Who waits for a connection is told, and no timer stays."""
        self.redis.unreachable = True
        asked = self.begin(self.made.get("a"))
        self.done(self.made.close())

        self.reason_of(asked)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_while_greeting(self) -> None:
        """A connection that is not ready yet ends as well."""
        self.redis.silent = {"PING"}
        asked = self.begin(self.made.get("a"))
        self.done(self.made.close())

        self.reason_of(asked)
        self.assertEqual((self.redis.servers, self.reactor.getDelayedCalls()), ([], []))

    def test_while_asked(self) -> None:
        """Who waits for an answer is told."""
        self.done(self.made.get("a"))
        self.redis.holding = True
        asked = self.begin(self.made.get("a"))
        self.done(self.made.close())

        self.assertIn("closed by us", self.reason_of(asked))

    def test_never_used(self) -> None:
        """There may be nothing to end."""
        self.done(self.made.close())
        self.done(self.made.close())

        self.assertEqual(self.redis.connections, 0)
