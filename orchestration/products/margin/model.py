"""Margin by the rules as they are written, in whole numbers of any length.

It shares no line with the engine, and is slower than it on purpose: a figure on which both agree is the
rule's (docs/margin-product.md). Owns: the arithmetic. Does not own: positions,
marks and terms (book.py), the comparison (record.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import NamedTuple

from schemas.codes import ScenarioGroup
from schemas.risk import InstrumentRisk, MarginModel

MILLION, BILLION = 1_000_000, 1_000_000_000
MILLICENTS = 1_000  # in a minor unit
BASIS_POINTS = 10_000
LARGEST_GROSS_MINOR = 1 << 49  # an account with orders beyond it is asked more than there is
BEYOND_ALL_MINOR = 1 << 60
LARGEST_IMPACT_PPM = 1_000_000_000
MOST_DAYS = 1_000_000  # of volume; more count as so many


class Vector(NamedTuple):
    """Profits of a lot from outside, as parts of a reference, and what a lot counts as in charges."""

    reference_minor: int
    delta_ppm: int
    returns_ppb: tuple[int, ...]


class Instrument(NamedTuple):
    """What margin asks of a listing, and its mark."""

    instrument_id: int
    is_contract: bool
    underlying_id: int  # the asset; instruments of one asset hedge each other up to a floor
    lot_units: int
    tick_value_minor: int
    margin_bps: int
    mark_ticks: int
    terms: InstrumentRisk | None  # none: the listing's rate alone
    vector: Vector | None = None  # in the place of returns of its factors

    @property
    def lot_minor(self) -> int:
        """A lot at the mark."""
        return self.mark_ticks * self.tick_value_minor

    @property
    def size_minor(self) -> int:
        """What a lot counts as in charges: its value, of an option its delta's, rounded away from zero."""
        if self.vector is None:
            return self.lot_minor
        size = part(self.vector.reference_minor, abs(self.vector.delta_ppm))
        return size if self.vector.delta_ppm >= 0 else -size

    @property
    def is_modelled(self) -> bool:
        """Whether scenarios say its risk."""
        return self.terms is not None and self.terms.is_modelled != 0


class Position(NamedTuple):
    """What an account has in one instrument."""

    held_lots: int = 0
    cost_minor: int = 0
    open_buy_lots: int = 0
    open_sell_lots: int = 0
    open_loss_minor: int = 0  # what orders would lose as they fill: to the mark, and in fees

    @property
    def high_lots(self) -> int:
        """What it becomes if all bids fill."""
        return self.held_lots + self.open_buy_lots

    @property
    def low_lots(self) -> int:
        """What it becomes if all asks fill."""
        return self.held_lots - self.open_sell_lots

    @property
    def worst_lots(self) -> int:
        """The larger of the two."""
        return max(abs(self.high_lots), abs(self.low_lots))

    def alone(self) -> Position:
        """The position without its orders."""
        return self._replace(open_buy_lots=0, open_sell_lots=0, open_loss_minor=0)


@dataclass(frozen=True)
class ScenarioSetInForce:
    """Scenarios in their order, what each factor does in them, and how many of the worst losses count."""

    scenario_set_id: int = 0  # zero: none is in force
    groups: tuple[ScenarioGroup, ...] = ()
    names: tuple[str, ...] = ()
    dampings_ppm: tuple[int, ...] = ()
    returns_ppb: Mapping[int, Sequence[int]] = field(default_factory=dict[int, Sequence[int]])  # by factor
    tails: Mapping[ScenarioGroup, int] = field(default_factory=dict[ScenarioGroup, int])


class Figures(NamedTuple):
    """An account's margin and what it is made of, in minor units."""

    equity_minor: int
    initial_margin_minor: int
    maintenance_margin_minor: int
    at_risk_minor: int  # scenario risk of positions and orders
    names_minor: int  # single names, with orders
    charges_minor: int  # liquidity, carry and rates, with orders and what they lose as they fill
    basis_minor: int  # floor under hedges, with orders
    retail_minor: int  # least initial margin of a retail client
    held_at_risk_minor: int  # scenario risk of positions alone


class MarginRules:
    """The margin of any account, under one model, set of scenarios and marks."""

    def __init__(
        self, model: MarginModel, scenarios: ScenarioSetInForce, instruments: Mapping[int, Instrument]
    ) -> None:
        """Revalue a lot of each modelled instrument in every scenario."""
        self.model, self.scenarios, self.instruments = model, scenarios, instruments
        self.profits = {
            i: profits_of(x, scenarios) for i, x in instruments.items() if x.terms and x.is_modelled
        }
        self._floors: defaultdict[int, int] = defaultdict(int)  # of hedges, by underlying
        self._names: set[int] = set()  # underlyings whose issuer can fail alone
        for x in instruments.values():
            if x.terms and x.is_modelled:
                self._floors[x.underlying_id] = max(self._floors[x.underlying_id], x.terms.basis_ppm)
                self._names |= {x.underlying_id} if x.terms.is_single_name else set()

    def figures(
        self, positions: Mapping[int, Position], cash_minor: int, *, is_retail: bool, own_asset_id: int = 0
    ) -> Figures:
        """The figures of an account with these positions, by instrument, and so much money."""
        alone = {i: p.alone() for i, p in positions.items()}
        names, basis = self._underlyings(positions)
        held_names, held_basis = self._underlyings(alone)
        at_risk, held_at_risk = self.scenario_risk(positions), self.scenario_risk(alone)
        falls = sum(
            haircut_of_bids(self.instruments[i], p, own_asset_id) + p.open_loss_minor
            for i, p in positions.items()
        )
        charges = falls + sum(charge(self.instruments[i], p.worst_lots) for i, p in positions.items())
        retail = falls + sum(retail_minimum(self.instruments[i], p) for i, p in positions.items())
        gross = sum(p.worst_lots * reference(self.instruments[i]) for i, p in positions.items())

        initial = part(max(at_risk, names), self.model.initial_ppm) + charges + basis
        if is_retail:
            initial = max(initial, retail)
        if gross > LARGEST_GROSS_MINOR:
            initial = BEYOND_ALL_MINOR

        asked = {True: 0, False: 0}
        for i, p in alone.items():
            asked[self.instruments[i].is_modelled] += charge(self.instruments[i], p.worst_lots)
        by_rate = divided_up(asked[False] * MILLION, self.model.initial_ppm)
        return Figures(
            equity_minor=cash_minor
            + sum(holding(self.instruments[i], p, own_asset_id) for i, p in positions.items()),
            initial_margin_minor=initial,
            maintenance_margin_minor=max(held_at_risk, held_names) + asked[True] + held_basis + by_rate,
            at_risk_minor=at_risk,
            names_minor=names,
            charges_minor=charges,
            basis_minor=basis,
            retail_minor=retail,
            held_at_risk_minor=held_at_risk,
        )

    def outcomes(self, positions: Mapping[int, Position]) -> list[int]:
        """What positions gain in each scenario, less the worst that their orders can do, in millicents."""
        total = [0] * len(self.scenarios.groups)
        for i, p in positions.items():
            if i in self.profits:
                for s, profit in enumerate(self.profits[i]):
                    total[s] += p.held_lots * profit
                    total[s] += p.open_buy_lots * min(profit, 0) + p.open_sell_lots * min(-profit, 0)
        return total

    def scenario_risk(self, positions: Mapping[int, Position]) -> int:
        """The worst of the groups: a mean of the worst losses, or of extreme ones the worst; rounded up.

        Source: Acerbi and Tasche, "On the coherence of expected shortfall" (2002), the discrete estimator.
        """
        losses: defaultdict[ScenarioGroup, list[int]] = defaultdict(list)
        for group, outcome in zip(self.scenarios.groups, self.outcomes(positions), strict=True):
            losses[group].append(-outcome)
        worst = max(losses.pop(ScenarioGroup.EXTREME, []), default=0)
        means = [tail_mean(of_group, self.scenarios.tails[group]) for group, of_group in losses.items()]
        return divided_up(max(0, worst, *means), MILLICENTS)

    def _underlyings(self, positions: Mapping[int, Position]) -> tuple[int, int]:
        """What single names ask, and the floor under hedges between instruments of one underlying."""
        together: defaultdict[int, list[tuple[Instrument, Position]]] = defaultdict(list)
        for i, p in positions.items():
            if self.instruments[i].is_modelled:
                together[self.instruments[i].underlying_id].append((self.instruments[i], p))
        basis, values = 0, [0, 0]
        for underlying_id, members in together.items():
            ends = [(p.high_lots * x.size_minor, p.low_lots * x.size_minor) for x, p in members]
            longs, shorts = sum(max(0, *e) for e in ends), sum(max(0, *(-x for x in e)) for e in ends)
            # an instrument does not hedge itself: orders on both sides of it are no two sides
            sizes = sorted(p.worst_lots * abs(x.size_minor) for x, p in members)
            basis += part(min(longs, shorts, sum(sizes[:-1])), self._floors[underlying_id])
            if underlying_id in self._names:
                values.append(max(abs(sum(max(e) for e in ends)), abs(sum(min(e) for e in ends))))
        largest = sum(sorted(values)[-2:])
        names = part(sum(values), self.model.names_ppm) + part(largest, self.model.top_two_ppm)
        return names, basis


# Of one instrument ------------------------------------------------------------------------------------------


def returns_of(terms: InstrumentRisk, scenarios: ScenarioSetInForce) -> list[int]:
    """((1 + beta x first) (1 + beta x second) + basis) (1 + peg) - 1 in each scenario, each step cut down."""
    moves: list[list[int]] = []
    for factor_id, beta_ppm in (
        (terms.first_factor_id, terms.first_beta_ppm),
        (terms.second_factor_id, terms.second_beta_ppm),
        (terms.basis_factor_id, MILLION),
        (terms.peg_factor_id, MILLION),
    ):
        still = [0] * len(scenarios.groups)
        returns = scenarios.returns_ppb.get(factor_id, still) if factor_id else still
        moves.append([r * beta_ppm // MILLION for r in returns])
    return [
        ((BILLION + f) * (BILLION + s) // BILLION + b) * (BILLION + p) // BILLION - BILLION
        for f, s, b, p in zip(*moves, strict=True)
    ]


def profits_of(instrument: Instrument, scenarios: ScenarioSetInForce) -> list[int]:
    """What a lot gains in each scenario, damped, in millicents, rounded down."""
    if instrument.terms is None:
        raise ValueError(f"instrument {instrument.instrument_id} has no terms to be revalued by")
    value = reference(instrument) * MILLICENTS
    given = instrument.vector
    returns = given.returns_ppb if given else returns_of(instrument.terms, scenarios)
    moved = zip(returns, scenarios.dampings_ppm, strict=True)
    return [(value * r // BILLION) * damping // MILLION for r, damping in moved]


def reference(instrument: Instrument) -> int:
    """What the returns of a lot are parts of."""
    return instrument.vector.reference_minor if instrument.vector else instrument.lot_minor


def holding(instrument: Instrument, position: Position, own_asset_id: int) -> int:
    """What a position adds to equity: at the mark, less a contract's cost or the haircut of what is owned."""
    value = position.held_lots * instrument.lot_minor
    if instrument.is_contract:
        return value - position.cost_minor
    return value - haircut(instrument, position.held_lots, own_asset_id)


def haircut(instrument: Instrument, lots: int, own_asset_id: int) -> int:
    """What of lots that are owned is no collateral: a part of each tier; all of what the owner issues."""
    if instrument.underlying_id == own_asset_id:
        return max(lots, 0) * instrument.lot_minor
    if instrument.terms is None:
        return 0
    t = instrument.terms
    bounds = (t.second_from_lots or None, t.third_from_lots or None, None)
    total, begun = 0, 0
    for bound, ppm in zip(bounds, (t.haircut_ppm, t.second_haircut_ppm, t.third_haircut_ppm), strict=True):
        end = max(lots, 0) if bound is None else min(max(lots, 0), bound)
        total += part((end - begun) * instrument.lot_minor, ppm)
        begun = end
        if bound is None:
            break
    return total


def haircut_of_bids(instrument: Instrument, position: Position, own_asset_id: int) -> int:
    """What equity falls by when all bids for collateral fill at the mark."""
    if instrument.is_contract:
        return 0
    filled = haircut(instrument, position.high_lots, own_asset_id)
    return filled - haircut(instrument, position.held_lots, own_asset_id)


def retail_minimum(instrument: Instrument, position: Position) -> int:
    """Least initial margin of a retail client. Source: ESMA Decision (EU) 2018/796, annex I."""
    cap = instrument.terms.retail_cap_ppm if instrument.terms else 0
    return part(position.worst_lots * abs(instrument.size_minor), cap)


def charge(instrument: Instrument, lots: int) -> int:
    """What lots, an absolute number, ask beyond scenarios; without a model, the listing's rate."""
    value, terms = lots * abs(instrument.size_minor), instrument.terms
    if terms is None or not instrument.is_modelled:
        return divided_up(lots * instrument.lot_minor * instrument.margin_bps, BASIS_POINTS)
    return (
        part(value, terms.half_spread_ppm)
        + part(value, impact_ppm(terms, lots))
        + part(value, terms.carry_ppm)
    )


def impact_ppm(terms: InstrumentRisk, lots: int) -> int:
    """What selling lots moves the price by: a day's impact times the root of the days that they are.

    Source: Almgren, Thum, Hauptmann and Li, "Direct estimation of equity market impact" (2005).
    """
    if terms.daily_lots == 0:
        return 0
    days_ppm = min(lots * MILLION // terms.daily_lots, MOST_DAYS * MILLION)
    return min(terms.impact_ppm * isqrt(days_ppm * MILLION) // MILLION, LARGEST_IMPACT_PPM)


# Whole numbers ----------------------------------------------------------------------------------------------


def divided_up(amount: int, by: int) -> int:
    """A quotient rounded up."""
    return -(-amount // by)


def part(amount: int, ppm: int) -> int:
    """So many millionths of an amount, rounded up."""
    return divided_up(amount * ppm, MILLION)


def tail_mean(losses: Iterable[int], tail: int) -> int:
    """The mean of the `tail` largest losses, rounded up."""
    return divided_up(sum(sorted(losses)[-tail:]), tail)
