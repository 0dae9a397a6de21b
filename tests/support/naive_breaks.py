"""A reconciliation that a person can read: our books against the files that arrived, as sets of breaks.

Written without a look at the product's own, so that both can be held to the labels of the faults.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from schemas.codes import LedgerAccountKind, PostingReason
from schemas.iso20022.camt_053 import CAMT_053
from schemas.iso20022.reading import parse
from schemas.iso20022.semt_002 import SEMT_002
from schemas.iso20022.sese_025 import SESE_025
from schemas.ledger import Posting
from schemas.market import AssetRegistered
from schemas.packed import unpack
from schemas.settlement import SettlementConfirmed, SettlementFailed, SettlementInstructed
from tests.support.played_day import Played

Break = tuple[str, str, str]
PREFIX = {
    PostingReason.SETTLEMENT: "OB",
    PostingReason.WITHDRAWAL_PAID: "WD",
    PostingReason.DEPOSIT: "DP",
    PostingReason.RESERVE_DEPOSIT: "RD",
    PostingReason.BANK_LOAN: "BL",
    PostingReason.CAPITAL: "CC",
    PostingReason.LOAN_REPAYMENT: "BL",
    PostingReason.FINANCING: "FN",
    PostingReason.FINANCING_RETURN: "FN",
    PostingReason.CLEARING_MARGIN: "CM",
    PostingReason.CLEARING_MARGIN_RETURN: "CM",
    PostingReason.SUSPENSE: "SU",
    PostingReason.SUSPENSE_CLEARED: "SU",
    PostingReason.DISTRIBUTION_RECEIVED: "DI",
    PostingReason.DRAFT_PAID: "DR",
}
BANK_PLACES = {
    LedgerAccountKind.NOSTRO: "NOSTRO",
    LedgerAccountKind.RESERVE_BANK: "RESERVE",
    LedgerAccountKind.PAB_RESERVE_BANK: "PAB-RESERVE",
}


def breaks_of(played: Played, as_of_epoch_day: int) -> set[Break]:
    """Every break of the day."""
    return _settlement(played, as_of_epoch_day) | _cash(played) | _custody(played)


def _settlement(played: Played, as_of_epoch_day: int) -> set[Break]:
    told: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for raw in played.inbox("sese.025").values():
        fields = parse(SESE_025, raw)
        minor = fields["amount"].minor if "amount" in fields else 0
        told[fields["transaction_reference"]].append((fields["quantity"].units, minor))
    settled: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in played.rows(SettlementConfirmed):
        settled[int(row["obligation_id"])][0] += int(row["settled_units"])
        settled[int(row["obligation_id"])][1] += int(row["settled_minor"])
    failed = {int(row["obligation_id"]) for row in played.rows(SettlementFailed)}
    breaks: set[Break] = set()
    for row in played.rows(SettlementInstructed):
        number = int(row["obligation_id"])
        theirs = told.pop(f"OB{number}", [])
        if number in settled or number in failed:
            ours = tuple(settled[number])
        elif row["settlement_epoch_day"] <= as_of_epoch_day:
            ours = int(row["obligation_units"]), int(row["obligation_minor"])
        else:
            ours = 0, 0
        total = sum(u for u, _ in theirs), sum(m for _, m in theirs)
        if total == ours:
            continue
        if not theirs:
            cause = "MISSING_THEIRS"
        elif len(set(theirs)) < len(theirs):
            cause = "DUPLICATE"
        else:
            cause = "QUANTITY" if total[0] != ours[0] else "AMOUNT"
        breaks.add(("settlement", cause, f"OB{number}"))
    return breaks | {("settlement", "MISSING_OURS", reference) for reference in told}


def _symbols(played: Played) -> dict[int, tuple[str, str]]:
    return {
        int(r["asset_id"]): (unpack(int(r["symbol_packed"])), unpack(int(r["isin_packed"])))
        for r in played.rows(AssetRegistered)
    }


def _cash(played: Played) -> set[Break]:
    symbols = _symbols(played)
    ours: Counter[tuple[str, str]] = Counter()
    for row in played.rows(Posting):
        for side, sign in (("debit", 1), ("credit", -1)):
            place = BANK_PLACES.get(row[f"{side}_account_kind_code"])
            if place:
                bank_id = int(row[f"{side}_party_id"])
                at = f"-{bank_id}" if bank_id > 1 else ""
                account = f"OB-{place}{at}-{symbols[int(row['asset_id'])][0]}"
                reference = f"{PREFIX[PostingReason(row['posting_reason_code'])]}{row['reference_id']}"
                ours[account, reference] += sign * int(row["amount_units"])
    theirs: dict[tuple[str, str], list[int]] = defaultdict(list)
    breaks: set[Break] = set()
    for statement in _statements(played):
        for entry in statement["entries"]:
            minor = entry["amount"].minor if entry["side"] == "CRDT" else -entry["amount"].minor
            reference = entry.get("end_to_end_reference")
            if reference:
                theirs[statement["own_account"], reference].append(minor)
            else:
                cause = "BANK_FEE" if entry["subfamily"] == "CHRG" else "UNIDENTIFIED_RECEIPT"
                breaks.add(("cash", cause, entry["entry_reference"]))
    for key in ours.keys() | theirs.keys():
        told = theirs.get(key, [])
        if sum(told) == ours[key]:
            continue
        if not told:
            cause = "MISSING_THEIRS"
        elif ours[key] == 0:
            cause = "MISSING_OURS"
        else:
            cause = "DUPLICATE" if len(set(told)) < len(told) else "AMOUNT"
        breaks.add(("cash", cause, key[1]))
    return breaks


def _statements(played: Played) -> list[dict[str, Any]]:
    return [s for raw in played.inbox("camt.053").values() for s in parse(CAMT_053, raw)["statements"]]


def _custody(played: Played) -> set[Break]:
    symbols = _symbols(played)
    ours: Counter[str] = Counter()
    for row in played.rows(Posting):
        isin = symbols[int(row["asset_id"])][1]
        for side, sign in (("debit", 1), ("credit", -1)):
            if isin and row[f"{side}_account_kind_code"] == LedgerAccountKind.CUSTODY:
                ours[isin] += sign * int(row["amount_units"])
    (raw,) = played.inbox("semt.002").values()
    theirs = {h["isin"]: h["quantity"].units for h in parse(SEMT_002, raw)["holdings"]}
    breaks: set[Break] = set()
    for isin in ours.keys() | theirs.keys():
        if ours[isin] != theirs.get(isin, 0):
            missing = isin not in theirs
            breaks.add(("custody", "MISSING_THEIRS" if missing else "QUANTITY", isin))
    return breaks
