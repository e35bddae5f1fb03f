"""JSON that we write ourselves and read again (tokens, answers, what a store or a browser keeps), and that others send.

The latter is read by stricter rules, in the same place for everybody who reads some.
"""

import json
from collections.abc import Iterable, Mapping

import orjson

_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode

#: Begins what Python's library wrote, and has to read again: the other one would make fractions of large numbers.
#: Blanks mean nothing in JSON.
_MARK = b" "
_MARKS = (_MARK, _MARK.decode())


def write(value: object) -> bytes:
    """Return a value as compact JSON in UTF-8.

    Text that UTF-8 can not write (a lone surrogate that somebody typed) and numbers of more than 64 bit are rare, but
    no reason to fail: the slower library of Python can write them.

    Raises:
        TypeError: it is nothing that JSON has.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return _MARK + _write(value).encode("ascii")


def write_text(value: object) -> str:
    """Return the same as text."""
    return write(value).decode("utf-8")


def read(text: str | bytes) -> object:
    """Read what `write` wrote.

    Raises:
        ValueError: it is no JSON.
    """
    if text[:1] in _MARKS:
        return json.loads(text)
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def texts(value: Mapping[str, object], *names: str) -> list[str] | None:
    """Return members that have to be texts, in that order; None when one is not there or is anything else."""
    found = []
    for name in names:
        text = value.get(name)
        if not isinstance(text, str):
            return None
        found.append(text)
    return found


def _distinct(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Collect members.

    Raises:
        ValueError: one is there twice.
    """
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError("a member is there twice")
        members[name] = value
    return members


def _refuse(constant: str) -> object:
    """Refuse words that Python takes for numbers and JSON does not have.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is not JSON")


#: Made once: the function of the library makes a reader at each call.
_decode = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_refuse).decode


def read_strictly(text: str) -> object:
    """Read what somebody else wrote.

    Of a member that is there twice two readers may believe two things, so then it is no JSON.

    Raises:
        ValueError: it is none.
        RecursionError: it is deeper than anybody means it to be.

    Spec: RFC 8259 2, 4 and 6.
    """
    found: object = _decode(text)
    return found
