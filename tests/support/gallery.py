"""Takes a picture of every page in every look: ``python -m tests.support.gallery FOLDER``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.browser import browser, missing, prefer, resize, screenshot
from tests.support.page_server import PageServer
from tests.support.views import SAMPLES

#: Name, width, height, color scheme.
LOOKS = (
    ("desktop-light", 1100, 760, "light"),
    ("desktop-dark", 1100, 760, "dark"),
    ("phone-light", 320, 640, "light"),
    ("phone-dark", 320, 640, "dark"),
)


def main(arguments: Sequence[str]) -> int:
    """Write the pictures and return the exit status."""
    if len(arguments) != 1 or missing():
        sys.stderr.write(f"{missing() or 'usage: python -m tests.support.gallery FOLDER'}\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    with PageServer() as server, browser() as driver:
        server.views = {f"/{name}": view for name, view in SAMPLES.items()}
        for look, width, height, scheme in LOOKS:
            resize(driver, width, height)
            prefer(driver, prefers_color_scheme=scheme)
            for name in SAMPLES:
                driver.get(server.url(f"/{name}"))
                screenshot(driver, folder / f"{name}-{look}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
