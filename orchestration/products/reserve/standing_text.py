"""Where a firm stands with its reserve, as lines for people.

Owns the words. Does not own what stands (`engine.segregation.standing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import datetime

from engine.reserve.deadline import NEW_YORK
from engine.segregation.standing import ReserveStanding
from orchestration.products.papers import money_text


def standing_lines(stands: ReserveStanding, unfiled: Set[str], dollar_id: int) -> Iterator[str]:
    """One line a fact; `unfiled` are the names of events whose notices are not filed as evidence yet.

    `dollar_id` is the asset whose amounts are told as money; others are told as units.
    """
    for told in stands.formulas:
        name, state = told.formula.value, told.frequency
        yield f"{name:9} {state.state.value}: {state.reason} ({state.citation})"
        if state.average_minor is not None:
            yield f"{'':9} total credits averaged {money_text(state.average_minor)} over 12 FOCUS reports"
        if state.daily_by is not None:
            yield f"{'':9} daily computation is required from {state.daily_by}"
        due = _instant(told.deadline)
        computed = "computed" if told.is_computed else "not computed"
        as_of = f"as of {told.deadline_as_of}, {computed}"
        yield f"{'':9} next as of {told.next_as_of}; next deadline {due}, {as_of}"
    for wait in stands.waiting:
        order, late = wait.order, "OVERDUE, " if wait.is_overdue else ""
        verb = "deposit" if order.amount_units > 0 else "withdrawal"
        units = abs(order.amount_units)
        amount = money_text(units) if order.asset_id == dollar_id else f"{units} of asset {order.asset_id}"
        yield (
            f"waiting   order {order.payment_id}: {verb} of {amount}, "
            f"{wait.formula.value}, bank {order.bank_id}, as of {wait.as_of}, prepared by operator "
            f"{order.operator_id}; {late}due {_instant(wait.due_at)}"
        )
    for open_one in stands.instructions:
        told, late = open_one.told, "OVERDUE, " if open_one.is_overdue else ""
        yield (
            f"control   instruction {told.item_id}: {open_one.step.name}, {told.instructed_units} of asset "
            f"{told.asset_id}, by operator {told.operator_id}; {late}due {open_one.due_on}"
        )
    for event in stands.notices:
        filed = "not filed yet" if event.name in unfiled else "filed"
        for notice in event.notices:
            whom, by = " and ".join(r.value for r in notice.recipients), _instant(notice.due_at)
            yield f"notice    {notice.event}: {notice.told}; to {whom} by {by} ({notice.citation}); {filed}"
    for gap in stands.gaps:
        yield f"unknown   {gap}"


def _instant(at: datetime) -> str:
    return at.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M New York")
