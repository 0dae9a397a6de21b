"""Possession or control: what must be held for customers, what is, and what has to be done about the rest.

Owns: the daily determination per issue, instructions with their deadlines, and the items of FOCUS. Does not
own what must be held for an account (`excess_margin.py`), or which units of a short position a claim is
allocated to: both come in. Quantities are integers in an issue's smallest units, money is in cents.
Source: 17 CFR 240.15c3-3(b), (c), (d), (h), (m).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from engine.errors import BadInput
from engine.reserve.calendar import POSSESSION, Calendar
from engine.reserve.terms import Indeterminate

TRANSFER_DAYS = 40
COUNT_DIFFERENCE_DAYS = 45
LATE_SALE_BUSINESS_DAYS = 10


class Bucket(StrEnum):
    """A place where securities of an issue are, told apart by what the rule asks for there."""

    CONTROL = "CONTROL"
    LIEN = "LIEN"  # secures money borrowed
    LOANED = "LOANED"
    FAIL_TO_RECEIVE = "FAIL_TO_RECEIVE"
    DISTRIBUTION_RECEIVABLE = "DISTRIBUTION_RECEIVABLE"
    SHORT_POSITION = "SHORT_POSITION"  # of the firm or of another person
    OTHER = "OTHER"  # no control location and none of those that paragraph (d) names


class Location(StrEnum):
    """Where a stock record may say that securities are."""

    CLEARING_CORPORATION = "clearing_corporation"
    BOX = "box"
    DEPOSITORY = "depository"
    OMNIBUS = "omnibus"
    TRANSFER = "transfer"
    FOREIGN_DEPOSITORY = "foreign_depository"
    BANK = "bank"
    IN_TRANSIT = "in_transit"
    DESIGNATED = "designated"
    BANK_LOAN = "bank_loan"
    REPO = "repo"
    LOAN = "loan"
    FAIL_TO_RECEIVE = "fail_to_receive"
    DIVIDEND_RECEIVABLE = "dividend_receivable"
    CUSTOMER_SHORT = "customer_short"
    PAB_SHORT = "pab_short"
    NONCUSTOMER_SHORT = "noncustomer_short"
    FIRM_SHORT = "firm_short"
    COUNT_DIFFERENCE = "count_difference"
    SUSPENSE = "suspense"
    OCC = "occ"
    TREASURY_CLEARING = "treasury_clearing"


# Which of the paragraph's places each is. An unnamed place is no control location, and asks for nothing in
# (d).
PLACES: Mapping[Location, tuple[Bucket, str]] = {
    Location.CLEARING_CORPORATION: (Bucket.CONTROL, "(c)(1)"),
    Location.DEPOSITORY: (Bucket.CONTROL, "(c)(1)"),
    Location.OMNIBUS: (Bucket.CONTROL, "(c)(2)"),
    Location.TRANSFER: (Bucket.CONTROL, "(c)(3)"),
    Location.FOREIGN_DEPOSITORY: (Bucket.CONTROL, "(c)(4)"),
    Location.BANK: (Bucket.CONTROL, "(c)(5)"),
    Location.BOX: (Bucket.CONTROL, "(c)(6)"),
    Location.IN_TRANSIT: (Bucket.CONTROL, "(c)(6)"),
    Location.DESIGNATED: (Bucket.CONTROL, "(c)(7)"),
    Location.BANK_LOAN: (Bucket.LIEN, "(d)(1)"),
    Location.REPO: (Bucket.LIEN, "(d)(1)"),
    Location.LOAN: (Bucket.LOANED, "(d)(1)"),
    Location.FAIL_TO_RECEIVE: (Bucket.FAIL_TO_RECEIVE, "(d)(2)"),
    Location.DIVIDEND_RECEIVABLE: (Bucket.DISTRIBUTION_RECEIVABLE, "(d)(3)"),
    Location.CUSTOMER_SHORT: (Bucket.SHORT_POSITION, "(d)(4)"),
    Location.PAB_SHORT: (Bucket.SHORT_POSITION, "(d)(4)"),
    Location.NONCUSTOMER_SHORT: (Bucket.SHORT_POSITION, "(d)(4)"),
    Location.FIRM_SHORT: (Bucket.SHORT_POSITION, "(d)(4)"),
    Location.COUNT_DIFFERENCE: (Bucket.OTHER, "(h)"),
    Location.SUSPENSE: (Bucket.OTHER, ""),
    Location.OCC: (Bucket.OTHER, ""),
    Location.TREASURY_CLEARING: (Bucket.OTHER, ""),
}


class Holding(NamedTuple):
    """Units of an issue at one location.

    `since` starts the clock of an aged place: the day of the fail, of the distribution's payment, of the
    short position, of the transmission for transfer. For a syndicate's short position it is the day on which
    the underwriter's distribution ended, None while it goes on. `is_acknowledged` is a transfer agent's
    written statement or revalidated window ticket, or a bank's written word that it has no lien.
    """

    location: Location
    units: int
    since: date | None = None
    is_acknowledged: bool = False
    is_syndicate_short: bool = False


class Rule(NamedTuple):
    """What paragraph (d) asks for at a place: from what age, and how long possession may take."""

    over_days: int | None  # acted on when older than so many calendar days; None at any age
    possession_business_days: int | None  # after the instruction; None where prompt steps are asked for
    act: str


RULES: Mapping[Bucket, Rule] = {
    Bucket.LIEN: Rule(None, 2, "instruct the release from the lien"),
    Bucket.LOANED: Rule(None, 5, "instruct the return of the loan"),
    Bucket.FAIL_TO_RECEIVE: Rule(30, None, "buy in, or take other prompt steps"),
    Bucket.DISTRIBUTION_RECEIVABLE: Rule(45, None, "buy in, or take other prompt steps"),
    Bucket.SHORT_POSITION: Rule(30, None, "take prompt steps to obtain the securities"),
}


class Instruction(NamedTuple):
    """What to do about units at one non-control location, and by when.

    `units` is what the deficit asks of this place: the smaller of both. The paragraph asks it of each place,
    not of one after the other; what is obtained at one lowers the next day's deficit.
    """

    issue: str
    location: Location
    bucket: Bucket
    units: int
    act: str
    citation: str
    instruct_by: date
    possession_by: date | None


class IssueDetermination(NamedTuple):
    """One issue at one close of business: required, in control, short of it, and what to do.

    `aged_later` are places that will ask for an act once old enough, with the first day on which they do.
    """

    issue: str
    required_units: int
    in_control_units: int
    deficit_units: int
    by_bucket: dict[Bucket, int]
    instructions: tuple[Instruction, ...]
    aged_later: tuple[tuple[Location, int, date], ...]


def determine(
    issue: str,
    required_units: int,
    holdings: Sequence[Holding],
    as_of: date,
    *,
    calendar: Calendar = POSSESSION,
) -> IssueDetermination:
    """Compare what must be held of an issue with what is in control at the close of a day.

    Raises Indeterminate when an age that decides is not known, BadInput on a negative quantity.
    Source: 17 CFR 240.15c3-3(d).
    """
    if required_units < 0 or any(h.units < 0 for h in holdings):
        raise BadInput(f"{issue}: a quantity is negative")
    placed = [(h, _bucket(issue, h, as_of)) for h in holdings]
    by_bucket: dict[Bucket, int] = {}
    for holding, bucket in placed:
        by_bucket[bucket] = by_bucket.get(bucket, 0) + holding.units
    in_control = by_bucket.get(Bucket.CONTROL, 0)
    deficit = max(required_units - in_control, 0)
    instructions: list[Instruction] = []
    later: list[tuple[Location, int, date]] = []
    for holding, bucket in placed if deficit else ():
        rule = RULES.get(bucket)
        if rule is None or not holding.units:
            continue
        acts_from = _acts_from(issue, holding, rule)
        if acts_from is not None and acts_from <= as_of:
            instructions.append(_instruction(issue, holding, bucket, rule, deficit, as_of, calendar))
        elif acts_from is not None:
            later.append((holding.location, holding.units, acts_from))
    return IssueDetermination(
        issue, required_units, in_control, deficit, by_bucket, tuple(instructions), tuple(later)
    )


def determine_by(as_of: date, calendar: Calendar = POSSESSION) -> date:
    """The day by which a close of business has to be determined: the next business day, (d)."""
    return calendar.following(as_of)


@lru_cache(maxsize=1024)
def instruct_by(as_of: date, calendar: Calendar = POSSESSION) -> date:
    """The last day for instructions: the business day after that of the determination, (d)(1) to (4)."""
    return calendar.following(as_of, 2)


@lru_cache(maxsize=1024)
def possession_by(bucket: Bucket, instructed_on: date, calendar: Calendar = POSSESSION) -> date | None:
    """The day by which units are back after an instruction; None where the rule asks for prompt steps only.

    Source: 17 CFR 240.15c3-3(d)(1).
    """
    rule = RULES.get(bucket)
    if rule is None or rule.possession_business_days is None:
        return None
    return calendar.following(instructed_on, rule.possession_business_days)


def is_determination_due(last_determined: date, as_of: date, *, is_inactive_margin: bool) -> bool:
    """Whether an account belongs to the determination as of a day.

    Every account, except that an inactive margin account may wait until a week is over. Source: (d).
    """
    return not is_inactive_margin or as_of - last_determined >= timedelta(days=7)


def count_difference_buy_in_by(counted_on: date) -> date:
    """The day by which an unresolved short difference is bought in: 45 calendar days after the count, (h)."""
    return counted_on + timedelta(days=COUNT_DIFFERENCE_DAYS)


def late_sale_close_out(settlement: date, calendar: Calendar = POSSESSION) -> date:
    """The 10th business day after settlement, past which a customer's undelivered sale is closed out, (m)."""
    return calendar.following(settlement, LATE_SALE_BUSINESS_DAYS)


class OpenInstruction(NamedTuple):
    """A required instruction with what became of it, and the market value of its units in cents."""

    instruction: Instruction
    market_value_minor: int
    instructed_on: date | None = None
    possession_on: date | None = None


class FocusControlItems(NamedTuple):
    """The two possession or control items of a FOCUS report: market value in cents, and how many.

    Item 1 (box 4586): instructed and not reduced to possession within the time of (d). Item 2 (box 4587):
    required and not instructed in time.
    """

    not_reduced_minor: int
    not_reduced_count: int
    not_instructed_minor: int
    not_instructed_count: int


def focus_control_items(
    instructions: Iterable[OpenInstruction], on: date, calendar: Calendar = POSSESSION
) -> FocusControlItems:
    """What was overdue at the close of a day: reported when the last day of a deadline has passed."""
    late: list[int] = []
    silent: list[int] = []
    for open_one in instructions:
        told = open_one.instructed_on
        if told is None or told > on:
            if on > open_one.instruction.instruct_by:
                silent.append(open_one.market_value_minor)
            continue
        due = possession_by(open_one.instruction.bucket, told, calendar)
        is_back = open_one.possession_on is not None and open_one.possession_on <= on
        if due is not None and on > due and not is_back:
            late.append(open_one.market_value_minor)
    return FocusControlItems(sum(late), len(late), sum(silent), len(silent))


def _bucket(issue: str, holding: Holding, as_of: date) -> Bucket:
    """Where a holding counts: a transfer loses control when it is old and nobody acknowledged it, (c)(3)."""
    bucket, _ = PLACES[holding.location]
    if holding.location is Location.BANK and not holding.is_acknowledged:
        return Bucket.OTHER  # without the bank's written word, (c)(5)
    if holding.location is Location.TRANSFER and not holding.is_acknowledged:
        if holding.since is None:
            raise Indeterminate(f"{issue}: the day on which {holding.units} went into transfer is missing")
        if (as_of - holding.since).days > TRANSFER_DAYS:
            return Bucket.OTHER
    return bucket


def _acts_from(issue: str, holding: Holding, rule: Rule) -> date | None:
    """The first close of business that asks for an act; None while a syndicate's distribution goes on."""
    if rule.over_days is None:
        return date.min
    if holding.since is None:
        if holding.is_syndicate_short:
            return None
        raise Indeterminate(
            f"{issue}: the age of {holding.units} units at {holding.location.value} is missing"
        )
    return holding.since + timedelta(days=rule.over_days + 1)


def _instruction(
    issue: str, holding: Holding, bucket: Bucket, rule: Rule, deficit: int, as_of: date, calendar: Calendar
) -> Instruction:
    by = instruct_by(as_of, calendar)
    return Instruction(
        issue,
        holding.location,
        bucket,
        min(deficit, holding.units),
        rule.act,
        f"17 CFR 240.15c3-3{PLACES[holding.location][1]}",
        by,
        possession_by(bucket, by, calendar),
    )
