"""The ``claims`` parameter: what is kept of it, what is refused, and that nothing in it is ever given back."""

import json
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.claims_request import LONGEST_CLAIMS, NO_CLAIMS, ClaimsRequest
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.scope import Scope
from konnectd.protocol.scope_claims import SCOPE_OF
from tests.support.strategies import CLAIMS_REQUESTS, JSON

#: What is no JSON object that every reader sees the same in.
MALFORMED = (
    "",
    "{",
    "null",
    "[]",
    '"name"',
    "7",
    "{'userinfo':{}}",
    '{"userinfo":{}}x',
    '{"userinfo":{},"userinfo":{"name":null}}',
    '{"id_token":{"sub":{"value":"a"},"sub":null}}',
    '{"id_token":{"sub":{"value":"a","value":"b"}}}',
    "[" * 4000,
    '{"id_token":' * 600,
    json.dumps({"userinfo": {"x" * LONGEST_CLAIMS: None}}),
    "1" * 6000,
)
#: What has a place in it that is not understood, and so is nothing.
IGNORED: tuple[object, ...] = (
    {},
    {"userinfo": None, "id_token": None},
    {"userinfo": ["name"], "id_token": "name"},
    {"passthru": {"guest": True}, "verified_claims": {}},
    {"userinfo": {"shoe_size": {"essential": True, "value": 42}}},
    {"userinfo": {"__proto__": {"value": "x"}, "constructor": None, "": None}},
    {"id_token": {"iss": {"value": "https://evil.example"}, "aud": None, "exp": None, "iat": None, "nonce": None}},
    {"id_token": {"kc.isAccessToken": {"value": True}, "kc.identity": None, "azp": None, "at_hash": None}},
    {"id_token": {"acr": {"values": ["1", "2"]}, "auth_time": {"essential": True}, "amr": None}},
    {"id_token": {"sub": None}, "userinfo": {"sub": {"essential": True}}},
    {"id_token": {"name#de": None, "name\u0000": None, "Name": None}},
)
#: Conditions that can not be read.
UNREADABLE: tuple[object, ...] = (
    {"id_token": {"sub": {"value": 7}}},
    {"id_token": {"sub": {"value": None}}},
    {"id_token": {"sub": {"values": "a"}}},
    {"id_token": {"sub": {"values": []}}},
    {"id_token": {"sub": {"values": ["a", 1]}}},
    {"userinfo": {"sub": {"values": [["a"]]}}},
    {"id_token": {"acr": {"essential": True, "values": [2]}}},
    {"id_token": {"acr": {"essential": True, "value": {}}}},
)


def parsed(value: object) -> ClaimsRequest:
    """Read a parameter."""
    return ClaimsRequest.parse(json.dumps(value))


class ParseTests(SynchronousTestCase):
    """Reading the parameter."""

    def refused(self, text: str) -> str:
        """Return why a parameter is refused."""
        error = self.assertRaises(OAuthError, ClaimsRequest.parse, text)
        self.assertEqual(error.code, "invalid_request", text[:60])
        return error.description

    def test_example_of_the_specification(self) -> None:
        """The example of OIDC Core 5.5 is read: known claims, each in its place."""
        found = parsed(
            {
                "userinfo": {
                    "given_name": {"essential": True},
                    "nickname": None,
                    "email": {"essential": True},
                    "email_verified": {"essential": True},
                    "picture": None,
                    "http://example.info/claims/groups": None,
                },
                "id_token": {
                    "auth_time": {"essential": True},
                    "acr": {"values": ["urn:mace:incommon:iap:silver"]},
                },
            }
        )

        self.assertEqual(
            found, ClaimsRequest(userinfo=("given_name", "nickname", "email", "email_verified", "picture"))
        )
        self.assertEqual(found.scope, Scope.parse("profile email"))

    def test_malformed(self) -> None:
        """What is no JSON object, has a member twice or is too long is refused, in words without the text itself."""
        told = {self.refused(text) for text in MALFORMED}

        self.assertEqual(told, {"claims must be a JSON object", "claims is too long"})

    def test_ignored(self) -> None:
        """What is not known, or stands where it means nothing, asks for nothing and is no error."""
        for value in IGNORED:
            self.assertEqual(parsed(value), ClaimsRequest(), value)

    def test_unreadable_conditions(self) -> None:
        """A condition that can not be read does not pass for none."""
        for value in UNREADABLE:
            self.refused(json.dumps(value))

    def test_subjects(self) -> None:
        """A value, several, and those of both places together say who it must be."""
        cases: tuple[tuple[Mapping[str, object], set[str]], ...] = (
            ({"id_token": {"sub": {"value": "a"}}}, {"a"}),
            ({"id_token": {"sub": {"values": ["a", "b"]}}}, {"a", "b"}),
            ({"userinfo": {"sub": {"value": "a", "essential": False}}}, {"a"}),
            ({"id_token": {"sub": {"values": ["a", "b"]}}, "userinfo": {"sub": {"value": "b"}}}, {"b"}),
            ({"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"value": "b"}}}, set()),
            ({"id_token": {"sub": {"value": ""}}}, {""}),
        )

        self.assertEqual([parsed(value).subjects for value, _ in cases], [expected for _, expected in cases])

    def test_contexts(self) -> None:
        """Only an essential acr with values is a condition."""
        acr = {"value": "urn:x", "values": ["urn:y"]}

        self.assertEqual(parsed({"id_token": {"acr": {**acr, "essential": True}}}).contexts, ("urn:x", "urn:y"))
        for voluntary in (acr, {**acr, "essential": "true"}, {**acr, "essential": False}, {"essential": True}):
            self.assertEqual(parsed({"id_token": {"acr": voluntary}}).contexts, ())

    @settings(deadline=None)
    @given(
        st.one_of(
            st.text(),
            JSON.map(json.dumps),
            st.dictionaries(
                st.sampled_from(["userinfo", "id_token", "x"]),
                st.dictionaries(st.sampled_from(["sub", "acr", "name", "iss"]), JSON),
            ).map(json.dumps),
        )
    )
    def test_any_text(self, text: str) -> None:
        """Any text is read or refused; what is kept are known names and text."""
        try:
            found = ClaimsRequest.parse(text)
        except OAuthError as error:
            self.assertEqual(error.code, "invalid_request")
            return
        self.assertLessEqual({*found.userinfo, *found.id_token}, set(SCOPE_OF))
        self.assertTrue(all(isinstance(value, str) for value in (*found.contexts, *(found.subjects or ()))))

    @settings(deadline=None)
    @given(st.dictionaries(st.sampled_from(sorted(SCOPE_OF)), st.text("abcxyz", min_size=12, max_size=40)))
    def test_values_are_left_behind(self, wishes: dict[str, str]) -> None:
        """No value that was wished for is in what tokens are made of."""
        request = {name: {"value": value, "values": [value]} for name, value in wishes.items()}
        found = parsed({"userinfo": request, "id_token": request})

        self.assertEqual(found.to_json(), {part: dict.fromkeys(wishes) for part in ("userinfo", "id_token") if wishes})


class PermissionTests(SynchronousTestCase):
    """What of it is allowed."""

    def test_within(self) -> None:
        """Claims stay whose scope is allowed; conditions do not travel on."""
        asked = parsed(
            {"userinfo": {"name": None, "email": None, "groups": None}, "id_token": {"sub": {"value": "a"}, "id": None}}
        )

        self.assertEqual(
            asked.within(Scope.parse("openid email konnect/id")), ClaimsRequest(userinfo=("email",), id_token=("id",))
        )
        self.assertIs(asked.within(Scope.parse("openid phone")), NO_CLAIMS)

    @settings(deadline=None)
    @given(CLAIMS_REQUESTS)
    def test_round_trip(self, found: ClaimsRequest) -> None:
        """Reading what was written gives the same request."""
        self.assertEqual(ClaimsRequest.from_json(json.loads(json.dumps(found.to_json()))), found)

    @settings(deadline=None)
    @given(JSON)
    def test_from_anything(self, junk: object) -> None:
        """Whatever stands in a token of another installation, only known names come out of it."""
        found = ClaimsRequest.from_json(junk)

        self.assertLessEqual({*found.userinfo, *found.id_token}, set(SCOPE_OF))

    def test_tokens_of_konnect(self) -> None:
        """A Konnect token's request is read by its names; its values and what it passed through are nothing."""
        theirs = {"userinfo": {"name": {"value": "Evil"}, "username": None}, "passthru": {"guest": True}}

        self.assertEqual(ClaimsRequest.from_json(theirs), ClaimsRequest(userinfo=("name", "username")))
