"""What may go back of securities against money.

Owns the one rule of all of them: parts as agreed, but securities and money end together.
"""

from __future__ import annotations

from engine.ledger.open_items import OpenItem
from schemas.codes import RejectReason


def why_not_return(item: OpenItem | None, units: int, money_units: int) -> RejectReason:
    """NONE, or why so many securities and so much money cannot go back. Either may be zero, not both."""
    if item is None:
        return RejectReason.UNKNOWN_REFERENCE
    if item.is_closed:
        return RejectReason.WRONG_STATE
    left, left_money = item.open_units - units, item.open_money_units - money_units
    if units < 0 or money_units < 0 or units + money_units == 0 or left < 0 or left_money < 0:
        return RejectReason.BAD_AMOUNT
    return RejectReason.NONE if (left == 0) == (left_money == 0) else RejectReason.MISMATCH
