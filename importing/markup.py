"""XML as a tree of elements, with the line of each.

A document type is refused, and with it every entity that one could declare: nothing of what is read
can grow, and nothing is fetched for it.
"""

from collections.abc import Mapping
from xml.parsers import expat

from attrs import define, field

from ringful.importing.losses import ImportFault

MAX_BYTES = 1024 * 1024
"""A document of more than this is refused, be it XML or JSON."""
MAX_DEPTH = 30
"""So deep may elements, lists and maps stand in one another."""
MAX_ELEMENTS = 5_000


@define
class Element:
    """An element, its *tag* without a prefix."""

    tag: str
    attributes: Mapping[str, str]
    line: int
    content: "list[str | Element]" = field(factory=list)
    """What stands in it, in its order."""

    @property
    def children(self) -> "list[Element]":
        """The elements that stand in it."""
        return [one for one in self.content if isinstance(one, Element)]

    @property
    def text(self) -> str:
        """The text that stands in it itself, on one line and with single blanks."""
        return " ".join("".join(one for one in self.content if isinstance(one, str)).split())

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"line {self.line}"

    def get(self, name: str, default: str = "") -> str:
        """Give an attribute without the blanks around it."""
        return self.attributes.get(name, default).strip()


def read_markup(document: bytes) -> Element:
    """Read *document*.  Raises ImportFault with the line."""
    return _Reader().read(document)


class _Reader:
    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._open: list[Element] = []
        self._root: Element | None = None
        self._count = 0
        self._parser.StartElementHandler = self._begins
        self._parser.EndElementHandler = self._ends
        self._parser.CharacterDataHandler = self._says
        self._parser.StartDoctypeDeclHandler = self._typed
        self._parser.EntityDeclHandler = self._typed

    def read(self, document: bytes) -> Element:
        try:
            self._parser.Parse(document, True)
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            raise ImportFault(f"line {error.lineno}: this is no XML: {said}") from None
        except (ValueError, LookupError) as error:
            raise ImportFault(f"this is no XML that can be read: {error}") from None
        if self._root is None:
            raise ImportFault("this is no XML: there is no element in it")
        return self._root

    def _begins(self, tag: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise ImportFault(f"line {line}: there are more than {MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            raise ImportFault(f"line {line}: elements stand more than {MAX_DEPTH} deep in one another")
        element = Element(tag.rpartition(":")[2], attributes, line)
        if self._open:
            self._open[-1].content.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _ends(self, _: str) -> None:
        self._open.pop()

    def _says(self, text: str) -> None:
        # Bounded by the document's own length, since no entity can be declared.
        self._open[-1].content.append(text)

    def _typed(self, *_: object) -> None:
        line = self._parser.CurrentLineNumber
        raise ImportFault(f"line {line}: a document type (`<!DOCTYPE`) is not read: take it out")
