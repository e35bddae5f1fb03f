"""What watching costs: a daemon that nobody watches, and others that count or keep an audit log, in turns in one run.

python -m bench.watched [--rounds 5]
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from bench import daemon
from bench.daemon import Daemon, Files
from bench.processes import SERVER_CORE, free_port
from bench.series import Row, Series, at_least, keep

_ROUNDS = 5
#: Requests of each kind in a round.
_REQUESTS = 2_000
#: What nobody watches.
_BARE = "unwatched"


def watched(files: Files, rounds: int) -> Iterator[Row]:
    """Measure authorize and token with metrics and with an audit log, to the same without."""
    series = Series()
    with ExitStack() as running:
        daemons = {name: _start(files, words, running) for name, words in _kinds(files).items()}
        for _ in range(rounds):
            for name, subject in daemons.items():
                _round(series, name, subject)
    for name, endpoint, bound in (
        ("with metrics", "authorize", 0.85),
        ("with metrics", "token", 0.90),
        ("with an audit log", "authorize", 0.80),
        ("with an audit log", "token", 0.90),
    ):
        ratio = series.ratio(f"{endpoint}, {name}", f"{endpoint}, {_BARE}")
        yield at_least(f"{endpoint} {name} / without", ratio, bound)


def _round(series: Series, name: str, subject: Daemon) -> None:
    """Measure one daemon once."""
    codes: list[str] = []
    series.measure(f"authorize, {name}", subject.server, lambda: keep(codes, subject.authorize(_REQUESTS)))
    series.measure(f"token, {name}", subject.server, lambda: len(subject.redeem(codes)))


def _kinds(files: Files) -> Mapping[str, tuple[str, ...]]:
    """Return the words of the command line for each kind of daemon."""
    return {
        _BARE: (),
        "with metrics": ("--with-metrics", f"--metrics-listen=127.0.0.1:{free_port()}"),
        "with an audit log": (f"--audit-log={files.folder / 'audit.log'}",),
    }


def _start(files: Files, words: tuple[str, ...], running: ExitStack) -> Daemon:
    """Start a daemon, and sign everybody in."""
    subject = Daemon.start(files, *words, *files.house)
    running.callback(subject.stop)
    subject.sign_in(*daemon.HOUSE)
    return subject


def main() -> None:
    """Measure this alone and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.watched", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    rounds = parser.parse_args().rounds
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {SERVER_CORE} or {SERVER_CORE})
    with tempfile.TemporaryDirectory() as folder:
        for name, value, bound, met in watched(Files.write(Path(folder)), rounds):
            print(f"{name:<40}  {value:>8}  {bound:>16}  {'' if met else 'MISSED'}".rstrip())


if __name__ == "__main__":
    main()
