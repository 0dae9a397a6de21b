"""sese.025: the clearing house confirms that an obligation has settled, in full or in part."""

from __future__ import annotations

from schemas.iso20022.codecs import DATE, INSTANT, code, reference
from schemas.iso20022.message import Fixed, Leaf, message
from schemas.iso20022.rows import (
    MOVEMENT,
    PAYMENT,
    amount_follows_payment,
    instrument,
    quantity,
    settlement_amount,
    settlement_parties,
)

PARTIAL = code("Partial", "PAIN", "PARC")

SESE_025 = message(
    "sese.025.001.11",
    "SctiesSttlmTxConf",
    "Securities settlement transaction confirmation",
    """What has settled now. PAIN says that a part remains open; PARC that parts were confirmed before and
    this is the last; neither says that all settled at once.""",
    (
        Leaf(
            "TxIdDtls/AcctOwnrTxId", "transaction_reference", reference(), "Our reference of the obligation."
        ),
        Leaf("TxIdDtls/AcctSvcrTxId", "agent_reference", reference(), "The clearing house's own reference."),
        Leaf("TxIdDtls/SctiesMvmntTp", "movement", MOVEMENT, "Whether we delivered or received."),
        Leaf("TxIdDtls/Pmt", "payment", PAYMENT, "Against payment or free of it."),
        Leaf("AddtlParams/PrtlSttlm", "partial", PARTIAL, "Only on a part.", is_optional=True),
        Leaf("TradDtls/SttlmDt/Dt/Dt", "settlement_epoch_day", DATE, "Contractual settlement date."),
        Leaf("TradDtls/FctvSttlmDt/Dt/DtTm", "settled_at_ns", INSTANT, "When it settled."),
        instrument("FinInstrmId"),
        quantity("QtyAndAcctDtls/SttldQty/Qty", "Units settled now."),
        quantity("QtyAndAcctDtls/RmngToBeSttldQty", "Units still open.", "open_", is_optional=True),
        Leaf(
            "QtyAndAcctDtls/SfkpgAcct/Id", "safekeeping_account", reference(), "Our account at the custodian."
        ),
        Fixed("SttlmParams/SctiesTxTp/Cd", "NETT", "The obligation is the net of a day's trades."),
        *settlement_parties(),
        settlement_amount("SttldAmt"),
    ),
    (amount_follows_payment,),
)
