"""The documentation of the messages, written from their tables.

Owns: `messages_page`. `python -m schemas.iso20022.documentation` writes it; a test holds the file to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.iso20022.catalogue import MESSAGES
from schemas.iso20022.codecs import Codec
from schemas.iso20022.message import Choice, Echo, Fixed, Group, Leaf, Message, Node, Repeat

PAGE = Path("docs/iso20022-messages.md")


def messages_page() -> str:
    """One table a message and one of the codecs, as Markdown."""
    parts = [
        "# ISO 20022 messages\n",
        "Written from the tables in `schemas/iso20022`; edit the table, not this page. How they are used stands in"
        " [iso20022.md](iso20022.md).\n",
    ]
    codecs: dict[str, Codec] = {}
    for declared in MESSAGES.values():
        parts.append(_message(declared, codecs))
    parts.append("## Codecs\n\n| codec | what it holds |\n|---|---|")
    parts += [f"| {name} | {_cell(codecs[name].doc)} |" for name in sorted(codecs)]
    return "\n".join(parts) + "\n"


def _message(declared: Message, codecs: dict[str, Codec]) -> str:
    head = f"## {declared.identifier}\n\n{declared.title}. {declared.doc}\n\n| element | field | codec | times | what it says |"
    rows = [line for child in declared.root.children for line in _lines(child, "", codecs)]
    return "\n".join([head, "|---|---|---|---|---|", *rows, ""])


def _lines(node: Node, way: str, codecs: dict[str, Codec]) -> Iterator[str]:
    path = f"{way}/{node.tag}" if way else node.tag
    row = node.row
    times = "0..1" if node.is_optional else "1"
    if isinstance(row, (Leaf, Echo)):
        codecs[row.codec.name] = row.codec
        name = f"`{row.field}`" if isinstance(row, Leaf) else f"again `{row.field}`"
        yield f"| {path} | {name} | {row.codec.name} | {times} | {_cell(row.doc)} |"
        return
    if isinstance(row, Fixed):
        yield f"| {path} | | always `{row.text}` | {times} | {_cell(row.doc)} |"
        return
    if isinstance(row, Repeat):
        yield f"| **{path}** | `{row.field}`: a list | | {row.least}..n | {_cell(row.doc)} |"
    elif isinstance(row, Choice):
        yield f"| **{path}** | exactly one of the next | | {times} | {_cell(row.doc)} |"
    elif isinstance(row, Group):
        together = "all of the next or none" if row.is_optional else "all of the next"
        yield f"| **{path}** | {together} | | {times} | {_cell(row.doc)} |"
    for child in node.children:
        yield from _lines(child, path, codecs)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (Path(__file__).resolve().parents[2] / PAGE).write_text(messages_page(), encoding="utf-8")
