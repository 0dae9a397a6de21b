"""Instruments of a case: terms to revalue, or the vectors that were given in their place."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from engine.errors import BadInput
from engine.risk.model.case_currencies import Currencies
from engine.risk.model.case_factors import read_exposures
from engine.risk.model.case_options import read_forward, read_option
from engine.risk.model.case_products import read_product
from engine.risk.model.case_rows import Row, Word
from engine.risk.model.case_scenarios import Scenarios
from engine.risk.model.charges import FX, Product
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Currency, Kind, Style, Terms, unit_value


class Instrument(NamedTuple):
    """An instrument as the model takes it: terms to revalue, or a vector that was given."""

    instrument_id: str
    currency: str
    rate: Fraction  # of its currency, in the account's
    terms: Terms | None
    given: (
        tuple[Fraction, ...] | None
    )  # profit and loss of a lot in every scenario, in the account's currency
    product: Product
    mark: Fraction | None  # price quoted, of an option its premium
    multiplier: Fraction
    is_paid: bool  # bought with cash that is gone: its market value counts as equity
    entry_price: Fraction | None
    confidence: Fraction | None

    @property
    def is_option(self) -> bool:
        """Whether its market value is a part of equity."""
        return self.terms is not None and self.terms.style is Style.OPTION

    def lot_value(self) -> Fraction | None:
        """What one lot is worth at the mark in its own currency; an option without a premium Black-76's."""
        if self.mark is not None:
            return self.mark * self.multiplier
        return unit_value(self.terms) / self.rate if self.is_option and self.terms is not None else None

    def gain(self, entry: Fraction, account_currency: str) -> Fraction | None:
        """Unrealised profit or loss of one lot since its entry, in its own currency."""
        if self.mark is None:
            return None
        if self.terms is not None and self.terms.style is Style.INVERSE:
            if entry <= 0:
                raise BadInput(f"{self.instrument_id}: an inverse contract is entered at a price above zero")
            coins = self.multiplier * (1 / entry - 1 / self.mark)
            return coins * self.rate if self.currency == account_currency else coins
        return (self.mark - entry) * self.multiplier


def read_instruments(
    document: Reading, parameters: Reading, currencies: Currencies, scenarios: Scenarios, notes: list[str]
) -> dict[str, Instrument]:
    """Read every instrument; ids are as they are written."""
    given = document.need("instruments")
    if given.is_object:
        rows = list(given.entries())
        for name, row in rows:
            told = row.get("id", "instrument_id", "symbol")
            if told is not None and told.text() != name:
                raise told.error(f"the key says {name!r}")
    else:
        rows = [(row.need("id", "instrument_id", "symbol").text(), row) for row in given.items()]
    by_id: dict[str, Reading] = {}
    for name, row in rows:
        if name in by_id:
            raise row.error(f"{name!r} is the id of two instruments")
        by_id[name] = row
    return {
        name: _instrument(Row(name, row, by_id, parameters, currencies, scenarios, notes))
        for name, row in rows
    }


def _instrument(of: Row) -> Instrument:
    row, word = of.row, of.word()
    for said in ("name", "description", "comment"):
        row.get(said)
    quoted = row.get("currency", "ccy", "quote_currency")
    currency = quoted.text().upper() if quoted is not None else of.currencies.base
    multiplier = _lot_of(row, "multiplier", "contract_multiplier", "contract_size", "face")
    multiplier *= _lot_of(row, "lot_size", "lot", "units_per_lot")
    mark = _mark(of, word, currency)
    rate = _rate(of, word.style, currency, mark, quoted or row)
    vector = row.get("pnl_per_lot", "pnl", "scenario_pnl")
    terms = _terms(of, word, rate, mark, multiplier) if vector is None else None
    if vector is not None and currency != of.currencies.base:
        of.notes.append(f"{of.name}: its vector is taken to be in {of.currencies.base}, not in {currency}")
    paid, entry = row.get("paid", "is_paid"), row.get("entry_price", "average_price", "avg_price")
    confidence = row.get("oracle_confidence", "confidence")
    priced = (
        None if mark is None else multiplier * rate.rate * (1 / mark if word.style is Style.INVERSE else mark)
    )
    is_paid = paid is not None and paid.flag()
    return Instrument(
        instrument_id=of.name,
        currency=currency,
        rate=rate.rate,
        terms=terms,
        given=None if vector is None else _vector(vector, of.scenarios),
        product=read_product(of, word, terms, priced, is_paid),
        mark=mark,
        multiplier=multiplier,
        is_paid=is_paid,
        entry_price=entry.number() if entry is not None else None,
        confidence=confidence.share() if confidence is not None else None,
    )


def _lot_of(row: Reading, *names: str) -> Fraction:
    told = row.get(*names)
    return told.at_least(0, is_above=True) if told is not None else Fraction(1)


def _mark(of: Row, word: Word, currency: str) -> Fraction | None:
    """The price; a currency as an instrument is 1, an option or a given vector may do without."""
    price = of.row.get("price", "mark", "mark_price", "premium")
    if price is not None:
        return price.at_least(0, is_above=True) if word.style is Style.INVERSE else price.number()
    if of.has_vector() or word.style is Style.OPTION:
        return None
    if word.style is Style.HELD and currency == of.name.upper():
        return Fraction(1)
    raise of.row.error("needs 'price' (or 'pnl_per_lot', its profit and loss in every scenario)")


def _rate(of: Row, style: Style, currency: str, mark: Fraction | None, asking: Reading) -> Currency:
    """The rate of its currency; an inverse contract in ours is paid in the coin it prices."""
    if style is Style.INVERSE and currency == of.currencies.base:
        return Currency(mark if mark is not None else Fraction(1))
    if mark is None and style is not Style.OPTION:
        return Currency()
    try:
        return of.currencies.of(currency, asking)
    except BadInput:
        if mark is None or style is not Style.INVERSE:
            raise
        return Currency(mark)  # the coin's price is the contract's


def _terms(of: Row, word: Word, rate: Currency, mark: Fraction | None, multiplier: Fraction) -> Terms:
    row, style, option = of.row, word.style, None
    exposures = read_exposures(row, of.name, of.underlying(), of.scenarios, of.notes)
    combine = row.get("combine")
    if combine is not None and combine.word() not in ("sum", "product"):
        raise combine.error(f"expected sum or product, not {combine.value!r}")
    price = mark
    if style is Style.OPTION:
        price = read_forward(of, exposures)
        option, exposures = read_option(of, exposures)
    if price is None:
        raise row.error("needs 'price'")
    prices = [e for e in exposures if e.kind is not Kind.PEG]
    pegs = [e for e in exposures if e.kind is Kind.PEG and e.factor != rate.factor]
    if not any(e.kind is not Kind.BASIS for e in prices):  # a stablecoin itself: the peg is its price
        prices, pegs = [*prices, *(e._replace(kind=Kind.RETURN) for e in pegs)], []
    # an exchange rate depends on the currency that it is quoted in; a share only converts
    if rate.factor is not None and style is not Style.INVERSE and of.asset_class(word) != FX:
        own = [e for e in prices if e.factor == rate.factor]
        if own:
            of.notes.append(f"{of.name}: {rate.factor} moves its currency and is not counted twice")
        prices = [e for e in prices if e.factor != rate.factor]
    return Terms(
        style=style,
        price=price,
        multiplier=multiplier,
        exposures=tuple(prices),
        currency=rate,
        pegs=tuple(pegs),
        is_product=combine is not None and combine.word() == "product",
        option=option,
    )


def _vector(vector: Reading, scenarios: Scenarios) -> tuple[Fraction, ...]:
    groups = scenarios.groups
    if not vector.is_object:
        values = vector.numbers()
        if len(values) != scenarios.size:
            told = " + ".join(f"{g.size} {g.name}" for g in groups)
            raise vector.error(f"{len(values)} values for {scenarios.size} scenarios ({told})")
        return values
    found: list[Fraction] = []
    for group in groups:
        part = vector.need(group.name)
        values = part.numbers()
        if len(values) != group.size:
            raise part.error(f"{len(values)} values for {group.size} scenarios")
        found += values
    for name, part in vector.entries():
        if name not in [g.name for g in groups]:
            raise part.error(f"scenarios has no group {name!r}")
    return tuple(found)
