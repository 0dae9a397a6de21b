"""How fast a reserve is computed from files, beside what reading and grouping the same rows once takes.

Owns: cases of a firm drawn by a seed, the measurement and its report. Runs in a folder of its own. Does not
own anything that is measured.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from engine.errors import PlatformError
from engine.reserve.case_files import read_case
from engine.reserve.computation import Terms, compute
from engine.reserve.kinds import Location
from engine.reserve.statement import as_json, statement
from engine.reserve.terms import Frequency, Method

Tell = Callable[[str], None]

AS_OF = date(2026, 10, 2)
TERMS = Terms(AS_OF, Method.ALTERNATIVE, Frequency.DAILY)
ROWS_PER_ACCOUNT = 10
LOCATION_SHARE = 10  # one row in ten is a location
ISSUES = 10_000
AGES = ("2026-10-01", "2026-09-25", "2026-09-03", "2026-08-20", "2026-06-30")
PLACES = (
    Location.DEPOSITORY,
    Location.BANK_LOAN,
    Location.REPO,
    Location.LOAN,
    Location.FAIL_TO_RECEIVE,
    Location.CUSTOMER_SHORT,
    Location.FIRM_SHORT,
    Location.PAB_SHORT,
    Location.NONCUSTOMER_SHORT,
    Location.TRANSFER,
    Location.DIVIDEND_RECEIVABLE,
    Location.COUNT_DIFFERENCE,
    Location.SUSPENSE,
    Location.OCC,
)


class Run(NamedTuple):
    """One computation in a process of its own."""

    read_seconds: float
    compute_seconds: float
    print_seconds: float
    cpu_seconds: float
    peak_bytes: int
    requirement: str


def measure(folder: Path | None, row_counts: Sequence[int], seed: int, tell: Tell) -> dict[str, Any]:
    """The report: each size computed once in a fresh process, beside the plain reading and grouping."""
    sizes: list[dict[str, Any]] = []
    for row_count in row_counts:
        with tempfile.TemporaryDirectory(prefix="onebook-reserve-", dir=folder) as place:
            case = Path(place)
            accounts = write_case(case, row_count, seed)
            tell(f"{row_count:,} rows, {accounts:,} accounts: written")
            plain = _in_process(_plain, case)
            run = Run(*_in_process(_run, case))
            seconds = run.read_seconds + run.compute_seconds + run.print_seconds
            tell(f"{row_count:,} rows: {seconds:.1f} s, plain {plain[0]:.1f} s")
            sizes.append(
                {
                    "rows": row_count,
                    "accounts": accounts,
                    "seconds": round(seconds, 2),
                    "read_seconds": round(run.read_seconds, 2),
                    "compute_seconds": round(run.compute_seconds, 2),
                    "print_seconds": round(run.print_seconds, 2),
                    "cpu_seconds": round(run.cpu_seconds, 2),
                    "peak_mib": run.peak_bytes >> 20,
                    "scan_and_group_seconds": round(plain[0], 2),
                    "scan_and_group_cpu_seconds": round(plain[1], 2),
                    "times_scan_and_group": round(seconds / plain[0], 1),
                    "times_scan_and_group_cpu": round(run.cpu_seconds / plain[1], 1),
                    "cpu_us_per_row": round(run.cpu_seconds / row_count * 1e6, 2),
                    "requirement": run.requirement,
                }
            )
    return {"seed": seed, "issues": ISSUES, "sizes": sizes}


def write_case(folder: Path, row_count: int, seed: int) -> int:
    """Write a case of so many rows, both sides equal; returns how many accounts it has."""
    chance = np.random.default_rng(seed)
    account_count = max(row_count // ROWS_PER_ACCOUNT, 10)
    location_count = row_count // LOCATION_SHARE // ISSUES * ISSUES or ISSUES
    claim_count = row_count - location_count
    _write_accounts(folder, account_count, chance)
    owner = chance.integers(0, account_count, claim_count)
    issue = chance.integers(0, ISSUES, claim_count)
    issue[:ISSUES] = np.arange(ISSUES)
    quantity = chance.integers(1, 400, claim_count)
    kind = _KIND_OF_CLASS[_class_of(owner)]
    street = chance.integers(0, 1_000, claim_count)
    kind = np.where(street < 8, street % 4 + 5, kind)  # a few fails, borrows, reverse repos, suspense
    names = pl.Series([f"US{i:07}" for i in range(ISSUES)])
    price = chance.integers(1_00, 500_00, ISSUES)
    aged = _AGES.gather(chance.integers(0, len(AGES), claim_count))
    is_street = pl.Series(kind > 4)
    claims = pl.DataFrame(
        {
            "issue": names.gather(issue),
            "claim": _CLAIMS.gather(kind),
            "account_id": pl.Series(owner),
            "quantity": quantity,
            "contract_value": quantity * price[issue],
            "opened_on": aged,
        }
    ).with_columns(
        pl.when(is_street).then(None).otherwise(pl.format("A{}", "account_id")).alias("account_id"),
        pl.when(is_street).then(_dollars("contract_value")).alias("contract_value"),
        pl.when(is_street).then(pl.col("opened_on")).alias("opened_on"),
    )
    claims.write_csv(folder / "claims.csv")
    _write_locations(
        folder, np.bincount(issue, quantity, ISSUES).astype(np.int64), price, location_count, chance
    )
    pl.DataFrame(
        {"issue": names, "price": price, "exempt": chance.integers(0, 20, ISSUES) == 0}
    ).with_columns(
        _dollars("price"), pl.when("exempt").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("exempt")
    ).write_csv(folder / "prices.csv")
    firm = {"tentative_net_capital": 900_000_000.00}
    (folder / "firm.json").write_text(json.dumps(firm), encoding="utf-8")
    return account_count


_CLAIMS = pl.Series(
    [
        "customer_fully_paid",
        "customer_margin",
        "pab",
        "noncustomer",
        "firm",
        "fail_to_deliver",
        "borrow",
        "reverse_repo",
        "suspense",
    ]
)
_CLASSES = pl.Series(["customer_cash", "customer_margin", "pab", "noncustomer", "firm"])
_KIND_OF_CLASS = np.arange(5)
_AGES = pl.Series(AGES)


def _class_of(account: Any) -> Any:
    """Of a hundred accounts, 50 cash, 44 margin, 3 PAB, 2 non-customers, 1 of the firm."""
    return np.searchsorted([50, 94, 97, 99, 100], account % 100, side="right")


def _dollars(column: str) -> pl.Expr:
    cents = pl.col(column)
    return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2)).alias(column)


def _write_accounts(folder: Path, count: int, chance: np.random.Generator) -> None:
    number = np.arange(count)
    on_margin = np.isin(_class_of(number), (1, 2))
    cash = chance.integers(0, 3_000_000, count)
    debit = np.where(on_margin & (chance.integers(0, 3, count) > 0), chance.integers(0, 4_000_000, count), 0)
    pl.DataFrame(
        {
            "account_id": number,
            "class": _CLASSES.gather(_class_of(number)),
            "cash_balance": np.where(debit > 0, 0, cash),
            "margin_debit": debit,
            "household_id": np.where(number % 50 == 0, number // 100, -1),
            "affiliate": pl.Series(number % 9_973 == 1),
        }
    ).with_columns(
        pl.format("A{}", "account_id").alias("account_id"),
        _dollars("cash_balance"),
        _dollars("margin_debit"),
        pl.when(pl.col("household_id") >= 0).then(pl.format("H{}", "household_id")).alias("household_id"),
        pl.when("affiliate").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("affiliate"),
    ).write_csv(folder / "accounts.csv")


def _write_locations(
    folder: Path, owed: Any, price: Any, row_count: int, chance: np.random.Generator
) -> None:
    """As many rows an issue; the first holds in the box what the others leave."""
    each = row_count // ISSUES
    issue = np.repeat(np.arange(ISSUES), each)
    quantity = owed[issue] * chance.integers(0, 700, len(issue)) // (1_000 * each)
    place = chance.integers(1, len(PLACES) + 1, len(issue))
    first = np.arange(0, len(issue), each)
    place[first] = 0
    quantity[first] = 0
    quantity[first] = owed - np.add.reduceat(quantity, first)
    places = pl.Series([Location.BOX.value, *(p.value for p in PLACES)])
    pl.DataFrame(
        {
            "issue": pl.Series([f"US{i:07}" for i in range(ISSUES)]).gather(issue),
            "location": places.gather(place),
            "account_id": "",
            "quantity": quantity,
            "contract_value": quantity * price[issue],
            "opened_on": _AGES.gather(chance.integers(0, len(AGES), len(issue))),
        }
    ).with_columns(_dollars("contract_value")).write_csv(folder / "locations.csv")


def _in_process(target: Callable[[Path, Connection], None], case: Path) -> Any:
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=target, args=(case, sending))
    child.start()
    sending.close()
    try:
        return receiving.recv()
    except EOFError:
        raise PlatformError("the measured process ended without a figure") from None
    finally:
        child.join()


def _plain(case: Path, sending: Connection) -> None:
    """Scan both sides and sum them by issue and kind: what any computation has to do at least."""
    began, began_cpu = time.perf_counter(), time.process_time()
    for name, kind in (("claims.csv", "claim"), ("locations.csv", "location")):
        pl.scan_csv(case / name, schema_overrides={"contract_value": pl.Float64}).group_by("issue", kind).agg(
            pl.col("quantity").sum(), pl.col("contract_value").sum()
        ).collect(engine="streaming")
    sending.send((time.perf_counter() - began, time.process_time() - began_cpu))


def _run(case: Path, sending: Connection) -> None:
    began, began_cpu = time.perf_counter(), time.process_time()
    read = read_case(case, AS_OF)
    was_read = time.perf_counter()
    outcome = compute(read, TERMS)
    was_computed = time.perf_counter()
    as_json(statement(outcome))
    printed, cpu = time.perf_counter(), time.process_time() - began_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    minor = outcome.requirement_minor
    told = "INDETERMINATE: " + outcome.gaps[0].reason if minor is None else f"{minor // 100}.{minor % 100:02}"
    sending.send((was_read - began, was_computed - was_read, printed - was_computed, cpu, peak, told))
