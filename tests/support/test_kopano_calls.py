"""The stand-in for the groupware server reads requests and keeps sessions by the rules of the real one."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.support.kopano import codes
from tests.support.kopano.asking import (
    CHUNKED,
    PLAIN,
    TCP,
    TLS,
    UNIX,
    Heard,
    ask,
    envelope,
    post,
    send,
    session_of,
    values,
)
from tests.support.kopano.entry_ids import EntryId
from tests.support.kopano.people import People
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.sessions import Peer, Transport

SEARCH = (
    "<lpaPropTag><item>805371934</item></lpaPropTag><lpsRowSet><item><item><ulPropTag>805371934</ulPropTag>"
    "<lpszA>{}</lpszA></item></item></lpsRowSet><lpaFlags><item>0</item></lpaFlags><ulFlags>0</ulFlags>"
)


class ServerCase(SynchronousTestCase):
    """A server in memory, and time that moves when told to."""

    def setUp(self) -> None:
        """Start."""
        self.clock = Clock()
        self.server = KopanoServer(self.clock, seed=1)

    def resolve(self, session: int, name: str = "alice", peer: Peer = TCP) -> Heard:
        """Ask who has a name."""
        return ask(self.server, peer, "resolveUsername", lpszUsername=name, ulSessionId=session)

    def resolve_with(self, content: str, call: str = "resolveUsername") -> Heard:
        """Ask who has a name, in words of one's own; ``{}`` is a session."""
        body = envelope(call, content.replace("{}", str(session_of(self.server))))
        return send(self.server, TCP, post(body))


class ReadingTests(ServerCase):
    """What counts in a request, and what does not."""

    def test_prefixed_values_are_not_seen(self) -> None:
        """A value with a prefix might as well not be there."""
        heard = self.resolve_with("<z:lpszUsername>bob</z:lpszUsername><ulSessionId>{}</ulSessionId>")

        self.assertEqual(heard.code, codes.INVALID_PARAMETER)

    def test_order_is_free(self) -> None:
        """The session may come first or last."""
        heard = self.resolve_with("<ulSessionId>{}</ulSessionId><lpszUsername>bob</lpszUsername>")

        self.assertEqual(heard.value("ulUserId"), "4")

    def test_the_last_of_several_counts(self) -> None:
        """Of two names the second is looked for."""
        name = "<lpszUsername>alice</lpszUsername><lpszUsername>bob</lpszUsername>"
        heard = self.resolve_with(f"{name}<ulSessionId>{{}}</ulSessionId>")

        self.assertEqual(heard.value("ulUserId"), "4")

    def test_unknown_values_are_skipped(self) -> None:
        """Whatever else is there does no harm."""
        heard = self.resolve_with("<new>x</new><lpszUsername>bob</lpszUsername><ulSessionId>{}</ulSessionId>")

        self.assertEqual(heard.code, codes.SUCCESS)

    def test_a_type_that_is_right(self) -> None:
        """A value may say what it is."""
        heard = self.resolve_with(
            '<lpszUsername i:type="x:string">bob</lpszUsername><ulSessionId i:type="x:unsignedLong">{}</ulSessionId>'
        )

        self.assertEqual(heard.code, codes.SUCCESS)

    def test_a_type_that_is_wrong(self) -> None:
        """A number that says it is a text is a fault."""
        heard = self.resolve_with('<lpszUsername>bob</lpszUsername><ulSessionId i:type="x:string">{}</ulSessionId>')

        self.assertEqual(heard.status, 500)

    def test_null_is_not_empty(self) -> None:
        """A name that says it is none is none, and not an empty one."""
        heard = self.resolve_with('<lpszUsername i:nil="true"/><ulSessionId>{}</ulSessionId>')

        self.assertEqual(heard.code, codes.INVALID_PARAMETER)

    def test_space_around_a_number(self) -> None:
        """It is no part of the number."""
        heard = self.resolve_with("<lpszUsername>bob</lpszUsername><ulSessionId>\n {} </ulSessionId>")

        self.assertEqual(heard.code, codes.SUCCESS)

    def test_space_around_a_name(self) -> None:
        """It is part of the name."""
        heard = self.resolve_with("<lpszUsername> bob </lpszUsername><ulSessionId>{}</ulSessionId>")

        self.assertEqual(heard.code, codes.NOT_FOUND)

    def test_numbers_that_are_none(self) -> None:
        """Negative, too large, and no number at all: all are faults."""
        wrong = ("-1", "18446744073709551616", "1x", "0x10", "", "1.0")
        heard = [ask(self.server, TCP, "logoff", ulSessionId=text).status for text in wrong]

        self.assertEqual(heard, [500] * len(wrong))

    def test_a_small_number_is_not_large(self) -> None:
        """Flags have 32 bits."""
        heard = ask(self.server, TCP, "logon", szUsername="alice", ulFlags=2**32)

        self.assertEqual(heard.fault, "Validation constraint violation: invalid value in element 'ulFlags'")

    def test_a_value_is_read_before_the_session(self) -> None:
        """What can not be read is a fault, whether there is a session or not."""
        heard = ask(self.server, TCP, "getUser", sUserId="A", ulSessionId=1)

        self.assertEqual(heard.fault, "Validation constraint violation: invalid value in element 'sUserId'")

    def test_the_newer_envelope(self) -> None:
        """The envelope of SOAP 1.2 will do."""
        body = envelope("logoff", values(ulSessionId=1))
        old, new = b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"
        heard = send(self.server, TCP, post(body.replace(old, new)))

        self.assertEqual(heard.code, codes.END_OF_SESSION)

    def test_another_envelope(self) -> None:
        """Any other one is a fault."""
        body = envelope("logoff", values(ulSessionId=1)).replace(b"schemas.xmlsoap.org", b"example.org")

        self.assertEqual(send(self.server, TCP, post(body)).status, 500)

    def test_other_encodings(self) -> None:
        """A document in Latin-1 that says so is understood, and so are a mark of the byte order and CDATA."""
        session = session_of(self.server)
        content = f"<lpszUsername>zoë</lpszUsername><ulSessionId>{session}</ulSessionId>"
        marked = content.replace("zoë", "<![CDATA[zoë]]>")
        latin = envelope("resolveUsername", content).decode().encode("latin-1")
        bodies = (
            b'<?xml version="1.0" encoding="ISO-8859-1"?>' + latin,
            b"\xef\xbb\xbf" + envelope("resolveUsername", marked),
        )

        self.assertEqual([send(self.server, TCP, post(body)).value("ulUserId") for body in bodies], ["6", "6"])

    def test_document_types(self) -> None:
        """A document with a type of its own is not read."""
        body = b"<!DOCTYPE a>" + envelope("logoff", values(ulSessionId=1))

        self.assertEqual(send(self.server, TCP, post(body)).status, 500)


class SessionTests(ServerCase):
    """How long a session lives, and where."""

    def test_an_idle_session_ends(self) -> None:
        """After more than the limit nobody knows it."""
        session = session_of(self.server)
        self.clock.advance(301)

        self.assertEqual(self.resolve(session).code, codes.END_OF_SESSION)

    def test_use_keeps_a_session(self) -> None:
        """Each use starts the clock anew."""
        session = session_of(self.server)
        for _ in range(3):
            self.clock.advance(299)
            self.resolve(session)

        self.assertEqual(self.resolve(session).code, codes.SUCCESS)

    def test_failed_use_keeps_no_session(self) -> None:
        """Somebody elsewhere does not keep it alive."""
        session = session_of(self.server)
        self.clock.advance(200)
        self.resolve(session, peer=Peer(transport=Transport.TCP, address="192.0.2.1"))
        self.clock.advance(200)

        self.assertEqual(self.resolve(session).code, codes.END_OF_SESSION)

    def test_another_address(self) -> None:
        """A session is of no use elsewhere."""
        session = session_of(self.server)

        heard = self.resolve(session, peer=Peer(transport=Transport.TCP, address="192.0.2.1"))
        self.assertEqual(heard.code, codes.END_OF_SESSION)

    def test_with_and_without_tls(self) -> None:
        """From one address both are the same."""
        session = session_of(self.server, TLS)

        self.assertEqual(self.resolve(session).code, codes.SUCCESS)

    def test_another_process(self) -> None:
        """On a unix socket a session belongs to a process."""
        session = session_of(self.server, UNIX)
        other = Peer(transport=Transport.UNIX, pid=101, uid=UNIX.uid)

        self.assertEqual(self.resolve(session, peer=other).code, codes.END_OF_SESSION)

    def test_from_the_socket_to_the_network(self) -> None:
        """It can not be taken along, in neither direction."""
        heard = (
            self.resolve(session_of(self.server, UNIX), peer=TCP).code,
            self.resolve(session_of(self.server, TCP), peer=UNIX).code,
        )

        self.assertEqual(heard, (codes.END_OF_SESSION, codes.END_OF_SESSION))

    def test_restart(self) -> None:
        """All sessions are forgotten."""
        session = session_of(self.server)
        self.server.restart()

        self.assertEqual(self.resolve(session).code, codes.END_OF_SESSION)

    def test_several_sessions(self) -> None:
        """Somebody may have any number of them; one that ends leaves the others."""
        first, second = session_of(self.server), session_of(self.server)
        ask(self.server, TCP, "logoff", ulSessionId=first)

        self.assertEqual((self.resolve(second).code, len(self.server.sessions)), (codes.SUCCESS, 1))

    def test_size_of_ids(self) -> None:
        """Without the capability for large ids they have 32 bits, with it some have more."""
        short = [session_of(self.server, capabilities=CHUNKED & ~0x10) for _ in range(8)]
        long = [session_of(self.server) for _ in range(8)]

        self.assertEqual((max(short) < 2**32, max(long) > 2**32), (True, True))

    def test_frames(self) -> None:
        """Answers of a session come in chunks if the client said that it can do more; a refusal of it does not."""
        chunked, plain = session_of(self.server), session_of(self.server, capabilities=PLAIN)
        heard = [self.resolve(session).is_chunked for session in (chunked, plain, 1)]

        self.assertEqual(heard, [True, False, False])


class PeopleTests(ServerCase):
    """Who is found, and by what."""

    def get_user(self, entry_id: EntryId, name: str = "alice") -> Heard:
        """Ask about somebody."""
        session = session_of(self.server, name=name)
        return ask(self.server, TCP, "getUser", sUserId=entry_id.to_text(), ulSessionId=session)

    def entry_id(self, name: str, **changes: int | bytes) -> EntryId:
        """Return the entry id of somebody, or something like it."""
        person = self.server.people.by_name(name)
        if person is None:
            raise AssertionError("nobody of that name")
        known = {"version": 1, "kind": 6, "number": person.number, "external": person.external.encode()}
        return EntryId(**(known | changes))  # type: ignore[arg-type] # by name

    def test_another_kind(self) -> None:
        """A group of the same external id is somebody else."""
        self.assertEqual(self.get_user(self.entry_id("bob", kind=8)).code, codes.NOT_FOUND)

    def test_by_number_alone(self) -> None:
        """An entry id without an external one leads to who has the number, and the answer has the right one."""
        heard = self.get_user(self.entry_id("bob", version=0, external=b""))

        self.assertEqual(heard.value("sUserId"), self.entry_id("bob").to_text())

    def test_by_number_of_the_call(self) -> None:
        """A number is looked at where there is no entry id."""
        heard = ask(self.server, TCP, "getUser", sUserId="", ulUserId=5, ulSessionId=session_of(self.server))

        self.assertEqual(heard.value("lpszUsername"), "carol")

    def test_features_of_nobody_else(self) -> None:
        """Whoever is added has an entry id that can be read, and all that was said of him."""
        self.server.people.add("frank", "a password", "Frank Foo", "frank@example.test")
        heard = self.get_user(self.entry_id("frank"), "frank")

        self.assertEqual(
            [heard.value(name) for name in ("lpszUsername", "lpszFullName", "lpszMailAddress")],
            ["frank", "Frank Foo", "frank@example.test"],
        )

    def test_additions_are_repeatable(self) -> None:
        """A name has the same external id each time, so that a second start knows people again."""
        first, second = (People().add("frank", "x").external for _ in range(2))

        self.assertEqual(first, second)

    def test_names_in_any_case(self) -> None:
        """Case does not matter, beyond ASCII either."""
        self.assertEqual(self.resolve(session_of(self.server), "ZOË").value("ulUserId"), "6")

    def test_only_system_sees_system(self) -> None:
        """A list for anybody else is without it."""
        heard = ask(self.server, TCP, "getUserList", ulSessionId=session_of(self.server))

        self.assertNotIn("SYSTEM", heard.text)

    def test_a_search_with_something_missing(self) -> None:
        """The real server would not live on, so nothing is answered."""
        heard = self.resolve_with("<ulSessionId>{}</ulSessionId><ulFlags>0</ulFlags>", "abResolveNames")

        self.assertEqual(heard.content, b"")

    def test_a_search_for_a_hidden_one(self) -> None:
        """Who is hidden is not in the address book."""
        content = f"<ulSessionId>{{}}</ulSessionId>{SEARCH}".replace("<lpszA>{}", "<lpszA>postmaster")
        heard = self.resolve_with(content, "abResolveNames")

        self.assertIn("<aFlags><item>0</item></aFlags>", heard.text)
