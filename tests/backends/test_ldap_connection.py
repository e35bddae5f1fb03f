"""One connection: deadlines, cancelling, servers that break the rules."""

from typing import Any

from ldaptor.protocols import pureldap
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import SearchRequest, SearchScope
from konnectd.backends._ldap_connection import Connection
from konnectd.backends._ldap_filter import parse
from tests.support.ldap_memory import MemoryEndpoint
from tests.support.ldap_people import ALICE_DN, BASE, clock, directory

PEOPLE = SearchRequest(
    base=BASE, scope=SearchScope.SUB, filter=parse("(objectClass=inetOrgPerson)"), attributes=("uid",), size_limit=5
)


class Case(SynchronousTestCase):
    """A connection to a directory in memory."""

    def setUp(self) -> None:
        """Connect."""
        self.directory = directory()
        self.clock = clock()
        self.lost: list[Connection] = []
        self.connection = Connection(self.clock, "ldap://one", 10)
        self.connection.lost = self.lost.append
        self.successResultOf(connectProtocol(MemoryEndpoint(self.directory), self.connection))

    def search(self) -> Deferred[Any]:
        """Search for people."""
        return Deferred.fromCoroutine(self.connection.search(PEOPLE))

    def bind(self, password: str = "wonderland") -> Deferred[Any]:
        """Bind as alice."""
        return Deferred.fromCoroutine(self.connection.bind(ALICE_DN, password))

    def wire(self, message: object, message_id: int) -> bytes:
        """Write a message as the server would."""
        content: bytes = pureldap.LDAPMessage(message, id=message_id).toWire()
        return content


class OperationTests(Case):
    """Searches and binds."""

    def test_search(self) -> None:
        """A search returns entries, and its time limit is told to the server too."""
        answer = self.successResultOf(self.search())

        self.assertEqual([entry.text("uid") for entry in answer.entries], ["alice", "bob"])
        (request,) = self.directory.arguments("search")
        self.assertEqual((request.timeLimit, request.sizeLimit, request.derefAliases), (10, 5, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_several_at_a_time(self) -> None:
        """Answers find the questions they belong to, in whatever order they come."""
        self.directory.holding = {"search"}
        first, second = (
            self.search(),
            Deferred.fromCoroutine(
                self.connection.search(SearchRequest(base=ALICE_DN, scope=SearchScope.BASE, attributes=("cn",)))
            ),
        )
        self.directory.release()

        self.assertEqual(len(self.successResultOf(first).entries), 2)
        self.assertEqual(self.successResultOf(second).entries[0].text("cn"), "Alice Liddell")

    def test_bind(self) -> None:
        """A bind tells its code, and no connection is lost over a wrong password."""
        self.assertEqual(self.successResultOf(self.bind()).code, 0)
        self.assertEqual(self.successResultOf(self.bind("x")).code, 49)
        self.assertTrue(self.connection.usable)

    def test_no_password(self) -> None:
        """An empty password, or one with a NUL, is never sent."""
        for password in ("", "\0", "a\0b"):
            self.failureResultOf(self.bind(password), ValueError)
        self.assertEqual(self.directory.requests, [])

    def test_too_many_entries(self) -> None:
        """A server that sends more than was asked for is not listened to any further."""
        request = SearchRequest(base=BASE, scope=SearchScope.SUB, attributes=("uid",), size_limit=1)
        self.directory.silent = {"search"}
        waiting = Deferred.fromCoroutine(self.connection.search(request))
        entry = pureldap.LDAPSearchResultEntry("cn=a", [])
        self.directory.send_all(self.wire(entry, 1) * 3 + self.wire(pureldap.LDAPSearchResultDone(resultCode=0), 1))

        answer = self.successResultOf(waiting)

        self.assertEqual((len(answer.entries), answer.truncated), (1, True))
        self.assertEqual(self.directory.kinds(), ["search", "abandon"])
        self.assertTrue(self.connection.usable)

    def test_references(self) -> None:
        """References to other servers are counted and not followed."""
        self.directory.holding = {"search"}
        waiting = self.search()
        self.directory.send_all(bytes.fromhex("300f020101730a04086c6461703a2f2f78"))
        self.directory.release()

        self.assertEqual(self.successResultOf(waiting).references, 1)
        self.assertEqual(self.directory.connections, 1)

    def test_spoiled(self) -> None:
        """A connection on which the server lost track is not used again, but others' questions on it are answered."""
        self.directory.holding = {"search"}
        first = self.search()
        self.directory.codes["search"] = (1, "bind first")
        self.directory.release()

        self.failureResultOf(first, faults.LostError)
        self.assertTrue(self.connection.spoiled)
        self.assertTrue(self.connection.usable)


class TimeTests(Case):
    """Deadlines and cancelling."""

    def test_silent(self) -> None:
        """When nothing at all is heard, the search fails in time and the connection with it."""
        self.directory.silent = {"search"}
        waiting = self.search()
        self.clock.advance(9.9)
        self.assertNoResult(waiting)
        self.clock.advance(0.2)

        self.failureResultOf(waiting, faults.SilentError)
        self.assertEqual(self.lost, [self.connection])

    def test_slow_search(self) -> None:
        """A slow search fails in time and is abandoned; the connection lives when it was heard from meanwhile."""
        self.directory.silent = {"search"}
        waiting = self.search()
        self.clock.advance(5)
        self.successResultOf(self.bind())
        self.clock.advance(5)

        self.failureResultOf(waiting, faults.SilentError)
        self.assertEqual(self.directory.arguments("abandon"), [1])
        self.assertEqual(self.lost, [])

    def test_slow_bind(self) -> None:
        """After a bind without answer nobody knows who the connection is, so it ends."""
        self.directory.silent = {"bind"}
        waiting = self.bind()
        self.clock.advance(5)
        self.successResultOf(self.search())
        self.clock.advance(5)

        self.failureResultOf(waiting, faults.SilentError)
        self.assertEqual(self.lost, [self.connection])

    def test_canceled_search(self) -> None:
        """A canceled search is abandoned, and its answer ignored when it comes all the same."""
        self.directory.holding = {"search"}
        waiting = self.search()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.directory.release()

        self.assertEqual(self.directory.arguments("abandon"), [1])
        self.assertTrue(self.connection.usable)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_canceled_bind(self) -> None:
        """A canceled bind ends its connection."""
        self.directory.silent = {"bind"}
        waiting = self.bind()
        waiting.cancel()

        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.lost, [self.connection])


class EndTests(Case):
    """How connections end."""

    def test_lost(self) -> None:
        """All that wait learn that the connection was lost, and nothing can be asked any more."""
        self.directory.silent = {"*"}
        waiting = [self.search(), self.bind()]
        self.directory.drop_all()

        for one in waiting:
            self.failureResultOf(one, faults.LostError)
        self.failureResultOf(self.search(), faults.LostError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_notice(self) -> None:
        """A notice of disconnection ends the connection, with what the server said."""
        self.directory.silent = {"*"}
        waiting = self.search()
        notice = pureldap.LDAPExtendedResponse(resultCode=52, errorMessage="going down")
        self.directory.send_all(self.wire(notice, 0))

        self.assertIn("going down", str(self.failureResultOf(waiting, faults.LostError).value))
        self.assertFalse(self.connection.usable)

    def test_no_ldap(self) -> None:
        """A server that speaks something else is not listened to."""
        self.directory.silent = {"*"}
        waiting = self.search()
        self.directory.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        self.failureResultOf(waiting, faults.ProtocolError)
        self.assertEqual(self.lost, [self.connection])

    def test_wrong_answer(self) -> None:
        """An answer of another kind than the question ends the connection."""
        self.directory.silent = {"*"}
        waiting = self.search()
        self.directory.send_all(self.wire(pureldap.LDAPBindResponse(resultCode=0), 1))

        self.failureResultOf(waiting, faults.ProtocolError)

    def test_bad_entry(self) -> None:
        """An entry whose name is no text ends the connection."""
        self.directory.silent = {"*"}
        waiting = self.search()
        self.directory.send_all(self.wire(pureldap.LDAPSearchResultEntry(b"cn=\xff", []), 1))

        self.failureResultOf(waiting, faults.ProtocolError)

    def test_unknown_id(self) -> None:
        """An answer to a question that nobody asked is ignored."""
        self.directory.send_all(self.wire(pureldap.LDAPBindResponse(resultCode=0), 99))

        self.assertTrue(self.connection.usable)

    def test_close(self) -> None:
        """Closing takes leave of the server, once."""
        for _ in range(2):
            self.successResultOf(Deferred.fromCoroutine(self.connection.close()))

        self.assertEqual(self.directory.kinds(), ["unbind"])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class TlsTests(Case):
    """StartTLS."""

    def start(self) -> Deferred[Any]:
        """Agree on TLS and begin it."""

        async def both() -> None:
            await self.connection.agree_on_tls()
            await self.connection.secure(None)

        return Deferred.fromCoroutine(both())

    def test_good(self) -> None:
        """After the handshake the connection is used as before."""
        self.successResultOf(self.start())

        self.assertEqual(self.successResultOf(self.bind()).code, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_untrusted(self) -> None:
        """A certificate that is not accepted ends the connection."""
        self.directory.good_certificate = False

        self.failureResultOf(self.start(), faults.UntrustedServerError)
        self.assertFalse(self.connection.usable)

    def test_refused(self) -> None:
        """A server that refuses is not talked to in the clear instead."""
        self.directory.codes["starttls"] = (2, "no")

        self.failureResultOf(self.start(), faults.StartTlsRefusedError)

    def test_forged_with_answer(self) -> None:
        """Bytes in the clear that come together with the answer end the connection."""
        self.directory.forged = self.wire(pureldap.LDAPBindResponse(resultCode=0), 2)

        self.failureResultOf(self.start(), faults.ProtocolError)

    def test_forged_after_answer(self) -> None:
        """Bytes in the clear that come after the answer, before the handshake, end the connection."""
        self.successResultOf(Deferred.fromCoroutine(self.connection.agree_on_tls()))
        self.directory.send_all(self.wire(pureldap.LDAPBindResponse(resultCode=0), 2))

        self.assertFalse(self.connection.usable)
        self.assertEqual(self.lost, [self.connection])
