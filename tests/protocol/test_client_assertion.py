"""Signed proofs of clients: what is read before they are proven, and what they must say."""

import json

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client_assertion import (
    ALGORITHMS,
    KEY_ALGORITHMS,
    LEEWAY,
    LONGEST_ASSERTION,
    LONGEST_JTI,
    LONGEST_LIFE,
    Spent,
    allowed_algorithms,
    audiences,
    check_assertion,
    find_assertion,
)
from konnectd.protocol.client_authentication import Credentials
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.assertions import ASSERTION_TYPE, KEYED, SECRETIVE, by_secret, claims_for, keyed
from tests.support.fakes import NOON
from tests.support.forgery import segment
from tests.support.requests import ISSUER, form

TOKEN_ENDPOINT = f"{ISSUER}/token"
PUSH_ENDPOINT = f"{ISSUER}/par"
AUDIENCES = audiences(ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT)
METHODS = (AuthMethod.SECRET_JWT, AuthMethod.PRIVATE_KEY_JWT)


def sent(assertion: str | None, **more: str | None) -> Parameters:
    """Return a token request with an assertion."""
    return form(**{"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **more})


def unsigned(header: object, claims: object) -> str:
    """Return a token that nobody has signed."""
    return f"{segment(json.dumps(header).encode())}.{segment(json.dumps(claims).encode())}.{segment(b'x')}"


class FindTests(SynchronousTestCase):
    """Which proof a request has."""

    def test_by_algorithm(self) -> None:
        """The algorithm says whether it is signed with a secret or with a key; a request has one of the two."""
        by_key = keyed()
        for assertion, client, method, other in (
            (by_key, KEYED, AuthMethod.PRIVATE_KEY_JWT, AuthMethod.SECRET_JWT),
            (by_secret(), SECRETIVE, AuthMethod.SECRET_JWT, AuthMethod.PRIVATE_KEY_JWT),
        ):
            wanted = Credentials(client_id=client.client_id, assertion=assertion, method=method)

            self.assertEqual(find_assertion(sent(assertion), method), wanted)
            self.assertEqual(find_assertion(sent(assertion, client_id=client.client_id), method), wanted)
            self.assertIsNone(find_assertion(sent(assertion), other))

    def test_none(self) -> None:
        """Other requests have none."""
        for method in METHODS:
            self.assertIsNone(find_assertion(form(client_id="notes", client_secret="s"), method))

    def test_malformed(self) -> None:
        """An assertion without its type, of another type, for another client, or that can not be read is refused."""
        good = keyed()
        saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
        cases = (
            form(client_assertion=good),
            form(client_assertion_type=ASSERTION_TYPE),
            sent(good, client_assertion_type=saml),
            sent(good, client_assertion_type=ASSERTION_TYPE.upper()),
            sent(good, client_id="notes"),
            sent("x"),
            sent("e30.e30"),
            sent(f"{good}.x"),
            sent("!.!.!"),
            sent("\u00e9.\u00e9.\u00e9"),
            sent(f"{segment(b'[]')}.{segment(b'{}')}.x"),
            sent(f"{segment(b'[' * 9000)}.{segment(b'{}')}.x"),
            sent(f"{segment(bytes([255]))}.{segment(b'{}')}.x"),
            sent(unsigned({}, claims_for(KEYED))),
            sent(unsigned({"alg": ["ES256"]}, claims_for(KEYED))),
            sent(unsigned({"alg": "ES256"}, {})),
            sent(unsigned({"alg": "ES256"}, {"sub": ["keyed"]})),
            sent(unsigned({"alg": "ES256"}, {"sub": ""})),
            sent(unsigned({"alg": "ES256"}, {"sub": "a", "more": "x" * LONGEST_ASSERTION})),
        )
        for parameters in cases:
            for method in METHODS:
                with self.assertRaises(InvalidClientError, msg=str(list(parameters.items()))[:200]):
                    find_assertion(parameters, method)

    @settings(deadline=None)
    @given(st.one_of(st.text(), st.lists(st.binary().map(segment), min_size=3, max_size=3).map(".".join)))
    def test_any_assertion(self, text: str) -> None:
        """Any text is read or refused in the one way there is."""
        for method in METHODS:
            try:
                found = find_assertion(sent(text or None), method)
            except InvalidClientError:
                continue

            self.assertTrue(found is None or found.client_id)


class AlgorithmTests(SynchronousTestCase):
    """By which algorithms a client may sign."""

    def test_registered(self) -> None:
        """The one it registered, or any of its method; never another method's, and never none."""
        cases = (
            ("", AuthMethod.PRIVATE_KEY_JWT, KEY_ALGORITHMS),
            ("", AuthMethod.SECRET_JWT, ("HS256", "HS384", "HS512")),
            ("PS256", AuthMethod.PRIVATE_KEY_JWT, ("PS256",)),
            ("HS512", AuthMethod.SECRET_JWT, ("HS512",)),
            ("HS256", AuthMethod.PRIVATE_KEY_JWT, ()),
            ("RS256", AuthMethod.SECRET_JWT, ()),
            ("none", AuthMethod.PRIVATE_KEY_JWT, ()),
            ("none", AuthMethod.SECRET_JWT, ()),
        )
        for registered, method, allowed in cases:
            client = evolve(KEYED, token_endpoint_auth_signing_alg=registered)

            self.assertEqual(allowed_algorithms(client, method), allowed, (registered, method))

    def test_kinds_apart(self) -> None:
        """No algorithm belongs to both methods, and none is no algorithm."""
        secret, key = (set(ALGORITHMS[method]) for method in METHODS)

        self.assertEqual((secret & key, "none" in secret | key), (set(), False))


class CheckTests(SynchronousTestCase):
    """What a proof must say. Spec: RFC 7523 3."""

    def check(self, **changes: object) -> Spent:
        """Check the claims of a good proof with some changes."""
        return check_assertion(claims_for(KEYED, **changes), KEYED, AUDIENCES, NOON)

    def test_good(self) -> None:
        """Issuer or token endpoint, alone or among others; made just now, or by a clock that is a little wrong."""
        for changes in (
            {},
            {"aud": TOKEN_ENDPOINT},
            {"aud": [ISSUER]},
            {"aud": ["https://other.example", TOKEN_ENDPOINT]},
            {"iat": None},
            {"iat": NOON + LEEWAY, "nbf": NOON + LEEWAY},
            {"iat": NOON - 10_000},
            {"exp": NOON - LEEWAY + 1},
            {"exp": NOON + LONGEST_LIFE + LEEWAY},
            {"exp": NOON + 1.5},
            {"jti": "j" * LONGEST_JTI},
        ):
            self.assertTrue(self.check(**changes).place, changes)

    def test_refused(self) -> None:
        """Each claim is checked."""
        for changes in (
            {"iss": "notes"},
            {"iss": None},
            {"sub": "notes"},
            {"sub": None},
            {"aud": None},
            {"aud": []},
            {"aud": {}},
            {"aud": [[ISSUER]]},
            {"aud": f"{ISSUER}/"},
            {"aud": f"{ISSUER}/userinfo"},
            {"aud": ISSUER.upper()},
            {"aud": f"{ISSUER} https://other.example"},
            {"aud": ["https://other.example"]},
            {"exp": None},
            {"exp": NOON - LEEWAY},
            {"exp": NOON + LONGEST_LIFE + LEEWAY + 1},
            {"exp": str(NOON + 60)},
            {"exp": True},
            {"exp": float("inf")},
            {"exp": float("nan")},
            {"exp": -1},
            {"exp": 10**400},
            {"iat": NOON + LEEWAY + 1},
            {"iat": "now"},
            {"nbf": NOON + LEEWAY + 1},
            {"nbf": []},
            {"jti": None},
            {"jti": ""},
            {"jti": 1},
            {"jti": "j" * (LONGEST_JTI + 1)},
        ):
            with self.assertRaises(InvalidClientError, msg=str(changes)):
                self.check(**changes)

    def test_audience_of_an_endpoint(self) -> None:
        """The address of an endpoint counts there and nowhere else. Spec: RFC 9126 2."""
        at_push = audiences(ISSUER, TOKEN_ENDPOINT, PUSH_ENDPOINT)
        for aud in (ISSUER, TOKEN_ENDPOINT, PUSH_ENDPOINT, ["https://other.example", PUSH_ENDPOINT]):
            self.assertTrue(check_assertion(claims_for(KEYED, aud=aud), KEYED, at_push, NOON).place, aud)

        for aud in (f"{PUSH_ENDPOINT}/", f"{ISSUER}/revoke", PUSH_ENDPOINT.upper()):
            with self.assertRaises(InvalidClientError, msg=aud):
                check_assertion(claims_for(KEYED, aud=aud), KEYED, at_push, NOON)
        with self.assertRaises(InvalidClientError):
            self.check(aud=PUSH_ENDPOINT)

    def test_not_signed(self) -> None:
        """A signature that does not fit looks like a client that is not known."""
        error = self.assertRaises(InvalidClientError, check_assertion, None, KEYED, AUDIENCES, NOON)

        self.assertEqual(error.description, "client is unknown or its credentials are wrong")

    def test_remembered(self) -> None:
        """A proof is remembered until it has ended for the slowest clock, under its client's name and its own."""
        self.assertEqual(self.check(exp=NOON + 100).seconds, 100 + LEEWAY)
        self.assertEqual(self.check(exp=NOON - LEEWAY + 1).seconds, 1)
        self.assertEqual(self.check(), self.check(iat=None))
        self.assertNotEqual(self.check().place, self.check(jti="jti-2").place)
        other = check_assertion(claims_for(SECRETIVE), SECRETIVE, AUDIENCES, NOON)
        self.assertNotEqual(self.check().place, other.place)

    @settings(deadline=None)
    @given(st.integers(NOON - 1000, NOON + 1000))
    def test_outlives_the_proof(self, exp: int) -> None:
        """Whatever is accepted is remembered for at least as long as it will be accepted."""
        try:
            spent = self.check(exp=exp)
        except InvalidClientError:
            return
        later = NOON + spent.seconds

        with self.assertRaises(InvalidClientError):
            check_assertion(claims_for(KEYED, exp=exp), KEYED, AUDIENCES, later)
