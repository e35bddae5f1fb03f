"""Searching the address book for what people have typed."""

from tests.support.kopano import answers, codes
from tests.support.kopano.answers import Answer
from tests.support.kopano.people import People, Person
from tests.support.kopano.requests import Call, Property

UNRESOLVED, AMBIGUOUS, RESOLVED = 0, 1, 2
#: Names have to be whole.
EXACT = 1
_USER = 6
_REQUIRED = ("lpaPropTag", "lpsRowSet", "lpaFlags", "ulFlags")


class CrashError(Exception):
    """The real server reads something that is not there, and does not live on."""


def resolve_names(people: People, call: Call, *, chunked: bool) -> Answer:
    """Answer a search for several names.

    Raises:
        CrashError: something is missing.
    """
    if any(call.values[name] is None for name in _REQUIRED):
        raise CrashError("an element is missing")
    wanted: list[int] = call.values["lpaPropTag"]
    rows: list[list[Property]] = call.values["lpsRowSet"]
    flags: list[int] = call.values["lpaFlags"]
    if len(flags) < len(rows) or not all(row and row[0].text is not None for row in rows):
        raise CrashError("a row has no flag or no text")
    exact = bool(call.number("ulFlags") & EXACT)
    found = [_resolve(people, row[0], flag, wanted, exact=exact) for row, flag in zip(rows, flags, strict=False)]
    return answers.names(codes.SUCCESS, [row for row, _ in found], [flag for _, flag in found], chunked=chunked)


def _resolve(people: People, sought: Property, flag: int, wanted: list[int], *, exact: bool) -> tuple[str, int]:
    """Return a row and what became of it."""
    if flag == RESOLVED:
        return answers.row(()), RESOLVED
    found = [person for person in people if _fits(person, sought.text or "", exact=exact)]
    if len(found) != 1:
        return answers.row(()), AMBIGUOUS if found else UNRESOLVED
    tags = [sought.tag, *(tag for tag in wanted if tag != sought.tag)]
    return answers.row([_property(found[0], tag) for tag in tags]), RESOLVED


def _fits(person: Person, text: str, *, exact: bool) -> bool:
    """Say whether somebody may be meant."""
    names = [name.lower() for name in (person.name, person.mail, person.full_name) if name]
    text = text.lower()
    if person.hidden or not text:
        return False
    return text in names if exact else any(name.startswith(text) for name in names)


def _property(person: Person, tag: int) -> str:
    """Write a property; one that is not there is an error of its own."""
    if tag == codes.TAG_ENTRY_ID:
        return answers.value("ulPropTag", tag) + answers.value("bin", person.entry_id.to_text())
    if tag == codes.TAG_OBJECT_TYPE:
        return answers.value("ulPropTag", tag) + answers.value("ul", _USER)
    text = person.property_value(tag)
    if text is None:
        missing = tag & 0xFFFF0000 | codes.TYPE_ERROR
        return answers.value("ulPropTag", missing) + answers.value("ul", codes.NOT_FOUND)
    return answers.value("ulPropTag", tag) + answers.string("lpszA", text)
