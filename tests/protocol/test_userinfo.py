"""The userinfo request: where the token stands, and what each scope shows."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.claims import Presented
from konnectd.protocol.claims_request import ClaimsRequest
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.errors import BearerTokenError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import Scope
from konnectd.protocol.scope_claims import claim_names
from konnectd.protocol.userinfo import bearer_token, check_scope, claims
from tests.support.people import ALICE, BOB, logon_of
from tests.support.requests import form

SUB = logon_of(ALICE, 1).sub
NOBODY = EndUser(user_id="n", subject="n", username="n")


def shown(scope: str, user: EndUser = ALICE) -> dict[str, object]:
    """Return what a token of some scope shows of a person, without the subject."""
    members = claims(presented(scope), user)
    return {name: value for name, value in members.items() if name != "sub"}


def presented(scope: str) -> Presented:
    """Return a token of Alice."""
    return Presented(
        client_id="notes",
        sub=SUB,
        scope=Scope.parse(scope),
        grant_id="g-1",
        user_id="alice",
        provider="identifier-test",
    )


class NamedClaimsTests(SynchronousTestCase):
    """Claims that were allowed one by one."""

    def test_beside_a_scope(self) -> None:
        """They are shown beside what the scope shows; what was allowed for ID tokens is not shown here."""
        asked = ClaimsRequest(userinfo=("email", "groups"), id_token=("kc.uuid",))

        self.assertEqual(
            claims(evolve(presented("openid"), claims=asked), ALICE),
            {"sub": SUB, "email": "alice@example.org", "groups": ["wonderland", "readers"]},
        )


class BearerTokenTests(SynchronousTestCase):
    """Where the token stands."""

    def test_header(self) -> None:
        """It stands in the header, whose scheme is recognized in any case."""
        found = [bearer_token(f"{scheme} a.b.c", None) for scheme in ("Bearer", "bearer", "BEARER", "Bearer ")]

        self.assertEqual(found, ["a.b.c"] * 4)

    def test_form(self) -> None:
        """It may stand in a posted form; a header of another kind does not matter then."""
        self.assertEqual(bearer_token("", form(access_token="a.b.c")), "a.b.c")
        self.assertEqual(bearer_token("Basic xyz", form(access_token="a.b.c")), "a.b.c")

    def test_none_at_all(self) -> None:
        """Who sends no token is asked for one without being told of an error."""
        for header, posted in (
            ("", None),
            ("", form()),
            ("", form(access_token="")),
            ("Basic x", None),
            ("Bearerx y", None),
        ):
            with self.assertRaises(BearerTokenError, msg=header) as caught:
                bearer_token(header, posted)

            self.assertTrue(caught.exception.bare)

    def test_malformed(self) -> None:
        """A header without a token, with two, or beside a form with one, is a broken request."""
        cases: tuple[tuple[str, Parameters | None], ...] = (
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer a b", None),
            ("Bearer a.b.c", form(access_token="a.b.c")),
            ("Bearer", form(access_token="a.b.c")),
        )
        for header, posted in cases:
            with self.assertRaises(BearerTokenError, msg=header) as caught:
                bearer_token(header, posted)

            self.assertEqual((caught.exception.code, caught.exception.bare), ("invalid_request", False))

    @settings(deadline=None)
    @given(st.one_of(st.text(), st.text().map(lambda text: f"Bearer {text}")))
    def test_any_header(self, header: str) -> None:
        """Any header holds one token or is refused."""
        try:
            token = bearer_token(header, None)
        except BearerTokenError:
            return

        self.assertTrue(token and " " not in token)


class ScopeTests(SynchronousTestCase):
    """Whether a token is good for userinfo at all."""

    def test_openid(self) -> None:
        """A token without openid is not."""
        check_scope(presented("email openid"))

        with self.assertRaises(BearerTokenError) as caught:
            check_scope(presented("email profile"))
        self.assertEqual(caught.exception.code, "insufficient_scope")


class ClaimsTests(SynchronousTestCase):
    """What a scope shows."""

    def test_by_scope(self) -> None:
        """Each scope shows its own members and nothing else."""
        cases: dict[str, dict[str, object]] = {
            "openid": {},
            "openid offline_access unheard-of": {},
            "openid profile": {
                "name": "Alice Liddell",
                "family_name": "Liddell",
                "given_name": "Alice",
                "preferred_username": "alice",
            },
            "openid email": {"email": "alice@example.org", "email_verified": True},
            "openid groups": {"groups": ["wonderland", "readers"]},
            "openid konnect/id": {"id": 1001, "username": "alice"},
            "openid konnect/uuid": {"kc.uuid": "6f8a3b52-0a4e-4c4e-9d34-7f6f4e1c0001"},
        }

        self.assertEqual({scope: shown(scope) for scope in cases}, cases)

    def test_all_scopes(self) -> None:
        """Scopes add up."""
        scopes = ("profile", "email", "groups", "konnect/id", "konnect/uuid")
        whole = {name: value for scope in scopes for name, value in shown(f"openid {scope}").items()}

        self.assertEqual(shown("openid " + " ".join(scopes)), whole)

    def test_what_is_not_known_is_absent(self) -> None:
        """What the backend does not know is left out, and so is a number nobody has."""
        every = "openid profile email groups konnect/id konnect/uuid"

        self.assertEqual(shown(every, NOBODY), {"preferred_username": "n", "username": "n"})
        self.assertEqual(shown("openid konnect/id", evolve(NOBODY, numeric_id=0)), {"username": "n"})

    def test_address_nobody_vouches_for(self) -> None:
        """An address that the backend does not vouch for is said to be so."""
        self.assertEqual(shown("openid email", BOB), {"email": "bob@example.org", "email_verified": False})

    def test_subject(self) -> None:
        """The subject is the one of the token, or the raw one where that was granted."""
        found = [claims(presented(scope), ALICE)["sub"] for scope in ("openid profile", "openid konnect/raw_sub")]

        self.assertEqual(found, [SUB, "alice"])


class ClaimNamesTests(SynchronousTestCase):
    """What the metadata says that can be shown."""

    every = ("profile", "email", "groups", "konnect/id", "konnect/uuid")

    def test_by_scope(self) -> None:
        """What can be shown hangs on the scopes that can be granted; what a backend adds of its own counts as well."""
        cases = {
            (): ("shoe_size",),
            ("openid", "email"): ("email", "email_verified", "shoe_size"),
            ("openid", "konnect/id", "unheard-of"): ("id", "username", "shoe_size"),
        }
        found = {scopes: claim_names(scopes, ("name", "email", "shoe_size")) for scopes in cases}

        self.assertEqual(found, cases)

    def test_agrees_with_what_is_shown(self) -> None:
        """Each scope names what it shows of somebody of whom everything is known."""
        for scope in self.every:
            self.assertEqual(set(claim_names((scope,), ())), set(shown(f"openid {scope}")), scope)
