"""The commands that say how margin is computed: scenarios, factors, terms of instruments and accounts.

Owns: which of them are sound. Does not own: what margin follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse, shared_columns
from engine.identity.accounts import is_open
from engine.risk.room import LARGEST_LOT_MINOR
from engine.risk.scenarios import LARGEST_RETURN_PPB, returns_of
from engine.risk.vectors import use_vector
from schemas.codes import RejectReason, ScenarioGroup
from schemas.derive.layout import Rows, to_row
from schemas.risk import (
    AccountMarginSet,
    AccountMarginTerms,
    ActivateScenarios,
    AddScenario,
    FactorNamed,
    FactorReturnSet,
    InstrumentRisk,
    InstrumentRiskRow,
    InstrumentRiskSet,
    MarginModelSet,
    MarginStateChanged,
    NameFactor,
    ScenarioAdded,
    ScenariosActivated,
    SetAccountMargin,
    SetFactorReturn,
    SetInstrumentRisk,
    SetMarginModel,
)

if TYPE_CHECKING:
    from engine.state import State

_MILLION = 1_000_000
_LARGEST_DAILY_LOTS = 1 << 42  # of which a million times as many fit a word
_UNDAMPED = (ScenarioGroup.HISTORICAL, ScenarioGroup.STRESS)


def set_margin_model(state: State, command: SetMarginModel, emit: Emit) -> None:
    """Set the parameters; initial margin is no less than maintenance, and lines lie in their order."""
    is_sound = (
        command.initial_ppm >= _MILLION
        and command.warn_ppm >= command.target_ppm >= command.cancel_ppm >= _MILLION
        and command.retail_close_ppm <= _MILLION
    )
    if not is_sound:
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(MarginModelSet, **shared_columns(command, MarginModelSet))


def name_factor(state: State, command: NameFactor, emit: Emit) -> None:
    """Give a factor its number; names and numbers are given once."""
    is_known = command.factor_id in state.risk.factors
    if is_known or command.symbol_packed in state.risk.factors.values():
        return refuse(emit, command, RejectReason.ALREADY_EXISTS)
    emit(FactorNamed, **shared_columns(command, FactorNamed))


def add_scenario(state: State, command: AddScenario, emit: Emit) -> None:
    """Add a scenario; numbers come in order, and a set that was in force is never prepared again."""
    draft, active = state.risk.draft, state.risk.active
    is_next = draft.set_id == command.scenario_set_id
    number = len(draft.scenarios) + 1 if is_next else 1
    if command.scenario_no != number or command.scenario_set_id <= active.set_id:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    is_code = command.scenario_group_code in set(ScenarioGroup)
    if not is_code or (command.scenario_group_code in _UNDAMPED and command.damping_ppm != _MILLION):
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(ScenarioAdded, **shared_columns(command, ScenarioAdded))


def set_factor_return(state: State, command: SetFactorReturn, emit: Emit) -> None:
    """Move a named factor in a scenario of the set that is being prepared."""
    draft = state.risk.draft
    is_there = command.scenario_set_id == draft.set_id and command.scenario_no <= len(draft.scenarios)
    if not is_there or command.factor_id not in state.risk.factors:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    emit(FactorReturnSet, **shared_columns(command, FactorReturnSet))


def activate_scenarios(state: State, command: ActivateScenarios, emit: Emit) -> None:
    """Put the prepared set in force, if it is whole and every instrument can be valued by it."""
    draft = state.risk.draft
    if command.scenario_set_id != draft.set_id or command.scenario_count != len(draft.scenarios):
        return refuse(emit, command, RejectReason.MISMATCH)
    tails = (
        (command.historical_tail_count, draft.count_of(ScenarioGroup.HISTORICAL)),
        (command.stress_tail_count, draft.count_of(ScenarioGroup.STRESS)),
    )
    if not draft.is_ordered() or not all(0 < tail <= count or count == 0 for tail, count in tails):
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    given = {i: len(v.returns_ppb) for i, v in state.risk.awaiting.items()}
    if any(given.get(i) != command.scenario_count for i in state.risk.vectors.keys() | given.keys()):
        return refuse(emit, command, RejectReason.MISMATCH)  # vectors of the set come before it
    modelled = state.instrument_risks[state.instrument_risks["is_modelled"] != 0]
    if not all(_is_within(returns_of(draft, terms)) for terms in modelled):
        return refuse(emit, command, RejectReason.OUT_OF_RANGE)
    emit(ScenariosActivated, **shared_columns(command, ScenariosActivated))


def set_instrument_risk(state: State, command: SetInstrumentRisk, emit: Emit) -> None:
    """Set the terms of a listed instrument, if every scenario in force can value it."""
    instrument_id = command.instrument_id
    if not state.is_listed(instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    named = {
        command.first_factor_id,
        command.second_factor_id,
        command.basis_factor_id,
        command.peg_factor_id,
    }
    if not named <= {0, *state.risk.factors}:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    instrument = state.instruments[instrument_id]
    highest = int(instrument["window_floor_ticks"]) + state.capacity.window_count
    is_sound = _has_sound_haircuts(command) and command.daily_lots <= _LARGEST_DAILY_LOTS
    if not is_sound or highest * int(instrument["tick_value_minor"]) > LARGEST_LOT_MINOR:
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    if not _is_within(returns_of(state.risk.active, _row_of(command)[0])):
        return refuse(emit, command, RejectReason.OUT_OF_RANGE)
    emit(InstrumentRiskSet, **shared_columns(command, InstrumentRiskSet))


def _row_of(terms: InstrumentRisk) -> Rows:
    """Terms as the pass sees them, before a vector."""
    told = {name: getattr(terms, name) for name in InstrumentRisk.__dataclass_fields__}
    return to_row(InstrumentRiskRow, InstrumentRiskRow(**told, reference_minor=0, delta_minor=0))


def _has_sound_haircuts(command: SetInstrumentRisk) -> bool:
    """Whether each tier begins beyond the one before it and takes no less off."""
    second, third = command.second_from_lots, command.third_from_lots
    return (
        (second > 0 or (command.second_haircut_ppm == 0 and third == 0))
        and (third > second or (third == 0 and command.third_haircut_ppm == 0))
        and (second == 0 or command.haircut_ppm <= command.second_haircut_ppm)
        and (third == 0 or command.second_haircut_ppm <= command.third_haircut_ppm)
        and max(command.haircut_ppm, command.second_haircut_ppm, command.third_haircut_ppm) <= _MILLION
    )


def set_account_margin(state: State, command: SetAccountMargin, emit: Emit) -> None:
    """Say how an opened account is protected, and what its owner issues."""
    if not is_open(state, command.account_id):
        return refuse(emit, command, RejectReason.UNKNOWN_ACCOUNT)
    if command.own_asset_id not in {0, *state.assets}:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    emit(AccountMarginSet, **shared_columns(command, AccountMarginSet))


def _is_within(returns: list[int]) -> bool:
    return all(-LARGEST_RETURN_PPB <= r <= LARGEST_RETURN_PPB for r in returns)


# Applied --------------------------------------------------------------------------------------


def margin_model_set(state: State, event: MarginModelSet) -> None:
    """Margin by other parameters."""
    state.risk.set_model(event)


def factor_named(state: State, event: FactorNamed) -> None:
    """Know the factor."""
    state.risk.factors[event.factor_id] = event.symbol_packed


def scenario_added(state: State, event: ScenarioAdded) -> None:
    """Prepare it."""
    state.risk.add_scenario(event)


def factor_return_set(state: State, event: FactorReturnSet) -> None:
    """Prepare it."""
    state.risk.set_return(event.factor_id, event.scenario_no, event.return_ppb)


def scenarios_activated(state: State, event: ScenariosActivated) -> None:
    """Value everything by the new set."""
    state.risk.activate(event.historical_tail_count, event.stress_tail_count)
    for instrument_id in state.risk.vectors:
        use_vector(state, instrument_id)
    state.tables.load()


def instrument_risk_set(state: State, event: InstrumentRiskSet) -> None:
    """Value the instrument by its new terms."""
    state.instrument_risks[event.instrument_id] = _row_of(event)[0]
    use_vector(state, event.instrument_id)
    state.tables.remodel(event.instrument_id)


def account_margin_set(state: State, event: AccountMarginSet) -> None:
    """Remember it."""
    for name in AccountMarginTerms.__dataclass_fields__:
        state.account_margins[event.account_id][name] = getattr(event, name)


def margin_state_changed(state: State, event: MarginStateChanged) -> None:
    """Remember where the account stands."""
    state.account_margins[event.account_id]["margin_state_code"] = event.margin_state_code
