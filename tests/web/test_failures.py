"""What an endpoint's failures become: for the browser, and for the log."""

from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.errors import failure
from tests.support.connection import REFERENCE, Bench, request, route
from tests.support.endpoints import raising

SECRET = "kc_at=verysecret"


class FailureTests(SynchronousTestCase):
    """What becomes of an endpoint's failures."""

    def setUp(self) -> None:
        """Keep what is logged."""
        self.events: list[dict[str, object]] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def logged(self, level: object) -> list[str]:
        """Return the lines of a level, with all that is in their events."""
        return [
            f"{event['log_format'].format_map(event)} {event!r}"  # type: ignore[attr-defined]
            for event in self.events
            if event["log_level"] is level and str(event["log_namespace"]).startswith("konnectd.")
        ]

    def test_known_failure_gets_its_face(self) -> None:
        """The endpoint's own face decides, and a client's mistake leaves one line with a reference."""
        refused = raising(OAuthError(ErrorCode.INVALID_GRANT, "spent"))
        answer = Bench.of(route("/x", refused)).ask(request("GET", f"/x?{SECRET}"))

        self.assertEqual((answer.status, b"invalid_grant" in answer.body), (400, True))
        (line,) = self.logged(LogLevel.info)
        facts = "at=x answered=json status=400 reason=other error=invalid_grant"
        self.assertIn(f"refused: spent [{REFERENCE}] {facts}", line)
        self.assertNotIn(SECRET, line)

    def test_unavailable_backend_is_a_warning_with_its_cause(self) -> None:
        """The operator learns what the client does not."""
        error = BackendUnavailableError("ldap.example does not answer")
        error.__cause__ = TimeoutError("after 5 s")
        answer = Bench.of(route("/x", raising(error))).ask(request("GET", "/x"))

        self.assertEqual((answer.status, b"ldap.example" in answer.body), (503, False))
        (line,) = self.logged(LogLevel.warn)
        self.assertIn("ldap.example does not answer (TimeoutError('after 5 s'))", line)

    def test_our_fault(self) -> None:
        """It is logged once with its traceback and a reference, which is all that the browser gets to know."""
        answer = Bench.of(route("/x", raising(ValueError("inner")))).ask(
            request("POST", f"/x?{SECRET}", f"Cookie: {SECRET}", f"Authorization: {SECRET}", body=SECRET.encode())
        )

        self.assertEqual(answer.status, 500)
        self.assertIn(REFERENCE.encode(), answer.body)
        self.assertNotIn(b"inner", answer.body)
        (line,) = self.logged(LogLevel.critical)
        self.assertIn(f"x: our fault, reference {REFERENCE}", line)
        self.assertNotIn(SECRET, line)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_failing_face(self) -> None:
        """A face that fails is our fault as well."""

        def face(*_args: object) -> HttpResponse:
            raise KeyError("face")

        failing = route("/x", raising(OAuthError(ErrorCode.INVALID_GRANT, "spent")), face=face)

        self.assertEqual(Bench.of(failing).ask(request("GET", "/x")).status, 500)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_failing_pages(self) -> None:
        """When even the page for our faults fails, there still is an answer."""

        def page(*_args: object) -> HttpResponse:
            raise KeyError("page")

        bench = Bench.of(route("/x", raising(ValueError("inner"))), failure=page, not_found=page)

        self.assertEqual(
            [bench.ask(request("GET", path)).status for path in ("/x", "/nowhere")],
            [500, 500],
        )
        self.assertEqual(len(self.flushLoggedErrors()), 4)

    def test_unsafe_headers_are_never_sent(self) -> None:
        """Text that got into a header unchecked does not become a header of its own."""
        unsafe = (b"X-A", b"b\r\nX-C: d"), (b"X-A", b"b\nc"), (b"X-A", b"\x00"), (b"X: A", b"b"), (b"", b"")
        ours = (b"content-Length", b"9"), (b"Transfer-Encoding", b"chunked"), (b"Connection", b"x"), (b"Date", b"x")
        for name, value in unsafe + ours:

            async def respond(_request: HttpRequest, header: tuple[bytes, bytes] = (name, value)) -> HttpResponse:
                return HttpResponse(headers=(header,), body=b"body")

            answer = Bench.of(route("/x", respond)).ask(request("GET", "/x"))
            with self.subTest(name=name, value=value):
                self.assertEqual((answer.status, answer.header("X-C")), (500, ""))
        self.assertEqual(len(self.flushLoggedErrors()), len(unsafe + ours))

    def test_unsafe_page_of_failure(self) -> None:
        """The page for our faults is not trusted with headers either."""

        def page(seen: HttpRequest, reference: str) -> HttpResponse:
            return failure(seen, reference).with_headers((b"X-A", b"b\r\nc: d"))

        answer = Bench.of(route("/x", raising(ValueError())), failure=page).ask(request("GET", "/x"))

        self.assertEqual((answer.status, answer.header("X-A")), (500, ""))
        self.assertEqual(len(self.flushLoggedErrors()), 2)
