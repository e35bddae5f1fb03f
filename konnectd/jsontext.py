"""JSON that we write ourselves, and read again: tokens, answers, what a store or a browser keeps for us.

What others send is read where it arrives, by rules of its own (`konnectd.jose.signing.read_segment` and its like).
"""

import json

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
