"""Families of refresh tokens: what is spent, and what a store is told of it."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.claims import Presented
from konnectd.protocol.refresh import family_key, is_spent, reused, spent_key, successor_claims, successor_of
from konnectd.protocol.scope import Scope

TOKEN = Presented(
    client_id="mail", sub="s", scope=Scope(), grant_id="g-1", user_id="alice", provider="p", jti="j-1", generation=3
)


class FamilyTests(SynchronousTestCase):
    """The rules of a family."""

    def test_spent(self) -> None:
        """What is below the first generation that is not spent is over."""
        for first_unspent, spent in ((None, False), ("0", False), ("3", False), ("4", True), ("40", True)):
            self.assertEqual(is_spent(TOKEN, first_unspent), spent, first_unspent)

    def test_keys(self) -> None:
        """No two tokens share an entry, nor does a family with a token."""
        others = (evolve(TOKEN, generation=4), evolve(TOKEN, grant_id="g-2"), evolve(TOKEN, grant_id="3:g-1"))
        keys = {spent_key(TOKEN), *(spent_key(other) for other in others), family_key("g-1"), family_key("3:g-1")}

        self.assertEqual(len(keys), 6)

    def test_without_a_grant(self) -> None:
        """A token of an older installation that names no grant is a family of its own."""
        self.assertEqual(evolve(TOKEN, grant_id="").family, "token:j-1")

    def test_successor(self) -> None:
        """A successor comes back as it was; what is over, or of another version, is none."""
        self.assertEqual(successor_of(successor_claims("a.b.c")), "a.b.c")
        for junk in (None, {}, {"v": 2, "token": "a.b.c"}, {"v": 1, "token": 7}):
            self.assertEqual(successor_of(junk), "")

    def test_reused(self) -> None:
        """A token that comes back is no grant."""
        self.assertEqual(reused().code, "invalid_grant")
