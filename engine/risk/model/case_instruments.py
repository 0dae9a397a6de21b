"""Instruments of a case: what each class of contract means for revaluation, and what charges look at."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from engine.errors import BadInput
from engine.risk.model.case_currencies import Currencies
from engine.risk.model.case_factors import read_exposures
from engine.risk.model.case_scenarios import Scenarios, plain
from engine.risk.model.charges import ASSET_CLASSES, COMMODITY, CRYPTO, EQUITY, FX, INDEX, OTHER, Product
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Currency, Exposure, Kind, Option, Style, Terms, notional, unit_value

_BP = 10_000
_DAYS = 365
MAJORS = frozenset({"USD", "EUR", "JPY", "GBP", "CAD", "CHF"})
CAPS = {"fx_major": 30, "fx_minor": 20, "gold": 20, INDEX: 20, COMMODITY: 10, EQUITY: 5, OTHER: 5, CRYPTO: 2}


class Word(NamedTuple):
    """What the word of a class says."""

    style: Style
    asset_class: str | None = None  # nothing: the underlying's


CLASSES: dict[str, Word] = {
    **dict.fromkeys(("equity", "stock", "share", "single_name", "etf"), Word(Style.HELD, EQUITY)),
    **dict.fromkeys(("fx", "fx_spot", "spot_fx", "forex", "currency_pair", "fx_forward", "fx_cfd",
                     "fx_future"), Word(Style.CONTRACT, FX)),
    **dict.fromkeys(("crypto", "crypto_spot", "token", "coin", "altcoin", "stablecoin"),
                    Word(Style.HELD, CRYPTO)),
    **dict.fromkeys(("commodity", "metal", "commodity_spot"), Word(Style.HELD, COMMODITY)),
    **dict.fromkeys(("commodity_future", "commodity_cfd", "metal_cfd"), Word(Style.CONTRACT, COMMODITY)),
    **dict.fromkeys(("index", "index_future", "index_cfd", "equity_index"), Word(Style.CONTRACT, INDEX)),
    **dict.fromkeys(("equity_cfd", "stock_cfd", "equity_future", "single_stock_future"),
                    Word(Style.CONTRACT, EQUITY)),
    **dict.fromkeys(("crypto_cfd", "crypto_future", "perpetual", "perp", "perpetual_swap", "linear_perpetual",
                     "linear_perp", "perpetual_future"), Word(Style.CONTRACT, CRYPTO)),
    **dict.fromkeys(("inverse", "inverse_perpetual", "inverse_perp", "inverse_future", "inverse_swap"),
                    Word(Style.INVERSE, CRYPTO)),
    **dict.fromkeys(("cfd", "future", "futures", "forward", "swap", "contract"), Word(Style.CONTRACT)),
    **dict.fromkeys(("spot", "linear", "bond", "fund", "cash", "other"), Word(Style.HELD)),
    **dict.fromkeys(("option", "call", "put", "vanilla_option"), Word(Style.OPTION)),
    "equity_option": Word(Style.OPTION, EQUITY),
    "index_option": Word(Style.OPTION, INDEX),
    "fx_option": Word(Style.OPTION, FX),
    "crypto_option": Word(Style.OPTION, CRYPTO),
    "commodity_option": Word(Style.OPTION, COMMODITY),
}  # fmt: skip


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
        name: _Reader(name, row, by_id, parameters, currencies, scenarios, notes).instrument()
        for name, row in rows
    }


def _class_of(row: Reading, has_vector: bool, notes: list[str], name: str) -> Word:
    kind = row.get("class", "kind", "instrument_class")
    said = row.get("type")
    if kind is None and said is not None and said.is_text and said.word() in CLASSES:
        kind = said
    if kind is None:
        if not has_vector:
            notes.append(f"{name} has no class: it is revalued as something held")
        return Word(Style.HELD)
    word = CLASSES.get(kind.word())
    if word is None and not has_vector:
        raise kind.error(f"{kind.value!r} is no class that we know: {', '.join(sorted(CLASSES))}")
    word = word or Word(Style.HELD, OTHER)
    chosen = row.get("style")
    if chosen is None:
        return word
    if chosen.word() not in [style.value for style in Style]:
        raise chosen.error(
            f"expected one of {', '.join(style.value for style in Style)}, not {chosen.value!r}"
        )
    return word._replace(style=Style(chosen.word()))


class _Reader:
    """Reads one instrument."""

    def __init__(
        self,
        name: str,
        row: Reading,
        by_id: dict[str, Reading],
        parameters: Reading,
        currencies: Currencies,
        scenarios: Scenarios,
        notes: list[str],
    ) -> None:
        self.name, self.row, self.by_id = name, row, by_id
        self.parameters, self.currencies, self.scenarios, self.notes = (
            parameters,
            currencies,
            scenarios,
            notes,
        )

    def instrument(self) -> Instrument:
        row = self.row
        vector = row.get("pnl_per_lot", "pnl", "scenario_pnl")
        word = _class_of(row, vector is not None, self.notes, self.name)
        for said in ("name", "description", "comment"):
            row.get(said)
        quoted = row.get("currency", "ccy", "quote_currency")
        currency = quoted.text().upper() if quoted is not None else self.currencies.base
        size = row.get("multiplier", "contract_multiplier", "contract_size", "face")
        lot = row.get("lot_size", "lot", "units_per_lot")
        multiplier = (size.at_least(0, is_above=True) if size is not None else Fraction(1)) * (
            lot.at_least(0, is_above=True) if lot is not None else Fraction(1)
        )
        price = row.get("price", "mark", "mark_price", "premium")
        mark = price.number() if price is not None else None
        if mark is None and vector is None and word.style is Style.HELD and currency == self.name.upper():
            mark = Fraction(1)  # a currency as an instrument
        if mark is None and vector is None and word.style is not Style.OPTION:
            raise row.error("needs 'price' (or 'pnl_per_lot', its profit and loss in every scenario)")
        converted = row.get("fx_rate", "fx")
        if converted is not None:
            self.currencies.tell(currency, converted)
        rate = self._rate(word.style, currency, mark, quoted or row, is_needed=mark is not None)
        terms = None
        if vector is None:
            terms = self._terms(word, rate, mark, multiplier)
        paid, entry = row.get("paid", "is_paid"), row.get("entry_price", "average_price", "avg_price")
        confidence = row.get("oracle_confidence", "confidence")
        if entry is not None and word.style is Style.INVERSE:
            entry.at_least(0, is_above=True)
        return Instrument(
            instrument_id=self.name,
            currency=currency,
            rate=rate.rate,
            terms=terms,
            given=None if vector is None else self._vector(vector),
            product=self._product(word, terms, rate, mark, multiplier, paid is not None and paid.flag()),
            mark=mark,
            multiplier=multiplier,
            is_paid=paid is not None and paid.flag(),
            entry_price=entry.number() if entry is not None else None,
            confidence=confidence.share() if confidence is not None else None,
        )

    def _rate(
        self, style: Style, currency: str, mark: Fraction | None, asking: Reading, is_needed: bool
    ) -> Currency:
        """The rate of its currency; an inverse contract in ours is paid in the coin it prices."""
        if style is Style.INVERSE:
            if currency == self.currencies.base and mark is not None:
                return Currency(mark)
            if currency == self.currencies.base:
                return Currency()
            try:
                return self.currencies.of(currency, asking)
            except BadInput:
                if mark is None:
                    raise
                return Currency(mark)  # the coin's price is the contract's
        if not is_needed and style is not Style.OPTION:
            return Currency()
        return self.currencies.of(currency, asking)

    def _terms(self, word: Word, rate: Currency, mark: Fraction | None, multiplier: Fraction) -> Terms:
        row, style = self.row, word.style
        exposures = read_exposures(row, self.name, self._underlying_factor(), self.scenarios, self.notes)
        combine = row.get("combine")
        if combine is not None and combine.word() not in ("sum", "product"):
            raise combine.error(f"expected sum or product, not {combine.value!r}")
        option = None
        vol, interest = self._named("volatility_factor", "vol_factor"), self._named("rate_factor")
        if style is Style.OPTION:
            forward = self._forward(exposures)
            option = self._option(exposures, vol, interest)
            exposures = [e for e in exposures if e.kind not in (Kind.VOLATILITY, Kind.RATE)]
            mark = forward
        assert mark is not None
        if style is Style.INVERSE and mark <= 0:
            raise row.error("an inverse contract needs a price above zero")
        prices = [e for e in exposures if e.kind is not Kind.PEG]
        pegs = [e for e in exposures if e.kind is Kind.PEG and e.factor != rate.factor]
        if not any(e.kind is not Kind.BASIS for e in prices):  # a stablecoin itself: the peg is its price
            prices, pegs = [*prices, *(e._replace(kind=Kind.RETURN) for e in pegs)], []
        # an exchange rate depends on the currency that it is quoted in; a share only converts
        if rate.factor is not None and style is not Style.INVERSE and self._asset_class(word) != FX:
            own = [e for e in prices if e.factor == rate.factor]
            if own:
                self.notes.append(f"{self.name}: {rate.factor} moves its currency and is not counted twice")
            prices = [e for e in prices if e.factor != rate.factor]
        return Terms(
            style=style,
            price=mark,
            multiplier=multiplier,
            exposures=tuple(prices),
            currency=rate,
            pegs=tuple(pegs),
            is_product=combine is not None and combine.word() == "product",
            option=option,
        )

    def _named(self, *keys: str) -> str | None:
        told = self.row.get(*keys)
        if told is None:
            return None
        if told.text() not in self.scenarios.shocks:
            raise told.error(f"no scenario moves {told.value!r}")
        return told.text()

    def _underlying_factor(self) -> str | None:
        told = self.row.get("underlying", "underlier", "base", "issuer")
        return told.text() if told is not None else None

    def _forward(self, exposures: list[Exposure]) -> Fraction:
        told = self.row.get("forward", "underlying_price", "forward_price", "spot")
        if told is not None:
            return told.number()
        underlying = self._underlying_factor()
        if underlying is not None and underlying in self.by_id:
            price = self.by_id[underlying].get("price", "mark", "mark_price")
            if price is not None:
                return price.number()
        for exposure in exposures:
            if exposure.factor in self.scenarios.levels and exposure.kind in (Kind.RETURN, Kind.ABSOLUTE):
                return self.scenarios.levels[exposure.factor]
        raise self.row.error(
            "an option needs 'forward', the price that it is written on; 'price' is its premium"
        )

    def _option(self, exposures: list[Exposure], vol: str | None, interest: str | None) -> Option:
        nested = self.row.get("option", "terms", "option_terms")
        row = nested if nested is not None else self.row
        told = row.get("option_type", "right", "put_call", "call_put")
        words = [r.word() for r in (told, row.get("type"), self.row.get("class", "kind")) if r is not None]
        is_call = any(w in ("call", "c") for w in words)
        if is_call == any(w in ("put", "p") for w in words):
            raise (told or row).error("an option is a call or a put: give 'option_type'")
        years = row.get("years", "expiry_years", "years_to_expiry", "time_to_expiry", "t", "maturity")
        days = row.get("days", "expiry_days", "days_to_expiry")
        if (years is None) == (days is None):
            raise row.error("needs 'years' to expiry, or 'days'")
        time = Fraction(0)
        if years is not None:
            time = years.between(0, 100)
        elif days is not None:
            time = days.between(0, 36_500) / _DAYS
        rate = row.get("rate", "interest_rate", "r")
        by_vol = [e for e in exposures if e.kind is Kind.VOLATILITY]
        by_rate = [e for e in exposures if e.kind is Kind.RATE]
        kinds = self.scenarios.kinds
        if vol is not None and vol not in [e.factor for e in by_vol]:
            by_vol.append(Exposure(vol, kind=kinds[vol]))
        if interest is not None and interest not in [e.factor for e in by_rate]:
            by_rate.append(Exposure(interest, kind=Kind.RATE))
        return Option(
            is_call=is_call,
            strike=row.need("strike", "k").number(),
            years=time,
            volatility=row.need("volatility", "vol", "implied_volatility", "iv", "sigma").between(0, 100),
            rate=rate.between(-1, 10) if rate is not None else Fraction(0),
            volatility_factors=tuple(by_vol),
            rate_factors=tuple(by_rate),
        )

    def _vector(self, vector: Reading) -> tuple[Fraction, ...]:
        groups = self.scenarios.groups
        if not vector.is_object:
            values = vector.numbers()
            if len(values) != self.scenarios.size:
                told = " + ".join(f"{g.size} {g.name}" for g in groups)
                raise vector.error(f"{len(values)} values for {self.scenarios.size} scenarios ({told})")
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

    def _asset_class(self, word: Word, depth: int = 0) -> str:
        """Told, or the class's own, or the underlying's, or what currency codes say."""
        told = self.row.get("asset_class", "underlying_class")
        if told is not None:
            found = CLASSES.get(told.word())
            name = told.word() if told.word() in ASSET_CLASSES else found.asset_class if found else None
            if name is None:
                raise told.error(f"expected one of {', '.join(ASSET_CLASSES)}, not {told.value!r}")
            return name
        if word.asset_class is not None:
            return word.asset_class
        underlying = self._underlying_factor()
        if underlying is not None and underlying in self.by_id and underlying != self.name:
            kind = self.by_id[underlying].get("class", "kind", "instrument_class")
            if kind is not None and (found := CLASSES.get(kind.word())) is not None and found.asset_class:
                return found.asset_class
        return FX if _pair(underlying or self.name) else OTHER

    def _product(
        self,
        word: Word,
        terms: Terms | None,
        rate: Currency,
        mark: Fraction | None,
        multiplier: Fraction,
        is_paid: bool,
    ) -> Product:
        row = self.row
        asset_class = self._asset_class(word)
        told = row.get("notional_per_lot", "notional")
        if told is not None:
            size = told.number()
        elif terms is not None:
            size = notional(terms)
        elif mark is not None:
            size = (multiplier if word.style is Style.INVERSE else multiplier * mark) * rate.rate
            size = size / mark if word.style is Style.INVERSE else size
        else:
            size = Fraction(0)
            self.notes.append(f"{self.name} has neither price nor notional_per_lot: charges see none of it")
        underlying = self._underlying_name(asset_class, terms)
        deviation = row.get("sigma_1d", "daily_sigma", "daily_volatility", "volatility_1d", "sigma_daily")
        if deviation is None and word.style is not Style.OPTION:
            deviation = row.get("sigma")
        volume, in_lots = row.get("adv", "adv_notional", "average_daily_volume"), row.get("adv_lots")
        if volume is not None and in_lots is not None:
            raise in_lots.error("give adv or adv_lots, not both")
        traded = volume.at_least(0, is_above=True) if volume is not None else None
        if in_lots is not None:
            traded = in_lots.at_least(0, is_above=True) * abs(size) or None
        basis = row.get("basis_rate")
        minimum = row.get("minimum_per_lot", "minimum_charge", "minimum_charge_per_lot")
        fee, funding = row.get("fee_bp", "fee_bps"), row.get("funding_rate")
        named = row.get("single_name", "is_single_name", "concentrated")
        kind = row.get("class", "kind", "instrument_class")
        is_name = (
            named.flag()
            if named is not None
            else (asset_class == EQUITY and (kind is None or kind.word() != "etf"))
            or (kind is not None and kind.word() == "altcoin")
        )
        spread = row.get("spread_bp", "spread_bps")
        return Product(
            instrument_id=self.name,
            asset_class=asset_class,
            underlying=underlying,
            notional=size,
            spread=spread.at_least(0) / _BP if spread is not None else Fraction(0),
            deviation=deviation.at_least(0) if deviation is not None else None,
            volume=traded,
            fee=fee.at_least(0) / _BP if fee is not None else Fraction(0),
            funding=funding.number() if funding is not None else Fraction(0),
            basis=basis.share() if basis is not None else None,
            minimum=minimum.at_least(0) if minimum is not None else Fraction(0),
            is_name=is_name,
            leverage_cap=None if is_paid else self._cap(asset_class, underlying),
        )

    def _underlying_name(self, asset_class: str, terms: Terms | None) -> str:
        """What instruments have in common that hedge each other: told, or the one factor that moves them.

        A share is its own underlying unless told otherwise: an index that moves many is not what they are.
        """
        told = self._underlying_factor()
        if told is not None:
            return told
        if terms is None or (asset_class == EQUITY and terms.style is Style.HELD):
            return self.name
        moved = sorted({e.factor for e in terms.exposures if e.kind is not Kind.BASIS})
        return " + ".join(moved) if moved else self.name

    def _cap(self, asset_class: str, underlying: str) -> Fraction:
        told = self.row.get("retail_cap", "leverage_cap", "max_leverage", "cap")
        if told is not None:
            return told.at_least(1)
        key = asset_class
        if asset_class == FX:
            pair = _pair(underlying) or _pair(self.name)
            key = "fx_major" if pair and set(pair) <= MAJORS else "fx_minor"
        elif asset_class == COMMODITY and any(
            "XAU" in plain(n) or "GOLD" in plain(n) for n in (underlying, self.name)
        ):
            key = "gold"
        given = self.parameters.get("retail_caps", "caps")
        for name, value in given.entries() if given is not None else ():
            if name not in (*CAPS, FX):
                raise value.error(f"expected one of {', '.join(CAPS)}, not {name!r}")
            if name in (key, asset_class):
                return value.at_least(1)
        return Fraction(CAPS[key])


def _pair(name: str) -> tuple[str, str] | None:
    """The two currencies of a name like EURUSD or EUR/USD, if it has a major on either side."""
    letters = plain(name)
    if len(letters) != 6 or not letters.isalpha():
        return None
    first, second = letters[:3], letters[3:]
    return (first, second) if first in MAJORS or second in MAJORS else None
