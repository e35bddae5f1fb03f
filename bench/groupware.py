"""The groupware server of the measures: the stand-in of the tests, with as many people as are needed."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Self

from attrs import define, field, frozen

from bench.daemon import JWKS, PASSWORD
from bench.load import Load
from tests.real.kopano_server import KopanoProcess

#: Those who sign in.
PEOPLE = tuple(f"person{number}" for number in range(250))


@frozen
class Groupware:
    """A server that runs."""

    server: KopanoProcess

    @classmethod
    @contextmanager
    def start(cls, delay: float = 0.0) -> Iterator[Self]:
        """Start it, and remove it again.

        Args:
            delay: how long each answer takes, in seconds.
        """
        accounts = [f"--user={name}:{PASSWORD}:{name.title()}:{name}@example.com" for name in PEOPLE]
        server = KopanoProcess(f"--delay={delay}", *accounts)
        try:
            yield cls(server)
        finally:
            server.remove()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The flags with which the daemon finds people here, over the unix socket as it should be."""
        return (f"--kc-server-uri={self.server.unix_uri}",)

    def counts(self) -> Mapping[str, int]:
        """Return what was asked since it started, by call."""
        return self.server.counts()


@define
class Neighbor:
    """Somebody else who asks for something small all the time: how long they wait is how long nobody is served.

    Attributes:
        longest: seconds of the longest wait.
    """

    port: int
    longest: float = 0.0
    _over: Event = field(factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._thread = Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _ask(self) -> None:
        """Ask again and again, a moment apart."""
        load = Load(self.port, 1)
        while not self._over.is_set():
            began = time.perf_counter()
            next(load.run(iter([JWKS])))
            self.longest = max(self.longest, time.perf_counter() - began)
            time.sleep(0.001)
        load.close()
