"""The guideline schema of a message: the official schema narrowed to what its table says.

Owns: `guideline_xsd` and `validate`. The guideline stands under the official namespace; every document
that it accepts is valid under the official schema too, which the tests hold against the published files.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from schemas.iso20022.codecs import Codec
from schemas.iso20022.currencies import ACTIVE
from schemas.iso20022.intake import Schema, compile_schema, first_error, load
from schemas.iso20022.message import Choice, Echo, Fixed, Leaf, Message, Node, Repeat
from schemas.iso20022.refusal import BadMessage

_COMPILED: dict[str | Path, Schema] = {}


def validate(message: Message, raw: bytes, official: Path | None = None) -> None:
    """Hold a message to its guideline, and to the official schema when its folder is given.

    Raises BadMessage with the first error. Schemas are compiled once a process.
    """
    root = load(raw)
    if message.identifier not in _COMPILED:
        _COMPILED[message.identifier] = compile_schema(guideline_xsd(message))
    error = first_error(_COMPILED[message.identifier], root)
    if error is None and official is not None:
        error = first_error(_official(official / f"{message.identifier}.xsd"), root)
    if error is not None:
        raise BadMessage(f"{message.identifier}: {error}")


def _official(path: Path) -> Schema:
    if path not in _COMPILED:
        if not path.is_file():
            raise BadMessage(f"there is no official schema {path.name} in {path.parent}")
        _COMPILED[path] = compile_schema(path)
    return _COMPILED[path]


def guideline_xsd(message: Message) -> bytes:
    """The guideline schema."""
    types: dict[str, str] = {}
    body = _element(message.root, types)
    named = "".join(types[name] for name in sorted(types))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"'
        f' xmlns="{message.namespace}" targetNamespace="{message.namespace}">\n'
        f"{_note(message.doc)}"
        f'<xs:element name="Document"><xs:complexType><xs:sequence>\n{body}'
        f"</xs:sequence></xs:complexType></xs:element>\n{named}</xs:schema>\n"
    )
    return text.encode()


def _note(doc: str) -> str:
    return f"<xs:annotation><xs:documentation>{escape(doc)}</xs:documentation></xs:annotation>"


def _element(node: Node, types: dict[str, str], is_required: bool = False) -> str:
    row = node.row
    low, high = ("1", "1") if is_required or not node.is_optional else ("0", "1")
    if isinstance(row, Repeat):
        low, high = str(row.least), "unbounded"
    head = f'<xs:element name="{node.tag}" minOccurs="{low}" maxOccurs="{high}"'
    note = _note(row.doc) if row is not None else ""
    if isinstance(row, (Leaf, Echo)):
        return f'{head} type="{_named(row.codec, types)}">{note}</xs:element>\n'
    if isinstance(row, Fixed):
        only = (
            f'<xs:restriction base="xs:string"><xs:enumeration value={quoteattr(row.text)}/></xs:restriction>'
        )
        return f"{head}>{note}<xs:simpleType>{only}</xs:simpleType></xs:element>\n"
    return f"{head}>{note}<xs:complexType>{_content(node, types)}</xs:complexType></xs:element>\n"


def _content(node: Node, types: dict[str, str]) -> str:
    children = node.children
    if isinstance(node.row, Choice):
        return f"<xs:choice>{''.join(_element(c, types, True) for c in children)}</xs:choice>"
    if all(child.is_optional for child in children) and not isinstance(node.row, Repeat):
        # At least one must be there: begin with each in turn, the later ones may follow.
        ways = (
            f"<xs:sequence>{_element(first, types, True)}"
            f"{''.join(_element(c, types) for c in children[n + 1 :])}</xs:sequence>"
            for n, first in enumerate(children)
        )
        return f"<xs:choice>{''.join(ways)}</xs:choice>"
    return f"<xs:sequence>{''.join(_element(c, types) for c in children)}</xs:sequence>"


def _named(codec: Codec, types: dict[str, str]) -> str:
    """The name of the codec's type, which is entered in `types` with what it needs."""
    facets = "".join(f"<xs:{facet} value={quoteattr(value)}/>" for facet, value in codec.facets)
    if codec.base == "string" and codec.name == "Currency":
        facets = _currencies()
    simple = f'<xs:restriction base="xs:{codec.base}">{facets}</xs:restriction>'
    if not codec.is_money:
        made = f'<xs:simpleType name="{codec.name}">{_note(codec.doc)}{simple}</xs:simpleType>\n'
        return _enter(codec.name, made, types)
    number = codec.name + "Number"
    _enter(number, f'<xs:simpleType name="{number}">{simple}</xs:simpleType>\n', types)
    currency = f'<xs:restriction base="xs:string">{_currencies()}</xs:restriction>'
    _enter("Ccy", f'<xs:simpleType name="Ccy">{currency}</xs:simpleType>\n', types)
    made = (
        f'<xs:complexType name="{codec.name}">{_note(codec.doc)}<xs:simpleContent>'
        f'<xs:extension base="{number}"><xs:attribute name="Ccy" type="Ccy" use="required"/>'
        "</xs:extension></xs:simpleContent></xs:complexType>\n"
    )
    return _enter(codec.name, made, types)


def _enter(name: str, made: str, types: dict[str, str]) -> str:
    if types.setdefault(name, made) != made:
        raise TypeError(f"two codecs are called {name}")
    return name


def _currencies() -> str:
    return "".join(f'<xs:enumeration value="{code}"/>' for code in sorted(ACTIVE))
