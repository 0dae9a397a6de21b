"""What a day came to: from the lake, the marts and the filed products, compared with what was injected.

The labels of injected faults are read here only, after everything was filed; no product ever sees them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from engine.config import Home
from engine.projections.lake import read_table
from engine.reserve.filing import formula_of, version_of
from engine.reserve.terms import Formula
from engine.state import State
from orchestration.products.incidents.verify import verify_bundle
from orchestration.products.papers import money_text
from orchestration.run_day import DayResult
from orchestration.warehouse.marts import MartMissing, Row, mart_rows
from schemas.codes import AccountClass, RejectReason
from schemas.external import EvidenceBundle, FiledReserve, QuarantinedFile, WrittenMessage
from schemas.market import Fill, OrderAccepted, OrderRefused
from schemas.record import RECORDS, Role
from schemas.settlement import SettlementInstructed

BreakKey = tuple[str, str, str]


class Detection(NamedTuple):
    """Breaks found against breaks injected."""

    injected: int
    found: int
    missed: tuple[BreakKey, ...]
    false: tuple[BreakKey, ...]


class Figures(NamedTuple):
    """The summary of a day, label by label."""

    lines: tuple[tuple[str, str], ...]
    detection: Detection | None  # none where nothing was injected

    def with_lobster(self, counts: dict[str, int]) -> Figures:
        """The same with what became of each kind of LOBSTER message."""
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        return self._replace(lines=(("LOBSTER messages", told), *self.lines))

    def text(self) -> str:
        """Lines for the terminal."""
        width = max(len(label) for label, _ in self.lines)
        return "\n".join(f"  {label:{width}}  {value}" for label, value in self.lines)


def book_figures(home: Home, state: State, result: DayResult) -> Figures:
    """Sum up a book after its products were filed."""
    detection = _detection(home)
    lines = [
        *_trading(home),
        *_auctions(home),
        ("fees", _fees(home)),
        ("margin", _margin(state)),
        *_reserve(home),
        ("reconciliation", _told(detection, _breaks(home))),
        *_messages(home),
        *_evidence(home),
        ("checks", _checks(result)),
        ("state hash", state.hash().hex()),
        *_places(home),
    ]
    return Figures(tuple(lines), detection)


def _trading(home: Home) -> list[tuple[str, str]]:
    refused = read_table(home, OrderRefused)["reject_reason_code"].to_list()
    reasons = Counter(RejectReason(r).name for r in refused).most_common()
    events = sum(len(read_table(home, r.cls)) for r in RECORDS.values() if r.role is Role.EVENT)
    accepted, fills = len(read_table(home, OrderAccepted)), len(read_table(home, Fill))
    orders = _mart(home, "orders")
    ended = [o["end_reason"] for o in orders if o["end_reason"] is not None]
    return [
        ("orders", f"{accepted:,} accepted, {len(refused):,} commands refused"),
        ("refused because", _counted(reasons)),
        ("of types", _counted(Counter(o["order_type"] for o in orders).most_common())),
        ("in force", _counted(Counter(o["time_in_force"] for o in orders).most_common())),
        ("ended because", _counted(Counter(ended).most_common())),
        ("fills", f"{fills:,}; obligations {len(read_table(home, SettlementInstructed)):,}"),
        ("events", f"{events:,}"),
    ]


def _auctions(home: Home) -> list[tuple[str, str]]:
    """The auctions of the latest day that had any, one line a phase: price and lots of each instrument."""
    auctions = _mart(home, "auctions")
    last = max((a["business_date"] for a in auctions), default=None)
    of_phase: dict[str, list[str]] = {}
    for auction in sorted(auctions, key=lambda a: a["auction_id"]):
        if auction["business_date"] == last:
            told = f"{auction['symbol']} {_price(auction['price'])} x {auction['traded_lots']:,}"
            of_phase.setdefault(auction["phase"], []).append(told)
    lines = [(phase.lower().replace("_", " "), ", ".join(told)) for phase, told in of_phase.items()]
    return [("auctions", f"{len(auctions)}, {sum(a['traded_lots'] for a in auctions):,} lots"), *lines]


def _price(price: Decimal) -> str:
    """A price to its last digit, of two at least."""
    whole, _, part = f"{price:.8f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2}"


def _fees(home: Home) -> str:
    """What clients paid and were paid, over all days; in auctions both sides pay as makers."""
    rows = _mart(home, "fees")
    charged, rebated = (sum(r[name] for r in rows) for name in ("charged_minor", "rebated_minor"))
    roles = {role: sum(r[f"{role}_fee_minor"] for r in rows) for role in ("taker", "maker", "auction")}
    told = ", ".join(f"{role} {dollars(minor)}" for role, minor in roles.items())
    return f"charged {dollars(charged)}, paid out {dollars(rebated)}; net of {told}"


def _mart(home: Home, name: str) -> list[Row]:
    """The rows of a mart; none when no sound run has published it."""
    try:
        return mart_rows(home, name)
    except MartMissing:
        return []


def _counted(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts) or "none"


def _margin(state: State) -> str:
    totals = [0, 0]
    for account in state.accounts[state.accounts["account_id"] > 0]:
        if account["account_class_code"] != AccountClass.STREET:
            equity, needed = state.margin_minor(int(account["account_id"]))
            totals[0] += equity
            totals[1] += needed
    return f"initial margin {dollars(totals[1])} of equity {dollars(totals[0])}"


def _reserve(home: Home) -> list[tuple[str, str]]:
    filed = read_table(home, FiledReserve).to_dicts()
    if not filed:
        return [("reserve", "not filed")]
    latest = max(f["as_of_epoch_day"] for f in filed)
    of_day = [f for f in filed if f["as_of_epoch_day"] == latest]
    # the last version of each formula speaks
    by_version = sorted(of_day, key=lambda f: version_of(f["filing_reference"]))
    last = {formula_of(f["filing_reference"]): f for f in by_version}
    lines: list[tuple[str, str]] = []
    for formula, told in sorted(last.items()):
        prefix = "" if formula is Formula.CUSTOMER else f"{formula.value.upper()} "
        lines += [
            (
                f"{prefix}reserve",
                f"credits {dollars(told['credits_minor'])}, debits {dollars(told['debits_minor'])}, "
                f"reduction {dollars(told['reduction_minor'])}",
            ),
            (
                f"{prefix}requirement",
                f"{dollars(told['requirement_minor'])}; on deposit before {dollars(told['deposit_minor'])}, "
                f"deposit due {_at(told['due_at_ns'])}",
            ),
        ]
    return lines


def _breaks(home: Home) -> set[BreakKey]:
    path = home.warehouse / "marts" / "reconciliation_breaks.parquet"
    if not path.exists():
        return set()
    found = pl.read_parquet(path).select("stage", "cause", "reference")
    return {(str(s), str(c), str(r)) for s, c, r in found.iter_rows()}


def _detection(home: Home) -> Detection | None:
    path = home.simulation / "labels.json"
    if not path.exists():
        return None
    labels: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    injected = {(b["stage"], b["cause"], b["reference"]) for label in labels for b in label["breaks"]}
    found = _breaks(home)
    return Detection(
        len(injected), len(found), tuple(sorted(injected - found)), tuple(sorted(found - injected))
    )


def _told(detection: Detection | None, found: set[BreakKey]) -> str:
    if detection is None:
        return f"{len(found)} breaks found"
    parts = [f"{detection.found} breaks found, {detection.injected} injected"]
    parts += [f"missed {' '.join(key)}" for key in detection.missed]
    parts += [f"false {' '.join(key)}" for key in detection.false]
    if not detection.missed and not detection.false:
        parts.append("none missed, none false")
    return ", ".join(parts)


def _messages(home: Home) -> list[tuple[str, str]]:
    written = read_table(home, WrittenMessage)
    counts = sorted(Counter(written["message_type"].to_list()).items())
    told = ", ".join(f"{count} {kind}" for kind, count in counts) or "none"
    wrong = len(read_table(home, QuarantinedFile))
    return [("messages", f"{told}; each validated"), ("quarantined", f"{wrong} files from outside")]


def _evidence(home: Home) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for bundle in read_table(home, EvidenceBundle).to_dicts():
        problems = verify_bundle(home.root / bundle["path"])
        verdict = "verified" if not problems else f"DOES NOT VERIFY: {problems[0]}"
        lines.append(("evidence", f"incident {bundle['incident_reference']}: {verdict}"))
    return lines or [("evidence", "no incident")]


def _checks(result: DayResult) -> str:
    failed = result.failed_checks()
    errors = [c for c in failed if c.is_error]
    told = f"{len(result.checks) - len(failed)} of {len(result.checks)} passed"
    warned = [f"warning {c.asset} {c.name}" for c in failed if not c.is_error]
    return ", ".join([told, *(f"FAILED {c.asset} {c.name}" for c in errors), *warned])


def _places(home: Home) -> list[tuple[str, str]]:
    places = ("journal", "lake", "warehouse", "reserve", "outbox", "evidence", "quarantine")
    return [("files", ", ".join(f"{home.root.name}/{p}" for p in places))]


def dollars(minor: int) -> str:
    """US cents as dollars."""
    return f"{'-' if minor < 0 else ''}${money_text(abs(minor))}"


def _at(at_ns: int) -> str:
    return str(pl.Series([at_ns]).cast(pl.Datetime("ns")).dt.strftime("%Y-%m-%d %H:%MZ")[0])
