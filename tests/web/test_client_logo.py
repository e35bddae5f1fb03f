"""The logo of a client: on our pages, from our address, and never more than a picture."""

from urllib.parse import quote, urlencode

from attrs import evolve
from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.client_logo import FRESH
from konnectd.protocol.client import Client
from konnectd.protocol.registration import LONGEST_CLIENT_ID
from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.fakes import SilentStore
from tests.support.loglines import LogLines
from tests.support.logos import BEGINNINGS, PNG
from tests.support.markup import elements
from tests.support.registering import ON, SelfRegistered
from tests.support.requests import MAIL, NOTES
from tests.support.strategies import TEXT
from tests.support.visitor import Visit, Visitor

PATH = "/signin/v1/client-logo"
LOGO_URI = "https://notes.example.org/logo.png"
#: An id as only an operator would think of it, whose every character could end something.
ODD_ID = "a b&c=\"<d>'+%/ä"
WITH_LOGO = evolve(NOTES, logo_uri=LOGO_URI)
ODD = evolve(WITH_LOGO, client_id=ODD_ID)
PLAIN_HTTP = evolve(MAIL, logo_uri="http://mail.example.org/logo.png")
BARE = evolve(NOTES, client_id="bare")


class LogoCase(SynchronousTestCase):
    """A daemon with a client whose logo is on the web, one whose logo is not shown, and one without."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(clients=(WITH_LOGO, ODD, PLAIN_HTTP, BARE))
        self.daemon.web.pages[LOGO_URI] = PNG

    def get(self, client_id: str = "notes", method: str = "GET") -> Heard:
        """Ask for the logo of a client."""
        return self.daemon.ask(method, f"{PATH}?client_id={quote(client_id, safe='')}")

    def assertNothing(self, answer: Heard, what: object = None) -> None:
        """Fail unless it is said that there is nothing, in three words and not with a page."""
        told = (answer.status, answer.body, answer.header("Location"), answer.header("Cache-Control"))
        self.assertEqual(told, (404, b"404 Not Found\n", "", "no-store"), what)


class AnswerTests(LogoCase):
    """What is at its address."""

    def test_picture(self) -> None:
        """The bytes that stand at the client's address, under the name of what they are."""
        for beginning, media_type in BEGINNINGS.items():
            self.daemon.web.pages[LOGO_URI] = beginning
            answer = self.get()

            self.assertEqual((answer.status, answer.body), (200, beginning))
            self.assertEqual(answer.header("Content-Type"), media_type)
            self.daemon.clock.advance(FRESH)

    def test_headers(self) -> None:
        """Nobody may take it for anything else, run anything of it, or have it on another site; no cookie is set."""
        answer = self.get()

        self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
        self.assertEqual(answer.header("Content-Security-Policy"), "default-src 'none'; sandbox")
        self.assertEqual(answer.header("Cross-Origin-Resource-Policy"), "same-origin")
        self.assertEqual(answer.header("Cache-Control"), "private, max-age=600")
        self.assertEqual(answer.header("Set-Cookie"), "")

    def test_head(self) -> None:
        """HEAD says what GET would."""
        got, told = self.get(), self.get(method="HEAD")

        self.assertEqual((told.status, told.headers, told.body), (200, got.headers, b""))

    def test_other_methods(self) -> None:
        """Nothing can be posted there."""
        self.assertEqual(self.get(method="POST").status, 405)

    def test_no_cookie_gets_there(self) -> None:
        """The cookies of somebody who is signed in are not sent with it."""
        visitor = Visitor(self.daemon)
        Application(self.daemon, WITH_LOGO).sign_in(visitor)

        self.assertEqual(visitor.cookies_for(f"{self.daemon.origin}{PATH}"), "")


class NothingTests(LogoCase):
    """When there is no picture."""

    def test_clients(self) -> None:
        """A client that is unknown, without a logo, or with one at a plain http address has none."""
        for client_id in ("unknown", "dyn.a.b.c", "bare", "mail", "NOTES", "notes ", LOGO_URI):
            self.assertNothing(self.get(client_id), client_id)
        self.assertEqual(self.daemon.web.asked, [])

    def test_server(self) -> None:
        """Nor is there one where no picture stands, or nobody answers; the log says why to who wants to know."""
        log = LogLines(self)
        for content, why in ((b"<svg/>", "no PNG"), (None, "does not answer")):
            self.daemon.web.pages = {} if content is None else {LOGO_URI: content}
            self.daemon.clock.advance(FRESH)

            self.assertNothing(self.get(), why)
            self.assertEqual(len(log.about(why, "debug")), 1)
        self.assertEqual(log.lines("info"), [])

    def test_hostile_addresses(self) -> None:
        """What no page of ours would ask for is answered in the same way, and nobody is asked for it."""
        for query in (
            "",
            "client_id",
            "client_id=",
            "client_id=notes&client_id=notes",
            "client_id=%00",
            "client_id=%ff",
            "client_id=%",
            "client_id=notes%0d%0aX-Evil:+1",
            f"logo_uri={quote(LOGO_URI, safe='')}",
            f"client_id={quote(LOGO_URI, safe='')}",
            f"client_id=dyn.{'a' * LONGEST_CLIENT_ID}",
        ):
            self.assertNothing(self.daemon.get(f"{PATH}?{query}" if query else PATH), query)
        self.assertEqual(self.daemon.web.asked, [])

    def test_further_parameters(self) -> None:
        """Only the id counts: no parameter leads to another address."""
        answer = self.daemon.get(f"{PATH}?{urlencode({'client_id': 'notes', 'logo_uri': 'https://evil.example/'})}")

        self.assertEqual((answer.body, self.daemon.web.asked), (PNG, [LOGO_URI]))

    @settings(deadline=None, max_examples=100)
    @given(client_id=TEXT)
    def test_any_id(self, client_id: str) -> None:
        """Whatever somebody takes for an id, there is a picture or there is none, and never a fault of ours."""
        answer = self.get(client_id)

        self.assertIn(answer.status, {200, 404})
        self.assertLessEqual(set(self.daemon.web.asked), {LOGO_URI})

    def test_silent_store(self) -> None:
        """A store that does not answer leaves a page without a picture, and nothing worse."""
        daemon = Daemon(ON)
        app = SelfRegistered.begin(daemon, logo_uri=LOGO_URI)
        silent = Daemon(ON, store=SilentStore())
        silent.web.pages[LOGO_URI] = PNG

        self.assertNothing(silent.get(f"{PATH}?client_id={app.client.client_id}"))
        self.assertEqual(silent.web.asked, [])


class PageTests(LogoCase):
    """Pages on the way to a client."""

    def logos(self, visit: Visit) -> list[str]:
        """Return the addresses of all pictures of a page but our own."""
        found = [e.attributes for e in elements(visit.answer.body) if e.name == "img"]
        self.assertEqual({attributes["alt"] for attributes in found}, {""})
        return [attributes["src"] for attributes in found if "/static/" not in attributes["src"]]

    def visits(self, client: Client) -> tuple[Visit, ...]:
        """Return the sign-in page, the account chooser and, unless the client is trusted, the consent page."""
        visitor, app = Visitor(self.daemon), Application(self.daemon, client)
        asked = app.sign_in(visitor)
        visits = (app.arrive(Visitor(self.daemon)), app.arrive(visitor, prompt="select_account"))
        return visits if asked.left else (*visits, asked)

    def test_shown(self) -> None:
        """All of them show the logo, from an address of ours that leads to it and to no other."""
        for client in (WITH_LOGO, ODD):
            for visit in self.visits(client):
                (address,) = self.logos(visit)
                with self.subTest(client=client.client_id, page=visit.title):
                    self.assertEqual(address, f"{PATH}?{urlencode({'client_id': client.client_id}, quote_via=quote)}")
                    self.assertEqual(self.daemon.get(address).body, PNG)
                    self.assertNotIn(LOGO_URI.encode(), visit.answer.body)

    def test_nobody_waits(self) -> None:
        """No page asks a client's server before it is there, and none says that it may load from elsewhere."""
        for visit in self.visits(WITH_LOGO):
            self.assertIn("img-src 'self' data:;", visit.answer.header("Content-Security-Policy"))
        self.assertEqual(self.daemon.web.asked, [])

    def test_not_shown(self) -> None:
        """A client without a logo, or with one that is not asked for, has pages without one and without room for it."""
        for client in (PLAIN_HTTP, BARE):
            for visit in self.visits(client):
                with self.subTest(client=client.client_id, page=visit.title):
                    self.assertEqual(self.logos(visit), [])
                    self.assertNotIn(b"app-logo", visit.answer.body)

    def test_alone(self) -> None:
        """Without a client there is no logo."""
        self.assertEqual(self.logos(Visitor(self.daemon).open("/signin/v1/identifier")), [])


class SelfRegisteredTests(SynchronousTestCase):
    """Clients that registered themselves."""

    def setUp(self) -> None:
        """Assemble, with one that has a logo."""
        self.daemon = Daemon(ON)
        self.daemon.web.pages[LOGO_URI] = PNG
        self.app = SelfRegistered.begin(self.daemon, logo_uri=LOGO_URI)

    def get(self) -> Heard:
        """Ask for its logo."""
        return self.daemon.get(f"{PATH}?client_id={self.app.client.client_id}")

    def change(self, **members: object) -> None:
        """Register something else."""
        told = {"redirect_uris": self.app.told_at_start["redirect_uris"], "client_id": self.app.client.client_id}
        self.assertEqual(self.app.manage("PUT", {**told, **members}).status, 200)

    def test_logo(self) -> None:
        """They have theirs, and registering asks nobody for it."""
        self.assertEqual(self.daemon.web.asked, [])
        self.assertEqual(self.get().body, PNG)

    def test_change(self) -> None:
        """Another address counts at once, and the old one is not asked again."""
        self.get()
        self.daemon.web.pages["https://notes.example.org/new.gif"] = b"GIF89a"
        self.change(logo_uri="https://notes.example.org/new.gif")
        self.assertEqual(self.get().body, b"GIF89a")
        self.change()

        self.assertEqual(self.get().status, 404)
        self.assertEqual(self.daemon.web.asked, [LOGO_URI, "https://notes.example.org/new.gif"])

    def test_deleted(self) -> None:
        """A client that is gone has no logo, although we still have it."""
        self.get()
        self.app.manage("DELETE")

        self.assertEqual(self.get().status, 404)
