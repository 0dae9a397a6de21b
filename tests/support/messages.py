"""Random valid field values of any declared message, and random documents of any guideline schema.

The values come from the declaration; the documents come from the schema text alone, so that a fault of
the writer cannot hide one of the guideline.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import strategies as st
from lxml import etree

from schemas.iso20022 import check_digits
from schemas.iso20022.charset import EXTENDED, REFERENCE, Charset
from schemas.iso20022.codecs import Codec, Money, Quantity, check
from schemas.iso20022.currencies import ACTIVE
from schemas.iso20022.message import Choice, Group, Leaf, Message, Node, Repeat

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LAST_DAY = (date(2099, 12, 31) - date(1970, 1, 1)).days
XS = "{http://www.w3.org/2001/XMLSchema}"


# Values of codecs -------------------------------------------------------------------------------------------
def _characters(charset: Charset) -> str:
    return "".join(c for c in map(chr, range(32, 127)) if charset.has(c))


def _keeps(codec: Codec, text: str) -> bool:
    try:
        check(codec, text)
    except ValueError:
        return False
    return True


def _texts(codec: Codec) -> st.SearchStrategy[str]:
    longest = int(dict(codec.facets)["maxLength"])
    charset = EXTENDED if codec.charset else REFERENCE
    some = st.text(_characters(charset), min_size=1, max_size=longest)
    full = st.text(_characters(charset), min_size=longest, max_size=longest)
    tidy = st.one_of(some, full).map(
        lambda text: text if codec.charset else re.sub("/+", "/", text).strip("/ ")
    )
    return tidy.map(lambda text: text.strip(" ")).filter(lambda text: _keeps(codec, text))


def _fitting(head: st.SearchStrategy[str], width: int, holds: Any) -> st.SearchStrategy[str]:
    """Texts with the one ending of digits that makes the check digits right."""

    def ended(text: str) -> str:
        endings = (f"{n:0{width}d}" for n in range(10**width))
        return next(text + ending for ending in endings if holds(text + ending))

    return head.map(ended)


def _iban(country: str, body: str) -> str:
    return next(text for n in range(2, 99) if check_digits.is_iban(text := f"{country}{n:02d}{body}"))


@st.composite
def _money(draw: st.DrawFn, low: int) -> Money:
    currency = draw(st.sampled_from(sorted(ACTIVE)))
    largest = 10**18 - 1
    return Money(currency, draw(st.one_of(st.integers(low, 10**6), st.integers(low, largest))))


@st.composite
def _quantity(draw: st.DrawFn, digits: int, total: int) -> Quantity:
    return Quantity(draw(st.integers(0, 10**total - 1)), draw(st.integers(0, digits)))


def values(codec: Codec) -> st.SearchStrategy[Any]:
    """Valid values of one codec."""
    codes = [value for facet, value in codec.facets if facet == "enumeration"]
    if codes:
        return st.sampled_from(codes)
    if "maxLength" in dict(codec.facets):
        return _texts(codec)
    capitals, mixed = st.text(CAPITALS, min_size=2, max_size=2), CAPITALS + DIGITS
    made: dict[str, st.SearchStrategy[Any]] = {
        "Day": st.integers(0, LAST_DAY),
        "Instant": st.integers(0, (LAST_DAY + 1) * 86_400_000 - 1).map(lambda ms: ms * 1_000_000),
        "Flag": st.booleans(),
        "Number": st.integers(0, 10**18 - 1),
        "Money": _money(1),
        "MoneyOrZero": _money(0),
        "Units": _quantity(17, 18),
        "TokenUnits": _quantity(18, 19),
        "Currency": st.sampled_from(sorted(ACTIVE)),
        "Isin": _fitting(
            st.tuples(capitals, st.text(mixed, min_size=9, max_size=9)).map("".join), 1, check_digits.is_isin
        ),
        "Lei": _fitting(st.text(mixed, min_size=18, max_size=18), 2, check_digits.is_lei),
        "Aba": _fitting(st.text(DIGITS, min_size=8, max_size=8), 1, check_digits.is_aba),
        "Iban": st.tuples(capitals, st.text(mixed, min_size=11, max_size=30)).map(lambda p: _iban(*p)),
    }
    if codec.name in made:
        return made[codec.name]
    return st.from_regex(dict(codec.facets)["pattern"], fullmatch=True)


# Fields of messages -----------------------------------------------------------------------------------------
@st.composite
def fields_of(draw: st.DrawFn, message: Message) -> dict[str, Any]:
    """Valid fields of a message."""
    fields: dict[str, Any] = {}
    _fill(draw, message.root, fields)
    if "payment" in fields:
        fields["payment"] = "APMT" if "amount" in fields else "FREE"
    if "has_holdings" in fields:
        fields["has_holdings"] = bool(fields["holdings"])
    return fields


def _fill(draw: st.DrawFn, node: Node, fields: dict[str, Any]) -> None:
    children = node.children
    is_choice = isinstance(node.row, Choice)
    if is_choice:
        children = [draw(st.sampled_from(children))]
    for child in children:
        row = child.row
        may_be_absent = isinstance(row, (Leaf, Group, Choice)) and row.is_optional and not is_choice
        if may_be_absent and draw(st.booleans()):
            continue
        if isinstance(row, Leaf):
            fields[row.field] = draw(values(row.codec))
        elif isinstance(row, Repeat):
            fields[row.field] = []
            for _ in range(draw(st.integers(row.least, row.least + 2))):
                item: dict[str, Any] = {}
                _fill(draw, child, item)
                fields[row.field].append(item)
        else:
            _fill(draw, child, fields)


# Documents of a schema --------------------------------------------------------------------------------------
class _Schema:
    """A guideline schema, read as text: only what guidelines use, anything else is an error."""

    def __init__(self, raw: bytes) -> None:
        self.root = etree.fromstring(raw)
        self.types = {e.get("name"): e for e in self.root if e.tag != XS + "element"}

    def element(self, draw: st.DrawFn, element: Any) -> str:
        name = element.get("name")
        low, high = int(element.get("minOccurs", "1")), element.get("maxOccurs", "1")
        most = low + 2 if high == "unbounded" else int(high)
        made: list[str] = []
        for _ in range(draw(st.integers(low, most))):
            kind = self.types[element.get("type")] if element.get("type") else self._inner(element)
            if kind.tag == XS + "simpleType":
                made.append(f"<{name}>{escape(self.simple(draw, kind))}</{name}>")
            elif kind.find(XS + "simpleContent") is not None:
                extension = kind.find(f"{XS}simpleContent/{XS}extension")
                number = self.simple(draw, self.types[extension.get("base")])
                attribute = extension.find(XS + "attribute")
                currency = self.simple(draw, self.types[attribute.get("type")])
                made.append(f'<{name} Ccy="{currency}">{number}</{name}>')
            else:
                made.append(f"<{name}>{self.particle(draw, self._inner(kind))}</{name}>")
        return "".join(made)

    def _inner(self, element: Any) -> Any:
        return next(child for child in element if child.tag != XS + "annotation")

    def particle(self, draw: st.DrawFn, particle: Any) -> str:
        if particle.tag == XS + "element":
            return self.element(draw, particle)
        if particle.tag == XS + "choice":
            return self.particle(draw, draw(st.sampled_from(list(particle))))
        assert particle.tag == XS + "sequence", particle.tag
        return "".join(self.particle(draw, child) for child in particle)

    def simple(self, draw: st.DrawFn, kind: Any) -> str:
        restriction = kind.find(XS + "restriction")
        facets = [(etree.QName(f).localname, f.get("value")) for f in restriction]
        if codes := [value for facet, value in facets if facet == "enumeration"]:
            return draw(st.sampled_from(codes))
        base = restriction.get("base")
        if base == "xs:date":
            return draw(st.dates(date(1970, 1, 1), date(2099, 12, 31))).isoformat()
        if base == "xs:dateTime":
            clock = draw(
                st.from_regex("([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{3})?Z", fullmatch=True)
            )
            return draw(st.dates(date(1970, 1, 1), date(2099, 12, 31))).isoformat() + "T" + clock
        return draw(self._matching(dict(facets)))

    def _matching(self, facets: dict[str, str]) -> st.SearchStrategy[str]:
        found = st.from_regex(facets["pattern"], fullmatch=True)
        longest = facets.get("maxLength")
        if longest is not None:
            n = int(longest)
            plain = st.sampled_from("Aa0-").flatmap(
                lambda c: st.sampled_from([1, n - 1, n]).map(lambda k: c * k)
            )
            found = st.one_of(found.filter(lambda text: len(text) <= n), plain)
        if "totalDigits" in facets:
            total = int(facets["totalDigits"])
            found = found.filter(lambda text: len(text.replace(".", "").lstrip("0")) <= total)
        if "minExclusive" in facets:
            found = found.filter(lambda text: text.strip("0.") != "")
        return found


@st.composite
def documents_of(draw: st.DrawFn, xsd: bytes) -> bytes:
    """Documents that a guideline schema accepts."""
    schema = _Schema(xsd)
    top = schema.root.find(XS + "element")
    body = schema.element(draw, top).replace(
        "<Document>", f'<Document xmlns="{schema.root.get("targetNamespace")}">'
    )
    return body.encode()
