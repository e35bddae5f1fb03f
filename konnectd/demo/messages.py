"""What the demo application and the provider say to each other, kept so that it can be shown."""

import json
import shlex
from collections.abc import Mapping
from urllib.parse import urlencode

from attrs import field, frozen

Pairs = tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class Call:
    """A request to the provider.

    Attributes:
        headers: those that matter; the names as they are usually written.
        form: what is posted.
    """

    method: str = "GET"
    uri: str
    headers: Pairs = field(default=(), repr=False)
    form: Pairs = field(default=(), repr=False)

    @property
    def body(self) -> bytes:
        """The form as it goes over the wire."""
        return urlencode(self.form).encode("ascii")


@frozen(kw_only=True)
class Reply:
    """What the provider answered.

    Attributes:
        headers: the names in lower case.
        text: the body.
    """

    status: int
    headers: Pairs = field(default=(), repr=False)
    text: str = field(default="", repr=False)

    @property
    def members(self) -> Mapping[str, object]:
        """The members of the JSON object in the body; none when it is something else."""
        try:
            value: object = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


@frozen(kw_only=True)
class Exchange:
    """One request and its answer."""

    call: Call
    reply: Reply


def curl(call: Call, *options: str) -> str:
    """Return the command that makes the same request from a shell.

    Args:
        call: the request.
        options: further words for curl.
    """
    words = ["curl", *options]
    if any(character in call.uri for character in "[]{}"):
        words.append("--globoff")
    words.append(shlex.quote(call.uri))
    lines = [" ".join(words)]
    lines += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in call.headers]
    lines += [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in call.form]
    return " \\\n  ".join(lines)
