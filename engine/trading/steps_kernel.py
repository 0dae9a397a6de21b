"""Steps that several trading commands share: expiry before all, refusals, what gives way, the margin rung.

Owns: the steps. Does not own: their order, which is each command's.
"""

import numpy as np

from engine.compiled_kernel import kernel
from engine.market.day_orders_kernel import find_client_id
from engine.market.matching_kernel import decide
from engine.market.requests import LARGEST_LOTS
from engine.market.words_kernel import NEXT_EXPIRY
from engine.memory_kernel import load
from engine.risk.admission_kernel import admit_account, admit_margin, lots_to_cut
from engine.trading.events_kernel import DECLINED, REFUSED, next_row
from engine.trading.packing_kernel import pack
from engine.trading.recording_kernel import record
from schemas.codes import MarketAction, RejectReason

_OK = int(RejectReason.NONE)
_UNKNOWN_ORDER = int(RejectReason.UNKNOWN_ORDER)
_A_EXPIRE = int(MarketAction.EXPIRE)
_A_CUT = int(MarketAction.CUT_REDUCE_ONLY)


@kernel
def refuse_order(events, command_type, at, account_id, client_order_id, instrument_id, reason):
    """Refuse a command of one order. `at` is its sequence and instant."""
    i = next_row(events, REFUSED, at[0], at[1], events.refused)
    row = events.refused[i]
    row.command_type = command_type
    row.account_id = account_id
    row.client_order_id = client_order_id
    row.instrument_id = instrument_id
    row.reject_reason_code = reason


@kernel
def decline(events, command_type, at, reason):
    """Refuse a command that is not of one order."""
    i = next_row(events, DECLINED, at[0], at[1], events.declined)
    events.declined[i].command_type = command_type
    events.declined[i].reject_reason_code = reason


@kernel
def expire(state, packed, now, events, trade_epoch_day):
    """End what was good till now, before anything of this instant is decided. `now`: (sequence, instant)."""
    if now[1] >= load(state.books, NEXT_EXPIRY):
        pack(packed, _A_EXPIRE, 0, 0, 0, 0, 0, 0, now[1], 0, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, now[0], now[1])


@kernel
def admit_known(state, account_id, client_order_id):
    """The position of an order that lives, or the reason why there is none."""
    reason = admit_account(state.accounts, account_id)
    if reason != _OK:
        return reason, 0
    at = find_client_id(state.day, account_id, client_order_id)
    if at == 0 or state.day.rows[at].open_lots == 0:
        return _UNKNOWN_ORDER, 0
    return _OK, at


@kernel
def margin_reason(state, account_id, instrument_id, side, limit, lots, more):
    """The rungs of margin for an order, by the tables of the state."""
    return admit_margin(
        state.risk, state.accounts, state.instruments, state.positions, state.amounts, state.fees, account_id,
        instrument_id, side, limit, lots, more,
    )  # fmt: skip


@kernel
def due_cut_lots(state, account_id, instrument_id, side, lots):
    """What the account's reduce-only orders of a side must give up when `lots` more are ordered on it."""
    if lots <= 0:
        return np.int64(0)
    return lots_to_cut(
        state.instruments, state.positions, state.amounts, account_id, instrument_id, side, lots
    )


@kernel
def cut_reduce_only(state, packed, now, account_id, instrument_id, side, lots, events, trade_epoch_day):
    """Shrink the account's reduce-only orders that `lots` more on their side leave nothing to reduce.

    What one leg of two gave up the other one reserves: where that leaves too much, all of them go.
    """
    cut = due_cut_lots(state, account_id, instrument_id, side, lots)
    for _ in range(2):
        if cut == 0:
            return
        pack(packed, _A_CUT, side, instrument_id, 0, 0, cut, account_id, now[1], 0, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, now[0], now[1])
        cut = due_cut_lots(state, account_id, instrument_id, side, lots)
        cut = LARGEST_LOTS if cut > 0 else cut
