"""Rows that the bank's statement and its advice of single movements share."""

from __future__ import annotations

from schemas.iso20022.codecs import (
    BIC,
    CURRENCY,
    DATE,
    FLAG,
    INSTANT,
    MONEY,
    code,
    external_code,
    free_text,
    reference,
)
from schemas.iso20022.message import Leaf, Repeat, Row
from schemas.iso20022.rows import SIDE, account

HEADER: tuple[Row, ...] = (
    Leaf("GrpHdr/MsgId", "message_reference", reference(), "The bank's reference of the message."),
    Leaf("GrpHdr/CreDtTm", "created_at_ns", INSTANT, "When it was made."),
)

ACCOUNT: tuple[Row, ...] = (
    account("Acct/Id", "own", "Our account."),
    Leaf("Acct/Ccy", "account_currency", CURRENCY, "Its currency."),
    Leaf("Acct/Svcr/FinInstnId/BICFI", "bank_bic", BIC, "The bank."),
)

_REFERENCE = "The payer's reference; ours where we pay."
_ENTRY: tuple[Row, ...] = (
    Leaf("Amt", "amount", MONEY, "How much."),
    Leaf("CdtDbtInd", "side", SIDE, "Credit or debit for us."),
    Leaf("RvslInd", "is_reversal", FLAG, "Whether it takes back an earlier entry.", is_optional=True),
    Leaf("Sts/Cd", "status", code("EntryStatus", "BOOK", "PDNG", "INFO"), "Booked, pending or only told."),
    Leaf("BookgDt/Dt", "booking_epoch_day", DATE, "When it was booked."),
    Leaf("ValDt/Dt", "value_epoch_day", DATE, "From when it counts."),
    Leaf(
        "AcctSvcrRef",
        "entry_reference",
        reference(),
        "The bank's reference; the same in advice and statement.",
    ),
    Leaf("BkTxCd/Domn/Cd", "domain", external_code("Domain"), "Bank transaction code: domain."),
    Leaf("BkTxCd/Domn/Fmly/Cd", "family", external_code("Family"), "Family."),
    Leaf("BkTxCd/Domn/Fmly/SubFmlyCd", "subfamily", external_code("Subfamily"), "Sub-family."),
    Leaf(
        "NtryDtls/TxDtls/Refs/EndToEndId", "end_to_end_reference", reference(), _REFERENCE, is_optional=True
    ),
    Leaf(
        "NtryDtls/TxDtls/RmtInf/Ustrd",
        "remittance",
        free_text(140),
        "What the payer wrote.",
        is_optional=True,
    ),
)

ENTRIES = Repeat("Ntry", "entries", _ENTRY, "One movement.", least=0)
