"""camt.053: a bank's statement of one or more of the firm's accounts, balances and movements."""

from __future__ import annotations

from schemas.iso20022.camt_rows import ACCOUNT, ENTRIES, HEADER
from schemas.iso20022.codecs import DATE, INSTANT, MONEY_OR_ZERO, NUMBER, code, reference
from schemas.iso20022.message import Leaf, Repeat, message
from schemas.iso20022.rows import SIDE

_BALANCE = (
    Leaf(
        "Tp/CdOrPrtry/Cd",
        "balance_type",
        code("BalanceType", "OPBD", "CLBD", "CLAV", "PRCD"),
        "Which balance.",
    ),
    Leaf("Amt", "amount", MONEY_OR_ZERO, "How much."),
    Leaf("CdtDbtInd", "side", SIDE, "DBIT when overdrawn."),
    Leaf("Dt/Dt", "balance_epoch_day", DATE, "Of what day."),
)

CAMT_053 = message(
    "camt.053.001.08",
    "BkToCstmrStmt",
    "Bank to customer statement",
    """Opening balance plus booked entries must come to the closing balance; the reader checks it.""",
    (
        *HEADER,
        Repeat(
            "Stmt",
            "statements",
            (
                Leaf("Id", "statement_reference", reference(), "The bank's reference of the statement."),
                Leaf("ElctrncSeqNb", "statement_number", NUMBER, "Counts the account's statements."),
                Leaf("CreDtTm", "statement_created_at_ns", INSTANT, "When it was made."),
                *ACCOUNT,
                Repeat("Bal", "balances", _BALANCE, "One balance."),
                ENTRIES,
            ),
            "One account.",
        ),
    ),
)
