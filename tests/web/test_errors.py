"""What programs are told when something is wrong."""

import json

from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import BearerTokenError, InvalidClientError, OAuthError
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.errors import as_challenge, as_json, failure, method_not_allowed, not_found, plain
from konnectd.web.route import Face

ASKED = HttpRequest(method="POST", path="/token", query="code=secret")
REFERENCE = "ref-1"


def told(face: Face, error: Exception) -> HttpResponse:
    """Return the answer of a face that must know a failure."""
    answer = face(error, ASKED, REFERENCE)
    if answer is None:
        raise AssertionError(f"no face for {error!r}")
    return answer


class JsonTests(SynchronousTestCase):
    """The face of the token and registration endpoints."""

    def test_broken_rule(self) -> None:
        """Code and description, and nobody keeps them."""
        answer = told(as_json, OAuthError(ErrorCode.INVALID_GRANT, "spent"))

        self.assertEqual(answer.status, 400)
        self.assertEqual(json.loads(answer.body), {"error": "invalid_grant", "error_description": "spent"})
        self.assertEqual(dict(answer.headers)[b"Cache-Control"], b"no-store")

    def test_statuses(self) -> None:
        """Our side's failures are not the client's."""
        for code, status in (
            (ErrorCode.INVALID_REQUEST, 400),
            (ErrorCode.SERVER_ERROR, 500),
            (ErrorCode.TEMPORARILY_UNAVAILABLE, 503),
        ):
            with self.subTest(code=code):
                self.assertEqual(told(as_json, OAuthError(code, "x")).status, status)

    def test_client(self) -> None:
        """It is challenged."""
        answer = told(as_json, InvalidClientError("wrong secret"))

        self.assertEqual((answer.status, dict(answer.headers)[b"WWW-Authenticate"]), (401, b'Basic realm="konnectd"'))

    def test_backend_does_not_answer(self) -> None:
        """The client may try again, and learns nothing of what is behind us."""
        answer = told(as_json, BackendUnavailableError("ldap://10.0.0.1 timed out"))

        self.assertEqual((answer.status, b"10.0.0.1" in answer.body), (503, False))
        self.assertIn(REFERENCE, json.loads(answer.body)["error_description"])
        self.assertIn(b"Retry-After", dict(answer.headers))

    def test_our_fault_has_no_face(self) -> None:
        """It is not for a face to explain."""
        for face in (as_json, as_challenge):
            self.assertIsNone(face(ValueError("inner"), ASKED, REFERENCE))


class ChallengeTests(SynchronousTestCase):
    """The face of endpoints that want an access token."""

    def test_nothing_was_tried(self) -> None:
        """The challenge says what is needed and no more."""
        answer = told(as_challenge, BearerTokenError(ErrorCode.INVALID_REQUEST, "no token", bare=True))

        self.assertEqual((answer.status, dict(answer.headers)[b"WWW-Authenticate"]), (401, b'Bearer realm="konnectd"'))

    def test_statuses(self) -> None:
        """Each code has the status that its specification gives it."""
        for code, status in (
            (ErrorCode.INVALID_REQUEST, 400),
            (ErrorCode.INVALID_TOKEN, 401),
            (ErrorCode.INSUFFICIENT_SCOPE, 403),
        ):
            answer = told(as_challenge, BearerTokenError(code, "why"))
            with self.subTest(code=code):
                self.assertEqual(answer.status, status)
                self.assertIn(
                    f'Bearer realm="konnectd", error="{code}", error_description="why"'.encode(),
                    dict(answer.headers)[b"WWW-Authenticate"],
                )

    def test_description_can_not_leave_its_quotes(self) -> None:
        """Whatever somebody put into it."""
        answer = told(as_challenge, BearerTokenError(ErrorCode.INVALID_TOKEN, 'a", x="\\\r\nB: é'))

        self.assertIn(b'error_description="a?, x=????B: ?"', dict(answer.headers)[b"WWW-Authenticate"])

    def test_other_failures(self) -> None:
        """They look as at the token endpoint, and the other way round."""
        refused = OAuthError(ErrorCode.INVALID_REQUEST, "x")
        bearer = BearerTokenError(ErrorCode.INVALID_TOKEN, "x")

        self.assertEqual(told(as_challenge, refused), told(as_json, refused))
        self.assertEqual(told(as_json, bearer), told(as_challenge, bearer))


class PlainTests(SynchronousTestCase):
    """Answers of the server itself."""

    def test_nothing_of_what_was_asked_comes_back(self) -> None:
        """So there is nothing to inject."""
        for answer in (plain(400), not_found(ASKED, REFERENCE), method_not_allowed(b"GET"), failure(ASKED, REFERENCE)):
            with self.subTest(status=answer.status):
                self.assertNotIn(b"token", answer.body)
                self.assertNotIn(b"secret", answer.body)
                self.assertEqual(dict(answer.headers)[b"Content-Type"], b"text/plain; charset=utf-8")

    def test_our_fault_has_a_reference(self) -> None:
        """It is how a person names the failure to the operator."""
        self.assertIn(REFERENCE.encode(), failure(ASKED, REFERENCE).body)
