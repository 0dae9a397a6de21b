"""Risk: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.risk import liquidation, vectors
from engine.risk import parameters as p
from engine.risk.report import report_margins
from schemas import risk as r
from schemas.headers import Command, Event

HANDLERS: dict[type[Command], Handler] = {
    r.SetMarginModel: p.set_margin_model,
    r.NameFactor: p.name_factor,
    r.AddScenario: p.add_scenario,
    r.SetFactorReturn: p.set_factor_return,
    r.ActivateScenarios: p.activate_scenarios,
    r.SetInstrumentRisk: p.set_instrument_risk,
    r.SetAccountMargin: p.set_account_margin,
    r.SetOptionTerms: vectors.set_option_terms,
    r.SetVectorPart: vectors.set_vector_part,
    r.ActivateVector: vectors.activate_vector,
    r.ReportMargins: report_margins,
    r.ReviewMargin: liquidation.review_margin,
    r.TakeOverAccount: liquidation.take_over_account,
}

APPLIERS: dict[type[Event], Applier] = {
    r.MarginModelSet: p.margin_model_set,
    r.FactorNamed: p.factor_named,
    r.ScenarioAdded: p.scenario_added,
    r.FactorReturnSet: p.factor_return_set,
    r.ScenariosActivated: p.scenarios_activated,
    r.InstrumentRiskSet: p.instrument_risk_set,
    r.AccountMarginSet: p.account_margin_set,
    r.OptionTermsSet: vectors.option_terms_set,
    r.VectorPartSet: vectors.vector_part_set,
    r.VectorActivated: vectors.vector_activated,
    r.MarginStateChanged: p.margin_state_changed,
    r.PositionTakenOver: liquidation.position_taken_over,
}
