"""Pushed authorization requests over HTTP, through the pages and back."""

from typing import Any
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.pushed_request import PREFIX, PUSHED_TTL
from konnectd.web.texts import EXPLANATIONS
from konnectd.web.views import ErrorKind
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.request_objects import OBJECT_CLIENTS, PUBLIC, PUSHING, SIGNING
from tests.support.requests import NOTES
from tests.support.visitor import Visit, Visitor


class ParCase(SynchronousTestCase):
    """A daemon, clients that push, and a browser nobody is signed in to."""

    client: Client = NOTES
    words: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(*self.words, clients=(NOTES, *OBJECT_CLIENTS))
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)

    def post(self, *headers: str, **changes: str | None) -> Heard:
        """Push a good request with some changes."""
        return self.daemon.post(self.daemon.settings.paths.par, urlencode(self.app.parameters(**changes)), *headers)

    def push(self, **changes: str | None) -> str:
        """Push a good request; returns its reference."""
        return str(self.pushed(self.post(self.app.basic(), **changes))["request_uri"])

    def pushed(self, answer: Heard) -> dict[str, Any]:
        """Return what is said to a good push."""
        self.assertEqual(answer.status, 201)
        return json_of(answer)

    def bring(self, reference: str) -> Visit:
        """Send the browser here with a reference."""
        sent = urlencode({"client_id": self.client.client_id, "request_uri": reference})
        return self.visitor.open(f"{self.daemon.settings.paths.authorize}?{sent}")

    def sign_in(self, page: Visit) -> Visit:
        """Let the person sign in."""
        return self.visitor.submit(page, username="alice", password=self.daemon.people.passwords["alice"])


class EndpointTests(ParCase):
    """The endpoint itself."""

    def test_answer(self) -> None:
        """A reference, as the specification has it, for nobody to keep."""
        answer = self.post(self.app.basic())
        content = self.pushed(answer)

        self.assertEqual(answer.header("Cache-Control"), "no-store")
        self.assertTrue(content["request_uri"].startswith(PREFIX))
        self.assertEqual(content["expires_in"], PUSHED_TTL)

    def test_every_way_to_prove(self) -> None:
        """A client proves who it is as at the token endpoint, and a public one says who it is."""
        self.assertEqual(self.post(client_secret=NOTES.secret).status, 201)
        self.assertEqual(self.post(client_id="public").status, 201)
        self.assertEqual(error_of(self.post()), (401, "invalid_client"))
        self.assertEqual(error_of(self.post(client_secret="x")), (401, "invalid_client"))
        self.assertEqual(error_of(self.post(self.app.basic(), client_id="signing")), (401, "invalid_client"))
        self.assertEqual(PUBLIC.client_id, "public")

    def test_faults(self) -> None:
        """What is wrong is told at once, in JSON, and never by a redirect."""
        for code, changes in (
            ("invalid_request", {"redirect_uri": "https://evil.example/cb"}),
            ("invalid_request", {"request_uri": f"{PREFIX}x"}),
            ("invalid_request_object", {"request": "x.y.z"}),
            ("invalid_scope", {"scope": "email"}),
        ):
            answer = self.post(self.app.basic(), **changes)
            self.assertEqual(error_of(answer), (400, code))
            self.assertEqual(answer.header("Location"), "")

    def test_repeated(self) -> None:
        """A parameter that is there twice is refused."""
        body = f"{urlencode(self.app.parameters())}&state=again"
        answer = self.daemon.post(self.daemon.settings.paths.par, body, self.app.basic())

        self.assertEqual(error_of(answer), (400, "invalid_request"))

    def test_only_posted(self) -> None:
        """A request in an address would be in logs."""
        self.assertEqual(self.daemon.get(self.daemon.settings.paths.par).status, 405)

    def test_metadata(self) -> None:
        """The endpoint is announced."""
        document = json_of(self.daemon.get(self.daemon.settings.paths.discovery))

        self.assertEqual(
            document["pushed_authorization_request_endpoint"],
            self.daemon.origin + self.daemon.settings.paths.par,
        )


class FlowTests(ParCase):
    """From the push to the tokens, by way of sign-in and consent page."""

    def test_all_pages(self) -> None:
        """The person sees who asks and for what; the address shows neither state nor scopes nor anything else."""
        page = self.bring(self.push(scope="openid email"))
        consent = self.sign_in(page)
        told = self.app.told(self.visitor.submit(consent, allow="1"))

        self.assertIn("Notes", page.text)
        for visit in (page, consent):
            self.assertNotIn("state-1", visit.url)
            self.assertNotIn("scope=", visit.url)
        self.assertEqual(told["state"], "state-1")
        self.assertEqual(self.app.redeem(told["code"]).status, 200)

    def test_reload_and_double_submit(self) -> None:
        """Reloading a page or sending its form twice spends nothing; the answer does."""
        reference = self.push()
        page = self.bring(reference)
        again = self.visitor.open(page.url)
        self.sign_in(page)
        consent = self.sign_in(again)
        self.assertIn("code", self.app.told(self.visitor.submit(consent, allow="1")))

        for late in (self.bring(reference), self.visitor.open(page.url), self.visitor.submit(consent, allow="1")):
            self.assertEqual((late.left, late.answer.status), (False, 400))
            self.assertEqual(late.title, EXPLANATIONS[ErrorKind.START_AGAIN].title)

    def test_lunch(self) -> None:
        """A person may take half an hour; a browser that comes late may not."""
        page, late = self.bring(self.push()), self.push()
        self.daemon.clock.advance(1800)

        self.assertIn("code", self.app.told(self.visitor.submit(self.sign_in(page), allow="1")))
        self.assertEqual(self.bring(late).answer.status, 400)

    def test_person_says_no(self) -> None:
        """A refusal is an answer, and spends the reference."""
        reference = self.push()
        consent = self.sign_in(self.bring(reference))

        self.assertEqual(self.app.told(self.visitor.submit(consent, deny="1"))["error"], "access_denied")
        self.assertEqual(self.bring(reference).answer.status, 400)


class ClientTests(ParCase):
    """References of other clients."""

    client = SIGNING

    def test_another_client(self) -> None:
        """A reference in the name of another client leads to a page, and stays good for its own."""
        reference = self.push()
        sent = urlencode({"client_id": PUSHING.client_id, "request_uri": reference})
        visit = self.visitor.open(f"{self.daemon.settings.paths.authorize}?{sent}")

        self.assertEqual((visit.left, visit.answer.status), (False, 400))
        self.assertIn("code", self.app.told(self.sign_in(self.bring(reference))))


class RequiredTests(ParCase):
    """A daemon that takes pushed requests only."""

    client = SIGNING
    words = ("--require-pushed-authorization-requests",)

    def test_plain(self) -> None:
        """A plain request is refused, and the metadata says so."""
        document = json_of(self.daemon.get(self.daemon.settings.paths.discovery))

        self.assertEqual(self.app.told(self.app.arrive(self.visitor))["error"], "invalid_request")
        self.assertIn("code", self.app.told(self.sign_in(self.bring(self.push()))))
        self.assertIs(document["require_pushed_authorization_requests"], True)
