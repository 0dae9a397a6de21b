"""What an order does once it is admitted: cross, fill by fill, each posted and margined before the next.

Owns: the rows that events are written into, open quantities, executions. Does not own: who may trade
(pipeline_kernel.py), whom an order meets (engine/market), what moves (engine/ledger).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from engine.ledger.posting_kernel import BROKEN, post_fill_side
from engine.market.books import Books
from engine.market.matching_kernel import match
from engine.risk.admission_kernel import fee_minor, is_street
from engine.risk.margin_kernel import equity, is_contract, requirement
from schemas.codes import Side

ACCEPTED, REFUSED, CANCELLED, REPLACED, EXPIRED, FILLED, POSTED, MARGINED = range(8)
SEQUENCE = 8  # behind the counts of rows: the sequence given last
IS_BROKEN = 9  # and whether a balance would have left its bounds

_BUY = int(Side.BUY)
_SELL = int(Side.SELL)


class Tables(NamedTuple):
    """The state that the pass reads and writes."""

    accounts: np.ndarray
    instruments: np.ndarray
    positions: np.ndarray
    amounts: np.ndarray
    offsets: np.ndarray
    books: Books
    touched: np.ndarray  # per account, the sweep that last touched it
    money_asset_id: int  # the currency of margin


class Events(NamedTuple):
    """Where the pass writes; `counts` holds how many rows of each, then the last sequence and the alarm."""

    accepted: np.ndarray
    refused: np.ndarray
    cancelled: np.ndarray
    replaced: np.ndarray
    expired: np.ndarray
    fills: np.ndarray
    postings: np.ndarray
    margins: np.ndarray
    trades: np.ndarray
    counts: np.ndarray


@njit(cache=True, nogil=True)
def next_row(events, kind, cause, at_ns, rows):
    """The next free row of one kind of event, its header filled in."""
    i = events.counts[kind]
    events.counts[kind] = i + 1
    events.counts[SEQUENCE] += 1
    rows[i].sequence = events.counts[SEQUENCE]
    rows[i].cause_sequence = cause
    rows[i].occurred_at_ns = at_ns
    return i


@njit(cache=True, nogil=True)
def reserve(state, account_id, instrument_id, side, price, lots):
    """Count open lots for margin; negative lots take back."""
    row = state.positions[account_id, instrument_id]
    if side == _BUY:
        row.open_buy_lots += lots
        row.open_buy_minor += lots * price * state.instruments[instrument_id].tick_value_minor
    else:
        row.open_sell_lots += lots


@njit(cache=True, nogil=True)
def tell_margin(state, events, cause, at_ns, account_id):
    """Write what the account's margin is now; the street has none."""
    if is_street(state.accounts[account_id]):
        return
    i = next_row(events, MARGINED, cause, at_ns, events.margins)
    row = events.margins[i]
    row.account_id = account_id
    row.equity_minor = equity(
        state.instruments, state.positions, state.amounts, account_id, state.money_asset_id
    )
    row.initial_margin_minor = requirement(
        state.instruments, state.positions, state.amounts, account_id, 0, 0
    )


@njit(cache=True, nogil=True)
def execute(
    state,
    events,
    trade_epoch_day,
    cause,
    at_ns,
    order_id,
    account_id,
    instrument_id,
    side,
    limit,
    lots,
):
    """Match and post until nothing more crosses. Returns what is left of the order, in lots."""
    leaves = lots
    while leaves > 0:
        sweep = events.counts[SEQUENCE]
        count, leaves = match(
            state.books, state.instruments, instrument_id, side, limit, leaves, events.trades
        )
        for t in range(count):
            _fill(
                state,
                events,
                trade_epoch_day,
                cause,
                at_ns,
                order_id,
                account_id,
                instrument_id,
                side,
                events.trades[t],
            )
        for t in range(count):
            maker_id = events.trades[t].maker_account_id
            if maker_id != account_id and state.touched[maker_id] != sweep:
                state.touched[maker_id] = sweep
                tell_margin(state, events, cause, at_ns, maker_id)
        if count < len(events.trades):
            break
    return leaves


@njit(cache=True, nogil=True)
def _fill(
    state,
    events,
    trade_epoch_day,
    cause,
    at_ns,
    order_id,
    account_id,
    instrument_id,
    side,
    trade,
):
    """Write one execution and post both of its sides."""
    instrument = state.instruments[instrument_id]
    price = trade.price_ticks
    lots = trade.quantity_lots
    maker_id = trade.maker_account_id
    notional = price * lots * instrument.tick_value_minor
    fee = np.int64(0) if is_street(state.accounts[account_id]) else fee_minor(instrument, notional)
    i = next_row(events, FILLED, cause, at_ns, events.fills)
    row = events.fills[i]
    row.fill_id = row.sequence
    row.instrument_id = instrument_id
    row.taker_side_code = side
    row.price_ticks = price
    row.quantity_lots = lots
    row.notional_minor = notional
    row.taker_fee_minor = fee
    row.taker_order_id = order_id
    row.taker_account_id = account_id
    row.maker_order_id = trade.maker_order_id
    row.maker_account_id = maker_id
    row.trade_epoch_day = trade_epoch_day
    row.settlement_epoch_day = instrument.settlement_epoch_day
    other = _SELL if side == _BUY else _BUY
    reserve(state, maker_id, instrument_id, other, price, -lots)
    _side(state, events, row, account_id, instrument, side, fee)
    _side(state, events, row, maker_id, instrument, other, np.int64(0))


@njit(cache=True, nogil=True)
def _side(state, events, fill, account_id, instrument, side, fee):
    """One account's side of an execution: into the position of a contract, or into the ledger."""
    if is_street(state.accounts[account_id]):
        return
    signed = fill.quantity_lots if side == _BUY else -fill.quantity_lots
    money = fill.notional_minor if side == _BUY else -fill.notional_minor
    position = state.positions[account_id, fill.instrument_id]
    position.day_net_lots += signed
    position.day_net_minor += money
    contract = is_contract(instrument)
    if contract:
        position.position_lots += signed
        position.cost_minor += money
    posted = events.counts[POSTED]
    count = post_fill_side(
        state.amounts,
        state.offsets,
        events.postings,
        posted,
        (events.counts[SEQUENCE] + 1 - posted, fill.cause_sequence, fill.occurred_at_ns),
        account_id,
        side,
        instrument.base_asset_id,
        0 if contract else fill.quantity_lots * instrument.lot_units,
        instrument.quote_asset_id,
        0 if contract else fill.notional_minor,
        fee,
        fill.fill_id,
        fill.settlement_epoch_day,
    )
    if count == BROKEN:
        events.counts[IS_BROKEN] = 1
        return
    events.counts[POSTED] = count
    events.counts[SEQUENCE] += count - posted
