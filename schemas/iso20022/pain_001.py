"""pain.001: the firm asks its bank to pay a client's withdrawal to the beneficiary on file."""

from __future__ import annotations

from schemas.iso20022.codecs import (
    ABA,
    BIC,
    CONTROL_SUM,
    COUNTRY,
    DATE,
    INSTANT,
    LEI,
    MONEY,
    UETR,
    free_text,
    reference,
)
from schemas.iso20022.message import Choice, Echo, Fixed, Group, Leaf, message
from schemas.iso20022.rows import account, address

_ROUTING = (
    Fixed("ClrSysId/Cd", "USABA", "A routing number of the United States."),
    Leaf("MmbId", "beneficiary_bank_aba", ABA, "The beneficiary's bank by routing number."),
)

PAIN_001 = message(
    "pain.001.001.09",
    "CstmrCdtTrfInitn",
    "Customer credit transfer initiation",
    """One payment a message, so that one refusal stops one payment. Addresses are structured.""",
    (
        Leaf("GrpHdr/MsgId", "message_reference", reference(), "Unique for ever."),
        Leaf("GrpHdr/CreDtTm", "created_at_ns", INSTANT, "When it was made."),
        Fixed("GrpHdr/NbOfTxs", "1", "One payment."),
        Echo("GrpHdr/CtrlSum", "amount", CONTROL_SUM, "Its amount."),
        Leaf("GrpHdr/InitgPty/Nm", "firm_name", free_text(140), "Who asks."),
        Leaf("GrpHdr/InitgPty/Id/OrgId/LEI", "firm_lei", LEI, "Who asks, by legal entity identifier."),
        Leaf("PmtInf/PmtInfId", "instruction_reference", reference(), "Our reference of the order."),
        Fixed("PmtInf/PmtMtd", "TRF", "A credit transfer."),
        Fixed("PmtInf/NbOfTxs", "1", "One payment."),
        Echo("PmtInf/CtrlSum", "amount", CONTROL_SUM, "Its amount."),
        Leaf("PmtInf/ReqdExctnDt/Dt", "execution_epoch_day", DATE, "When the bank shall pay."),
        Echo("PmtInf/Dbtr/Nm", "firm_name", free_text(140), "Who pays."),
        Leaf("PmtInf/Dbtr/PstlAdr/TwnNm", "firm_town", free_text(35), "Our town."),
        Leaf("PmtInf/Dbtr/PstlAdr/Ctry", "firm_country", COUNTRY, "Our country."),
        Echo("PmtInf/Dbtr/Id/OrgId/LEI", "firm_lei", LEI, "Who pays, by legal entity identifier."),
        account("PmtInf/DbtrAcct/Id", "firm", "From which account."),
        Leaf("PmtInf/DbtrAgt/FinInstnId/BICFI", "bank_bic", BIC, "Our bank."),
        Fixed("PmtInf/ChrgBr", "SHAR", "Each side bears its own bank's charges."),
        Leaf(
            "PmtInf/CdtTrfTxInf/PmtId/InstrId",
            "payment_reference",
            reference(16),
            "Our number of the payment.",
        ),
        Leaf(
            "PmtInf/CdtTrfTxInf/PmtId/EndToEndId",
            "end_to_end_reference",
            reference(),
            "Told to the beneficiary.",
        ),
        Leaf("PmtInf/CdtTrfTxInf/PmtId/UETR", "uetr", UETR, "Minted once a payment.", is_optional=True),
        Leaf("PmtInf/CdtTrfTxInf/Amt/InstdAmt", "amount", MONEY, "How much."),
        Choice(
            "PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId",
            (
                Leaf("BICFI", "beneficiary_bank_bic", BIC, "The beneficiary's bank by BIC."),
                Group(
                    "ClrSysMmbId", _ROUTING, "The beneficiary's bank by routing number.", is_optional=False
                ),
            ),
            "The beneficiary's bank.",
        ),
        Leaf("PmtInf/CdtTrfTxInf/Cdtr/Nm", "beneficiary_name", free_text(140), "Who is paid."),
        *address("PmtInf/CdtTrfTxInf/Cdtr/PstlAdr", "beneficiary"),
        account("PmtInf/CdtTrfTxInf/CdtrAcct/Id", "beneficiary", "To which account."),
        Leaf(
            "PmtInf/CdtTrfTxInf/RmtInf/Ustrd",
            "remittance",
            free_text(140),
            "What we write.",
            is_optional=True,
        ),
    ),
)
