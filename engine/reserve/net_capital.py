"""Net capital where the reserve computation bears on it: the minimum, and the notices that depend on it.

Owns: the minimum by method, with 2 % of aggregate debit items, and which notices a computation gives rise to
and by when. Does not own net capital itself or aggregate indebtedness; both come in. Amounts in cents.
Source: 17 CFR 240.15c3-1(a), 240.17a-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.errors import BadInput
from engine.reserve.deadline import NEW_YORK, after
from engine.reserve.notices import Notice, capital_recipients
from engine.reserve.terms import CENTS, Indeterminate, Method

EARLY_WARNING = timedelta(hours=24)
REPORT_AFTER_NOTICE = timedelta(hours=48)
ALTERNATIVE_FLOOR_MINOR = 250_000 * CENTS
DEBIT_ITEMS_PERCENT = 2
EARLY_DEBIT_ITEMS_PERCENT = 5
EARLY_MINIMUM_PERCENT = 120
EARLY_INDEBTEDNESS_PERCENT = 1_200
LEVERAGE_PERCENT = 2_500
INDEBTEDNESS_TIMES = 15  # 1500 %
FIRST_YEAR_INDEBTEDNESS_TIMES = 8  # 800 %, for 12 months after commencing business
SEGREGATED_PERCENT = 4
MARKET_MAKER_MINOR = 2_500 * CENTS
MARKET_MAKER_CHEAP_MINOR = 1_000 * CENTS  # for a security worth $5 or less
MARKET_MAKER_CAP_MINOR = 1_000_000 * CENTS


class Activity(StrEnum):
    """What a firm does, as far as it sets a dollar minimum. Source: 17 CFR 240.15c3-1(a)(2)."""

    CARRIES_CUSTOMERS = "carries_customers"
    SPECIAL_ACCOUNT = "special_account"  # exempt by 15c3-3(k)(2)(i)
    DEALER = "dealer"
    INTRODUCES_AND_RECEIVES = "introduces_and_receives"
    FUND_SHARES = "fund_shares"
    OTHER = "other"


DOLLAR_MINIMA = {
    Activity.CARRIES_CUSTOMERS: (250_000 * CENTS, "(a)(2)(i)"),
    Activity.SPECIAL_ACCOUNT: (100_000 * CENTS, "(a)(2)(ii)"),
    Activity.DEALER: (100_000 * CENTS, "(a)(2)(iii)"),
    Activity.INTRODUCES_AND_RECEIVES: (50_000 * CENTS, "(a)(2)(iv)"),
    Activity.FUND_SHARES: (25_000 * CENTS, "(a)(2)(v)"),
    Activity.OTHER: (5_000 * CENTS, "(a)(2)(vi)"),
}


class Capital(NamedTuple):
    """A net capital computation as far as the minimum and the notices need it; what is not known is None.

    `aggregate_debit_items_minor` are those of Exhibit A before the reduction of 2 % or 3 %, customers' and
    PAB's together. `loaned_and_repo_minor` is payable against securities loaned and repurchases,
    `borrowed_and_reverse_repo_minor` the contract value of borrows and reverse repurchases; both leave
    government securities out. `market_maker_securities` counts those worth more than $5 and those worth $5 or
    less, averaged over 30 days.
    """

    method: Method
    net_capital_minor: int
    aggregate_indebtedness_minor: int | None = None
    aggregate_debit_items_minor: int | None = None
    activities: Sequence[Activity] = (Activity.CARRIES_CUSTOMERS,)
    market_maker_securities: tuple[int, int] = (0, 0)
    is_first_year: bool = False
    is_futures_merchant: bool = False
    segregated_funds_minor: int | None = None
    tentative_net_capital_minor: int | None = None
    loaned_and_repo_minor: int | None = None
    borrowed_and_reverse_repo_minor: int | None = None
    reports_lending_monthly: bool = False


class Requirement(NamedTuple):
    """One figure that the minimum may be, and its paragraph."""

    amount_minor: int
    citation: str


def requirements(capital: Capital) -> list[Requirement]:
    """Every figure that applies; the greatest is the minimum. Fractions of a cent are rounded up.

    Raises Indeterminate when a figure is missing that the method needs. Source: 17 CFR 240.15c3-1(a).
    """
    rule = "17 CFR 240.15c3-1"
    if not capital.activities:
        raise Indeterminate("what the firm does is missing, which sets its dollar minimum")
    found = [
        Requirement(amount, f"{rule}{paragraph}")
        for amount, paragraph in (DOLLAR_MINIMA[a] for a in capital.activities)
    ]
    if capital.method is Method.ALTERNATIVE:
        debits = _known(capital.aggregate_debit_items_minor, "aggregate debit items")
        found += [
            Requirement(ALTERNATIVE_FLOOR_MINOR, f"{rule}(a)(1)(ii)"),
            Requirement(_ceiling(debits * DEBIT_ITEMS_PERCENT, 100), f"{rule}(a)(1)(ii)"),
        ]
    else:
        indebtedness = _known(capital.aggregate_indebtedness_minor, "aggregate indebtedness")
        times = FIRST_YEAR_INDEBTEDNESS_TIMES if capital.is_first_year else INDEBTEDNESS_TIMES
        found.append(Requirement(_ceiling(indebtedness, times), f"{rule}(a)(1)(i)"))
    if capital.is_futures_merchant:
        segregated = _known(
            capital.segregated_funds_minor, "funds to be segregated under the Commodity Exchange Act"
        )
        found.append(Requirement(_ceiling(segregated * SEGREGATED_PERCENT, 100), f"{rule}(a)(1)(iii)"))
    dear, cheap = capital.market_maker_securities
    if dear or cheap:
        made = dear * MARKET_MAKER_MINOR + cheap * MARKET_MAKER_CHEAP_MINOR
        found.append(Requirement(min(made, MARKET_MAKER_CAP_MINOR), f"{rule}(a)(4)"))
    return found


def minimum(capital: Capital) -> Requirement:
    """The net capital that a firm must have: the greatest of its requirements. Raises as `requirements`."""
    return max(requirements(capital), key=lambda r: r.amount_minor)


def capital_notices(capital: Capital, computed_at: datetime, *, zone: ZoneInfo = NEW_YORK) -> list[Notice]:
    """The notices that a computation gives rise to, with the instants by which they are due.

    Same day means before midnight where the firm is, `zone`; 24 hours run from the computation.
    Raises Indeterminate when a figure is missing that the method needs, or a leverage figure without
    tentative net capital. Source: 17 CFR 240.17a-11(a), (b).
    """
    required = minimum(capital).amount_minor
    held, notices = capital.net_capital_minor, list[Notice]()
    to = capital_recipients(capital.is_futures_merchant)
    if held < required:
        told = f"net capital of {held} cents is below the minimum of {required}"
        notices.append(
            Notice("net capital below the minimum", told, to, same_day(computed_at, zone), "(a)(1)")
        )
    warnings = [
        (
            held * 100 < required * EARLY_MINIMUM_PERCENT,
            "net capital below 120 % of the minimum",
            f"net capital of {held} cents, minimum {required}",
            "(b)(3)",
        )
    ]
    if capital.method is Method.ALTERNATIVE:
        debits = _known(capital.aggregate_debit_items_minor, "aggregate debit items")
        warnings.append(
            (
                held * 100 < debits * EARLY_DEBIT_ITEMS_PERCENT,
                "net capital below 5 % of aggregate debit items",
                f"net capital of {held} cents, aggregate debit items {debits}",
                "(b)(2)",
            )
        )
    else:
        indebtedness = _known(capital.aggregate_indebtedness_minor, "aggregate indebtedness")
        warnings.append(
            (
                indebtedness * 100 > held * EARLY_INDEBTEDNESS_PERCENT,
                "aggregate indebtedness over 1200 % of net capital",
                f"aggregate indebtedness of {indebtedness} cents, net capital {held}",
                "(b)(1)",
            )
        )
    warnings.append(_leverage(capital))
    due = after(computed_at, EARLY_WARNING)
    notices += [
        Notice(event, told, to, due, paragraph) for is_so, event, told, paragraph in warnings if is_so
    ]
    return notices


def books_not_current(
    what: str, aware_at: datetime, *, is_futures_merchant: bool = False, zone: ZoneInfo = NEW_YORK
) -> list[Notice]:
    """Notice the same day, and a report within 48 hours of the notice. Source: 17 CFR 240.17a-11(c)."""
    to = capital_recipients(is_futures_merchant)
    due = same_day(aware_at, zone)
    return [
        Notice("books and records not current", what, to, due, "(c)"),
        Notice("report on books and records", what, to, after(due, REPORT_AFTER_NOTICE), "(c)"),
    ]


def material_weakness(what: str, aware_at: datetime, *, is_futures_merchant: bool = False) -> list[Notice]:
    """Notice within 24 hours, and a report within 48 hours of it. Source: 17 CFR 240.17a-11(d)."""
    to = capital_recipients(is_futures_merchant)
    due = after(aware_at, EARLY_WARNING)
    return [
        Notice("material weakness", what, to, due, "(d)(1)"),
        Notice("report on the material weakness", what, to, after(due, REPORT_AFTER_NOTICE), "(d)(2)"),
    ]


def same_day(at: datetime, zone: ZoneInfo = NEW_YORK) -> datetime:
    """The last second of the day of an instant, where the firm is. Raises BadInput on one without a zone."""
    if at.tzinfo is None:
        raise BadInput(f"{at} names no time zone")
    return datetime.combine(at.astimezone(zone).date(), time(23, 59, 59), zone)


def _leverage(capital: Capital) -> tuple[bool, str, str, str]:
    sides = {
        "payable against securities loaned and repurchases": capital.loaned_and_repo_minor,
        "contract value of borrows and reverse repurchases": capital.borrowed_and_reverse_repo_minor,
    }
    known = {name: amount for name, amount in sides.items() if amount is not None}
    if not known or capital.reports_lending_monthly:
        return False, "", "", "(b)(5)"
    tentative = _known(capital.tentative_net_capital_minor, "tentative net capital")
    over = {n: a for n, a in known.items() if a * 100 > tentative * LEVERAGE_PERCENT}
    told = ", ".join(f"{name} {amount} cents" for name, amount in over.items())
    return (
        bool(over),
        "leverage over 2500 % of tentative net capital",
        f"{told}, tentative {tentative}",
        "(b)(5)",
    )


def _known(amount: int | None, name: str) -> int:
    if amount is None:
        raise Indeterminate(f"{name} is missing")
    return amount


def _ceiling(amount: int, by: int) -> int:
    return -(-amount // by)
