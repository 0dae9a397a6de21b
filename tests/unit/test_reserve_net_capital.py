"""The net capital minimum and its notices, by paragraph of 17 CFR 240.15c3-1(a) and 240.17a-11; missed
deposits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.errors import BadInput
from engine.reserve.deadline import NEW_YORK
from engine.reserve.net_capital import (
    Activity,
    Capital,
    books_not_current,
    capital_notices,
    material_weakness,
    minimum,
    same_day,
)
from engine.reserve.notices import Deficiency, DepositMade, Recipient, missed_deposit
from engine.reserve.terms import Formula, Indeterminate, Method

DOLLARS = 100
BASIC = Capital(Method.BASIC, 10**12, aggregate_indebtedness_minor=0)
ALTERNATIVE = Capital(Method.ALTERNATIVE, 10**12, aggregate_debit_items_minor=0)
AT = datetime(2026, 10, 6, 16, 0, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("capital", "dollars", "paragraph"),
    [
        (ALTERNATIVE, 250_000, "(a)(2)(i)"),
        (ALTERNATIVE._replace(activities=[Activity.OTHER]), 250_000, "(a)(1)(ii)"),
        (ALTERNATIVE._replace(aggregate_debit_items_minor=9_000_000 * DOLLARS), 250_000, "(a)(2)(i)"),
        (ALTERNATIVE._replace(aggregate_debit_items_minor=20_000_000 * DOLLARS), 400_000, "(a)(1)(ii)"),
        (BASIC._replace(aggregate_indebtedness_minor=15_000_000 * DOLLARS), 1_000_000, "(a)(1)(i)"),
        (
            BASIC._replace(aggregate_indebtedness_minor=8_000_000 * DOLLARS, is_first_year=True),
            1_000_000,
            "(a)(1)(i)",
        ),
        (BASIC, 250_000, "(a)(2)(i)"),
        (BASIC._replace(activities=[Activity.SPECIAL_ACCOUNT]), 100_000, "(a)(2)(ii)"),
        (BASIC._replace(activities=[Activity.DEALER, Activity.OTHER]), 100_000, "(a)(2)(iii)"),
        (BASIC._replace(activities=[Activity.INTRODUCES_AND_RECEIVES]), 50_000, "(a)(2)(iv)"),
        (BASIC._replace(activities=[Activity.FUND_SHARES]), 25_000, "(a)(2)(v)"),
        (BASIC._replace(activities=[Activity.OTHER]), 5_000, "(a)(2)(vi)"),
        (BASIC._replace(market_maker_securities=(100, 30)), 280_000, "(a)(4)"),
        (BASIC._replace(market_maker_securities=(500, 0)), 1_000_000, "(a)(4)"),
        (
            ALTERNATIVE._replace(is_futures_merchant=True, segregated_funds_minor=10_000_000 * DOLLARS),
            400_000,
            "(a)(1)(iii)",
        ),
    ],
)
def test_the_minimum_15c3_1_a(capital: Capital, dollars: int, paragraph: str) -> None:
    required = minimum(capital)
    assert (required.amount_minor, required.citation) == (dollars * DOLLARS, f"17 CFR 240.15c3-1{paragraph}")


def test_fractions_of_a_cent_never_lower_the_minimum() -> None:
    assert (
        minimum(ALTERNATIVE._replace(aggregate_debit_items_minor=10**12 + 1)).amount_minor == 2 * 10**10 + 1
    )
    assert minimum(BASIC._replace(aggregate_indebtedness_minor=15 * 10**12 + 1)).amount_minor == 10**12 + 1


@pytest.mark.parametrize(
    ("capital", "missing"),
    [
        (Capital(Method.ALTERNATIVE, 1), "aggregate debit items"),
        (Capital(Method.BASIC, 1), "aggregate indebtedness"),
        (ALTERNATIVE._replace(is_futures_merchant=True), "segregated"),
        (ALTERNATIVE._replace(activities=[]), "what the firm does"),
        (ALTERNATIVE._replace(loaned_and_repo_minor=1), "tentative net capital"),
    ],
)
def test_what_is_not_known_is_not_zero(capital: Capital, missing: str) -> None:
    with pytest.raises(Indeterminate, match=missing):
        capital_notices(capital, AT)


DEBITS = 100_000_000 * DOLLARS  # 2 % are 2,000,000; 5 % are 5,000,000
OWED = 30_000_000 * DOLLARS  # 1/15 is 2,000,000; 1/12 is 2,500,000


@pytest.mark.parametrize(
    ("capital", "paragraphs"),
    [
        # alternative: below 5 % of debit items (b)(2), below 120 % (b)(3), below the minimum (a)(1)
        (ALTERNATIVE._replace(aggregate_debit_items_minor=DEBITS, net_capital_minor=5_000_000_00), []),
        (
            ALTERNATIVE._replace(aggregate_debit_items_minor=DEBITS, net_capital_minor=4_999_999_99),
            ["(b)(2)"],
        ),
        (
            ALTERNATIVE._replace(aggregate_debit_items_minor=DEBITS, net_capital_minor=2_400_000_00),
            ["(b)(2)"],
        ),
        (
            ALTERNATIVE._replace(aggregate_debit_items_minor=DEBITS, net_capital_minor=2_399_999_99),
            ["(b)(3)", "(b)(2)"],
        ),
        (
            ALTERNATIVE._replace(aggregate_debit_items_minor=DEBITS, net_capital_minor=1_999_999_99),
            ["(a)(1)", "(b)(3)", "(b)(2)"],
        ),
        # basic: indebtedness over 1200 % (b)(1)
        (BASIC._replace(aggregate_indebtedness_minor=OWED, net_capital_minor=2_500_000_00), []),
        (BASIC._replace(aggregate_indebtedness_minor=OWED, net_capital_minor=2_499_999_99), ["(b)(1)"]),
        (BASIC._replace(net_capital_minor=-1), ["(a)(1)", "(b)(3)", "(b)(1)"]),
        # leverage over 2500 % of tentative net capital (b)(5), each side for itself
        (
            ALTERNATIVE._replace(
                tentative_net_capital_minor=100,
                loaned_and_repo_minor=2_500,
                borrowed_and_reverse_repo_minor=2_500,
            ),
            [],
        ),
        (ALTERNATIVE._replace(tentative_net_capital_minor=100, loaned_and_repo_minor=2_501), ["(b)(5)"]),
        (
            ALTERNATIVE._replace(tentative_net_capital_minor=100, borrowed_and_reverse_repo_minor=2_501),
            ["(b)(5)"],
        ),
        (
            ALTERNATIVE._replace(
                tentative_net_capital_minor=100, loaned_and_repo_minor=2_501, reports_lending_monthly=True
            ),
            [],
        ),
    ],
)
def test_notices_of_a_computation_17a_11_a_and_b(capital: Capital, paragraphs: list[str]) -> None:
    told = capital_notices(capital, AT)
    assert [n.paragraph for n in told] == paragraphs
    for notice in told:
        due = "2026-10-06T23:59:59-04:00" if notice.paragraph == "(a)(1)" else "2026-10-07T16:00:00-04:00"
        assert notice.due_at.isoformat() == due
        assert len(notice.recipients) == 3 and Recipient.CFTC not in notice.recipients
    if "(a)(1)" in paragraphs:  # states both figures
        assert (
            str(capital.net_capital_minor) in told[0].told
            and str(minimum(capital).amount_minor) in told[0].told
        )


def test_a_futures_merchant_tells_the_cftc_17a_11_h() -> None:
    merchant = ALTERNATIVE._replace(net_capital_minor=0, is_futures_merchant=True, segregated_funds_minor=0)
    assert all(Recipient.CFTC in n.recipients for n in capital_notices(merchant, AT))


def test_the_same_day_is_the_firms_17a_11_a() -> None:
    at = datetime(2026, 10, 7, 2, 0, tzinfo=UTC)  # still the 6th in New York
    assert same_day(at).isoformat() == "2026-10-06T23:59:59-04:00"
    assert same_day(at, ZoneInfo("Europe/London")).date().day == 7
    with pytest.raises(BadInput, match="no time zone"):
        same_day(datetime(2026, 10, 7))  # noqa: DTZ001


def test_books_and_weakness_17a_11_c_and_d() -> None:
    assert [(n.paragraph, n.due_at.isoformat()) for n in books_not_current("stock record", AT)] == [
        ("(c)", "2026-10-06T23:59:59-04:00"),
        ("(c)", "2026-10-08T23:59:59-04:00"),
    ]
    assert [(n.paragraph, n.due_at - AT) for n in material_weakness("access", AT)] == [
        ("(d)(1)", timedelta(hours=24)),
        ("(d)(2)", timedelta(hours=72)),
    ]


def test_24_hours_are_24_hours_while_clocks_change_17a_11_b() -> None:
    at = datetime(2026, 10, 31, 16, 0, tzinfo=NEW_YORK)
    assert material_weakness("", at)[0].due_at.isoformat() == "2026-11-01T15:00:00-05:00"


DEADLINE = datetime(2026, 10, 6, 10, 0, tzinfo=NEW_YORK)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("deposits", "now", "missing"),
    [
        ([], DEADLINE, None),  # not yet
        ([], DEADLINE + SECOND, 270),
        ([(DEADLINE, 270)], DEADLINE + SECOND, None),
        ([(DEADLINE - SECOND, 200), (DEADLINE + SECOND, 70)], DEADLINE + 2 * SECOND, 70),  # late is missed
        ([(DEADLINE, 300)], DEADLINE + SECOND, None),
    ],
)
def test_a_missed_deposit_is_told_at_once_15c3_3_i(
    deposits: list[tuple[datetime, int]], now: datetime, missing: int | None
) -> None:
    made = [DepositMade(*d) for d in deposits]
    told = missed_deposit(Formula.CUSTOMER, 270, made, DEADLINE, now)
    assert (told.missing_minor if told else None) == missing
    if told:
        assert told.deficiency is Deficiency.NOT_MADE
        assert {n.due_at for n in told.notices} == {DEADLINE}
        assert {n.recipients for n in told.notices} == {
            (Recipient.SEC_HEADQUARTERS, Recipient.EXAMINING_AUTHORITY)
        }
        assert told.notices[0].citation == "17 CFR 240.15c3-3(i)"


def test_a_restated_computation_is_missed_in_hindsight_15c3_3_i() -> None:
    now = DEADLINE + timedelta(days=2)
    told = missed_deposit(
        Formula.PAB, 300, [DepositMade(DEADLINE, 270)], DEADLINE, now, first_required_minor=270
    )
    assert told is not None
    assert (told.missing_minor, told.deficiency, told.notices[0].due_at) == (30, Deficiency.HINDSIGHT, now)
