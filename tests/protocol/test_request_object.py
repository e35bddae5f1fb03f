"""What a request object says, and what it can not say."""

import json

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authorize import INTERNAL_PARAMETERS
from konnectd.protocol.claims import LEEWAY
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters, is_text
from konnectd.protocol.request_object import (
    LONGEST_REQUEST_OBJECT,
    check_times,
    locate,
    overlay,
    read_unsigned,
)
from konnectd.protocol.vocabulary import ErrorCode
from tests.support.fakes import NOON
from tests.support.forgery import segment
from tests.support.request_objects import OBJECT_URI, SIGNING, contents, unsigned
from tests.support.requests import CALLBACK, ISSUER, form


class OverlayTests(SynchronousTestCase):
    """Laying what is signed over what is not."""

    def overlay(self, *, alone: bool = False, sent: dict[str, str] | None = None, **claims: object) -> dict[str, str]:
        """Lay claims over what was sent."""
        outside = form(**(sent or {"client_id": "signing"}))
        return dict(overlay(SIGNING, ISSUER, outside, claims, alone=alone).items())

    def assertRefused(self, description: str, /, sent: dict[str, str] | None = None, **claims: object) -> None:
        """Fail unless the object is refused for a reason."""
        with self.assertRaises(OAuthError) as caught:
            self.overlay(sent=sent, **claims)
        self.assertEqual(caught.exception.code, ErrorCode.INVALID_REQUEST_OBJECT)
        self.assertIn(description, caught.exception.description)

    def test_inside_wins(self) -> None:
        """What the client signed counts more than what stands beside it; the rest is kept."""
        sent = {"client_id": "signing", "redirect_uri": "https://evil.example/", "state": "outside", "scope": "openid"}

        self.assertEqual(
            self.overlay(sent={**sent, "request": "x"}, redirect_uri=CALLBACK, state="inside"),
            {"client_id": "signing", "redirect_uri": CALLBACK, "state": "inside", "scope": "openid"},
        )

    def test_alone(self) -> None:
        """Where nothing but signed values counts, what our own pages add is kept all the same."""
        sent = {"client_id": "signing", "state": "outside", "interaction": "sealed", "request_uri": "x"}

        self.assertEqual(
            self.overlay(sent=sent, alone=True, nonce="n"),
            {"client_id": "signing", "interaction": "sealed", "nonce": "n"},
        )

    def test_types(self) -> None:
        """Numbers and objects stand inside as themselves, and count as if they had been sent."""
        found = self.overlay(max_age=0, claims={"userinfo": {"name": None}}, state="s", prompt=None, nonce="")

        self.assertEqual(found["max_age"], "0")
        self.assertEqual(json.loads(found["claims"]), {"userinfo": {"name": None}})
        self.assertEqual(set(found), {"client_id", "max_age", "claims", "state"})

    def test_text_as_well(self) -> None:
        """A number or an object that was written as text is taken too."""
        found = self.overlay(max_age="10", claims="{}")

        self.assertEqual((found["max_age"], found["claims"]), ("10", "{}"))

    def test_wrong_types(self) -> None:
        """A parameter of a type that says nothing is refused: passing over it would change what was signed."""
        for name, value in (
            ("state", 5),
            ("scope", ["openid"]),
            ("max_age", True),
            ("max_age", 1.5),
            ("claims", []),
            ("redirect_uri", {"a": 1}),
        ):
            self.assertRefused(f"{name} of the request object is of a wrong type", **{name: value})

    def test_nested_too_deeply(self) -> None:
        """What is nested for its own sake is refused."""
        deep: dict[str, object] = {}
        for _ in range(5000):
            deep = {"a": deep}

        self.assertRefused("nested too deeply", claims=deep)

    def test_members_of_others(self) -> None:
        """Members that nobody knows do no harm, whatever they are."""
        self.assertEqual(self.overlay(x=[1], y={"a": 1}, z="text"), {"client_id": "signing", "z": "text"})

    def test_envelope(self) -> None:
        """What a token says about itself is no parameter."""
        found = self.overlay(iss="signing", aud=[ISSUER, "https://other"], exp=1, nbf=1, iat=1, jti="j", sub="alice")

        self.assertEqual(found, {"client_id": "signing"})

    def test_our_own_parameters(self) -> None:
        """A client can not say what a person did on our pages."""
        found = self.overlay(**dict.fromkeys(INTERNAL_PARAMETERS, "forged"))

        self.assertEqual(found, {"client_id": "signing"})

    def test_from_and_for_whom(self) -> None:
        """An object of another client or for another provider is refused."""
        self.assertRefused("iss", iss="other")
        self.assertRefused("aud", aud="https://other.example.com")
        self.assertRefused("aud", aud=["https://other.example.com", f"{ISSUER}/"])
        self.assertRefused("aud", aud={})
        self.assertRefused("client_id", client_id="other")
        self.assertRefused("client_id", client_id="SIGNING")

    def test_proof_of_a_client(self) -> None:
        """What proves at the token endpoint who a client is does not do for a request."""
        self.assertRefused("sub", iss="signing", sub="signing", aud=ISSUER, jti="1", exp=NOON)

    def test_nested(self) -> None:
        """An object does not lead to another one."""
        self.assertRefused("another", request="x.y.z")
        self.assertRefused("another", request_uri=OBJECT_URI)

    def test_response_type(self) -> None:
        """The response type is the same inside and outside, in whatever order it is written."""
        sent = {"client_id": "signing", "response_type": "code id_token"}

        self.assertEqual(self.overlay(sent=sent, response_type="id_token code")["response_type"], "id_token code")
        self.assertEqual(self.overlay(sent=sent)["response_type"], "code id_token")
        self.assertEqual(self.overlay(response_type="code")["response_type"], "code")
        self.assertEqual(self.overlay(sent={**sent, "response_type": "x"}, response_type="x")["response_type"], "x")
        self.assertRefused("response_type", sent=sent, response_type="code")
        self.assertRefused("response_type", sent={**sent, "response_type": "x"}, response_type="y")

    def test_characters(self) -> None:
        """What could not have been sent in a form can not be signed either."""
        for text in ("a\x00b", "\x1b", "\ud800"):
            self.assertRefused("characters", state=text)
        self.assertRefused("characters", **{"a\x00": "x"})

    @given(st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers() | st.none() | st.booleans()))
    @settings(deadline=None, max_examples=60)
    def test_always_parameters(self, claims: dict[str, object]) -> None:
        """Whatever is signed gives parameters that could have been sent, or is refused."""
        try:
            found = overlay(SIGNING, ISSUER, Parameters(), claims)
        except OAuthError:
            return
        self.assertEqual(found.get("client_id"), "signing")
        self.assertTrue(all(value and is_text(name + value) for name, value in found.items()))


class TimeTests(SynchronousTestCase):
    """When an object counts."""

    def check(self, now: int, **claims: object) -> bool:
        """Tell whether an object counts at a moment."""
        try:
            check_times(claims, now)
        except OAuthError as error:
            self.assertEqual(error.code, ErrorCode.INVALID_REQUEST_OBJECT)
            return False
        return True

    def test_table(self) -> None:
        """Clocks may disagree by a minute, and no more."""
        for claims, now, good in (
            ({}, 100, True),
            ({"exp": 100}, 100 + LEEWAY - 1, True),
            ({"exp": 100}, 100 + LEEWAY, False),
            ({"nbf": 100 + LEEWAY}, 100, True),
            ({"nbf": 101 + LEEWAY}, 100, False),
            ({"iat": 100 + LEEWAY}, 100, True),
            ({"iat": 101 + LEEWAY}, 100, False),
            ({"exp": 100.5}, 100, True),
            ({"exp": "100"}, 1, False),
            ({"iat": True}, 100, False),
            ({"nbf": None}, 100, False),
        ):
            self.assertIs(self.check(now, **claims), good, (claims, now))


class UnsignedTests(SynchronousTestCase):
    """Objects that nobody signed."""

    def test_read(self) -> None:
        """What says that it is not signed is read."""
        self.assertEqual(read_unsigned(unsigned(contents())), contents())

    def test_refused(self) -> None:
        """Whatever is anything else is not."""
        crit = segment(b'{"alg":"none","crit":["x"]}')
        twice = segment(b'{"state":"a","state":"b"}')
        none = segment(b'{"alg":"none"}')
        for token in (
            unsigned({}, signature="c2ln"),
            unsigned({}, alg="None"),
            unsigned({}, alg="HS256"),
            f"{crit}.{segment(b'{}')}.",
            f"{none}.{twice}.",
            f"{none}.{segment(b'[]')}.",
            f"{none}.{segment(b'{')}.",
            f"{none}.\xe9.",
            f"{none}.{segment(b'[' * 3000)}.",
            f"{none}.{segment(b'{}')}",
            f"{none}.{segment(b'{}')}..",
            "",
            f"{none}.{segment(json.dumps({'state': 'x' * LONGEST_REQUEST_OBJECT}).encode())}.",
        ):
            self.assertIsNone(read_unsigned(token), token[:80])


class LocationTests(SynchronousTestCase):
    """Where objects may be fetched."""

    def test_registered(self) -> None:
        """A registered address is fetched without its fragment, which only says which version is meant."""
        for uri in (OBJECT_URI, f"{OBJECT_URI}#any", f"{OBJECT_URI}#registered"):
            self.assertEqual(locate(SIGNING, uri), OBJECT_URI, uri)
        only = evolve(SIGNING, request_uris=(f"{OBJECT_URI}#registered",))
        self.assertEqual(locate(only, f"{OBJECT_URI}#registered"), OBJECT_URI)

    def test_not_registered(self) -> None:
        """Nothing else is, however much like it it looks."""
        only = evolve(SIGNING, request_uris=(f"{OBJECT_URI}#registered",))
        for client, uri in (
            (SIGNING, f"{OBJECT_URI}?a=1"),
            (SIGNING, f"{OBJECT_URI}/"),
            (SIGNING, OBJECT_URI.replace("notes.", "x@notes.")),
            (SIGNING, OBJECT_URI.upper()),
            (SIGNING, "https://169.254.169.254/latest"),
            (SIGNING, "http://localhost/"),
            (SIGNING, "file:///etc/passwd"),
            (SIGNING, "#"),
            (SIGNING, f"{OBJECT_URI}#{'x' * 512}"),
            (only, f"{OBJECT_URI}#other"),
            (only, OBJECT_URI),
        ):
            with self.assertRaises(OAuthError, msg=uri) as caught:
                locate(client, uri)
            self.assertEqual(caught.exception.code, ErrorCode.INVALID_REQUEST_URI)
