#!/usr/bin/python3
"""Make the package's konnectd.conf of the example with all options: a few of them are set, the rest stays as it is.

Usage: conffile.py EXAMPLE SETTINGS
"""

import re
import sys
from pathlib import Path


class UnknownSettingError(Exception):
    """The example has no line for a setting, or more than one."""


def read(text: str) -> dict[str, str]:
    """Return the settings in a text, by key."""
    lines = (line.strip() for line in text.splitlines())
    parted = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in parted}


def conffile(example: str, settings: dict[str, str]) -> str:
    """Return the example with some settings in the place of their defaults.

    Raises:
        UnknownSettingError: the example does not have exactly one line for each.
    """
    for key, value in settings.items():
        line = f"{key} = {value}"
        example, count = re.subn(rf"^#{re.escape(key)} =.*$", lambda _, line=line: line, example, flags=re.MULTILINE)
        if count != 1:
            raise UnknownSettingError(f"{key} is there {count} times")
    return example


if __name__ == "__main__":
    example, settings = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])
    sys.stdout.write(conffile(example, read(settings)))
