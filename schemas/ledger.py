"""Double entry in every asset: one posting is one debit and one credit of the same amount."""

from __future__ import annotations

from schemas.headers import Command, Event
from schemas.kinds import (
    AskedUnits,
    AssetId,
    AssetUnits,
    BankId,
    EpochDay,
    LedgerAccountKindCode,
    PartyId,
    PersonId,
    PostingReasonCode,
    ReferenceId,
)
from schemas.record import Role, field, record


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


@record(table="capital_contributions", key="sequence", role=Role.EVENT, type_code=143)
class CapitalContributed(Event):
    """The owners' money arrived at the firm's bank."""

    asset_id: AssetId = field("The currency.")
    amount_units: AssetUnits = field("How much, in minor units.")
    operator_id: PersonId = field("Who recorded it.")
