"""Business days as partitions: what is filed for a day stands under that day in the catalogue.

Owns: the partitions, of which there is one a day that was closed, and the schedule that closes one. Does not
own the calendar (`engine.reserve.calendar`) or which day the book is as of (the journal).
"""

# No postponed annotations here: Dagster reads the annotation of `context` as it stands.

from datetime import date
from typing import Any

import dagster as dg

from engine.reserve.calendar import BANK, EXCHANGE

BUSINESS_DAYS = dg.DynamicPartitionsDefinition(name="business_day")
CLOSE = "30 21 * * 1-5"  # after affirmation, before the next day's banking business


def partition_of(instance: dg.DagsterInstance, day: date) -> str:
    """The partition of a business day, added when it is the first time that the day is closed."""
    key = day.isoformat()
    if not instance.has_dynamic_partition(str(BUSINESS_DAYS.name), key):
        instance.add_dynamic_partitions(str(BUSINESS_DAYS.name), [key])
    return key


def close_of_business(job: Any, timezone: str) -> dg.ScheduleDefinition:
    """The schedule that closes each day on which the exchange or banks do business."""

    @dg.schedule(
        job=job,
        name="close_of_business",
        cron_schedule=CLOSE,
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def close(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return closing(context.instance, context.scheduled_execution_time.date())

    return close


def closing(instance: dg.DagsterInstance, day: date) -> dg.RunRequest | dg.SkipReason:
    """The run that closes a day, or why there is none."""
    if not (EXCHANGE.is_business_day(day) or BANK.is_business_day(day)):
        return dg.SkipReason(f"{day} is no business day of the exchange or of banks")
    return dg.RunRequest(partition_key=partition_of(instance, day))
