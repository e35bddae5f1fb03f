"""The groupware client over real sockets, with a server that is slow, silent, broken, or not there."""

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from konnectd.backends._kopano_answers import SessionId
from konnectd.backends._kopano_client import PeopleClient
from konnectd.backends._kopano_dial import MOST_CONNECTIONS
from konnectd.backends._kopano_errors import KopanoError, KopanoFaultError
from konnectd.backends._kopano_logons import PasswordCheck, PersonLogon, TokenLogon
from konnectd.backends._kopano_tls import ServerTrust
from konnectd.backends._kopano_xml import LONGEST_ANSWER
from konnectd.interfaces import BackendUnavailableError
from tests.real.kopano_case import ALICE, KINDS, TCP, TLS, UNIX, Case
from tests.support.kopano.captures import captures
from tests.support.kopano.troubles import CloseBefore, CloseInside, Hang, Huge, Raw

ANY_SESSION = SessionId(1)
CHECK = PasswordCheck("alice", "alice-secret")
SHORT = 0.2
OPEN = "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
FAULT = OPEN + "<e:Fault><faultstring>{}</faultstring></e:Fault></e:Body></e:Envelope>"


def reply(content: str, status: str = "200 OK", *headers: str) -> Raw:
    """Return an answer of a server that answers what it likes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return Raw(("\r\n".join(lines) + "\r\n\r\n" + content).encode())


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
            self.server.troubles.plan(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<?xml"))

            self.assertIn("no answer within", await self.unavailable(people.check_password(CHECK)))
            await self.quiet()

    async def test_half_a_head(self) -> None:
        """Nor is the head of one."""
        people = self.people(timeout=SHORT)
        self.server.troubles.plan(Raw(b"HTTP/1.1 200 OK\r\nContent-Le"))

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
        people = self.people()
        self.server.troubles.plan(Hang())
        call = await self.started(people)
        await people.close()

        self.assertIn("stopping", str(await self.assertFailure(call, BackendUnavailableError)))
        self.assertIn("stopping", await self.unavailable(people.check_password(CHECK)))
        await self.quiet()


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


class BrokenTests(Case):
    """Answers that are none."""

    async def refused(self, trouble: Raw | Huge, pattern: str) -> None:
        """Check what comes of an answer, and that the next call is none the worse."""
        people = self.people()
        self.server.troubles.plan(trouble)
        self.assertRegex(await self.unavailable(people.check_password(CHECK)), pattern)
        await people.check_password(CHECK)

    async def test_too_long(self) -> None:
        """No more is read than anybody needs, whether a length was announced or not, and the connection ends."""
        for chunked in (True, False):
            for kind in KINDS:
                people = self.people(kind)
                self.server.troubles.plan(Huge(100 * LONGEST_ANSWER, chunked=chunked))
                self.assertIn("longer than", await self.unavailable(people.check_password(CHECK)))
                await self.quiet()

    async def test_endless_head(self) -> None:
        """Nor is a head read that does not end, or chunks with more around them than in them."""
        line = b"X-More: " + b"x" * 1000 + b"\r\n"
        await self.refused(Raw(b"HTTP/1.1 200 OK\r\n" + line * 2000), "longer than")
        chunk = b"1;" + b"x" * 900 + b"\r\n<\r\n"
        await self.refused(Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 2000), "longer than")

    async def test_no_http(self) -> None:
        """What does not speak HTTP is not believed."""
        for content in (
            b"hello\r\n\r\n",
            b"\x15\x03\x01\x00\x02\x02\x0a",
            b"SSH-2.0-x\r\n",
            b"\r\n" * 50,
            b"HTTP/9 x y\r\n\r\n",
        ):
            await self.refused(Raw(content, close=True), "getUser|logon: ")

    async def test_no_answer(self) -> None:
        """What is no SOAP is not either, nor the answer to another call."""
        await self.refused(reply("<html/>"), "no SOAP envelope")
        await self.refused(reply(""), "no XML")
        other = (
            OPEN
            + "<logoffResponse xmlns='urn:zarafa'><result xmlns=''>0</result></logoffResponse></e:Body></e:Envelope>"
        )
        await self.refused(reply(other), "not the answer to this call")

    async def test_two_answers(self) -> None:
        """What comes after an answer is not kept for the next call, in one piece with it or a moment later."""
        good = next(one.response for one in captures() if one.name == "resolveUsername-ok")
        people = self.people()
        session = (await people.logon(ALICE)).session
        for trouble in (Raw(good + good), Raw(good + b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")):
            self.server.troubles.plan(trouble)
            await people.resolve_username(session, "alice")
            found = await people.resolve_username(session, "bob")

            self.assertEqual(found.numeric_id, 4)

    async def test_status(self) -> None:
        """A status that is no success is none, whatever stands below it."""
        for status in ("503 Service Unavailable", "401 Unauthorized", "204 No Content"):
            await self.refused(reply("", status), f"status {status[:3]} and no Fault")

    async def test_redirect(self) -> None:
        """A password is not taken elsewhere because an answer says so."""
        elsewhere = self.addresses[TCP] + "/elsewhere"
        await self.refused(reply("", "307 Temporary Redirect", f"Location: {elsewhere}"), "status 307")

        self.assertEqual(len(self.server.asked), 2)

    async def test_packed(self) -> None:
        """An answer that is packed is not unpacked: it was not asked for, and could be of any size."""
        await self.refused(reply("\x1f\x08", "200 OK", "Content-Encoding: gzip"), "no XML")

    async def test_fault(self) -> None:
        """A Fault is told in the server's words, whatever its status is."""
        for status in ("500 Internal Server Error", "405 Method Not Allowed", "200 OK"):
            self.server.troubles.plan(reply(FAULT.format("no&#10;such thing"), status))
            error = await self.fails(KopanoFaultError, self.people().check_password(CHECK))

            self.assertEqual(error.reason, "no such thing")

    async def test_fault_that_repeats(self) -> None:
        """A Fault that repeats a password, a token or a session does not get it into a log."""
        people = self.people()
        session = SessionId(1234567890)
        for secret, coroutine in (
            ("alice-secret", people.logon(ALICE)),
            ("t0ken", people.logon_by_token(TokenLogon("t0ken"))),
            ("1234567890", people.keep_alive(session)),
        ):
            for status in ("500 Internal Server Error",):
                self.server.troubles.plan(reply(FAULT.format(f"bad value {secret}!"), status))
                error = await self.fails(KopanoFaultError, coroutine)

                self.assertIn("repeats what was sent", error.reason)
                self.assertNotIn(secret, f"{error} {error.__cause__!r}")


class AddressTests(Case):
    """Servers that are not there, or are not who they should be."""

    async def problem(self, address: str, trust: ServerTrust | None = None) -> str:
        """Return why there is no answer."""
        return await self.unavailable(self.people(address=address, trust=trust, timeout=1).check_password(CHECK))

    async def test_nobody(self) -> None:
        """The reason is told in words, with the address."""
        await self.server.stop()
        for kind in (TCP, TLS):
            self.assertEqual(
                await self.problem(self.addresses[kind]),
                f"Kopano server {self.addresses[kind]}: logon: connection refused",
            )
        self.assertIn("No such file", await self.problem(self.addresses[UNIX]))
        self.assertIn("no such host", await self.problem("http://no-such-host.invalid:236"))

    async def test_no_socket(self) -> None:
        """A path where something else is than a socket is told too."""
        self.assertIn("refused", await self.problem(f"file://{self.certificates.certificate('ca')}"))

    async def test_impossible_name(self) -> None:
        """A name that only the network's own rules forbid is a server that is not there."""
        self.assertIn("no name that a host can have", await self.problem("http://ab--cd:236"))

    async def test_unknown_authority(self) -> None:
        """A certificate that nobody we trust has signed is refused before a password is sent."""
        for trust in (ServerTrust(), ServerTrust.load(self.certificates.certificate("other"))):
            self.assertIn("certificate verify failed", await self.problem(self.addresses[TLS], trust))

        self.assertEqual(self.server.asked, [])

    async def test_other_name(self) -> None:
        """So is one for another name."""
        port = self.server.listen_tls(self.certificates.options(), host="127.0.0.2")

        self.assertIn("another name", await self.problem(f"https://127.0.0.2:{port}"))
        self.assertEqual(self.server.asked, [])

    async def test_address_as_name(self) -> None:
        """An address may stand in a certificate as well."""
        await self.people(address=self.addresses[TLS].replace("localhost", "127.0.0.1")).check_password(CHECK)

    async def test_insecure(self) -> None:
        """Who says that certificates are not to be looked at is taken at their word."""
        people = self.people(TLS, trust=ServerTrust(insecure=True))
        wrong = await self.fails(KopanoError, people.logon(PersonLogon("alice", "wrong")))

        self.assertEqual(wrong.name, "KCERR_LOGON_FAILED")

    async def test_wrong_port(self) -> None:
        """TLS where there is none, and none where there is, is told and does not hang."""
        tcp = self.addresses[TCP].rpartition(":")[2]
        tls = self.addresses[TLS].rpartition(":")[2]

        self.assertIn("no answer within", await self.problem(f"https://localhost:{tcp}"))
        self.assertRegex(await self.problem(f"http://localhost:{tls}"), "ended the connection|was lost|ParseError")
