"""The groupware client over real sockets, with a server that answers nonsense, is another one, or is not there."""

import gzip

from konnectd.backends._kopano_answers import SessionId
from konnectd.backends._kopano_errors import KopanoError, KopanoFaultError
from konnectd.backends._kopano_logons import PasswordCheck, PersonLogon, TokenLogon
from konnectd.backends._kopano_tls import ServerTrust
from konnectd.backends._kopano_xml import LONGEST_ANSWER
from tests.real.kopano_case import ALICE, KINDS, TCP, TLS, UNIX, Case
from tests.support.kopano.captures import captures
from tests.support.kopano.troubles import Huge, Raw
from tests.support.kopano_calls import replied

CHECK = PasswordCheck("alice", "alice-secret")
OPEN = "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
FAULT = OPEN + "<e:Fault><faultstring>{}</faultstring></e:Fault></e:Body></e:Envelope>"


def reply(content: str, status: str = "200 OK", *headers: str) -> Raw:
    """Return an answer of a server that answers what it likes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return Raw(("\r\n".join(lines) + "\r\n\r\n" + content).encode())


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
        packed = gzip.compress(replied("logon-user-ok-noregister"))
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        await self.refused(Raw(head.encode() + packed), "no XML")

    async def test_fault(self) -> None:
        """A Fault is told in the server's words, whatever its status is."""
        for status in ("500 Internal Server Error", "405 Method Not Allowed", "200 OK"):
            self.server.troubles.plan(reply(FAULT.format("no&#10;such thing"), status))
            error = await self.fails(KopanoFaultError, self.people().check_password(CHECK))

            self.assertEqual(error.reason, "no such thing")

    async def test_fault_that_repeats(self) -> None:
        """A Fault that repeats a password, a token or a session, in whole or cut, does not get it into a log."""
        people = self.people()
        password, token, session = "pass" * 200, "t0ken" * 200, SessionId(1234567890)
        for secret, call in (
            (password, lambda: people.logon(PersonLogon("alice", password))),
            (password[:100], lambda: people.logon(PersonLogon("alice", password))),
            (token, lambda: people.logon_by_token(TokenLogon(token))),
            ("1234567890", lambda: people.keep_alive(session)),
        ):
            for status in ("500 Internal Server Error", "200 OK"):
                self.server.troubles.plan(reply(FAULT.format(f"bad value {secret}!"), status))
                error = await self.fails(KopanoFaultError, call())

                self.assertIn("repeats what was sent", error.reason)
                self.assertNotIn(secret[:8], f"{error} {error.__cause__!r} {error.__context__!r}")


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
