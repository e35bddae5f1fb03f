"""Take a picture of every page in every state and look, and write a page to look through them: what `make gallery` is.

Pages are served and looked at on loopback, by a headless Chromium. Nothing else of a daemon is needed, so a picture
shows what templates and style sheet say, whatever the daemon does.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from attrs import frozen
from selenium.webdriver import Chrome

from tests.support.browser import browser, missing, prefer, resize, whole_page, without_scripts
from tests.support.page_server import PageServer
from tests.support.states import STATES, State

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "gallery"


@frozen(kw_only=True)
class Look:
    """How a page is looked at.

    Attributes:
        scheme: light or dark.
        contrast: ``more`` for people who ask their system for it.
        forced: whether the colors are those of the system, as with high contrast on Windows.
        language: in which pages are; English when left out.
    """

    width: int
    height: int
    scheme: str
    contrast: str = "no-preference"
    forced: bool = False
    language: str = ""

    @property
    def is_phone(self) -> bool:
        """Whether it is held in a hand."""
        return self.width < 500


LOOKS: Mapping[str, Look] = {
    "desktop-light": Look(width=1100, height=760, scheme="light"),
    "desktop-dark": Look(width=1100, height=760, scheme="dark"),
    "phone-light": Look(width=390, height=760, scheme="light"),
    "phone-dark": Look(width=390, height=760, scheme="dark"),
    "small-light": Look(width=320, height=568, scheme="light"),
    "small-dark": Look(width=320, height=568, scheme="dark"),
    "contrast-light": Look(width=390, height=760, scheme="light", contrast="more"),
    "contrast-dark": Look(width=390, height=760, scheme="dark", contrast="more"),
    "forced-dark": Look(width=390, height=760, scheme="dark", forced=True),
    "arabic-light": Look(width=390, height=760, scheme="light", language="ar"),
    "arabic-dark": Look(width=1100, height=760, scheme="dark", language="ar"),
    "german-light": Look(width=320, height=568, scheme="light", language="de"),
}

_STYLE = """
body { margin: 2rem; font: 16px/1.5 system-ui, sans-serif; color: #17202b; background: #c9d1d9; }
h2 { margin: 2.5rem 0 0.5rem; font-size: 1.125rem; }
.row { display: flex; gap: 1rem; align-items: flex-start; overflow-x: auto; }
figure { flex: none; margin: 0; }
figcaption { font-size: 0.8125rem; }
img { display: block; inline-size: auto; max-inline-size: 30rem; border: 1px solid #75828f; }
nav { columns: 16rem; }
""".strip()


def index(names: Iterable[str], looks: Iterable[str]) -> str:
    """Return the page that shows all pictures, those of one state in one row.

    Args:
        names: of states.
        looks: in the order in which they are shown.
    """
    every, columns = tuple(names), tuple(looks)
    links = "\n".join(f'<a href="#{escape(name)}">{escape(name)}</a><br>' for name in every)
    rows = "\n".join(_row(name, columns) for name in every)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Every page of konnectd</title>\n'
        f"<style>\n{_STYLE}\n</style>\n<h1>Every page of konnectd</h1>\n<nav>\n{links}\n</nav>\n{rows}\n</html>\n"
    )


def _row(name: str, looks: tuple[str, ...]) -> str:
    """Return the pictures of one state."""
    figures = "\n".join(
        f'<figure><a href="{quote(file_name(name, look))}"><img loading="lazy" src="{quote(file_name(name, look))}" '
        f'alt="{escape(name)}, {look}"></a><figcaption>{look}</figcaption></figure>'
        for look in looks
    )
    return f'<h2 id="{escape(name)}">{escape(name)}</h2>\n<div class="row">\n{figures}\n</div>'


def file_name(name: str, look: str) -> str:
    """Return what the picture of a state in a look is called."""
    return f"{name}-{look}.png"


def take(driver: Chrome, url: str, state: State) -> bytes:
    """Open a page, do what is done in a state, and return its picture."""
    without_scripts(driver, blocked=state.sends_itself)
    driver.get(url)
    if state.done:
        driver.execute_script(state.done)
    return whole_page(driver)


def main(arguments: list[str]) -> int:
    """Write pictures and page; the exit status is 1 when there is no browser, or nothing was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to; build/gallery otherwise")
    parser.add_argument("--only", default="", help="a regular expression for names of states")
    options = parser.parse_args(arguments)
    if missing():
        print(f"{missing()}: on Debian, apt-get install chromium chromium-driver")
        return 1
    states = {name: state for name, state in STATES.items() if re.search(options.only, name)}
    if not states:
        print(f"no state is called like {options.only!r}")
        return 1
    options.folder.mkdir(parents=True, exist_ok=True)
    with PageServer() as server, browser() as driver:
        server.views = {f"/{name}": state.view for name, state in states.items()}
        for look, how in LOOKS.items():
            server.ui_locales = how.language
            resize(driver, how.width, how.height, mobile=how.is_phone)
            prefer(
                driver,
                prefers_color_scheme=how.scheme,
                prefers_contrast=how.contrast,
                forced_colors="active" if how.forced else "none",
                # A picture is taken at once, not in the middle of a change.
                prefers_reduced_motion="reduce",
            )
            for name, state in states.items():
                (options.folder / file_name(name, look)).write_bytes(take(driver, server.url(f"/{name}"), state))
            print(f"{look}: {len(states)} pictures", flush=True)
    (options.folder / "index.html").write_text(index(states, LOOKS), encoding="utf-8")
    print(f"look at {options.folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
