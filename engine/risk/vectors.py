"""The commands by which an instrument is valued with a vector from outside: one whose worth is not linear.

Profits come as parts of a reference, eight scenarios a command, and are put in force as a whole. Deciding
needs no formula and no float: what the vector was computed by (option_vectors.py) is not part of it.

Owns: which vectors are sound, and which is in force. Does not own: what they become in the pass (tables.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse, shared_columns
from engine.risk.room import LARGEST_LOT_MINOR, LARGEST_VALUE
from engine.risk.scenarios import GivenVector, ScenarioSetKept
from schemas.codes import RejectReason
from schemas.risk import (
    ActivateVector,
    OptionTerms,
    OptionTermsSet,
    SetOptionTerms,
    SetVectorPart,
    VectorActivated,
    VectorPart,
    VectorPartSet,
)

if TYPE_CHECKING:
    from engine.state import State

_MILLION = 1_000_000
RETURNS = tuple(name for name in VectorPart.__dataclass_fields__ if name.startswith("return_"))
"""The columns of a part that hold profits, in the order of their scenarios."""


def set_option_terms(state: State, command: SetOptionTerms, emit: Emit) -> None:
    """Set the terms of a listed contract whose underlying is another listed instrument."""
    if not state.is_listed(command.instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    is_known = command.volatility_factor_id in {0, *state.risk.factors}
    if not is_known or not state.is_listed(command.underlying_instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    is_sound = (
        state.is_contract(command.instrument_id)
        and command.underlying_instrument_id != command.instrument_id
        and command.underlying_lots >= 1
        and command.strike_ticks >= 1
    )
    if not is_sound:
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(OptionTermsSet, **shared_columns(command, OptionTermsSet))


def set_vector_part(state: State, command: SetVectorPart, emit: Emit) -> None:
    """Prepare eight scenarios more, of the set in force or of the one that is being prepared."""
    if not state.is_listed(command.instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    if _set_of(state, command.scenario_set_id) is None:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    set_id, returns = state.risk.vector_drafts.get(command.instrument_id, (0, []))
    following = len(returns) + 1 if set_id == command.scenario_set_id else 1
    if command.first_scenario_no not in (1, following):
        return refuse(emit, command, RejectReason.WRONG_STATE)
    emit(VectorPartSet, **shared_columns(command, VectorPartSet))


def activate_vector(state: State, command: ActivateVector, emit: Emit) -> None:
    """Put a whole vector in force, if no value of it can overflow."""
    instrument_id = command.instrument_id
    if not state.is_listed(instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    scenarios = _set_of(state, command.scenario_set_id)
    set_id, returns = state.risk.vector_drafts.get(instrument_id, (0, []))
    if scenarios is None or set_id != command.scenario_set_id:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    count, parts = len(scenarios.scenarios), len(returns) // len(RETURNS)
    if command.scenario_count != count or parts != -(-count // len(RETURNS)):
        return refuse(emit, command, RejectReason.MISMATCH)
    largest = command.reference_minor * int(state.instruments[instrument_id]["max_order_lots"])
    is_sound = (
        state.is_contract(instrument_id)
        and bool(state.instrument_risks[instrument_id]["is_modelled"])
        and 1 <= command.reference_minor <= LARGEST_LOT_MINOR
        and largest <= LARGEST_VALUE
        and abs(command.delta_ppm) <= _MILLION
    )
    if not is_sound:
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(VectorActivated, **shared_columns(command, VectorActivated))


def _set_of(state: State, set_id: int) -> ScenarioSetKept | None:
    """The set in force or the one that is being prepared, whichever has this number and a scenario."""
    sets = (state.risk.active, state.risk.draft)
    return next((s for s in sets if s.set_id == set_id and s.scenarios), None)


# Applied --------------------------------------------------------------------------------------


def option_terms_set(state: State, event: OptionTermsSet) -> None:
    """Know them."""
    names = OptionTerms.__dataclass_fields__
    state.risk.options[event.instrument_id] = OptionTerms(**{n: getattr(event, n) for n in names})


def vector_part_set(state: State, event: VectorPartSet) -> None:
    """Prepare it; the first part drops what was prepared before."""
    _, before = state.risk.vector_drafts.get(event.instrument_id, (0, []))
    kept = [] if event.first_scenario_no == 1 else before
    returns = [*kept, *(getattr(event, name) for name in RETURNS)]
    state.risk.vector_drafts[event.instrument_id] = event.scenario_set_id, returns


def vector_activated(state: State, event: VectorActivated) -> None:
    """Value the instrument by it, as soon as its set is in force."""
    set_id, returns = state.risk.vector_drafts.pop(event.instrument_id)
    vector = GivenVector(set_id, event.reference_minor, event.delta_ppm, returns[: event.scenario_count])
    if set_id != state.risk.active.set_id:
        state.risk.awaiting[event.instrument_id] = vector
        return
    state.risk.vectors[event.instrument_id] = vector
    use_vector(state, event.instrument_id)
    state.tables.remodel(event.instrument_id)


def use_vector(state: State, instrument_id: int) -> None:
    """Let the pass see what a vector in force is measured by."""
    vector, row = state.risk.vectors.get(instrument_id), state.instrument_risks[instrument_id]
    row["reference_minor"] = vector.reference_minor if vector else 0
    row["delta_minor"] = vector.delta_minor if vector else 0
