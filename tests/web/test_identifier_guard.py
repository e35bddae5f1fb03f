"""The identifier API over HTTP: who may ask, and what is no call.

Faults of Konnect that are named here have the numbers they have in the list that the description of its identifier
closes with.
"""

import json

from konnectd.web.identifier_api import LARGEST_BODY
from tests.support.api_case import CALLS, GOOD, ORIGIN, ApiCase
from tests.support.front_end import GUARD, INNER, JSON_HEADER, STATE_HEADER
from tests.support.requests import ISSUER


class GuardTests(ApiCase):
    """Who may ask."""

    def refused(self, *headers: str) -> set[tuple[int, bytes, str]]:
        """Return how all calls are answered with some headers."""
        answers = [self.front.post(name, json.dumps({"state": "s", **GOOD[name]}), *headers) for name in CALLS]
        return {(answer.status, answer.body, answer.header("Set-Cookie")) for answer in answers}

    def test_refused(self) -> None:
        """What is not proven to come from a page of ours is refused without a word, and nobody is signed in."""
        neighbor = "Origin: https://id.example.com.evil.example"
        for headers in (
            (ORIGIN,),
            ("Kopano-Konnect-XSRF: 0", ORIGIN),
            ("Kopano-Konnect-XSRF: 1 1", ORIGIN),
            (GUARD, GUARD, ORIGIN),
            (GUARD,),
            (GUARD, "Origin: https://evil.example"),
            (GUARD, "Origin: https://evil.example", f"Referer: {ISSUER}/signin/v1/identifier"),
            (GUARD, "Origin: null"),
            (GUARD, "Origin: null", "Sec-Fetch-Site: same-origin"),
            (GUARD, ORIGIN.replace("https", "http")),
            (GUARD, f"{ORIGIN}:8443"),
            (GUARD, ORIGIN, neighbor),
            (GUARD, neighbor),
            (GUARD, "Referer: https://evil.example/?https://id.example.com/"),
            (GUARD, "Referer: nonsense"),
            (GUARD, "Origin: http://[::1"),
            (GUARD, ORIGIN, "Sec-Fetch-Site: cross-site"),
            (GUARD, ORIGIN, "Sec-Fetch-Site: same-site"),
        ):
            self.assertEqual(self.refused(*headers), {(400, b"400 Bad Request\n", "")}, headers)

    def test_let_in(self) -> None:
        """A page of ours is let in by its origin, with the default port or without, or by its referrer alone."""
        for headers in (
            (GUARD, ORIGIN),
            (GUARD, f"{ORIGIN}:443"),
            (GUARD, ORIGIN, "Sec-Fetch-Site: same-origin"),
            (GUARD, f"Referer: {ISSUER}/signin/v1/identifier?client_id=x"),
            (GUARD, ORIGIN, "Referer: https://evil.example/"),
        ):
            answer = self.front.post("logoff", "{}", *headers)

            self.assertEqual(answer.status, 200, headers)

    def test_host_proves_nothing(self) -> None:
        """A name that somebody let lead here (DNS rebinding) is not ours, though host and origin agree on it."""
        body = json.dumps({"params": ["alice", "wonderland", "1"]}).encode()
        lines = (JSON_HEADER, GUARD, "Origin: https://evil.example", "X-Forwarded-Host: evil.example")
        answer = self.daemon.ask("POST", f"{INNER}logon", *lines, body=body)

        self.assertEqual(answer.status, 400)

    def test_other_origins_get_no_leave(self) -> None:
        """A browser that asks for a script of another origin is granted nothing."""
        answer = self.daemon.ask(
            "OPTIONS",
            f"{INNER}logon",
            "Origin: https://evil.example",
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: kopano-konnect-xsrf",
        )

        self.assertEqual([name for name, _ in answer.headers if name.startswith("Access-Control")], [])

    def test_other_methods(self) -> None:
        """The calls are posts; the consent page of ours, which shares a path, has its GET."""
        for name in ("hello", "logon", "logoff"):
            self.assertEqual(self.daemon.get(INNER + name).status, 405, name)
        self.assertEqual(self.daemon.ask("PUT", f"{INNER}consent").status, 405)

    def test_form_of_our_page_goes_to_the_page(self) -> None:
        """What our own consent page posts is not taken for a call, and a call with a form's type is none."""
        page = self.visitor.post(f"{INNER}consent", {"allow": "1"}, ORIGIN)
        call = self.front.post("consent", "allow=1", GUARD, ORIGIN, body_header="")

        self.assertIn("text/html", page.answer.header("Content-Type"))
        self.assertEqual((call.status, call.header("Content-Type")), (400, "text/plain; charset=utf-8"))


class BodyTests(ApiCase):
    """What is no call: 400 with a line of text, never our fault."""

    def assertRefused(self, body: str | bytes, name: str = "logon", body_header: str = JSON_HEADER) -> None:
        """Fail unless a body is refused."""
        content = body if isinstance(body, bytes) else body.encode()
        lines = [body_header] if body_header else []
        answer = self.daemon.ask("POST", INNER + name, *lines, GUARD, ORIGIN, body=content)

        self.assertEqual((answer.status, answer.header("Set-Cookie")), (400, ""), (name, content[:80]))
        self.assertTrue(answer.body.startswith(b"400 Bad Request - "), answer.body)
        self.assertEqual(answer.header("Content-Type"), "text/plain; charset=utf-8")
        self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")

    def test_hostile(self) -> None:
        """Whatever is sent that is no JSON object of known members is refused by every call."""
        for name in CALLS:
            for body in (
                *("", " ", "x", "null", "1", '"x"', "[]", "true", "{", '{"state": "a"} {}', '{"state": "a",}'),
                *('{"state": NaN}', '{"state": Infinity}', '{"state": -Infinity}', '{"state": 1}', '{"state": ["a"]}'),
                *('{"state": "a", "state": "b"}', '{"State": "a"}', '{"nobody": 1}', '{"state": {"a": 1}}'),
                *(b"\xff", b'{"state": "\xff"}', "\ufeff{}", '{"state": "\\ud800"}', '{"state": "a\\r\\nX: y"}'),
                *('{"state": " a"}', '{"state": "\\u00e4"}', '{"state": "%s"}' % ("a" * 1025)),
                *("[" * 30000, '{"state":' * 3000, '{"state": %s}' % ("9" * 5000)),
            ):
                self.assertRefused(body, name)

    def test_too_large(self) -> None:
        """No body is read that is larger than any front end's. Row 17: no limit at all."""
        self.assertRefused(json.dumps({"state": "a", "params": ["x" * LARGEST_BODY]}))

    def test_other_types(self) -> None:
        """A form can be sent by any page, so only JSON counts."""
        for header in ("", "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded"):
            self.assertRefused("{}", "logoff", header)

    def test_members_of_other_types(self) -> None:
        """Each member has one type."""
        for name, members in (
            ("hello", {"flow": 1}),
            ("hello", {"scope": ["openid"]}),
            ("hello", {"scope": 'a"b'}),
            ("hello", {"prompt": True}),
            ("hello", {"max_age": 10}),
            ("hello", {"max_age": "1.5"}),
            ("hello", {"max_age": "-1"}),
            ("hello", {"max_age": "9" * 12}),
            ("hello", {"redirect_uri": {}}),
            ("hello", {"id_token_hint": 1}),
            ("logon", {}),
            ("logon", {"params": []}),
            ("logon", {"params": "alice"}),
            ("logon", {"params": {"0": "alice"}}),
            ("logon", {"params": ["alice", 1, "1"]}),
            ("logon", {"params": ["alice", None, "1"]}),
            ("logon", {"params": ["alice", "a\ud800", "1"]}),
            ("logon", {"params": ["a\x00", "x", "1"]}),
            ("logon", {"params": ["a"] * 17}),
            ("logon", {"params": ["alice", "wonderland", "1"], "hello": "x"}),
            ("logon", {"params": ["alice", "wonderland", "1"], "hello": {"max_age": "x"}}),
            ("logon", {"params": ["alice", "wonderland", "1"], "hello": {"prompt": "none"}}),
            ("consent", {"state": "s", "allow": "true"}),
            ("consent", {"state": "s", "allow": 1}),
            ("consent", {"allow": True}),
        ):
            self.assertRefused(json.dumps(members), name)

    def test_null_is_nothing(self) -> None:
        """A member that is null is as if it were not there."""
        answer = self.front.call("hello", state=None, max_age=None, flow=None)

        self.assertEqual((answer.status, answer.header(STATE_HEADER)), (204, ""))
