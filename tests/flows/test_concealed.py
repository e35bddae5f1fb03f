"""Tests of tokens that do not tell a client who they are about."""

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.concealed import SEALED, Concealing, Revealing
from konnectd.interfaces import Signer, Verifier
from konnectd.protocol.claims import ACCOUNT, IDENTITY
from tests.contracts.signers import SignerContract, sign
from tests.support.fakes import FixedClock, ReadableSealer, ReadableSigner, claims_of, run


class ConcealingContractTests(SignerContract, SynchronousTestCase):
    """A signer and a verifier like any."""

    def make_pair(self) -> tuple[Signer, Verifier]:
        """Return a pair that belongs together."""
        keys = ReadableSigner(("PS256", "ES256"))
        return Concealing(keys, ReadableSealer()), Revealing(keys, ReadableSealer(), FixedClock())

    def make_stranger(self) -> Signer:
        """Return a signer of somebody else."""
        return Concealing(ReadableSigner(name="stranger"), ReadableSealer())


class ConcealedTests(SynchronousTestCase):
    """Identities that say an account of their own."""

    def setUp(self) -> None:
        """Begin with a pair."""
        self.clock = FixedClock()
        self.plain = ReadableSigner(("PS256", "ES256"))
        self.signer = Concealing(self.plain, ReadableSealer())
        self.verifier = Revealing(self.plain, ReadableSealer(), self.clock)
        self.identity = {"kc.i.id": "alice", ACCOUNT: "public"}
        self.claims = {"sub": "s", "exp": self.clock.now() + 60, IDENTITY: self.identity}

    def test_sealed(self) -> None:
        """The token has one member there, sealed, and all else as it was."""
        claims = claims_of(sign(self.signer, self.claims))

        self.assertEqual(list(claims[IDENTITY]), [SEALED])
        self.assertEqual({**claims, IDENTITY: 0}, {**self.claims, IDENTITY: 0})

    def test_opened(self) -> None:
        """We read what was written."""
        self.assertEqual(self.verifier.verify(sign(self.signer, self.claims)), self.claims)

    def test_open_to_all(self) -> None:
        """An identity without an account of its own, and a token without identity, are as they always were."""
        for claims in ({**self.claims, IDENTITY: {"kc.i.id": "alice"}}, {"sub": "s"}, {IDENTITY: "x"}):
            token = sign(self.signer, claims)
            with self.subTest(claims=claims):
                self.assertEqual(token, run(self.plain.sign(claims)))
                self.assertEqual(self.verifier.verify(token), claims)

    def test_nothing_to_open(self) -> None:
        """What was sealed by others, or is over, is nobody's identity."""
        token = sign(self.signer, self.claims)
        planted = run(self.plain.sign({**self.claims, IDENTITY: {SEALED: 7}}))
        self.clock.advance(60)

        for shown in (token, planted):
            claims = self.verifier.verify(shown) or {}
            self.assertEqual(list(cast(dict[str, object], claims[IDENTITY])), [SEALED])

    def test_foreign(self) -> None:
        """A token that is not ours is none."""
        self.assertIsNone(self.verifier.verify("x.y.z"))

    def test_passes_on(self) -> None:
        """Algorithm and type are the ones that were asked for."""
        self.assertEqual(self.signer.algorithms, ("PS256", "ES256"))
