"""Possession or control, paragraph by paragraph of 17 CFR 240.15c3-3(a) to (d), (h) and (m)."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.reserve.calendar import POSSESSION, possession_calendar
from engine.reserve.control import (
    PLACES,
    Bucket,
    Holding,
    Location,
    OpenInstruction,
    count_difference_buy_in_by,
    determine,
    determine_by,
    focus_control_items,
    instruct_by,
    is_determination_due,
    late_sale_close_out,
    possession_by,
)
from engine.reserve.excess_margin import MustHold, Position, margin_account_must_hold
from engine.reserve.terms import Indeterminate

CLOSE = date(2026, 10, 2)  # a Friday
CLEARING, BANK, LIEN, LOAN = Location.CLEARING_CORPORATION, Location.BANK, Location.BANK_LOAN, Location.LOAN
FAIL, DIVIDEND, SHORT = Location.FAIL_TO_RECEIVE, Location.DIVIDEND_RECEIVABLE, Location.FIRM_SHORT


def aged(days: int) -> date:
    return CLOSE - timedelta(days=days)


def test_enough_in_control_asks_for_nothing_d() -> None:
    """Fully paid 800 and excess 200; clearing 900, bank 300, lien 300."""
    told = determine(
        "S",
        800 + 200,
        [Holding(CLEARING, 900), Holding(BANK, 300, is_acknowledged=True), Holding(LIEN, 300)],
        CLOSE,
    )
    assert (told.in_control_units, told.deficit_units, told.instructions) == (1_200, 0, ())
    assert told.by_bucket == {Bucket.CONTROL: 1_200, Bucket.LIEN: 300}


def test_a_deficit_asks_of_each_place_d_1_and_2() -> None:
    """Clearing 600, lien 500, fail of 31 days 400: short 400; the lien is recalled and the fail acted on."""
    told = determine(
        "S", 1_000, [Holding(CLEARING, 600), Holding(LIEN, 500), Holding(FAIL, 400, aged(31))], CLOSE
    )
    assert told.deficit_units == 400
    assert [(i.bucket, i.units, i.possession_by) for i in told.instructions] == [
        (Bucket.LIEN, 400, date(2026, 10, 8)),
        (Bucket.FAIL_TO_RECEIVE, 400, None),
    ]
    assert [i.citation for i in told.instructions] == ["17 CFR 240.15c3-3(d)(1)", "17 CFR 240.15c3-3(d)(2)"]


@pytest.mark.parametrize(
    ("location", "days", "is_due"),
    [
        (LIEN, 0, True),  # (d)(1) at any age
        (Location.REPO, 0, True),
        (LOAN, 0, True),
        (FAIL, 30, False),  # (d)(2) more than 30
        (FAIL, 31, True),
        (DIVIDEND, 45, False),  # (d)(3) more than 45
        (DIVIDEND, 46, True),
        (SHORT, 30, False),  # (d)(4) more than 30
        (SHORT, 31, True),
        (Location.CUSTOMER_SHORT, 31, True),  # a short position for another person
        (Location.SUSPENSE, 400, False),  # not named in (d)
        (Location.COUNT_DIFFERENCE, 400, False),  # (h) instead
    ],
)
def test_ages_that_ask_for_an_act_d(location: Location, days: int, is_due: bool) -> None:
    told = determine("S", 10, [Holding(location, 25, aged(days))], CLOSE)
    assert told.deficit_units == 10
    assert [i.units for i in told.instructions] == ([10] if is_due else [])
    is_aged = location in (FAIL, DIVIDEND, SHORT)
    assert [(u, d) for _, u, d in told.aged_later] == (
        [(25, CLOSE + timedelta(days=1))] if is_aged and not is_due else []
    )


def test_a_syndicates_short_position_ages_from_the_end_of_the_distribution_d_4() -> None:
    going_on = Holding(SHORT, 5, None, is_syndicate_short=True)
    assert determine("S", 5, [going_on], CLOSE).instructions == ()
    ended = going_on._replace(since=aged(31))
    assert len(determine("S", 5, [ended], CLOSE).instructions) == 1


@pytest.mark.parametrize(
    ("holding", "bucket"),
    [
        (Holding(Location.DEPOSITORY, 1), Bucket.CONTROL),  # (c)(1)
        (Holding(Location.OMNIBUS, 1), Bucket.CONTROL),  # (c)(2)
        (Holding(Location.TRANSFER, 1, aged(40)), Bucket.CONTROL),  # (c)(3) within 40 days
        (Holding(Location.TRANSFER, 1, aged(41)), Bucket.OTHER),
        (Holding(Location.TRANSFER, 1, aged(400), is_acknowledged=True), Bucket.CONTROL),
        (Holding(Location.FOREIGN_DEPOSITORY, 1), Bucket.CONTROL),  # (c)(4)
        (Holding(Location.BANK, 1, is_acknowledged=True), Bucket.CONTROL),  # (c)(5) with the bank's word
        (Holding(Location.BANK, 1), Bucket.OTHER),
        (Holding(Location.BOX, 1), Bucket.CONTROL),  # (c)(6)
        (Holding(Location.OCC, 1), Bucket.OTHER),
    ],
)
def test_control_locations_c(holding: Holding, bucket: Bucket) -> None:
    assert determine("S", 0, [holding], CLOSE).by_bucket == {bucket: 1}
    assert set(PLACES) == set(Location)


def test_an_age_that_decides_and_is_missing_is_indeterminate() -> None:
    for location in (FAIL, DIVIDEND, SHORT, Location.TRANSFER):
        with pytest.raises(Indeterminate, match="S: the"):
            determine("S", 5, [Holding(location, 5)], CLOSE)
    assert determine("S", 0, [Holding(FAIL, 5)], CLOSE).deficit_units == 0  # decides nothing
    with pytest.raises(BadInput, match="negative"):
        determine("S", 5, [Holding(LIEN, -5)], CLOSE)


def test_deadlines_of_one_close_d_1() -> None:
    """Close 2 October: determine by Mon 5, instruct by Tue 6, lien by Thu 8, loan by Wed 14 October."""
    assert determine_by(CLOSE) == date(2026, 10, 5)
    told = determine("S", 10, [Holding(LIEN, 10), Holding(LOAN, 10)], CLOSE)
    assert {i.instruct_by for i in told.instructions} == {date(2026, 10, 6)} == {instruct_by(CLOSE)}
    assert [i.possession_by for i in told.instructions] == [date(2026, 10, 8), date(2026, 10, 14)]


def test_columbus_day_counts_only_when_told_d_1() -> None:
    counting = possession_calendar(counts_columbus_day=True)
    (told,) = determine("S", 10, [Holding(LOAN, 10)], CLOSE, calendar=counting).instructions
    assert told.possession_by == date(2026, 10, 13)


def test_an_earlier_instruction_brings_possession_forward_d_1() -> None:
    assert possession_by(Bucket.LIEN, date(2026, 10, 5)) == date(2026, 10, 7)
    assert possession_by(Bucket.FAIL_TO_RECEIVE, date(2026, 10, 5)) is None


def test_inactive_margin_accounts_may_wait_a_week_d() -> None:
    assert is_determination_due(aged(1), CLOSE, is_inactive_margin=False)
    assert not is_determination_due(aged(6), CLOSE, is_inactive_margin=True)
    assert is_determination_due(aged(7), CLOSE, is_inactive_margin=True)


def test_buy_in_of_differences_h_and_of_late_sales_m() -> None:
    assert count_difference_buy_in_by(date(2026, 9, 30)) == date(2026, 11, 14)
    assert late_sale_close_out(CLOSE) == date(2026, 10, 19)


def test_focus_items_4586_and_4587() -> None:
    (lien, fail) = determine("S", 9, [Holding(LIEN, 9), Holding(FAIL, 9, aged(31))], CLOSE).instructions
    rows = [
        OpenInstruction(lien, 100),  # nobody instructed
        OpenInstruction(lien, 20, instructed_on=date(2026, 10, 6)),  # due 8 October
        OpenInstruction(lien, 3, date(2026, 10, 6), possession_on=date(2026, 10, 8)),
        OpenInstruction(fail, 7, instructed_on=date(2026, 10, 6)),  # prompt steps have no day of their own
    ]
    assert focus_control_items(rows, date(2026, 10, 6)) == (0, 0, 0, 0)
    assert focus_control_items(rows, date(2026, 10, 7)) == (0, 0, 100, 1)
    assert focus_control_items(rows, date(2026, 10, 9)) == (20, 1, 100, 1)


POSITIONS = [Position("A", 100, 1_00), Position("B", 100, 2_00)]  # worth 300.00


@pytest.mark.parametrize(
    ("debit", "first", "must_hold"),
    [
        (0, (), MustHold({"A": 100, "B": 100}, {})),  # (a)(3) fully paid
        (100_00, (), MustHold({}, {"A": 100, "B": 30})),  # 140.00 stay
        (100_00, ("B",), MustHold({}, {"B": 80})),  # (a)(5) the firm chooses
        (100_01, ("B",), MustHold({}, {"B": 80})),  # 159.986 over: the 80th unit is set apart whole
        (200_00, (), MustHold({}, {"A": 20})),
        (214_28, (), MustHold({}, {"A": 1})),  # 299.992
        (214_29, (), MustHold({}, {})),  # 300.006
    ],
)
def test_excess_margin_over_140_percent_a_5(debit: int, first: tuple[str, ...], must_hold: MustHold) -> None:
    assert margin_account_must_hold(POSITIONS, debit, set_apart_first=first) == must_hold


def test_securities_without_loan_value_are_fully_paid_a_3() -> None:
    held = [Position("A", 100, 1_00), Position("N", 7, None, has_loan_value=False)]
    assert margin_account_must_hold(held, 100_00) == MustHold({"N": 7}, {})


def test_a_price_that_decides_and_is_missing_is_indeterminate() -> None:
    with pytest.raises(Indeterminate, match="price of A"):
        margin_account_must_hold([Position("A", 1, None)], 1)
    assert margin_account_must_hold([Position("A", 1, None)], 0).fully_paid == {"A": 1}
    with pytest.raises(BadInput):
        margin_account_must_hold([], -1)


@given(
    positions=st.lists(
        st.builds(
            Position,
            issue=st.sampled_from("ABCDE"),
            units=st.integers(0, 10**6),
            price_minor=st.integers(0, 10**5),
            per_units=st.sampled_from([1, 3, 100]),
            has_loan_value=st.just(True),
        ),
        unique_by=lambda p: p.issue,
        max_size=5,
    ),
    debit=st.integers(1, 10**9),
    first=st.permutations("ABCDE"),
)
def test_what_is_left_is_at_most_140_percent_and_no_unit_less_a_5(
    positions: list[Position], debit: int, first: list[str]
) -> None:
    apart = margin_account_must_hold(positions, debit, set_apart_first=first).excess_margin
    price = {p.issue: Fraction(p.price_minor or 0, p.per_units) for p in positions}
    worth = sum(p.units * price[p.issue] for p in positions)
    limit = Fraction(debit * 140, 100)
    left = worth - sum(units * price[issue] for issue, units in apart.items())
    assert left <= limit or left == 0
    assert all(0 < apart[p.issue] <= p.units for p in positions if p.issue in apart)
    if apart:
        last = max(apart, key=first.index)
        assert left + price[last] > limit
        earlier = [p for p in positions if first.index(p.issue) < first.index(last) and price[p.issue]]
        assert all(apart.get(p.issue, 0) == p.units for p in earlier)
    else:
        assert worth <= limit


@given(
    required=st.integers(0, 500),
    holdings=st.lists(
        st.builds(
            Holding,
            location=st.sampled_from(list(Location)),
            units=st.integers(0, 200),
            since=st.dates(aged(60), CLOSE),
            is_acknowledged=st.booleans(),
        ),
        max_size=12,
    ),
)
def test_every_unit_is_in_one_place_and_nothing_is_asked_without_a_deficit_d(
    required: int, holdings: list[Holding]
) -> None:
    told = determine("S", required, holdings, CLOSE)
    assert sum(told.by_bucket.values()) == sum(h.units for h in holdings)
    assert told.deficit_units == max(required - told.by_bucket.get(Bucket.CONTROL, 0), 0)
    if not told.deficit_units:
        assert told.instructions == told.aged_later == ()
    for asked in told.instructions:
        assert 0 < asked.units <= told.deficit_units
        assert POSSESSION.is_business_day(asked.instruct_by)
