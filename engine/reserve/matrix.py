"""The allocation of claims to locations: in which order, and what each pair gives. One table, one version.

Owns: the buckets of both sides, the order of pairing ("box last") and the item of each pair. It is read,
never branched on: another order is another Matrix. Does not own the arithmetic (`allocation.py`).

The rule names the items; the order is the practice of the trade, taken so that it never lowers the
requirement where it leaves a choice. Where age changes an amount, the bucket is split and the part that
requires more is used first. Source: 17 CFR 240.15c3-3a Items 2 to 9, 11 and 12.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, IntEnum
from typing import NamedTuple

from engine.reserve.kinds import Claim, Location
from engine.reserve.terms import Formula

VERSION = "box-last-1"


class Long(IntEnum):
    """Buckets of claims."""

    MARGIN = 0
    FULLY_PAID = 1
    PAB = 2
    NONCUSTOMER = 3
    FIRM = 4
    OLD_DELIVER = 5  # fails to deliver over 30 days
    DELIVER = 6
    BORROW = 7
    REVERSE_REPO = 8
    SUSPENSE = 9


class Short(IntEnum):
    """Buckets of locations."""

    BANK_LOAN = 0
    REPO = 1
    LOAN = 2
    OLD_RECEIVE = 3  # fails to receive over 30 days
    RECEIVE = 4
    FIRM_SHORT = 5
    NONCUSTOMER_SHORT = 6
    TREASURY_CLEARING = 7
    OLD_DIVIDEND = 8
    OLD_COUNT = 9
    OLD_SUSPENSE = 10
    OLD_TRANSFER = 11
    CUSTOMER_SHORT = 12
    PAB_SHORT = 13
    OCC = 14
    DIVIDEND = 15
    COUNT = 16
    SUSPENSE = 17
    TRANSFER = 18
    DEPOSITORY = 19
    BOX = 20


# claim or location -> its bucket, and the bucket of what is over age where that differs
LONG_OF: dict[Claim, tuple[Long, Long]] = {
    Claim.CUSTOMER_MARGIN: (Long.MARGIN, Long.MARGIN),
    Claim.CUSTOMER_FULLY_PAID: (Long.FULLY_PAID, Long.FULLY_PAID),
    Claim.PAB: (Long.PAB, Long.PAB),
    Claim.NONCUSTOMER: (Long.NONCUSTOMER, Long.NONCUSTOMER),
    Claim.FIRM: (Long.FIRM, Long.FIRM),
    Claim.FAIL_TO_DELIVER: (Long.DELIVER, Long.OLD_DELIVER),
    Claim.BORROW: (Long.BORROW, Long.BORROW),
    Claim.REVERSE_REPO: (Long.REVERSE_REPO, Long.REVERSE_REPO),
    Claim.SUSPENSE: (Long.SUSPENSE, Long.SUSPENSE),
}
SHORT_OF: dict[Location, tuple[Short, Short]] = {
    Location.BOX: (Short.BOX, Short.BOX),
    Location.DEPOSITORY: (Short.DEPOSITORY, Short.DEPOSITORY),
    Location.BANK_LOAN: (Short.BANK_LOAN, Short.BANK_LOAN),
    Location.REPO: (Short.REPO, Short.REPO),
    Location.LOAN: (Short.LOAN, Short.LOAN),
    Location.FAIL_TO_RECEIVE: (Short.RECEIVE, Short.OLD_RECEIVE),
    Location.CUSTOMER_SHORT: (Short.CUSTOMER_SHORT, Short.CUSTOMER_SHORT),
    Location.PAB_SHORT: (Short.PAB_SHORT, Short.PAB_SHORT),
    Location.NONCUSTOMER_SHORT: (Short.NONCUSTOMER_SHORT, Short.NONCUSTOMER_SHORT),
    Location.FIRM_SHORT: (Short.FIRM_SHORT, Short.FIRM_SHORT),
    Location.TRANSFER: (Short.TRANSFER, Short.OLD_TRANSFER),
    Location.DIVIDEND_RECEIVABLE: (Short.DIVIDEND, Short.OLD_DIVIDEND),
    Location.COUNT_DIFFERENCE: (Short.COUNT, Short.OLD_COUNT),
    Location.SUSPENSE: (Short.SUSPENSE, Short.OLD_SUSPENSE),
    Location.OCC: (Short.OCC, Short.OCC),
    Location.TREASURY_CLEARING: (Short.TREASURY_CLEARING, Short.TREASURY_CLEARING),
}
# what is aged, and by the limit of which item
AGED_BY: dict[Claim | Location, int] = {
    Claim.FAIL_TO_DELIVER: 12,
    Location.FAIL_TO_RECEIVE: 4,
    Location.DIVIDEND_RECEIVABLE: 6,
    Location.COUNT_DIFFERENCE: 7,
    Location.SUSPENSE: 8,
    Location.TRANSFER: 9,
}
_LONG_WORDS = {bucket: claim for claim, buckets in LONG_OF.items() for bucket in buckets}
_SHORT_WORDS = {bucket: location for location, buckets in SHORT_OF.items() for bucket in buckets}
# named by side, for a claim and a location of one number are equal integers
OLD_LONGS = frozenset(old for young, old in LONG_OF.values() if old != young)
OLD_SHORTS = frozenset(old for young, old in SHORT_OF.values() if old != young)
POSITIONS = frozenset({Long.MARGIN, Long.FULLY_PAID, Long.PAB, Long.NONCUSTOMER, Long.FIRM})
SHORT_POSITIONS = frozenset(
    {Short.CUSTOMER_SHORT, Short.PAB_SHORT, Short.NONCUSTOMER_SHORT, Short.FIRM_SHORT}
)


def long_word(bucket: Long) -> str:
    """The word of the files for a bucket of claims."""
    return _LONG_WORDS[bucket].value


def short_word(bucket: Short) -> str:
    """The word of the files for a bucket of locations."""
    return _SHORT_WORDS[bucket].value


class Basis(Enum):
    """What an allocated unit is worth in the formula."""

    LOCATION_CONTRACT = "contract value of the location, pro rata"
    LOAN = "contract value of the loan, pro rata, and Note C"
    OLD_FAIL = "contract value of the fail, pro rata, and Note D"
    CLAIM_CONTRACT = "contract value of the claim, pro rata"
    MARKET_VALUE = "market value"
    FIRM_SHORT = "market value, or the contract value of the short position"  # as the policy says
    CROSS_FORMULA = "market value, as the short position is of the other formula"  # as the policy says
    OVER_AGE = "nothing, as the fail is over 30 calendar days old"
    NET_WORTH_CHARGE = "1 % of the contract value, off net worth under the alternative method"


class Cell(NamedTuple):
    """What a pair gives. Item 0 is no item of the formula."""

    formula: Formula
    item: int
    basis: Basis


class Step(NamedTuple):
    """One step of the order: each location in turn takes from each claim in turn what is left of both."""

    name: str
    shorts: tuple[Short, ...]
    longs: tuple[Long, ...]


class Matrix(NamedTuple):
    """A version of the order and of what each pair gives; a pair without a cell gives nothing."""

    version: str
    steps: tuple[Step, ...]
    cells: dict[tuple[Long, Short], Cell]

    def identified_pairs(self) -> Iterator[tuple[Long, Short]]:
        """The pairs that rows of one account can be identified by: not two positions of that account.

        That an account is both long and short says nothing about where its securities are.
        """
        return (pair for pair in self.pairs() if not (pair[0] in POSITIONS and pair[1] in SHORT_POSITIONS))

    def pairs(self) -> Iterator[tuple[Long, Short]]:
        """Every pair once, in order."""
        seen: set[tuple[Long, Short]] = set()
        for step in self.steps:
            for short in step.shorts:
                for long in step.longs:
                    if (long, short) not in seen:
                        seen.add((long, short))
                        yield long, short


_USES = (
    Short.BANK_LOAN,
    Short.REPO,
    Short.LOAN,
    Short.OLD_RECEIVE,
    Short.RECEIVE,
    Short.FIRM_SHORT,
    Short.NONCUSTOMER_SHORT,
    Short.TREASURY_CLEARING,
)
_OLD_BREAKS = (Short.OLD_DIVIDEND, Short.OLD_COUNT, Short.OLD_SUSPENSE, Short.OLD_TRANSFER)
_STEPS = (
    Step(
        "fails to receive against fails to deliver",
        (Short.RECEIVE, Short.OLD_RECEIVE),
        (Long.DELIVER, Long.OLD_DELIVER),
    ),
    Step(
        "uses of securities against customers' margin securities, then PAB, non-customers, firm",
        _USES,
        (Long.MARGIN, Long.PAB, Long.NONCUSTOMER, Long.FIRM, Long.REVERSE_REPO),
    ),
    Step(
        "breaks that are over age against customers, then the others",
        _OLD_BREAKS,
        (
            Long.MARGIN,
            Long.FULLY_PAID,
            Long.PAB,
            Long.SUSPENSE,
            Long.NONCUSTOMER,
            Long.FIRM,
            Long.REVERSE_REPO,
            Long.BORROW,
            Long.DELIVER,
            Long.OLD_DELIVER,
        ),
    ),
    Step(
        "customers' short positions",
        (Short.CUSTOMER_SHORT,),
        (Long.BORROW, Long.OLD_DELIVER, Long.DELIVER, Long.MARGIN),
    ),
    Step(
        "short positions of PAB accounts",
        (Short.PAB_SHORT,),
        (Long.BORROW, Long.OLD_DELIVER, Long.DELIVER, Long.PAB),
    ),
    Step(
        "uses that found nothing else, fully paid securities last",
        _USES,
        (Long.SUSPENSE, Long.BORROW, Long.OLD_DELIVER, Long.DELIVER, Long.FULLY_PAID),
    ),
    Step(
        "short positions that found nothing else",
        (Short.CUSTOMER_SHORT, Short.PAB_SHORT),
        (
            Long.NONCUSTOMER,
            Long.FIRM,
            Long.REVERSE_REPO,
            Long.SUSPENSE,
            Long.PAB,
            Long.MARGIN,
            Long.FULLY_PAID,
        ),
    ),
    Step(
        "the box and what is as good, to the rest",
        (
            Short.OCC,
            Short.DIVIDEND,
            Short.COUNT,
            Short.SUSPENSE,
            Short.TRANSFER,
            Short.DEPOSITORY,
            Short.BOX,
        ),
        (
            Long.MARGIN,
            Long.PAB,
            Long.NONCUSTOMER,
            Long.FIRM,
            Long.REVERSE_REPO,
            Long.SUSPENSE,
            Long.BORROW,
            Long.OLD_DELIVER,
            Long.DELIVER,
            Long.FULLY_PAID,
        ),
    ),
)


def _cells() -> dict[tuple[Long, Short], Cell]:
    cells: dict[tuple[Long, Short], Cell] = {}
    own = ((Long.MARGIN, Formula.CUSTOMER), (Long.FULLY_PAID, Formula.CUSTOMER), (Long.PAB, Formula.PAB))
    uses = (
        (Short.BANK_LOAN, 2, Basis.LOCATION_CONTRACT),
        (Short.REPO, 2, Basis.LOCATION_CONTRACT),
        (Short.TREASURY_CLEARING, 2, Basis.MARKET_VALUE),  # Note B
        (Short.LOAN, 3, Basis.LOAN),
        (Short.RECEIVE, 4, Basis.LOCATION_CONTRACT),
        (Short.OLD_RECEIVE, 4, Basis.OLD_FAIL),
        (Short.FIRM_SHORT, 5, Basis.FIRM_SHORT),
        (Short.NONCUSTOMER_SHORT, 5, Basis.FIRM_SHORT),
        (Short.OLD_DIVIDEND, 6, Basis.MARKET_VALUE),
        (Short.OLD_COUNT, 7, Basis.MARKET_VALUE),
        (Short.OLD_SUSPENSE, 8, Basis.MARKET_VALUE),
        (Short.OLD_TRANSFER, 9, Basis.MARKET_VALUE),
    )
    for long, formula in own:
        for short, item, basis in uses:
            cells[long, short] = Cell(formula, item, basis)
        other = Short.PAB_SHORT if formula is Formula.CUSTOMER else Short.CUSTOMER_SHORT
        cells[long, other] = Cell(formula, 5, Basis.CROSS_FORMULA)
    # Item 8: "not to be offset by longs"
    cells[Long.SUSPENSE, Short.OLD_SUSPENSE] = Cell(Formula.CUSTOMER, 8, Basis.MARKET_VALUE)
    for short, formula in ((Short.CUSTOMER_SHORT, Formula.CUSTOMER), (Short.PAB_SHORT, Formula.PAB)):
        cells[Long.BORROW, short] = Cell(formula, 11, Basis.CLAIM_CONTRACT)
        cells[Long.DELIVER, short] = Cell(formula, 12, Basis.CLAIM_CONTRACT)
        cells[Long.OLD_DELIVER, short] = Cell(formula, 12, Basis.OVER_AGE)
    for short in (Short.RECEIVE, Short.OLD_RECEIVE):
        for long in (Long.DELIVER, Long.OLD_DELIVER, Long.BORROW):
            cells[long, short] = Cell(Formula.CUSTOMER, 0, Basis.NET_WORTH_CHARGE)
    return cells


BOX_LAST = Matrix(VERSION, _STEPS, _cells())
