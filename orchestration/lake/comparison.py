"""Journal and lake compared by hour and table: what is filed comes from the lake, so they have to agree.

Owns: which rows are compared, what differs, the asset and its blocking check. Does not own: the figures
(`totals.py`) or what is done about a difference (docs/operations/lake-behind.md).
"""

# No postponed annotations here: Dagster reads the annotation of `config` as it stands.

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from engine.config import Home
from engine.journal.frame import Frame
from engine.journal.reader import SegmentWalk, read_frames
from engine.journal.segment import segment_paths
from engine.projections.lake import read_table
from orchestration.lake.assets import journal_records
from orchestration.lake.tables import asset_key
from orchestration.lake.totals import HOUR_NS, NONE, ByHour, Totals, journal_totals, lake_totals
from schemas.external import LakeWatermark
from schemas.market import BusinessDayStarted
from schemas.record import RecordType

KEY = dg.AssetKey(["lake_comparison"])
CHECK = "lake_equals_journal"
BUSINESS_DAYS = 2  # the one that ended and the one that began with its end
SHOWN = 20


class Difference(NamedTuple):
    """An hour of a table in which journal and lake differ."""

    table: str
    hour: int  # since 1970-01-01T00Z
    journal: Totals
    lake: Totals

    def line(self) -> str:
        """The difference in one line."""
        parts = [
            f"{name} {ours} in the journal, {theirs} in the lake"
            for name, ours, theirs in zip(("rows", "sum", "hash"), self.journal, self.lake, strict=True)
            if ours != theirs
        ]
        at = datetime.fromtimestamp(self.hour * HOUR_NS // 1_000_000_000, UTC)
        return f"{self.table} in the hour {at:%Y-%m-%dT%HZ}: {'; '.join(parts)}"


class Comparison(NamedTuple):
    """What was compared and what differs."""

    first_sequence: int
    last_sequence: int
    row_count: int  # in the journal
    hour_count: int
    journal_seconds: float
    lake_seconds: float
    differences: tuple[Difference, ...]


class ComparisonConfig(dg.Config):
    """How far back to compare."""

    business_days: int = BUSINESS_DAYS  # counted from the newest one; 0 is everything


def compare(home: Home, business_days: int = BUSINESS_DAYS) -> Comparison:
    """Compare the journal with what readers of the lake see, over the newest business days.

    Raises JournalDamaged when the journal does not verify, LakeError when there is no lake.
    """
    marks = read_table(home, LakeWatermark)
    last, frame_count = (int(marks[c][0]) if marks.height else 0 for c in ("watermark_count", "frame_count"))
    first = _first_sequence(home, business_days)
    began = time.monotonic()
    ours = journal_totals(_frames(home, first, frame_count), first, last)
    between = time.monotonic()
    theirs: ByHour = {}
    for record in compared_records():
        theirs.update(lake_totals(home.lake / record.table, record, first, last))
    return Comparison(
        first,
        last,
        sum(totals.row_count for totals in ours.values()),
        len({hour for _, hour in ours}),
        between - began,
        time.monotonic() - between,
        tuple(_differences(ours, theirs)),
    )


def behind_comparison(spec: dg.AssetSpec) -> dg.AssetSpec:
    """An asset that waits for the comparison as well."""
    return spec.merge_attributes(deps=[KEY])


def compared_records() -> tuple[RecordType, ...]:
    """The records whose rows come from the journal."""
    return tuple(record for record in journal_records() if record.is_journaled)


def _differences(ours: ByHour, theirs: ByHour) -> Iterator[Difference]:
    for table, hour in sorted(ours.keys() | theirs.keys(), key=lambda key: (key[1], key[0])):
        journal, lake = (totals.get((table, hour), NONE) for totals in (ours, theirs))
        if journal != lake:
            yield Difference(table, hour, journal, lake)


def _first_sequence(home: Home, business_days: int) -> int:
    """The sequence from which on to compare: that of the business day so many days ago, or the first."""
    began: list[int] = sorted(read_table(home, BusinessDayStarted)["sequence"].to_list())
    return began[-business_days] if 0 < business_days < len(began) else 1


def _frames(home: Home, first: int, frame_count: int) -> Iterator[Frame]:
    """Frames to the last one that is in the lake, from the segment on that holds a sequence."""
    for frame in read_frames(home.journal, _index_before(home.journal, first)):
        if frame.index > frame_count:
            return
        yield frame


def _index_before(journal: Path, sequence: int) -> int:
    """A frame before the one that holds a sequence: the last one before its segment."""
    for path in reversed(segment_paths(journal)):
        with SegmentWalk(path) as segment:
            if segment.last.last_sequence < sequence:
                return segment.last.index
    return 0


@dg.asset(
    key=KEY,
    deps=[asset_key(record) for record in journal_records()],
    check_specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=KEY,
            blocking=True,
            description="Count, sum and hash of every hour and table are those of the journal.",
        )
    ],
    group_name="upkeep",
    kinds={"delta"},
    owners=["team:platform"],
    description="Journal and lake compared: count, sum and hash of every row, by hour and table.",
)
def lake_comparison(config: ComparisonConfig, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
    """Compare the newest business days; whatever is filed waits for it."""
    done = compare(home, config.business_days)
    lines = [difference.line() for difference in done.differences]
    told = "\n".join(f"- {line}" for line in lines[:SHOWN]) or "none"
    return dg.MaterializeResult(
        metadata={
            "first_sequence": done.first_sequence,
            "last_sequence": done.last_sequence,
            "rows": done.row_count,
            "hours": done.hour_count,
            "tables": len(compared_records()),
            "journal_seconds": round(done.journal_seconds, 3),
            "lake_seconds": round(done.lake_seconds, 3),
            "differences": len(lines),
            "what_differs": dg.MetadataValue.md(told),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=CHECK,
                passed=not lines,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"differences": len(lines), "first": "\n".join(lines[:5]) or "none"},
            )
        ],
    )
