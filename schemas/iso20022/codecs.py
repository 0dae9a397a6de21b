"""Codecs: how one value stands in one element, in both directions, with the facets of its schema type.

The facets are the single statement of what the text may look like: writer, reader and guideline schema
all hold the text to them. Values are machine values: epoch days, nanoseconds, minor units, smallest units.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from schemas.iso20022 import check_digits
from schemas.iso20022.charset import EXTENDED, REFERENCE, Charset
from schemas.iso20022.currencies import minor_digits

EPOCH = date(1970, 1, 1)
NANOS = 1_000_000_000
Facets = tuple[tuple[str, str], ...]


class Money(NamedTuple):
    """An amount of money: ISO 4217 code and minor units."""

    currency: str
    minor: int


class Quantity(NamedTuple):
    """An amount of a security or token: smallest units, and how many decimals the smallest unit has.

    The number is written with every one of its decimals, so that the scale survives the journey.
    """

    units: int
    digits: int


class Codec(NamedTuple):
    """One kind of element text. `write` and `read` raise ValueError; the facets are checked around them."""

    name: str
    doc: str
    base: str  # the XML Schema type restricted by the facets
    facets: Facets
    write: Callable[[Any], str]
    read: Callable[[str, str], Any]  # text and currency attribute, empty where there is none
    is_money: bool = False
    charset: Charset | None = None


def check(codec: Codec, text: str) -> None:
    """Raise ValueError when the text breaks a facet of the codec."""
    allowed = [value for facet, value in codec.facets if facet == "enumeration"]
    if allowed and text not in allowed:
        raise ValueError(f"{text[:40]!r} is not one of {', '.join(allowed[:8])}")
    for facet, value in codec.facets:
        if not _KEEPS[facet](text, value):
            raise ValueError(f"{text[:40]!r} breaks {facet} {value} of {codec.name}")


def _digit_count(text: str) -> int:
    return len(text.replace(".", "").lstrip("0"))


_KEEPS: dict[str, Callable[[str, str], bool]] = {
    "pattern": lambda text, value: re.fullmatch(value, text) is not None,
    "enumeration": lambda text, value: True,
    "minLength": lambda text, value: len(text) >= int(value),
    "maxLength": lambda text, value: len(text) <= int(value),
    "totalDigits": lambda text, value: _digit_count(text) <= int(value),
    "fractionDigits": lambda text, value: len(text.partition(".")[2]) <= int(value),
    "minExclusive": lambda text, value: Decimal(text) > Decimal(value),
}


# Text -------------------------------------------------------------------------------------------------------
def _write_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value


def _read_text(text: str, currency: str) -> str:
    return text


def _text(name: str, doc: str, *facets: tuple[str, str], charset: Charset | None = None) -> Codec:
    return Codec(name, doc, "string", facets, _write_text, _read_text, charset=charset)


def _checked(name: str, doc: str, pattern: str, holds: Callable[[str], bool]) -> Codec:
    def judge(text: str) -> str:
        if re.fullmatch(pattern, text) and not holds(text):
            raise ValueError(f"{text!r} has a wrong check digit")
        return text

    def write(value: Any) -> str:
        return judge(_write_text(value))

    def read(text: str, currency: str) -> str:
        return judge(text)

    return _text(name, doc, ("pattern", pattern))._replace(write=write, read=read)


def reference(longest: int = 35) -> Codec:
    """An identifier in FIN characters: no blank or slash at an end, no double slash."""
    edge = REFERENCE.inside.replace("/", "").replace(" ", "")
    plain = REFERENCE.inside.replace("/", "")
    pattern = f"[{edge}](([{plain}]|/[{plain}])*/?[{edge}])?"
    doc = f"Up to {longest} FIN characters; no blank or slash at an end, no double slash."
    return _text(f"Reference{longest}", doc, ("pattern", pattern), ("maxLength", str(longest)))


def free_text(longest: int) -> Codec:
    """A name or a remark; other characters are spelt in the extended set."""
    edge = EXTENDED.inside.replace(" ", "")
    pattern = f"[{edge}]([{EXTENDED.inside}]*[{edge}])?"
    doc = f"Up to {longest} characters of the extended set; no blank at an end."
    return _text(f"Text{longest}", doc, ("pattern", pattern), ("maxLength", str(longest)), charset=EXTENDED)


def code(name: str, *allowed: str) -> Codec:
    """One of a closed set of codes."""
    return _text(name, f"One of {', '.join(allowed)}.", *(("enumeration", a) for a in allowed))


def external_code(name: str, longest: int = 4) -> Codec:
    """A code of a list that ISO keeps outside its schemas."""
    return _text(
        name, f"External code of up to {longest} characters.", ("pattern", f"[A-Z0-9]{{1,{longest}}}")
    )


BIC = _text(
    "Bic", "Business identifier code. Source: ISO 9362.", ("pattern", "[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
)
COUNTRY = _text("Country", "ISO 3166 alpha-2 code.", ("pattern", "[A-Z]{2}"))


def _write_currency(value: Any) -> str:
    minor_digits(_write_text(value))
    return value


def _read_currency(text: str, currency: str) -> str:
    return _write_currency(text)


CURRENCY = Codec(
    "Currency", "ISO 4217 code.", "string", (("pattern", "[A-Z]{3}"),), _write_currency, _read_currency
)
UETR = _text(
    "Uetr",
    "Unique end-to-end transaction reference: a random UUID in lower case.",
    ("pattern", "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}"),
)
ISIN = _checked("Isin", "Security identifier.", "[A-Z]{2}[A-Z0-9]{9}[0-9]", check_digits.is_isin)
LEI = _checked("Lei", "Legal entity identifier.", "[A-Z0-9]{18}[0-9]{2}", check_digits.is_lei)
IBAN = _checked("Iban", "Bank account number.", "[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", check_digits.is_iban)
ABA = _checked("Aba", "Routing number of a bank in the United States.", "[0-9]{9}", check_digits.is_aba)


# Time -------------------------------------------------------------------------------------------------------
_DAY = "(19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_LAST_DAY = (date(2099, 12, 31) - EPOCH).days


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _write_date(value: Any) -> str:
    if not 0 <= _whole(value) <= _LAST_DAY:
        raise ValueError(f"epoch day {value} lies outside 1970 to 2099")
    return (EPOCH + timedelta(days=value)).isoformat()


def _read_date(text: str, currency: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def _write_instant(value: Any) -> str:
    seconds, nanos = divmod(_whole(value), NANOS)
    if not 0 <= seconds < (_LAST_DAY + 1) * 86_400:
        raise ValueError(f"instant {value} lies outside 1970 to 2099")
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanos // 1_000_000:03d}Z"


def _read_instant(text: str, currency: str) -> int:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    moment = datetime.strptime(whole + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return int(moment.timestamp()) * NANOS + int((fraction or "0").ljust(9, "0"))


DATE = Codec("Day", "Epoch day, as YYYY-MM-DD.", "date", (("pattern", _DAY),), _write_date, _read_date)
INSTANT = Codec(
    "Instant", "Nanoseconds since 1970, as a UTC time cut to milliseconds.", "dateTime",
    (("pattern", f"{_DAY}T{_CLOCK}(\\.[0-9]{{3}})?Z"),), _write_instant, _read_instant,
)  # fmt: skip


# Flags and numbers ------------------------------------------------------------------------------------------
def _write_flag(value: Any) -> str:
    if value not in (0, 1):
        raise ValueError(f"{value!r} is neither true nor false")
    return "true" if value else "false"


def _read_flag(text: str, currency: str) -> bool:
    return text == "true"


def _write_number(value: Any) -> str:
    return str(_whole(value))


def _read_number(text: str, currency: str) -> int:
    return int(text)


FLAG = Codec("Flag", "true or false.", "boolean", (("pattern", "true|false"),), _write_flag, _read_flag)
NUMBER = Codec(
    "Number", "A whole number of up to 18 digits.", "decimal", (("pattern", "0|[1-9][0-9]{0,17}"),),
    _write_number, _read_number,
)  # fmt: skip


# Amounts ----------------------------------------------------------------------------------------------------
_AMOUNT = r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,5})?"


def _write_money(value: Any) -> str:
    if not isinstance(value, Money):
        raise ValueError(f"{value!r} is not Money(currency, minor)")
    if _whole(value.minor) < 0:
        raise ValueError(f"{value.minor} is negative; the direction stands in its own element")
    return _decimal(value.minor, minor_digits(value.currency))


def _decimal(units: int, digits: int) -> str:
    whole, fraction = divmod(units, 10**digits)
    return f"{whole}.{fraction:0{digits}d}" if digits else str(whole)


def _read_money(text: str, currency: str) -> Money:
    digits = minor_digits(currency)
    whole, _, fraction = text.partition(".")
    if fraction[digits:].strip("0"):
        raise ValueError(f"{text} is finer than the minor unit of {currency}")
    return Money(currency, int(whole + fraction[:digits].ljust(digits, "0")))


_MONEY_FACETS: Facets = (("pattern", _AMOUNT), ("totalDigits", "18"), ("fractionDigits", "5"))
MONEY_OR_ZERO = Codec(
    "MoneyOrZero",
    "Money; zero is allowed.",
    "decimal",
    _MONEY_FACETS,
    _write_money,
    _read_money,
    is_money=True,
)
MONEY = MONEY_OR_ZERO._replace(
    name="Money", doc="Money, more than zero.", facets=(*_MONEY_FACETS, ("minExclusive", "0"))
)
CONTROL_SUM = MONEY._replace(
    name="ControlSum",
    doc="The amount again, without its currency.",
    is_money=False,
    read=_read_text,  # it only repeats; the reader compares the text
)


def _write_quantity(value: Any) -> str:
    if not isinstance(value, Quantity):
        raise ValueError(f"{value!r} is not Quantity(units, digits)")
    if _whole(value.units) < 0 or not 0 <= _whole(value.digits) <= 18:
        raise ValueError(f"{value!r} is negative or has more than 18 decimals")
    return _decimal(value.units, value.digits)


def _read_quantity(text: str, currency: str) -> Quantity:
    whole, _, fraction = text.partition(".")
    return Quantity(int(whole + fraction), len(fraction))


QUANTITY = Codec(
    "Units", "A quantity of up to 17 decimals, each one of the smallest unit written.", "decimal",
    (("pattern", r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?"), ("totalDigits", "18"), ("fractionDigits", "17")),
    _write_quantity, _read_quantity,
)  # fmt: skip
TOKEN_QUANTITY = Codec(
    "TokenUnits", "A quantity of a token of up to 18 decimals, each one written.", "decimal",
    (("pattern", r"(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?"), ("totalDigits", "19"), ("fractionDigits", "18")),
    _write_quantity, _read_quantity,
)  # fmt: skip
