"""Margin and money of executions, in numbers that can be checked by hand."""

from __future__ import annotations

from tests.support.scenario import World

OPENING = """
open 7 CUSTOMER_MARGIN
open 6 CUSTOMER_MARGIN
open 9 STREET
deposit 7 1000.00
deposit 6 1000.00
"""


def test_a_purchase_moves_money_and_units_and_keeps_equity() -> None:
    World().play(OPENING).play("""
        order 9 #1 SELL 10 ACME @ 100.00
        order 7 #1 BUY 15 ACME @ 100.00         -> filled 10
        balance 7 ACME 10
        balance 7 USD 0.00
        expect equity 7 1000.00
        expect margin 7 750.00
        cancel 7 #1                             -> cancelled 5
        expect margin 7 500.00
        mark ACME 90.00
        expect equity 7 900.00
        expect margin 7 450.00
    """)


def test_open_orders_are_margined_for_the_worse_side_only() -> None:
    World().play(OPENING).play("""
        transfer 7 ACME 10
        expect equity 7 2000.00
        expect margin 7 500.00
        order 7 #1 BUY 4 ACME @ 95.00           -> accepted
        expect margin 7 700.00
        order 7 #2 SELL 4 ACME @ 105.00         -> accepted
        expect margin 7 700.00
    """)


def test_a_contract_moves_no_money_until_it_is_marked() -> None:
    World().play(OPENING).play("""
        order 6 #1 SELL 10 ACMECFD @ 100.00
        order 7 #1 BUY 10 ACMECFD @ 100.00      -> filled 10
        balance 7 USD 1000.00
        expect margin 7 500.00
        expect margin 6 500.00
        mark ACMECFD 110.00
        expect equity 7 1100.00
        expect equity 6 900.00
    """)


def test_the_order_that_breaks_margin_is_refused_and_the_one_that_just_fits_is_not() -> None:
    World().play(OPENING).play("""
        order 7 #1 BUY 21 ACME @ 100.00         -> refused INSUFFICIENT_MARGIN
        order 7 #2 BUY 20 ACME @ 100.00         -> accepted
        order 7 #3 BUY 1 ACME @ 99.00           -> refused INSUFFICIENT_MARGIN
    """)


def test_crossing_away_from_the_mark_costs_at_once() -> None:
    World().play(OPENING).play("""
        order 7 #1 BUY 15 ACME @ 117.00         -> refused INSUFFICIENT_MARGIN
        order 7 #2 BUY 14 ACME @ 117.00         -> accepted
    """)


def test_what_an_order_loses_as_it_fills_is_spent_once() -> None:
    """Ten shares at 117 need 500 of margin and cost 170 against the mark; eight at the mark need 400 more."""
    World().play(OPENING).play("""
        order 7 #1 BUY 10 ACME @ 117.00         -> accepted
        expect margin 7 670.00
        order 7 #2 BUY 8 ACME @ 100.00          -> refused INSUFFICIENT_MARGIN
        order 7 #3 BUY 6 ACME @ 100.00          -> accepted
        expect margin 7 970.00
        order 9 #1 SELL 10 ACME @ 117.00        -> filled 10
        expect equity 7 830.00
        expect margin 7 800.00
    """)
