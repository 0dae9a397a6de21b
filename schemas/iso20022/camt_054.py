"""camt.054: a bank's advice of single movements, ahead of its statement."""

from __future__ import annotations

from schemas.iso20022.camt_rows import ACCOUNT, ENTRIES, HEADER
from schemas.iso20022.codecs import INSTANT, reference
from schemas.iso20022.message import Leaf, Repeat, message

CAMT_054 = message(
    "camt.054.001.08",
    "BkToCstmrDbtCdtNtfctn",
    "Bank to customer debit credit notification",
    """Movements as they happen; the statement tells them again with the same references.""",
    (
        *HEADER,
        Repeat(
            "Ntfctn",
            "notifications",
            (
                Leaf("Id", "statement_reference", reference(), "The bank's reference of the advice."),
                Leaf("CreDtTm", "statement_created_at_ns", INSTANT, "When it was made."),
                *ACCOUNT,
                ENTRIES,
            ),
            "One account.",
        ),
    ),
)
