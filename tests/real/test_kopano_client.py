"""The groupware client over real sockets: what it asks and is answered, over each kind of connection."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import capturedLogs, formatEvent

from konnectd.backends._kopano_address import Address
from konnectd.backends._kopano_answers import GIVEN_NAME, SessionId
from konnectd.backends._kopano_client import PeopleClient
from konnectd.backends._kopano_dial import MOST_CONNECTIONS, MOST_RECEIVED
from konnectd.backends._kopano_errors import Code, KopanoError, KopanoFaultError
from konnectd.backends._kopano_logons import PasswordCheck, PasswordProbe, PersonLogon, ServiceLogon, TokenLogon
from konnectd.backends._kopano_soap import BookName
from konnectd.interfaces import BackendUnavailableError
from tests.real.kopano_case import ALICE, KINDS, SVC, SYSTEM, TCP, TLS, UNIX, Case
from tests.support.kopano.captures import captures
from tests.support.kopano.troubles import CloseBefore, Raw, Refuse
from tests.support.kopano_calls import replied


class CallTests(Case):
    """Each call, over each kind of connection."""

    async def test_a_session(self) -> None:
        """A person signs in, is looked up, looked at, kept alive and signed out."""
        for kind in KINDS:
            people = self.people(kind)
            session = (await people.logon(ALICE)).session
            found = await people.resolve_username(session, "ALICE")
            if found.entry_id is None:
                raise AssertionError("alice has no entry id")
            user = await people.get_user(session, found.entry_id)
            await people.keep_alive(session)
            await people.logoff(session)
            ended = await self.fails(KopanoError, people.keep_alive(session))

            self.assertEqual((user.username, user.find(GIVEN_NAME)), ("alice", "Alicia"), kind)
            self.assertEqual(found.entry_id, user.entry_id)
            self.assertEqual(ended.code, Code.KCERR_END_OF_SESSION)
            self.assertEqual([asked.transport.value for asked in self.server.asked], [kind] * 6)
            self.server.asked.clear()

    async def test_other_way(self) -> None:
        """A session is good over TLS and without, from one machine, and not over a unix socket, nor the other way."""
        sessions = {kind: (await self.people(kind).logon(ALICE)).session for kind in KINDS}
        ended = set()
        for made in KINDS:
            for used in KINDS:
                try:
                    await self.people(used).keep_alive(sessions[made])
                except KopanoError as error:
                    ended.add((made, used, error.name))

        pairs = ((UNIX, TCP), (UNIX, TLS), (TCP, UNIX), (TLS, UNIX))
        self.assertEqual(ended, {(made, used, "KCERR_END_OF_SESSION") for made, used in pairs})

    async def test_one_connection(self) -> None:
        """Calls one after the other share a connection."""
        for kind in KINDS:
            people = self.people(kind)
            session = (await people.logon(ALICE)).session
            before = self.server.count
            for _ in range(20):
                await people.keep_alive(session)

            self.assertEqual(self.server.count, before, kind)

    async def test_long_use(self) -> None:
        """The limit of an answer's size is that of one answer, not of all that a connection has ever brought."""
        people = self.people(UNIX)
        session = (await people.logon(ALICE)).session
        calls = MOST_RECEIVED // len(replied("resolveUsername-SYSTEM-keepalive")) + 10
        for _ in range(calls):
            await people.keep_alive(session)

        self.assertEqual(self.server.count, 1)

    async def test_many_at_a_time(self) -> None:
        """Fifty calls at a time are all answered, each with its own answer, over no more connections than allowed."""
        for person in range(50):
            self.server.people.add(f"person{person}", "x")
        self.server.troubles.delay = 0.01
        for kind in KINDS:
            people = self.people(kind)
            session = (await people.logon(ALICE)).session
            before, most = self.server.count, 0

            async def look(name: str, people: PeopleClient = people, session: SessionId = session) -> object:
                nonlocal most
                found = await people.resolve_username(session, name)
                most = max(most, len(self.server.connections))
                return found.numeric_id

            names = [f"person{number}" for number in range(50)]
            found = await gatherResults([Deferred.fromCoroutine(look(name)) for name in names])

            self.assertEqual(found, [self.numeric_id(name) for name in names], kind)
            self.assertLessEqual(self.server.count - before, MOST_CONNECTIONS - 1)
            await people.close()
            await self.quiet()

    def numeric_id(self, name: str) -> int:
        """Return the number that the server has for somebody."""
        person = self.server.people.by_name(name)
        if person is None:
            raise AssertionError(f"there is no {name}")
        return person.number

    async def test_password_check(self) -> None:
        """A right password is right, and leaves no session; a wrong one is refused as an unknown name is."""
        people = self.people()
        await people.check_password(PasswordCheck("alice", "alice-secret"))
        wrong = await self.fails(KopanoError, people.check_password(PasswordCheck("alice", "wrong")))
        unknown = await self.fails(KopanoError, people.check_password(PasswordCheck("nobody", "wrong")))

        self.assertEqual((wrong.code, unknown.code), (Code.KCERR_LOGON_FAILED, Code.KCERR_LOGON_FAILED))
        self.assertEqual(str(wrong), str(unknown))

    async def test_any_password(self) -> None:
        """Letters of all kinds and signs that mean something in XML are part of a name or a password."""
        for kind in KINDS:
            await self.people(kind).logon(PersonLogon("zo\xeb", "zo\xeb-s\xe9cret <&> \"' \U0001f600"))

    async def test_book(self) -> None:
        """The address book is searched by the beginnings of names, or by whole ones."""
        service = self.service()
        session = (await service.logon()).session
        names = (BookName("alice"), BookName("qqqqq"), BookName("a"))
        loose = await service.resolve_names(session, names)
        exact = await service.resolve_names(session, (BookName("ali"),), exact=True)

        self.assertEqual([row.standing.name for row in loose.rows], ["RESOLVED", "NOT_FOUND", "AMBIGUOUS"])
        self.assertEqual([row.standing.name for row in exact.rows], ["NOT_FOUND"])

    async def test_token(self) -> None:
        """A token that the server does not take is refused as a wrong password is."""
        error = await self.fails(KopanoError, self.people().logon_by_token(TokenLogon("a.b.c")))

        self.assertEqual(error.code, Code.KCERR_LOGON_FAILED)

    async def test_any_code(self) -> None:
        """Whatever number the server answers, it is told by its name."""
        self.server.troubles.plan(Refuse(Code.KCERR_BUSY))
        error = await self.fails(KopanoError, self.people().check_password(PasswordCheck("alice", "x")))

        self.assertEqual(error.name, "KCERR_BUSY")

    async def test_real_answers(self) -> None:
        """Answers come as the real server has framed them: in one piece, in chunks, or with a Fault."""
        people, session = self.people(), SessionId(1)
        framed = {one.name: one.response for one in captures()}
        for name, kind in (
            ("resolveUsername-SYSTEM-keepalive", None),
            ("resolveUsername-invalid-session", KopanoError),
            ("resolveUsername-session-notnumber", KopanoFaultError),
            ("ok-connection-close", None),
        ):
            self.server.troubles.plan(Raw(framed[name], close=b"Connection: close" in framed[name]))
            if kind is None:
                await people.keep_alive(session)
            else:
                await self.fails(kind, people.keep_alive(session))


class BypassTests(Case):
    """Nobody signs in without their password, whatever else a connection proves."""

    async def refuses_alice(self, people: PeopleClient) -> None:
        """Try a wrong password both ways."""
        for coroutine in (
            people.logon(PersonLogon("alice", "wrong")),
            people.check_password(PasswordCheck("alice", "wrong")),
        ):
            error = await self.fails(KopanoError, coroutine)
            self.assertEqual(error.code, Code.KCERR_LOGON_FAILED)

    async def test_certificate(self) -> None:
        """The service has a certificate that opens everything; people are asked for their password all the same."""
        service, people = self.service(TLS, SYSTEM, certificate="client"), self.people(TLS)
        session = (await service.logon()).session
        for logon in (
            people.logon(PersonLogon("alice", "wrong")),
            people.check_password(PasswordCheck("alice", "wrong")),
        ):
            error = await self.fails(KopanoError, logon)
            self.assertEqual(error.code, Code.KCERR_LOGON_FAILED)
        await people.logon(ALICE)
        await people.keep_alive(session)

        shown = [asked.certificate for asked in self.server.asked]
        self.assertEqual(shown, [True, False, False, False, False])

    async def test_uid(self) -> None:
        """Over a unix socket a process of the server's own user is asked for passwords all the same."""
        people = self.people(UNIX)
        for logon in (
            people.logon(PersonLogon("alice", "wrong")),
            people.check_password(PasswordCheck("alice", "wrong")),
        ):
            error = await self.fails(KopanoError, logon)
            self.assertEqual(error.code, Code.KCERR_LOGON_FAILED)

        self.assertEqual([asked.flags for asked in self.server.asked], [1, 3])

    async def test_service_by_uid(self) -> None:
        """The service itself is let in by its uid, without a password."""
        self.assertTrue((await self.service(UNIX, SYSTEM).logon()).session.number)
        self.assertEqual((await self.fails(KopanoError, self.service(TCP, SYSTEM).logon())).name, "KCERR_LOGON_FAILED")

    async def test_certificates_of_the_service(self) -> None:
        """One whose key the server does not know lets nobody in; one of a strange authority can not even connect."""
        refused = await self.fails(KopanoError, self.service(TLS, SYSTEM, certificate="client2").logon())
        strange = await self.unavailable(self.service(TLS, SYSTEM, certificate="stranger").logon())

        self.assertEqual(refused.code, Code.KCERR_LOGON_FAILED)
        self.assertRegex(strange, "TLS did not come about|ended the connection|was lost")

    async def test_probe(self) -> None:
        """A server that looks at passwords refuses a made-up one; one that does not is found out."""
        for kind in KINDS:
            for account in (SVC, SYSTEM):
                self.assertTrue(await self.people(kind).looks_at_passwords(PasswordProbe(account, "made up")))
        self.server.people.add("svc", "made up")

        self.assertFalse(await self.people().looks_at_passwords(PasswordProbe(SVC, "made up")))

    async def test_probe_fails(self) -> None:
        """A probe that is refused for another reason proves nothing."""
        self.server.troubles.plan(Refuse(Code.KCERR_BUSY))
        error = await self.fails(KopanoError, self.people().looks_at_passwords(PasswordProbe(SVC, "made up")))

        self.assertEqual(error.code, Code.KCERR_BUSY)

    async def test_wrong_kinds(self) -> None:
        """What may not go over a client's connections does not, even if no type checker has looked."""
        people: Any = self.people()
        service = self.service()
        # However it is made: nobody but a fool would, and fools are ingenious.
        forged = type("PersonLogon", (PersonLogon,), {"encode": ServiceLogon(SVC).encode})
        for logon in (ServiceLogon(SVC), forged("alice", "x")):
            for coroutine in (people.logon(logon), people.check_password(logon), people.logon_by_token(logon)):
                await self.fails(TypeError, coroutine)

        self.assertEqual([name for name in ("check_password", "looks_at_passwords") if hasattr(service, name)], [])
        self.assertEqual(self.server.asked, [])

    def test_no_certificate_for_people(self) -> None:
        """There is no way to give a certificate to the client that checks passwords."""
        untyped: Any = PeopleClient
        address = Address.parse(self.addresses[TLS])

        self.assertRaises(TypeError, untyped, reactor, address, certificate=None)

    async def test_no_name_for_the_service(self) -> None:
        """There is no way to tell the client with the certificate whom to sign in."""
        service: Any = self.service()
        for words in ((ALICE,), ("alice", "x")):
            with self.assertRaises(TypeError):
                service.logon(*words)

    def test_certificate_without_tls(self) -> None:
        """A certificate that could never be shown is a mistake of the operator's, and told."""
        for kind in (UNIX, TCP):
            self.assertRaises(ValueError, self.service, kind, SYSTEM, certificate="client")


class LogTests(Case):
    """What is logged."""

    async def test_nothing_secret(self) -> None:
        """No line of any level has a password, a token or a session in it, whatever goes wrong."""
        with capturedLogs() as events:
            errors, sessions = await self.everything()
        text = repr([(formatEvent(event), event) for event in events]) + errors
        secrets = ["alice-secret", "wr0ng", "t0ken", "svc-secret", *sessions]

        self.assertIn("resolveUsername is sent again", text)
        self.assertEqual([secret for secret in secrets if secret in text], [])

    async def everything(self) -> tuple[str, list[str]]:
        """Do everything that can go wrong, and return the errors' texts and the sessions there were."""
        people, service = self.people(), self.service()
        session, other = (await people.logon(ALICE)).session, (await service.logon()).session
        self.server.troubles.plan(CloseBefore(), "resolveUsername")
        await people.keep_alive(session)
        self.server.troubles.plan(CloseBefore(), times=2)
        texts = []
        for coroutine in (
            people.keep_alive(session),
            people.logon(PersonLogon("alice", "wr0ng")),
            people.logon_by_token(TokenLogon("t0ken")),
            service.resolve_username(other, "nobody"),
        ):
            texts.append(await self.problem(coroutine))
        return "\n".join(texts), [str(one.number) for one in (session, other)]

    async def problem(self, coroutine: Coroutine[Any, Any, object]) -> str:
        """Return what went wrong, with all that it was caused by."""
        try:
            await coroutine
        except (KopanoError, BackendUnavailableError) as error:
            return f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"
        raise AssertionError("nothing went wrong")
