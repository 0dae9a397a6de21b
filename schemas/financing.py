"""Securities against money for a time: stock borrow and loan, repo, bank loans repaid, margin at clearing agencies."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.headers import Command, Event
from schemas.kinds import (
    AccountClassCode,
    AskedAccountId,
    AskedItemId,
    AskedUnits,
    AssetId,
    AssetUnits,
    ClearingAgencyCode,
    CounterpartyId,
    EpochDay,
    FinancingKindCode,
    ItemId,
    NoItemId,
    PersonId,
    SignedUnits,
)
from schemas.record import Role, field, record


@record(table="open_financing", key="sequence", role=Role.COMMAND, type_code=80)
class OpenFinancing(Command):
    """Borrow or lend securities against money, or sell or buy them under an agreement to reverse it."""

    financing_kind_code: FinancingKindCode = field("Who gives what.")
    counterparty_id: CounterpartyId = field("With whom.")
    asset_id: AssetId = field("The security.")
    financed_units: AskedUnits = field("How many units.")
    money_asset_id: AssetId = field("The currency.")
    money_units: AskedUnits = field("Money against them, in minor units.")
    conduit_item_id: AskedItemId = field("The borrow that a loan passes on; zero for none.")
    opened_epoch_day: EpochDay = field("Since when; zero for today, never after.")
    operator_id: PersonId = field("Who agreed.")


@record(table="reduce_financing", key="sequence", role=Role.COMMAND, type_code=81)
class ReduceFinancing(Command):
    """Securities or money of a financing went back, a part or all; also how collateral is marked down."""

    item_id: AskedItemId = field("The financing.")
    returned_units: AskedUnits = field("Securities that went back; may be zero.")
    returned_money_units: AskedUnits = field("Money that went back the other way; may be zero.")
    operator_id: PersonId = field("Who agreed.")


@record(table="repay_bank_loan", key="sequence", role=Role.COMMAND, type_code=82)
class RepayBankLoan(Command):
    """Pay back a bank loan and take back its collateral, a part or all."""

    item_id: AskedItemId = field("The loan.")
    repaid_units: AskedUnits = field("Money paid back, in minor units; may be zero.")
    released_units: AskedUnits = field("Securities that come back to custody; may be zero.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="post_clearing_margin", key="sequence", role=Role.COMMAND, type_code=83)
class PostClearingMargin(Command):
    """Deposit margin with a clearing agency, in money or securities."""

    clearing_agency_code: ClearingAgencyCode = field("With whom.")
    account_class_code: AccountClassCode = field("For whose positions.")
    account_id: AskedAccountId = field("For which account's; zero where the agency margins all together.")
    asset_id: AssetId = field("The currency or security.")
    margin_units: AskedUnits = field("How much.")
    opened_epoch_day: EpochDay = field("Since when; zero for today, never after.")
    operator_id: PersonId = field("Who ordered it.")


@record(table="return_clearing_margin", key="sequence", role=Role.COMMAND, type_code=84)
class ReturnClearingMargin(Command):
    """A clearing agency gave margin back, a part or all."""

    item_id: AskedItemId = field("The margin.")
    returned_units: AskedUnits = field("How much came back.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="financings", key="item_id", role=Role.EVENT, type_code=190)
class FinancingOpened(Event):
    """Securities and money changed hands for a time. Source: 17 CFR 240.15c3-3a, Items 2, 3 and 11."""

    item_id: ItemId = field("Equals the event's sequence.")
    financing_kind_code: FinancingKindCode = field("Who gives what.")
    counterparty_id: CounterpartyId = field("With whom.")
    asset_id: AssetId = field("The security.")
    financed_units: AssetUnits = field("How many units.")
    money_asset_id: AssetId = field("The currency.")
    money_units: AssetUnits = field("Money against them, in minor units.")
    conduit_item_id: NoItemId = field("The borrow that this loan passes on; zero for none.")
    opened_epoch_day: EpochDay = field("Since when.")
    operator_id: PersonId = field("Who agreed.")


@dataclass(frozen=True, kw_only=True)
class Reduced:
    """What is left of an open position of securities and money."""

    item_id: ItemId = field("Which.")
    open_units: SignedUnits = field("Securities still out or in.")
    open_money_units: SignedUnits = field("Money still out or in.")
    operator_id: PersonId = field("Who agreed or recorded it.")


@record(table="financing_returns", key="sequence", role=Role.EVENT, type_code=191)
class FinancingReduced(Reduced, Event):
    """A financing became less, or ended."""

    returned_units: SignedUnits = field("Securities that went back.")
    returned_money_units: SignedUnits = field("Money that went back.")


@record(table="bank_loan_repayments", key="sequence", role=Role.EVENT, type_code=192)
class BankLoanRepaid(Reduced, Event):
    """A bank loan became less, or ended."""

    repaid_units: SignedUnits = field("Money paid back.")
    released_units: SignedUnits = field("Securities that came back to custody.")


@record(table="clearing_margins", key="item_id", role=Role.EVENT, type_code=193)
class ClearingMarginPosted(Event):
    """Margin is on deposit with a clearing agency. Source: 17 CFR 240.15c3-3a, Items 13 to 15, Notes F to H."""

    item_id: ItemId = field("Equals the event's sequence.")
    clearing_agency_code: ClearingAgencyCode = field("With whom.")
    account_class_code: AccountClassCode = field("For whose positions.")
    account_id: AskedAccountId = field("For which account's; zero for all of the class together.")
    asset_id: AssetId = field("The currency or security.")
    margin_units: AssetUnits = field("How much.")
    opened_epoch_day: EpochDay = field("Since when.")
    operator_id: PersonId = field("Who ordered it.")


@record(table="clearing_margin_returns", key="sequence", role=Role.EVENT, type_code=194)
class ClearingMarginReturned(Event):
    """Margin came back."""

    item_id: ItemId = field("Which.")
    returned_units: AssetUnits = field("How much came back.")
    open_units: SignedUnits = field("How much is still on deposit.")
    operator_id: PersonId = field("Who recorded it.")
