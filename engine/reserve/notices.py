"""Notices to regulators: what each must say, to whom, by when; and those of a deposit that was missed.

Owns the notice and the missed deposit. Does not own what makes net capital notices due (`net_capital.py`), or
the sending.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from engine.errors import BadInput
from engine.reserve.terms import Formula


class Recipient(StrEnum):
    """Who is notified."""

    SEC_HEADQUARTERS = "principal office of the Commission, Washington, DC"
    SEC_REGION = "regional office of the Commission"
    EXAMINING_AUTHORITY = "designated examining authority"
    CFTC = "Commodity Futures Trading Commission"


class Notice(NamedTuple):
    """One duty to notify: the event, what is told, to whom, by when, and its paragraph.

    Notices at once are due at the instant that made them due. `paragraph` is of 17 CFR 240.17a-11 unless it
    names its section. The Commission takes one message in place of those to headquarters and region.
    """

    event: str
    told: str
    recipients: tuple[Recipient, ...]
    due_at: datetime
    paragraph: str

    @property
    def citation(self) -> str:
        """The paragraph with its section."""
        return self.paragraph if "240." in self.paragraph else f"17 CFR 240.17a-11{self.paragraph}"


def capital_recipients(is_futures_merchant: bool) -> tuple[Recipient, ...]:
    """Who gets a notice of 17a-11. Source: 17 CFR 240.17a-11(h)."""
    everybody = (Recipient.SEC_HEADQUARTERS, Recipient.SEC_REGION, Recipient.EXAMINING_AUTHORITY)
    return (*everybody, Recipient.CFTC) if is_futures_merchant else everybody


class DepositMade(NamedTuple):
    """An amount that came to count in the reserve account, in cents, and when."""

    at: datetime
    amount_minor: int


class Deficiency(StrEnum):
    """Why a deposit was missing, in the words of the trade; the duty to notify is the same."""

    NOT_MADE = "not made"  # computed, and not deposited in time
    HINDSIGHT = "hindsight"  # a restated computation asks for more than was deposited


class MissedDeposit(NamedTuple):
    """What was missing when the deadline passed, why, and the notices that follow."""

    missing_minor: int
    deficiency: Deficiency
    notices: tuple[Notice, ...]


def missed_deposit(
    formula: Formula,
    required_minor: int,
    deposits: Iterable[DepositMade],
    deadline: datetime,
    now: datetime,
    *,
    first_required_minor: int | None = None,
) -> MissedDeposit | None:
    """What of a required deposit was missing at its deadline; None before it, and when all was there.

    A deposit after the deadline heals the account, not the failure. `first_required_minor` is what the
    computation first asked for: when that was there in time, the deficiency showed only in hindsight, and its
    notice is due from now. To the Commission and the examining authority: notice immediately, promptly
    confirmed in writing. Source: 17 CFR 240.15c3-3(i).
    """
    if deadline.tzinfo is None or now.tzinfo is None:
        raise BadInput("deadline and present instant name their time zones")
    if now <= deadline:
        return None
    in_time = sum(d.amount_minor for d in deposits if d.at <= deadline)
    missing = required_minor - in_time
    if missing <= 0:
        return None
    is_hindsight = first_required_minor is not None and first_required_minor <= in_time
    deficiency = Deficiency.HINDSIGHT if is_hindsight else Deficiency.NOT_MADE
    due = now if is_hindsight else deadline
    to = (Recipient.SEC_HEADQUARTERS, Recipient.EXAMINING_AUTHORITY)
    told = f"{missing} of {required_minor} cents of the {formula.value} reserve deposit missing at {deadline}"
    rule = "17 CFR 240.15c3-3(i)"
    return MissedDeposit(
        missing,
        deficiency,
        (
            Notice("reserve deposit not made", told, to, due, rule),
            Notice("written confirmation of the notice", told, to, due, rule),
        ),
    )
