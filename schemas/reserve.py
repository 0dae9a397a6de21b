"""The customer protection reserve: its bank accounts, what goes in and out by two people, and the facts it rests on.

Source: 17 CFR 240.15c3-3. A fact is versioned by being a record: the last one recorded is in force, none is changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.codes import ReserveFormula
from schemas.headers import Command, Event
from schemas.kinds import (
    AskedFlag,
    AskedItemId,
    AskedUnits,
    AssetId,
    AssetUnits,
    BankId,
    CapitalMethodCode,
    ControlStepCode,
    DocumentId,
    EpochDay,
    Flag,
    ItemId,
    Minor,
    MinorUnits,
    NoDocumentId,
    PaymentId,
    PersonId,
    ReserveFormulaCode,
    SignedUnits,
    Word,
)
from schemas.record import Role, field, record

MAIN_RESERVE_BANK = 1
"""The bank of a reserve order that names none."""


# What both a command and its event say ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReserveOrderBasis:
    """What a reserve order rests on."""

    as_of_epoch_day: EpochDay = field("The day computed for.")
    required_minor: MinorUnits = field(
        "What must be on deposit: the requirement less what customers' excess debits cover.",
        cite="17 CFR 240.15c3-3(e)(1), (e)(4)",
    )
    eligible_minor: MinorUnits = field(
        "What counted on deposit when it was computed.", cite="17 CFR 240.15c3-3(e)(5)"
    )
    filing_a_word: Word = field(
        "SHA-256 of the computation as filed, bytes 0 to 7; zero where none is.", default=0
    )
    filing_b_word: Word = field("Bytes 8 to 15.", default=0)
    filing_c_word: Word = field("Bytes 16 to 23.", default=0)
    filing_d_word: Word = field("Bytes 24 to 31.", default=0)
    operator_id: PersonId = field("Who prepared it: the maker.")
    bank_id: BankId = field("The bank of the reserve account.", default=MAIN_RESERVE_BANK)
    reserve_formula_code: ReserveFormulaCode = field(
        "Whose reserve account at that bank.", default=int(ReserveFormula.CUSTOMER)
    )


@dataclass(frozen=True, kw_only=True)
class BankEquity:
    """A bank's equity capital, of which 15 % bounds the cash that counts there. Source: 17 CFR 240.15c3-3(e)(5)."""

    bank_id: BankId = field("The bank.")
    equity_minor: MinorUnits = field("Equity capital of its latest Call Report, in cents.")
    as_of_epoch_day: EpochDay = field("The day the report is of.")
    operator_id: PersonId = field("Who recorded it.")


@dataclass(frozen=True, kw_only=True)
class FirmCapital:
    """A net capital computation, as far as reserve and notices rest on it. Source: 17 CFR 240.15c3-1, 240.17a-11."""

    tentative_net_capital_minor: MinorUnits = field(
        "Net capital before haircuts.", cite="240.15c3-3a, Note E(5)"
    )
    net_capital_minor: MinorUnits = field("Net capital.")
    aggregate_indebtedness_minor: MinorUnits = field("Aggregate indebtedness.")
    aggregate_debit_items_minor: MinorUnits = field(
        "Aggregate debit items, before the 2 % or 3 % are taken off."
    )
    customer_funds_minor: MinorUnits = field("Funds of customers held.", cite="17 CFR 240.15c3-3(e)(3)(i)(C)")
    as_of_epoch_day: EpochDay = field("The day computed for.")
    operator_id: PersonId = field("Who recorded it.")


@dataclass(frozen=True, kw_only=True)
class FocusTotals:
    """Total credits of a month-end FOCUS report as filed. Source: 17 CFR 240.15c3-3(e)(3)(i)(B)(1)."""

    month_epoch_day: EpochDay = field("The last calendar day of its month.")
    filed_epoch_day: EpochDay = field("When it was filed.")
    customer_credits_minor: MinorUnits = field("Total credits of the customers' formula.")
    pab_credits_minor: MinorUnits = field("Total credits of the PAB formula.")
    operator_id: PersonId = field("Who recorded it.")


@dataclass(frozen=True, kw_only=True)
class ReserveElection:
    """What a firm elected and gave notice of, in whole. Zero days are none. Source: 17 CFR 240.15c3-3(e)(3)."""

    capital_method_code: CapitalMethodCode = field("How net capital is reckoned.")
    voluntary_notice_epoch_day: EpochDay = field("Notice of voluntary daily computation.", cite="(e)(3)(v)")
    voluntary_begin_epoch_day: EpochDay = field("When that begins, if later than 30 days after the notice.")
    voluntary_end_epoch_day: EpochDay = field("From when the examining authority approved leaving it.")
    exit_notice_epoch_day: EpochDay = field(
        "Notice of leaving required daily computation.", cite="(e)(3)(i)(B)(2)"
    )
    required_begin_epoch_day: EpochDay = field(
        "The first day computed daily as required, if before it had to be."
    )
    operator_id: PersonId = field("Who recorded it.")


# Accounts -----------------------------------------------------------------------------------------------------


@record(table="open_reserve_account", key="sequence", role=Role.COMMAND, type_code=97)
class OpenReserveAccount(Command):
    """Record a special reserve bank account and the bank's letter on it. Source: 17 CFR 240.15c3-3(e), (f)."""

    bank_id: BankId = field("The bank.")
    reserve_formula_code: ReserveFormulaCode = field("For whose exclusive benefit.")
    is_affiliate: AskedFlag = field("Whether the bank is an affiliate, whose cash does not count.")
    letter_document_id: NoDocumentId = field("The bank's letter and contract; must be on file.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="reserve_accounts", key="sequence", role=Role.EVENT, type_code=207)
class ReserveAccountOpened(Event):
    """Money may be deposited at a bank for the exclusive benefit of customers, or of brokers and dealers."""

    bank_id: BankId = field("The bank.")
    reserve_formula_code: ReserveFormulaCode = field("For whose exclusive benefit.")
    is_affiliate: Flag = field("Whether the bank is an affiliate.", cite="17 CFR 240.15c3-3(e)(5)")
    letter_document_id: DocumentId = field("The bank's letter and contract.", cite="17 CFR 240.15c3-3(f)")
    operator_id: PersonId = field("Who recorded it.")


# Orders, by a maker and a checker -----------------------------------------------------------------------------


@record(table="prepare_reserve_order", key="sequence", role=Role.COMMAND, type_code=209)
class PrepareReserveOrder(ReserveOrderBasis, Command):
    """Put a computation on record and ask for what it moves; nothing moves before somebody else approves."""

    payment_id: PaymentId = field("The order's number; asking twice prepares it once.")
    asset_id: AssetId = field("The dollar, or a qualified security.")
    amount_units: AskedUnits = field(
        "Smallest units: positive deposits, negative withdraws, zero where the computation moves nothing."
    )


@record(table="approve_reserve_order", key="sequence", role=Role.COMMAND, type_code=210)
class ApproveReserveOrder(Command):
    """Approve a prepared order: money or securities move. Source: 17 CFR 240.15c3-3(e)(1), (g)."""

    payment_id: PaymentId = field("The order.")
    operator_id: PersonId = field("Who approves: the checker, somebody other than the maker.")


@record(table="reject_reserve_order", key="sequence", role=Role.COMMAND, type_code=211)
class RejectReserveOrder(Command):
    """Take a prepared order back, or refuse it; its computation no longer counts."""

    payment_id: PaymentId = field("The order.")
    operator_id: PersonId = field("Who withdraws or rejects it: the maker or anybody else.")


@record(table="prepared_reserve_orders", key="payment_id", role=Role.EVENT, type_code=219)
class ReserveOrderPrepared(ReserveOrderBasis, Event):
    """A computation is on record; an order that moves something waits for a second person."""

    payment_id: PaymentId = field("The order.")
    asset_id: AssetId = field("The dollar, or a qualified security.")
    amount_units: SignedUnits = field("Positive deposits, negative withdraws; zero moves nothing.")


@record(table="rejected_reserve_orders", key="payment_id", role=Role.EVENT, type_code=220)
class ReserveOrderRejected(Event):
    """A prepared order was taken back or refused."""

    payment_id: PaymentId = field("The order.")
    operator_id: PersonId = field("Who did so.")


@record(table="reserve_deposits", key="payment_id", role=Role.EVENT, type_code=142)
class ReserveDepositOrdered(Event):
    """A deposit or withdrawal of money, prepared by one person, was approved by another: the bank is to carry it out."""

    payment_id: PaymentId = field("The payment.")
    asset_id: AssetId = field("The currency.")
    deposit_minor: Minor = field("Into the reserve account; zero on a withdrawal.")
    withdrawal_minor: Minor = field("Out of the reserve account; zero on a deposit.")
    as_of_epoch_day: EpochDay = field("The day computed for.")
    preparer_operator_id: PersonId = field("The maker.")
    approver_operator_id: PersonId = field("The checker.")
    bank_id: BankId = field("The bank of the reserve account.", default=MAIN_RESERVE_BANK)
    reserve_formula_code: ReserveFormulaCode = field(
        "Whose reserve account at that bank.", default=int(ReserveFormula.CUSTOMER)
    )


@record(table="reserve_securities", key="payment_id", role=Role.EVENT, type_code=221)
class ReserveSecuritiesMoved(Event):
    """Qualified securities of the firm's own, prepared by one person and approved by another, moved in or out."""

    payment_id: PaymentId = field("The order.")
    asset_id: AssetId = field("The security.")
    moved_units: SignedUnits = field("Into the reserve account; negative is out of it.")
    market_value_minor: Minor = field("What they were worth at the mark; zero without one.")
    as_of_epoch_day: EpochDay = field("The day computed for.")
    preparer_operator_id: PersonId = field("The maker.")
    approver_operator_id: PersonId = field("The checker.")
    bank_id: BankId = field("The bank of the reserve account.")
    reserve_formula_code: ReserveFormulaCode = field("Whose reserve account at that bank.")


# Facts --------------------------------------------------------------------------------------------------------


@record(table="record_bank_equity", key="sequence", role=Role.COMMAND, type_code=212)
class RecordBankEquity(BankEquity, Command):
    """Record the equity capital of a bank that holds a reserve account."""


@record(table="bank_equities", key="sequence", role=Role.EVENT, type_code=222)
class BankEquityRecorded(BankEquity, Event):
    """The equity capital of a bank is on record."""


@record(table="record_firm_capital", key="sequence", role=Role.COMMAND, type_code=213)
class RecordFirmCapital(FirmCapital, Command):
    """Record the firm's net capital computation."""


@record(table="firm_capitals", key="sequence", role=Role.EVENT, type_code=223)
class FirmCapitalRecorded(FirmCapital, Event):
    """The firm's net capital computation is on record."""


@record(table="record_focus_totals", key="sequence", role=Role.COMMAND, type_code=214)
class RecordFocusTotals(FocusTotals, Command):
    """Record total credits of a filed month-end FOCUS report, or of its amendment."""

    is_amended: AskedFlag = field("Whether it takes the place of a report on record.")


@record(table="focus_totals", key="sequence", role=Role.EVENT, type_code=224)
class FocusTotalsRecorded(FocusTotals, Event):
    """Total credits of a filed report are on record; an amended one counts from the day it was filed."""

    is_amended: Flag = field("Whether it takes the place of a report on record.")


@record(table="record_reserve_election", key="sequence", role=Role.COMMAND, type_code=215)
class RecordReserveElection(ReserveElection, Command):
    """Record the method, the elected frequency and the notices given; takes the place of the last record."""

    is_monthly_customer: AskedFlag = field("Whether monthly computation for customers is elected.")
    is_monthly_pab: AskedFlag = field("Whether monthly computation for PAB accounts is elected.")
    has_customer_accounts: AskedFlag = field("Whether the firm carries accounts of customers.")
    has_own_trading: AskedFlag = field("Whether the firm trades for its own account.")


@record(table="reserve_elections", key="sequence", role=Role.EVENT, type_code=225)
class ReserveElectionRecorded(ReserveElection, Event):
    """The method, the elected frequency and the notices given are on record."""

    is_monthly_customer: Flag = field("Whether monthly computation for customers is elected.")
    is_monthly_pab: Flag = field("Whether monthly computation for PAB accounts is elected.")
    has_customer_accounts: Flag = field("Whether the firm carries accounts of customers.")
    has_own_trading: Flag = field("Whether the firm trades for its own account.")


@record(table="record_qualified_security", key="sequence", role=Role.COMMAND, type_code=216)
class RecordQualifiedSecurity(Command):
    """Record that the United States issued or guarantees a security. Source: 17 CFR 240.15c3-3(a)(6)."""

    asset_id: AssetId = field("The security.")
    document_id: NoDocumentId = field("What shows it; must be on file.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="qualified_securities", key="asset_id", role=Role.EVENT, type_code=226)
class QualifiedSecurityRecorded(Event):
    """A security may be deposited in a reserve account."""

    asset_id: AssetId = field("The security.")
    document_id: DocumentId = field("What shows it.")
    operator_id: PersonId = field("Who recorded it.")


# Possession or control ----------------------------------------------------------------------------------------


@record(table="record_control_instruction", key="sequence", role=Role.COMMAND, type_code=217)
class RecordControlInstruction(Command):
    """Record that a place without control was instructed to give securities back. Source: 17 CFR 240.15c3-3(d)."""

    asset_id: AssetId = field("The security.")
    control_step_code: ControlStepCode = field("What was instructed.")
    instructed_units: AskedUnits = field("How many units.")
    due_epoch_day: EpochDay = field(
        "By when they are to be there; zero for the last day that the rule allows."
    )
    operator_id: PersonId = field("Who instructed.")


@record(table="complete_control_instruction", key="sequence", role=Role.COMMAND, type_code=218)
class CompleteControlInstruction(Command):
    """Record that the units of an instruction are in possession or control."""

    item_id: AskedItemId = field("The instruction.")
    operator_id: PersonId = field("Who found so.")


@record(table="control_instructions", key="item_id", role=Role.EVENT, type_code=227)
class ControlInstructionRecorded(Event):
    """Securities are on their way back into possession or control."""

    item_id: ItemId = field("The instruction.")
    asset_id: AssetId = field("The security.")
    control_step_code: ControlStepCode = field("What was instructed.")
    instructed_units: AssetUnits = field("How many units.")
    instructed_epoch_day: EpochDay = field("The business day of the instruction.")
    due_epoch_day: EpochDay = field("By when they are to be there.")
    operator_id: PersonId = field("Who instructed.")


@record(table="completed_control_instructions", key="item_id", role=Role.EVENT, type_code=228)
class ControlInstructionCompleted(Event):
    """The units of an instruction are in possession or control."""

    item_id: ItemId = field("The instruction.")
    completed_epoch_day: EpochDay = field("The business day on which they were found to be.")
    operator_id: PersonId = field("Who found so.")
