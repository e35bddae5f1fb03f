"""XML as it comes in: a small tree, and the moment at which a document is complete.

The real server reads a document from the wire until its root ends, whatever length was announced. Names stay as they
were written, since it looks at prefixes.
"""

from xml.parsers import expat

from attrs import define, field

#: Longest document that is read, in bytes.
_MOST_BYTES = 1024 * 1024
#: How deep elements may stand in each other.
_MOST_DEPTH = 32
_XMLNS = "xmlns"


class DocumentError(Exception):
    """It is no XML, or none that is read."""


class _CompleteError(Exception):
    """The root has ended; nothing after it is looked at."""


@define(eq=False)
class Element:
    """An element.

    Attributes:
        name: with its prefix, as written.
        attributes: with their prefixes, declarations of namespaces left out.
        prefixes: what each prefix stands for here; the default namespace is under the empty text.
        text: all text that stands in it directly.
    """

    name: str
    attributes: dict[str, str]
    prefixes: dict[str, str]
    text: str = ""
    children: "list[Element]" = field(factory=list)

    @property
    def local_name(self) -> str:
        """The name without its prefix."""
        return self.name.rpartition(":")[2]

    @property
    def namespace(self) -> str:
        """The namespace; empty for none."""
        return self.prefixes.get(self.name.rpartition(":")[0], "")

    def attribute(self, namespace: str, name: str) -> str | None:
        """Return an attribute of a namespace."""
        for written, value in self.attributes.items():
            prefix, _, local = written.rpartition(":")
            if prefix and local == name and self.prefixes.get(prefix) == namespace:
                return value
        return None


class DocumentReader:
    """Reads one document, piece by piece.

    Attributes:
        root: the tree, once its end was read.
    """

    def __init__(self) -> None:
        """Begin."""
        self.root: Element | None = None
        self._open: list[Element] = []
        self._length = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, content: bytes) -> None:
        """Read on; what stands after the end of the root is dropped.

        Raises:
            DocumentError: it is not well-formed, or too large, or has a document type.
        """
        if self.root is not None:
            return
        self._length += len(content)
        if self._length > _MOST_BYTES:
            raise DocumentError("too long")
        try:
            self._parser.Parse(content, False)
        except _CompleteError:
            return
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise DocumentError("not well-formed") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if len(self._open) >= _MOST_DEPTH:
            raise DocumentError("too deep")
        prefixes = self._open[-1].prefixes if self._open else {"xml": "http://www.w3.org/XML/1998/namespace"}
        declared = {
            key.partition(":")[2]: value
            for key, value in attributes.items()
            if key == _XMLNS or key.startswith(f"{_XMLNS}:")
        }
        others = {key: value for key, value in attributes.items() if key.partition(":")[0] != _XMLNS}
        element = Element(name, others, prefixes | declared if declared else prefixes)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, name: str) -> None:
        """An element ends."""
        element = self._open.pop()
        if not self._open:
            self.root = element
            raise _CompleteError

    def _text(self, text: str) -> None:
        """There is text."""
        self._open[-1].text += text

    def _refuse(self, *_: object) -> None:
        """A document type is not looked at, so a document that has one is not read."""
        raise DocumentError("document type")
