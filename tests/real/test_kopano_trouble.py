"""The groupware client over real sockets, with a server that is slow, silent, or gone in the middle."""

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from konnectd.backends._kopano_client import PeopleClient
from konnectd.backends._kopano_dial import MOST_CONNECTIONS
from konnectd.backends._kopano_logons import PasswordCheck, TokenLogon
from konnectd.interfaces import BackendUnavailableError
from tests.real.kopano_case import ALICE, KINDS, UNIX, Case
from tests.real.tls_server import TlsServer
from tests.support.kopano.troubles import CloseBefore, CloseInside, Hang, HangInside, Raw, Trickle
from tests.support.kopano_calls import replied

CHECK = PasswordCheck("alice", "alice-secret")
SHORT = 0.2


class DeadlineTests(Case):
    """Calls that take too long."""

    async def test_silence(self) -> None:
        """A call that is not answered in time fails, and its connection ends."""
        for kind in KINDS:
            people = self.people(kind, timeout=SHORT)
            self.server.troubles.plan(Hang())

            self.assertIn("no answer within 0.2 seconds", await self.unavailable(people.check_password(CHECK)))
            await self.quiet()

    async def test_late_answer(self) -> None:
        """An answer that comes too late is not taken for that of the next call."""
        for kind in KINDS:
            session = (await self.people(kind).logon(ALICE)).session
            people = self.people(kind, timeout=SHORT)
            self.server.troubles.delays["resolveUsername"] = 2 * SHORT
            await self.unavailable(people.resolve_username(session, "bob"))
            self.server.troubles.clear()
            await deferLater(reactor, 2 * SHORT)
            found = await people.resolve_username(session, "alice")

            self.assertEqual(found.numeric_id, 3, kind)

    async def test_half_an_answer(self) -> None:
        """An answer that stops in the middle, and whose connection stays open, is not waited for longer either."""
        for kind in KINDS:
            people = self.people(kind, timeout=SHORT)
            for after in (10, 300):
                self.server.troubles.plan(HangInside(after))
                self.assertIn("no answer within", await self.unavailable(people.check_password(CHECK)))
                await self.quiet()

    async def test_trickle(self) -> None:
        """One that comes byte by byte is not waited for longer because it comes at all."""
        people = self.people(timeout=SHORT)
        self.server.troubles.plan(Trickle(0.01))

        self.assertIn("no answer within", await self.unavailable(people.check_password(CHECK)))
        await self.quiet()

    async def test_waiting_for_a_turn(self) -> None:
        """Waiting while all connections are busy counts as well, so nobody waits for two deadlines."""
        people = self.people(timeout=1)
        self.server.troubles.plan(Hang(), times=2 * MOST_CONNECTIONS)
        clock: Any = reactor
        begun = clock.seconds()
        for call in [Deferred.fromCoroutine(people.check_password(CHECK)) for _ in range(2 * MOST_CONNECTIONS)]:
            await self.assertFailure(call, BackendUnavailableError)

        self.assertLess(clock.seconds() - begun, 1.9)


class CancellationTests(Case):
    """Callers who do not wait any longer."""

    async def started(self, people: PeopleClient, calls: int = 1) -> "Deferred[object]":
        """Return a call that the server has heard and does not answer."""
        call = Deferred.fromCoroutine(people.check_password(CHECK))
        await self.eventually(lambda: len(self.server.asked) == calls)
        return call

    async def test_cancelled(self) -> None:
        """Whoever gives up ends the connection, and is told that they have given up and nothing else."""
        for kind in KINDS:
            people = self.people(kind)
            self.server.troubles.plan(Hang())
            call = await self.started(people)
            call.cancel()
            await self.assertFailure(call, CancelledError)
            await self.quiet()

            self.assertEqual(len(self.server.asked), 1, "it was sent again")
            self.server.asked.clear()

    async def test_inside_an_answer(self) -> None:
        """In the middle of an answer too."""
        for kind in KINDS:
            people = self.people(kind)
            self.server.troubles.plan(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<?xml"))
            call = await self.started(people)
            await deferLater(reactor, 0.05)
            call.cancel()
            await self.assertFailure(call, CancelledError)
            await self.quiet()
            self.server.asked.clear()

    async def test_before_connecting(self) -> None:
        """Before there is a connection there will be none."""
        people = self.people()
        call = Deferred.fromCoroutine(people.check_password(CHECK))
        call.cancel()
        await self.assertFailure(call, CancelledError)
        await deferLater(reactor, 0.05)

        self.assertEqual(self.server.asked, [])

    async def test_waiting_for_a_turn(self) -> None:
        """Who gives up while all connections are busy gives their turn to the next one."""
        people = self.people()
        self.server.troubles.plan(Hang(), times=MOST_CONNECTIONS)
        busy = [Deferred.fromCoroutine(people.check_password(CHECK)) for _ in range(MOST_CONNECTIONS)]
        waiting, last = (Deferred.fromCoroutine(people.check_password(CHECK)) for _ in range(2))
        await self.eventually(lambda: len(self.server.asked) == MOST_CONNECTIONS)
        waiting.cancel()
        await self.assertFailure(waiting, CancelledError)
        busy[0].cancel()
        await self.assertFailure(busy[0], CancelledError)

        self.assertTrue((await last).server_version)
        for call in busy[1:]:
            call.cancel()
            await self.assertFailure(call, CancelledError)

    async def test_close(self) -> None:
        """When the daemon stops, what waits fails, what comes after fails, and no connection is left."""
        for kind in KINDS:
            people = self.people(kind)
            await people.check_password(CHECK)
            self.server.troubles.plan(Hang())
            call = await self.started(people, 2)
            await people.close()

            self.assertIn("stopping", str(await self.assertFailure(call, BackendUnavailableError)))
            self.assertIn("stopping", await self.unavailable(people.check_password(CHECK)))
            await self.quiet()
            self.server.asked.clear()

    async def test_close_with_a_server_that_does_not_listen(self) -> None:
        """Nobody waits for a server to say good-bye."""
        server = TlsServer(self.certificates.folder)
        self.addCleanup(server.stop)
        content = replied("logon-user-ok-noregister")
        server.answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
        server.lingering = True
        people = self.people(address=f"https://localhost:{server.port}")
        await people.check_password(CHECK)
        await people.close()


class RetryTests(Case):
    """Connections that end without a word."""

    async def test_once_more(self) -> None:
        """What does no harm is sent once more when its connection ends before a byte of the answer."""
        for kind in KINDS:
            people = self.people(kind)
            session = (await people.logon(ALICE)).session
            for coroutine in (
                people.keep_alive(session),
                people.check_password(CHECK),
                people.logon(ALICE),
                people.resolve_username(session, "bob"),
            ):
                self.server.asked.clear()
                self.server.troubles.plan(CloseBefore())
                await coroutine

                self.assertEqual(len(self.server.asked), 2, kind)

    async def test_on_a_new_connection(self) -> None:
        """The second try does not go over a connection that was idle too, and may have ended like the first."""
        people = self.people()
        self.server.troubles.delay = 0.02
        await gatherResults([Deferred.fromCoroutine(people.check_password(CHECK)) for _ in range(3)])
        before = self.server.count
        self.server.troubles.plan(CloseBefore())
        await people.check_password(CHECK)

        self.assertEqual(self.server.count - before, 1)

    async def test_not_twice(self) -> None:
        """If the second connection ends too, that is told."""
        people = self.people()
        self.server.troubles.plan(CloseBefore(), times=3)

        self.assertRegex(await self.unavailable(people.check_password(CHECK)), "ended the connection|was lost")
        self.assertEqual(len(self.server.asked), 2)

    async def test_no_harm(self) -> None:
        """The service's logon, a token and a sign-out are sent once."""
        people, service = self.people(), self.service()
        session = (await people.logon(ALICE)).session
        for coroutine in (service.logon(), people.logon_by_token(TokenLogon("a.b.c")), people.logoff(session)):
            self.server.asked.clear()
            self.server.troubles.plan(CloseBefore())
            await self.unavailable(coroutine)

            self.assertEqual(len(self.server.asked), 1)

    async def test_part_of_an_answer(self) -> None:
        """Once a byte of an answer has come nothing is sent again, and the part is not taken for the whole."""
        for kind in KINDS:
            people = self.people(kind)
            for after in (1, 20, 300):
                self.server.asked.clear()
                self.server.troubles.plan(CloseInside(after))
                await self.unavailable(people.check_password(CHECK))

                self.assertEqual(len(self.server.asked), 1, (kind, after))

    async def test_idle(self) -> None:
        """A connection that the server has closed for being idle is not used again, and nobody notices."""
        self.server.settings.idle_seconds = 0.05
        for kind in KINDS:
            people = self.people(kind)
            await people.check_password(CHECK)
            if kind != UNIX:
                await self.quiet()
            await people.check_password(CHECK)
            await people.close()

        self.assertEqual(len(self.server.asked), 6)

    async def test_restart(self) -> None:
        """After all connections were lost the next call makes a new one."""
        for kind in KINDS:
            people = self.people(kind)
            await people.check_password(CHECK)
            await self.server.drop_all()
            await people.check_password(CHECK)
