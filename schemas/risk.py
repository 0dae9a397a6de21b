"""How risk is modelled, and what an account's positions and orders ask of its equity.

A scenario set is a list of days that may come: how far each factor moves in each of them. What an instrument has
to do with the factors, and what else its margin asks, stands in its own terms. All of it is journaled.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.headers import Command, Event
from schemas.kinds import (
    AccountId,
    AskedAccountId,
    AskedInstrumentId,
    AskedTicks,
    Count,
    DampingPpm,
    EpochDay,
    FactorId,
    Flag,
    InstrumentId,
    MarginStateCode,
    Minor,
    MinorUnits,
    NoAssetId,
    NoFactorId,
    NoInstrumentId,
    OpenLots,
    Packed,
    PersonId,
    RatePpm,
    ReturnPpb,
    ScenarioGroupCode,
    ScenarioNo,
    ScenarioSetId,
    SignedLots,
    SignedRatePpm,
    VectorReturnPpb,
)
from schemas.record import Role, field, record

# Shared by what is asked and what is decided -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MarginModel:
    """What holds for every account: how initial margin stands above maintenance, and where states begin."""

    initial_ppm: RatePpm = field("Initial margin for a unit of scenario risk; maintenance asks a unit.")
    names_ppm: RatePpm = field("Of the value of all single names: what they ask when each falls alone.")
    top_two_ppm: RatePpm = field("Of the value of the two largest names, on top.")
    warn_ppm: RatePpm = field("Equity for a unit of maintenance below which the client is warned.")
    cancel_ppm: RatePpm = field("Below it open orders are cancelled.")
    target_ppm: RatePpm = field("What a liquidation brings equity back to.")
    retail_close_ppm: RatePpm = field("Of initial margin: below it a retail account is closed out.")


UNTIL_SET = MarginModel(
    initial_ppm=1_300_000,
    names_ppm=50_000,
    top_two_ppm=250_000,
    warn_ppm=1_500_000,
    cancel_ppm=1_050_000,
    target_ppm=1_100_000,
    retail_close_ppm=500_000,
)
"""What holds in a book in which nobody has set any. Sources: docs/margin.md, Parameters."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario of a set. Historical ones come first, then stress, then extreme ones."""

    scenario_set_id: ScenarioSetId = field("The set.")
    scenario_no: ScenarioNo = field("Its place in the set, from one.")
    scenario_group_code: ScenarioGroupCode = field("How it counts.")
    name_packed: Packed = field("What it is called; a date as YYYYMMDD.")
    damping_ppm: DampingPpm = field("Part of an extreme scenario's loss that counts; all of the others.")


@dataclass(frozen=True, kw_only=True)
class FactorReturn:
    """How far a factor moves in a scenario; a factor that none is told of stays where it is."""

    scenario_set_id: ScenarioSetId = field("The set.")
    scenario_no: ScenarioNo = field("The scenario.")
    factor_id: FactorId = field("The factor.")
    return_ppb: ReturnPpb = field("Its return, in thousand-millionths.")


@dataclass(frozen=True, kw_only=True)
class ScenarioSet:
    """A set as it is put in force: what it must consist of, and how many of its worst losses count."""

    scenario_set_id: ScenarioSetId = field("The set.")
    scenario_count: Count = field("Scenarios that it has.")
    historical_tail_count: Count = field("Worst losses of the historical ones whose mean is margin.")
    stress_tail_count: Count = field("Of the stress ones.")


@dataclass(frozen=True, kw_only=True)
class InstrumentRisk:
    """What an instrument's price has to do with the factors, and what its margin asks beyond the scenarios.

    Its return is (1 + beta x first) (1 + beta x second) + basis, then times (1 + peg), less one.
    """

    is_modelled: Flag = field("Whether scenarios say its risk; if not, the listing's rate does.")
    first_factor_id: NoFactorId = field("What it follows: the coin, the index, the currency; zero for none.")
    first_beta_ppm: SignedRatePpm = field("How closely.")
    second_factor_id: NoFactorId = field("What else: a name's own residual; zero for none.")
    second_beta_ppm: SignedRatePpm = field("How closely.")
    basis_factor_id: NoFactorId = field("What parts a contract from its underlying; zero for none.")
    peg_factor_id: NoFactorId = field("The currency that it is paid in, when that is not the margin's.")
    half_spread_ppm: RatePpm = field("Half of the bid-ask spread, of the value.")
    impact_ppm: RatePpm = field("What selling a whole day's volume would move the price by.")
    daily_lots: OpenLots = field("Average daily volume; zero asks no impact.")
    carry_ppm: RatePpm = field("Expected funding until the next interval and the fee to close, of the value.")
    basis_ppm: RatePpm = field("Floor under a hedge by another instrument of the same underlying.")
    retail_cap_ppm: RatePpm = field("Least initial margin of a retail client, of the value; zero for none.")
    haircut_ppm: RatePpm = field("Part of the value of a holding that is no collateral.")
    second_from_lots: OpenLots = field("Lots of a holding beyond which another part is none; zero for none.")
    second_haircut_ppm: RatePpm = field("That part, of what is beyond.")
    third_from_lots: OpenLots = field("Lots beyond which yet another part is none; zero for none.")
    third_haircut_ppm: RatePpm = field("That part, of what is beyond.")
    is_single_name: Flag = field("Whether its issuer can fail alone.")


@dataclass(frozen=True, kw_only=True)
class AccountMarginTerms:
    """How an account is protected."""

    is_retail: Flag = field("Whether the caps and the close-out rule of retail clients hold.")
    has_protection: Flag = field("Whether a negative balance is written off; a retail client's always is.")
    own_asset_id: NoAssetId = field("What its owner issues: no holding of it is collateral; zero for none.")


@dataclass(frozen=True, kw_only=True)
class OptionTerms:
    """What an option is a right to, and how uncertain its worth is. Its forward is the underlying's mark.

    Source: Black, The pricing of commodity contracts (1976).
    """

    underlying_instrument_id: NoInstrumentId = field("What it is an option on.")
    underlying_lots: OpenLots = field("Lots of it that one lot of the option is a right to.")
    strike_ticks: AskedTicks = field("The price of exercise, in ticks of the underlying.")
    expiry_epoch_day: EpochDay = field("The day on which it is exercised or not.")
    is_call: Flag = field("Whether it is a right to buy; if not, to sell.")
    volatility_ppm: RatePpm = field("Deviation of the underlying's return in a year, as the market has it.")
    volatility_factor_id: NoFactorId = field("What moves that; zero for nothing.")


@dataclass(frozen=True, kw_only=True)
class VectorPart:
    """Profits of a lot in eight scenarios one after the other, as parts of what the vector is measured by."""

    scenario_set_id: ScenarioSetId = field("The set.")
    first_scenario_no: ScenarioNo = field("The first of the eight.")
    return_1_ppb: VectorReturnPpb = field("In the first.")
    return_2_ppb: VectorReturnPpb = field("In the second.")
    return_3_ppb: VectorReturnPpb = field("In the third.")
    return_4_ppb: VectorReturnPpb = field("In the fourth.")
    return_5_ppb: VectorReturnPpb = field("In the fifth.")
    return_6_ppb: VectorReturnPpb = field("In the sixth.")
    return_7_ppb: VectorReturnPpb = field("In the seventh.")
    return_8_ppb: VectorReturnPpb = field("In the eighth; zero where the set has no more.")


@dataclass(frozen=True, kw_only=True)
class InstrumentVector:
    """A vector that was computed outside, as it is put in force."""

    scenario_set_id: ScenarioSetId = field("The set that it belongs to.")
    scenario_count: Count = field("Scenarios that it has.")
    reference_minor: Minor = field("What its profits are parts of: a lot of the underlying's value.")
    delta_ppm: SignedRatePpm = field("What part of that a lot counts as in charges; a put's is negative.")


# Commands ---------------------------------------------------------------------------------------------------


@record(table="set_margin_model", key="sequence", role=Role.COMMAND, type_code=70)
class SetMarginModel(MarginModel, Command):
    """Ask for other parameters of the margin model."""

    operator_id: PersonId = field("Who asked.")


@record(table="add_scenario", key="sequence", role=Role.COMMAND, type_code=71)
class AddScenario(Scenario, Command):
    """Add a scenario to the set that is being prepared."""


@record(table="set_factor_return", key="sequence", role=Role.COMMAND, type_code=72)
class SetFactorReturn(FactorReturn, Command):
    """Say how far a factor moves in a scenario of the set that is being prepared."""


@record(table="activate_scenarios", key="sequence", role=Role.COMMAND, type_code=73)
class ActivateScenarios(ScenarioSet, Command):
    """Put the prepared set in force for every account, from the next order on."""

    operator_id: PersonId = field("Who asked.")


@record(table="name_factor", key="sequence", role=Role.COMMAND, type_code=74)
class NameFactor(Command):
    """Give a factor its number."""

    factor_id: FactorId = field("The factor.")
    symbol_packed: Packed = field("What it is called.")


@record(table="set_instrument_risk", key="sequence", role=Role.COMMAND, type_code=75)
class SetInstrumentRisk(InstrumentRisk, Command):
    """Say what an instrument's risk is."""

    instrument_id: AskedInstrumentId = field("The instrument.")


@record(table="set_account_margin", key="sequence", role=Role.COMMAND, type_code=76)
class SetAccountMargin(AccountMarginTerms, Command):
    """Say how an account is protected."""

    account_id: AskedAccountId = field("The account.")


@record(table="report_margins", key="sequence", role=Role.COMMAND, type_code=77)
class ReportMargins(Command):
    """Ask for the margin of every account as it is now, and for what it is computed of."""

    business_epoch_day: EpochDay = field("The business day that it is the figure of.")


@record(table="review_margin", key="sequence", role=Role.COMMAND, type_code=78)
class ReviewMargin(Command):
    """Ask where an account stands now: after what was done about it."""

    account_id: AskedAccountId = field("The account.")


@record(table="take_over_account", key="sequence", role=Role.COMMAND, type_code=79)
class TakeOverAccount(Command):
    """Ask the house to take over what cannot be closed in the market; an unpaid rest is written off or owed."""

    account_id: AskedAccountId = field("Whose positions.")
    house_account_id: AskedAccountId = field("The firm's own account that takes them.")


@record(table="set_option_terms", key="sequence", role=Role.COMMAND, type_code=98)
class SetOptionTerms(OptionTerms, Command):
    """Say what an option is a right to."""

    instrument_id: AskedInstrumentId = field("The option.")


@record(table="set_vector_part", key="sequence", role=Role.COMMAND, type_code=99)
class SetVectorPart(VectorPart, Command):
    """Give the next eight profits of the vector that is being prepared for an instrument."""

    instrument_id: AskedInstrumentId = field("The instrument.")


@record(table="activate_vector", key="sequence", role=Role.COMMAND, type_code=100)
class ActivateVector(InstrumentVector, Command):
    """Value an instrument by the vector that was prepared: now, or as its set comes in force."""

    instrument_id: AskedInstrumentId = field("The instrument.")


# Events -----------------------------------------------------------------------------------------------------


@record(table="margins", key="sequence", role=Role.EVENT, type_code=130)
class MarginChanged(Event):
    """An account's margin after a command that moved it; written in the same pass as the execution."""

    account_id: AccountId = field("The account.")
    equity_minor: MinorUnits = field("Cash plus the value of positions at their marks, in US cents.")
    initial_margin_minor: Minor = field("What positions and open orders require, in US cents.")


@record(table="margin_models", key="sequence", role=Role.EVENT, type_code=131)
class MarginModelSet(MarginModel, Event):
    """The parameters of the margin model from now on."""

    operator_id: PersonId = field("Who asked.")


@record(table="scenarios", key="sequence", role=Role.EVENT, type_code=132)
class ScenarioAdded(Scenario, Event):
    """A scenario is in the set that is being prepared."""


@record(table="factor_returns", key="sequence", role=Role.EVENT, type_code=133)
class FactorReturnSet(FactorReturn, Event):
    """How far a factor moves in a scenario."""


@record(table="scenario_sets", key="sequence", role=Role.EVENT, type_code=134)
class ScenariosActivated(ScenarioSet, Event):
    """Every account is margined by this set from now on."""

    operator_id: PersonId = field("Who asked.")


@record(table="risk_factors", key="factor_id", role=Role.EVENT, type_code=135)
class FactorNamed(Event):
    """A factor has its number for ever."""

    factor_id: FactorId = field("The factor.")
    symbol_packed: Packed = field("What it is called.")


@record(table="instrument_risks", key="sequence", role=Role.EVENT, type_code=136)
class InstrumentRiskSet(InstrumentRisk, Event):
    """What an instrument's risk is from now on."""

    instrument_id: InstrumentId = field("The instrument.")


@record(table="account_margins", key="sequence", role=Role.EVENT, type_code=137)
class AccountMarginSet(AccountMarginTerms, Event):
    """How an account is protected from now on."""

    account_id: AccountId = field("The account.")


@record(table="margin_states", key="sequence", role=Role.EVENT, type_code=138)
class MarginStateChanged(Event):
    """An account went over a line between equity and what it needs."""

    account_id: AccountId = field("The account.")
    margin_state_code: MarginStateCode = field("Where it stands now.")
    equity_minor: MinorUnits = field("Its equity.")
    initial_margin_minor: Minor = field("What positions and open orders require.")
    maintenance_margin_minor: Minor = field("What positions alone require.")


@record(table="margin_reports", key="sequence", role=Role.EVENT, type_code=139)
class MarginReported(Event):
    """The margin of an account, for the record of a business day."""

    business_epoch_day: EpochDay = field("The business day.")
    account_id: AccountId = field("The account.")
    margin_state_code: MarginStateCode = field("Where it stands.")
    equity_minor: MinorUnits = field("Its equity.")
    initial_margin_minor: Minor = field("What positions and open orders require.")
    maintenance_margin_minor: Minor = field("What positions alone require.")


@record(table="margin_report_positions", key="sequence", role=Role.EVENT, type_code=180)
class MarginPositionReported(Event):
    """What an account's reported margin is computed of, in one instrument."""

    business_epoch_day: EpochDay = field("The business day.")
    account_id: AccountId = field("The account.")
    instrument_id: InstrumentId = field("The instrument.")
    held_lots: SignedLots = field("What it holds.")
    cost_minor: MinorUnits = field("What a contract's position cost since the last variation.")
    open_buy_lots: OpenLots = field("What its bids reserve for.")
    open_sell_lots: OpenLots = field("What its asks reserve for.")
    open_loss_minor: Minor = field("What its orders would lose as they fill: to the mark, and in fees.")
    mark_ticks: AskedTicks = field("The mark.")


@record(table="margin_reviews", key="sequence", role=Role.EVENT, type_code=181)
class MarginReviewed(Event):
    """It was asked where an account stands; the margin that follows tells."""

    account_id: AccountId = field("The account.")


@record(table="takeovers", key="sequence", role=Role.EVENT, type_code=182)
class PositionTakenOver(Event):
    """The house took a client's whole position in an instrument, at the mark."""

    account_id: AccountId = field("Whose it was.")
    house_account_id: AccountId = field("Whose it is.")
    instrument_id: InstrumentId = field("The instrument.")
    taken_lots: SignedLots = field("What was taken.")
    mark_ticks: AskedTicks = field("At which price.")
    taken_cost_minor: MinorUnits = field("What a contract had cost; it goes with the position.")
    paid_minor: MinorUnits = field("What the house pays for it; negative is what the client pays.")


@record(table="deficits_written_off", key="sequence", role=Role.EVENT, type_code=183)
class DeficitWrittenOff(Event):
    """The firm bears what a protected client owed beyond all that it had.

    Source: ESMA Decision (EU) 2018/796, article 2 (negative balance protection).
    """

    account_id: AccountId = field("The client's account; it stands at zero now.")
    deficit_minor: Minor = field("What the firm bears.")


@record(table="option_terms", key="sequence", role=Role.EVENT, type_code=184)
class OptionTermsSet(OptionTerms, Event):
    """What an option is a right to from now on."""

    instrument_id: InstrumentId = field("The option.")


@record(table="vector_parts", key="sequence", role=Role.EVENT, type_code=185)
class VectorPartSet(VectorPart, Event):
    """Eight profits more of the vector that is being prepared for an instrument."""

    instrument_id: InstrumentId = field("The instrument.")


@record(table="instrument_vectors", key="sequence", role=Role.EVENT, type_code=186)
class VectorActivated(InstrumentVector, Event):
    """An instrument is valued by the prepared vector as long as its set is in force."""

    instrument_id: InstrumentId = field("The instrument.")


# State ------------------------------------------------------------------------------------------------------


@record(table="position_states", key="position_lots", role=Role.STATE)
class PositionRow:
    """What an account holds and has open in one instrument."""

    position_lots: SignedLots = field("Trade-date position.")
    cost_minor: MinorUnits = field("What the position cost since the last variation; contracts only.")
    open_buy_lots: OpenLots = field("Resting bids.")
    open_sell_lots: OpenLots = field("Resting asks.")
    open_buy_minor: Minor = field("What resting bids would cost at their limits, fees included.")
    open_loss_minor: Minor = field("What open orders would lose as they fill: to the mark, and in fees.")
    reduce_buy_lots: OpenLots = field("Of the resting bids, those that may only reduce.")
    reduce_sell_lots: OpenLots = field("Of the resting asks, those that may only reduce.")
    day_net_lots: SignedLots = field("Bought less sold on the business day.")
    day_net_minor: MinorUnits = field("Paid less received for them.")


@record(table="instrument_risk_states", key="is_modelled", role=Role.STATE)
class InstrumentRiskRow(InstrumentRisk):
    """An instrument's risk as the compiled pass sees it; row number is instrument_id."""

    reference_minor: Minor = field(
        "What the profits of a given vector are parts of; zero: the value at the mark."
    )
    delta_minor: MinorUnits = field("What a lot with a given vector counts as in charges.")


@record(table="margin_model_states", key="initial_ppm", role=Role.STATE)
class MarginModelRow(MarginModel):
    """The parameters of the margin model as the compiled pass sees them; one row."""


@record(table="account_margin_states", key="is_retail", role=Role.STATE)
class AccountMarginRow(AccountMarginTerms):
    """What margin knows of an account besides its positions; row number is account_id."""

    margin_state_code: MarginStateCode = field("Where it stood when it was last told.")
