"""The lines of a margin: what each instrument, underlying and rule asks, so that they add up to the kernel's.

Owns: the lines. Does not own: the totals; who asks for lines requires them to be equal (account_explanation).
The same formulas stand in charge_kernel.py and account_kernel.py, where they are made for speed.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.risk.model.exact import ceiling
from schemas.packed import unpack

if TYPE_CHECKING:
    from engine.state import State

_MILLION = 1_000_000
_ORDERED = ("open_buy_lots", "open_sell_lots", "open_loss_minor")


class Line(NamedTuple):
    """One amount of a margin, in minor units, and what asks for it."""

    what: str
    subject: str
    minor: int


class _Held(NamedTuple):
    """An instrument as an account has it: the ends between which fills may bring it."""

    instrument: Any
    terms: Any
    symbol: str
    low: int  # lots, if all asks fill
    high: int  # if all bids do
    loss_minor: int  # what orders would lose as they fill

    @property
    def lot_minor(self) -> int:
        """A lot at the mark."""
        return int(self.instrument["mark_ticks"]) * int(self.instrument["tick_value_minor"])

    @property
    def size_minor(self) -> int:
        """What a lot counts as in charges, signed."""
        return int(self.terms["delta_minor"]) if self.terms["reference_minor"] else self.lot_minor

    @property
    def sizes(self) -> tuple[int, int]:
        """The lowest and the highest that the holding may count as."""
        ends = self.low * self.size_minor, self.high * self.size_minor
        return min(ends), max(ends)

    @property
    def worst(self) -> int:
        """The most lots on either side."""
        return max(abs(self.low), abs(self.high))


def lines_of(state: State, account_id: int, scenario_risk_minor: int, *, with_orders: bool) -> list[Line]:
    """The lines of initial margin, or without orders of maintenance margin, given scenario risk."""
    holdings = _holdings(state, account_id, with_orders)
    model = state.risk.model[0]
    names = _names_minor(holdings, model)
    at_risk = max(scenario_risk_minor, names)
    what = "single names" if names > scenario_risk_minor else "scenario risk"
    initial = int(model["initial_ppm"])
    lines = [Line(what, "account", _part(at_risk, initial) if with_orders else at_risk)]
    rates = [Line("rate", h.symbol, _rate_minor(h)) for h in holdings if not h.terms["is_modelled"]]
    if with_orders:
        lines += rates
    else:
        lines.append(
            Line("rate", "account", ceiling(Fraction(sum(r.minor for r in rates) * _MILLION, initial)))
        )
    for held in holdings:
        if held.terms["is_modelled"]:
            value = held.worst * abs(held.size_minor)
            lines.append(Line("liquidity", held.symbol, _liquidity_minor(held, value)))
            lines.append(Line("carry", held.symbol, _part(value, int(held.terms["carry_ppm"]))))
    cuts = [Line("haircut of bids", h.symbol, _cut_minor(state, account_id, h)) for h in holdings]
    cuts += [Line("loss of orders", h.symbol, h.loss_minor) for h in holdings]
    lines += [*_basis_lines(holdings, state), *cuts]
    if with_orders and state.account_margins[account_id]["is_retail"]:
        least = sum(_part(h.worst * abs(h.size_minor), int(h.terms["retail_cap_ppm"])) for h in holdings)
        least += sum(cut.minor for cut in cuts)
        lines.append(Line("retail", "account", max(0, least - sum(line.minor for line in lines))))
    return [line for line in lines if line.minor]


def _holdings(state: State, account_id: int, with_orders: bool) -> list[_Held]:
    found: list[_Held] = []
    for i in state.listed_ids():
        row, lots = state.positions[account_id, i], state.held_lots(account_id, i)
        bids, asks, loss = (int(row[name]) if with_orders else 0 for name in _ORDERED)
        instrument = state.instruments[i]
        symbol = unpack(int(instrument["symbol_packed"]))
        terms = state.instrument_risks[i]
        found.append(_Held(instrument, terms, symbol, lots - asks, lots + bids, loss))
    return found


def _part(amount: int, ppm: int) -> int:
    return ceiling(Fraction(amount * ppm, _MILLION))


def no_collateral_minor(state: State, account_id: int, instrument_id: int, lots: int) -> int:
    """What of so many lots that are owned is no collateral: each tier's part, or all of own paper."""
    instrument, terms = state.instruments[instrument_id], state.instrument_risks[instrument_id]
    if state.is_contract(instrument_id) or lots <= 0:
        return 0
    lot = int(instrument["mark_ticks"]) * int(instrument["tick_value_minor"])
    if instrument["base_asset_id"] == state.account_margins[account_id]["own_asset_id"]:
        return lots * lot
    total, left = 0, lots
    for tier in ("third", "second"):
        begins = int(terms[f"{tier}_from_lots"])
        beyond = max(left - begins, 0) if begins else 0
        total += _part(beyond * lot, int(terms[f"{tier}_haircut_ppm"]))
        left -= beyond
    return total + _part(left * lot, int(terms["haircut_ppm"]))


def _cut_minor(state: State, account_id: int, held: _Held) -> int:
    """What equity falls by when all bids for collateral fill."""
    instrument_id = int(held.instrument["instrument_id"])
    lots = state.held_lots(account_id, instrument_id)
    if held.high <= lots:
        return 0
    now, then = (no_collateral_minor(state, account_id, instrument_id, n) for n in (lots, held.high))
    return then - now


def _rate_minor(held: _Held) -> int:
    return ceiling(Fraction(held.worst * held.lot_minor * int(held.instrument["margin_bps"]), 10_000))


def _liquidity_minor(held: _Held, value: int) -> int:
    terms = held.terms
    total = _part(value, int(terms["half_spread_ppm"]))
    if terms["impact_ppm"] and terms["daily_lots"]:
        days = int(terms["daily_lots"])
        ratio = min(held.worst * _MILLION // days, _MILLION * _MILLION)
        rate = min(int(terms["impact_ppm"]) * isqrt(ratio * _MILLION) // _MILLION, 10**9)
        total += _part(value, rate)
    return total


def _by_underlying(holdings: list[_Held]) -> dict[int, list[_Held]]:
    found: dict[int, list[_Held]] = {}
    for held in holdings:
        if held.terms["is_modelled"]:
            found.setdefault(int(held.instrument["base_asset_id"]), []).append(held)
    return found


def _basis_lines(holdings: list[_Held], state: State) -> list[Line]:
    lines: list[Line] = []
    for asset_id, members in _by_underlying(holdings).items():
        longs = sum(max(h.sizes[1], 0) for h in members)
        shorts = sum(max(-h.sizes[0], 0) for h in members)
        sizes = [h.worst * abs(h.size_minor) for h in members]
        rate = max(int(h.terms["basis_ppm"]) for h in members)
        symbol = unpack(state.assets[asset_id].symbol_packed)
        lines.append(Line("basis", symbol, _part(min(longs, shorts, sum(sizes) - max(sizes)), rate)))
    return lines


def _names_minor(holdings: list[_Held], model: Any) -> int:
    values: list[int] = []
    for members in _by_underlying(holdings).values():
        if any(h.terms["is_single_name"] for h in members):
            low, high = (sum(h.sizes[end] for h in members) for end in (0, 1))
            values.append(max(abs(high), abs(low)))
    largest = sum(sorted(values)[-2:])
    return _part(sum(values), int(model["names_ppm"])) + _part(largest, int(model["top_two_ppm"]))
