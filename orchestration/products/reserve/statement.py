"""The reserve computation as filed: one statement from the marts, in JSON for machines and HTML for people.

Owns: what the statement says and its bytes. Does not own: a figure of it; those are the marts' own.
Source: 17 CFR 240.15c3-3(e) and 240.15c3-3a (Exhibit A).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from engine.reserve.calendar import BANK
from engine.reserve.deadline import deposit_date, deposit_due, instant_ns
from orchestration.lake.tables import date_of, epoch_day_of
from orchestration.products import pages
from orchestration.products.papers import instant_text, money_text, readable_json
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import Row, rows_sha256

FORMAT_VERSION = 1
RULE = "17 CFR 240.15c3-3a as amended through 2024-03-18"
FIGURES = ("credits_minor", "debits_minor", "reduction_minor", "requirement_minor")
ITEM_COUNT = 16
PAYMENT_BASE = 9_000_000_000_000  # payment numbers of this product; clients' numbers lie below

Statement = dict[str, Any]


class Indeterminate(Exception):
    """The computation lacks an input; a requirement that is not known is not zero, so nothing is filed."""


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
        raise Indeterminate("Exhibit A does not have each of its items 1 to 16 once")
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
) -> Statement:
    """The statement of a day. Raises Indeterminate when an input is missing."""
    as_of = date_of(as_of_epoch_day)
    required = require_inputs(lines, requirement, as_of)
    due_ns = instant_ns(deposit_due(as_of))
    return {
        "format_version": FORMAT_VERSION,
        "filing_reference": f"{as_of}-{version}",
        "as_of_date": str(as_of),
        "version": version,
        "currency": required["currency"],
        "rule": {
            "text": RULE,
            "method": required["method"],
            "frequency": required["frequency"],
            "rate_bps": required["rate_bps"],
            "rate_source": required["citation"],
        },
        "lines": [_line(line) for line in sorted(lines, key=lambda r: r["item_number"])],
        "totals": {name: required[name] for name in FIGURES},
        "deposit": {
            "held_minor": required["deposit_minor"],
            "order_minor": max(required["requirement_minor"] - required["deposit_minor"], 0),
            "excess_minor": max(required["deposit_minor"] - required["requirement_minor"], 0),
            "payment_id": payment_id_of(as_of_epoch_day, version),
            "deposit_date": str(deposit_date(as_of)),
            "due_at_ns": due_ns,
            "due_at": instant_text(due_ns),
            "calendar": BANK.version,
        },
        "people": {
            "preparer_operator_id": settings.preparer_operator_id,
            "approver_operator_id": settings.approver_operator_id,
        },
        "inputs": {
            "journal_sequence": watermark,
            "reserve_lines_sha256": rows_sha256(list(lines)),
            "reserve_requirement_sha256": rows_sha256(list(requirement)),
            "reserve_sources_sha256": rows_sha256(list(sources)),
        },
    }


def _line(row: Row) -> dict[str, Any]:
    kept = ("item_number", "side", "name", "focus_box", "amount_minor", "source_count", "note")
    return {name: row[name] for name in kept}


def statement_json(statement: Statement) -> bytes:
    """The statement's filed bytes."""
    return readable_json(statement)


def as_of_epoch_day_of(statement: Statement) -> int:
    """The day a statement is of."""
    return epoch_day_of(date.fromisoformat(statement["as_of_date"]))


def statement_html(statement: Statement) -> bytes:
    """The statement for people; says nothing that the JSON does not."""
    money = money_text
    totals, deposit = statement["totals"], statement["deposit"]
    rule, people, inputs = statement["rule"], statement["people"], statement["inputs"]
    lines = [
        (str(x["item_number"]), x["focus_box"], x["name"], x["side"].title(), money(x["amount_minor"]))
        for x in statement["lines"]
    ]
    return pages.page(
        f"Reserve computation as of {statement['as_of_date']}",
        f"{rule['text']}, Exhibit A. Filing {statement['filing_reference']}, {statement['currency']}.",
        pages.table(
            "Exhibit A",
            ("Item", "FOCUS box", "Name", "Side", "Amount"),
            lines,
            numbers=(0, 4),
            totals=(ITEM_COUNT - 1,),
        ),
        pages.table(
            "Requirement and deposit",
            ("", "Amount"),
            [
                ("Total credits, items 1 to 9", money(totals["credits_minor"])),
                ("Total debits, items 10 to 15", money(totals["debits_minor"])),
                (
                    f"Reduction of debits at {rule['rate_bps'] / 100:g} % ({rule['rate_source']})",
                    money(totals["reduction_minor"]),
                ),
                ("Required on deposit, item 16", money(totals["requirement_minor"])),
                ("On deposit", money(deposit["held_minor"])),
                ("Deposit ordered", money(deposit["order_minor"])),
                ("Excess left on deposit", money(deposit["excess_minor"])),
            ],
            numbers=(1,),
            totals=(3,),
        ),
        pages.facts(
            "Deadline",
            (
                ("Deposit due", deposit["due_at"]),
                ("Rule", "one hour after banking opens on the second business day after, (e)(3)"),
                ("Calendar", deposit["calendar"]),
                ("Payment", f"RD{deposit['payment_id']}"),
            ),
        ),
        pages.facts(
            "Made from",
            (
                ("Prepared by operator", str(people["preparer_operator_id"])),
                ("Approved by operator", str(people["approver_operator_id"])),
                ("Method and frequency", f"{rule['method']}, {rule['frequency']}"),
                *((name, str(value)) for name, value in sorted(inputs.items())),
            ),
        ),
    )
