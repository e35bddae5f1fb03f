"""What the HTTP shell costs: requests per CPU second of the fast lane and of Klein's, against bare twisted.web.

All servers answer 1 kB of fixed JSON on loopback, one after another under the same load, in rounds that alternate, so
that a ratio compares what ran within the same minute. CPU time is the server's own, user and system, from ``/proc``.

    python -m bench.http_floor [--seconds 2] [--rounds 3]
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.web.resource import Resource
from twisted.web.server import Site

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.errors import as_json, failure, not_found
from konnectd.web.route import Route
from konnectd.web.site import make_site

BODY = b'{"fixed":"' + b"x" * 1000 + b'"}\n'
ANSWER = HttpResponse(headers=((b"Content-Type", b"application/json; charset=utf-8"),), body=BODY)
# They carry no types.
_TwistedSite: Any = Site
_TwistedResource: Any = Resource
reactor: Any = _reactor
KINDS = ("bare", "fast", "klein")


class Bare(_TwistedResource):  # type: ignore[misc] # without types
    """What twisted.web does by itself."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:  # noqa: ANN401 - twisted.web calls it
        """Answer with the fixed bytes."""
        request.setHeader(b"Content-Type", b"application/json; charset=utf-8")
        return BODY


async def respond(_request: HttpRequest) -> HttpResponse:
    """Answer with the fixed bytes."""
    return ANSWER


def serve(kind: str) -> None:
    """Be a server until killed; tell the port on standard output."""
    if kind == "bare":
        site: Any = _TwistedSite(Bare())
    else:
        route = Route(path="/fixed", methods=("GET",), respond=respond, face=as_json, name="fixed", fast=kind == "fast")
        site = make_site(
            [route], reactor=reactor, not_found=not_found, failure=failure, reference=lambda: "none", access_log=False
        )
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


def cpu_seconds(pid: int) -> float:
    """Return the user and system time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(pid: int, port: str, seconds: int) -> float:
    """Load a server and return its requests per CPU second."""
    before = cpu_seconds(pid)
    out = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{seconds}s", f"http://127.0.0.1:{port}/fixed"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 20,
    ).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    found = re.search(r"(\d+) requests in", out)
    if found is None:
        sys.exit(out)
    return int(found[1]) / (cpu_seconds(pid) - before)


def main() -> None:
    """Run all rounds and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", choices=KINDS)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed")
    servers = {}
    try:
        for kind in KINDS:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.http_floor", "--serve", kind], stdout=subprocess.PIPE, text=True
            )
            servers[kind] = (process, process.stdout.readline().strip() if process.stdout else "")
        results: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(options.rounds):
            for kind, (process, port) in servers.items():
                results[kind].append(measure(process.pid, port, options.seconds))
    finally:
        for process, _ in servers.values():
            process.kill()
            process.wait()
    base = statistics.median(results["bare"])
    for kind in KINDS:
        middle = statistics.median(results[kind])
        spread = f"{min(results[kind]):.0f}-{max(results[kind]):.0f}"
        print(f"{kind:6} {middle:8.0f} requests per CPU second ({spread}), {middle / base:.2f} of bare twisted.web")


if __name__ == "__main__":
    main()
