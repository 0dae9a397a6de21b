"""The record of a day's margin: what the engine reported beside what the lake's own figures come to.

Owns: which report is the day's, the record's content and form, what differs. Does not own: the recomputation
(model.py, book.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from engine.config import Home
from engine.projections.lake import read_table
from orchestration.products import pages
from orchestration.products.margin.book import Book, Tables
from orchestration.products.margin.model import Position
from orchestration.products.papers import money_text, readable_json
from schemas.codes import MarginState
from schemas.days import date_of
from schemas.market import CommandRefused
from schemas.risk import MarginPositionReported, MarginReported, ReportMargins

FORMAT_VERSION = 1
COMPARED = ("equity_minor", "initial_margin_minor", "maintenance_margin_minor")
HELD = ("held_lots", "cost_minor", "mark_ticks")

Record = dict[str, Any]
_COLUMNS = (
    "Account", "", "State", "Equity", "Initial", "Maintenance", "Scenarios", "Names", "Charges", "Basis",
    "Equal",
)  # fmt: skip


class Report(NamedTuple):
    """One report of all accounts, as the lake has it."""

    business_epoch_day: int
    command_sequence: int
    first_sequence: int  # of its events: what the report was computed of lies before
    accounts: pl.DataFrame  # rows of MarginReported
    positions: pl.DataFrame  # rows of MarginPositionReported


def reports(home: Home) -> list[Report]:
    """The last report of each business day that has one, in order of days."""
    asked = read_table(home, ReportMargins)
    refused = read_table(home, CommandRefused)["cause_sequence"].implode()
    last = (
        asked.filter(~pl.col("sequence").is_in(refused))
        .group_by("business_epoch_day")
        .agg(pl.col("sequence").max())
        .sort("business_epoch_day")
    )
    accounts, positions = read_table(home, MarginReported), read_table(home, MarginPositionReported)
    found: list[Report] = []
    for day, sequence in last.iter_rows():
        of_report = pl.col("cause_sequence") == sequence
        rows = accounts.filter(of_report).sort("sequence")
        first = int(rows["sequence"][0]) if rows.height else sequence
        found.append(Report(day, sequence, first, rows, positions.filter(of_report).sort("sequence")))
    return found


def report_of(home: Home, day: int) -> Report | None:
    """The last report of a business day; None when there is none."""
    return next((r for r in reports(home) if r.business_epoch_day == day), None)


def reported_positions(report: Report) -> dict[tuple[int, int], dict[str, int]]:
    """The rows of a report's positions by account and instrument."""
    return {(r["account_id"], r["instrument_id"]): r for r in report.positions.to_dicts()}


def make_record(home: Home, report: Report) -> Record:
    """Recompute every account of a report. Open orders are the report's; all else is the lake's own."""
    book, told = Book(Tables(home), report.first_sequence), reported_positions(report)
    reported = {r["account_id"]: r for r in report.accounts.to_dicts()}
    places = sorted(told.keys() | book.held_lots.keys() | book.cost_minor.keys())
    positions: dict[int, dict[int, Position]] = {}
    for account_id, instrument_id in places:
        place, row = (account_id, instrument_id), told.get((account_id, instrument_id), {})
        positions.setdefault(account_id, {})[instrument_id] = Position(
            book.held_lots.get(place, 0),
            book.cost_minor.get(place, 0),
            row.get("open_buy_lots", 0),
            row.get("open_sell_lots", 0),
            row.get("open_loss_minor", 0),
        )
    return {
        "format_version": FORMAT_VERSION,
        "as_of_date": str(date_of(report.business_epoch_day)),
        "command_sequence": report.command_sequence,
        "first_sequence": report.first_sequence,
        "scenario_set_id": book.scenarios.scenario_set_id,
        "scenario_count": len(book.scenarios.groups),
        "model": {name: getattr(book.model, name) for name in type(book.model).__dataclass_fields__},
        "accounts": [
            {
                "account_id": account_id,
                "is_ours": account_id in book.account_ids,
                "is_retail": account_id in book.retail_ids,
                "margin_state": _state_name(reported.get(account_id)),
                "reported": _told(reported.get(account_id), COMPARED),
                "recomputed": book.rules.figures(
                    positions.get(account_id, {}),
                    book.cash_minor.get(account_id, 0),
                    is_retail=account_id in book.retail_ids,
                    own_asset_id=book.own_asset_ids.get(account_id, 0),
                )._asdict(),
            }
            for account_id in sorted({*book.account_ids, *reported})
        ],
        "positions": [
            {
                "account_id": account_id,
                "instrument_id": instrument_id,
                "reported": _told(told.get((account_id, instrument_id)), HELD),
                "recomputed": {
                    "held_lots": positions[account_id][instrument_id].held_lots,
                    "cost_minor": positions[account_id][instrument_id].cost_minor,
                    "mark_ticks": book.instruments[instrument_id].mark_ticks,
                },
            }
            for account_id, instrument_id in places
        ],
    }


def record_json(record: Record) -> bytes:
    """The record's bytes for machines."""
    return readable_json(record)


def record_html(record: Record) -> bytes:
    """The record for people."""
    rows = [
        (
            str(a["account_id"]),
            "retail" if a["is_retail"] else "",
            a["margin_state"],
            *(money_text(a["recomputed"][name]) for name in COMPARED),
            *(money_text(a["recomputed"][n]) for n in ("at_risk_minor", "names_minor", "charges_minor")),
            money_text(a["recomputed"]["basis_minor"]),
            "yes" if a["reported"] == _told(a["recomputed"], COMPARED) else "NO",
        )
        for a in record["accounts"]
    ]
    model = [(name.removesuffix("_ppm"), f"{value:,} ppm") for name, value in record["model"].items()]
    return pages.page(
        f"Margin as of {record['as_of_date']}",
        "Recomputed from the ledger, marks, terms and scenarios, beside what the engine reported.",
        pages.table(
            "Accounts",
            _COLUMNS,
            rows,
            numbers=range(3, 10),
        ),
        pages.table(
            "Differences", ("What",), [(line,) for line in (*figure_problems(record), *held_problems(record))]
        ),
        pages.facts(
            "Made from",
            (
                ("Report", f"sequence {record['command_sequence']}"),
                ("Scenario set", f"{record['scenario_set_id']} of {record['scenario_count']} scenarios"),
                *model,
            ),
        ),
    )


# What differs -----------------------------------------------------------------------------------------------


def figure_problems(record: Record) -> list[str]:
    """Figures of accounts that the engine reported otherwise."""
    return [
        f"account {a['account_id']}: {name} reported {a['reported'][name]}, "
        f"recomputed {a['recomputed'][name]}"
        for a in record["accounts"]
        if a["reported"] is not None
        for name in COMPARED
        if a["reported"][name] != a["recomputed"][name]
    ]


def held_problems(record: Record) -> list[str]:
    """Lots, costs and marks that the engine reported otherwise; what is not reported is zero."""
    problems: list[str] = []
    for p in record["positions"]:
        told, due = p["reported"] or dict.fromkeys(HELD[:2], 0), p["recomputed"]
        problems += [
            f"account {p['account_id']} instrument {p['instrument_id']}: {name} reported {told[name]}, "
            f"recomputed {due[name]}"
            for name in told
            if told[name] != due[name]
        ]
    return problems


def account_problems(record: Record) -> list[str]:
    """Accounts that either the book or the report does not have."""
    missing = [
        f"account {a['account_id']} has no report" for a in record["accounts"] if a["reported"] is None
    ]
    strange = [f"account {a['account_id']} is none of ours" for a in record["accounts"] if not a["is_ours"]]
    return missing + strange


def _told(row: Any, names: Sequence[str]) -> dict[str, int] | None:
    return None if row is None else {name: row[name] for name in names}


def _state_name(row: Any) -> str:
    return "" if row is None else MarginState(row["margin_state_code"]).name
