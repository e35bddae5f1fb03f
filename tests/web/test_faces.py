"""Error pages: which failure is told to people in which words."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.authorize import ReturnAddress
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError, UntrustedRequestError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.reasons import BY_NAME
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.faces import PageFaces
from konnectd.web.forms import FormRefusedError
from konnectd.web.texts import EXPLANATIONS, MOVES
from konnectd.web.views import ErrorKind, ErrorPage
from tests.support.markup import text_of
from tests.support.rendering import GET, PAGES, header

FACES = PageFaces(PAGES)
NOTES = Client(client_id="notes", redirect_uris=("https://notes.example.org/cb",))


class FaceCase(SynchronousTestCase):
    """Shows failures."""

    def show(self, error: Exception) -> HttpResponse:
        """Return the page of a failure."""
        response = FACES.as_page(error, GET, "Q7KD-3MXA")
        if response is None:
            raise AssertionError("no face")
        return response

    def assertExplains(self, response: HttpResponse, kind: ErrorKind) -> None:
        """Fail unless a page has the words of some kind of error, and the reference of the log."""
        text = text_of(response.body)
        self.assertIn(EXPLANATIONS[kind].title, text)
        self.assertIn("Q7KD-3MXA", text)


class PageFacesTests(FaceCase):
    """Failures that people look at."""

    def test_broken_rule(self) -> None:
        """A broken rule is explained, with code and description for developers."""
        response = self.show(OAuthError(ErrorCode.INVALID_REQUEST, "a parameter is repeated"))

        self.assertEqual(response.status, 400)
        self.assertExplains(response, ErrorKind.MALFORMED_REQUEST)
        self.assertIn("invalid_request Detail a parameter is repeated", text_of(response.body))

    def test_unavailable(self) -> None:
        """When something behind us does not answer, nobody reads what or why, but when to come back."""
        response = self.show(BackendUnavailableError("ldap://10.0.0.1 refused"))

        self.assertEqual((response.status, header(response, b"Retry-After")), (503, "5"))
        self.assertExplains(response, ErrorKind.UNAVAILABLE)
        self.assertNotIn(b"ldap", response.body)

    def test_refused_form(self) -> None:
        """A form that is not accepted says why in its own words."""
        for kind in (ErrorKind.CROSS_SITE, ErrorKind.STALE_FORM, ErrorKind.COOKIES_BLOCKED):
            response = self.show(FormRefusedError(kind))

            self.assertEqual(response.status, 403)
            self.assertExplains(response, kind)

    def test_unknown_failure(self) -> None:
        """What nobody expects has no face."""
        self.assertIsNone(FACES.as_page(ValueError("x"), GET, "r"))

    def test_fixed_pages(self) -> None:
        """There are pages for addresses that lead nowhere and for faults, with the reference."""
        pages = (FACES.not_found(GET, "Q7KD-3MXA"), FACES.failure(GET, "Q7KD-3MXA"))

        self.assertEqual([response.status for response in pages], [404, 500])
        self.assertExplains(pages[0], ErrorKind.NOT_FOUND)
        self.assertExplains(pages[1], ErrorKind.FAULT)


class EveryKindTests(SynchronousTestCase):
    """What every error page has, whatever it is about."""

    def test_complete(self) -> None:
        """A cause in words, whose move it is, what to do, whom to ask, and the reference; each of them not empty."""
        for kind in ErrorKind:
            page = ErrorPage(status=400, kind=kind, reference="Q7KD-3MXA")
            text, explanation = text_of(PAGES.render(page, GET).body), EXPLANATIONS[kind]
            with self.subTest(kind=kind):
                for words in (
                    explanation.title,
                    explanation.what,
                    MOVES[explanation.move],
                    explanation.advice,
                    explanation.ask,
                    "Q7KD-3MXA",
                ):
                    self.assertGreater(len(words), 8)
                    self.assertIn(words, text)

    def test_whose_move(self) -> None:
        """The page and the log agree on who can do something."""
        for kind, name in (
            (ErrorKind.START_AGAIN, "start-again"),
            (ErrorKind.COOKIES_BLOCKED, "cookies-blocked"),
            (ErrorKind.STALE_FORM, "stale-form"),
            (ErrorKind.CROSS_SITE, "cross-site"),
            (ErrorKind.UNKNOWN_CLIENT, "client-unregistered"),
            (ErrorKind.REDIRECT_URI, "redirect-uri-unregistered"),
            (ErrorKind.MALFORMED_REQUEST, "malformed-form"),
            (ErrorKind.UNAVAILABLE, "backend-unavailable"),
            (ErrorKind.FAULT, "fault"),
            (ErrorKind.NOT_FOUND, "not-found"),
            (ErrorKind.METHOD, "method"),
        ):
            with self.subTest(kind=kind):
                self.assertEqual(EXPLANATIONS[kind].move, BY_NAME[name].move)


class DoubtTests(FaceCase):
    """Words for each thing that can be wrong with a client or its address, as the protocol reports it."""

    def assertRefused(self, kind: ErrorKind, client: Client | None, **parameters: str) -> None:
        """Fail unless a request is refused with the words of some kind."""
        sent = Parameters.from_pairs(parameters.items())
        error = self.assertRaises(UntrustedRequestError, ReturnAddress.verify, client, sent)
        self.assertExplains(self.show(error), kind)

    def test_unknown_client(self) -> None:
        """A client that is not registered is called so."""
        self.assertRefused(ErrorKind.UNKNOWN_CLIENT, None, client_id="x", redirect_uri="https://x.example/")

    def test_redirect_uri(self) -> None:
        """A redirect URI that is not registered is called so."""
        self.assertRefused(ErrorKind.REDIRECT_URI, NOTES, client_id="notes", redirect_uri="https://evil.example/")
