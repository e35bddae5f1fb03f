"""Public keys as clients write them: what of a key is looked at, and what is no key."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.public_key import LONGEST_EXPONENT, LONGEST_MEMBER, MOST_OPERATIONS, public_members

KEY = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AQ", "kid": "one", "use": "sig", "alg": "ES256"}
#: Anything that JSON can say.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


class PublicMembersTests(SynchronousTestCase):
    """What is looked at."""

    def test_kept(self) -> None:
        """Everything that says what a key is and what it is for is kept."""
        self.assertEqual(public_members({**KEY, "key_ops": ["verify"]}), {**KEY, "key_ops": ["verify"]})

    def test_left_out(self) -> None:
        """What nobody looks at is left out, a private part and words that make a library do something included."""
        more = {"d": "AA", "x5c": ["AA"], "generate": "RSA", "size": 16384, "self": {}, "note": None}

        self.assertEqual(public_members({**KEY, **more}), KEY)

    def test_null(self) -> None:
        """A member that is null is not there."""
        without = {name: value for name, value in KEY.items() if name != "alg"}

        self.assertEqual(public_members({**KEY, "alg": None, "key_ops": None}), without)

    def test_no_keys(self) -> None:
        """What is no object, of another kind, or has a member that is no text is no key."""
        for value in (
            None,
            [],
            "EC",
            {},
            {"kty": "oct", "k": "AA"},
            {"kty": []},
            {"kty": {}},
            {**KEY, "crv": []},
            {**KEY, "x": 7},
            {**KEY, "kid": {}},
            {**KEY, "y": "A" * (LONGEST_MEMBER + 1)},
            {**KEY, "key_ops": "verify"},
            {**KEY, "key_ops": [[]]},
            {**KEY, "key_ops": ["verify"] * (MOST_OPERATIONS + 1)},
        ):
            self.assertIsNone(public_members(value), value)

    def test_expensive_keys(self) -> None:
        """A modulus of 8192 bit and an exponent of 64 are good, and nothing that takes longer to try."""
        largest = {"kty": "RSA", "n": "A" * LONGEST_MEMBER, "e": "A" * LONGEST_EXPONENT}

        self.assertEqual((LONGEST_MEMBER, LONGEST_EXPONENT), (-(-8192 // 6), -(-64 // 6)))
        self.assertEqual(public_members(largest), largest)
        for member in ("n", "e"):
            self.assertIsNone(public_members({**largest, member: largest[member] + "A"}))

    @settings(deadline=None)
    @given(name=st.sampled_from([*KEY, "key_ops", "generate", "oth"]), value=VALUES)
    def test_any_member(self, name: str, value: object) -> None:
        """Whatever stands for a member, what comes out is texts and lists of texts, or nothing."""
        found = public_members({**KEY, name: value}) or {}
        for member in found.values():
            texts = member if isinstance(member, list) else [member]
            self.assertTrue(all(isinstance(text, str) for text in texts))
