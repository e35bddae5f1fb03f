"""Authorization requests over HTTP: who is redirected where, and what is refused with a page."""

from itertools import product
from urllib.parse import quote, urlencode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.texts import EXPLANATIONS
from konnectd.web.views import ErrorKind
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.fakes import claims_of
from tests.support.loglines import LogLines
from tests.support.markup import text_of
from tests.support.redirects import answer_of, without_query
from tests.support.requests import CALLBACK, ISSUER, MAIL, NOTES, PAGE, PROGRAM
from tests.support.strategies import HOSTILE_URIS
from tests.support.visitor import Visitor

#: Changes to a good request, each of which breaks a rule.
BROKEN: dict[str, dict[str, str | None]] = {
    "unsupported_response_type": {"response_type": "token"},
    "invalid_request": {"response_type": None},
    "invalid_scope": {"scope": "profile"},
    "invalid_request_object": {"request": "e30.e30."},
    "invalid_request_uri": {"request_uri": "https://evil.example/r"},
    "registration_not_supported": {"registration": "{}"},
    "login_required": {"prompt": "none"},
}
#: The characters a description may have. Spec: RFC 6749 4.1.2.1.
DESCRIPTION = r"\A[\x20-\x21\x23-\x5b\x5d-\x7e]+\Z"


class RequestCase(SynchronousTestCase):
    """Sends browsers to the authorization endpoint."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon()
        self.app = Application(self.daemon)
        self.visitor = Visitor(self.daemon)

    def assertPage(self, answer: Heard, kind: ErrorKind, status: int = 400) -> None:
        """Fail unless the answer is an error page of some kind, and leads nowhere."""
        self.assertEqual((answer.status, answer.header("Location"), answer.header("Set-Cookie")), (status, "", ""))
        self.assertIn(EXPLANATIONS[kind].title, text_of(answer.body))


class UntrustedTests(RequestCase):
    """Nobody is sent anywhere before client and redirect URI are proven."""

    def test_every_error_of_an_unproven_request_is_a_page(self) -> None:
        """Whatever else is wrong with a request, an unknown client or address comes first. Spec: RFC 9700 4.11."""
        wrong: tuple[tuple[ErrorKind, dict[str, str | None]], ...] = (
            (ErrorKind.UNKNOWN_CLIENT, {"client_id": "stranger"}),
            (ErrorKind.UNKNOWN_CLIENT, {"client_id": None}),
            (ErrorKind.REDIRECT_URI, {"redirect_uri": "https://evil.example/cb"}),
            (ErrorKind.REDIRECT_URI, {"redirect_uri": None}),
        )
        extra: tuple[dict[str, str | None], ...] = ({}, {"error": "x", "error_description": "y"}, {"max_age": "x"})
        for (kind, unproven), broken in product(wrong, (*BROKEN.values(), *extra)):
            answer = self.daemon.get(self.app.url(**{**broken, **unproven}))
            # The address may stand in the object, so what is wrong with that is told first.
            by_object = kind is ErrorKind.REDIRECT_URI and not {"request", "request_uri"}.isdisjoint(broken)
            with self.subTest(unproven=unproven, broken=broken):
                self.assertPage(answer, ErrorKind.MALFORMED_REQUEST if by_object else kind)

    def test_hostile_addresses(self) -> None:
        """No way to write another address passes as the registered one, signed in or not."""
        self.app.sign_in(self.visitor)
        for uri, client in product(HOSTILE_URIS, (MAIL, PROGRAM)):
            url = Application(self.daemon, client).url(redirect_uri=uri)
            answer = self.visitor.send("GET", f"{self.daemon.origin}{url}")
            with self.subTest(uri=uri):
                self.assertEqual((answer.status, answer.header("Location")), (400, ""))
                self.assertNotIn(b"evil", answer.body)

    def test_raw_hostile_addresses(self) -> None:
        """Nor does one that a careless reader decodes twice, or not at all."""
        good = urlencode(self.app.parameters(redirect_uri=None))
        for raw in (
            quote(CALLBACK, safe="").replace("%3A", "%253A"),
            CALLBACK + "%0d%0aLocation:%20https://evil.example",
            CALLBACK + "%00",
            CALLBACK + "%23",
            CALLBACK + "%E2%80%AE",
            CALLBACK + "%FF",
            CALLBACK + "%",
            CALLBACK + "%zz",
            CALLBACK + "+",
        ):
            answer = self.daemon.get(f"{self.daemon.settings.paths.authorize}?{good}&redirect_uri={raw}")
            with self.subTest(raw=raw):
                self.assertEqual((answer.status, answer.header("Location")), (400, ""))

    def test_loopback(self) -> None:
        """A program's port is its own business; host, path, query and spelling are not. Spec: RFC 8252 7.3."""
        app = Application(self.daemon, PROGRAM)
        for uri, good in (
            ("http://127.0.0.1/cb?a=1", True),
            ("http://127.0.0.1:49152/cb?a=1", True),
            ("http://[::1]:1/cb", True),
            ("http://localhost:1/cb", True),
            ("org.example.program:/cb", True),
            ("http://127.0.0.1:49152/cb", False),
            ("http://127.0.0.1:49152/cb?a=2", False),
            ("http://127.0.0.1:49152/cb?a=1&b=2", False),
            ("http://127.0.0.2:49152/cb?a=1", False),
            ("http://localhost:49152/cb?a=1", False),
            ("http://LOCALHOST:1/cb", False),
            ("http://127.0.0.1:80@evil.example/cb?a=1", False),
            ("http://127.0.0.1.evil.example:1/cb?a=1", False),
            ("https://127.0.0.1:1/cb?a=1", False),
            ("org.example.program:/cb2", False),
        ):
            answer = self.daemon.get(app.url(redirect_uri=uri, prompt="none"))
            with self.subTest(uri=uri):
                self.assertEqual(answer.status, 302 if good else 400)
                if good:
                    self.assertTrue(answer.header("Location").startswith(uri))

    def test_repeated_parameters(self) -> None:
        """What is there twice is an error, also with the same value, empty, or once in the body. Spec: RFC 6749 3.1."""
        path = self.daemon.settings.paths.authorize
        for name, value in (*self.app.parameters().items(), ("prompt", "none"), ("unheard-of", "x"), ("konnect", "")):
            good = urlencode(self.app.parameters())
            once, twice = f"{name}={quote(value)}", f"{name}={quote(value)}&{name}="
            more = once if name in self.app.parameters() else twice
            for answer in (
                self.daemon.get(f"{path}?{good}&{more}"),
                self.daemon.post(path, f"{good}&{more}"),
                self.daemon.post(f"{path}?{good}&{once}", twice),
            ):
                with self.subTest(name=name):
                    self.assertPage(answer, ErrorKind.MALFORMED_REQUEST)

    def test_malformed_requests(self) -> None:
        """What is not form-encoded, or not a form, is an error in plain words."""
        path, good = self.daemon.settings.paths.authorize, urlencode(self.app.parameters())
        many = "&".join(f"a{n}=1" for n in range(101))
        for answer in (
            *(self.daemon.get(f"{path}?{good}&x={raw}") for raw in ("%", "%0", "%zz", "%ff", "%00", "%c0%af")),
            self.daemon.get(f"{path}?{good}&{many}"),
            self.daemon.ask("POST", path, "Content-Type: application/json", body=b"{}"),
            self.daemon.ask("POST", path, "Content-Type: multipart/form-data; boundary=a", body=b"--a"),
            self.daemon.post(path, "%ff"),
        ):
            self.assertPage(answer, ErrorKind.MALFORMED_REQUEST)

    def test_reference(self) -> None:
        """A page says a reference that finds the line in the log of an operator who changed nothing."""
        log = LogLines(self)
        for url in (
            self.app.url(client_id="stranger"),
            self.app.url(redirect_uri="https://evil.example/cb"),
            self.app.url() + "&state=2",
            "/nowhere?code=secret",
        ):
            text = text_of(self.daemon.get(url).body)
            reference = text.partition("Reference ")[2]
            with self.subTest(url=url):
                self.assertRegex(reference, r"\AE[A-Za-z0-9_-]{12}\Z")
                self.assertEqual(len(log.about(reference)), 1, log.text())


class RefusedTests(RequestCase):
    """A proven client is told what is wrong with its request."""

    def test_errors(self) -> None:
        """Code, state and issuer come back in the query, and what a refusal says about the session, but nothing else.

        Spec: RFC 6749 4.1.2.1; RFC 9207 2.
        """
        for code, broken in BROKEN.items():
            answer = self.daemon.get(self.app.url(**{"state": "s " + "-._~" * 30, **broken}))
            location = answer.header("Location")
            told = answer_of(location)
            with self.subTest(code=code):
                self.assertEqual((answer.status, without_query(location)), (302, CALLBACK))
                self.assertEqual(told.keys() - {"session_state"}, {"error", "error_description", "state", "iss"})
                self.assertEqual((told["error"], told["iss"]), (code, ISSUER))
                self.assertEqual(told["state"], "s " + "-._~" * 30)
                self.assertRegex(told["error_description"], DESCRIPTION)
                self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_further_rules(self) -> None:
        """Each value that means nothing is an invalid request."""
        changes: tuple[dict[str, str | None], ...] = (
            {"response_mode": "pigeon"},
            {"response_type": "code id_token", "nonce": None},
            {"prompt": "none login"},
            {"max_age": "-1"},
            {"max_age": "1.5"},
            {"max_age": "\u0661"},
            {"code_challenge": "short"},
            {"code_challenge_method": "plain"},
            {"code_challenge": None},
            {"state": "s" * 2049},
            {"nonce": "n" * 2049},
            {"id_token_hint": "a.b.c"},
        )
        for change in changes:
            told = answer_of(self.daemon.get(self.app.url(**change)).header("Location"))
            with self.subTest(change=change):
                self.assertEqual(told["error"], "invalid_request")

    def test_proof_key_of_public_clients(self) -> None:
        """A client without a secret needs one, by S256; a confidential one may go without. Spec: RFC 9700 2.1.1."""
        none: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
        public, confidential = (
            self.daemon.get(Application(self.daemon, client).url(**none)).header("Location") for client in (PAGE, MAIL)
        )
        unnamed = self.daemon.get(Application(self.daemon, PAGE).url(code_challenge_method=None)).header("Location")

        self.assertEqual(answer_of(public)["error"], "invalid_request")
        self.assertEqual(answer_of(unnamed)["error"], "invalid_request")
        self.assertEqual(without_query(confidential), self.daemon.settings.paths.identifier)

    def test_planted_parameters(self) -> None:
        """What the registered address has in its query stays, except under names of ours. Spec: RFC 6749 3.1.2."""
        planted = "https://notes.example.org/cb?tenant=1&code=planted"
        app = Application(self.daemon, NOTES, planted)
        refused = answer_of(app.arrive(self.visitor, prompt="none").url)
        page = app.sign_in(self.visitor)
        allowed = app.told(self.visitor.submit(page, allow="1"))

        self.assertEqual(refused.keys(), {"tenant", "error", "error_description", "state", "iss", "session_state"})
        self.assertEqual(allowed.keys(), {"tenant", "code", "state", "iss", "session_state"})
        self.assertEqual(allowed["tenant"], "1")
        self.assertNotEqual(allowed["code"], "planted")

    def test_what_is_too_long_for_our_pages(self) -> None:
        """A request that could not be carried through the pages is refused before the first one."""
        answer = self.daemon.get(self.app.url(extra="x" * 9000))

        self.assertPage(answer, ErrorKind.MALFORMED_REQUEST)


class AcceptedTests(RequestCase):
    """Requests that are right, however they are written."""

    def test_by_post(self) -> None:
        """A posted request is as good, and its answer makes the browser GET. Spec: OIDC Core 3.1.2.1."""
        path = self.daemon.settings.paths.authorize
        page = self.visitor.post(path, self.app.parameters())
        visit = self.visitor.submit(page, username="alice", password="wonderland")
        again = self.visitor.send("POST", f"{ISSUER}{path}", urlencode(self.app.parameters()))

        self.assertEqual(page.path, self.daemon.settings.paths.identifier)
        self.assertEqual(self.app.told(visit)["state"], "state-1")
        self.assertEqual((again.status, "code" in answer_of(again.header("Location"))), (303, True))

    def test_parameters_that_change_nothing(self) -> None:
        """What is optional, unknown or empty does not stand in the way. Spec: OIDC Core 3.1.2.1."""
        changes: tuple[dict[str, str | None], ...] = (
            {"nonce": None},
            {"state": None},
            {"scope": "email openid unheard-of"},
            {"display": "popup"},
            {"claims_locales": "se"},
            {"ui_locales": "se"},
            {"acr_values": "1 2"},
            {"claims": '{"userinfo":{"name":{"essential":true}}}'},
            {"claims": '{"userinfo":{"shoe_size":null},"unheard-of":7}'},
            {"extra": "foobar"},
            {"prompt": "unheard-of"},
            {"request": ""},
            {"response_mode": "query"},
            {"code_challenge": None, "code_challenge_method": None},
        )
        for change in changes:
            told = self.app.told(self.app.sign_in(Visitor(self.daemon), **change))
            with self.subTest(change=change):
                state = {"state"} if change.get("state", "") is not None else set()
                expected = {"code", "iss", "session_state"} | state
                self.assertEqual(told.keys(), expected)

    def test_claims_are_never_echoed(self) -> None:
        """Nobody becomes somebody else by asking for a claim with a value."""
        wanted = '{"id_token":{"sub":null,"groups":{"value":["admins"]},"aud":null},"userinfo":{"sub":null}}'
        tokens = json_of(self.app.redeem(self.app.code(claims=wanted)))
        claims = claims_of(tokens["id_token"])

        self.assertEqual((claims["aud"], claims["groups"]), ("mail", ["wonderland", "readers"]))
        self.assertEqual(json_of(self.app.userinfo(tokens["access_token"])), {"sub": claims["sub"]})

    def test_code(self) -> None:
        """A code has 256 bit of chance and is never the same."""
        self.app.sign_in(self.visitor)
        codes = {self.app.told(self.app.arrive(self.visitor))["code"] for _ in range(20)}

        self.assertEqual(len(codes), 20)
        for code in codes:
            self.assertRegex(code, r"\A[A-Za-z0-9_-]{65}\Z")

    def test_errors_of_others_are_ignored(self) -> None:
        """Nobody ends a request by adding an error to it."""
        told = self.app.told(self.app.sign_in(self.visitor, error="access_denied", error_description="x"))

        self.assertEqual(told.keys(), {"code", "state", "iss", "session_state"})
