"""The rules of OIDC Core 3.1.3.7, one row for each way to break them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.id_token import Expected, believe
from konnectd.jose.foreign import ForeignToken
from konnectd.protocol.claims import LEEWAY
from konnectd.protocol.id_token import left_half_hash
from tests.support.fakes import NOON

GOOD: dict[str, object] = {
    "iss": "https://id.example.com",
    "sub": "person-1",
    "aud": "demo",
    "exp": NOON + 600,
    "iat": NOON,
    "nonce": "nonce-1",
    "at_hash": left_half_hash("access-1", "PS256"),
}
EXPECTED = Expected(
    issuer="https://id.example.com", client_id="demo", nonce="nonce-1", access_token="access-1", now=NOON
)
REFRESHED = Expected(
    issuer="https://id.example.com",
    client_id="demo",
    nonce="nonce-1",
    access_token="access-1",
    now=NOON,
    refreshed=True,
    sub="person-1",
)
#: Claims laid over the good ones (None takes one away), and the word with which the refusal begins.
BROKEN: tuple[tuple[dict[str, object], str], ...] = (
    ({"iss": None}, "iss"),
    ({"iss": "https://id.example.com/"}, "iss"),
    ({"sub": None}, "sub"),
    ({"sub": ""}, "sub"),
    ({"sub": 7}, "sub"),
    ({"sub": "x" * 256}, "sub"),
    ({"aud": None}, "aud"),
    ({"aud": "Demo"}, "aud"),
    ({"aud": []}, "aud"),
    ({"aud": ["other"]}, "aud"),
    ({"aud": ["demo", "other"]}, "aud"),
    ({"aud": ["demo", "other"], "azp": "other"}, "aud"),
    ({"azp": "other"}, "azp"),
    ({"exp": None}, "exp"),
    ({"exp": "soon"}, "exp"),
    ({"exp": True}, "exp"),
    ({"exp": NOON - LEEWAY}, "exp"),
    ({"iat": None}, "exp"),
    ({"iat": NOON + LEEWAY + 1}, "iat"),
    ({"nonce": None}, "nonce"),
    ({"nonce": "nonce-2"}, "nonce"),
    ({"nonce": ["nonce-1"]}, "nonce"),
    ({"at_hash": left_half_hash("access-2", "PS256")}, "at_hash"),
    ({"at_hash": left_half_hash("access-1", "PS384")}, "at_hash"),
    ({"at_hash": 1}, "at_hash"),
)


def token(changes: dict[str, object]) -> ForeignToken:
    """Return a token with a good signature."""
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return ForeignToken(header={"alg": "PS256", "kid": "k"}, claims=claims)


class BelieveTests(SynchronousTestCase):
    """What is believed."""

    def refusal(self, changes: dict[str, object], expected: Expected = EXPECTED) -> str:
        """Return the first word of why a token is not believed; empty when it is."""
        try:
            believe("a.b.c", token(changes), expected)
        except SignInError as error:
            self.assertEqual(error.trouble, Trouble.NOT_BELIEVED)
            return error.description.split()[0]
        return ""

    def test_a_good_token_is_believed(self) -> None:
        """Every rule is named with what was found."""
        self.assertEqual(len(believe("a.b.c", token({}), EXPECTED).checks), 7)

    def test_broken_rules(self) -> None:
        """Whatever is wrong is named."""
        self.assertEqual([(changes, self.refusal(changes)) for changes, _ in BROKEN], list(BROKEN))

    def test_good_variants(self) -> None:
        """What the specification leaves open is taken."""
        variants: tuple[dict[str, object], ...] = (
            {"aud": ["demo"]},
            {"aud": ["demo", "other"], "azp": "demo"},
            {"azp": "demo"},
            {"at_hash": None},
            {"exp": NOON - LEEWAY + 1},
            {"exp": NOON + 0.5},
            {"iat": NOON + LEEWAY},
        )

        self.assertEqual([self.refusal(changes) for changes in variants], [""] * len(variants))

    def test_refreshed_tokens(self) -> None:
        """A refreshed token need not repeat the nonce, but must not have another, and is about the same person."""
        self.assertEqual(self.refusal({"nonce": None}, REFRESHED), "")
        self.assertEqual(self.refusal({"nonce": "nonce-2"}, REFRESHED), "nonce")
        self.assertEqual(self.refusal({"sub": "person-2"}, REFRESHED), "sub")

    @settings(deadline=None, max_examples=200)
    @given(
        st.dictionaries(
            st.sampled_from(sorted(GOOD)),
            st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3)),
            min_size=1,
        )
    )
    def test_no_claim_is_a_fault_of_ours(self, changes: dict[str, object]) -> None:
        """Whatever the claims are, a token is believed or refused, and nothing else happens."""
        self.assertIsInstance(self.refusal(changes), str)
