"""Reconciliation: breaks explain every difference, and a planted contradiction is found."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from orchestration.products.reconciliation.report import (
    contradictions,
    make_report,
    report_html,
    report_json,
    unexplained,
)


def _match(key: str, ours: int, theirs: int, state: str) -> dict[str, Any]:
    return {
        "match_key": key,
        "stage": "cash",
        "reference": key,
        "place": "OB-NOSTRO-USD",
        "measure": "USD",
        "our_value": Decimal(ours),
        "their_value": Decimal(theirs),
        "difference": Decimal(ours - theirs),
        "state": state,
        "opened_date": date(2026, 2, 25),
    }


def _break(match: dict[str, Any], cause: str) -> dict[str, Any]:
    kept = {k: v for k, v in match.items() if k not in ("match_key", "state")}
    return {"break_key": match["match_key"], "cause": cause, "age_days": 0, "age_bucket": "0", **kept}


POSITION = [{"as_of_date": "2026-02-25", "journal_sequence": 77}]
MATCHES = [
    _match("OB1", 500, 500, "MATCHED"),
    _match("OB2", 300, 0, "BREAK"),
    _match("OB3", 100, 90, "BREAK"),
    _match("OB4", 70, 0, "OPEN"),
]
BREAKS = [_break(MATCHES[1], "MISSING_THEIRS"), _break(MATCHES[2], "AMOUNT")]


def test_breaks_explain_the_whole_difference() -> None:
    assert unexplained(MATCHES, BREAKS) == []
    assert contradictions(MATCHES, BREAKS) == []


@pytest.mark.parametrize(
    ("matches", "breaks"),
    [
        (MATCHES, BREAKS[:1]),
        ([*MATCHES, _match("OB5", 5, 4, "MATCHED")], BREAKS),
        (MATCHES, [BREAKS[0], {**BREAKS[1], "difference": Decimal(9)}]),
    ],
)
def test_a_difference_without_a_break_is_unexplained(matches: list[Any], breaks: list[Any]) -> None:
    (problem,) = unexplained(matches, breaks)
    assert problem.startswith("cash OB-NOSTRO-USD USD: ")


@pytest.mark.parametrize(
    ("matches", "breaks", "problem"),
    [
        (MATCHES, [*BREAKS, BREAKS[0]], "OB2: listed 2 times"),
        (MATCHES, BREAKS[:1], "OB3: in one mart only"),
        ([*MATCHES, _match("OB5", 5, 4, "MATCHED")], BREAKS, "OB5: MATCHED with difference 1"),
        (
            [{**MATCHES[0], "difference": Decimal(2), "state": "OPEN"}, *MATCHES[1:]],
            BREAKS,
            "OB1: difference 2 is not ours less theirs",
        ),
    ],
)
def test_a_contradiction_is_found(matches: list[Any], breaks: list[Any], problem: str) -> None:
    assert contradictions(matches, breaks) == [problem]


def test_the_report_counts_by_stage_cause_and_age() -> None:
    report = make_report("2026-02-25", POSITION, MATCHES, BREAKS)
    told = json.loads(report_json(report))
    assert told["compared"]["cash"] == {"MATCHED": 1, "BREAK": 2, "OPEN": 1}
    assert told["breaks_by_age"] == {"0": 2}
    assert [(b["cause"], b["count"]) for b in told["breaks_by_stage_and_cause"]] == [
        ("AMOUNT", 1),
        ("MISSING_THEIRS", 1),
    ]
    assert report_json(make_report("2026-02-25", POSITION, MATCHES[::-1], BREAKS[::-1])) != b""
    assert b"MISSING_THEIRS" in report_html(report)
