"""The one door through which XML comes in, and the only use of libxml2.

Owns: the parser's settings, the byte cap, the refusal of DOCTYPE and of encodings other than UTF-8, and
the compiled schemas' verdict. Does not own: what the elements mean.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false
from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from schemas.iso20022.message import NAMESPACE
from schemas.iso20022.refusal import BadMessage

BYTE_CAP = 64 * 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)")
_SETTINGS: dict[str, Any] = {
    "encoding": "UTF-8",  # whatever the document declares
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_IDENTIFIER = re.compile(re.escape(NAMESPACE) + r"([a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})")

Element = Any  # lxml carries no types; what leaves this module is text, mappings and elements
Schema = Any


class Name(NamedTuple):
    """A qualified element name."""

    namespace: str
    local: str


def name_of(element: Element) -> Name:
    """The element's namespace and local name."""
    tag: str = element.tag
    namespace, brace, local = tag.removeprefix("{").partition("}")
    return Name(namespace, local) if brace else Name("", tag)


def load(raw: bytes, cap: int = BYTE_CAP) -> Element:
    """The root element of a document. Raises BadMessage when it is too large, hostile or not well-formed."""
    _refuse_bytes(raw, cap)
    try:
        root = etree.fromstring(raw, etree.XMLParser(dtd_validation=False, **_SETTINGS))
    except (etree.XMLSyntaxError, ValueError) as refused:
        raise BadMessage(f"not well-formed XML: {refused}") from refused
    _refuse_doctype(root)
    return root


def stream(raw: bytes, cap: int = BYTE_CAP) -> Iterator[tuple[str, Element]]:
    """Start and end of every element in turn, under the same refusals as `load`; the caller clears."""
    _refuse_bytes(raw, cap)
    events = etree.iterparse(BytesIO(raw), events=("start", "end"), **_SETTINGS)
    is_checked = False
    try:
        for event, element in events:
            if not is_checked:
                _refuse_doctype(element)
                is_checked = True
            yield event, element
    except etree.XMLSyntaxError as refused:
        raise BadMessage(f"not well-formed XML: {refused}") from refused


def _refuse_bytes(raw: bytes, cap: int) -> None:
    """What can be told before any parser sees the bytes.

    The encoding is judged here because a streaming parser tells it only at the end of the document.
    """
    if not raw.strip():
        raise BadMessage("the file is empty")
    if len(raw) > cap:
        raise BadMessage(f"{len(raw)} bytes are more than the {cap} that are read")
    declared = _DECLARED.match(raw.removeprefix(BYTE_ORDER_MARK)[:200])
    if declared and declared.group(1).upper() != b"UTF-8":
        raise BadMessage(f"the encoding is {declared.group(1).decode('ascii', 'replace')}, not UTF-8")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as refused:
        raise BadMessage(f"the encoding is not UTF-8: byte {refused.start} cannot be read") from refused
    if b"\0" in raw:
        raise BadMessage("the encoding is not UTF-8: there is a zero byte")


def _refuse_doctype(root: Element) -> None:
    document = root.getroottree().docinfo
    if document.doctype or document.internalDTD is not None:
        raise BadMessage("a DOCTYPE is never read")


def identifier_of(root: Element) -> str:
    """The message identifier that the root's qualified name tells. Raises BadMessage when it is none."""
    name = name_of(root)
    found = _IDENTIFIER.fullmatch(name.namespace)
    if name.local != "Document" or found is None:
        raise BadMessage(
            f"the root {name.local} in namespace {name.namespace or 'none'} is no ISO 20022 message"
        )
    return found.group(1)


def peek_identifier(raw: bytes, cap: int = BYTE_CAP) -> str:
    """The message identifier, from the first element alone."""
    for _, element in stream(raw, cap):
        return identifier_of(element)
    raise BadMessage("the file has no element")


def compile_schema(source: bytes | Path) -> Schema:
    """A compiled XML Schema."""
    raw = source if isinstance(source, bytes) else source.read_bytes()
    return etree.XMLSchema(etree.fromstring(raw, etree.XMLParser(no_network=True)))


def first_error(schema: Schema, root: Element) -> str | None:
    """The schema's first objection to a document in one line, or None when it is valid."""
    if schema.validate(root):
        return None
    error = schema.error_log[0]
    text = re.sub(r"\{urn:[^}]*\}", "", error.message)
    return f"line {error.line}: {text}"
