"""The reserve: compute, file, prepare the deposit. Once a day and figure; a repeat changes nothing.

Owns: the order of steps. Each can be repeated after a crash: the statement is written, then registered, then
its order is prepared under a number that only this filing has. Does not own: figures (marts), money (the
engine), or the approval, which is a second person's.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from engine.errors import PlatformError
from engine.gateway.client import EngineClient
from engine.projections.lake import watermark
from engine.reserve.filing import Restated
from orchestration.lake.tables import (
    append_new,
    as_of_epoch_day,
    date_of,
    lake_rows,
)
from orchestration.products.papers import instant_text, money_text, sha256_of
from orchestration.products.reserve import statement as reserve_statement
from orchestration.products.reserve.bundle import PAGE, STATEMENT, bundle_files, write_bundle
from orchestration.products.reserve.orders import prepare_order
from orchestration.products.reserve.statement import FIGURES, Indeterminate, Statement
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import MartMissing, mart_key, mart_rows
from schemas.external import FiledReserve
from schemas.market import AssetRegistered
from schemas.packed import unpack

KEY = dg.AssetKey(["products", "reserve"])
MARTS = ("reserve_lines", "reserve_requirement", "reserve_sources")


@dg.asset(
    key=KEY,
    deps=[*(mart_key(m) for m in MARTS), ["products", "reconciliation"], ["lake", "filed_reserves"]],
    group_name="products",
    kinds={"json", "html"},
    owners=["team:finop"],
    freshness_policy=dg.FreshnessPolicy.cron(
        deadline_cron="0 10 * * 1-5",
        lower_bound_delta=timedelta(hours=16),
        timezone="America/New_York",
    ),
    description="The reserve computation, filed, and its order prepared. Source: 17 CFR 240.15c3-3(e).",
)
def reserve(
    home: dg.ResourceParam[Home],
    clock: dg.ResourceParam[Clock],
    engine: dg.ResourceParam[EngineClient],
    settings: dg.ResourceParam[PlatformSettings],
) -> dg.MaterializeResult:
    """File the computation of the lake's latest business day and prepare its order."""
    try:
        filed = file_reserve(home, settings)
    except (Indeterminate, MartMissing) as missing:
        raise dg.Failure(f"INDETERMINATE: {missing}; nothing was filed", allow_retries=False) from missing
    prepare_deposit(home, clock, engine, filed)
    deposit = filed["deposit"]
    return dg.MaterializeResult(
        metadata={
            "filing": filed["filing_reference"],
            "requirement": money_text(filed["totals"]["requirement_minor"]),
            "held": money_text(deposit["held_minor"]),
            "asked": money_text(deposit["order_minor"]),
            "due": instant_text(deposit["due_at_ns"]),
            "statement": dg.MetadataValue.path(str(filing_path(home, filed).with_name(PAGE))),
        }
    )


def filing_path(home: Home, statement: Statement) -> Path:
    """Where a statement's JSON lies; the folder around it is what is signed."""
    return home.reserve / statement["as_of_date"] / f"reserve-{statement['filing_reference']}" / STATEMENT


def filings_of(home: Home, as_of: int) -> list[FiledReserve]:
    """Filings of a day, in the order of their versions."""
    filed = [f for f in lake_rows(home, FiledReserve) if f.as_of_epoch_day == as_of]
    return sorted(filed, key=lambda f: int(f.filing_reference.rsplit("-", 1)[1]))


def read_filing(home: Home, filed: FiledReserve) -> Statement:
    """A statement as filed. Raises PlatformError when its bytes are not those that were registered."""
    path = home.root / filed.path
    if not path.exists() or sha256_of(raw := path.read_bytes()) != filed.file_sha256:
        raise PlatformError(f"{filed.path} is not the statement that was filed")
    return json.loads(raw)


def file_reserve(home: Home, settings: PlatformSettings) -> Statement:
    """File the day's computation; the filing on record when its figures still stand, else the next version.

    Raises Indeterminate or MartMissing when an input is missing; then nothing was filed.
    """
    as_of = as_of_epoch_day(home)
    if as_of is None:
        raise Indeterminate("no business day has started")
    lines, requirement, sources = (mart_rows(home, name) for name in MARTS)
    figures = reserve_statement.require_inputs(lines, requirement, date_of(as_of))
    filings = filings_of(home, as_of)
    if filings and all(getattr(filings[-1], name) == figures[name] for name in FIGURES):
        return read_filing(home, filings[-1])
    made = reserve_statement.make_statement(
        lines,
        requirement,
        sources,
        as_of_epoch_day=as_of,
        version=len(filings) + 1,
        watermark=watermark(home),
        settings=settings,
        restates=_restated(filings),
    )
    path = filing_path(home, made)
    files = bundle_files(made, reserve_statement.source_rows_of(sources))
    shutil.rmtree(
        path.parent, ignore_errors=True
    )  # what a crash left before it was registered: no filing yet
    write_bundle(home, path.parent, files)
    append_new(home, [_filed(home, made, path, files[STATEMENT])])
    return made


def _restated(filings: list[FiledReserve]) -> Restated | None:
    return Restated(filings[-1].filing_reference, filings[-1].file_sha256) if filings else None


def prepare_deposit(home: Home, clock: Clock, engine: EngineClient, statement: Statement) -> None:
    """Prepare the order of a filed statement, then bring the lake up to date; a person approves it.

    Taking money out is never prepared here. A number that is known already is this filing's own order.
    Raises OrderRefused when the engine refuses for another reason.
    """
    digest = sha256_of(filing_path(home, statement).read_bytes())
    prepare_order(home, clock, engine, statement, asset_id_of(home, statement["currency"]), digest)


def asset_id_of(home: Home, symbol: str) -> int:
    """The asset of a currency code. Raises PlatformError when the book has none."""
    for asset in lake_rows(home, AssetRegistered):
        if unpack(asset.symbol_packed) == symbol:
            return asset.asset_id
    raise PlatformError(f"the book has no asset {symbol}")


def _filed(home: Home, made: dict[str, Any], path: Path, raw: bytes) -> FiledReserve:
    totals, deposit = made["totals"], made["deposit"]
    return FiledReserve(
        filing_reference=made["filing_reference"],
        as_of_epoch_day=reserve_statement.as_of_epoch_day_of(made),
        credits_minor=totals["credits_minor"],
        debits_minor=totals["debits_minor"],
        reduction_minor=totals["reduction_minor"],
        requirement_minor=totals["requirement_minor"],
        deposit_minor=deposit["held_minor"],
        due_at_ns=deposit["due_at_ns"],
        path=str(path.relative_to(home.root)),
        file_sha256=sha256_of(raw),
    )
