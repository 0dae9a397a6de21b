"""The record of one reserve computation as it is filed, and what a record may not contradict.

Owns: the shape of the record, its canonical content, and the identities that bind its figures to each other.
Does not own a figure, the bytes on disk, or the signature. A record never changes: restating a day makes the
next version, which names the one before. Source: 17 CFR 240.15c3-3(e)(3)(vi), 240.17a-4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from engine.canonical import canonical_json, sha256_of
from engine.errors import BadInput
from engine.reserve.calendar import BANK
from engine.reserve.deadline import Opening, deposit_date, deposit_due, instant_ns
from engine.reserve.focus import ITEMS, FocusFigures, focus_boxes
from engine.reserve.terms import Formula, Frequency, Indeterminate, Method

FORMAT_VERSION = 2
ITEM_COUNT = len(ITEMS)
MONTHLY_PERCENT = 105
BASIS_POINTS = 10_000
WHOLE = f"Exhibit A does not have each of its items 1 to {ITEM_COUNT} once"

Record = dict[str, Any]


class RuleApplied(NamedTuple):
    """Which version of the rules a computation followed, and the rate of the reduction in basis points."""

    version: str
    method: Method
    frequency: Frequency
    rate_bps: int
    rate_source: str


class FiledLine(NamedTuple):
    """One item of Exhibit A with its amount in cents."""

    item_number: int
    side: str
    name: str
    focus_box: str
    amount_minor: int
    note: str = ""


class SourceRow(NamedTuple):
    """What one row of an input gives to an item: where it stands, `file:line` or a name, and signed cents.

    A note that changes an item is a row of its own, so that every item is the sum of its rows.
    """

    item_number: int
    source: str
    amount_minor: int


class Restated(NamedTuple):
    """The version that a record takes the place of."""

    filing_reference: str
    statement_sha256: str


class Filing(NamedTuple):
    """Everything that a record is made from. Amounts are in cents.

    `input_digests` are SHA-256 by name of each input file or table; `journal_sequence` is where the journal
    stood, None for inputs from outside. `held_minor` is what counts on deposit, `covered_minor` what
    customers' excess debits cover of a PAB requirement, `bank` whose reserve account a deposit goes to.
    `policy` are the firm's switches that are not at their default.
    `test_purpose` says what a test run is for and is empty on a computation that the rule asks for: no
    deposit is ordered on a test, and no withdrawal rests on it. Source: SEC staff FAQ, question 2,
    2025-12-08, GUIDANCE.
    """

    formula: Formula
    as_of: date
    version: int
    currency: str
    rule: RuleApplied
    lines: Sequence[FiledLine]
    sources: Sequence[SourceRow]
    credits_minor: int
    debits_minor: int
    reduction_minor: int
    requirement_minor: int
    held_minor: int
    preparer: int | str
    reviewer: int | str
    input_digests: Mapping[str, str]
    journal_sequence: int | None = None
    restates: Restated | None = None
    covered_minor: int = 0
    held_securities_minor: int | None = None
    payment_id: int = 0
    bank: str = ""
    opening: Opening = Opening()
    policy: Mapping[str, str] = {}
    test_purpose: str = ""


def reference_of(as_of: date, version: int, formula: Formula = Formula.CUSTOMER) -> str:
    """The name of a filing: day and version, and for PAB accounts which formula it is."""
    return f"{as_of}-{version}" if formula is Formula.CUSTOMER else f"{as_of}-{formula.value}-{version}"


def formula_of(filing_reference: str) -> Formula:
    """Which formula a filing's name is of."""
    return Formula.PAB if f"-{Formula.PAB.value}-" in filing_reference else Formula.CUSTOMER


def version_of(filing_reference: str) -> int:
    """Which version of its day a filing's name is of."""
    return int(filing_reference.rsplit("-", 1)[1])


def filing_record(filing: Filing) -> Record:
    """The record of a computation.

    Raises BadInput when one person prepared and reviewed it or a restatement names nothing, Indeterminate
    when its figures do not follow from each other or from their sources: what does not add up is not filed.
    """
    if filing.preparer == filing.reviewer:
        raise BadInput(f"{filing.preparer} may not review a computation of their own")
    if (filing.version > 1) != (filing.restates is not None):
        raise BadInput(
            f"version {filing.version} of {filing.as_of} must name the one it restates, the first none"
        )
    if sorted(line.item_number for line in filing.lines) != list(range(1, ITEM_COUNT + 1)):
        raise Indeterminate(WHOLE)
    if not filing.input_digests:
        raise Indeterminate("a computation without a digest of its inputs proves nothing")
    missing = 0 if filing.test_purpose else _missing(filing)
    left = max(filing.held_minor + filing.covered_minor - filing.requirement_minor, 0)
    due = deposit_due(filing.as_of, filing.opening)
    counts = Counter(row.item_number for row in filing.sources)
    record: Record = {
        "format_version": FORMAT_VERSION,
        "filing_reference": reference_of(filing.as_of, filing.version, filing.formula),
        "formula": filing.formula.value,
        "as_of_date": str(filing.as_of),
        "version": filing.version,
        "restates": filing.restates._asdict() if filing.restates else None,
        "test_purpose": filing.test_purpose,
        "currency": filing.currency,
        "rule": {
            "text": filing.rule.version,
            "method": filing.rule.method.value,
            "frequency": filing.rule.frequency.value,
            "rate_bps": filing.rule.rate_bps,
            "rate_source": filing.rule.rate_source,
            "policy": dict(filing.policy),
        },
        "lines": [
            {**line._asdict(), "source_count": counts[line.item_number] or _no_rows(line)}
            for line in sorted(filing.lines)
        ],
        "totals": {
            "credits_minor": filing.credits_minor,
            "debits_minor": filing.debits_minor,
            "reduction_minor": filing.reduction_minor,
            "requirement_minor": filing.requirement_minor,
        },
        "deposit": {
            "held_minor": filing.held_minor,
            "held_securities_minor": filing.held_securities_minor,
            "covered_minor": filing.covered_minor,
            "order_minor": missing,
            "excess_minor": left,
            "payment_id": filing.payment_id,
            "bank": filing.bank,
            "deposit_date": str(deposit_date(filing.as_of)),
            "bank_opens_at": filing.opening.at.isoformat("minutes"),
            "bank_zone": filing.opening.zone.key,
            "due_at": due.isoformat(),
            "due_at_ns": instant_ns(due),
            "calendar": BANK.version,
        },
        "people": {
            "preparer_operator_id": filing.preparer,
            "approver_operator_id": filing.reviewer,
        },
        "inputs": {
            "journal_sequence": filing.journal_sequence,
            "files": dict(sorted(filing.input_digests.items())),
            "sha256": sha256_of(canonical_json(dict(filing.input_digests))),
        },
    }
    record["focus"] = _focus_of(record)
    if problems := contradictions(record, source_rows(filing.sources)):
        raise Indeterminate(problems[0])
    return record


def source_rows(sources: Sequence[SourceRow]) -> list[dict[str, Any]]:
    """Rows of the drill-down as they are filed, by item and then by where they stand."""
    return [row._asdict() for row in sorted(sources)]


def contradictions(record: Record, sources: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a record says against itself or its drill-down, one line each; an empty list is a sound record."""
    if not _is_whole(record):
        return [WHOLE]
    return [
        *broken_identities(record),
        *_broken_drill_down(record, sources),
        *_broken_deposit(record),
        *_broken_provenance(record),
    ]


def broken_identities(record: Record) -> list[str]:
    """Identities of Exhibit A that a record breaks, one line each."""
    if not _is_whole(record):
        return [WHOLE]
    amounts = {line["item_number"]: line["amount_minor"] for line in record["lines"]}
    totals, rule = record["totals"], record["rule"]
    due = {
        "credits_minor": sum(amounts[n] for n in range(1, 10)),
        "debits_minor": sum(amounts[n] for n in range(10, 16)),
    }
    net = totals["credits_minor"] - (totals["debits_minor"] - totals["reduction_minor"])
    due["requirement_minor"] = max(net, 0)
    is_customer = record["formula"] == Formula.CUSTOMER
    if is_customer and rule["frequency"] == Frequency.MONTHLY:
        due["requirement_minor"] = -(-max(net, 0) * MONTHLY_PERCENT // 100)
    problems = [f"{n} is {totals[n]}, not {v}" for n, v in due.items() if totals[n] != v]
    reduced = totals["debits_minor"] if rule["method"] == Method.ALTERNATIVE else amounts[10]
    exact = reduced * rule["rate_bps"] if is_customer else 0
    if abs(totals["reduction_minor"] * BASIS_POINTS - exact) >= BASIS_POINTS:
        problems.append(
            f"reduction_minor is {totals['reduction_minor']}, not {rule['rate_bps']} bps of {reduced}"
        )
    if amounts[ITEM_COUNT] != totals["requirement_minor"]:
        problems.append(f"item {ITEM_COUNT} is {amounts[ITEM_COUNT]}, not {totals['requirement_minor']}")
    return problems


def _is_whole(record: Record) -> bool:
    return [line["item_number"] for line in record["lines"]] == list(range(1, ITEM_COUNT + 1))


def _broken_drill_down(record: Record, sources: Sequence[Mapping[str, Any]]) -> list[str]:
    sums: dict[int, list[int]] = {}
    for row in sources:
        sums.setdefault(row["item_number"], []).append(row["amount_minor"])
    problems: list[str] = []
    for line in record["lines"][: ITEM_COUNT - 1]:
        item, rows = line["item_number"], sums.pop(line["item_number"], [])
        if sum(rows) != line["amount_minor"]:
            problems.append(f"item {item} is {line['amount_minor']}, its source rows add up to {sum(rows)}")
        if len(rows) != line["source_count"]:
            problems.append(f"item {item} has {len(rows)} source rows, not {line['source_count']}")
    return problems + [f"source rows name item {item}, which is none" for item in sorted(sums)]


def _broken_deposit(record: Record) -> list[str]:
    deposit, required = record["deposit"], record["totals"]["requirement_minor"]
    there = deposit["held_minor"] + deposit["covered_minor"]
    ordered = 0 if record["test_purpose"] else max(required - there, 0)
    due = {"order_minor": ordered, "excess_minor": max(there - required, 0)}
    problems = [f"{n} is {deposit[n]}, not {v}" for n, v in due.items() if deposit[n] != v]
    if deposit["covered_minor"] and record["formula"] != Formula.PAB:
        problems.append("excess debits cover a PAB deposit only, (e)(4)")
    if deposit["calendar"] == BANK.version:  # rules that changed since do not make an old record wrong
        opening = Opening(time.fromisoformat(deposit["bank_opens_at"]), ZoneInfo(deposit["bank_zone"]))
        at = deposit_due(date.fromisoformat(record["as_of_date"]), opening)
        if (deposit["due_at"], deposit["due_at_ns"]) != (at.isoformat(), instant_ns(at)):
            problems.append(f"the deposit is due at {at.isoformat()}, not at {deposit['due_at']}")
    if record["focus"] != _focus_of(record):
        problems.append("the FOCUS boxes do not follow from the figures")
    return problems


def _broken_provenance(record: Record) -> list[str]:
    people, inputs, restates = record["people"], record["inputs"], record["restates"]
    problems: list[str] = []
    if people["preparer_operator_id"] == people["approver_operator_id"]:
        problems.append("one person prepared and reviewed")
    if inputs["sha256"] != sha256_of(canonical_json(inputs["files"])):
        problems.append("the digest of the inputs is not that of their digests")
    day, version = date.fromisoformat(record["as_of_date"]), record["version"]
    if record["filing_reference"] != reference_of(day, version, Formula(record["formula"])):
        problems.append(f"{record['filing_reference']} is not the name of version {version} of {day}")
    due = reference_of(day, version - 1, Formula(record["formula"])) if version > 1 else None
    if (restates["filing_reference"] if restates else None) != due:
        problems.append(f"version {version} restates {restates and restates['filing_reference']}, not {due}")
    return problems


def _missing(filing: Filing) -> int:
    return max(filing.requirement_minor - filing.covered_minor - filing.held_minor, 0)


def _no_rows(line: FiledLine) -> int:
    """What stands for the source rows of an item that has none: Item 16 follows from the other 15."""
    return ITEM_COUNT - 1 if line.item_number == ITEM_COUNT else 0


def _focus_of(record: Record) -> list[dict[str, Any]]:
    totals, deposit, rule = record["totals"], record["deposit"], record["rule"]
    boxes = focus_boxes(
        Formula(record["formula"]),
        Method(rule["method"]),
        Frequency(rule["frequency"]),
        {line["item_number"]: line["amount_minor"] for line in record["lines"]},
        FocusFigures(
            **totals,
            held_minor=deposit["held_minor"],
            held_securities_minor=deposit["held_securities_minor"],
            order_minor=deposit["order_minor"],
            deposit_date=date.fromisoformat(deposit["deposit_date"]),
        ),
    )
    return [box._asdict() for box in boxes]
