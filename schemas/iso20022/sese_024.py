"""sese.024: the clearing house tells why an obligation has not settled."""

from __future__ import annotations

from schemas.iso20022.codecs import DATE, code, free_text, reference
from schemas.iso20022.message import Choice, Fixed, Group, Leaf, message
from schemas.iso20022.rows import (
    MOVEMENT,
    PAYMENT,
    amount_follows_payment,
    instrument,
    quantity,
    settlement_amount,
)

REASON = code(
    "Reason", "AWMO", "AWSH", "CLAC", "DEPO", "LACK", "LATE", "LINK", "MONY", "NCON", "OTHR", "PART"
)

_PENDING = (
    Leaf("Cd/Cd", "pending_reason", REASON, "Why it waits."),
    Leaf("AddtlRsnInf", "pending_text", free_text(210), "More on it.", is_optional=True),
)
_FAILING = (
    Leaf("Cd/Cd", "failing_reason", REASON, "Why it failed on its date."),
    Leaf("AddtlRsnInf", "failing_text", free_text(210), "More on it.", is_optional=True),
)

SESE_024 = message(
    "sese.024.001.12",
    "SctiesSttlmTxStsAdvc",
    "Securities settlement transaction status advice",
    """What has not settled and why: pending before its settlement date is over, failing after. The quantity
    and the amount are those still open.""",
    (
        Leaf("TxId/AcctOwnrTxId", "transaction_reference", reference(), "Our reference of the obligation."),
        Leaf("TxId/AcctSvcrTxId", "agent_reference", reference(), "The clearing house's own reference."),
        Choice(
            "SttlmSts",
            (
                Group("Pdg/Rsn", _PENDING, "Not due yet, or not past its date.", is_optional=False),
                Group("Flng/Rsn", _FAILING, "Past its date.", is_optional=False),
            ),
            "Pending or failing.",
        ),
        Leaf("TxDtls/SfkpgAcct/Id", "safekeeping_account", reference(), "Our account at the custodian."),
        instrument("TxDtls/FinInstrmId"),
        quantity("TxDtls/SttlmQty/Qty", "Units still open."),
        settlement_amount("TxDtls/SttlmAmt"),
        Leaf("TxDtls/SttlmDt/Dt/Dt", "settlement_epoch_day", DATE, "Contractual settlement date."),
        Leaf("TxDtls/SctiesMvmntTp", "movement", MOVEMENT, "Whether we deliver or receive."),
        Leaf("TxDtls/Pmt", "payment", PAYMENT, "Against payment or free of it."),
        Fixed("TxDtls/SttlmParams/SctiesTxTp/Cd", "NETT", "The obligation is the net of a day's trades."),
    ),
    (amount_follows_payment,),
)
