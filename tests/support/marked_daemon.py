"""A daemon in memory whose every secret is marked, watched in every way there is, with one store or another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from konnectd.config.registration import load_clients
from konnectd.journal import JournalObserver
from konnectd.log_json import JsonObserver
from konnectd.logs import TextObserver
from konnectd.stores._redis_link import Link
from konnectd.stores._redis_server import Access, Server
from konnectd.stores._sqlite_file import StoreFile
from konnectd.stores.memory import MemoryStore
from konnectd.stores.redis import RedisStore
from konnectd.stores.sqlite import SqliteStore
from konnectd.watch_assembly import Auditing
from konnectd.watching.metrics import Metrics
from konnectd.watching.pending import describe
from konnectd.watching.profile import listing
from konnectd.web.site import Site
from tests.support.assembly import SECRET
from tests.support.at_once import AtOnce
from tests.support.connection import Connection
from tests.support.fakes import FixedClock, SilentStore, memory_store, run
from tests.support.marked_answers import Told
from tests.support.marked_backends import FAULTY_PERSON, PEOPLE, SOURCES, Source
from tests.support.marked_house import (
    INITIAL_TOKEN,
    MISPLACED,
    PAIRWISE_SALT,
    PASSWORD,
    WRONG,
    clients_file,
    house_marks,
)
from tests.support.marked_life import ListeningDaemon, MarkedLife
from tests.support.marks import Marks, mark
from tests.support.redis_memory import Redis
from tests.watching.test_metrics import GET
from tests.web.test_known_people import Carrier

#: The name at which a mistake in a template shows.
FAULTY_PAGE = "unprintable"
_SIGN_IN_PAGE = (
    '{% extends "original/signin.html" %}{% block main %}{{ super() }}'
    '{% if page.username == "' + FAULTY_PAGE + '" %}{{ page.csrf // page.username }}{% endif %}{% endblock %}'
)
REDIS_PASSWORD = mark("password of redis")
MEMORY, SQLITE, REDIS = "memory", "sqlite", "redis"


class Moody:
    """A store that can be made silent.

    Attributes:
        silent: whether it is.
    """

    def __init__(self, store: Any) -> None:  # noqa: ANN401 - any store
        """Stand before a store."""
        self.silent = False
        self._store = store

    def fall_silent(self) -> None:
        """Answer nothing more."""
        self.silent = True

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a store has
        """Return what answers now."""
        return getattr(SilentStore() if self.silent else self._store, name)


class Journal:
    """Keeps what would go to the journal."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.text = ""

    def send(self, fields: Any) -> bool:  # noqa: ANN401 - pairs
        """Keep it."""
        self.text += "".join(f"{name}={value}\n" for name, value in fields)
        return True


class Kept:
    """Keeps entries of the audit log."""

    def __init__(self) -> None:
        """Begin with none."""
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        """Keep one."""
        self.lines.append(line)


@frozen(kw_only=True)
class Lived:
    """What is left of a life.

    Attributes:
        marks: every secret there was.
        told: every answer.
        places: what was written down, by where.
        dump: of the store.
        audit: entries of the audit log.
    """

    marks: Marks
    told: tuple[Told, ...]
    places: dict[str, str]
    dump: bytes
    audit: tuple[str, ...]


class _Turning(Connection):
    """A connection to a site that has to be let go on before it answers."""

    def __init__(self, site: Site, turn: Callable[[], object]) -> None:
        """Connect."""
        super().__init__(site)
        self._turn = turn

    def send(self, *pieces: bytes) -> bytes:
        """Send, let happen what can happen, and return what was heard."""
        heard = super().send(*pieces)
        self._turn()
        return heard + self.hear()


class _MarkedDaemon(ListeningDaemon):
    """A daemon with everything on."""

    def __init__(self, folder: Path, store: Any, kind: str) -> None:  # noqa: ANN401 - any store
        """Assemble it."""
        self.marks, self.told = house_marks(), []
        self.marks.add("encryption secret", SECRET)
        self.marks.add("password of the store", REDIS_PASSWORD)
        self.source: Source = SOURCES[kind](self.marks)
        clients, templates = folder / "clients.yaml", folder / "templates"
        clients.write_text(clients_file())
        templates.mkdir()
        (templates / "signin.html").write_text(_SIGN_IN_PAGE)
        super().__init__(
            "--allow-dynamic-client-registration",
            f"--dynamic-registration-token={INITIAL_TOKEN}",
            "--allow-client-guests",
            f"--templates-path={templates}",
            *self.source.words,
            clients=load_clients(clients, loopback_issuer=False, warn=str, pairwise_salt=PAIRWISE_SALT),
            backend=self.source.backend,
            store=store,
            pairwise_salt=PAIRWISE_SALT,
        )

    def connect(self) -> Connection:
        """Connect a peer."""
        return _Turning(self.site, self.source.turn)


def live(folder: Path, kind: str = MEMORY, people: str = PEOPLE) -> Lived:
    """Live with a store and people of some kinds, and return what is left.

    Args:
        folder: an empty one.
        kind: of the store.
        people: where they come from.
    """
    events: list[dict[str, Any]] = []
    publisher: Any = globalLogPublisher
    publisher.addObserver(events.append)
    try:
        store, dumped = _store(folder, kind)
        moody = Moody(store)
        daemon = _MarkedDaemon(folder, moody, people)
        metrics, kept = Metrics(backend=people, store=kind), Kept()
        happened = _watch(daemon, metrics, kept)
        life = MarkedLife(daemon, Carrier(daemon, daemon.source.cookies), daemon.source.username)
        life.live()
        daemon.reactor.advance(60)
        dumps = describe(daemon.reactor)
        _troubles(daemon, life, moody)
    finally:
        publisher.removeObserver(events.append)
    for _, fields in daemon.web.posted:
        for name, token in fields:
            daemon.marks.add_token(name, token)
    places = {
        **_logs(events),
        "metrics": run(metrics.on_metrics(GET)).body.decode(),
        "what answers came of": repr(happened),
        "dump of tasks": dumps + describe(Clock()) + listing(()),
    }
    return Lived(marks=daemon.marks, told=tuple(daemon.told), places=places, dump=dumped(), audit=tuple(kept.lines))


def _watch(daemon: _MarkedDaemon, metrics: Metrics, kept: Kept) -> list[object]:
    """Watch a daemon, and return where it is written what its answers come of."""
    taker: Any = kept
    auditing = Auditing(taker, lambda: 1.5)
    happened: list[object] = []

    def observe(*words: Any) -> None:
        metrics.observe(*words)
        auditing.observe(*words)
        happened.extend(words[2].happened)

    daemon.site = daemon.assembly.site(daemon.reactor, observe=observe)
    return happened


def _troubles(daemon: _MarkedDaemon, life: MarkedLife, store: Moody) -> None:
    """Let everything fail that can fail, with secrets on their way."""
    tokens = life.code_flow()
    page = life.arrive(life.house, prompt="login")
    for name in (FAULTY_PERSON, FAULTY_PAGE):
        life.type(page, name, WRONG)
    for fall_silent in (store.fall_silent, daemon.source.fall_silent):
        code = life.code(life.house)
        fall_silent()
        life.house.redeem(code)
        life.house.refresh(tokens["refresh_token"])
        life.house.userinfo(tokens["access_token"])
        life.arrive(life.house)
        life.arrive(life.house, prompt="none", login_hint=PASSWORD)
        life.type(page, MISPLACED, PASSWORD)
        life.daemon.post(life.paths.par, life.house.basic(), code)
        life.front_ends()
        store.silent = False


def _logs(events: list[dict[str, Any]]) -> dict[str, str]:
    """Return every kind of log of what happened, with all there is."""
    text: list[str] = []
    objects: list[str] = []
    journal: Any = Journal()
    for observe in (
        TextObserver(text.append, "trace", timestamp=False),
        JsonObserver(objects.append, "trace"),
        JournalObserver(journal, journal, "trace"),
    ):
        for event in events:
            observe(event)
    return {
        "log": "".join(text),
        "facts behind the log": "".join(map(repr, events)),
        "log as JSON": "".join(objects),
        "journal": journal.text,
    }


def _store(folder: Path, kind: str) -> tuple[Any, Callable[[], bytes]]:
    """Return a store, and what returns all that is in it."""
    clock = FixedClock()
    if kind == SQLITE:
        path = folder / "store.db"
        return SqliteStore(AtOnce(StoreFile(path)), clock), lambda: _bytes_of(folder)
    if kind == REDIS:
        reactor = Clock()
        redis = Redis(reactor, password=REDIS_PASSWORD)
        link = Link(reactor, Server.parse("redis://redis.example/3"), Access(password=REDIS_PASSWORD), redis, 2)
        return RedisStore(link, "konnectd:"), lambda: b"\n".join(
            key + b" " + value for key, (value, _) in redis.entries.items()
        )
    memory = memory_store(clock)
    return memory, lambda: _entries_of(memory)


def _bytes_of(folder: Path) -> bytes:
    """Return the file of a store, and what SQLite keeps beside it."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("store.db*")))


def _entries_of(store: MemoryStore) -> bytes:
    """Return all entries of a store in memory."""
    return "\n".join(f"{key} {entry.value}" for key, entry in store._entries.items()).encode()  # noqa: SLF001 - a dump
