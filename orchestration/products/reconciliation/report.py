"""The breaks of a day as a report, and the identities that hold whatever is broken.

Owns: what the report says and its bytes. Does not own: matching; that is SQL.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from orchestration.products import pages
from orchestration.products.papers import money_text, readable_json
from orchestration.warehouse.marts import Row, rows_sha256

FORMAT_VERSION = 1
STAGES = ("execution", "settlement", "cash", "custody")
STATES = ("MATCHED", "BREAK", "OPEN")


def make_report(
    as_of: str, position: Sequence[Row], matches: Sequence[Row], breaks: Sequence[Row]
) -> dict[str, Any]:
    """The report of a day; `position` says how far into the journal its marts were computed."""
    return {
        "format_version": FORMAT_VERSION,
        "as_of_date": as_of,
        "journal_sequence": max((p["journal_sequence"] for p in position), default=0),
        "compared": {
            stage: {state: n for (s, state), n in sorted(_states(matches).items()) if s == stage}
            for stage in STAGES
        },
        "breaks_by_stage_and_cause": [
            {"stage": stage, "cause": cause, "count": n}
            for (stage, cause), n in sorted(Counter((b["stage"], b["cause"]) for b in breaks).items())
        ],
        "breaks_by_age": dict(sorted(Counter(str(b["age_bucket"]) for b in breaks).items())),
        "breaks": [_break(b) for b in sorted(breaks, key=lambda b: b["break_key"])],
        "inputs": {
            "reconciliation_matches_sha256": rows_sha256(list(matches)),
            "reconciliation_breaks_sha256": rows_sha256(list(breaks)),
        },
    }


def report_json(report: dict[str, Any]) -> bytes:
    """The report's bytes for machines."""
    return readable_json(report)


def _shown(row: Row, column: str) -> str:
    """A cell for people: money in major units, anything else as it is."""
    is_value = column in ("our_value", "their_value", "difference")
    if not is_value:
        return str(row[column])
    return money_text(int(row[column]), 2 if row["stage"] == "cash" else 0)


def report_html(report: dict[str, Any]) -> bytes:
    """The report for people."""
    shown = ("stage", "cause", "reference", "place", "measure", "our_value", "their_value", "difference")
    compared = report["compared"]
    return pages.page(
        f"Reconciliation as of {report['as_of_date']}",
        "Our book against clearing house, banks and custodian. Differences are ours less theirs.",
        pages.table(
            "Compared",
            ("Stage", *(s.title() for s in STATES)),
            [(stage, *(str(compared[stage].get(s, 0)) for s in STATES)) for stage in STAGES],
            numbers=(1, 2, 3),
        ),
        pages.table(
            "Breaks by stage and cause",
            ("Stage", "Cause", "Count"),
            [(b["stage"], b["cause"], str(b["count"])) for b in report["breaks_by_stage_and_cause"]],
            numbers=(2,),
        ),
        pages.table(
            "Breaks by age in days",
            ("Age", "Count"),
            [(age, str(n)) for age, n in report["breaks_by_age"].items()],
            numbers=(1,),
        ),
        pages.table(
            "Breaks",
            ("Stage", "Cause", "Reference", "Place", "Measure", "Ours", "Theirs", "Difference", "Days"),
            [(*(_shown(b, c) for c in shown), str(b["age_days"])) for b in report["breaks"]],
            numbers=(5, 6, 7, 8),
        ),
    )


def unexplained(matches: Sequence[Row], breaks: Sequence[Row]) -> list[str]:
    """Differences between the two sides that no break explains, by stage, place and measure.

    What is too early to tell (OPEN) explains itself; what is matched must not differ.
    """
    left: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for m in matches:
        if m["state"] != "OPEN":
            left[m["stage"], m["place"], m["measure"]] += m["our_value"] - m["their_value"]
    for b in breaks:
        left[b["stage"], b["place"], b["measure"]] -= b["difference"]
    return [f"{' '.join(k)}: {v} unexplained" for k, v in sorted(left.items()) if v]


def contradictions(matches: Sequence[Row], breaks: Sequence[Row]) -> list[str]:
    """What the two marts say against each other or themselves."""
    problems = [
        f"{m['match_key']}: MATCHED with difference {m['difference']}"
        for m in matches
        if m["state"] == "MATCHED" and m["difference"]
    ]
    problems += [
        f"{m['match_key']}: difference {m['difference']} is not ours less theirs"
        for m in matches
        if m["difference"] != m["our_value"] - m["their_value"]
    ]
    broken = {m["match_key"] for m in matches if m["state"] == "BREAK"}
    told = Counter(b["break_key"] for b in breaks)
    problems += [f"{key}: listed {n} times" for key, n in sorted(told.items()) if n > 1]
    problems += [f"{key}: in one mart only" for key in sorted(broken ^ told.keys())]
    return problems


def _states(matches: Sequence[Row]) -> Counter[tuple[str, str]]:
    return Counter((m["stage"], m["state"]) for m in matches)


def _break(row: Row) -> dict[str, Any]:
    return {name: value if isinstance(value, int | str) else str(value) for name, value in row.items()}
