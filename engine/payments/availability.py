"""What the firm has at hand, and since when something may be open: the checks that several packages share.

Owns the checks. Does not own the balances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ledger.moves import place_of
from schemas.codes import LedgerAccountKind, RejectReason

if TYPE_CHECKING:
    from engine.state import State


def lacks(state: State, asset_id: int, units: int) -> RejectReason:
    """NONE, or what is missing when so much of a known asset is to leave the firm's bank or custody."""
    place = place_of(state, asset_id)
    if units <= state.balances.balance(place.kind, place.party_id, asset_id):
        return RejectReason.NONE
    is_money = place.kind is LedgerAccountKind.NOSTRO
    return RejectReason.INSUFFICIENT_CASH if is_money else RejectReason.INSUFFICIENT_SECURITIES


def since(state: State, asked_epoch_day: int) -> int:
    """The day asked for; today where none was."""
    return asked_epoch_day or state.business_epoch_day


def why_not_since(state: State, asked_epoch_day: int) -> RejectReason:
    """NONE, or why nothing can be open since then: there is no today yet, or the day lies after it."""
    if state.business_epoch_day == 0:
        return RejectReason.NOT_CONFIGURED
    is_later = asked_epoch_day > state.business_epoch_day
    return RejectReason.BAD_DECLARATION if is_later else RejectReason.NONE
