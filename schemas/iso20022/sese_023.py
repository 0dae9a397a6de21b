"""sese.023: the firm instructs the clearing house to settle one obligation, delivery against payment."""

from __future__ import annotations

from schemas.iso20022.codecs import DATE, reference
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

SESE_023 = message(
    "sese.023.001.11",
    "SctiesSttlmTxInstr",
    "Securities settlement transaction instruction",
    """One netted obligation towards the clearing house. A payment free of delivery has quantity zero.""",
    (
        Leaf("TxId", "transaction_reference", reference(), "Our reference of the obligation."),
        Leaf("SttlmTpAndAddtlParams/SctiesMvmntTp", "movement", MOVEMENT, "Whether we deliver or receive."),
        Leaf("SttlmTpAndAddtlParams/Pmt", "payment", PAYMENT, "Against payment or free of it."),
        Leaf("TradDtls/TradDt/Dt/Dt", "trade_epoch_day", DATE, "Business day of the trades."),
        Leaf("TradDtls/SttlmDt/Dt/Dt", "settlement_epoch_day", DATE, "Contractual settlement date."),
        instrument("FinInstrmId"),
        quantity("QtyAndAcctDtls/SttlmQty/Qty", "Units to settle."),
        Leaf(
            "QtyAndAcctDtls/SfkpgAcct/Id", "safekeeping_account", reference(), "Our account at the custodian."
        ),
        Fixed("SttlmParams/SctiesTxTp/Cd", "NETT", "The obligation is the net of a day's trades."),
        Fixed("SttlmParams/PrtlSttlmInd", "PART", "Partial settlement is allowed."),
        *settlement_parties(),
        settlement_amount("SttlmAmt"),
    ),
    (amount_follows_payment,),
)
