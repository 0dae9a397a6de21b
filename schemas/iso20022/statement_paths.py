"""Where banks put what in camt.052, .053 and .054: one table a version, from .01 to .08.

Owns: element paths by message and version. Does not own: what is done when nothing stands there.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.codes import StatementType

Ways = tuple[str, ...]  # alternatives, looked up in this order


class Layout(NamedTuple):
    """The paths of one version of one message, below the element that the name says."""

    container: str
    statement: str
    statement_type: StatementType
    account: Ways  # below the statement
    balance_type: Ways  # below the balance
    status: Ways  # below the entry
    transactions: str  # below the entry
    transaction_amount: Ways  # below the transaction
    pagination: str  # below the statement


_NAMES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt", StatementType.INTRADAY_REPORT),
    "camt.053": ("BkToCstmrStmt", "Stmt", StatementType.STATEMENT),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", StatementType.ADVICE),
}
_OLD_ACCOUNT: Ways = ("IBAN", "BBAN", "UPIC", "PrtryAcct/Id")
_ACCOUNT: Ways = ("IBAN", "Othr/Id")


def _layout(message: str, version: int) -> Layout:
    container, statement, statement_type = _NAMES[message]
    accounts = _OLD_ACCOUNT if version == 1 else _ACCOUNT
    own_amount = ("Amt",) if version >= 4 else ()
    return Layout(
        container=container + ("V01" if version == 1 else ""),
        statement=statement,
        statement_type=statement_type,
        account=tuple(f"Acct/Id/{way}" for way in accounts),
        balance_type=("Tp/Cd", "Tp/Prtry") if version == 1 else ("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry"),
        status=("Sts",) if version <= 6 else ("Sts/Cd", "Sts/Prtry", "Sts")[: 3 if version == 7 else 2],
        transactions="TxDtls" if version == 1 else "NtryDtls/TxDtls",
        transaction_amount=(*own_amount, "AmtDtls/TxAmt/Amt"),
        pagination={"Rpt": "RptPgntn", "Stmt": "StmtPgntn", "Ntfctn": "NtfctnPgntn"}[statement],
    )


LAYOUTS = {
    f"{message}.001.{version:02d}": _layout(message, version) for message in _NAMES for version in range(1, 9)
}
BOOKING_DAY: Ways = ("BookgDt/Dt", "BookgDt/DtTm")
VALUE_DAY: Ways = ("ValDt/Dt", "ValDt/DtTm")
BALANCE_DAY: Ways = ("Dt/Dt", "Dt/DtTm")
ENTRY_REFERENCE: Ways = ("AcctSvcrRef", "NtryRef")
TRANSACTION_REFERENCE: Ways = ("Refs/AcctSvcrRef", "Refs/TxId")
END_TO_END: Ways = ("Refs/EndToEndId",)
OWN_CODE = "BkTxCd/Prtry/Cd"
DOMAIN_CODE = ("BkTxCd/Domn/Cd", "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd")
UNSTRUCTURED = "RmtInf/Ustrd"
STRUCTURED = "RmtInf/Strd/CdtrRefInf/Ref"
