"""Vectors of options, by Black-76, as commands: computed beside the engine, journaled, never computed again.

The forward is the underlying's mark; in a scenario it moves as the underlying does, and the volatility as its
factor does. Floats stay here: what is asked are whole numbers, and a replay reads them from the journal.

Owns: the formula's inputs and its output. Does not own: when a vector is due (desk.py), whether it is sound
(vectors.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.risk.model.black76 import option_delta, option_value
from engine.risk.scenarios import LARGEST_RETURN_PPB, ScenarioSetKept, returns_of
from engine.risk.vectors import RETURNS
from schemas.headers import Command
from schemas.risk import ActivateVector, OptionTerms, SetVectorPart

if TYPE_CHECKING:
    from engine.state import State

_BILLION, _MILLION = 10**9, 10**6
_DAYS = 365.0


def reference_minor(state: State, terms: OptionTerms) -> int:
    """What a lot of an option is a right to, at the underlying's mark."""
    underlying = state.instruments[terms.underlying_instrument_id]
    return terms.underlying_lots * int(underlying["mark_ticks"]) * int(underlying["tick_value_minor"])


def option_returns(state: State, terms: OptionTerms, moves: ScenarioSetKept) -> list[int]:
    """Profit of a lot in every scenario of a set, in thousand-millionths of the reference, rounded down."""
    underlying_id = terms.underlying_instrument_id
    forward = float(state.instruments[underlying_id]["mark_ticks"])
    forwards = returns_of(moves, state.instrument_risks[underlying_id])
    factor, count = terms.volatility_factor_id, len(moves.scenarios)
    deviations = moves.returns[factor, :count].tolist() if factor else [0] * count
    now = _value(state, terms, forward, 1.0)
    found: list[int] = []
    for move, deviation in zip(forwards, deviations, strict=True):
        then = _value(state, terms, forward * (1.0 + move / _BILLION), 1.0 + deviation / _BILLION)
        part = (then - now) / forward * _BILLION
        found.append(max(-LARGEST_RETURN_PPB, min(LARGEST_RETURN_PPB, int(part // 1.0))))
    return found


def option_delta_ppm(state: State, terms: OptionTerms) -> int:
    """How much of its underlying an option moves like, in millionths, away from zero."""
    forward = float(state.instruments[terms.underlying_instrument_id]["mark_ticks"])
    delta = option_delta(
        bool(terms.is_call), forward, float(terms.strike_ticks), *_uncertainty(state, terms), 0.0
    )
    size = -int(-abs(delta) * _MILLION // 1.0)
    return size if delta >= 0 else -size


def all_vectors(state: State, scenarios: ScenarioSetKept, at_ns: int) -> Iterator[Command]:
    """The vectors of every option that is valued by one, in a set."""
    for instrument_id in sorted(state.risk.vectors):
        if instrument_id in state.risk.options:
            yield from vector_commands(state, instrument_id, scenarios, at_ns)


def vector_commands(
    state: State, instrument_id: int, scenarios: ScenarioSetKept, at_ns: int
) -> Iterator[Command]:
    """An option's vector in a set, in force or in preparation, as the commands that put it in force."""
    terms, count = state.risk.options[instrument_id], len(scenarios.scenarios)
    returns = option_returns(state, terms, scenarios)
    header = {
        "sequence": 0,
        "received_at_ns": at_ns,
        "instrument_id": instrument_id,
        "scenario_set_id": scenarios.set_id,
    }
    for first in range(0, count, len(RETURNS)):
        eight = returns[first : first + len(RETURNS)]
        named = dict.fromkeys(RETURNS, 0) | dict(zip(RETURNS, eight, strict=False))
        yield SetVectorPart(**header, first_scenario_no=first + 1, **named)
    yield ActivateVector(
        **header, scenario_count=count, reference_minor=reference_minor(state, terms),
        delta_ppm=option_delta_ppm(state, terms),
    )  # fmt: skip


def _value(state: State, terms: OptionTerms, forward: float, deviation: float) -> float:
    """Of one unit, in ticks of the underlying; without interest, for the premium is not paid in advance."""
    years, volatility = _uncertainty(state, terms)
    return option_value(
        bool(terms.is_call), forward, float(terms.strike_ticks), years, volatility * deviation, 0.0
    )


def _uncertainty(state: State, terms: OptionTerms) -> tuple[float, float]:
    """Years until expiry, and the deviation of a year."""
    days = max(terms.expiry_epoch_day - state.business_epoch_day, 0)
    return days / _DAYS, terms.volatility_ppm / _MILLION
