"""JSON that we write ourselves, and read again: tokens, answers, what a store or a browser keeps for us.

What others send is read where it arrives, by rules of its own (`konnectd.jose.signing.read_segment` and its like).
"""

import json

import orjson

_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


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
        return _write(value).encode("ascii")


def write_text(value: object) -> str:
    """Return the same as text."""
    return write(value).decode("utf-8")


def read(text: str | bytes) -> object:
    """Read what `write` wrote.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        found: object = orjson.loads(text)
    except ValueError:
        found = json.loads(text)
    return found
