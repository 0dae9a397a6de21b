"""The reserve computation of the marts as it is filed: which figures go into the record.

Owns: taking marts for a filing, and what is missing for one. Does not own a figure, which are the marts' own,
the record's shape (`engine.reserve.filing`), or the folder that is signed (`bundle.py`).
Source: 17 CFR 240.15c3-3(e) and 240.15c3-3a (Exhibit A).
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from engine.config import Home
from engine.reserve.filing import (
    ITEM_COUNT,
    WHOLE,
    FiledLine,
    Filing,
    Record,
    Restated,
    RuleApplied,
    SourceRow,
    filing_record,
)
from engine.reserve.terms import Formula, Frequency, Indeterminate, Method
from orchestration.products.papers import money_text
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import Row, mart_rows
from schemas.days import date_of, epoch_day_of

FIGURES = ("credits_minor", "debits_minor", "reduction_minor", "requirement_minor")
MARTS = (
    "reserve_gaps",
    "reserve_inputs",
    "reserve_lines",
    "reserve_notes",
    "reserve_requirement",
    "reserve_sources",
)
PERCENT_BPS = 100
PAYMENT_BASE = 9_000_000_000_000  # payment numbers of this product; clients' numbers lie below
PAYMENTS_A_DAY, PAYMENTS_A_FORMULA = 1_000, 500

Statement = Record


class Figures(NamedTuple):
    """What the marts say of one formula, whole and known."""

    formula: Formula
    required: Row
    lines: list[Row]
    notes: list[Row]
    sources: list[Row]
    inputs: list[Row]  # of both formulas

    @property
    def input_files(self) -> dict[str, bytes]:
        """The tables that were computed from, as files that `onebook reserve compute` takes."""
        return {row["table_name"]: row["content"].encode() for row in self.inputs}


def payment_id_of(as_of_epoch_day: int, version: int, formula: Formula = Formula.CUSTOMER) -> int:
    """The number of the deposit of a filing: asking twice moves money once."""
    offset = 0 if formula is Formula.CUSTOMER else PAYMENTS_A_FORMULA
    return PAYMENT_BASE + as_of_epoch_day * PAYMENTS_A_DAY + offset + version


def due_formulas(home: Home, as_of: date) -> list[Formula]:
    """The formulas that are filed for a day: customers', and PAB where it protects anybody.

    Raises Indeterminate when the marts are of another day, MartMissing when they were never published.
    """
    rows = mart_rows(home, "reserve_requirement")
    if strange := {r["as_of_date"] for r in rows} - {as_of}:
        raise Indeterminate(f"the marts are as of {min(strange)}, the lake is as of {as_of}")
    if sorted(r["formula"] for r in rows) != sorted(Formula):
        raise Indeterminate(f"the requirement has {len(rows)} rows, not one a formula")
    due = {r["formula"] for r in rows if r["is_filed"]}
    return [formula for formula in Formula if formula.value in due]


def figures_of(home: Home, formula: Formula) -> Figures:
    """What the marts say of a formula. Raises Indeterminate, with every reason, when it is not whole."""
    of_formula = {
        name: [row for row in mart_rows(home, name) if row.get("formula", formula) == formula]
        for name in MARTS
    }
    if reasons := holding_reasons(of_formula["reserve_gaps"]):
        raise Indeterminate("; ".join(reasons))
    (required,), lines = of_formula["reserve_requirement"], of_formula["reserve_lines"]
    if sorted(line["item_number"] for line in lines) != list(range(1, ITEM_COUNT + 1)):
        raise Indeterminate(WHOLE)
    needed = {name: required[name] for name in (*FIGURES, "eligible_minor", "covered_minor", "order_minor")}
    if empty := sorted(n for row in (needed, *lines) for n, value in row.items() if value is None):
        raise Indeterminate(f"no value of {', '.join(dict.fromkeys(empty))}")
    if not of_formula["reserve_inputs"]:
        raise Indeterminate("nothing says what was computed from")
    return Figures(
        formula,
        required,
        lines,
        of_formula["reserve_notes"],
        of_formula["reserve_sources"],
        of_formula["reserve_inputs"],
    )


def holding_reasons(gaps: list[Row]) -> list[str]:
    """What is not known and holds a filing, a sentence each."""
    return [f"{gap['subject']}: {gap['reason']}" for gap in gaps if gap["is_holding"]]


def make_statement(
    figures: Figures,
    *,
    as_of_epoch_day: int,
    version: int,
    watermark: int,
    settings: PlatformSettings,
    restates: Restated | None = None,
) -> Statement:
    """The record of a formula and day. Raises Indeterminate when figures do not add up."""
    required = figures.required
    return filing_record(
        Filing(
            formula=figures.formula,
            as_of=date_of(as_of_epoch_day),
            version=version,
            currency=required["currency"],
            rule=RuleApplied(
                required["rule_version"],
                Method(required["method"]),
                Frequency(required["frequency"]),
                required["reduction_percent"] * PERCENT_BPS,
                required["reduction_source"],
            ),
            lines=[_line(row, figures.notes) for row in figures.lines],
            sources=source_rows_of(figures),
            **{name: required[name] for name in FIGURES},
            held_minor=required["eligible_minor"],
            covered_minor=required["covered_minor"],
            bank=required["deposit_bank"] or "",
            preparer=settings.preparer_operator_id,
            reviewer=settings.approver_operator_id,
            input_digests={row["table_name"]: row["sha256"] for row in figures.inputs},
            journal_sequence=watermark,
            restates=restates,
            payment_id=payment_id_of(as_of_epoch_day, version, figures.formula),
        )
    )


def _line(row: Row, notes: list[Row]) -> FiledLine:
    told = sorted((n for n in notes if n["item_number"] == row["item_number"]), key=_number)
    kept = ("item_number", "side", "name", "focus_box", "amount_minor")
    return FiledLine(*(row[name] for name in kept), note="; ".join(_note(note) for note in told))


def _number(note: Row) -> int:
    return note["note_number"]


def _note(note: Row) -> str:
    amount = f" {money_text(note['amount_minor'])}" if note["amount_minor"] else ""
    return f"{note['note']}{amount}: {note['basis']}"


def source_rows_of(figures: Figures) -> list[SourceRow]:
    """The marts' drill-down as the record's own."""
    return [SourceRow(row["item_number"], row["source"], row["amount_minor"]) for row in figures.sources]


def still_stands(filed: Statement, figures: Figures) -> bool:
    """Whether a record says what the marts say, but for the deposit, which its own order changes."""
    return (
        all(filed["totals"][name] == figures.required[name] for name in FIGURES)
        and {line["item_number"]: line["amount_minor"] for line in filed["lines"]}
        == {line["item_number"]: line["amount_minor"] for line in figures.lines}
        and filed["deposit"]["covered_minor"] == figures.required["covered_minor"]
    )


def as_of_epoch_day_of(statement: Statement) -> int:
    """The day a record is of."""
    return epoch_day_of(date.fromisoformat(statement["as_of_date"]))
