"""One instrument's row in a case and what stands around it: its class, its underlying, its asset class.

Owns: the words of classes and what they mean for revaluation. Does not own: terms (case_instruments.py,
case_options.py), what charges look at (case_products.py).
"""

from __future__ import annotations

from typing import NamedTuple

from engine.risk.model.case_currencies import Currencies
from engine.risk.model.case_scenarios import Scenarios, plain
from engine.risk.model.charges import ASSET_CLASSES, COMMODITY, CRYPTO, EQUITY, FX, INDEX, OTHER
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Style

MAJORS = frozenset({"USD", "EUR", "JPY", "GBP", "CAD", "CHF"})


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


class Row(NamedTuple):
    """An instrument as it is written, and all that it may refer to."""

    name: str
    row: Reading
    others: dict[str, Reading]  # every instrument's row, by id
    parameters: Reading
    currencies: Currencies
    scenarios: Scenarios
    notes: list[str]

    def has_vector(self) -> bool:
        """Whether its profit and loss are given, so that nothing has to be revalued."""
        return self.row.get("pnl_per_lot", "pnl", "scenario_pnl") is not None

    def kind(self) -> Reading | None:
        """The word of its class."""
        kind, said = self.row.get("class", "kind", "instrument_class"), self.row.get("type")
        is_class = kind is None and said is not None and said.is_text and said.word() in CLASSES
        return said if is_class else kind

    def word(self) -> Word:
        """What its class says; a style of its own counts before the class's."""
        kind = self.kind()
        word = CLASSES.get(kind.word()) if kind is not None else Word(Style.HELD)
        if kind is not None and word is None and not self.has_vector():
            raise kind.error(f"{kind.value!r} is no class that we know: {', '.join(sorted(CLASSES))}")
        if kind is None and not self.has_vector():
            self.notes.append(f"{self.name} has no class: it is revalued as something held")
        word, chosen = word or Word(Style.HELD, OTHER), self.row.get("style")
        if chosen is None:
            return word
        styles = [style.value for style in Style]
        if chosen.word() not in styles:
            raise chosen.error(f"expected one of {', '.join(styles)}, not {chosen.value!r}")
        return word._replace(style=Style(chosen.word()))

    def underlying(self) -> str | None:
        """What it says to be written on."""
        told = self.row.get("underlying", "underlier", "base", "issuer")
        return told.text() if told is not None else None

    def factor_under(self, *keys: str) -> str | None:
        """The factor that a key names."""
        told = self.row.get(*keys)
        if told is None:
            return None
        if told.text() not in self.scenarios.shocks:
            raise told.error(f"no scenario moves {told.value!r}")
        return told.text()

    def asset_class(self, word: Word) -> str:
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
        underlying = self.underlying()
        if underlying is not None and underlying in self.others and underlying != self.name:
            kind = self.others[underlying].get("class", "kind", "instrument_class")
            if kind is not None and (found := CLASSES.get(kind.word())) is not None and found.asset_class:
                return found.asset_class
        return FX if currency_pair(underlying or self.name) else OTHER


def currency_pair(name: str) -> tuple[str, str] | None:
    """The two currencies of a name like EURUSD or EUR/USD, if it has a major on either side."""
    letters = plain(name)
    if len(letters) != 6 or not letters.isalpha():
        return None
    first, second = letters[:3], letters[3:]
    return (first, second) if first in MAJORS or second in MAJORS else None
