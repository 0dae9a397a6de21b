"""Where a reserve computation stands in the FOCUS report: the items of Exhibit A and their boxes.

Owns the table of items and boxes, and the amounts that go into them. Does not own a figure. Boxes whose
number was not read in the form itself are marked: a filing names them, and a person compares them with the
form. The boxes are those of the customer computation; none are declared for PAB accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from engine.reserve.terms import Formula, Frequency, Method


class Item(NamedTuple):
    """One item of Exhibit A. Source: 17 CFR 240.15c3-3a as amended through 2024-03-18."""

    number: int
    side: str
    box: str
    is_confirmed: bool
    name: str


CREDIT, DEBIT, RESULT = "CREDIT", "DEBIT", "RESULT"
ITEMS = (
    Item(
        1,
        CREDIT,
        "4340",
        True,
        "Free credit balances and other credit balances in customers' security accounts",
    ),
    Item(
        2,
        CREDIT,
        "4350",
        True,
        "Monies borrowed collateralized by securities carried for the accounts of customers",
    ),
    Item(3, CREDIT, "4360", True, "Monies payable against customers' securities loaned"),
    Item(4, CREDIT, "4370", True, "Customers' securities failed to receive"),
    Item(
        5,
        CREDIT,
        "4380",
        True,
        "Credit balances in firm accounts which are attributable to principal sales to customers",
    ),
    Item(
        6,
        CREDIT,
        "4390",
        True,
        "Market value of stock dividends, stock splits and similar distributions receivable outstanding over "
        "30 calendar days",
    ),
    Item(
        7, CREDIT, "4400", True, "Market value of short security count differences over 30 calendar days old"
    ),
    Item(
        8,
        CREDIT,
        "4410",
        True,
        "Market value of short securities and credits in all suspense accounts over 30 calendar days",
    ),
    Item(
        9,
        CREDIT,
        "4420",
        True,
        "Market value of securities in transfer in excess of 40 calendar days not confirmed to be in "
        "transfer",
    ),
    Item(
        10,
        DEBIT,
        "4440",
        False,
        "Debit balances in customers' cash and margin accounts excluding unsecured accounts and "
        "accounts doubtful of collection",
    ),
    Item(
        11,
        DEBIT,
        "4450",
        False,
        "Securities borrowed to effectuate short sales by customers and to make delivery on customers' "
        "securities failed to deliver",
    ),
    Item(
        12, DEBIT, "4460", False, "Failed to deliver of customers' securities not older than 30 calendar days"
    ),
    Item(13, DEBIT, "4465", False, "Margin required and on deposit with the Options Clearing Corporation"),
    Item(
        14,
        DEBIT,
        "4467",
        False,
        "Margin required and on deposit for security futures products and portfolio margin futures",
    ),
    Item(
        15,
        DEBIT,
        "4469",
        False,
        "Margin required and on deposit for customers' cleared US Treasury securities",
    ),
    Item(16, RESULT, "4490", False, "Excess of total credits over total debits required to be on deposit"),
)
FREQUENCY_BOXES = {Frequency.DAILY: "4332", Frequency.WEEKLY: "4333", Frequency.MONTHLY: "4334"}


class BoxValue(NamedTuple):
    """What goes into one box: cents, or a text."""

    box: str
    name: str
    value: int | str
    is_confirmed: bool


class FocusFigures(NamedTuple):
    """The figures of a customer computation that FOCUS asks for beside the items, in cents."""

    credits_minor: int
    debits_minor: int
    reduction_minor: int
    requirement_minor: int
    held_minor: int
    held_securities_minor: int | None
    order_minor: int
    deposit_date: date


def focus_boxes(
    formula: Formula,
    method: Method,
    frequency: Frequency,
    amounts: Mapping[int, int],
    figures: FocusFigures,
) -> list[BoxValue]:
    """Every box of the customer computation with its value; none for PAB accounts.

    Under the basic method the form takes Item 10 net of Note E, which holds the 1 %; under the alternative
    one the reduction has a line of its own. `held_securities_minor` of None leaves its box out: it is not
    known apart.
    """
    if formula is Formula.PAB:
        return []
    is_basic = method is Method.BASIC
    in_items = figures.reduction_minor if is_basic else 0
    boxes = [
        BoxValue(i.box, i.name, amounts[i.number] - (in_items if i.number == 10 else 0), i.is_confirmed)
        for i in ITEMS[:-1]
    ]
    net = figures.credits_minor - figures.debits_minor + figures.reduction_minor
    rest: list[tuple[str, str, int | str]] = [
        ("4430", "Total credits", figures.credits_minor),
        ("4470", "Aggregate debit items", figures.debits_minor - in_items),
        ("4471", "Less 3 % or 2 %, alternative method", 0 if is_basic else figures.reduction_minor),
        ("4472", "Total 15c3-3 debits", figures.debits_minor - figures.reduction_minor),
        ("4480", "Excess of total debits over total credits", max(-net, 0)),
        ("4490", "Excess of total credits over total debits", max(net, 0)),
    ]
    if frequency is Frequency.MONTHLY:
        rest.append(("4500", "105 % of the excess, computed monthly", figures.requirement_minor))
    if figures.held_securities_minor is not None:
        rest.append(("4505", "Of which qualified securities", figures.held_securities_minor))
    rest += [
        ("4510", "Held on deposit in the reserve bank account", figures.held_minor),
        ("4520", "Amount of deposit (or withdrawal)", figures.order_minor),
        ("4530", "New amount in the reserve bank account", figures.held_minor + figures.order_minor),
        ("4540", "Date of deposit", str(figures.deposit_date)),
        (FREQUENCY_BOXES[frequency], f"Computed {frequency.value}", "X"),
    ]
    return sorted(boxes + [BoxValue(*row, False) for row in rest])
