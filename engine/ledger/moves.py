"""A move: so much of an asset from one ledger account to another, and why. What postings are made of.

Owns the words. Does not own which event moves what (`postings.py` and its neighbours).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import AssetClass, PostingReason
from schemas.codes import LedgerAccountKind as Kind

if TYPE_CHECKING:
    from engine.state import State


class Party(NamedTuple):
    """A ledger account: which of the chart, and whose."""

    kind: Kind
    party_id: int = 0


NOSTRO = Party(Kind.NOSTRO)
CUSTODY = Party(Kind.CUSTODY)
FIRM_CAPITAL = Party(Kind.FIRM_CAPITAL)


class Move(NamedTuple):
    """One posting to be, but for its value date."""

    reason: PostingReason
    asset_id: int
    units: int
    debit: Party
    credit: Party
    reference_id: int


Moves = Iterator[Move]


def place_of(state: State, asset_id: int) -> Party:
    """Where the firm keeps an asset: currencies at its bank, all else in custody."""
    is_money = state.assets[asset_id].asset_class_code == AssetClass.CURRENCY
    return NOSTRO if is_money else CUSTODY
