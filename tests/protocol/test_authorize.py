"""The authorization request: the proof of its address, its contents, and the way back."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, quote

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.modes.query import deliver
from konnectd.protocol.authorize import (
    INTERNAL_PARAMETERS,
    LONGEST_OPAQUE,
    RESPONSE_PARAMETERS,
    AuthorizationRequest,
    ReturnAddress,
    add_to_query,
    fingerprint,
)
from konnectd.protocol.client import Client
from konnectd.protocol.errors import Doubt, OAuthError, UntrustedRequestError
from konnectd.protocol.response_type import CODE_ONLY
from konnectd.protocol.vocabulary import ErrorCode, Prompt
from tests.support.redirects import answer_of, without_query
from tests.support.requests import (
    CALLBACK,
    CHALLENGE,
    CLIENTS,
    ISSUER,
    NOTES,
    PAGE,
    PROGRAM,
    address_of,
    form,
    request_of,
    sent,
)
from tests.support.strategies import CHANGES, HOSTILE_URIS, TEXT


def located(address: ReturnAddress, pairs: Iterable[tuple[str, str]]) -> str:
    """Return where an answer in the query goes."""
    return deliver(address, address.answer(pairs)).location


class ReturnAddressTests(SynchronousTestCase):
    """The proof that an address is the client's own."""

    def test_good(self) -> None:
        """A registered address is proven, and holds the state that has to go back."""
        address = ReturnAddress.verify(NOTES, sent())

        self.assertEqual((address.client, address.redirect_uri, address.state), (NOTES, CALLBACK, "state-1"))

    def test_doubts(self) -> None:
        """An unknown client or address has no proof, and it is told whose move it is."""
        cases = (
            (None, sent(client_id=None), Doubt.CLIENT),
            (NOTES, sent(client_id=None), Doubt.CLIENT),
            (None, sent(client_id="stranger"), Doubt.CLIENT),
            (NOTES, sent(redirect_uri=None), Doubt.REDIRECT_URI),
            (NOTES, sent(redirect_uri=""), Doubt.REDIRECT_URI),
            (PROGRAM, sent(client_id="program"), Doubt.REDIRECT_URI),
            *((NOTES, sent(redirect_uri=uri), Doubt.REDIRECT_URI) for uri in HOSTILE_URIS),
        )
        for client, parameters, doubt in cases:
            with self.assertRaises(UntrustedRequestError, msg=str(list(parameters.items()))) as caught:
                ReturnAddress.verify(client, parameters)

            self.assertEqual((caught.exception.code, caught.exception.doubt), ("invalid_request", doubt))

    def test_planted_answer(self) -> None:
        """What a registered URI has under our names gives way, so that every reader finds the one answer."""
        address = address_of(redirect_uri="https://notes.example.org/cb?tenant=1&code=planted")
        location = located(address, [("code", "code-1"), ("iss", ISSUER)])

        self.assertEqual(answer_of(location), {"tenant": "1", "code": "code-1", "iss": ISSUER, "state": "state-1"})

    def test_disguised_answer(self) -> None:
        """Our names are recognized however they are encoded, and without a value."""
        uri = "https://rp.example/cb?%63ode=x&st%61te&error=&iss=a&a=1&session_state=2&codes=3"
        address = ReturnAddress.verify(Client(client_id="notes", redirect_uris=(uri,)), sent(redirect_uri=uri))

        self.assertEqual(
            located(address, [("code", "1"), ("iss", "2")]),
            "https://rp.example/cb?a=1&codes=3&code=1&iss=2&state=state-1",
        )

    def test_query_is_kept_as_it_is(self) -> None:
        """A registered query is kept byte for byte, be it no form at all."""
        for query in ("a=b%20c+d", "route/to", "x=%ff", "a=1;b=2", "a=%2f", "a", "a=1&a=2"):
            uri = f"https://rp.example/cb?{query}"
            address = ReturnAddress.verify(Client(client_id="notes", redirect_uris=(uri,)), sent(redirect_uri=uri))

            self.assertEqual(located(address, [("code", "1")]), f"{uri}&code=1&state=state-1")

    def test_without_state(self) -> None:
        """No state is sent back when none came, not even an empty one."""
        for state in (None, ""):
            self.assertEqual(located(address_of(state=state), [("code", "1")]), f"{CALLBACK}?code=1")

    def test_refusal(self) -> None:
        """The client is told what is wrong, by whom, and about which request."""
        error = OAuthError(ErrorCode.ACCESS_DENIED, "the person did not agree")

        self.assertEqual(
            dict(address_of().refusal(error, ISSUER)),
            {
                "error": "access_denied",
                "error_description": "the person did not agree",
                "iss": ISSUER,
                "state": "state-1",
            },
        )

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(sorted(RESPONSE_PARAMETERS)), TEXT), unique_by=lambda p: p[0]), TEXT)
    def test_nothing_breaks_out(self, pairs: list[tuple[str, str]], state: str) -> None:
        """Whatever is sent back arrives as it is, as one ASCII query behind the registered URI."""
        pairs = [pair for pair in pairs if pair[0] != "state"]
        location = located(address_of(state=state), pairs) if pairs or state else f"{CALLBACK}?"

        self.assertEqual(without_query(location), CALLBACK)
        self.assertRegex(location, r"\A[A-Za-z0-9:/?&=%._~-]+\Z")
        self.assertEqual(
            parse_qsl(location.partition("?")[2], keep_blank_values=True),
            pairs + ([("state", state)] if state else []),
        )

    def test_for_people_and_policies(self) -> None:
        """The host that people are shown and the origin that policies name are those of the address."""
        cases = {
            CALLBACK: ("https://notes.example.org", "notes.example.org"),
            "http://127.0.0.1:51004/cb?a=1": ("http://127.0.0.1:51004", "127.0.0.1:51004"),
            "org.example.program:/cb": ("org.example.program:", "org.example.program:"),
        }
        for uri, wanted in cases.items():
            client = NOTES if uri == CALLBACK else PROGRAM
            address = ReturnAddress.verify(client, sent(redirect_uri=uri))

            self.assertEqual((address.origin, address.host), wanted)

    def test_address_without_sense(self) -> None:
        """An address that could not have been proven names no origin and no host."""
        address = ReturnAddress(NOTES, "https://[")

        self.assertEqual((address.origin, address.host), ("", ""))


class AddToQueryTests(SynchronousTestCase):
    """Adding to a query."""

    def test_empty_query(self) -> None:
        """A lone question mark is not doubled."""
        self.assertEqual(
            add_to_query("https://rp.example/?", [("a", "b c")], frozenset()), "https://rp.example/?a=b%20c"
        )

    def test_empty_parts(self) -> None:
        """Parts of nothing are dropped."""
        self.assertEqual(add_to_query("org.example:/?&x&&", [("a", "&")], frozenset()), "org.example:/?x&a=%26")


class ContentsTests(SynchronousTestCase):
    """What a request asks for."""

    def test_implicit_scopes(self) -> None:
        """What a client asks for by its registration is asked for once, and is no openid."""
        client = evolve(NOTES, implicit_scopes=("groups", "email", "openid"))

        self.assertEqual(request_of(client).scope.tokens, ("openid", "profile", "email", "groups"))
        with self.assertRaises(OAuthError):
            request_of(client, scope="profile")

    def test_good(self) -> None:
        """A good request is read as it was meant."""
        request = request_of(
            prompt="login consent dance", max_age="300", login_hint="alice", ui_locales="de en", id_token_hint="a.b.c"
        )

        self.assertEqual(request.client, NOTES)
        self.assertEqual(request.scope.tokens, ("openid", "profile", "email"))
        self.assertEqual((request.response_type, request.return_address.response_mode), (CODE_ONLY, "query"))
        self.assertEqual((request.nonce, request.code_challenge), ("nonce-1", CHALLENGE))
        self.assertEqual(request.prompt, {Prompt.LOGIN, Prompt.CONSENT})
        self.assertEqual(request.max_age, 300)
        self.assertEqual((request.login_hint, request.ui_locales, request.id_token_hint), ("alice", "de en", "a.b.c"))

    def test_least(self) -> None:
        """What may be left out, may."""
        request = request_of(nonce=None, state=None, code_challenge=None, code_challenge_method=None, scope="openid")

        self.assertEqual((request.prompt, request.max_age, request.code_challenge), (frozenset(), None, ""))

    def test_refused(self) -> None:
        """Each broken rule is refused by its code."""
        cases: tuple[tuple[dict[str, str | None], str], ...] = (
            ({"response_type": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code code"}, "unsupported_response_type"),
            ({"response_type": "Code"}, "unsupported_response_type"),
            ({"response_mode": "pigeon"}, "invalid_request"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"response_type": "id_token", "nonce": None}, "invalid_request"),
            ({"response_type": "id_token", "response_mode": "query"}, "invalid_request"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": "profile email"}, "invalid_scope"),
            ({"scope": "OPENID"}, "invalid_scope"),
            ({"scope": 'openid "'}, "invalid_scope"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"prompt": "none none-such"}, "invalid_request"),
            ({"max_age": "-1"}, "invalid_request"),
            ({"max_age": "+1"}, "invalid_request"),
            ({"max_age": "1.5"}, "invalid_request"),
            ({"max_age": " 1"}, "invalid_request"),
            ({"max_age": "\u0661"}, "invalid_request"),
            ({"max_age": "\u00b2"}, "invalid_request"),
            ({"max_age": "9" * 12}, "invalid_request"),
            ({"max_age": "9" * 5000}, "invalid_request"),
            ({"request": "a.b.c"}, "request_not_supported"),
            ({"request_uri": "https://rp.example/r"}, "request_uri_not_supported"),
            ({"registration": "{}"}, "registration_not_supported"),
            ({"state": "s" * (LONGEST_OPAQUE + 1)}, "invalid_request"),
            ({"nonce": "n" * (LONGEST_OPAQUE + 1)}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
        )
        for changes, code in cases:
            with self.assertRaises(OAuthError, msg=str(changes)[:80]) as caught:
                request_of(**changes)

            self.assertEqual(caught.exception.code, code, changes)
            self.assertNotIsInstance(caught.exception, UntrustedRequestError)

    def test_accepted_at_the_edge(self) -> None:
        """The largest and the strangest that is allowed is accepted."""
        for changes in (
            {"state": "s" * LONGEST_OPAQUE, "nonce": "n" * LONGEST_OPAQUE},
            {"prompt": "none"},
            {"prompt": "  none  "},
            {"prompt": "unheard-of"},
            {"response_mode": "query"},
            {"max_age": "0"},
            {"max_age": "9" * 11},
        ):
            self.assertEqual(request_of(**changes).client, NOTES, changes)

    def test_public_client_needs_pkce(self) -> None:
        """A client that can keep no secret has to send a challenge."""
        with self.assertRaises(OAuthError):
            request_of(PAGE, code_challenge=None, code_challenge_method=None)

        self.assertEqual(request_of(PAGE).code_challenge, CHALLENGE)

    def test_hints_are_cut(self) -> None:
        """What is only for show does not grow beyond measure."""
        request = request_of(login_hint="a" * 1000, ui_locales="b" * 1000)

        self.assertEqual((request.login_hint, request.ui_locales), ("a" * 256, "b" * 256))

    @settings(deadline=None, max_examples=300)
    @given(st.sampled_from(CLIENTS), CHANGES)
    def test_any_request(self, client: Client, changes: dict[str, str | None]) -> None:
        """Whatever is sent is refused with a code, or is a request for openid at a registered address."""
        parameters = sent(**changes)
        try:
            request = AuthorizationRequest.parse(ReturnAddress.verify(client, parameters), parameters)
        except OAuthError as error:
            self.assertIn(error.code, set(ErrorCode))
            return

        self.assertTrue(client.allows_redirect_uri(request.return_address.redirect_uri))
        self.assertIn("openid", request.scope)
        self.assertTrue(Prompt.NONE not in request.prompt or request.prompt == {Prompt.NONE})
        self.assertTrue(request.code_challenge or not client.public)


class FingerprintTests(SynchronousTestCase):
    """The digest that binds what a person decides to one request."""

    def test_our_own_parameters_do_not_count(self) -> None:
        """On its way through our pages a request stays the same request."""
        grown = sent(**dict.fromkeys(INTERNAL_PARAMETERS, "x"))

        self.assertEqual(fingerprint(grown), fingerprint(sent()))

    def test_order_does_not_count(self) -> None:
        """The same parameters in another order are the same request."""
        self.assertEqual(fingerprint(form(a="1", b="2")), fingerprint(form(b="2", a="1")))

    def test_everything_else_counts(self) -> None:
        """A request that differs in anything the client sent is another one."""
        others = [
            sent(**{name: "other"}) for name in ("client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "x")
        ]
        prints = {fingerprint(parameters) for parameters in (sent(), sent(state=None), *others)}

        self.assertEqual(len(prints), len(others) + 2)

    @settings(deadline=None)
    @given(st.dictionaries(TEXT, TEXT, max_size=5), st.dictionaries(TEXT, TEXT, max_size=5))
    def test_no_two_requests_share_one(self, one: dict[str, str], other: dict[str, str]) -> None:
        """Names and values can not be shifted so that another request has the same digest."""
        first, second = ({k: v for k, v in d.items() if v and k not in INTERNAL_PARAMETERS} for d in (one, other))

        self.assertEqual(fingerprint(form(**one)) == fingerprint(form(**other)), first == second)

    def test_shifted(self) -> None:
        """A value that looks like a parameter is none."""
        self.assertNotEqual(fingerprint(form(a="1&b=2")), fingerprint(form(a="1", b="2")))
        self.assertNotEqual(fingerprint(form(a=quote("&"))), fingerprint(form(a="&")))
