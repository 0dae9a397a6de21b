"""Both formulas of a book as rows: a row a formula, with its lines, sources, notes and the rest as lists.

Owns: which figures are told of a computation, their names and types, and what holds a filing. Does not own a
figure. The warehouse unnests the lists into marts; what a list holds is a frame of `_PARTS`.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any, NamedTuple

import polars as pl

from engine.errors import PlatformError
from engine.reserve.book_case import Book, book_files, case_of_book
from engine.reserve.case_files import CLAIMS, HOLDERS, LOCATIONS, TOTALS, Case
from engine.reserve.computation import Basis, Computation, Terms, compute_on, reserve_balances
from engine.reserve.control import IssueDetermination
from engine.reserve.csv_columns import LINE
from engine.reserve.deadline import deposit_date
from engine.reserve.eligible_deposit import Direction, cash_room_minor
from engine.reserve.findings import REQUIREMENT
from engine.reserve.focus import ITEMS
from engine.reserve.kinds import Claim, Holder, Location
from engine.reserve.net_capital import Requirement
from engine.reserve.sources import source_rows
from engine.reserve.statement import allocated
from engine.reserve.terms import Formula, Indeterminate
from engine.reserve.totals import is_of

_COUNT = pl.Int64
_MINOR = pl.Int64
SCALARS: dict[str, Any] = {
    "formula": pl.String,
    "as_of_date": pl.Date,
    "is_filed": pl.Boolean,  # whether the firm has anybody whom the formula protects
    "method": pl.String,
    "frequency": pl.String,
    "rule_version": pl.String,
    "credits_minor": _MINOR,
    "debits_minor": _MINOR,
    "reduction_percent": _COUNT,
    "reduction_basis": pl.String,
    "reduction_source": pl.String,
    "reduction_minor": _MINOR,
    "requirement_minor": _MINOR,
    "excess_debits_minor": _MINOR,
    "eligible_minor": _MINOR,
    "covered_minor": _MINOR,
    "order_minor": _MINOR,  # positive is to be deposited, negative may be withdrawn
    "deposit_bank": pl.String,
    "deposit_date": pl.Date,
    "due_at": pl.Datetime("us"),  # UTC
    "net_worth_charge_minor": _MINOR,
    "aggregate_debits_minor": _MINOR,
    "net_capital_minimum_minor": _MINOR,
    "frequency_state": pl.String,
    "is_often_enough": pl.Boolean,
}
_PARTS: dict[str, dict[str, Any]] = {
    "inputs": {"table_name": pl.String, "sha256": pl.String, "content": pl.String},
    "lines": {
        "item_number": _COUNT,
        "side": pl.String,
        "name": pl.String,
        "focus_box": pl.String,
        "amount_minor": _MINOR,
    },
    "sources": {"item_number": _COUNT, "source": pl.String, "amount_minor": _MINOR},
    "notes": {
        "note_number": _COUNT,
        "note": pl.String,
        "item_number": _COUNT,
        "amount_minor": _MINOR,
        "basis": pl.String,
    },
    "gaps": {"subject": pl.String, "reason": pl.String, "is_holding": pl.Boolean},
    "allocation": {
        "issue": pl.String,
        "pair_number": _COUNT,
        "claim": pl.String,
        "location": pl.String,
        "is_over_age": pl.Boolean,
        "quantity": _COUNT,
        "item_number": _COUNT,
        "amount_minor": _MINOR,
        "basis": pl.String,
    },
    "control": {
        "issue": pl.String,
        "required_units": _COUNT,
        "in_control_units": _COUNT,
        "deficit_units": _COUNT,
        "location": pl.String,
        "quantity": _COUNT,
        "act": pl.String,
        "source": pl.String,
        "instruct_by": pl.Date,
        "possession_by": pl.Date,
    },
}


def book_figures(book: Book, terms: Terms) -> pl.DataFrame:
    """A row a formula of a book: the scalars, then a list of rows a part.

    What an input makes impossible to compute is told as a gap of its formula, and every amount is null.
    """
    try:
        case = case_of_book(book, terms.as_of)
    except PlatformError as error:
        return pl.concat(
            _row(_of_terms(terms._replace(formula=formula)) | {"is_filed": True}, {"gaps": [_holding(error)]})
            for formula in Formula
        )
    files = book_files(book)
    inputs = [(name, case.digests[name], files[name].decode()) for name in sorted(files)]
    basis = Basis(case, terms)
    return pl.concat(_figures(basis, formula, inputs) for formula in Formula)


def no_figures() -> pl.DataFrame:
    """The same without a row."""
    return _row({}, {}).clear()


class _Gap(NamedTuple):
    subject: str
    reason: str
    is_holding: bool


def _holding(error: PlatformError) -> _Gap:
    return _Gap("requirement", str(error), True)


def _figures(basis: Basis, formula: Formula, inputs: list[tuple[str, str, str]]) -> pl.DataFrame:
    case, terms = basis.case, basis.terms._replace(formula=formula)
    try:
        told = compute_on(basis, formula)
    except PlatformError as error:
        parts: dict[str, Any] = {"gaps": [_holding(error)], "inputs": inputs}
        return _row(_of_terms(terms) | {"is_filed": _is_filed(case, terms.formula)}, parts)
    bank, room = _deposit_bank(case, terms.formula)
    parts = {
        "inputs": inputs,
        "lines": _lines(told),
        "sources": _sources(case, told),
        "notes": [(n, *note) for n, note in enumerate(told.notes, start=1)],
        "gaps": _gaps(told, bank, room),
        "allocation": _allocation(told),
        "control": [row for found in told.control.deficits for row in _instructions(found)],
    }
    return _row(_scalars(told) | {"is_filed": _is_filed(case, terms.formula), "deposit_bank": bank}, parts)


def _row(scalars: dict[str, Any], parts: dict[str, Any]) -> pl.DataFrame:
    values = pl.DataFrame({name: [scalars.get(name)] for name in SCALARS}, schema=SCALARS)
    lists: list[pl.Series] = []
    for name, schema in _PARTS.items():
        rows = parts.get(name, [])
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, schema=schema, orient="row")
        typed = frame.select(pl.col(column).cast(kind) for column, kind in schema.items())
        lists.append(typed.to_struct(name).implode())
    return values.with_columns(lists)


def _of_terms(terms: Terms) -> dict[str, Any]:
    return {
        "formula": terms.formula.value,
        "as_of_date": terms.as_of,
        "method": terms.method.value,
        "frequency": terms.frequency.value,
        "deposit_date": deposit_date(terms.as_of),
    }


def _scalars(told: Computation) -> dict[str, Any]:
    order, capital, frequency = told.order, told.capital_minimum, told.frequency
    signed = None
    if order is not None:
        signed = -order.amount_minor if order.direction is Direction.WITHDRAWAL else order.amount_minor
    state = frequency.standing if frequency else None
    return _of_terms(told.terms) | {
        "rule_version": told.rule_version,
        "credits_minor": told.total_credits_minor,
        "debits_minor": told.total_debits_minor,
        "reduction_percent": told.reduction.percent,
        "reduction_basis": told.reduction.of,
        "reduction_source": told.reduction.source,
        "reduction_minor": told.reduction.amount_minor,
        "requirement_minor": told.requirement_minor,
        "excess_debits_minor": told.excess_debits_minor,
        "eligible_minor": told.eligible_deposit_minor,
        "covered_minor": order.covered_minor if order else None,
        "order_minor": signed,
        "due_at": told.deadline.astimezone(UTC).replace(tzinfo=None),
        "net_worth_charge_minor": told.charge_minor,
        "aggregate_debits_minor": told.aggregate_debits_minor,
        "net_capital_minimum_minor": capital.amount_minor if isinstance(capital, Requirement) else None,
        "frequency_state": state.state.value if state else None,
        "is_often_enough": frequency.is_allowed if frequency else None,
    }


def _is_filed(case: Case, formula: Formula) -> bool:
    """Whether a formula protects anybody: customers' is filed always, PAB where there is any such row."""
    if formula is Formula.CUSTOMER:
        return True
    return bool(
        (case.accounts["class"] == HOLDERS.index(Holder.PAB)).any()
        or (case.claims["claim"] == CLAIMS.index(Claim.PAB)).any()
        or (case.locations["location"] == LOCATIONS.index(Location.PAB_SHORT)).any()
        or len(is_of(case.other, Formula.PAB, Formula.CUSTOMER))
    )


def _deposit_bank(case: Case, formula: Formula) -> tuple[str | None, int]:
    """The bank whose reserve account has most room for cash that counts, and that room in cents."""
    rooms: list[tuple[int, str]] = []
    for balance in reserve_balances(case, formula):
        try:
            rooms.append((-cash_room_minor(balance), balance.bank))
        except Indeterminate:
            rooms.append((0, balance.bank))
    if not rooms:
        return None, 0
    room, bank = min(rooms)
    return bank, -room


def _gaps(told: Computation, bank: str | None, room: int) -> list[_Gap]:
    """What is not known, and what of it holds the filing: the requirement, and what is to be deposited."""
    gaps = [
        _Gap("requirement" if g.item == REQUIREMENT else f"item {g.item}", g.reason, True) for g in told.gaps
    ]
    if told.deposit_gap:
        gaps.append(_Gap("eligible deposit", told.deposit_gap, True))
    if told.other_gap:
        gaps.append(_Gap("aggregate debit items", told.other_gap, False))
    if told.charge_minor is None:
        reason = "a fail to deliver or a borrow has no contract value"
        gaps.append(_Gap("net worth charge", reason, False))
    gaps += [_Gap("control", f"issue {i}: {reason}", False) for i, reason in told.control.unknown.items()]
    if isinstance(told.capital_minimum, str):
        gaps.append(_Gap("net capital minimum", told.capital_minimum, False))
    if told.frequency is not None and not told.frequency.is_allowed:
        gaps.append(_Gap("frequency", told.frequency.reason, False))
    missing = told.order.amount_minor if told.order and told.order.direction is Direction.DEPOSIT else 0
    if missing and bank is None:
        gaps.append(_Gap("deposit", "no reserve account is open for it", False))
    elif missing > room:
        reason = f"of {missing} cents only {room} would count at bank {bank}, (e)(5)"
        gaps.append(_Gap("deposit", reason, False))
    return gaps


def _lines(told: Computation) -> list[tuple[Any, ...]]:
    is_customer = told.terms.formula is Formula.CUSTOMER  # no boxes are declared for PAB accounts
    return [
        (item.number, item.side, item.name, item.box if is_customer else "", told.lines[item.number])
        for item in ITEMS
    ]


def _sources(case: Case, told: Computation) -> pl.DataFrame:
    """Rows behind each item under the name of what they are; rows of one name are told as one."""
    named = _names(case)
    rows = source_rows(case, told).join(named, on=["file", LINE], how="left")
    source = pl.coalesce("name", pl.lit("note ") + pl.col("note")).alias("source")
    summed = rows.group_by(pl.col("item").alias("item_number"), source).agg(pl.col("amount_minor").sum())
    return summed.sort("item_number", "source")


def _names(case: Case) -> pl.DataFrame:
    """What each row of a case is called: (file, line, name)."""
    parts = (
        ("accounts.csv", case.accounts, [pl.lit("account"), pl.col("account_id")]),
        (
            "claims.csv",
            case.claims,
            [pl.col("issue"), _word("claim", CLAIMS), pl.col("account_id"), _day("opened_on")],
        ),
        (
            "locations.csv",
            case.locations,
            [pl.col("issue"), _word("location", LOCATIONS), pl.col("account_id"), _day("opened_on")],
        ),
        ("other.csv", case.other, [_word("item", TOTALS), _day("opened_on")]),
    )
    return pl.concat(
        table.select(
            pl.lit(file).alias("file"),
            pl.col(LINE).cast(pl.Int64),
            pl.concat_str(words, separator=" ", ignore_nulls=True).alias("name"),
        )
        for file, table, words in parts
    )


def _word(column: str, words: tuple[Any, ...]) -> pl.Expr:
    spelled = {number: word.value for number, word in enumerate(words)}
    return pl.col(column).replace_strict(spelled, return_dtype=pl.String)


def _day(column: str) -> pl.Expr:
    return pl.lit("of ") + pl.col(column).cast(pl.String)


def _allocation(told: Computation) -> pl.DataFrame:
    """Pairs that give something in this formula; those that give nothing in either stand with customers'."""
    formula = told.terms.formula
    rows = allocated(told.stock, told.stock_lines)
    own = pl.col("formula") == formula.value
    chosen = own if formula is Formula.PAB else own.fill_null(True)
    return rows.filter(chosen)


def _instructions(found: IssueDetermination) -> list[tuple[Any, ...]]:
    """An instruction each, or one row without any where none is due yet."""
    issue = (found.issue, found.required_units, found.in_control_units, found.deficit_units)
    return [
        (*issue, i.location.value, i.units, i.act, i.citation, i.instruct_by, i.possession_by)
        for i in found.instructions
    ] or [(*issue, None, 0, "", "", None, None)]
