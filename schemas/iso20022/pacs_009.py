"""pacs.009: the firm moves its own funds between its nostro account and its special reserve account."""

from __future__ import annotations

from schemas.iso20022.codecs import BIC, DATE, INSTANT, LEI, MONEY, UETR, free_text, reference
from schemas.iso20022.message import Echo, Fixed, Leaf, message

_TX = "CdtTrfTxInf"

PACS_009 = message(
    "pacs.009.001.08",
    "FICdtTrf",
    "Financial institution credit transfer",
    """A deposit into, or a withdrawal from, the special reserve bank account: the firm is debtor and creditor,
    only the accounts and their banks differ. It settles over the debtor's account at the instructed bank.""",
    (
        Leaf("GrpHdr/MsgId", "message_reference", reference(), "Unique for ever."),
        Leaf("GrpHdr/CreDtTm", "created_at_ns", INSTANT, "When it was made."),
        Fixed("GrpHdr/NbOfTxs", "1", "One transfer."),
        Fixed("GrpHdr/SttlmInf/SttlmMtd", "INDA", "Over our account at the instructed bank."),
        Leaf("GrpHdr/SttlmInf/SttlmAcct/Id/Othr/Id", "debtor_account", reference(34), "From which account."),
        Leaf(f"{_TX}/PmtId/InstrId", "payment_reference", reference(16), "Our number of the payment."),
        Leaf(
            f"{_TX}/PmtId/EndToEndId", "end_to_end_reference", reference(), "Comes back on both statements."
        ),
        Leaf(f"{_TX}/PmtId/UETR", "uetr", UETR, "Minted once a payment.", is_optional=True),
        Leaf(f"{_TX}/IntrBkSttlmAmt", "amount", MONEY, "How much."),
        Leaf(f"{_TX}/IntrBkSttlmDt", "settlement_epoch_day", DATE, "When it must count."),
        Fixed(f"{_TX}/SttlmPrty", "HIGH", "It has a legal deadline."),
        Leaf(f"{_TX}/InstgAgt/FinInstnId/BICFI", "firm_bic", BIC, "Who instructs: the firm."),
        Leaf(
            f"{_TX}/InstdAgt/FinInstnId/BICFI",
            "debtor_bank_bic",
            BIC,
            "Who is instructed: the debtor's bank.",
        ),
        Echo(f"{_TX}/Dbtr/FinInstnId/BICFI", "firm_bic", BIC, "Who pays: the firm."),
        Leaf(f"{_TX}/Dbtr/FinInstnId/LEI", "firm_lei", LEI, "Who pays, by legal entity identifier."),
        Echo(f"{_TX}/DbtrAcct/Id/Othr/Id", "debtor_account", reference(34), "From which account, again."),
        Echo(f"{_TX}/DbtrAgt/FinInstnId/BICFI", "debtor_bank_bic", BIC, "The debtor's bank, again."),
        Leaf(f"{_TX}/CdtrAgt/FinInstnId/BICFI", "creditor_bank_bic", BIC, "The creditor's bank."),
        Echo(f"{_TX}/Cdtr/FinInstnId/BICFI", "firm_bic", BIC, "Who is paid: the firm."),
        Echo(f"{_TX}/Cdtr/FinInstnId/LEI", "firm_lei", LEI, "Who is paid, by legal entity identifier."),
        Leaf(f"{_TX}/CdtrAcct/Id/Othr/Id", "creditor_account", reference(34), "To which account."),
        Leaf(f"{_TX}/RmtInf/Ustrd", "remittance", free_text(140), "What the accounts' reviewer reads."),
    ),
)
