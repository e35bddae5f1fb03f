"""Which scope opens which claim."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol import standard_claims
from konnectd.protocol.scope import Scope
from konnectd.protocol.scope_claims import SCOPE_OF, claim_names, named_claims, scope_claims
from tests.support.people import ALICE, BOB

#: Somebody of whom everything is known.
KNOWN = evolve(
    ALICE,
    further={name: f"the {name}" for name in standard_claims.filled(standard_claims.NAMES)},
    identity={"kc.i.us": "e3Ia1ed3TfSoazjHIj5hFQ"},
)
EVERY_SCOPE = Scope.of(SCOPE_OF.values())


class ScopeClaimsTests(SynchronousTestCase):
    """From a scope to claims."""

    def test_every_claim_has_its_scope(self) -> None:
        """Each scope opens exactly the claims of the table, and all together open every one there is."""
        self.assertEqual(set(scope_claims(EVERY_SCOPE, KNOWN)), set(SCOPE_OF))
        for scope in EVERY_SCOPE:
            expected = {name for name, opener in SCOPE_OF.items() if opener == scope}
            self.assertEqual(set(scope_claims(Scope.of((scope,)), KNOWN)), expected, scope)

    def test_groupware(self) -> None:
        """Who somebody is in a groupware server is what the backend says there, and not its subject."""
        claims = scope_claims(Scope.of(("kopano/gc",)), KNOWN)

        self.assertEqual(claims, {"kopano/gc/id": "e3Ia1ed3TfSoazjHIj5hFQ"})

    def test_no_groupware(self) -> None:
        """Of somebody from another backend the scope shows nothing, whoever allowed it."""
        self.assertEqual(scope_claims(Scope.of(("kopano/gc",)), ALICE), {})

    def test_what_is_not_known(self) -> None:
        """What is not known of somebody is absent."""
        self.assertEqual(
            set(scope_claims(EVERY_SCOPE, BOB)),
            {"name", "preferred_username", "email", "email_verified", "username"},
        )
        self.assertEqual(named_claims(("groups", "phone_number", "name"), BOB), {"name": "Bob Builder"})

    @settings(deadline=None)
    @given(st.lists(st.sampled_from(sorted(SCOPE_OF)), unique=True))
    def test_named(self, names: list[str]) -> None:
        """One by one exactly those come that were asked for, with the values their scope would show."""
        everything = scope_claims(EVERY_SCOPE, KNOWN)

        self.assertEqual(named_claims(names, KNOWN), {name: everything[name] for name in names})

    def test_names_for_metadata(self) -> None:
        """What a backend can fill is named where its scope can be granted."""
        self.assertEqual(claim_names(("openid",), ("locale", "address", "shoe_size")), ("shoe_size",))
        self.assertEqual(
            claim_names(("address", "email"), ("locale", "address")), ("email", "email_verified", "address")
        )
