"""A computation as JSON: money in dollars with exactly two decimals, what is not known as INDETERMINATE.

Owns: the keys and how an amount is written. A JSON number is written from its digits, never through a binary
fraction. Does not own any figure.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from engine.reserve.computation import Computation, inputs_digest
from engine.reserve.control import IssueDetermination
from engine.reserve.eligible_deposit import Direction
from engine.reserve.findings import REQUIREMENT
from engine.reserve.lines import StockLines
from engine.reserve.matrix import OLD_LONGS, OLD_SHORTS, Cell, Long, Short, long_word, short_word
from engine.reserve.stock import Stock
from engine.reserve.terms import CENTS

UNKNOWN = "INDETERMINATE"
FLAT_KEYS = 8


class Money(NamedTuple):
    """Cents that are written as dollars."""

    minor: int

    def digits(self) -> str:
        """The amount as it stands in JSON."""
        whole, part = divmod(abs(self.minor), CENTS)
        return f"{'-' if self.minor < 0 else ''}{whole}.{part:02}"


def money(minor: int | None) -> Money | str:
    """An amount, or the word for one that is not known."""
    return UNKNOWN if minor is None else Money(minor)


def statement(told: Computation) -> dict[str, Any]:
    """Everything that a computation says, by the names of its JSON; amounts are Money."""
    terms = told.terms
    gaps = [
        {"item": str(g.item) if g.item != REQUIREMENT else "requirement", "reason": g.reason}
        for g in told.gaps
    ]
    if told.deposit_gap:
        gaps.append({"item": "eligible_deposit", "reason": told.deposit_gap})
    if told.other_gap:
        gaps.append({"item": "aggregate_debit_items", "reason": told.other_gap})
    if told.charge_minor is None:
        gaps.append(
            {"item": "net_worth_charge", "reason": "a fail to deliver or a borrow has no contract_value"}
        )
    for issue, reason in told.control.unknown.items():
        gaps.append({"item": "control_deficits", "reason": f"issue {issue}: {reason}"})
    order = told.order
    return {
        "formula": terms.formula.value,
        "as_of": terms.as_of.isoformat(),
        "method": terms.method.value,
        "frequency": terms.frequency.value,
        "rule_version": told.rule_version,
        "inputs_digest": inputs_digest(told.inputs),
        "inputs": dict(sorted(told.inputs.items())),
        "lines": {str(item): money(amount) for item, amount in sorted(told.lines.items())},
        "notes": [
            {"note": n.note, "item": str(n.item), "amount": Money(n.amount_minor), "basis": n.basis}
            for n in told.notes
        ],
        "total_credits": money(told.total_credits_minor),
        "total_debits": money(told.total_debits_minor),
        "reduction": money(told.reduction.amount_minor),
        "reduction_basis": {
            "percent": told.reduction.percent,
            "of": told.reduction.of,
            "source": told.reduction.source,
        },
        "requirement": money(told.requirement_minor),
        "excess_debits": money(told.excess_debits_minor),
        "eligible_deposit": money(told.eligible_deposit_minor),
        "deposits": [
            {
                "bank": c.bank,
                "cash": Money(c.cash_minor),
                "qualified_securities": Money(c.securities_minor),
                "excluded_cash": Money(c.excluded_cash_minor),
                "reason": c.reason,
            }
            for c in told.counted_deposits
        ],
        "covered_by_customer_excess": Money(order.covered_minor if order else 0),
        "deposit_due": money(_due(told)),
        "order": UNKNOWN if order is None else order.direction.value,
        "order_amount": money(order.amount_minor if order else None),
        "deadline": told.deadline.isoformat(),
        "net_worth_charge": money(told.charge_minor),
        "aggregate_debit_items": money(told.aggregate_debits_minor),
        "net_capital_minimum": _capital(told),
        "frequency_required": _frequency(told),
        "control_deficits": [_deficit(d) for d in told.control.deficits],
        "indeterminate": gaps,
        "allocation": allocation(told.stock, told.stock_lines),
    }


def _due(told: Computation) -> int | None:
    """What has to be deposited; zero when enough is there."""
    if told.order is None:
        return None
    return told.order.amount_minor if told.order.direction is Direction.DEPOSIT else 0


def _capital(told: Computation) -> dict[str, Any] | str | None:
    found = told.capital_minimum
    if found is None or isinstance(found, str):
        return None if found is None else f"{UNKNOWN}: {found}"
    return {"amount": Money(found.amount_minor), "source": found.citation}


def _frequency(told: Computation) -> dict[str, Any] | None:
    """Where the firm stands by what it filed; None when firm.json says nothing about it."""
    found = told.frequency
    if found is None:
        return None
    state = found.standing
    return {
        "state": UNKNOWN if state is None else state.state.value,
        "is_computed_often_enough": UNKNOWN if found.is_allowed is None else found.is_allowed,
        "average_total_credits": None
        if state is None or state.average_minor is None
        else Money(state.average_minor),
        "daily_by": None if state is None or state.daily_by is None else state.daily_by.isoformat(),
        "reason": found.reason,
        "source": None if state is None else state.citation,
    }


def _deficit(found: IssueDetermination) -> dict[str, Any]:
    return {
        "issue": found.issue,
        "required": found.required_units,
        "in_control": found.in_control_units,
        "deficit": found.deficit_units,
        "by_bucket": {bucket.value: units for bucket, units in found.by_bucket.items()},
        "instructions": [
            {
                "location": told.location.value,
                "quantity": told.units,
                "act": told.act,
                "source": told.citation,
                "instruct_by": told.instruct_by.isoformat(),
                "possession_by": None if told.possession_by is None else told.possession_by.isoformat(),
            }
            for told in found.instructions
        ],
    }


def allocation(stock: Stock, lines: StockLines) -> dict[str, list[dict[str, Any]]]:
    """By issue, in the order of the matrix: which claim lies where, how many units, what it gives."""
    told: dict[str, list[dict[str, Any]]] = {issue: [] for issue in stock.issues}
    columns = allocated(stock, lines).drop("pair_number")
    for issue, claim, location, is_old, units, item, formula, amount, basis in columns.iter_rows():
        told[issue].append(
            {
                "claim": claim,
                "location": location,
                "quantity": units,
                **({"over_age": True} if is_old else {}),
                "line": None if item is None else str(item),
                "formula": formula,
                "value": Money(amount),
                "basis": basis,
            }
        )
    return told


def allocated(stock: Stock, lines: StockLines) -> pl.DataFrame:
    """The same as a table, a row an issue and pair, in order; what gives nothing has no item and formula."""
    order: dict[tuple[Long, Short], int] = {}
    frames: list[pl.DataFrame] = [pl.DataFrame(schema={"number": pl.Int64, **_PAIRED})]
    for valued in lines.valued:
        pair = order.setdefault((valued.pairing.long, valued.pairing.short), len(order))
        columns = {
            "number": valued.pairing.issue,
            "quantity": valued.pairing.quantity,
            "amount_minor": valued.amount,
        }
        frames.append(pl.DataFrame(columns).with_columns(pl.lit(pair, pl.Int64).alias("pair_number")))
    cells = {(v.pairing.long, v.pairing.short): v.cell for v in lines.valued}
    words = [(n, *_words(*pair, cells[pair])) for pair, n in order.items()]
    issues = pl.DataFrame({"issue": pl.Series(stock.issues, dtype=pl.String)}).with_row_index("number")
    return (
        pl.concat([frame.select("number", *_PAIRED) for frame in frames])
        .group_by("number", "pair_number")
        .agg(pl.col("quantity", "amount_minor").sum())
        .join(pl.DataFrame(words, schema=_PAIR_WORDS, orient="row"), on="pair_number")
        .join(issues.with_columns(pl.col("number").cast(pl.Int64)), on="number")
        .sort("number", "pair_number")
        .select(
            "issue", "pair_number", "claim", "location", "is_over_age", "quantity", "item_number", "formula",
            "amount_minor", "basis",
        )
    )  # fmt: skip


_PAIRED = {"pair_number": pl.Int64, "quantity": pl.Int64, "amount_minor": pl.Int64}
_PAIR_WORDS = {
    "pair_number": pl.Int64,
    "claim": pl.String,
    "location": pl.String,
    "is_over_age": pl.Boolean,
    "item_number": pl.Int64,
    "formula": pl.String,
    "basis": pl.String,
}


def _words(long: Long, short: Short, cell: Cell | None) -> tuple[Any, ...]:
    """What is the same in every issue of a pair: where it is, what it gives, and on what basis."""
    is_old = long in OLD_LONGS or short in OLD_SHORTS
    is_item = cell is not None and cell.item > 0
    return (
        long_word(long),
        short_word(short),
        is_old,
        cell.item if cell is not None and is_item else None,
        cell.formula.value if cell is not None and is_item else None,
        cell.basis.value if cell is not None else "nothing",
    )


def as_json(told: dict[str, Any]) -> str:
    """JSON text of a statement."""
    return _block(told, "")


def _block(value: Any, indent: str) -> str:
    inner = indent + "  "
    if type(value) is dict and value:
        flat = _flat(value)
        if flat is not None:
            return flat
        entries = [f"{inner}{_text(key)}: {_block(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if type(value) is list and value:
        return "[\n" + ",\n".join(inner + _block(each, inner) for each in value) + f"\n{indent}]"
    return _scalar(value)


def _flat(value: dict[str, Any]) -> str | None:
    """A short object of plain values on one line; None for any other."""
    if len(value) > FLAT_KEYS:
        return None
    parts: list[str] = []
    for key, each in value.items():
        kind = type(each)
        if kind is dict or kind is list:
            return None
        parts.append(f"{_text(key)}: {_scalar(each)}")
    return "{" + ", ".join(parts) + "}"


def _scalar(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is Money:
        return value.digits()
    return str(value) if kind is int else json.dumps(value)


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    return json.dumps(text)
