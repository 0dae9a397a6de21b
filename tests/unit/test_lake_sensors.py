"""What starts a run: each set of files and each end of the journal asks once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg

from engine.config import Home
from engine.projections.lake import LakeWriter
from orchestration.lake.sensors import approval_sensor, inbox_sensor, journal_sensor
from schemas.market import BusinessDayStarted
from schemas.reserve import ReserveDepositOrdered
from tests.support.lake_home import NOW_NS, append_frame


@dg.job
def idle() -> None:
    """Do nothing."""


def test_the_same_files_have_the_same_key_and_others_another(tmp_path: Path) -> None:
    home, sensor = Home(tmp_path), inbox_sensor(idle)
    (skipped,) = list(sensor(home=home))  # type: ignore[arg-type]
    assert isinstance(skipped, dg.SkipReason)
    home.inbox.mkdir()
    (home.inbox / "camt.xml").write_text("<a/>")
    (home.inbox / ".half-written").write_text("<a")
    (first,) = list(sensor(home=home))  # type: ignore[arg-type]
    (again,) = list(sensor(home=home))  # type: ignore[arg-type]
    assert first.run_key == again.run_key and first.tags == {"files": "1"}
    (home.inbox / "sese.xml").write_text("<b/>")
    (other,) = list(sensor(home=home))  # type: ignore[arg-type]
    assert other.run_key != first.run_key


def test_a_journal_that_grew_asks_once(tmp_path: Path) -> None:
    home, sensor = Home(tmp_path), journal_sensor(idle)
    assert isinstance(sensor(dg.build_sensor_context(), home=home), dg.SkipReason)
    started = BusinessDayStarted(
        sequence=1,
        cause_sequence=1,
        occurred_at_ns=NOW_NS,
        business_epoch_day=1,
        next_epoch_day=2,
        second_epoch_day=3,
        expired_order_count=0,
    )
    append_frame(home, [started])
    with dg.DagsterInstance.ephemeral() as instance:
        asked: Any = sensor(dg.build_sensor_context(instance), home=home)
        assert ([r.run_key for r in asked.run_requests], asked.cursor) == (["frame-1"], "1")
        assert isinstance(sensor(dg.build_sensor_context(instance, cursor="1"), home=home), dg.SkipReason)
        instance.create_run_for_job(idle, status=dg.DagsterRunStatus.STARTED)
        assert isinstance(sensor(dg.build_sensor_context(instance), home=home), dg.SkipReason)


def test_an_approved_reserve_order_asks_once(tmp_path: Path) -> None:
    home, sensor = Home(tmp_path), approval_sensor(idle)
    assert isinstance(sensor(dg.build_sensor_context(), home=home), dg.SkipReason)
    approved = ReserveDepositOrdered(
        sequence=1,
        cause_sequence=1,
        occurred_at_ns=NOW_NS,
        payment_id=9,
        asset_id=1,
        deposit_minor=5,
        withdrawal_minor=0,
        as_of_epoch_day=1,
        preparer_operator_id=1,
        approver_operator_id=2,
    )
    append_frame(home, [approved])
    with LakeWriter(home) as writer:
        writer.catch_up()
    asked: Any = sensor(dg.build_sensor_context(), home=home)
    assert ([r.run_key for r in asked.run_requests], asked.cursor) == (["orders-1"], "1")
    assert isinstance(sensor(dg.build_sensor_context(cursor="1"), home=home), dg.SkipReason)
