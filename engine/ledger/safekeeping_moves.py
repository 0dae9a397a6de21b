"""Which money and securities move when something lies elsewhere, is unexplained or is receivable.

Owns the moves of those events. Does not own what of a position is still open: see `open_items.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.ledger.moves import CUSTODY, Move, Moves, Party, place_of
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import PostingReason, SuspenseSide
from schemas.headers import Event
from schemas.safekeeping import (
    CountDifferenceFound,
    CountDifferenceResolved,
    DistributionCredited,
    DistributionDeclared,
    DistributionReceived,
    SuspenseCleared,
    SuspenseOpened,
    TransferCompleted,
    TransferSent,
)

if TYPE_CHECKING:
    from engine.state import State

SUSPENSE = Party(Kind.SUSPENSE)
SUSPENSE_SHORT = Party(Kind.SUSPENSE_SHORT)
IN_TRANSFER = Party(Kind.IN_TRANSFER)
COUNT_DIFFERENCE = Party(Kind.COUNT_DIFFERENCE)
DISTRIBUTION_RECEIVABLE = Party(Kind.DISTRIBUTION_RECEIVABLE)


def _transfer_sent(_: State, e: TransferSent) -> Moves:
    yield Move(PostingReason.TRANSFER, e.asset_id, e.transfer_units, IN_TRANSFER, CUSTODY, e.item_id)


def _transfer_completed(state: State, e: TransferCompleted) -> Moves:
    asset_id = state.open_items.opening(e.item_id, TransferSent).asset_id
    reason = PostingReason.TRANSFER_COMPLETED
    yield Move(reason, asset_id, e.returned_units, CUSTODY, IN_TRANSFER, e.item_id)


def _suspense(state: State, e: SuspenseOpened) -> Moves:
    place, reason = place_of(state, e.asset_id), PostingReason.SUSPENSE
    is_long = e.suspense_side_code == SuspenseSide.LONG
    debit, credit = (place, SUSPENSE) if is_long else (SUSPENSE_SHORT, place)
    yield Move(reason, e.asset_id, e.suspense_units, debit, credit, e.item_id)


def _suspense_cleared(state: State, e: SuspenseCleared) -> Moves:
    told = state.open_items.opening(e.item_id, SuspenseOpened)
    place, reason = place_of(state, told.asset_id), PostingReason.SUSPENSE_CLEARED
    whose = Party(Kind.CLIENT, e.account_id) if e.account_id else place
    is_long = told.suspense_side_code == SuspenseSide.LONG
    debit, credit = (SUSPENSE, whose) if is_long else (whose, SUSPENSE_SHORT)
    yield Move(reason, told.asset_id, e.cleared_units, debit, credit, e.item_id)


def _count_difference(_: State, e: CountDifferenceFound) -> Moves:
    reason = PostingReason.COUNT_DIFFERENCE
    yield Move(reason, e.asset_id, e.missing_units, COUNT_DIFFERENCE, CUSTODY, e.item_id)


def _count_resolved(state: State, e: CountDifferenceResolved) -> Moves:
    asset_id = state.open_items.opening(e.item_id, CountDifferenceFound).asset_id
    reason = PostingReason.COUNT_RESOLVED
    yield Move(reason, asset_id, e.found_units, CUSTODY, COUNT_DIFFERENCE, e.item_id)


def _distribution(state: State, e: DistributionCredited) -> Moves:
    asset_id = state.open_items.opening(e.item_id, DistributionDeclared).distributed_asset_id
    client, units = Party(Kind.CLIENT, e.account_id), abs(e.credited_units)
    is_owed = e.credited_units > 0
    debit, credit = (DISTRIBUTION_RECEIVABLE, client) if is_owed else (client, DISTRIBUTION_RECEIVABLE)
    yield Move(PostingReason.DISTRIBUTION, asset_id, units, debit, credit, e.item_id)


def _distribution_received(state: State, e: DistributionReceived) -> Moves:
    asset_id = state.open_items.opening(e.item_id, DistributionDeclared).distributed_asset_id
    place, reason = place_of(state, asset_id), PostingReason.DISTRIBUTION_RECEIVED
    yield Move(reason, asset_id, e.received_units, place, DISTRIBUTION_RECEIVABLE, e.item_id)


SAFEKEEPING_MOVES: dict[type[Event], Callable[[Any, Any], Moves]] = {
    TransferSent: _transfer_sent,
    TransferCompleted: _transfer_completed,
    SuspenseOpened: _suspense,
    SuspenseCleared: _suspense_cleared,
    CountDifferenceFound: _count_difference,
    CountDifferenceResolved: _count_resolved,
    DistributionCredited: _distribution,
    DistributionReceived: _distribution_received,
}
