"""The declaration of a message: an ordered table of rows, and the element tree it stands for.

Owns: the row types and `Message`. Does not own: what is done with the tree; the writer, the reader, the
guideline schema and the documentation each walk it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, NamedTuple, Union

from schemas.iso20022.codecs import Codec

Fields = Mapping[str, Any]
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"


class Leaf(NamedTuple):
    """One element that carries one field."""

    path: str  # element names below the enclosing row, divided by /
    field: str
    codec: Codec
    doc: str
    is_optional: bool = False


class Fixed(NamedTuple):
    """One element whose text is always the same."""

    path: str
    text: str
    doc: str


class Echo(NamedTuple):
    """One element that repeats a required field of the same mapping; the reader compares the two."""

    path: str
    field: str
    codec: Codec
    doc: str


class Group(NamedTuple):
    """Elements that stand together or not at all."""

    path: str
    rows: tuple[Row, ...]
    doc: str
    is_optional: bool = True


class Choice(NamedTuple):
    """An element that holds exactly one of its rows."""

    path: str
    rows: tuple[Row, ...]
    doc: str
    is_optional: bool = False


class Repeat(NamedTuple):
    """An element that stands any number of times; its field is a list, one mapping each."""

    path: str
    field: str
    rows: tuple[Row, ...]
    doc: str
    least: int = 1


Row = Union[Leaf, Fixed, Echo, Group, Choice, Repeat]  # noqa: UP007  a recursive alias in Python 3.11
Rule = Callable[[Fields], str | None]


@dataclass(slots=True, repr=False)
class Node:
    """One element of the tree: a row's own element, or one that only leads to rows."""

    tag: str
    row: Row | None = None
    children: list[Node] = dataclass_field(default_factory=list["Node"])

    @property
    def is_optional(self) -> bool:
        """Whether the element may be absent."""
        row = self.row
        if isinstance(row, (Leaf, Group, Choice)):
            return row.is_optional
        if isinstance(row, Repeat):
            return row.least == 0
        return row is None and all(child.is_optional for child in self.children)

    @property
    def fields(self) -> list[str]:
        """Names of the fields that are set at this level by this element or below it."""
        if isinstance(self.row, (Leaf, Repeat)):
            return [self.row.field]
        return [name for child in self.children for name in child.fields]


class DeclarationError(TypeError):
    """A message is declared wrongly; raised at import."""


def grow(tag: str, rows: tuple[Row, ...], row: Row | None = None) -> Node:
    """The element tree of rows; neighbours that share the beginning of their paths share its elements."""
    root = Node(tag, row)
    for below in rows:
        *way, last = below.path.split("/")
        node = root
        for step in way:
            if not node.children or node.children[-1].tag != step or node.children[-1].row is not None:
                _add(node, Node(step))
            node = node.children[-1]
        inner = below.rows if isinstance(below, (Group, Choice, Repeat)) else ()
        _add(node, grow(last, inner, below))
    is_scope = row is None or isinstance(row, Repeat)  # a mapping of fields of its own
    names = [name for child in root.children for name in child.fields] if is_scope else []
    if twice := {name for name in names if names.count(name) > 1}:
        raise DeclarationError(f"{tag}: declared twice: {', '.join(sorted(twice))}")
    return root


def _add(parent: Node, child: Node) -> None:
    if any(known.tag == child.tag for known in parent.children):
        raise DeclarationError(f"{parent.tag}/{child.tag} is declared in two places")
    parent.children.append(child)


class Message(NamedTuple):
    """One declared message."""

    identifier: str  # as in the namespace, such as pain.001.001.09
    element: str  # the element inside Document
    title: str
    doc: str
    root: Node
    rules: tuple[Rule, ...]  # what no schema can say; each gives a reason or None

    def __repr__(self) -> str:
        """Its identifier; the tree is too large for any page."""
        return f"<{self.identifier}>"

    @property
    def namespace(self) -> str:
        """The official namespace."""
        return NAMESPACE + self.identifier


def message(
    identifier: str, element: str, title: str, doc: str, rows: tuple[Row, ...], rules: tuple[Rule, ...] = ()
) -> Message:
    """Declare a message. Raises DeclarationError on a field or an element declared twice."""
    return Message(identifier, element, title, " ".join(doc.split()), grow(element, rows), rules)
