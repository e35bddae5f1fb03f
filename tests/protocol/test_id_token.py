"""What is in an ID token, and that no claim about a person can stand in the place of what the token says."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authentication_context import PASSWORD
from konnectd.protocol.claims import Approval
from konnectd.protocol.claims_request import ClaimsRequest
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.id_token import id_token
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import Lifetimes
from tests.support.people import ALICE, logon_of
from tests.support.requests import ISSUER, NOTES, request_of

NOW = 1_700_000_000
LOGON = logon_of(ALICE, NOW - 30)
GRANT = AuthorizationGrant.of(request_of(), LOGON, Scope.parse("openid profile"), "g-1")
APPROVAL = Approval.of(ISSUER, GRANT, ALICE, NOTES)
ALWAYS = {"iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "sid", "amr", "acr", "nonce"}


def names(approval: Approval = APPROVAL, *, access: str = "", code: str = "", full: bool = False) -> set[str]:
    """Return what stands in a token beside what always does."""
    token = id_token(approval, NOW, Lifetimes(), algorithm="PS256", access=access, code=code, full=full)
    return set(token) - ALWAYS


class IdTokenTests(SynchronousTestCase):
    """The claims of an ID token."""

    def test_scope_claims(self) -> None:
        """They are in it where there is no userinfo to ask, or where the client wants them in any case."""
        profile = {"name", "given_name", "family_name", "preferred_username"}

        self.assertEqual(names(), profile)
        self.assertEqual(names(access="a"), {"at_hash"})
        self.assertEqual(names(code="c"), {"c_hash"})
        self.assertEqual(names(access="a", code="c", full=True), profile | {"at_hash", "c_hash"})

    def test_named_claims(self) -> None:
        """What was allowed one by one for the ID token is in every one; what was for userinfo is in none."""
        approval = evolve(APPROVAL, claims=ClaimsRequest(id_token=("email", "kc.uuid"), userinfo=("groups",)))

        self.assertEqual(names(approval, access="a"), {"at_hash", "email", "kc.uuid"})
        self.assertEqual(names(approval, code="c"), {"c_hash", "email", "kc.uuid"})

    def test_unknown_claims_of_a_person(self) -> None:
        """A backend that has claims of its own making can not put them into a token, least of all for others."""
        hostile = {"iss": "https://evil.example", "sub": "x", "aud": "x", "acr": "x", "at_hash": "x", "shoe_size": 42}
        user = evolve(ALICE, further={**hostile, "nickname": "Al"})
        approval = Approval.of(ISSUER, GRANT, user, NOTES)
        token = id_token(approval, NOW, Lifetimes(), algorithm="PS256", access="a", full=True)

        self.assertEqual((token["iss"], token["sub"], token["aud"]), (ISSUER, LOGON.sub, "notes"))
        self.assertEqual((token["acr"], token["nickname"]), (PASSWORD, "Al"))
        self.assertNotIn("shoe_size", token)

    def test_no_context(self) -> None:
        """Where nobody knows how somebody signed in there is no acr, rather than an empty one."""
        token = id_token(evolve(APPROVAL, amr=()), NOW, Lifetimes(), algorithm="PS256", access="a")

        self.assertEqual({"acr", "amr"} & set(token), set())
