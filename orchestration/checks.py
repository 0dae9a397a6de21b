"""Every lake table has one blocking check, and all of them come from the declaration.

Owns: RecordType -> expectation suite -> asset check, one factory for all tables.
Does not own: what must be true (`schemas.derive.expectations`), or the identities between tables (dbt tests).

The checks are run by Great Expectations in an ephemeral context, on numpy-backed pandas: arrow-backed frames
are forty times slower. It is imported on first use, because it takes seconds and most tables are empty.
"""

# No postponed annotations here: Dagster reads the annotation of `context` as it stands.

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import dagster as dg
import pyarrow as pa

from engine.config import Home
from orchestration.lake.tables import asset_key, lake_table
from schemas.derive.expectations import Expectation, expectations
from schemas.record import RecordType

CHECK_NAME = "keeps_its_declaration"
SHOWN_FAILURES = 5


class Broken(NamedTuple):
    """One expectation that rows do not meet."""

    expectation: str
    column: str
    row_count: int
    examples: list[Any]

    def line(self) -> str:
        """The failure in one line."""
        return f"{self.column}: {self.row_count} rows break {self.expectation}, e.g. {self.examples}"


def broken_expectations(record: RecordType, rows: pa.Table) -> list[Broken]:
    """Which declared expectations the rows of a lake table do not meet; an empty table meets all."""
    if rows.num_rows == 0:
        return []
    known, suite_of = _vocabulary()
    asked = [e for e in expectations(record) if not _is_told_by_arrow(e, rows)]
    columns = list(dict.fromkeys(arguments["column"] for _, arguments in asked))
    suite = suite_of(name=record.table, expectations=[getattr(known, n)(**a) for n, a in asked])
    frame = _numpy_backed(rows.select(columns))
    result = _batch_definition(record.table).get_batch({"dataframe": frame}).validate(suite)
    return [_broken(r) for r in result.results if not r.success]


def _is_told_by_arrow(asked: Expectation, rows: pa.Table) -> bool:
    """Whether the table itself counts the nulls of a column and has none; spares half of the work."""
    kind, arguments = asked
    return kind == "ExpectColumnValuesToNotBeNull" and rows.column(arguments["column"]).null_count == 0


def _numpy_backed(rows: pa.Table) -> Any:
    frame = rows.to_pandas()
    texts = [c for c in frame.columns if frame[c].dtype == "str"]
    return frame.astype(dict.fromkeys(texts, object))


def lake_checks(records: Sequence[RecordType]) -> dg.AssetChecksDefinition:
    """One blocking check for each lake table; whatever reads a table waits for its check."""
    by_key = {dg.AssetKey(asset_key(r)): r for r in records}
    specs = [
        dg.AssetCheckSpec(
            CHECK_NAME, asset=key, blocking=True, description=f"Rows of {r.table} are as declared."
        )
        for key, r in by_key.items()
    ]

    @dg.multi_asset_check(name="lake_checks", specs=specs, can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext, home: dg.ResourceParam[Home]
    ) -> Iterator[dg.AssetCheckResult]:
        for key in sorted(context.selected_asset_check_keys):
            yield _result(key.asset_key, by_key[key.asset_key], home)

    return check


def _result(key: dg.AssetKey, record: RecordType, home: Home) -> dg.AssetCheckResult:
    rows = lake_table(home, record)
    broken = broken_expectations(record, rows)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK_NAME,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "rows": rows.num_rows,
            "broken": "\n".join(b.line() for b in broken[:SHOWN_FAILURES]) or "none",
        },
    )


def _broken(result: Any) -> Broken:
    config = result.expectation_config
    told = result.result
    return Broken(
        config.type,
        str(config.kwargs["column"]),
        int(told.get("unexpected_count", told.get("element_count", 0))),
        list(told.get("partial_unexpected_list", []))[:SHOWN_FAILURES],
    )


@cache
def _vocabulary() -> tuple[Any, Any]:
    """The engine's expectations by name, and its suite; imported here because that takes seconds."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings():  # it imports modules that Python itself calls deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        from great_expectations import ExpectationSuite, expectations
    return expectations, ExpectationSuite


@cache
def _context() -> Any:
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    context.data_sources.add_pandas("lake")
    return context


@cache
def _batch_definition(table: str) -> Any:
    source = _context().data_sources.get("lake")
    return source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("all")


def row_check(
    *,
    asset: Sequence[str],
    name: str,
    description: str,
    blocking: bool = True,
    shown: int = SHOWN_FAILURES,
) -> Callable[[Callable[..., Sequence[str]]], dg.AssetChecksDefinition]:
    """Make an asset check of a function that returns what is wrong, one line a problem.

    A blocking check fails with ERROR and holds up whatever is downstream; another one fails with WARN. It
    tells the first `shown` problems.
    """
    severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN

    def declare(find_problems: Callable[..., Sequence[str]]) -> dg.AssetChecksDefinition:
        @dg.asset_check(asset=dg.AssetKey(list(asset)), name=name, description=description, blocking=blocking)
        def check(home: dg.ResourceParam[Home], clock: dg.ResourceParam[Any]) -> dg.AssetCheckResult:
            problems = list(find_problems(home, clock))
            return dg.AssetCheckResult(
                passed=not problems,
                severity=severity,
                metadata={
                    "problems": len(problems),
                    "first": "\n".join(problems[:shown]) or "none",
                },
            )

        return check

    return declare
