"""What was taken back before anything was given out for it."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.device import DEVICE_TTL
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import CODE_TTL, REVOKED, TOKENS_REVOKED, AuthorizationGrant, revoked_key
from konnectd.protocol.scope import Scope
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.withdrawal import (
    WITHDRAWAL_TTL,
    check_not_taken_back,
    keys_before_redeeming,
    withdrawal_key,
)
from tests.support.people import ALICE, BOB, logon_of
from tests.support.requests import request_of
from tests.support.strategies import TEXT

GRANT = AuthorizationGrant.of(request_of(), logon_of(ALICE, 1), Scope.parse("openid"), "g-1", "mark-1")


class CheckTests(SynchronousTestCase):
    """What still holds."""

    def error(self, *found: str | None, grant: AuthorizationGrant = GRANT) -> str:
        """Return why a code is worth nothing; empty when it is good."""
        try:
            check_not_taken_back(grant, *found)
        except OAuthError as error:
            self.assertEqual(error.code, "invalid_grant")
            return error.description
        return ""

    def test_good(self) -> None:
        """Nothing in the store, single tokens revoked, or the mark that it was made under: it holds."""
        for found in ((None, None, None), (TOKENS_REVOKED, None, None), (None, None, "mark-1")):
            self.assertEqual(self.error(*found), "", found)

    def test_taken_back(self) -> None:
        """Its grant revoked, its session ended, or another mark: it does not."""
        for found, words in (
            ((REVOKED, None, "mark-1"), "the person has taken it back"),
            ((None, "1", "mark-1"), "the person has signed out"),
            ((REVOKED, "1", "mark-2"), "the person has signed out"),
            ((None, None, "mark-2"), "the person has taken it back"),
            (("what another version wrote", None, None), "the person has taken it back"),
        ):
            self.assertEqual(self.error(*found), words, found)

    @settings(deadline=None)
    @given(TEXT, st.none() | TEXT.filter(bool))
    def test_only_the_mark_it_was_made_under(self, made_under: str, found: str | None) -> None:
        """Of all marks a code stands but the one that it was made under; one made under none stands none."""
        grant = evolve(GRANT, withdrawal=made_under)

        self.assertEqual(self.error(None, None, found, grant=grant) == "", found in (None, made_under))

    def test_a_mark_outlives_codes(self) -> None:
        """A mark is there for as long as any code can be redeemed that was made before it."""
        self.assertGreaterEqual(WITHDRAWAL_TTL, max(CODE_TTL, DEVICE_TTL))


class KeyTests(SynchronousTestCase):
    """Names of entries."""

    def test_of_one_person_at_one_client(self) -> None:
        """Each person has a mark of their own at each client."""
        people = logon_of(ALICE, 1).sub, logon_of(BOB, 1).sub

        self.assertEqual(len({withdrawal_key(sub, client_id) for sub in people for client_id in ("a", "b")}), 4)

    def test_before_redeeming(self) -> None:
        """Three are looked at: the grant's, the session's, and the person's at the client."""
        logon = GRANT.logon
        keys = (revoked_key("g-1"), ended_session_key(logon.session_id), withdrawal_key(logon.sub, "notes"))

        self.assertEqual(keys_before_redeeming(GRANT), keys)
