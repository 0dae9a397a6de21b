"""A message to field values, strictly by its table: what the table does not name is refused.

Owns: `parse`. Does not own: files of peers who keep to no guideline; banks' statements have their own reader.
"""

from __future__ import annotations

from typing import Any

from schemas.iso20022.codecs import Codec, check
from schemas.iso20022.intake import Element, identifier_of, load, name_of
from schemas.iso20022.message import Choice, Echo, Fixed, Leaf, Message, Node, Repeat
from schemas.iso20022.refusal import BadMessage

_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def parse(message: Message, raw: bytes) -> dict[str, Any]:
    """The field values of a message; optional fields that are absent are not in it.

    Raises BadMessage when the bytes are not this message or do not keep to its table.
    """
    root = load(raw)
    if (found := identifier_of(root)) != message.identifier:
        raise BadMessage(f"this is {found}, not {message.identifier}")
    fields: dict[str, Any] = {}
    try:
        _refuse_attributes(root, (_SCHEMA_LOCATION,))
        reader = _Reader(message.namespace)
        reader.children(Node("Document", None, [message.root]), root, fields)
        reader.compare_echoes()
    except ValueError as refused:
        raise BadMessage(f"{message.identifier}: {refused}") from refused
    for rule in message.rules:
        if reason := rule(fields):
            raise BadMessage(f"{message.identifier}: {reason}")
    return fields


def _refuse_attributes(element: Element, allowed: tuple[str, ...]) -> None:
    if unknown := [name for name in element.attrib if name not in allowed]:
        raise ValueError(f"line {element.sourceline}: unknown attribute {unknown[0]}")


class _Reader:
    """One pass over one document."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.echoes: list[tuple[Echo, str, str, dict[str, Any]]] = []

    def compare_echoes(self) -> None:
        """Hold every repeated value to the field that it repeats, which may come after it."""
        for row, text, where, fields in self.echoes:
            if text != row.codec.write(fields[row.field]):
                raise ValueError(f"{where} is {text[:40]!r}, which is not {row.field}")

    def children(self, node: Node, element: Element, fields: dict[str, Any]) -> None:
        """Match the children of an element to those of its node, in order."""
        pending: list[Element] = list(element)
        if (element.text or "").strip() or any((child.tail or "").strip() for child in pending):
            raise ValueError(f"line {element.sourceline}: {node.tag} holds text between its elements")
        position = 0
        for child in node.children:
            count = 0
            while position < len(pending) and name_of(pending[position]) == (self.namespace, child.tag):
                if count and not isinstance(child.row, Repeat):
                    raise ValueError(f"line {pending[position].sourceline}: {child.tag} stands twice")
                self._element(child, pending[position], fields)
                position += 1
                count += 1
            _refuse_missing(node, child, count, element, pending[position:])
            if isinstance(child.row, Repeat):
                fields.setdefault(child.row.field, [])
        if position < len(pending):
            name = name_of(pending[position]).local
            raise ValueError(f"line {pending[position].sourceline}: {name} is not expected in {node.tag}")
        if isinstance(node.row, Choice) and position != 1:
            raise ValueError(f"line {element.sourceline}: {node.tag} must hold exactly one element")
        if position == 0 and not isinstance(node.row, Repeat):
            raise ValueError(f"line {element.sourceline}: {node.tag} is empty")

    def _element(self, node: Node, element: Element, fields: dict[str, Any]) -> None:
        row = node.row
        if isinstance(row, (Leaf, Echo, Fixed)):
            if len(element):
                raise ValueError(f"line {element.sourceline}: {node.tag} must hold text only")
            self._leaf(row, element, fields)
            return
        _refuse_attributes(element, ())
        if isinstance(row, Repeat):
            item: dict[str, Any] = {}
            self.children(node, element, item)
            fields.setdefault(row.field, []).append(item)
        else:
            self.children(node, element, fields)

    def _leaf(self, row: Leaf | Echo | Fixed, element: Element, fields: dict[str, Any]) -> None:
        text: str = element.text or ""
        where = f"line {element.sourceline}: {name_of(element).local}"
        if isinstance(row, Fixed):
            _refuse_attributes(element, ())
            if text != row.text:
                raise ValueError(f"{where} is {text[:40]!r}, not {row.text!r}")
            return
        _refuse_attributes(element, ("Ccy",) if row.codec.is_money else ())
        value = _read(row.codec, text, element.get("Ccy") or "", where)
        if isinstance(row, Leaf):
            fields[row.field] = value
        else:
            self.echoes.append((row, text, where, fields))


def _refuse_missing(node: Node, child: Node, count: int, element: Element, rest: list[Element]) -> None:
    if isinstance(node.row, Choice):
        return
    least = child.row.least if isinstance(child.row, Repeat) else int(not child.is_optional)
    if count < least:
        instead = f" but {name_of(rest[0]).local}" if rest else ""
        raise ValueError(f"line {element.sourceline}: {node.tag} has no {child.tag}{instead}")


def _read(codec: Codec, text: str, currency: str, where: str) -> Any:
    try:
        check(codec, text)
        return codec.read(text, currency)
    except ValueError as refused:
        raise ValueError(f"{where}: {refused}") from refused
