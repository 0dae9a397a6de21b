"""Double entry in every asset: one posting is one debit and one credit of the same amount."""

from __future__ import annotations

from schemas.codes import ReserveFormula
from schemas.headers import Command, Event
from schemas.kinds import (
    AskedFlag,
    AskedUnits,
    AssetId,
    AssetUnits,
    BankId,
    DocumentId,
    EpochDay,
    Flag,
    LedgerAccountKindCode,
    Minor,
    NoDocumentId,
    PartyId,
    PaymentId,
    PersonId,
    PostingReasonCode,
    ReferenceId,
    ReserveFormulaCode,
)
from schemas.record import Role, field, record

MAIN_RESERVE_BANK = 1
"""The bank of a reserve order that names none."""


@record(table="contribute_capital", key="sequence", role=Role.COMMAND, type_code=30)
class ContributeCapital(Command):
    """The owners put money into the firm's bank account."""

    asset_id: AssetId = field("The currency.")
    amount_units: AskedUnits = field("How much, in minor units.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="borrow_from_bank", key="sequence", role=Role.COMMAND, type_code=31)
class BorrowFromBank(Command):
    """Borrow money from a bank against securities from custody."""

    bank_id: BankId = field("The lender.")
    money_asset_id: AssetId = field("The currency.")
    loan_units: AskedUnits = field("Money borrowed, in minor units.")
    pledged_asset_id: AssetId = field("The security pledged.")
    pledged_units: AskedUnits = field("How many units go from custody to the bank.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="order_reserve_deposit", key="sequence", role=Role.COMMAND, type_code=32)
class OrderReserveDeposit(Command):
    """Order money into (or out of) a special reserve bank account. Source: 17 CFR 240.15c3-3(e)."""

    payment_id: PaymentId = field("The payment's number; asking twice moves money once.")
    asset_id: AssetId = field("The currency.")
    amount_units: AskedUnits = field("Minor units: positive deposits, negative withdraws.")
    as_of_epoch_day: EpochDay = field("The day computed for.")
    preparer_operator_id: PersonId = field("Who computed.")
    approver_operator_id: PersonId = field("Who approved; somebody else.")
    bank_id: BankId = field("The bank of the reserve account.", default=MAIN_RESERVE_BANK)
    reserve_formula_code: ReserveFormulaCode = field(
        "Whose reserve account at that bank.", default=int(ReserveFormula.CUSTOMER)
    )


@record(table="open_reserve_account", key="sequence", role=Role.COMMAND, type_code=97)
class OpenReserveAccount(Command):
    """Record a special reserve bank account and the bank's letter on it. Source: 17 CFR 240.15c3-3(e), (f)."""

    bank_id: BankId = field("The bank.")
    reserve_formula_code: ReserveFormulaCode = field("For whose exclusive benefit.")
    is_affiliate: AskedFlag = field("Whether the bank is an affiliate, whose cash does not count.")
    letter_document_id: NoDocumentId = field("The bank's letter and contract; must be on file.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="postings", key="sequence", role=Role.EVENT, type_code=140)
class Posting(Event):
    """One debit and one credit of the same amount of one asset. Postings are never changed.

    Trade date and settlement date are two views of the same postings: the value date tells them apart.
    Source: 17 CFR 240.17a-3(a)(2) and (a)(5).
    """

    posting_reason_code: PostingReasonCode = field("Why.")
    asset_id: AssetId = field("What moved.")
    amount_units: AssetUnits = field("How much.")
    debit_account_kind_code: LedgerAccountKindCode = field("Chart account debited.")
    debit_party_id: PartyId = field("Whose.")
    credit_account_kind_code: LedgerAccountKindCode = field("Chart account credited.")
    credit_party_id: PartyId = field("Whose.")
    reference_id: ReferenceId = field("Sequence of the fill, obligation or command behind it.")
    value_epoch_day: EpochDay = field("When it counts in the settlement-date view.")


@record(table="bank_loans", key="sequence", role=Role.EVENT, type_code=141)
class BankLoanTaken(Event):
    """Money was borrowed against securities carried for customers. Source: 17 CFR 240.15c3-3a, item 2."""

    bank_id: BankId = field("The lender.")
    money_asset_id: AssetId = field("The currency.")
    loan_units: AssetUnits = field("Money borrowed.")
    pledged_asset_id: AssetId = field("The security pledged.")
    pledged_units: AssetUnits = field("How many.")


@record(table="reserve_deposits", key="payment_id", role=Role.EVENT, type_code=142)
class ReserveDepositOrdered(Event):
    """A reserve deposit or withdrawal was ordered by one person and approved by another."""

    payment_id: PaymentId = field("The payment.")
    asset_id: AssetId = field("The currency.")
    deposit_minor: Minor = field("Into the reserve account; zero on a withdrawal.")
    withdrawal_minor: Minor = field("Out of the reserve account; zero on a deposit.")
    as_of_epoch_day: EpochDay = field("The day computed for.")
    preparer_operator_id: PersonId = field("Who computed.")
    approver_operator_id: PersonId = field("Who approved.")
    bank_id: BankId = field("The bank of the reserve account.", default=MAIN_RESERVE_BANK)
    reserve_formula_code: ReserveFormulaCode = field(
        "Whose reserve account at that bank.", default=int(ReserveFormula.CUSTOMER)
    )


@record(table="reserve_accounts", key="sequence", role=Role.EVENT, type_code=207)
class ReserveAccountOpened(Event):
    """Money may be deposited at a bank for the exclusive benefit of customers, or of brokers and dealers."""

    bank_id: BankId = field("The bank.")
    reserve_formula_code: ReserveFormulaCode = field("For whose exclusive benefit.")
    is_affiliate: Flag = field("Whether the bank is an affiliate.", cite="17 CFR 240.15c3-3(e)(5)")
    letter_document_id: DocumentId = field("The bank's letter and contract.", cite="17 CFR 240.15c3-3(f)")
    operator_id: PersonId = field("Who recorded it.")


@record(table="capital_contributions", key="sequence", role=Role.EVENT, type_code=143)
class CapitalContributed(Event):
    """The owners' money arrived at the firm's bank."""

    asset_id: AssetId = field("The currency.")
    amount_units: AssetUnits = field("How much, in minor units.")
    operator_id: PersonId = field("Who recorded it.")
