"""Room in 64 bits: how much of an asset the book can hold so that no value of it can overflow.

The compiled pass multiplies lots, ticks and basis points without looking; what could overflow there is
refused here, where it comes in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ledger.chart import LOCATION_KINDS

if TYPE_CHECKING:
    from engine.state import State

LARGEST_VALUE = 1 << 49  # minor units; times 10,000 basis points it is still below 2**63
LARGEST_LOT_MINOR = (1 << 51) // 1_000  # so that its profit in millicents fits a word in every scenario
LARGEST_HOLDING = 1 << 60  # smallest units of one asset over the whole book


def held_units(state: State, asset_id: int) -> int:
    """An upper bound of what the book holds of an asset, wherever it is."""
    rows = (state.balances.rows_of(kind)[:, asset_id] for kind in LOCATION_KINDS)
    return sum(int(abs(amounts).sum()) for amounts in rows)


def has_room(state: State, asset_id: int, units: int) -> bool:
    """Whether `units` more of an asset can come in."""
    held = held_units(state, asset_id) + units
    if held > LARGEST_HOLDING or (asset_id == state.money_asset_id and held > LARGEST_VALUE):
        return False
    listed = state.instruments[state.instruments["base_asset_id"] == asset_id]
    return all(
        is_worth_room(
            held,
            int(row["lot_units"]),
            int(row["window_floor_ticks"]) + state.capacity.window_count,
            int(row["tick_value_minor"]),
        )
        for row in listed
    )


def is_worth_room(units: int, lot_units: int, highest_ticks: int, tick_value_minor: int) -> bool:
    """Whether so many units stay within bounds at the highest price that a book can hold."""
    return (units // lot_units + 1) * highest_ticks * tick_value_minor <= LARGEST_VALUE
