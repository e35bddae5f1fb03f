"""What tests of the LDAP backend begin with."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError, RefusalReason, Refused
from konnectd.protocol.end_user import EndUser
from tests.support.fakes import run
from tests.support.ldap_people import ALICE_DN, backend, clock, directory


class Case(SynchronousTestCase):
    """A directory in memory and a backend over it."""

    options: Mapping[str, Any] = {}

    def setUp(self) -> None:
        """Make both."""
        self.directory = directory()
        self.clock = clock()
        self.backend = backend(self.options, self.clock, one=self.directory)

    def signed_in(self, username: str = "alice", password: str = "wonderland") -> EndUser:
        """Return who is signed in by a name and a password."""
        answer = run(self.backend.logon(username, password))
        if isinstance(answer, Refused):
            self.fail(f"refused: {answer.reason}")
        return answer

    def refusal(self, username: str = "alice", password: str = "wonderland") -> RefusalReason | None:
        """Return why a sign-in is refused."""
        answer = run(self.backend.logon(username, password))
        return answer.reason if isinstance(answer, Refused) else None

    def change_alice(self, **attributes: str | bytes) -> None:
        """Give alice further attributes of one value each; ``__`` stands for ``-``."""
        for name, value in attributes.items():
            content = value.encode() if isinstance(value, str) else value
            self.directory.entries[ALICE_DN][name.replace("__", "-")] = (content,)


class TwoServersCase(SynchronousTestCase):
    """Two directories with the same people, and a backend over them."""

    options: Mapping[str, Any] = {}

    def setUp(self) -> None:
        """Make all."""
        self.one, self.two = directory(), directory()
        self.clock = clock()
        self.backend = backend(self.options, self.clock, one=self.one, two=self.two)
        self.addCleanup(lambda: run(self.backend.close()))

    def begin(self, username: str = "alice", password: str = "wonderland") -> Deferred[Any]:
        """Begin a sign-in."""
        return Deferred.fromCoroutine(self.backend.logon(username, password))

    def sign_in(self) -> None:
        """Sign alice in."""
        self.assertIsInstance(self.successResultOf(self.begin()), EndUser)

    def fail_to(self) -> str:
        """Fail to sign alice in, and return why."""
        return str(self.failureResultOf(self.begin(), BackendUnavailableError).value)
