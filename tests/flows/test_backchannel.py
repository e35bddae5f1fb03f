"""Clients that are told, from server to server, that a session is over: at once, again, and never in anybody's way."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.backchannel import PAUSES, SILENT, TOLD, BackChannel
from konnectd.protocol.session import Party, told_key
from tests.support.fakes import SilentStore, claims_of, header_of, run
from tests.support.provider import Provider
from tests.support.requests import MAIL

URL = "https://mail.example.org/back"
CLIENT = evolve(MAIL, backchannel_logout_uri=URL, id_token_signed_response_alg="ES256")
PARTY = Party(client_id="mail", sub="s", session_id="session-1")


class BackChannelTests(SynchronousTestCase):
    """Telling one client."""

    def setUp(self) -> None:
        """Have a provider whose clients have a web."""
        self.provider = Provider(CLIENT)
        self.later, self.web = self.provider.background, self.provider.web

    def tell(self, channel: BackChannel | None = None) -> None:
        """Begin to tell the client."""
        (channel or self.provider.backchannel).tell(CLIENT, PARTY, "farewell-1", 3)

    def known(self) -> str | None:
        """Return what a page would say."""
        return run(self.provider.store.get(told_key("farewell-1", 3)))

    def test_nothing_at_once(self) -> None:
        """Nobody is asked while the person waits."""
        self.tell()

        self.assertEqual(
            ([seconds for seconds, _ in self.later.planned], self.web.posted, self.known()), ([0], [], None)
        )

    def test_good(self) -> None:
        """A client that says that it did is not asked again."""
        for status in (200, 202, 204):
            self.web.statuses[URL] = status
            self.tell()
            self.later.do_all()

            self.assertEqual((self.known(), self.later.planned, self.later.complaints), (TOLD, [], []))

    def test_token(self) -> None:
        """It is signed as the client's ID tokens are, and each has a number of its own."""
        for _ in range(2):
            self.tell()
        self.later.do_all()
        tokens = [fields[0][1] for _, fields in self.web.posted]

        self.assertEqual({(header_of(t)["alg"], header_of(t)["typ"]) for t in tokens}, {("ES256", "logout+jwt")})
        self.assertEqual(len({claims_of(token)["jti"] for token in tokens}), 2)

    def test_again(self) -> None:
        """A client that does not answer is asked again, later each time, with a fresh token, and then given up."""
        self.tell()
        waited = []
        while self.later.planned:
            waited += self.later.do_all()
            self.provider.clock.advance(10)

        self.assertEqual(waited, [0, *PAUSES])
        issued = [claims_of(fields[0][1])["iat"] for _, fields in self.web.posted]
        self.assertEqual(issued, sorted(set(issued)))
        self.assertEqual((self.known(), len(self.later.complaints), self.later.complaints[0][0]), (SILENT, 1, "mail"))

    def test_late(self) -> None:
        """A client that comes back in time is told, and the page then says so."""
        self.tell()
        self.later.do_all()
        before = self.known()
        self.web.statuses[URL] = 200
        self.later.do_all()

        self.assertEqual((before, self.known(), self.later.planned, self.later.complaints), (SILENT, TOLD, [], []))

    def test_broken(self) -> None:
        """A server that is broken is asked again as well, one that refuses is not."""
        for status, again in ((500, 1), (503, 1), (302, 1), (404, 1), (400, 0)):
            self.later.planned.clear()
            self.web.statuses[URL] = status
            self.tell()
            self.later.do_all()

            self.assertEqual((len(self.later.planned), self.known()), (again, SILENT), status)
        self.assertEqual(self.later.complaints, [("mail", "it answered 400")])

    def test_silent_store(self) -> None:
        """When what came of it can not be kept, the client is told nevertheless, and the operator hears of it."""
        self.web.statuses[URL] = 200
        self.tell(evolve(self.provider.backchannel, store=SilentStore()))
        self.later.do_all()

        self.assertEqual((len(self.web.posted), len(self.later.complaints)), (1, 1))
