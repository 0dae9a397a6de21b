"""The views through which the warehouse reads the lake."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from deltalake import write_deltalake

from engine.errors import LakeError
from orchestration.warehouse.duckdb_lake import lake_view, lake_views
from schemas.derive.arrow import arrow_table_of
from schemas.external import LakeWatermark
from schemas.record import in_lake, record_of
from tests.support.lake_fixture import write_lake

WATERMARKS = record_of(LakeWatermark)


def mark(sequence: int) -> LakeWatermark:
    return LakeWatermark(table_name="book", watermark_count=sequence, frame_count=1, written_at_ns=0)


def test_every_lake_table_has_a_view_even_without_rows(tmp_path: Path) -> None:
    write_lake(tmp_path)
    warehouse = duckdb.connect()
    for statement in lake_views(tmp_path):
        warehouse.execute(statement)
    for record in in_lake():
        found = warehouse.sql(f"select * from lake_{record.domain}.{record.table}")
        assert found.columns == [c.name for c in record.columns]


def test_a_view_stays_at_its_version_while_the_lake_grows(tmp_path: Path) -> None:
    write_lake(tmp_path, [mark(7)])
    warehouse = duckdb.connect()
    for statement in lake_views(tmp_path):
        warehouse.execute(statement)
    folder = tmp_path / WATERMARKS.table
    write_deltalake(folder, arrow_table_of(WATERMARKS, [mark(9)]), mode="append")
    query = f"select max(watermark_count) from lake_external.{WATERMARKS.table}"
    assert warehouse.sql(query).fetchone() == (7,)
    warehouse.execute(lake_view(WATERMARKS, folder))
    assert warehouse.sql(query).fetchone() == (9,)


def test_replaced_rows_are_not_read(tmp_path: Path) -> None:
    write_lake(tmp_path, [mark(7)])
    folder = tmp_path / WATERMARKS.table
    write_deltalake(folder, arrow_table_of(WATERMARKS, [mark(5)]), mode="overwrite")
    warehouse = duckdb.connect()
    warehouse.execute("create schema lake_external")
    warehouse.execute(lake_view(WATERMARKS, folder))
    query = f"select watermark_count from lake_external.{WATERMARKS.table}"
    assert warehouse.sql(query).fetchall() == [(5,)]


def test_the_watermark_is_pinned_before_what_it_speaks_of(tmp_path: Path) -> None:
    write_lake(tmp_path)
    views = [s for s in lake_views(tmp_path) if s.startswith("create or replace view")]
    assert f"lake_external.{WATERMARKS.table} " in views[0]


def test_an_absent_table_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="lake_watermarks: no table of the lake"):
        lake_views(tmp_path)
