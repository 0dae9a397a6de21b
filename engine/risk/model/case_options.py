"""Terms of a case's option: what it is written on, and what moves its forward, volatility and rate."""

from __future__ import annotations

from fractions import Fraction

from engine.risk.model.case_rows import Row
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Exposure, Kind, Option

_DAYS = 365


def read_forward(of: Row, exposures: list[Exposure]) -> Fraction:
    """The price that it is written on: told, its underlying's, or the level of the factor that moves it."""
    for row in (of.row, _terms(of)):
        told = row.get("forward", "underlying_price", "forward_price", "futures_price", "spot", "f")
        if told is not None:
            return told.number()
    underlying = of.underlying()
    if underlying is not None and underlying in of.others:
        price = of.others[underlying].get("price", "mark", "mark_price")
        if price is not None:
            return price.number()
    for exposure in exposures:
        if exposure.factor in of.scenarios.levels and exposure.kind in (Kind.RETURN, Kind.ABSOLUTE):
            return of.scenarios.levels[exposure.factor]
    raise of.row.error("an option needs 'forward', the price that it is written on; 'price' is its premium")


def _terms(of: Row) -> Reading:
    """Where its terms stand: beside the rest, or in an object of their own."""
    nested = of.row.get("option", "terms", "option_terms")
    return nested if nested is not None else of.row


def _is_call(of: Row, row: Reading) -> bool:
    said = row.get("is_call")
    if said is not None:
        return said.flag()
    told = row.get("option_type", "right", "put_call", "call_put")
    words = [r.word() for r in (told, row.get("type"), of.row.get("class", "kind")) if r is not None]
    is_call = any(w in ("call", "c") for w in words)
    if is_call == any(w in ("put", "p") for w in words):
        raise (told or row).error("an option is a call or a put: give 'option_type'")
    return is_call


def read_option(of: Row, exposures: list[Exposure]) -> tuple[Option, list[Exposure]]:
    """Its terms, and what is left of its factors: those that move the forward."""
    row = _terms(of)
    is_call = _is_call(of, row)
    years = row.get(
        "years", "expiry_years", "years_to_expiry", "time_to_expiry", "time_to_expiry_years", "t", "tau",
        "maturity", "maturity_years",
    )  # fmt: skip
    days = row.get("days", "expiry_days", "days_to_expiry")
    if (years is None) == (days is None):
        raise row.error("needs 'years' to expiry, or 'days'")
    time = Fraction(0)
    if years is not None:
        time = years.between(0, 100)
    elif days is not None:
        time = days.between(0, 36_500) / _DAYS
    rate = row.get("rate", "interest_rate", "risk_free_rate", "r")
    by_vol = [e for e in exposures if e.kind is Kind.VOLATILITY]
    by_rate = [e for e in exposures if e.kind is Kind.RATE]
    vol, interest = of.factor_under("volatility_factor", "vol_factor"), of.factor_under("rate_factor")
    kinds = of.scenarios.kinds
    if vol is not None and vol not in [e.factor for e in by_vol]:
        by_vol.append(Exposure(vol, kind=kinds[vol]))
    if interest is not None and interest not in [e.factor for e in by_rate]:
        by_rate.append(Exposure(interest, kind=Kind.RATE))
    if not by_vol:
        of.notes.append(f"{of.name}: no factor moves its volatility")
    option = Option(
        is_call=is_call,
        strike=row.need("strike", "k").number(),
        years=time,
        volatility=row.need("volatility", "vol", "implied_volatility", "implied_vol", "iv", "sigma").between(
            0, 100
        ),
        rate=rate.between(-1, 10) if rate is not None else Fraction(0),
        volatility_factors=tuple(by_vol),
        rate_factors=tuple(by_rate),
    )
    apart = {e.factor for e in (*by_vol, *by_rate)}
    return option, [e for e in exposures if e.factor not in apart]
