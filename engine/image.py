"""The state as a snapshot keeps it, and back. What is kept must hash to what was hashed when it was taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.market.day_orders import ids_after, restore_orders
from engine.state import State
from schemas.derive.layout import row_tuple
from schemas.market import AssetRegistered, EngineConfigured
from schemas.record import record_of

IDS = "day_ids"
_ROWS = ("accounts", "instruments", "positions", "fees", "instrument_risks", "account_margins")
_SCALARS = (
    "money_asset_id",
    "business_epoch_day",
    "next_epoch_day",
    "second_epoch_day",
    "sequence",
    "clock_ns",
)
_SLOW = ("payments", "segregation", "open_items", "settlement", "incidents", "risk")


def arrays_of(state: State) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a state; queues of the books in order of time."""
    return {**arrays_but_ids(state), IDS: ids_after(state.day, 0)}


def arrays_but_ids(state: State) -> dict[str, npt.NDArray[Any]]:
    """All but the ids used today, which are many and stay as they are."""
    orders = state.books.orders()
    positions = np.sort(orders["client_order_id"])
    return {
        **_used(state),
        "orders": orders,
        "phases": state.books.phases(),
        "tick_tables": state.books.tick_tables,
        "is_stopped": np.array([int(state.books.is_stopped)]),
        "day_positions": positions,
        "day_orders": state.day.rows[positions],
    }


def _used(state: State) -> dict[str, npt.NDArray[Any]]:
    """The rows and columns that an account, an instrument or an asset was opened for; all others are zero."""
    accounts, instruments, assets = state.used_counts()
    return {
        "accounts": state.accounts[:accounts],
        "instruments": state.instruments[:instruments],
        "positions": state.positions[:accounts, :instruments],
        "fees": state.fees[:, :instruments],
        "instrument_risks": state.instrument_risks[:instruments],
        "account_margins": state.account_margins[:accounts],
        "amounts": state.balances.amounts[:, :assets],
    }


def text_of(state: State) -> bytes:
    """Everything else of a state, as JSON."""
    parts = {
        "capacity": row_tuple(state.capacity),
        "assets": [row_tuple(state.assets[a]) for a in sorted(state.assets)],
        "scalars": {name: getattr(state, name) for name in _SCALARS},
        **{name: getattr(state, name).dump() for name in _SLOW},
    }
    return json.dumps(parts, separators=(",", ":")).encode()


def state_of(arrays: Mapping[str, npt.NDArray[Any]], text: bytes, state_hash: bytes) -> State:
    """The state that was kept. Raises InvariantBroken when it does not hash to `state_hash`."""
    parts = json.loads(text)
    state = State.of(_declared(EngineConfigured, parts["capacity"]))
    for name, whole in (*((n, getattr(state, n)) for n in _ROWS), ("amounts", state.balances.amounts)):
        used = arrays[name]
        whole[tuple(slice(length) for length in used.shape)] = used
    np.copyto(state.books.tick_tables, arrays["tick_tables"])
    state.books.restore(arrays["orders"], arrays["phases"], is_stopped=bool(arrays["is_stopped"][0]))
    restore_orders(state.day, arrays[IDS], arrays["day_positions"], arrays["day_orders"])
    for values in parts["assets"]:
        asset = _declared(AssetRegistered, values)
        state.assets[asset.asset_id] = asset
    for name, value in parts["scalars"].items():
        setattr(state, name, value)
    for name in _SLOW:
        setattr(state, name, type(getattr(state, name)).load(parts[name]))
    state.tables.load()
    if state.hash() != state_hash:
        raise InvariantBroken("the snapshot does not hash to what it was taken from")
    return state


def _declared(cls: type, values: list[int]) -> Any:
    names = [c.name for c in record_of(cls).columns]
    return cls(**dict(zip(names, values, strict=True)))
