"""What is answered, as the bytes the real server writes."""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from attrs import evolve, frozen

from tests.support.kopano import codes
from tests.support.kopano.people import Person

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ENVELOPE = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xop="http://www.w3.org/2004/08/xop/include"'
    ' xmlns:xmlmime="http://www.w3.org/2004/11/xmlmime"'
    ' xmlns:ns="urn:zarafa">'
)
_ENCODED_BODY = '<SOAP-ENV:Body SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'
_PLAIN_BODY = "<SOAP-ENV:Body>"
_END = "</SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n"


@frozen(kw_only=True)
class Answer:
    """What a call came to.

    Attributes:
        name: of the element.
        code: the result, as a number.
        content: what stands in the element.
        chunked: the client said in its session that it can do more.
    """

    name: str
    code: int
    content: str
    chunked: bool = False

    def to_bytes(self) -> bytes:
        """Write the whole document."""
        inner = f"<ns:{self.name}>{self.content}</ns:{self.name}>"
        return f"{_DECLARATION}{_ENVELOPE}{_ENCODED_BODY}{inner}{_END}".encode()


def fault(text: str) -> bytes:
    """Write a document that is a fault."""
    inner = (
        "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>"
        f"<faultstring>{escape(text)}</faultstring></SOAP-ENV:Fault>"
    )
    return f"{_DECLARATION}{_ENVELOPE}{_PLAIN_BODY}{inner}{_END}".encode()


def string(name: str, text: str) -> str:
    """Write a text; an empty one is an empty element."""
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"


def value(name: str, content: str | int) -> str:
    """Write a number, or bytes that are base64 already."""
    return f"<{name}>{content}</{name}>"


def logon(name: str, code: int, session: int, capabilities: int | None) -> Answer:
    """Answer a logon of either kind.

    Args:
        name: of the element.
        code: how it went.
        session: its id; 0 for none.
        capabilities: of the server; None for an answer that was given up before they were known.
    """
    version = "" if capabilities is None else string("lpszVersion", codes.VERSION)
    content = (
        f"{value('er', code)}{value('ulSessionId', session)}{version}{value('ulCapabilities', capabilities or 0)}"
        f"{value('sLicenseResponse', '')}{value('sServerGuid', '' if code else codes.SERVER_GUID)}"
    )
    return Answer(name=name, code=code, content=content)


def resolved(code: int, person: Person | None, *, chunked: bool) -> Answer:
    """Answer who has a name."""
    number, entry_id = (person.number, person.entry_id.to_text()) if person else (0, "")
    content = value("ulUserId", number) + value("sUserId", entry_id) + value("er", code)
    return Answer(name="resolveUserResponse", code=code, content=content, chunked=chunked)


def user(code: int, person: Person | None, *, chunked: bool) -> Answer:
    """Answer what there is about somebody."""
    content = (f"<lpsUser>{account(person)}</lpsUser>" if person else "") + value("er", code)
    return Answer(name="getUserResponse", code=code, content=content, chunked=chunked)


def account(person: Person) -> str:
    """Write what there is about somebody."""
    return "".join(
        (
            value("ulUserId", person.number),
            string("lpszUsername", person.name),
            string("lpszPassword", ""),
            string("lpszMailAddress", person.mail),
            string("lpszFullName", person.full_name),
            string("lpszServername", person.server),
            value("ulIsNonActive", 0),
            value("ulIsAdmin", person.admin),
            value("ulIsABHidden", int(person.hidden)),
            value("ulCapacity", 0),
            value("ulObjClass", person.object_class),
            _properties(person),
            _features(person),
            value("sUserId", person.entry_id.to_text()),
        )
    )


def _properties(person: Person) -> str:
    """Write the further properties; nothing if there are none."""
    items = "".join(
        f"<item>{value('ulPropId', tag)}{string('lpszValue', text)}</item>" for tag, text in person.properties
    )
    return f"<lpsPropmap>{items}</lpsPropmap>" if items else ""


def _features(person: Person) -> str:
    """Write the properties that have several values; nothing if there are none."""
    items = "".join(
        f'<item>{value("ulPropId", tag)}<sValues SOAP-ENC:arrayType="xsd:string[{len(texts)}]">'
        f"{''.join(string('item', text) for text in texts)}</sValues></item>"
        for tag, texts in person.features
    )
    return f"<lpsMVPropmap>{items}</lpsMVPropmap>" if items else ""


def logoff(code: int, *, chunked: bool) -> Answer:
    """Answer whether a session ended; the number has a name of its own here."""
    return Answer(name="logoffResponse", code=code, content=value("result", code), chunked=chunked)


def user_list(code: int, people: Iterable[Person], *, chunked: bool) -> Answer:
    """Answer who there is."""
    items = "".join(f"<item>{account(person)}</item>" for person in people)
    content = (f"<sUserArray>{items}</sUserArray>" if items else "") + value("er", code)
    return Answer(name="userListResponse", code=code, content=content, chunked=chunked)


def names(code: int, rows: Iterable[str] | None, flags: Iterable[int], *, chunked: bool) -> Answer:
    """Answer a search in the address book.

    Args:
        code: how it went.
        rows: one for each name; None for no search.
        flags: what became of each.
        chunked: how it is sent.
    """
    rows = None if rows is None else list(rows)
    kind = "" if rows is None else f' SOAP-ENC:arrayType="propVal[][{len(rows)}]"'
    content = (
        f"<sRowSet{kind}>{''.join(rows or ())}</sRowSet>"
        f"<aFlags>{''.join(value('item', flag) for flag in flags)}</aFlags>{value('er', code)}"
    )
    return Answer(name="abResolveNamesResponse", code=code, content=content, chunked=chunked)


def row(properties: Sequence[str]) -> str:
    """Write a row of a search; one without properties says nothing."""
    kind = f' SOAP-ENC:arrayType="propVal[{len(properties)}]"' if properties else ""
    return f"<item{kind}>{''.join(f'<item>{each}</item>' for each in properties)}</item>"


def answered(answer: Answer, *, chunked: bool) -> Answer:
    """Return the same answer in another frame."""
    return evolve(answer, chunked=chunked)
