"""Measure everything and print one table: ``python -m bench [--quick]``."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import daemon
from bench.daemon import Daemon, Files
from bench.directory import Directory
from bench.groupware import PEOPLE, Groupware, Neighbor
from bench.load import Load, get
from bench.processes import SERVER_CORE, Server, free_port
from bench.series import Row, Series, at_least, at_most, keep
from bench.watched import watched

_ROUNDS = 5
_FLOWS = 100_000
#: Flows under way together; fewer than the grants that one person may have with one client.
_AT_ONCE = 20
#: How many sign in together at a groupware server that takes so many seconds for each answer.
_TOGETHER = 50
_SLOW = 0.2
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)


def main(arguments: list[str]) -> int:
    """Measure, print, and say by the exit status whether every bound is met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and 5,000 flows instead of 100,000")
    quick = parser.parse_args(arguments).quick
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {SERVER_CORE} or {SERVER_CORE})
    with tempfile.TemporaryDirectory() as folder:
        files = Files.write(Path(folder))
        speed, size = _speed(files, 2 if quick else _ROUNDS), _size(files, 5_000 if quick else _FLOWS)
        rows = [*speed, *watched(files, 2 if quick else _ROUNDS), *size, *_directory(files), *_groupware(files)]
    width = max(len(row[0]) for row in rows)
    missed = 0
    for name, value, bound, met in rows:
        missed += not met
        print(f"{name:<{width}}  {value:>14}  {bound:>22}  {'' if met else 'MISSED'}".rstrip())
    return 1 if missed else 0


def _speed(files: Files, rounds: int) -> Iterator[Row]:
    """Measure every endpoint against its bound, in turns."""
    series = Series()
    port = free_port()
    bare = Server.start(["-m", "bench.bare", str(port)], port, files.folder / "bare.log")
    bare_load = Load(port)
    subject, single = Daemon.start(files, *files.house), Daemon.start(files)
    try:
        subject.sign_in(*daemon.HOUSE)
        single.sign_in(daemon.HOUSE[0])
        for _ in range(rounds):
            _round(series, bare, bare_load, subject, files)
            _measure_one_person(series, single)
    finally:
        bare_load.close()
        bare.stop()
        subject.stop()
        single.stop()
    yield at_least("token, 3 signatures / signing bound", series.ratio("token", "sign", 3), 0.70)
    yield at_least("the same, for one person all the time", series.ratio("token of one person", "sign", 3), 0.0)
    yield at_least("refresh, 3 signatures / signing bound", series.ratio("refresh", "sign", 3), 0.0)
    yield at_least("discovery / bare resource", series.ratio("discovery", "bare"), 1.2)
    yield at_least("JWKS / bare resource", series.ratio("jwks", "bare"), 1.2)
    yield at_least("authorize with a logon / bare resource", series.ratio("authorize", "bare"), 0.35)
    yield at_least("userinfo / bare resource", series.ratio("userinfo", "bare"), 0.5)
    for name, rates in series.rates.items():
        yield f"  {name}, per CPU second", f"{median(rates):.0f}", f"{min(rates):.0f} to {max(rates):.0f}", True


def _round(series: Series, bare: Server, bare_load: Load, subject: Daemon, files: Files) -> None:
    """Measure everything once."""
    load, server = subject.load, subject.server
    series.measure("bare", bare, lambda: _repeat(bare_load, get("/"), 20_000))
    series.measure("discovery", server, lambda: _repeat(load, daemon.DISCOVERY, 20_000))
    series.measure("bare", bare, lambda: _repeat(bare_load, get("/"), 20_000), more=True)
    series.measure("jwks", server, lambda: _repeat(load, daemon.JWKS, 20_000))
    codes: list[str] = []
    series.measure("authorize", server, lambda: keep(codes, subject.authorize(3_000)))
    tokens: list[str] = []
    series.add("sign", *_sign(files.key, 2_000))
    series.measure("token", server, lambda: keep(tokens, subject.redeem(codes)))
    series.measure("refresh", server, lambda: subject.refresh(2_000))
    series.measure("userinfo", server, lambda: _repeat(load, daemon.userinfo_request(tokens[-1]), 10_000))


def _measure_one_person(series: Series, single: Daemon) -> None:
    """Measure token requests for somebody who gets more grants than are kept: each pushes the oldest one out."""
    codes = single.authorize(1_000)
    series.measure("token of one person", single.server, lambda: len(single.redeem(codes)))


def _repeat(load: Load, request: bytes, count: int) -> int:
    """Send one request again and again.

    Raises:
        RuntimeError: it is refused.
    """
    for answer in load.run(request for _ in range(count)):
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.body!r}")
    return count


def _sign(key: rsa.RSAPrivateKey, count: int) -> tuple[int, float]:
    """Sign as fast as the library can, on the core that servers run on."""
    message = b"x" * 700
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    began = time.process_time()
    for _ in range(count):
        key.sign(message, _PSS, hashes.SHA256())
    took = time.process_time() - began
    os.sched_setaffinity(0, here)
    return count, took


def _size(files: Files, flows: int) -> Iterator[Row]:
    """Measure start and memory, and memory after many flows."""
    subject = Daemon.start(files)
    try:
        yield at_most("ready, CPU seconds, file backend", subject.server.ready_cpu, 0.6)
        yield at_most("idle, MB, file backend", subject.server.resident, 70)
        subject.sign_in(daemon.HOUSE[0])
        sizes = []
        for _ in range(4):
            for _ in range(flows // 4 // _AT_ONCE):
                _flow(subject, _AT_ONCE)
            sizes.append(subject.server.resident)
        yield f"  MB after each quarter of {flows} flows", " ".join(f"{size:.0f}" for size in sizes), "", True
        # What lives for minutes (codes, caches) is there after the first half; from then on nothing may be added.
        yield at_most(f"growth over the second half of {flows} flows, MB", sizes[3] - sizes[1], 4)
    finally:
        subject.stop()


def _flow(subject: Daemon, count: int) -> None:
    """Run some complete flows: code, tokens, userinfo."""
    tokens = subject.redeem(subject.authorize(count))
    for answer in subject.load.run(daemon.userinfo_request(token) for token in tokens):
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.body!r}")


def _directory(files: Files) -> Iterator[Row]:
    """Measure the daemon with users from a real directory."""
    if not Directory.available():
        yield "LDAP", "not measured", "slapd is not installed", True
        return
    with Directory.start() as directory:
        subject = Daemon.start(files, *directory.arguments, "ldap")
        try:
            yield at_most("ready, CPU seconds, LDAP backend", subject.server.ready_cpu, 0.6)
            time.sleep(1.0)
            yield at_most("idle, MB, LDAP backend", subject.server.resident, 70)
            requests = subject.sign_in_requests(daemon.HOUSE[0])
            _sign_ins(subject.load, requests * 64)
            before, cpu = directory.counters(), subject.server.cpu
            _sign_ins(subject.load, requests * 512)
            took = subject.server.cpu - cpu
            spent = directory.counters().since(before)
        finally:
            subject.stop()
    yield at_most("searches per LDAP sign-in", spent.searches / 512, 1.0)
    yield at_most("binds per LDAP sign-in", spent.binds / 512, 1.0)
    yield at_most("new connections in 512 LDAP sign-ins", float(spent.connections), 0)
    yield "  LDAP sign-ins, per CPU second", f"{512 / took:.0f}", "", True


def _groupware(files: Files) -> Iterator[Row]:
    """Measure the daemon with users from a groupware server, one that answers at once and one that is slow."""
    with Groupware.start() as groupware:
        subject = Daemon.start(files, *groupware.arguments, "kc")
        try:
            yield "ready, CPU seconds, kc backend", f"{subject.server.ready_cpu:.2f}", "", True
            time.sleep(1.0)
            yield "idle, MB, kc backend", f"{subject.server.resident:.2f}", "", True
            first, *others = subject.sign_in_requests(*PEOPLE)
            _sign_ins(subject.load, [first])
            before, cpu = groupware.counts(), subject.server.cpu
            _sign_ins(subject.load, others)
            took, after = subject.server.cpu - cpu, groupware.counts()
        finally:
            subject.stop()
    spent = {call: after[call] - before.get(call, 0) for call in after}
    for call in ("logon", "getUser"):
        yield at_most(f"calls of {call} per kc sign-in", spent.pop(call, 0) / len(others), 1.0)
    yield at_most("other calls in all kc sign-ins", float(sum(spent.values())), 0)
    yield "  kc sign-ins, per CPU second", f"{len(others) / took:.0f}", "", True
    with Groupware.start(_SLOW) as groupware:
        subject = Daemon.start(files, *groupware.arguments, "kc")
        everybody = Load(subject.server.port, _TOGETHER)
        try:
            requests = subject.sign_in_requests(*PEOPLE)
            # Once before: what is compiled and opened at the first time is not what is measured.
            _sign_ins(everybody, requests[:_TOGETHER])
            with Neighbor(subject.server.port) as neighbor:
                began = time.perf_counter()
                _sign_ins(everybody, requests[_TOGETHER : 2 * _TOGETHER])
                took = time.perf_counter() - began
        finally:
            everybody.close()
            subject.stop()
    yield at_most(f"{_TOGETHER} kc sign-ins at once, {_SLOW:.1f} s for each call, seconds", took, 1.0)
    yield at_most("longest wait of somebody else meanwhile, ms", neighbor.longest * 1000, 20)


def _sign_ins(load: Load, requests: list[bytes]) -> None:
    """Sign in by each of some requests."""
    for answer in load.run(iter(requests)):
        if answer.status != 303 or b"KKT=" not in answer.header(b"set-cookie"):
            raise RuntimeError(f"nobody was signed in: {answer.status} {answer.header(b'location')!r}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
