"""Which risk group a factor belongs to, by its name, and how far each group is shocked.

Owns: the words that names are recognised by, ranges of hypothetical shocks. Whoever knows better says so when
a set is built. Integers: parts per billion of the factor's level.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engine.errors import BadInput
from engine.risk.model.case_scenarios import STABLECOINS, kind_of_name, plain
from engine.risk.model.revaluation import Kind

PER_CENT = 10_000_000  # ppb
CRYPTO, EQUITY, INDEX, FX, COMMODITY = "crypto", "equity", "index", "fx", "commodity"
BASIS, PEG, VOLATILITY, RATE = "basis", "peg", "volatility", "rate"
GROUPS = (CRYPTO, EQUITY, INDEX, FX, COMMODITY, BASIS, PEG, VOLATILITY, RATE)
RANGES = {
    CRYPTO: 15 * PER_CENT,
    EQUITY: 15 * PER_CENT,
    INDEX: 8 * PER_CENT,
    FX: 4 * PER_CENT,
    COMMODITY: 12 * PER_CENT,
    BASIS: 15 * PER_CENT // 10,
    PEG: 10 * PER_CENT,
    VOLATILITY: 40 * PER_CENT,
    RATE: PER_CENT,  # an interest rate moves by the shock itself
}
SHOCKED_TOGETHER = {CRYPTO: (CRYPTO,), EQUITY: (EQUITY, INDEX), FX: (FX,), COMMODITY: (COMMODITY,)}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CURRENCIES = _words(
    "EUR GBP JPY CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF TRY ZAR MXN CNH CNY HKD SGD KRW INR BRL"
)
_COINS = _words("BTC XBT ETH SOL XRP ADA DOGE LTC BCH DOT AVAX LINK BNB TRX XLM ATOM MATIC POL UNI AAVE ETC")
_COMMODITIES = _words("XAU XAG XPT XPD GOLD SILVER WTI BRENT OIL CL NG GAS COPPER HG CORN WHEAT")
_INDICES = _words(
    "INDEX SPX SPY ES NDX QQQ NQ DJI RUT VIX DAX FDAX SX5E STOXX FTSE CAC NKY NIKKEI HSI "
    "US500 US100 US30 DE40"
)
_KINDS = {Kind.BASIS: BASIS, Kind.PEG: PEG, Kind.VOLATILITY: VOLATILITY, Kind.RATE: RATE}


class Factor(NamedTuple):
    """A factor and its group; the sign says how it moves when its group falls."""

    name: str
    group: str
    sign: int = 1  # -1 of a pair that rises when the dollar does

    @property
    def pair(self) -> tuple[str, str]:
        """The currencies of an exchange rate: of one, and what it is paid in."""
        letters = plain(self.name).removeprefix("FX")
        return letters[:3], letters[3:6] or "USD"


def factors_of(names: Sequence[str], groups: Mapping[str, str] | None = None) -> tuple[Factor, ...]:
    """Every name's factor; groups that are told count before what the name says."""
    told = dict(groups or {})
    for name, group in told.items():
        if name not in names:
            raise BadInput(f"there is no factor {name!r} to be of group {group!r}")
        if group not in GROUPS:
            raise BadInput(f"{name}: expected a group ({', '.join(GROUPS)}), not {group!r}")
    return tuple(Factor(n, told.get(n, _group_of(n)), -1 if _is_dollar_first(n) else 1) for n in names)


def _is_dollar_first(name: str) -> bool:
    letters = plain(name)
    return len(letters) == 6 and letters[:3] == "USD" and letters[3:] in _CURRENCIES


def _group_of(name: str) -> str:
    kind = kind_of_name(name)
    if kind in _KINDS:
        return _KINDS[kind]
    words = {*re.split(r"[^A-Z0-9]+", name.upper()), plain(name)}
    stem = plain(name)
    if words & STABLECOINS or stem.removesuffix("USD") in STABLECOINS:
        return PEG
    if words & _COINS or stem.removesuffix("USD") in _COINS or stem.removesuffix("USDT") in _COINS:
        return CRYPTO
    if words & _COMMODITIES or stem.removesuffix("USD") in _COMMODITIES:
        return COMMODITY
    if words & _INDICES:
        return INDEX
    is_pair = len(stem) == 6 and {stem[:3], stem[3:]} <= _CURRENCIES | {"USD"}
    return FX if words & _CURRENCIES or is_pair else EQUITY
