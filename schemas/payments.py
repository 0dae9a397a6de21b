"""Money and securities that clients bring and take. Beneficiaries stand in the vault, never here."""

from __future__ import annotations

from schemas.headers import Command, Event
from schemas.kinds import (
    AccountId,
    AskedAccountId,
    AskedUnits,
    AssetId,
    AssetUnits,
    PaymentId,
)
from schemas.record import Role, field, record


@record(table="credit_deposit", key="sequence", role=Role.COMMAND, type_code=40)
class CreditDeposit(Command):
    """A client's money arrived at our bank."""

    payment_id: PaymentId = field("The payment's number; asking twice credits once.")
    account_id: AskedAccountId = field("Whose.")
    asset_id: AssetId = field("The currency or token.")
    amount_units: AskedUnits = field("How much.")


@record(table="request_withdrawal", key="sequence", role=Role.COMMAND, type_code=41)
class RequestWithdrawal(Command):
    """A client asks for money to be paid to the beneficiary on file."""

    payment_id: PaymentId = field("The payment's number; asking twice pays once.")
    account_id: AskedAccountId = field("Whose.")
    asset_id: AssetId = field("The currency.")
    amount_units: AskedUnits = field("How much.")


@record(table="confirm_withdrawal", key="sequence", role=Role.COMMAND, type_code=42)
class ConfirmWithdrawal(Command):
    """Our bank reports that a withdrawal was paid."""

    payment_id: PaymentId = field("The payment.")


@record(table="transfer_securities_in", key="sequence", role=Role.COMMAND, type_code=43)
class TransferSecuritiesIn(Command):
    """Securities or tokens that a client held elsewhere arrived in custody."""

    payment_id: PaymentId = field("The transfer's number; asking twice credits once.")
    account_id: AskedAccountId = field("Whose.")
    asset_id: AssetId = field("The security or token.")
    amount_units: AskedUnits = field("How many smallest units.")


@record(table="deposits", key="payment_id", role=Role.EVENT, type_code=150)
class DepositCredited(Event):
    """A client's account was credited with money that arrived."""

    payment_id: PaymentId = field("The payment.")
    account_id: AccountId = field("Whose.")
    asset_id: AssetId = field("The currency or token.")
    amount_units: AssetUnits = field("How much.")


@record(table="withdrawals", key="payment_id", role=Role.EVENT, type_code=151)
class WithdrawalApproved(Event):
    """A withdrawal passed its checks; the client's money is held for it and the bank is to be instructed."""

    payment_id: PaymentId = field("The payment.")
    account_id: AccountId = field("Whose.")
    asset_id: AssetId = field("The currency.")
    amount_units: AssetUnits = field("How much.")


@record(table="withdrawal_payments", key="payment_id", role=Role.EVENT, type_code=152)
class WithdrawalPaid(Event):
    """The bank paid a withdrawal."""

    payment_id: PaymentId = field("The payment.")
    account_id: AccountId = field("Whose.")
    asset_id: AssetId = field("The currency.")
    amount_units: AssetUnits = field("How much.")


@record(table="securities_transfers", key="payment_id", role=Role.EVENT, type_code=153)
class SecuritiesTransferredIn(Event):
    """A client's account was credited with securities that arrived in custody."""

    payment_id: PaymentId = field("The transfer.")
    account_id: AccountId = field("Whose.")
    asset_id: AssetId = field("The security or token.")
    amount_units: AssetUnits = field("How many.")


@record(table="issue_draft", key="sequence", role=Role.COMMAND, type_code=94)
class IssueDraft(Command):
    """Draw a draft on our bank to the order of a client, against the client's balance."""

    payment_id: PaymentId = field("The draft's number; asking twice draws once.")
    account_id: AskedAccountId = field("Whose balance.")
    asset_id: AssetId = field("The currency.")
    amount_units: AskedUnits = field("How much.")


@record(table="confirm_draft", key="sequence", role=Role.COMMAND, type_code=95)
class ConfirmDraft(Command):
    """Our bank reports that a draft was presented and paid."""

    payment_id: PaymentId = field("The draft.")


@record(table="drafts", key="payment_id", role=Role.EVENT, type_code=204)
class DraftIssued(Event):
    """A draft is out; until it is paid it is a credit of the formula. Source: 17 CFR 240.15c3-3a, Note A."""

    payment_id: PaymentId = field("The draft.")
    account_id: AccountId = field("Whose balance.")
    asset_id: AssetId = field("The currency.")
    amount_units: AssetUnits = field("How much.")


@record(table="draft_payments", key="payment_id", role=Role.EVENT, type_code=205)
class DraftPaid(Event):
    """The bank paid a draft."""

    payment_id: PaymentId = field("The draft.")
    account_id: AccountId = field("Whose balance it was.")
    asset_id: AssetId = field("The currency.")
    amount_units: AssetUnits = field("How much.")
