"""A filed reserve computation for people: one printable page that says nothing that the record does not.

Owns the order and the words of the page. Does not own a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.reserve.filing import ITEM_COUNT, Record
from engine.reserve.terms import Formula
from orchestration.products import pages
from orchestration.products.papers import instant_text, money_text

WHOSE = {Formula.CUSTOMER.value: "customers'", Formula.PAB.value: "PAB"}
ROWS_TOLD = 50  # of an item on the page; sources.json holds every row


def statement_html(record: Record, sources: Sequence[Mapping[str, Any]]) -> bytes:
    """The page of a record and its drill-down."""
    rule = record["rule"]
    restates = record["restates"]
    restated = f" It restates {restates['filing_reference']}." if restates else ""
    test = f" Test run: {record['test_purpose']}." if record["test_purpose"] else ""
    return pages.page(
        f"Reserve computation as of {record['as_of_date']}",
        f"{rule['text']}, Exhibit A, {WHOSE[record['formula']]} accounts. "
        f"Filing {record['filing_reference']}, {record['currency']}.{restated}{test}",
        pages.table(
            "Exhibit A",
            ("Item", "FOCUS box", "Name", "Notes", "Side", "Source rows", "Amount"),
            [_line(line) for line in record["lines"]],
            numbers=(0, 5, 6),
            totals=(ITEM_COUNT - 1,),
        ),
        _requirement(record),
        _deadline(record),
        *([_focus(record)] if record["focus"] else []),
        *_drill_down(record, sources),
        _provenance(record),
    )


def _line(line: Mapping[str, Any]) -> tuple[str, ...]:
    side, amount = line["side"].title(), money_text(line["amount_minor"])
    name, note, count = line["name"], line["note"], str(line["source_count"])
    return str(line["item_number"]), line["focus_box"], name, note, side, count, amount


def _requirement(record: Record) -> str:
    money = money_text
    totals, deposit, rule = record["totals"], record["deposit"], record["rule"]
    rate = f"{rule['rate_bps'] / 100:g} % ({rule['rate_source']})"
    return pages.table(
        "Requirement and deposit",
        ("", "Amount"),
        [
            ("Total credits, items 1 to 9", money(totals["credits_minor"])),
            ("Total debits, items 10 to 15", money(totals["debits_minor"])),
            (f"Reduction of debits at {rate}", money(totals["reduction_minor"])),
            ("Required on deposit, item 16", money(totals["requirement_minor"])),
            ("Covered by customers' excess debits, (e)(4)", money(deposit["covered_minor"])),
            ("On deposit, as far as it counts", money(deposit["held_minor"])),
            ("Deposit to be ordered", money(deposit["order_minor"])),
            ("Excess left on deposit", money(deposit["excess_minor"])),
        ],
        numbers=(1,),
        totals=(3,),
    )


def _deadline(record: Record) -> str:
    deposit = record["deposit"]
    return pages.facts(
        "Deadline",
        (
            ("Deposit due", f"{deposit['due_at']}, {instant_text(deposit['due_at_ns'])}"),
            ("Rule", "one hour after banking opens on the second following business day, (e)(3)(i)"),
            ("Bank opens", f"{deposit['bank_opens_at']} {deposit['bank_zone']}"),
            ("Calendar", deposit["calendar"]),
            ("Payment", f"RD{deposit['payment_id']}" if deposit["payment_id"] else "none"),
            ("To the reserve account at bank", deposit["bank"] or "none"),
        ),
    )


def _focus(record: Record) -> str:
    return pages.table(
        "FOCUS report, Part II",
        ("Box", "Name", "Value", "Box number"),
        [
            (
                box["box"],
                box["name"],
                money_text(box["value"]) if isinstance(box["value"], int) else box["value"],
                "read in the form" if box["is_confirmed"] else "to be compared with the form",
            )
            for box in record["focus"]
        ],
        numbers=(2,),
    )


def _drill_down(record: Record, sources: Sequence[Mapping[str, Any]]) -> list[str]:
    by_item: dict[int, list[Mapping[str, Any]]] = {}
    for row in sources:
        by_item.setdefault(row["item_number"], []).append(row)
    told: list[str] = []
    for item, rows in sorted(by_item.items()):
        shown = sorted(rows, key=lambda r: (-abs(r["amount_minor"]), r["source"]))[:ROWS_TOLD]
        part = f", the {ROWS_TOLD} largest of {len(rows)} rows" if len(rows) > ROWS_TOLD else ""
        told.append(
            pages.table(
                f"Item {item}, from its source rows{part}",
                ("Source", "Amount"),
                [(row["source"], money_text(row["amount_minor"])) for row in shown],
                numbers=(1,),
            )
        )
    return told


def _provenance(record: Record) -> str:
    rule, people, inputs, restates = record["rule"], record["people"], record["inputs"], record["restates"]
    sequence = inputs["journal_sequence"]
    return pages.facts(
        "Made from",
        (
            ("Prepared by operator", str(people["preparer_operator_id"])),
            ("Reviewer, operator", str(people["approver_operator_id"])),
            ("Method and frequency", f"{rule['method']}, {rule['frequency']}"),
            *((f"Switch {name}", str(value)) for name, value in sorted(rule["policy"].items())),
            ("Journal sequence", "none, inputs from outside" if sequence is None else str(sequence)),
            ("Digest of the inputs", inputs["sha256"]),
            *((f"SHA-256 of {name}", digest) for name, digest in sorted(inputs["files"].items())),
            *(
                (("Restates", f"{restates['filing_reference']}, {restates['statement_sha256']}"),)
                if restates
                else ()
            ),
            ("Check", "onebook verify reserve, on this folder alone"),
        ),
    )
