"""A portfolio given from outside, as one JSON document: what every key means.

Owns: the case as the model takes it. Does not own: instruments and their classes (case_instruments.py),
exchange rates (case_currencies.py), scenarios (case_scenarios.py), the answer (explain.py). Every key is told
in docs/margin.md.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from engine.risk.model.case_currencies import Currencies
from engine.risk.model.case_instruments import Instrument, read_instruments
from engine.risk.model.case_scenarios import Scenarios, read_scenarios
from engine.risk.model.charges import ADD_ONS, ASSET_CLASSES, LIQUIDITY, Rates
from engine.risk.model.reading import Reading, read_document
from engine.risk.model.requirement import KAPPA, Haircut, Thresholds, Tier
from engine.risk.model.scenario_set import ScenarioSet, read_set
from engine.risk.model.synthetic_set import synthetic_set

UNIT_DIGITS = 8
SYNTHETIC = {"synthetic": "full", "synthetic-small": "small"}  # profiles of the set that comes with OneBook
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


class Parameters(NamedTuple):
    """Parameters of the model, each as given or as documented."""

    kappa: Fraction
    is_retail: bool
    rates: Rates
    thresholds: Thresholds
    haircuts: dict[str, Haircut]
    own_tokens: frozenset[str]


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
    named = parameters.get("base_currency", "account_currency", "currency", "base")
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
    terms = _parameters(parameters, account, base, instruments)
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
    lots = reading.need("lots", "quantity", "qty", "size").number()
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
        name = _instrument_of(row.need("instrument", "instrument_id", "id", "symbol"), instruments)
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
    rows = given.items() if given.is_list else [given]
    found: list[Order] = []
    for n, row in enumerate(rows):
        name = _instrument_of(row.need("instrument", "instrument_id", "symbol"), instruments)
        order_id, linked = row.get("id", "order_id"), row.get("oco", "linked", "link")
        told = str(n + 1) if order_id is None else str(order_id.value)
        lots = _signed_lots(row)
        if lots == 0:
            raise row.error("an order of no lots")
        found.append(Order(told, name, lots, None if linked is None else str(linked.value)))
    if len({order.order_id for order in found}) != len(found):
        raise given.error("two orders have one id")
    return found


def _cash(document: Reading, currencies: Currencies) -> dict[str, Fraction]:
    given = document.get("cash", "balances")
    if given is None:
        return {}
    if not given.is_object:
        return {currencies.base: given.number()}
    found: dict[str, Fraction] = {}
    for name, value in given.entries():
        currency = name.strip().upper()
        if currency in found:
            raise value.error(f"{currency} stands twice")
        if value.is_object:  # an amount with its rate beside it
            rate = value.get("rate", "fx_rate", "fx")
            if rate is not None:
                currencies.tell(currency, rate)
        found[currency] = (value.need("amount", "balance") if value.is_object else value).number()
        currencies.of(currency, value)
    return found


def _parameters(
    parameters: Reading, account: Reading, base: str, instruments: dict[str, Instrument]
) -> Parameters:
    category = parameters.get("category", "client_category") or account.get("category", "client_category")
    is_retail = False
    if category is not None:
        if category.word() not in ("retail", "pro", "professional", "eligible_counterparty"):
            raise category.error(f"expected retail or professional, not {category.value!r}")
        is_retail = category.word() == "retail"
    retail = parameters.get("retail", "is_retail")
    if retail is not None:
        if category is not None and retail.flag() != is_retail:
            raise retail.error("contradicts the category")
        is_retail = retail.flag()
    kappa = parameters.get("kappa", "κ", "im_factor")
    factor = kappa.number() if kappa is not None else KAPPA
    if kappa is not None and factor < 1:
        raise kappa.error(
            f"expected at least 1, not {kappa.value}: initial margin is not below maintenance margin"
        )
    own = parameters.get("own_tokens", "wrong_way")
    tokens = frozenset(t.text().upper() for t in own.items()) if own is not None else frozenset[str]()
    for parameter in ("retail_caps", "caps", "mode"):
        parameters.get(parameter)
    return Parameters(
        kappa=factor,
        is_retail=is_retail,
        rates=_rates(parameters),
        thresholds=_thresholds(parameters),
        haircuts=_haircuts(parameters),
        own_tokens=tokens,
    )


def _rates(parameters: Reading) -> Rates:
    rates = Rates()
    impact = parameters.get("lambda", "λ", "impact")
    if impact is not None:
        rates = rates._replace(impact=impact.at_least(0))
    name_rate = parameters.get("concentration_rate")
    if name_rate is not None:
        rates = rates._replace(concentration=name_rate.share())
    top_rate = parameters.get("concentration_largest_rate", "concentration_top_rate")
    if top_rate is not None:
        rates = rates._replace(concentration_largest=top_rate.share())
    count = parameters.get("concentration_largest_count", "concentration_count", "concentration_top_count")
    if count is not None:
        rates = rates._replace(largest_count=int(count.at_least(0)))
    basis = parameters.get("basis_rates", "basis_rate", "beta_u")
    if basis is not None and basis.is_object:
        by_class = dict(rates.basis)
        for name, value in basis.entries():
            if name.lower() not in ASSET_CLASSES:
                raise value.error(f"expected an asset class ({', '.join(ASSET_CLASSES)}), not {name!r}")
            by_class[name.lower()] = value.share()
        rates = rates._replace(basis=by_class)
    elif basis is not None:
        rates = rates._replace(basis=dict.fromkeys(ASSET_CLASSES, basis.share()))
    chosen = parameters.get("add_ons", "addons")
    if chosen is None:
        return rates
    if chosen.is_list:
        words = [item.text().upper() for item in chosen.items()]
        for item, word in zip(chosen.items(), words, strict=True):
            if word not in ADD_ONS:
                raise item.error(f"expected one of {', '.join(ADD_ONS)}, not {item.value!r}")
        return rates._replace(add_ons=frozenset(words))
    if isinstance(chosen.value, bool):
        return rates if chosen.value else rates._replace(add_ons=frozenset())
    if chosen.word() not in ("none", "all"):
        raise chosen.error(f'expected "none", "all" or a list of {", ".join(ADD_ONS)}, not {chosen.value!r}')
    return rates if chosen.word() == "all" else rates._replace(add_ons=frozenset())


def _thresholds(parameters: Reading) -> Thresholds:
    thresholds = Thresholds()
    given = parameters.get("thresholds", "states")
    for name, value in given.entries() if given is not None else ():
        if name not in Thresholds._fields:
            raise value.error(f"expected one of {', '.join(Thresholds._fields)}, not {name!r}")
        thresholds = thresholds._replace(**{name: value.at_least(0)})
    if given is not None and not thresholds.liquidate <= thresholds.cancel <= thresholds.warn:
        raise given.error("expected liquidate <= cancel <= warn")
    return thresholds


def _haircuts(parameters: Reading) -> dict[str, Haircut]:
    given = parameters.get("haircuts", "haircut")
    if given is None:
        return {}
    return {name.strip().upper(): _haircut(value) for name, value in given.entries()}


def _haircut(value: Reading) -> Haircut:
    """A share, or tiers, or an object of one of them and what is put on a debt."""
    if value.is_list:
        return Haircut(_tiers(value))
    if not value.is_object:
        return Haircut((Tier(None, value.share()),))
    debt = value.get("debt", "liability", "negative")
    on_debt = debt.at_least(0) if debt is not None else Fraction(0)
    asset, tiers = value.get("asset", "positive", "haircut", "share"), value.get("tiers")
    if asset is not None and tiers is not None:
        raise value.error("give one haircut or tiers, not both")
    if tiers is not None:
        return Haircut(_tiers(tiers), on_debt)
    return Haircut((Tier(None, asset.share()),) if asset is not None else (), on_debt)


def _tiers(value: Reading) -> tuple[Tier, ...]:
    found: list[Tier] = []
    for item in value.items():
        if item.is_list:
            if len(item.items()) != 2:
                raise item.error("expected [up to, share]")
            up_to, share = item.items()
            bound = None if up_to.value is None else up_to.at_least(0, is_above=True)
        else:
            end, share = item.get("up_to"), item.need("haircut", "share")
            bound = None if end is None else end.at_least(0, is_above=True)
        last = found[-1].up_to if found else Fraction(0)
        if last is None or (bound is not None and bound <= last):
            raise item.error("tiers go up, and nothing stands behind the one without an end")
        found.append(Tier(bound, share.share()))
    if not found:
        raise value.error("expected at least one tier")
    if found[-1].up_to is not None:  # what is beyond the last tier counts like it
        found.append(Tier(None, found[-1].share))
    return tuple(found)
