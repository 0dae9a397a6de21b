"""A portfolio given from outside, as one JSON document: what every key means.

Owns: the case as the model takes it. Does not own: instruments and their classes (case_instruments.py),
exchange rates (case_currencies.py), scenarios (case_scenarios.py), the answer (explain.py). Every key is told
in docs/margin.md.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from engine.risk.model.case_currencies import Currencies, cash_rows
from engine.risk.model.case_instruments import Instrument, read_instruments
from engine.risk.model.case_parameters import Parameters, read_parameters
from engine.risk.model.case_scenarios import Scenarios, read_scenarios
from engine.risk.model.charges import LIQUIDITY
from engine.risk.model.reading import Reading, read_document
from engine.risk.model.scenario_set import ScenarioSet, read_set
from engine.risk.model.synthetic_set import synthetic_set

UNIT_DIGITS = 8
SYNTHETIC = {"synthetic": "full", "synthetic-small": "small"}  # profiles of the set that comes with OneBook
_NAMES = ("instrument", "instrument_id", "symbol")
_LOTS = ("lots", "quantity", "qty", "size", "amount", "contracts", "position")
_BUYS, _SELLS = ("buy", "b", "bid", "long"), ("sell", "s", "ask", "short")


class Position(NamedTuple):
    """Lots held, of one ticket, and what they were entered at."""

    instrument_id: str
    lots: Fraction
    entry_price: Fraction | None


class Order(NamedTuple):
    """An order that is open, or would be placed."""

    order_id: str
    instrument_id: str
    lots: Fraction  # signed: below zero it sells
    linked: str | None  # orders of one link cancel each other: the worst of them is reserved


class Case(NamedTuple):
    """A portfolio and all that it is valued by."""

    currency: str
    scenarios: Scenarios
    instruments: dict[str, Instrument]
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    what_if: tuple[Order, ...] | None
    cash: dict[str, Fraction]
    currencies: Currencies
    parameters: Parameters
    vector_digits: int  # a lot's vector is in units of 10**-vector_digits
    lot_digits: int  # lots are in units of 10**-lot_digits
    notes: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def digits(self) -> int:
        """An account's vectors are in units of 10**-digits."""
        return self.vector_digits + self.lot_digits

    def lots(self) -> dict[str, Fraction]:
        """Net lots of every instrument: long and short tickets of one instrument are one position."""
        net: dict[str, Fraction] = {}
        for position in self.positions:
            net[position.instrument_id] = net.get(position.instrument_id, Fraction(0)) + position.lots
        return net


def read_case(path: Path) -> Case:
    """Read a case file; what contradicts itself is refused with file and path.

    Its scenarios may be the name of a set's file beside it, or the synthetic set that comes with OneBook.
    """
    document = read_document(path)
    named = document.get("scenarios")
    if named is not None and named.is_text:
        document.put("scenarios", _named_set(named, path.parent).as_case())
    return case_of(document)


def _named_set(named: Reading, folder: Path) -> ScenarioSet:
    if named.text() in SYNTHETIC:
        return synthetic_set(SYNTHETIC[named.text()])
    path = folder / named.text()
    if not path.is_file():
        raise named.error(f"expected groups, {' or '.join(SYNTHETIC)}, or the name of a set's file")
    return read_set(path)


def case_of(document: Reading) -> Case:
    """The case that a document tells."""
    notes: list[str] = []
    parameters = document.get("parameters") or Reading({}, "parameters", document.source)
    account = document.get("account") or Reading({}, "account", document.source)
    named = parameters.get("base_currency", "account_currency", "currency", "base") or account.get(
        "currency", "base_currency"
    )
    base = named.text().upper() if named is not None else "USD"
    scenarios = read_scenarios(document, parameters, notes)
    currencies = Currencies(document, parameters, base, scenarios, notes)
    instruments = read_instruments(document, parameters, currencies, scenarios, notes)
    positions = tuple(_positions(document, instruments))
    orders = tuple(_orders(document.get("orders", "open_orders"), instruments))
    asked = document.get("what_if", "one_more_order", "new_order", "what_if_order", "what_if_orders")
    what_if = None if asked is None else tuple(_orders(asked, instruments))
    cash = _cash(document, currencies)
    lots = [p.lots for p in positions] + [o.lots for o in (*orders, *(what_if or ()))]
    lot_digits = max((_decimals(amount) for amount in lots), default=0)
    terms = read_parameters(parameters, account, dict(cash_rows(document)))
    if LIQUIDITY in terms.rates.add_ons:
        bare = [i.product for i in instruments.values() if not (i.product.spread and i.product.volume)]
        notes += [f"{p.instrument_id} comes without spread_bp, sigma or adv: LQ leaves it out" for p in bare]
    return Case(
        currency=base,
        scenarios=scenarios,
        instruments=instruments,
        positions=positions,
        orders=orders,
        what_if=what_if,
        cash=cash,
        currencies=currencies,
        parameters=terms,
        vector_digits=_vector_digits(parameters, instruments, lots),
        lot_digits=lot_digits,
        notes=tuple(dict.fromkeys(notes)),
        ignored=tuple(sorted({*document.unasked(), *parameters.unasked()})),
    )


def _decimals(value: Fraction) -> int:
    """How many figures a number has behind the point."""
    digits, left = 0, value.denominator
    while 10**digits % left:
        digits += 1
    return digits


def _vector_digits(parameters: Reading, instruments: dict[str, Instrument], lots: list[Fraction]) -> int:
    """1e-8, or as fine as given vectors are, divided by a power of ten not below the largest number of lots.

    So rounding a lot's vector moves an account by no more than 1e-8 for each instrument.
    """
    given = [v for i in instruments.values() if i.given is not None for v in i.given]
    needed = max((_decimals(value) for value in given), default=0)
    asked = parameters.get("unit_digits")
    if asked is not None:
        if not needed <= asked.integer() <= 30:
            raise asked.error(f"expected {needed} to 30 figures behind the point, not {asked.value}")
        return asked.integer()
    largest = max((abs(amount) for amount in lots), default=Fraction(0))
    return max(UNIT_DIGITS, needed) + (len(str(int(largest) - 1)) if largest > 1 else 0)


def _instrument_of(reading: Reading, instruments: dict[str, Instrument]) -> str:
    name = reading.text()
    if name not in instruments:
        raise reading.error(f"{name!r} is not the id of any instrument")
    return name


def _signed_lots(reading: Reading) -> Fraction:
    """Lots with their sign, or lots and a side."""
    lots = reading.need(*_LOTS).number()
    side = reading.get("side", "direction")
    if side is None:
        return lots
    word = side.word()
    if word not in (*_BUYS, *_SELLS):
        raise side.error(f"expected buy or sell, not {side.value!r}")
    if lots < 0 and word in _BUYS:
        raise reading.error(
            f"{word} with lots below zero says two things; give lots with a side, or signed lots"
        )
    return abs(lots) if word in _BUYS else -abs(lots)


def _positions(document: Reading, instruments: dict[str, Instrument]) -> list[Position]:
    given = document.get("positions")
    if given is None:
        return []
    found: list[Position] = []
    if given.is_object:
        for name, value in given.entries():
            if name not in instruments:
                raise value.error(f"{name!r} is not the id of any instrument")
            tickets = value.items() if value.is_list else [value]
            for ticket in tickets:
                found += _both_sides(name, ticket) or [_position(name, ticket, instruments)]
        return found
    for row in given.items():
        name = _instrument_of(row.need(*_NAMES, "id"), instruments)
        found.append(_position(name, row, instruments))
    return found


def _both_sides(name: str, value: Reading) -> list[Position]:
    """A long and a short ticket of one instrument, as lots of either side."""
    sides = (
        [(value.get(side), sign) for side, sign in (("long", 1), ("short", -1))] if value.is_object else []
    )
    return [Position(name, sign * told.at_least(0), None) for told, sign in sides if told is not None]


def _position(name: str, value: Reading, instruments: dict[str, Instrument]) -> Position:
    if not value.is_object:
        return Position(name, value.number(), instruments[name].entry_price)
    entry = value.get("entry_price", "average_price", "avg_price", "entry", "cost_price")
    price = entry.number() if entry is not None else instruments[name].entry_price
    return Position(name, _signed_lots(value), price)


def _orders(given: Reading | None, instruments: dict[str, Instrument]) -> list[Order]:
    if given is None:
        return []
    if given.is_list:
        rows = [("", row) for row in given.items()]
    else:
        is_one = given.get(*_NAMES) is not None or given.get(*_LOTS) is not None
        rows = [("", given)] if is_one else list(given.entries())
    found = [_order(key, str(n), row, instruments) for n, (key, row) in enumerate(rows, 1)]
    if len({order.order_id for order in found}) != len(found):
        raise given.error("two orders have one id")
    return found


def _order(key: str, number: str, row: Reading, instruments: dict[str, Instrument]) -> Order:
    """An order; what it is called by, the key that it stands under or its `id`, may be its instrument's."""
    is_bare = key in instruments and not row.is_object  # signed lots and nothing else
    named, told = (None, None) if is_bare else (row.get(*_NAMES), row.get("id", "order_id"))
    order_id = key or (number if told is None else str(told.value))
    if named is not None:
        name = _instrument_of(named, instruments)
    elif order_id in instruments:
        name, order_id = order_id, number
    else:
        raise row.error("needs 'instrument'")
    lots = row.number() if is_bare else _open_lots(row)
    if lots == 0:
        raise row.error("an order of no lots")
    linked = None if is_bare else row.get("oco", "linked", "link")
    return Order(order_id, name, lots, None if linked is None else str(linked.value))


def _open_lots(row: Reading) -> Fraction:
    """Signed lots less what is filled of them."""
    lots, filled = _signed_lots(row), row.get("filled", "filled_lots", "filled_quantity")
    if filled is None:
        return lots
    done = filled.at_least(0)
    if done > abs(lots):
        raise filled.error(f"the order has {row.need(*_LOTS).value} lots")
    return lots - done if lots > 0 else lots + done


def _cash(document: Reading, currencies: Currencies) -> dict[str, Fraction]:
    given = document.get("cash", "balances")
    if given is None:
        return {}
    if not (given.is_object or given.is_list):
        return {currencies.base: given.number()}
    found: dict[str, Fraction] = {}
    for currency, value in cash_rows(document):
        if currency in found:
            raise value.error(f"{currency} stands twice")
        found[currency] = (value.need("amount", "balance") if value.is_object else value).number()
        currencies.of(currency, value)
    return found
