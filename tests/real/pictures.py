"""Takes the pictures of the manual from the real demo: ``python -m tests.real.pictures FOLDER``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.real.daemon import daemon
from tests.real.test_demo import Visitor
from tests.support.browser import browser, missing, prefer, resize, screenshot

#: The port everybody sees who runs the demo.
PORT = 8777


def main(arguments: Sequence[str]) -> int:
    """Write the pictures and return the exit status."""
    if len(arguments) != 1 or missing():
        sys.stderr.write(f"{missing() or 'usage: python -m tests.real.pictures FOLDER'}\n")
        return 2
    folder = Path(arguments[0])
    with daemon(command="demo", port=PORT) as demo, browser() as driver:
        prefer(driver, prefers_color_scheme="light", prefers_reduced_motion="reduce")
        visitor = Visitor(driver, demo)
        visitor.press("Sign in")
        resize(driver, 760, 640)
        screenshot(driver, folder / "sign-in.png")
        visitor.type_name_and_password("alice", "wonderland")
        visitor.press("Allow")
        # As a small screen has no bar for scrolling, the picture has none.
        resize(driver, 900, 860, mobile=True)
        driver.execute_script("document.getElementById('id-token').scrollIntoView()")
        screenshot(driver, folder / "demo.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
