"""What every pair of signer and verifier must do."""

from typing import TYPE_CHECKING, Any

from konnectd.interfaces import Signer, Verifier
from tests.support.fakes import claims_of, header_of, run

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object

CLAIMS: dict[str, Any] = {
    "iss": "https://id.example.org",
    "sub": "älice",
    "exp": 1_700_000_600,
    "kc.isAccessToken": True,
    "kc.authorizedScopes": ["openid", "profile"],
    "kc.identity": {"kc.i.id": "alice", "groups": [{"name": "readers"}]},
}


def sign(signer: Signer, *arguments: Any) -> str:
    """Sign where nothing has to wait."""
    token: str = run(signer.sign(*arguments))  # type: ignore[arg-type]
    return token


class SignerContract(Base):
    """Mix into a test case and override the two makers."""

    signer: Signer
    verifier: Verifier

    def setUp(self) -> None:
        """Take a pair that belongs together."""
        super().setUp()
        self.signer, self.verifier = self.make_pair()

    def make_pair(self) -> tuple[Signer, Verifier]:
        """Return a signer with at least two algorithms and the verifier of its tokens."""
        raise NotImplementedError

    def make_stranger(self) -> Signer:
        """Return a signer whose tokens the verifier does not know."""
        raise NotImplementedError

    def test_round_trip(self) -> None:
        """What was signed by any algorithm comes back as it was."""
        for algorithm in self.signer.algorithms:
            self.assertEqual(self.verifier.verify(sign(self.signer, CLAIMS, algorithm)), CLAIMS)

    def test_three_segments(self) -> None:
        """A token is a compact JWS whose claims anybody can read."""
        token = sign(self.signer, CLAIMS)

        self.assertEqual((token.count("."), claims_of(token)), (2, CLAIMS))
        self.assertRegex(token, r"\A[A-Za-z0-9_.-]+\Z")

    def test_header(self) -> None:
        """The header says algorithm, key and type, and nothing else."""
        header = header_of(sign(self.signer, CLAIMS, self.signer.algorithms[1], "at+jwt"))

        self.assertEqual(sorted(header), ["alg", "kid", "typ"])
        self.assertEqual((header["alg"], header["typ"]), (self.signer.algorithms[1], "at+jwt"))

    def test_default_algorithm(self) -> None:
        """Without an algorithm, or with one there is no key for, the default one signs."""
        for arguments in ((CLAIMS,), (CLAIMS, None), (CLAIMS, ""), (CLAIMS, "HS256"), (CLAIMS, "none")):
            self.assertEqual(header_of(sign(self.signer, *arguments))["alg"], self.signer.algorithms[0])

    def test_stranger(self) -> None:
        """A stranger's token is nobody's."""
        self.assertIsNone(self.verifier.verify(sign(self.make_stranger(), CLAIMS)))

    def test_changed_claims(self) -> None:
        """A signature does not fit other claims."""
        header, _, signature = sign(self.signer, CLAIMS).split(".")
        other = sign(self.make_stranger(), {**CLAIMS, "sub": "bob"}).split(".")[1]

        self.assertIsNone(self.verifier.verify(f"{header}.{other}.{signature}"))

    def test_no_token(self) -> None:
        """What is no token is nobody's."""
        for text in ("", ".", "..", "...", "a.b.c", "älice", sign(self.signer, CLAIMS) + ".", "a" * 100_000):
            self.assertIsNone(self.verifier.verify(text))

    def test_callers_do_not_meet(self) -> None:
        """Whoever changes the claims changes their own copy."""
        token = sign(self.signer, CLAIMS)
        for _ in range(3):
            answer: Any = self.verifier.verify(token)
            answer["kc.identity"]["groups"][0]["name"] = "admins"
            answer["kc.authorizedScopes"].append("admin")
            answer.pop("sub")

        self.assertEqual(self.verifier.verify(token), CLAIMS)
