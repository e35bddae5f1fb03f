"""Reading where a browser is sent."""

from urllib.parse import parse_qsl, urlsplit


def answer_of(location: str) -> dict[str, str]:
    """Return the parameters of an address, in its fragment if it has one; one that stands there twice is an error."""
    parts = urlsplit(location)
    pairs = parse_qsl(parts.fragment or parts.query, keep_blank_values=True, strict_parsing=True)
    answer = dict(pairs)
    if len(answer) != len(pairs):
        raise AssertionError("a parameter stands there twice")
    return answer


def without_query(location: str) -> str:
    """Return an address up to its query or fragment."""
    return location.partition("#")[0].partition("?")[0]
