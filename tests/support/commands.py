"""Commands, run here, with what they print."""

import contextlib
import io
from collections.abc import Callable

from attrs import frozen


@frozen
class Result:
    """What a command did."""

    status: int
    output: str
    errors: str


def caught(command: Callable[[], int]) -> Result:
    """Run a command and keep what it prints."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = command()
    return Result(status, output.getvalue(), errors.getvalue())
