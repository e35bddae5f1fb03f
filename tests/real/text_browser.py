"""A text browser at a terminal of its own: w3m, which has no scripts and no styles, and is steered by keys."""

import fcntl
import os
import re
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

W3M = shutil.which("w3m")
#: Why no text browser can be started; None when one can.
SKIP: str | None = None if W3M else "w3m is not installed"
ROWS, COLUMNS = 40, 100
_PATIENCE = 15.0
#: A terminal is quiet when nothing was drawn for so long, in seconds.
_QUIET = 0.15
#: What moves the cursor and changes colors; what is left is what was written.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x0e\x0f\r]")
_OPTIONS = ("use_cookie=1", "accept_cookie=1", "use_history=0", "display_image=0", "confirm_qq=0")

TAB, ENTER = "\t", "\r"


class TextBrowser:
    """A text browser that runs, and whoever sits in front of it."""

    def __init__(self, terminal: int) -> None:
        """Take the near end of its terminal."""
        self._terminal = terminal
        self._drawn = ""

    def press(self, *keys: str) -> None:
        """Press keys one after the other, looking at the screen after each, as people do."""
        for key in keys:
            os.write(self._terminal, key.encode())
            self._look()

    def redraw(self) -> str:
        """Have the screen drawn anew, and return what is written on it."""
        self._drawn = ""
        self.press("\x0c")
        return " ".join(_CONTROL.sub(" ", self._drawn).split())

    def wait_for(self, words: str) -> str:
        """Wait until words are on the screen, and return all of it.

        Raises:
            AssertionError: they do not come.
        """
        give_up = time.monotonic() + _PATIENCE
        while words not in (screen := self.redraw()):
            if time.monotonic() > give_up:
                raise AssertionError(f"not on the screen: {words!r}, but {screen!r}")
        return screen

    def _look(self) -> None:
        """Read what is drawn until nothing more comes."""
        while select.select([self._terminal], [], [], _QUIET)[0]:
            # Linux says so when the program has closed its end.
            with suppress(OSError):
                if drawn := os.read(self._terminal, 65536):
                    self._drawn += drawn.decode("utf-8", "replace")
                    continue
            break


@contextmanager
def text_browser(url: str) -> Iterator[TextBrowser]:
    """Start one at an address, and end it again with all it has kept."""
    with tempfile.TemporaryDirectory(prefix="konnectd-w3m-") as home:
        near, far = os.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        options = [word for option in _OPTIONS for word in ("-o", option)]
        environment = {"HOME": home, "TERM": "xterm", "LANG": "C.UTF-8", "PATH": os.environ.get("PATH", "")}
        process = subprocess.Popen(
            [W3M or "w3m", *options, url],
            cwd=Path(home),
            env=environment,
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,
        )
        os.close(far)
        try:
            yield TextBrowser(near)
        finally:
            process.kill()
            process.wait()
            os.close(near)
