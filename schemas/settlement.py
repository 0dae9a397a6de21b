"""From trades to delivery against payment: obligations, their settlement, their failure."""

from __future__ import annotations

from schemas.headers import Command, Event
from schemas.kinds import (
    AccountId,
    AskedObligationId,
    AskedUnits,
    AssetId,
    Count,
    EpochDay,
    InstrumentId,
    Minor,
    MinorUnits,
    NoAssetId,
    ObligationId,
    ObligationSideCode,
    SignedLots,
    SignedUnits,
    Ticks,
)
from schemas.record import Role, field, record


@record(table="run_settlement_cycle", key="sequence", role=Role.COMMAND, type_code=50)
class RunSettlementCycle(Command):
    """Net the day's trades into obligations per account and instrument, and settle variation of contracts."""

    trade_epoch_day: EpochDay = field("The business day to net.")


@record(table="confirm_settlement", key="sequence", role=Role.COMMAND, type_code=51)
class ConfirmSettlement(Command):
    """The clearing house reports a delivery against payment, full or partial."""

    obligation_id: AskedObligationId = field("Which obligation.")
    settled_units: AskedUnits = field("Units delivered now.")
    settled_minor: MinorUnits = field("Money paid now.")


@record(table="report_settlement_failure", key="sequence", role=Role.COMMAND, type_code=52)
class ReportSettlementFailure(Command):
    """The clearing house reports that what is left of an obligation did not settle on its date."""

    obligation_id: AskedObligationId = field("Which obligation.")


@record(table="obligations", key="obligation_id", role=Role.EVENT, type_code=160)
class SettlementInstructed(Event):
    """One netted obligation towards the clearing house was instructed. Source: 17 CFR 240.15c6-1(a)."""

    obligation_id: ObligationId = field("Equals the event's sequence.")
    account_id: AccountId = field("For whose trades.")
    instrument_id: InstrumentId = field("What was traded.")
    asset_id: NoAssetId = field("What is delivered; zero when only money moves.")
    quote_asset_id: AssetId = field("What is paid.")
    obligation_side_code: ObligationSideCode = field("What the account does.")
    obligation_units: SignedUnits = field("Units to deliver or receive; zero when only money moves.")
    obligation_minor: Minor = field("Money to pay or collect.")
    trade_epoch_day: EpochDay = field("Business day of the trades.")
    settlement_epoch_day: EpochDay = field("Contractual settlement date.")


@record(table="settlements", key="sequence", role=Role.EVENT, type_code=161)
class SettlementConfirmed(Event):
    """A delivery against payment happened, full or partial."""

    obligation_id: ObligationId = field("Which obligation.")
    settled_units: SignedUnits = field("Units delivered now.")
    settled_minor: Minor = field("Money paid now.")
    open_units: SignedUnits = field("Units still open afterwards.")
    open_minor: Minor = field("Money still open afterwards.")


@record(table="settlement_failures", key="sequence", role=Role.EVENT, type_code=162)
class SettlementFailed(Event):
    """What was left of an obligation failed; it ages from its settlement date. Source: 17 CFR 240.15c3-3a, items 4 and 12."""

    obligation_id: ObligationId = field("Which obligation.")
    failed_units: SignedUnits = field("Units not delivered.")
    failed_minor: Minor = field("Contract value not paid.")


@record(table="variations", key="sequence", role=Role.EVENT, type_code=163)
class VariationSettled(Event):
    """A contract position was marked and its gain or loss moved to cash."""

    account_id: AccountId = field("Whose.")
    instrument_id: InstrumentId = field("Which contract.")
    position_lots: SignedLots = field("The position marked.")
    mark_ticks: Ticks = field("The settlement price.")
    variation_minor: MinorUnits = field("Gain of the account; negative is a loss.")


@record(table="settlement_cycles", key="sequence", role=Role.EVENT, type_code=164)
class SettlementCycleCompleted(Event):
    """The trades of a business day so far are netted; only later trades call for another cycle."""

    trade_epoch_day: EpochDay = field("The business day.")
    obligation_count: Count = field("Obligations instructed.")
    variation_count: Count = field("Contract positions whose variation was settled.")
