"""Measure the sign-in page in a browser: ``python -m bench.pages [--rounds N]``.

A headless Chromium opens the page of a real daemon on loopback, and says when the first byte was there and when the
first text was painted. The discovery document, text without any style that the same daemon has ready, is opened in
turns with it: what that takes is the browser's and the connection's, and the rest is what a page of ours costs.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from attrs import field, frozen
from selenium.webdriver import Chrome

from bench.daemon import Daemon, Files
from tests.support.browser import browser, missing, without_scripts

_ROUNDS = 21
_SIGN_IN = "/signin/v1/identifier/_/signin"
#: Waits for the first paint, and returns milliseconds and bytes.
_TIMES = """
const done = arguments[arguments.length - 1];
const tell = (paint) => {
  const [page] = performance.getEntriesByType("navigation"), files = performance.getEntriesByType("resource");
  const sum = (name) => [page, ...files].reduce((total, entry) => total + entry[name], 0);
  done([page.responseStart - page.fetchStart, paint.startTime - page.fetchStart, sum("decodedBodySize")]);
};
new PerformanceObserver((list, observer) => {
  const [paint] = list.getEntriesByName("first-contentful-paint");
  if (paint) { observer.disconnect(); tell(paint); }
}).observe({ type: "paint", buffered: true });
"""


@frozen(kw_only=True)
class Way:
    """One way to open a page.

    Attributes:
        cached: whether styles, script and logo are there from the last time.
        scripts: whether the script arrives.
    """

    path: str
    cached: bool = False
    scripts: bool = True


_WAYS: Mapping[str, Way] = {
    "discovery": Way(path="/.well-known/openid-configuration"),
    "sign-in, first visit": Way(path=_SIGN_IN),
    "sign-in, script does not arrive": Way(path=_SIGN_IN, scripts=False),
    "sign-in, second visit": Way(path=_SIGN_IN, cached=True),
}


@frozen
class Times:
    """What was measured, round by round: milliseconds to the first byte and to the first paint, and bytes."""

    rounds: list[tuple[float, float, int]] = field(factory=list)

    def middle(self, place: int) -> float:
        """Return the median of one measure."""
        return median(each[place] for each in self.rounds)


def look(driver: Chrome, daemon: Daemon, way: Way) -> tuple[float, float, int]:
    """Open a page in one way."""
    without_scripts(driver, blocked=not way.scripts)
    if not way.cached:
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    driver.get(f"http://localhost:{daemon.server.port}{way.path}")
    first_byte, paint, size = driver.execute_async_script(_TIMES)
    return first_byte, paint, size


def main(arguments: list[str]) -> int:
    """Measure and print; the exit status is 1 when there is no browser."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often each page is opened")
    rounds = parser.parse_args(arguments).rounds
    if missing():
        print(missing())
        return 1
    times = {name: Times() for name in _WAYS}
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        daemon = Daemon.start(Files.write(Path(folder)))
        try:
            # What a process does once, at its first page, is not measured.
            for _ in range(rounds + 1):
                for name, way in _WAYS.items():
                    times[name].rounds.append(look(driver, daemon, way))
        finally:
            daemon.stop()
    print(f"{'':<32}{'first byte':>12}{'first paint':>12}{'bytes':>9}")
    for name, found in times.items():
        del found.rounds[0]
        first_byte, paint, size = (found.middle(place) for place in range(3))
        print(f"{name:<32}{first_byte:>9.1f} ms{paint:>9.1f} ms{size:>9.0f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
