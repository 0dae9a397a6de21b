"""semt.002: the custodian tells what it holds for the firm at the close of a day."""

from __future__ import annotations

from schemas.iso20022.codecs import BIC, DATE, FLAG, code, reference
from schemas.iso20022.message import Fields, Fixed, Leaf, Repeat, message
from schemas.iso20022.rows import instrument, quantity

_HOLDING = (
    instrument("FinInstrmId"),
    Leaf(
        "AggtBal/ShrtLngInd", "position", code("Position", "LONG", "SHOR"), "LONG when held, SHOR when owed."
    ),
    quantity("AggtBal/Qty/Qty/Qty", "Units held."),
)


def _flag_follows_holdings(fields: Fields) -> str | None:
    if bool(fields.get("has_holdings")) != bool(fields.get("holdings")):
        return "has_holdings must be true exactly when there are holdings"
    return None


SEMT_002 = message(
    "semt.002.001.11",
    "SctiesBalCtdyRpt",
    "Securities balance custody report",
    """The whole of one safekeeping account, on a settled basis, in one page.""",
    (
        Fixed("Pgntn/PgNb", "1", "One page."),
        Fixed("Pgntn/LastPgInd", "true", "The only one."),
        Leaf("StmtGnlDtls/StmtId", "statement_reference", reference(), "The custodian's reference."),
        Leaf("StmtGnlDtls/StmtDtTm/Dt", "statement_epoch_day", DATE, "As of the close of this day."),
        Fixed("StmtGnlDtls/Frqcy/Cd", "DAIL", "Every day."),
        Fixed("StmtGnlDtls/UpdTp/Cd", "COMP", "All holdings, not only what changed."),
        Fixed("StmtGnlDtls/StmtBsis/Cd", "SETT", "What has settled."),
        Leaf("StmtGnlDtls/ActvtyInd", "has_holdings", FLAG, "Whether any holding follows."),
        Fixed("StmtGnlDtls/SubAcctInd", "false", "No sub-accounts."),
        Leaf("AcctOwnr/Id/AnyBIC", "owner_bic", BIC, "Whose account: the firm."),
        Leaf("AcctSvcr/Id/AnyBIC", "custodian_bic", BIC, "Who holds."),
        Leaf("SfkpgAcct/Id", "safekeeping_account", reference(), "The custodian's account number."),
        Repeat("BalForAcct", "holdings", _HOLDING, "One security.", least=0),
    ),
    (_flag_follows_holdings,),
)
