"""Reads a page back, the way browsers do and the way XML readers do."""

from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree

from attrs import field, frozen

DOCTYPE = "<!DOCTYPE html>\n"
VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "source"})


@frozen
class Element:
    """One element of a page.

    Attributes:
        path: names of the elements around it and its own.
        text: what stands directly in it.
    """

    path: str
    attributes: dict[str, str]
    text: list[str] = field(factory=list)

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path.rpartition("/")[2]


class _Reader(HTMLParser):
    """Collects the elements of a page in order."""

    def __init__(self) -> None:
        """Begin outside of everything."""
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go into an element."""
        parent = self.open[-1].path if self.open else ""
        element = Element(f"{parent}/{tag}", {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element without content; only those that never have any may be written so."""
        if tag not in VOID:
            raise AssertionError(f"browsers do not close <{tag} />")
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag in VOID:
            return
        element = self.open.pop()
        if element.name != tag:
            raise AssertionError(f"</{tag}> ends <{element.name}>")

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if self.open:
            self.open[-1].text.append(data)


def elements(body: bytes) -> list[Element]:
    """Return all elements of a page in order, as an HTML reader sees them."""
    reader = _Reader()
    reader.feed(body.decode())
    reader.close()
    return reader.elements


def answerable(body: bytes) -> list[Element]:
    """Return the elements of a page but for the choice of a language, whose form stands on nearly all pages."""
    return [element for element in elements(body) if "/details/" not in element.path]


def shape(body: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """Return what must not depend on anybody's text: elements, where they are, and which attributes they have."""
    return [(element.path, tuple(sorted(element.attributes))) for element in elements(body)]


def xml_shape(body: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """Return the same as an XML reader sees it; fails when the page is not well-formed."""
    root = ElementTree.fromstring(body.decode().removeprefix(DOCTYPE))  # noqa: S314 - our own page
    return list(_walk(root, ""))


def _walk(element: ElementTree.Element, parent: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield an element and all in it."""
    path = f"{parent}/{element.tag}"
    yield path, tuple(sorted(element.attrib))
    for child in element:
        yield from _walk(child, path)


def text_of(body: bytes) -> str:
    """Return what there is to read in the body of a page, in order and with single blanks."""
    root = ElementTree.fromstring(body.decode().removeprefix(DOCTYPE))  # noqa: S314 - our own page
    inside = root.find("body")
    return " ".join("".join(inside.itertext() if inside is not None else ()).split())


def one(body: bytes, tag: str, /, **attributes: str) -> Element:
    """Return the only element with a name and attributes; fails when there is none or several."""
    found = [
        element
        for element in elements(body)
        if element.name == tag and attributes.items() <= element.attributes.items()
    ]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} times <{tag}> with {attributes}")
    return found[0]
