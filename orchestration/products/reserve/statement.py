"""The reserve computation of the marts as it is filed: which figures go into the record.

Owns: taking marts for a filing, and what is missing for one. Does not own a figure, which are the marts' own,
the record's shape (`engine.reserve.filing`), or the folder that is signed (`bundle.py`).
Source: 17 CFR 240.15c3-3(e) and 240.15c3-3a (Exhibit A).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

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
from orchestration.lake.tables import date_of, epoch_day_of
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import Row, rows_sha256

RULE = "17 CFR 240.15c3-3a as amended through 2024-03-18"
FIGURES = ("credits_minor", "debits_minor", "reduction_minor", "requirement_minor")
PAYMENT_BASE = 9_000_000_000_000  # payment numbers of this product; clients' numbers lie below

Statement = Record

__all__ = ["FIGURES", "Indeterminate", "Statement", "make_statement", "payment_id_of", "require_inputs"]


def payment_id_of(as_of_epoch_day: int, version: int) -> int:
    """The number of the deposit of a filing: asking twice moves money once."""
    return PAYMENT_BASE + as_of_epoch_day * 1_000 + version


def require_inputs(lines: Sequence[Row], requirement: Sequence[Row], as_of: date) -> Row:
    """The one requirement row. Raises Indeterminate when lines or requirement are not whole for the day."""
    if len(requirement) != 1:
        raise Indeterminate(f"the requirement has {len(requirement)} rows, not one")
    (required,) = requirement
    if empty := sorted(n for row in (required, *lines) for n, v in row.items() if v is None):
        raise Indeterminate(f"no value of {', '.join(dict.fromkeys(empty))}")
    if strange := {r["as_of_date"] for r in (required, *lines)} - {as_of}:
        raise Indeterminate(f"the marts are as of {min(strange)}, the lake is as of {as_of}")
    if sorted(line["item_number"] for line in lines) != list(range(1, ITEM_COUNT + 1)):
        raise Indeterminate(WHOLE)
    return required


def make_statement(
    lines: Sequence[Row],
    requirement: Sequence[Row],
    sources: Sequence[Row],
    *,
    as_of_epoch_day: int,
    version: int,
    watermark: int,
    settings: PlatformSettings,
    restates: Restated | None = None,
) -> Statement:
    """The record of a day. Raises Indeterminate when an input is missing or figures do not add up."""
    as_of = date_of(as_of_epoch_day)
    required = require_inputs(lines, requirement, as_of)
    kept = ("item_number", "side", "name", "focus_box", "amount_minor", "note")
    return filing_record(
        Filing(
            formula=Formula.CUSTOMER,
            as_of=as_of,
            version=version,
            currency=required["currency"],
            rule=RuleApplied(
                RULE,
                Method(required["method"]),
                Frequency(required["frequency"]),
                required["rate_bps"],
                required["citation"],
            ),
            lines=[FiledLine(*(line[name] for name in kept)) for line in lines],
            sources=source_rows_of(sources),
            **{name: required[name] for name in FIGURES},
            held_minor=required["deposit_minor"],
            preparer=settings.preparer_operator_id,
            reviewer=settings.approver_operator_id,
            input_digests={
                "reserve_lines": rows_sha256(list(lines)),
                "reserve_requirement": rows_sha256(list(requirement)),
                "reserve_sources": rows_sha256(list(sources)),
            },
            journal_sequence=watermark,
            restates=restates,
            payment_id=payment_id_of(as_of_epoch_day, version),
        )
    )


def source_rows_of(sources: Sequence[Row]) -> list[SourceRow]:
    """The marts' drill-down as the record's own."""
    return [SourceRow(row["item_number"], row["source"], row["amount_minor"]) for row in sources]


def as_of_epoch_day_of(statement: Statement) -> int:
    """The day a record is of."""
    return epoch_day_of(date.fromisoformat(statement["as_of_date"]))
