"""Field values to a message: every value is checked before a byte is written.

Owns: `render` and `compose`. Does not own: the schema check, which `compose` asks of the guideline.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from schemas.iso20022.charset import transliterate
from schemas.iso20022.codecs import Codec, check
from schemas.iso20022.guideline import validate
from schemas.iso20022.message import Choice, Echo, Fields, Fixed, Leaf, Message, Node, Repeat
from schemas.iso20022.refusal import BadMessage


class Composed(NamedTuple):
    """A written message, and what had to be spelt otherwise in its scheme's characters."""

    raw: bytes
    respelt: tuple[str, ...]  # one line each: the field, as asked, as written


def render(message: Message, fields: Fields) -> bytes:
    """Write a message. Raises BadMessage when a value is missing, unknown or not writable."""
    return compose(message, fields).raw


def compose(message: Message, fields: Fields) -> Composed:
    """Write a message and report every text that was transliterated. Raises BadMessage as `render` does."""
    writer = _Writer(message.identifier)
    writer.element(message.root, fields, "")
    _refuse_unknown(message.root, fields, message.identifier)
    for rule in message.rules:
        if reason := rule(fields):
            raise BadMessage(f"{message.identifier}: {reason}")
    body = "".join(writer.parts)
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{message.namespace}">{body}</Document>\n'
    )
    raw = text.encode()
    validate(message, raw)
    return Composed(raw, tuple(writer.respelt))


def _refuse_unknown(node: Node, fields: Fields, where: str) -> None:
    known = {name for child in node.children for name in child.fields}
    if unknown := sorted(set(fields) - known):
        raise BadMessage(f"{where}: no such field: {', '.join(unknown)}")


def _is_set(node: Node, fields: Fields) -> bool:
    """Whether any field below the element has a value; fixed texts and echoes follow, they never lead."""
    return any(fields.get(name) not in (None, []) for name in node.fields)


class _Writer:
    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        self.parts: list[str] = []
        self.respelt: list[str] = []

    def element(self, node: Node, fields: Fields, way: str) -> None:
        path = f"{way}/{node.tag}" if way else node.tag
        row = node.row
        if isinstance(row, Repeat):
            self._repeat(node, row, fields, path)
        elif isinstance(row, Leaf):
            self._leaf(row, fields.get(row.field), path)
        elif isinstance(row, Echo):
            self._text(row.codec, node.tag, fields.get(row.field), f"{path} ({row.field})")
        elif isinstance(row, Fixed):
            self.parts.append(f"<{node.tag}>{escape(row.text)}</{node.tag}>")
        elif _is_set(node, fields) or not node.is_optional:
            self._container(node, fields, path)

    def _container(self, node: Node, fields: Fields, path: str) -> None:
        children = node.children
        if isinstance(node.row, Choice):
            children = [child for child in children if _is_set(child, fields)]
            if len(children) != 1:
                names = " or ".join(child.fields[0] for child in node.children)
                raise BadMessage(f"{self.identifier}: {path}: set exactly one of {names}")
        self.parts.append(f"<{node.tag}>")
        for child in children:
            self.element(child, fields, path)
        self.parts.append(f"</{node.tag}>")

    def _repeat(self, node: Node, row: Repeat, fields: Fields, path: str) -> None:
        items: Any = fields.get(row.field) or ()
        if len(items) < row.least:
            raise BadMessage(f"{self.identifier}: {path} ({row.field}): at least {row.least} must be there")
        for number, item in enumerate(items, 1):
            where = f"{path}[{number}]"
            self.parts.append(f"<{node.tag}>")
            for child in node.children:
                self.element(child, item, where)
            self.parts.append(f"</{node.tag}>")
            _refuse_unknown(node, item, f"{self.identifier}: {where}")

    def _leaf(self, row: Leaf, value: Any, path: str) -> None:
        where = f"{path} ({row.field})"
        if value is not None:
            self._text(row.codec, path.rsplit("/", 1)[-1], value, where)
        elif not row.is_optional:
            raise BadMessage(f"{self.identifier}: {where}: missing")

    def _text(self, codec: Codec, tag: str, value: Any, where: str) -> None:
        try:
            text = codec.write(value)
            if codec.charset is not None:
                spelt = transliterate(text, codec.charset)
                if spelt != text:
                    self.respelt.append(f"{where}: {text!r} written as {spelt!r}")
                text = spelt
            check(codec, text)
        except ValueError as refused:
            raise BadMessage(f"{self.identifier}: {where}: {refused}") from refused
        currency = f' Ccy="{value.currency}"' if codec.is_money else ""
        self.parts.append(f"<{tag}{currency}>{escape(text)}</{tag}>")
