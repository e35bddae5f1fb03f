"""What a code stands for, and under which names a store keeps it."""

import json

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.grant import (
    AuthorizationGrant,
    code_key,
    revoked_key,
    revoked_token_key,
    used_consent_key,
)
from konnectd.protocol.scope import Scope
from tests.support.people import ALICE, logon_of
from tests.support.requests import CALLBACK, CHALLENGE, request_of
from tests.support.strategies import GRANTS, JSON, TEXT

LOGON = logon_of(ALICE, 1)


class GrantTests(SynchronousTestCase):
    """A person's permission for a client."""

    def test_what_it_holds(self) -> None:
        """It holds what was decided, not what was asked for, and all that the token endpoint has to compare."""
        grant = AuthorizationGrant.of(request_of(), LOGON, Scope.parse("openid"), "g-1")

        self.assertEqual(
            grant,
            AuthorizationGrant(
                grant_id="g-1",
                client_id="notes",
                redirect_uri=CALLBACK,
                scope=Scope.parse("openid"),
                nonce="nonce-1",
                code_challenge=CHALLENGE,
                logon=LOGON,
            ),
        )

    @settings(deadline=None)
    @given(GRANTS)
    def test_round_trip(self, grant: AuthorizationGrant) -> None:
        """Reading what was written gives the same grant."""
        self.assertEqual(AuthorizationGrant.from_text(grant.to_text()), grant)

    @settings(deadline=None)
    @given(GRANTS, st.data(), JSON)
    def test_damaged(self, grant: AuthorizationGrant, draw: st.DataObject, junk: object) -> None:
        """Text that lacks a member or is of another version is no grant; no member of any kind is a fault."""
        value = json.loads(grant.to_text())
        name = draw.draw(st.sampled_from(sorted(value)))
        less = json.dumps({key: member for key, member in value.items() if key != name})
        changed = AuthorizationGrant.from_text(json.dumps({**value, name: junk}))

        self.assertIsNone(AuthorizationGrant.from_text(less))
        self.assertIsNone(AuthorizationGrant.from_text(json.dumps({**value, "v": 2})))
        self.assertIn(type(changed), (AuthorizationGrant, type(None)))

    @settings(deadline=None)
    @given(st.one_of(st.text(), JSON.map(json.dumps)))
    def test_any_text(self, text: str) -> None:
        """Text that nobody wrote as a grant is none."""
        self.assertIsNone(AuthorizationGrant.from_text(text))

    def test_logon_of_another_version(self) -> None:
        """A grant with a logon that can not be read is no grant."""
        value = json.loads(AuthorizationGrant.of(request_of(), LOGON, Scope(), "g").to_text())
        value["logon"]["v"] = 0

        self.assertIsNone(AuthorizationGrant.from_text(json.dumps(value)))


class KeyTests(SynchronousTestCase):
    """Names of entries in a store."""

    def test_a_code_is_not_in_the_store(self) -> None:
        """Who reads the store does not learn a code that can be redeemed."""
        self.assertNotIn("secret-code", code_key("secret-code"))

    @settings(deadline=None)
    @given(TEXT, TEXT)
    def test_kinds_do_not_mix(self, one: str, other: str) -> None:
        """No entry of one kind is found under the name of another, and no two codes share one."""
        keys = {code_key(one), revoked_key(other), used_consent_key(one), revoked_token_key(other)}

        self.assertEqual(len(keys), 4)
        self.assertEqual(code_key(one) == code_key(other), one == other)

    def test_nothing_is_shown(self) -> None:
        """A grant can be logged without what a thief would need."""
        grant = evolve(AuthorizationGrant.of(request_of(), LOGON, Scope(), "g"), nonce="n-secret")

        self.assertNotIn("n-secret", repr(grant))
