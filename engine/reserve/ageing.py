"""From what age on a fail, a break or a transfer changes the formula.

Owns: the limits and whose days they count. Does not own business days (`calendar.py`).
Source: 17 CFR 240.15c3-3a Items 6 to 9 and 12, Note D; 240.15c3-1(a)(1)(ii)(A) for 7 business days.
"""

from __future__ import annotations

from datetime import date, timedelta

from engine.reserve.calendar import BANK, EXCHANGE
from engine.reserve.policy import BreakCalendar, Policy
from engine.reserve.terms import Method

FAIL_DAYS = 30  # Item 12 and Note D: "not older than 30", "over 30"
DIVIDEND_DAYS = 30  # Item 6
BREAK_DAYS = 30  # Items 7 and 8, basic method
BREAK_BUSINESS_DAYS = 7  # Items 7 and 8, alternative method
TRANSFER_DAYS = 40  # Item 9


def last_old_day(item: int, as_of: date, method: Method, policy: Policy) -> date:
    """The latest opening day of what is over age in an item (4 and 12 for fails, 6 to 9) as of a day."""
    if item in (7, 8) and method is Method.ALTERNATIVE:
        calendar = EXCHANGE if policy.break_calendar is BreakCalendar.EXCHANGE else BANK
        day = as_of
        while calendar.age(day, as_of) <= BREAK_BUSINESS_DAYS:
            day -= timedelta(days=1)
        return day
    days = {4: FAIL_DAYS, 12: FAIL_DAYS, 6: DIVIDEND_DAYS, 7: BREAK_DAYS, 8: BREAK_DAYS, 9: TRANSFER_DAYS}
    return as_of - timedelta(days=days[item] + 1)


def age_words(item: int, method: Method) -> str:
    """The limit of an item in words."""
    if item in (7, 8) and method is Method.ALTERNATIVE:
        return f"over {BREAK_BUSINESS_DAYS} business days"
    return f"over {TRANSFER_DAYS if item == 9 else FAIL_DAYS} calendar days"
