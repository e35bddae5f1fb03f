"""The fakes keep to the contracts of the real things."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import (
    BackendUnavailableError,
    PasswordBackend,
    RefusalReason,
    Refused,
    Sealer,
    Signer,
    Store,
    Verifier,
)
from konnectd.protocol.client import Client
from tests.contracts.backends import BackendContract, SessionContract
from tests.contracts.sealers import SealerContract
from tests.contracts.signers import SignerContract
from tests.support.fakes import (
    FixedClock,
    People,
    ReadableSealer,
    ReadableSigner,
    Registry,
    SilentStore,
    memory_store,
    run,
)
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.session_people import SessionPeople


class ReadableSignerTests(SignerContract, SynchronousTestCase):
    """The readable signer is a signer."""

    def make_pair(self) -> tuple[Signer, Verifier]:
        """Return the signer, which is its own verifier."""
        signer = ReadableSigner(("PS256", "ES256"))
        return signer, signer

    def make_stranger(self) -> Signer:
        """Return a signer with another name."""
        return ReadableSigner(("PS256", "ES256"), name="stranger")


class ReadableSealerTests(SealerContract, SynchronousTestCase):
    """The readable sealer is a sealer."""

    def make_sealer(self) -> Sealer:
        """Return it."""
        return ReadableSealer()


class RunTests(SynchronousTestCase):
    """Driving coroutines."""

    def test_answer_and_error(self) -> None:
        """What a coroutine returns or raises comes out."""
        self.assertEqual(run(Registry(Client(client_id="a")).get("a")), Client(client_id="a"))
        with self.assertRaises(BackendUnavailableError):
            run(SilentStore().get("a"))

    def test_waiting_fails(self) -> None:
        """A coroutine that waits is a failure."""

        async def wait() -> None:
            await Deferred[None]()

        with self.assertRaisesRegex(AssertionError, "waited"):
            run(wait())


class PeopleContractTests(BackendContract, SynchronousTestCase):
    """The backend of people is a backend."""

    def make_backend(self) -> PasswordBackend:
        """Return it with the person the contract asks for."""
        return People(ALICE, passwords=PASSWORDS)


class SessionPeopleContractTests(SessionContract, SynchronousTestCase):
    """The same with sessions of its own."""

    def make_backend(self) -> PasswordBackend:
        """Return it with the person the contract asks for."""
        return SessionPeople(ALICE, passwords=PASSWORDS)


class PeopleTests(SynchronousTestCase):
    """The backend of people."""

    def test_sign_in(self) -> None:
        """Only the right password lets in whom it knows."""
        people: PasswordBackend = People(ALICE, BOB, passwords=PASSWORDS)
        answers = [
            run(people.logon(*words))
            for words in (("alice", "wonderland"), ("alice", "builder"), ("alice", ""), ("carol", "x"))
        ]

        self.assertEqual(
            answers,
            [
                ALICE,
                Refused(RefusalReason.WRONG_PASSWORD),
                Refused(RefusalReason.EMPTY_PASSWORD),
                Refused(RefusalReason.UNKNOWN_USER),
            ],
        )

    def test_silence(self) -> None:
        """A silent backend, registry or store says so."""
        people, registry = People(ALICE), Registry()
        people.silent = registry.silent = True
        store: Store = SilentStore()

        for question in (
            people.check(),
            people.find("alice"),
            people.logon("a", "b"),
            registry.get("a"),
            store.take("a"),
        ):
            with self.assertRaises(BackendUnavailableError):
                run(question)


class StoreTests(SynchronousTestCase):
    """The store for flows."""

    def test_clock(self) -> None:
        """It lives by the clock it is given."""
        clock = FixedClock()
        store = memory_store(clock)
        run(store.put("a", "1", 10))
        clock.advance(10)

        self.assertIsNone(run(store.get("a")))
