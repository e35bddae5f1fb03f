"""Commands that are killed in the middle of their work, in a process of their own."""

import os
import sys
from collections.abc import Callable

#: How a process ends that was killed, and how one that has done its work.
KILLED, DONE = 9, 0
#: What the interpreter calls the steps that change a folder.
STEPS = frozenset({"open", "os.mkdir", "os.link", "os.rename", "os.symlink", "os.remove"})


def killed_before(step: int, work: Callable[[], object]) -> bool:
    """Do something in a process of its own that is killed before one of its steps; return whether it was."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(event: str, _: object) -> None:
            if event in STEPS:
                left[0] -= 1
                if left[0] < 0:
                    os._exit(KILLED)

        sys.addaudithook(count)
        try:
            work()
        finally:
            os._exit(DONE if left[0] >= 0 else KILLED)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
