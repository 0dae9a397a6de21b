"""The reserve: file each formula, prepare its deposit. Once a day and figure; a repeat changes nothing.

Owns: the order of steps. Each can be repeated after a crash: the statement is written, then registered, then
its order is prepared under a number that only this filing has. Does not own: figures (marts), money (the
engine), or the approval, which is a second person's.
"""

# No postponed annotations here: Dagster reads the annotation of `context` as it stands.

import json
import shutil
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from engine.errors import PlatformError
from engine.gateway.client import EngineClient
from engine.projections.lake import watermark
from engine.reserve.filing import Restated, formula_of, version_of
from engine.reserve.terms import Formula, Indeterminate
from orchestration.business_days import BUSINESS_DAYS
from orchestration.lake.tables import append_new, as_of_epoch_day, lake_rows
from orchestration.products.papers import instant_text, money_text, sha256_of
from orchestration.products.reserve import statement as reserve_statement
from orchestration.products.reserve.bundle import PAGE, STATEMENT, bundle_files, write_bundle
from orchestration.products.reserve.chart import history_of, requirement_svg
from orchestration.products.reserve.orders import prepare_order
from orchestration.products.reserve.statement import MARTS, Statement
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import MartMissing, mart_key
from schemas.days import date_of
from schemas.external import FiledReserve
from schemas.market import AssetRegistered
from schemas.packed import unpack

KEY = dg.AssetKey(["products", "reserve"])


@dg.asset(
    key=KEY,
    deps=[
        *(mart_key(m) for m in (*MARTS, "reserve_allocation", "reserve_control", "reserve_issues")),
        ["products", "reconciliation"],
        ["lake", "filed_reserves"],
    ],
    group_name="products",
    partitions_def=BUSINESS_DAYS,
    kinds={"json", "html"},
    owners=["team:finop"],
    # what each weekday's evening files is there the next morning; nothing is looked for after a weekend
    freshness_policy=dg.FreshnessPolicy.cron(
        deadline_cron="0 10 * * 2-6",
        lower_bound_delta=timedelta(hours=16),
        timezone="America/New_York",
    ),
    description="The reserve computations, filed, and their orders prepared. Source: 17 CFR 240.15c3-3(e).",
)
def reserve(
    context: dg.AssetExecutionContext,
    home: dg.ResourceParam[Home],
    clock: dg.ResourceParam[Clock],
    engine: dg.ResourceParam[EngineClient],
    settings: dg.ResourceParam[PlatformSettings],
) -> dg.MaterializeResult:
    """File each formula of the lake's latest business day and prepare its order."""
    filed: list[Statement] = []
    unknown: list[str] = []
    try:
        as_of = _as_of(home)
        if (asked := context.partition_key) != date_of(as_of).isoformat():
            raise Indeterminate(f"asked for {asked}, and the lake is as of {date_of(as_of)}")
        for formula in reserve_statement.due_formulas(home, date_of(as_of)):
            try:
                filed.append(file_reserve(home, settings, formula))
            except Indeterminate as missing:
                unknown.append(f"{formula.value}: {missing}")
    except (Indeterminate, MartMissing) as missing:
        unknown.append(str(missing))
    for statement in filed:  # when all are filed, so that each tells of the same journal
        prepare_deposit(home, clock, engine, statement)
    if unknown:
        beside = ", ".join(s["filing_reference"] for s in filed) or "nothing"
        told = f"INDETERMINATE: {'; '.join(unknown)}; {beside} was filed"
        raise dg.Failure(told, allow_retries=False)
    return dg.MaterializeResult(metadata=_metadata(home, filed))


def _metadata(home: Home, filed: list[Statement]) -> dict[str, Any]:
    """What the catalogue shows: figures and statement of each formula, lines beside each other, a plot."""
    told: dict[str, Any] = {}
    for statement in filed:
        formula, deposit = Formula(statement["formula"]), statement["deposit"]
        picture = b64encode(requirement_svg(formula.value, history_of(home, formula)).encode()).decode()
        told |= {
            f"{formula.value}_filing": statement["filing_reference"],
            f"{formula.value}_requirement": money_text(statement["totals"]["requirement_minor"]),
            f"{formula.value}_held": money_text(deposit["held_minor"]),
            f"{formula.value}_asked": money_text(deposit["order_minor"]),
            f"{formula.value}_due": instant_text(deposit["due_at_ns"]),
            f"{formula.value}_statement": dg.MetadataValue.path(
                str(filing_path(home, statement).with_name(PAGE))
            ),
            f"{formula.value}_plot": dg.MetadataValue.md(
                f"![requirement and deposit](data:image/svg+xml;base64,{picture})"
            ),
        }
    records = [
        dg.TableRecord(
            {"item": n, "name": lines[0]["name"]}
            | {s["formula"]: money_text(line["amount_minor"]) for s, line in zip(filed, lines, strict=True)}
        )
        for n, lines in enumerate(zip(*(s["lines"] for s in filed), strict=True), start=1)
    ]
    return told | {"lines": dg.MetadataValue.table(records)}


def filing_path(home: Home, statement: Statement) -> Path:
    """Where a statement's JSON lies; the folder around it is what is signed."""
    return home.reserve / statement["as_of_date"] / f"reserve-{statement['filing_reference']}" / STATEMENT


def filings_of(home: Home, as_of: int, formula: Formula = Formula.CUSTOMER) -> list[FiledReserve]:
    """Filings of a formula and day, in the order of their versions."""
    filed = [
        f
        for f in lake_rows(home, FiledReserve)
        if f.as_of_epoch_day == as_of and formula_of(f.filing_reference) is formula
    ]
    return sorted(filed, key=lambda f: version_of(f.filing_reference))


def read_filing(home: Home, filed: FiledReserve) -> Statement:
    """A statement as filed. Raises PlatformError when its bytes are not those that were registered."""
    path = home.root / filed.path
    if not path.exists() or sha256_of(raw := path.read_bytes()) != filed.file_sha256:
        raise PlatformError(f"{filed.path} is not the statement that was filed")
    return json.loads(raw)


def file_reserve(home: Home, settings: PlatformSettings, formula: Formula = Formula.CUSTOMER) -> Statement:
    """File a formula of the day; the filing on record when its figures still stand, else the next version.

    Raises Indeterminate, with every reason, or MartMissing when an input is missing; then nothing was filed.
    """
    as_of = _as_of(home)
    if formula not in reserve_statement.due_formulas(home, date_of(as_of)):
        raise Indeterminate(f"the firm has nothing that the {formula.value} formula protects")
    figures = reserve_statement.figures_of(home, formula)
    filings = filings_of(home, as_of, formula)
    if filings and reserve_statement.still_stands(last := read_filing(home, filings[-1]), figures):
        return last
    made = reserve_statement.make_statement(
        figures,
        as_of_epoch_day=as_of,
        version=len(filings) + 1,
        watermark=watermark(home),
        settings=settings,
        restates=_restated(filings),
    )
    path = filing_path(home, made)
    files = bundle_files(made, reserve_statement.source_rows_of(figures), figures.input_files)
    shutil.rmtree(
        path.parent, ignore_errors=True
    )  # what a crash left before it was registered: no filing yet
    write_bundle(home, path.parent, files)
    append_new(home, [_filed(home, made, path, files[STATEMENT])])
    return made


def _as_of(home: Home) -> int:
    as_of = as_of_epoch_day(home)
    if as_of is None:
        raise Indeterminate("no business day has started")
    return as_of


def _restated(filings: list[FiledReserve]) -> Restated | None:
    return Restated(filings[-1].filing_reference, filings[-1].file_sha256) if filings else None


def newest_filings(home: Home) -> list[tuple[Formula, FiledReserve | None]]:
    """The newest filing of each formula that the day is due. Raises Indeterminate when that is not known."""
    as_of = as_of_epoch_day(home)
    if as_of is None:
        return [(Formula.CUSTOMER, None)]
    return [
        (formula, next(reversed(filings_of(home, as_of, formula)), None))
        for formula in reserve_statement.due_formulas(home, date_of(as_of))
    ]


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
