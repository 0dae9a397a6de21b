"""Exchange rates of a case: what a currency is worth in the account's, and which factor moves that."""

from __future__ import annotations

from fractions import Fraction

from engine.risk.model.case_scenarios import STABLECOINS, Scenarios, plain
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Currency

_PRICED = ("fx", "fx_spot", "forex", "currency", "crypto", "crypto_spot", "token", "coin", "altcoin", "spot")
_INVERSE = ("inverse", "inverse_perpetual", "inverse_perp", "inverse_future", "inverse_swap")


class Currencies:
    """Rates as they are told in `parameters.fx`, else as an instrument's price tells them."""

    def __init__(
        self, document: Reading, parameters: Reading, base: str, scenarios: Scenarios, notes: list[str]
    ) -> None:
        self.base = base
        self._document = document
        self._told = parameters.get("fx", "fx_rates", "rates") or document.get("fx", "fx_rates")
        self._scenarios = scenarios
        self._notes = notes
        self._known: dict[str, Currency] = {base: Currency()}
        for name, value in self._told.entries() if self._told is not None else ():
            if name.strip().upper() == base:
                if value.is_number and value.number() == 1:
                    continue
                raise value.error(f"{base} is the account's currency: its rate is 1")
            self._known[name.strip().upper()] = self._read(name.strip().upper(), value)

    def tell(self, currency: str, value: Reading) -> None:
        """Take in a rate that is told elsewhere; it may not contradict what is known."""
        found = Currency() if currency == self.base and value.number() == 1 else self._read(currency, value)
        if self._known.setdefault(currency, found).rate != found.rate:
            raise value.error(f"the rate of {currency} is {float(self._known[currency].rate):g} elsewhere")

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

    def _read(self, currency: str, value: Reading) -> Currency:
        if not value.is_object:
            return Currency(value.at_least(0, is_above=True), *self._factor(currency))
        told, named = value.get("rate", "price"), value.get("factor")
        rate = told.at_least(0, is_above=True) if told is not None else self._priced(currency)
        if rate is None:
            raise value.error("needs 'rate'")
        if named is None:
            is_fixed = "factor" in value.value  # null: it does not move
            return Currency(rate, None, False) if is_fixed else Currency(rate, *self._factor(currency))
        if named.text() not in self._scenarios.shocks:
            raise named.error(f"no scenario moves {named.value!r}")
        inverted = value.get("inverted", "is_inverted")
        is_inverted = (
            inverted.flag() if inverted is not None else plain(named.text()) == plain(self.base + currency)
        )
        return Currency(rate, named.text(), is_inverted)

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

    def _priced(self, currency: str) -> Fraction | None:
        """The price of an instrument that is the currency in ours, or ours in it."""
        for factor in self._scenarios.spelled(currency) + self._scenarios.spelled(currency + self.base):
            if self._scenarios.levels.get(factor, Fraction(0)) > 0:
                return self._scenarios.levels[factor]
        instruments = self._document.get("instruments")
        if instruments is None:
            return None
        rows = (
            [(row.get("id", "instrument_id", "symbol"), row) for row in instruments.items()]
            if instruments.is_list
            else [(Reading(name, row.path, row.source), row) for name, row in instruments.entries()]
        )
        for told, row in rows:
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
