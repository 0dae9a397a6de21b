"""Exchange rates of a case: what a currency is worth in the account's, and which factor moves that."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from engine.risk.model.case_scenarios import STABLECOINS, Scenarios, plain
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Currency

_PRICED = ("fx", "fx_spot", "forex", "currency", "crypto", "crypto_spot", "token", "coin", "altcoin", "spot")
_TOLD = ("fx", "fx_rates", "rates", "exchange_rates")
_INVERSE = ("inverse", "inverse_perpetual", "inverse_perp", "inverse_future", "inverse_swap")


def cash_rows(document: Reading) -> Iterator[tuple[str, Reading]]:
    """Every currency of `cash` with its amount, or with an object of it; one number is left out."""
    given = document.get("cash", "balances")
    if given is None or not (given.is_object or given.is_list):
        return
    rows = (
        [(row.need("currency", "ccy", "asset").text(), row) for row in given.items()]
        if given.is_list
        else given.entries()
    )
    for name, row in rows:
        yield name.strip().upper(), row


class Currencies:
    """Rates as `parameters.fx`, or what stands beside cash and instruments, tells them; else a price."""

    def __init__(
        self, document: Reading, parameters: Reading, base: str, scenarios: Scenarios, notes: list[str]
    ) -> None:
        self.base = base
        self._document = document
        self._told = parameters.get(*_TOLD) or document.get(*_TOLD)
        self._scenarios = scenarios
        self._notes = notes
        self._known: dict[str, Currency] = {base: Currency()}
        for name, value in self._told.entries() if self._told is not None else ():
            currency, is_turned = self._quoted(name)
            if currency == base:
                if value.is_number and value.number() == 1:
                    continue
                raise value.error(f"{base} is the account's currency: its rate is 1")
            self._tell(currency, self._read(currency, value, is_turned), value)
        for currency, row in cash_rows(document):
            self._beside(currency, row, "rate")
        for _, row in self._instruments():
            quoted = row.get("currency", "ccy", "quote_currency")
            self._beside(quoted.text().upper() if quoted is not None else base, row)

    def _quoted(self, name: str) -> tuple[str, bool]:
        """The currency that a rate is told of, and whether as units of it for one of ours: USDJPY."""
        pair = plain(name)
        if len(pair) >= len(self.base) + 3:  # BUSD and USDT are coins, no pairs
            if pair.endswith(self.base):
                return pair.removesuffix(self.base), False
            if pair.startswith(self.base):
                return pair.removeprefix(self.base), True
        return name.strip().upper(), False

    def _beside(self, currency: str, row: Reading, *names: str) -> None:
        """Take in a rate that is told beside an amount or a price, and the factor that moves it."""
        if not row.is_object:
            return
        told, factor = row.get("fx_rate", "fx", *names), row.get("fx_factor", "currency_factor")
        if told is not None:
            is_ours = currency == self.base and told.number() == 1
            self._tell(currency, Currency() if is_ours else self._read(currency, told), told)
        if factor is not None and currency != self.base:
            rate = self._known[currency].rate if currency in self._known else self._priced(currency)
            if rate is None:
                raise factor.error(f"needs the rate of {currency} beside it: give 'fx_rate'")
            self._known[currency] = self._moved(currency, rate, factor)

    def _tell(self, currency: str, found: Currency, value: Reading) -> None:
        """A rate may be told again, but not another one."""
        if self._known.setdefault(currency, found).rate != found.rate:
            raise value.error(f"the rate of {currency} is {float(self._known[currency].rate):g} elsewhere")

    def _moved(
        self, currency: str, rate: Fraction, named: Reading, is_inverted: bool | None = None
    ) -> Currency:
        if named.text() not in self._scenarios.shocks:
            raise named.error(f"no scenario moves {named.value!r}")
        if is_inverted is None:
            is_inverted = plain(named.text()) == plain(self.base + currency)
        return Currency(rate, named.text(), is_inverted)

    def of(self, currency: str, asking: Reading) -> Currency:
        """The rate and factor of a currency; where nothing tells the rate, what asks for it is refused."""
        if currency not in self._known:
            rate = self._priced(currency)
            if rate is None and currency in STABLECOINS and self.base == "USD":
                rate = Fraction(1)
                self._notes.append(f"{currency} is counted at 1 {self.base}: no rate is given")
            if rate is None:
                raise asking.error(
                    f"needs the rate of {currency} in {self.base}: give parameters.fx.{currency}, "
                    'a number or {"rate", "factor"}'
                )
            self._known[currency] = Currency(rate, *self._factor(currency))
        return self._known[currency]

    def known(self) -> dict[str, Currency]:
        """Every currency asked for so far."""
        return dict(self._known)

    def _read(self, currency: str, value: Reading, is_turned: bool = False) -> Currency:
        """A rate or an object of it; what is turned tells units of the currency for one of ours."""
        told, named = (value.get("rate", "price"), value.get("factor")) if value.is_object else (value, None)
        rate = self._priced(currency) if told is None else told.at_least(0, is_above=True)
        if rate is not None and told is not None and is_turned:
            rate = 1 / rate
        if rate is None:
            raise value.error("needs 'rate'")
        if named is None:
            is_fixed = value.is_object and "factor" in value.value  # null: it does not move
            return Currency(rate, None, False) if is_fixed else Currency(rate, *self._factor(currency))
        inverted = value.get("inverted", "is_inverted")
        return self._moved(currency, rate, named, None if inverted is None else inverted.flag())

    def _factor(self, currency: str) -> tuple[str | None, bool]:
        """The factor that is named like the currency, and whether it is quoted the other way round."""
        pair = currency + self.base
        for name in (pair, currency, f"FX{currency}", f"{currency}FX", f"FX{pair}", f"{currency}PEG",
                     f"PEG{currency}", f"{pair}PEG", f"{currency}DEPEG"):  # fmt: skip
            found = self._scenarios.spelled(name)
            if found:
                return found[0], False
        for name in (self.base + currency, f"FX{self.base}{currency}"):
            found = self._scenarios.spelled(name)
            if found:
                return found[0], True
        self._notes.append(f"no factor moves the rate of {currency}: it is taken to be fixed")
        return None, False

    def _instruments(self) -> list[tuple[Reading | None, Reading]]:
        """Every instrument's row and what it is called."""
        instruments = self._document.get("instruments")
        if instruments is None:
            return []
        if instruments.is_list:
            return [(row.get("id", "instrument_id", "symbol"), row) for row in instruments.items()]
        return [(Reading(name, row.path, row.source), row) for name, row in instruments.entries()]

    def _priced(self, currency: str) -> Fraction | None:
        """The price of an instrument that is the currency in ours, or ours in it."""
        for factor in self._scenarios.spelled(currency) + self._scenarios.spelled(currency + self.base):
            if self._scenarios.levels.get(factor, Fraction(0)) > 0:
                return self._scenarios.levels[factor]
        for told, row in self._instruments():
            kind, price, quoted = row.get("class", "kind"), row.get("price", "mark"), row.get("currency")
            if (
                told is None
                or price is None
                or (kind is not None and kind.word() not in (*_PRICED, *_INVERSE))
            ):
                continue
            if kind is not None and kind.word() in _INVERSE and quoted is not None:
                if quoted.text().upper() == currency:
                    return price.at_least(0, is_above=True)  # it is paid in the coin that it prices
                continue
            in_base = quoted is None or quoted.text().upper() == self.base
            in_it = quoted is None or quoted.text().upper() == currency
            if in_base and plain(told.text()) in (plain(currency), plain(currency + self.base)):
                return price.at_least(0, is_above=True)
            if in_it and plain(told.text()) == plain(self.base + currency):
                return 1 / price.at_least(0, is_above=True)
        return None
