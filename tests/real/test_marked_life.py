"""A complete life of a real process with every secret marked: what it leaves behind has no mark in it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from functools import cache
from pathlib import Path

from attrs import field, frozen
from twisted.trial.unittest import SynchronousTestCase

from konnectd.explain import Line, explained
from tests.real import redis_server
from tests.real.daemon import PATIENCE, ROOT, daemon, free_port
from tests.real.daemon import Daemon as Running
from tests.real.reached import ReachedDaemon
from tests.real.redis_server import RedisServer
from tests.real.test_watching import wait_for
from tests.support.marked_answers import NEVER, Told
from tests.support.marked_faults import BARE_SECRET, STORE_PASSWORD, Lines, good_files, good_lines, write_all
from tests.support.marked_house import PASSWORD, house_marks
from tests.support.marked_life import MarkedLife
from tests.support.marks import Marks
from tests.support.seclusion import NO_SURVEY
from tests.support.visitor import Visitor
from tests.web.test_marked_life import IN_CLEAR


@frozen(kw_only=True)
class Left:
    """What is left of a process.

    Attributes:
        places: what was written and shown, by where.
        dump: of its store.
    """

    marks: Marks
    told: tuple[Told, ...] = field(repr=False)
    places: dict[str, str] = field(repr=False)
    dump: bytes = field(repr=False)


def _get(port: int, path: str) -> str:
    """Return a page of those who look after the daemon."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
    return text


def _command(*words: str) -> str:
    """Return everything that a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "konnectd.cli", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **NO_SURVEY},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout.decode()


def _bytes_of(folder: Path, pattern: str) -> bytes:
    """Return all files of a kind."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob(pattern)) if path.is_file())


def _read_anew(running: Running, root: Path) -> None:
    """Let a daemon read files anew that are wrong, and right again."""
    good = str(good_files()["clients.yaml"])
    for content, words in (
        (f"clients:\n  - id: a\n    secret: *{BARE_SECRET}\n", "is not YAML"),
        (good, "reload-done"),
    ):
        (root / "clients.yaml").write_text(content)
        running.process.send_signal(signal.SIGHUP)
        wait_for(lambda words=words: words in running.log)


def _live(root: Path, lines: Lines, *, thorough: bool) -> Left:
    """Let a daemon live.

    Args:
        root: an empty folder.
        lines: of the configuration, beyond the usual ones.
        thorough: look into what takes a while, too.
    """
    marks = house_marks()
    marks.add("password of the store", STORE_PASSWORD)
    marks.add("secret of a client", BARE_SECRET)
    port, metrics, pprof = free_port(), free_port(), free_port()
    watching = {
        "with_metrics": "yes",
        "metrics_listen": f"127.0.0.1:{metrics}",
        "with_pprof": "yes",
        "pprof_listen": f"127.0.0.1:{pprof}",
        "audit_log": f"{root}/audit.log",
        "log_level": "trace",
        "request_log": "yes",
        "allow_client_guests": "yes",
    }
    ours = {**good_lines(root), **watching, "oidc_issuer_identifier": f"http://localhost:{port}", **lines}
    conf = write_all(root, good_files(), ours)
    places: dict[str, str] = {}
    with daemon(f"--config={conf}", port=port) as running:
        reached = ReachedDaemon(running, marks, {"alice": PASSWORD})
        MarkedLife(reached, Visitor(reached)).live()
        places["metrics"] = _get(metrics, "/metrics")
        places["what is pending"] = _get(pprof, "/debug/pprof/pending")
        if thorough:
            places["profile"] = _get(pprof, "/debug/pprof/profile?seconds=1")
            places["doctor"] = _command("doctor", f"--config={conf}", "--as-user=alice", "--client=house")
            _read_anew(running, root)
        dump = _bytes_of(root, "store.db*")
        running.stop()
        places["log"] = running.log
    places["audit log"] = (root / "audit.log").read_text()
    found = [Line.parse(line) for line in places["log"].splitlines()]
    places["explanations"] = "".join(explained(line) for line in found if line is not None)
    return Left(marks=marks, told=tuple(reached.told), places=places, dump=dump + _bytes_of(root, "store.db*"))


@cache
def in_sqlite() -> Left:
    """Live once with a store in a file, and the log as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        return _live(Path(folder), {"log_format": "json"}, thorough=True)


@cache
def in_redis() -> Left:
    """Live once with a store in Redis, and the log as text."""
    server = RedisServer("--requirepass", STORE_PASSWORD)
    try:
        with tempfile.TemporaryDirectory() as folder:
            lines: Lines = {"store": "redis", "redis_url": server.url, "redis_password": STORE_PASSWORD}
            left = _live(Path(folder), lines, thorough=False)
        written = _bytes_of(server.folder, "*.aof")
    finally:
        server.remove()
    return Left(marks=left.marks, told=left.told, places=left.places, dump=written)


class ProcessTests(SynchronousTestCase):
    """A daemon with its store in a file."""

    def left(self) -> Left:
        """Return what it has left."""
        return in_sqlite()

    def test_written(self) -> None:
        """No log, figure, dump, profile, explanation or finding has a mark in it."""
        left = self.left()
        for place, text in left.places.items():
            self.assertGreater(len(text), 300, place)
            self.assertEqual(left.marks.found(text), set(), place)

    def test_answers(self) -> None:
        """No error has, but the client's own state on its way to the client, and no answer repeats a secret."""
        left = self.left()
        found = {
            (told.asked, kind)
            for told in left.told
            for kind in left.marks.found(told.content, but={"state"} if told.answer.status == 302 else ())
            if told.is_error or (kind in NEVER and not told.asked.endswith("/register"))
        }

        self.assertEqual(found, set())

    def test_marks(self) -> None:
        """What was looked for was there, and was given out."""
        left = self.left()
        given_out = {"code", "access_token", "refresh_token", "id_token", "device_code", "user_code", "request_uri"}

        self.assertLessEqual(given_out | {"sid", "ticket", "registration_access_token"}, left.marks.kinds.keys())
        self.assertLessEqual({200, 201, 302, 400, 401, 404}, {told.answer.status for told in left.told})

    def test_store(self) -> None:
        """Nor has the store, what was removed included, but for what the manual says."""
        left = self.left()

        self.assertGreater(len(left.dump), 10_000)
        self.assertEqual(left.marks.found(left.dump, but=IN_CLEAR), set())


class RedisTests(ProcessTests):
    """A daemon with its store in Redis, of which everything is looked at that was ever written."""

    skip = redis_server.SKIP

    def left(self) -> Left:
        """Return what it has left."""
        return in_redis()


class StartTests(SynchronousTestCase):
    """A start with a configuration that is wrong in many ways."""

    def test_start(self) -> None:
        """Everything is told, and no secret."""
        marks = house_marks()
        marks.add("secret of a client", BARE_SECRET)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            users = json.dumps({"users": [{"username": "alice", "password": PASSWORD}]})
            wrong = {"users.yaml": users, "clients.yaml": f"clients:\n  - id: a\n    secret: *{BARE_SECRET}\n"}
            conf = write_all(root, {**good_files(), **wrong}, good_lines(root))
            told = _command("serve", f"--config={conf}", f"--listen=127.0.0.1:{free_port()}")

        self.assertIn("is not YAML", told)
        self.assertIn("must be a hash", told)
        self.assertEqual(marks.found(told), set())
