"""What charges look at of a case's instrument: size, spread, volume, rates, names and leverage caps."""

from __future__ import annotations

from fractions import Fraction

from engine.risk.model.case_rows import MAJORS, Row, Word, currency_pair
from engine.risk.model.case_scenarios import plain
from engine.risk.model.charges import COMMODITY, CRYPTO, EQUITY, FX, INDEX, OTHER, Product
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Kind, Style, Terms, notional

_BP = 10_000
CAPS = {"fx_major": 30, "fx_minor": 20, "gold": 20, INDEX: 20, COMMODITY: 10, EQUITY: 5, OTHER: 5, CRYPTO: 2}


def read_product(of: Row, word: Word, terms: Terms | None, priced: Fraction | None, is_paid: bool) -> Product:
    """The product; `priced` is what a lot is worth at the mark, in the account's currency."""
    row, asset_class = of.row, of.asset_class(word)
    size = _size(of, terms, priced)
    underlying = _underlying(of, asset_class, terms)
    deviation = row.get(
        "sigma_1d", "daily_sigma", "sigma_daily", "daily_volatility", "volatility_1d", "daily_vol", "vol_1d"
    )
    if deviation is None and word.style is not Style.OPTION:
        deviation = row.get("sigma")
    return Product(
        instrument_id=of.name,
        asset_class=asset_class,
        underlying=underlying,
        notional=size,
        spread=_amount(row.get("spread_bp", "spread_bps")) / _BP,
        deviation=_amount(deviation) if deviation is not None else None,
        volume=_volume(row, size),
        fee=_amount(row.get("fee_bp", "fee_bps")) / _BP,
        funding=funding.number() if (funding := row.get("funding_rate")) is not None else Fraction(0),
        basis=basis.share() if (basis := row.get("basis_rate")) is not None else None,
        minimum=_amount(row.get("minimum_per_lot", "minimum_charge", "minimum_charge_per_lot")),
        is_name=_is_name(of, asset_class),
        leverage_cap=None if is_paid else _cap(of, asset_class, underlying),
    )


def _amount(told: Reading | None) -> Fraction:
    return told.at_least(0) if told is not None else Fraction(0)


def _size(of: Row, terms: Terms | None, priced: Fraction | None) -> Fraction:
    told = of.row.get("notional_per_lot", "notional")
    if told is not None:
        return told.number()
    if terms is not None:
        return notional(terms)
    if priced is None:
        of.notes.append(f"{of.name} has neither price nor notional_per_lot: charges see none of it")
    return priced or Fraction(0)


def _volume(row: Reading, size: Fraction) -> Fraction | None:
    """Notional traded on an average day."""
    money, lots = row.get("adv", "adv_notional", "average_daily_volume"), row.get("adv_lots")
    if money is not None and lots is not None:
        raise lots.error("give adv or adv_lots, not both")
    if lots is not None:
        return lots.at_least(0, is_above=True) * abs(size) or None
    return money.at_least(0, is_above=True) if money is not None else None


def _is_name(of: Row, asset_class: str) -> bool:
    told, kind = of.row.get("single_name", "is_single_name", "concentrated"), of.kind()
    if told is not None:
        return told.flag()
    word = kind.word() if kind is not None else ""
    return word == "altcoin" or (asset_class == EQUITY and word != "etf")


def _underlying(of: Row, asset_class: str, terms: Terms | None) -> str:
    """What instruments have in common that hedge each other: told, or the one factor that moves them.

    A share is its own underlying unless told otherwise: an index that moves many is not what they are.
    """
    told = of.underlying()
    if told is not None:
        return told
    if terms is None or (asset_class == EQUITY and terms.style is Style.HELD):
        return of.name
    moved = sorted({e.factor for e in terms.exposures if e.kind is not Kind.BASIS})
    return " + ".join(moved) if moved else of.name


def _cap(of: Row, asset_class: str, underlying: str) -> Fraction:
    told = of.row.get("retail_cap", "product_cap", "leverage_cap", "max_leverage", "cap")
    if told is not None:
        return told.at_least(1)
    key = asset_class
    if asset_class == FX:
        pair = currency_pair(underlying) or currency_pair(of.name)
        key = "fx_major" if pair and set(pair) <= MAJORS else "fx_minor"
    elif asset_class == COMMODITY and any(
        "XAU" in plain(n) or "GOLD" in plain(n) for n in (underlying, of.name)
    ):
        key = "gold"
    given = of.parameters.get("retail_caps", "caps")
    for name, value in given.entries() if given is not None else ():
        if name not in (*CAPS, FX):
            raise value.error(f"expected one of {', '.join(CAPS)}, not {name!r}")
        if name in (key, asset_class):
            return value.at_least(1)
    return Fraction(CAPS[key])
