"""One business day, start to end, in this process: every asset and every check once.

Owns: running the job and telling what came of it. Does not own: the day itself (`definitions.py`).
Runs are kept in `home.dagster`, so the web server shows them later.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from engine.gateway.client import EngineClient
from orchestration.business_days import partition_of
from orchestration.resources import resources_of
from orchestration.settings import PlatformSettings

JOB = "business_day"
APPROVED_ORDERS = "approved_orders"
INSTANCE_YAML = """telemetry:
  enabled: false
nux:
  enabled: false
concurrency:  # the warehouse's database admits one writer
  runs:
    max_concurrent_runs: 1
compute_logs:  # a step's output stays on the terminal of whoever started it
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the run's event log has it all


class StepResult(NamedTuple):
    """One step: which, how it ended, how long it took."""

    name: str
    outcome: str  # SUCCESS, FAILURE or SKIPPED
    seconds: float
    reason: str  # of a failure, in one line; empty otherwise


class CheckResult(NamedTuple):
    """One asset check."""

    asset: str
    name: str
    is_passed: bool
    is_error: bool  # of severity ERROR; else WARN
    details: str  # what is wrong; empty when passed


class DayResult(NamedTuple):
    """What came of a day."""

    run_id: str
    is_success: bool
    steps: tuple[StepResult, ...]
    assets: tuple[str, ...]  # materialized, in order
    checks: tuple[CheckResult, ...]

    def failed_checks(self) -> list[CheckResult]:
        """Checks that did not pass, errors first."""
        return sorted((c for c in self.checks if not c.is_passed), key=lambda c: not c.is_error)

    def then(self, later: DayResult) -> DayResult:
        """This and a later run as one; a check that ran again counts as it ran last."""
        again = {(c.asset, c.name) for c in later.checks}
        kept = tuple(c for c in self.checks if (c.asset, c.name) not in again)
        return DayResult(
            self.run_id,
            self.is_success and later.is_success,
            self.steps + later.steps,
            self.assets + later.assets,
            kept + later.checks,
        )


Progress = Callable[[StepResult], None]


def open_instance(home: Home) -> dg.DagsterInstance:
    """Dagster's storage of a home; made on first use, telemetry off."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    settings = home.dagster / "dagster.yaml"
    if not settings.exists():
        settings.write_text(INSTANCE_YAML, encoding="utf-8")
    return dg.DagsterInstance.from_config(str(home.dagster))


def materialize_day(
    home: Home,
    *,
    clock: Clock,
    engine_client: EngineClient,
    instance: dg.DagsterInstance | None = None,
    settings: PlatformSettings | None = None,
    progress: Progress | None = None,
    job_name: str = JOB,
    day: date | None = None,
) -> DayResult:
    """Materialize everything of a job and run its checks, in order; a failure stops what is downstream of it.

    `day` is the business day that is closed, which the job of a day needs. Without `instance` the runs go to
    `home.dagster`. `progress` is told of each step as it ends.
    """
    from orchestration.definitions import definitions  # parses the dbt project when it has changed

    job = definitions(resources_of(home, clock, engine_client, settings)).resolve_job_def(job_name)
    opened = instance or open_instance(home)
    run_id = str(uuid.uuid4())
    if progress is not None:
        opened.add_event_listener(run_id, _follower(progress))
    try:
        ran = job.execute_in_process(
            instance=opened,
            run_id=run_id,
            raise_on_error=False,
            run_config=QUIET,
            partition_key=partition_of(opened, day) if day else None,
        )
        planned = [node.name for node in job.graph.nodes]
        return _day_result(run_id, ran.success, ran.all_events, planned)
    finally:
        if instance is None:
            opened.dispose()


def _follower(progress: Progress) -> Callable[[Any], None]:
    """Tell each step's end as its event is stored."""
    started: dict[str, float] = {}

    def follow(entry: Any) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        if event.is_step_start:
            started[event.step_key] = entry.timestamp
        elif (outcome := _outcome(event)) is not None:
            seconds = entry.timestamp - started.get(event.step_key, entry.timestamp)
            progress(StepResult(event.step_key, outcome, seconds, _reason(event)))

    return follow


def _day_result(
    run_id: str, is_success: bool, events: Iterable[dg.DagsterEvent], planned: Sequence[str]
) -> DayResult:
    steps: list[StepResult] = []
    assets: list[str] = []
    checks: list[CheckResult] = []
    for event in events:
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key is not None:
            assets.append(event.asset_key.to_user_string())
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            checks.append(_check_result(event.asset_check_evaluation_data))
        elif event.step_key is not None and (outcome := _outcome(event)) is not None:
            seconds = event.step_success_data.duration_ms / 1000 if outcome == "SUCCESS" else 0.0
            steps.append(StepResult(event.step_key, outcome, seconds, _reason(event)))
    ended = {s.name for s in steps}
    steps += [StepResult(name, "SKIPPED", 0.0, "") for name in planned if name not in ended]
    return DayResult(run_id, is_success, tuple(steps), tuple(assets), tuple(checks))


def _check_result(evaluation: Any) -> CheckResult:
    details = "" if evaluation.passed else _text(evaluation.metadata)
    return CheckResult(
        evaluation.asset_key.to_user_string(),
        evaluation.check_name,
        evaluation.passed,
        evaluation.severity is dg.AssetCheckSeverity.ERROR,
        details,
    )


def _text(metadata: Any) -> str:
    return "; ".join(f"{name}: {value.value}" for name, value in sorted(metadata.items()))


def _outcome(event: dg.DagsterEvent) -> str | None:
    if event.is_step_success:
        return "SUCCESS"
    return "FAILURE" if event.is_step_failure else None


def _reason(event: dg.DagsterEvent) -> str:
    if not event.is_step_failure:
        return ""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return " ".join(error.message.split())[:500] if error else "unknown"
