"""An order that lives is cancelled or replaced; what would stand must pass as a new order would.

Owns: what a change is admitted by. Does not own: a rung (admission_kernel.py), matching (engine/market).
"""

import numpy as np

from engine.compiled_kernel import kernel
from engine.market.matching_kernel import decide
from engine.market.order_id_kernel import find_order
from engine.market.order_kernel import is_on_book, order_at
from engine.market.placing_kernel import _reason_against_replacing, is_priced
from engine.market.running_kernel import price_that_rests
from engine.market.words_kernel import IDS, ORDERS
from engine.memory_kernel import load
from engine.risk.admission_kernel import (
    admit_instrument,
    admit_rate,
    admit_size,
    is_in_window,
    reducible_lots,
)
from engine.risk.fee_kernel import lot_cost_minor
from engine.risk.loss_kernel import lot_loss_minor
from engine.risk.margin_kernel import is_cash_account
from engine.trading.events_kernel import CANCEL, REPLACE
from engine.trading.packing_kernel import pack, pack_replace
from engine.trading.recording_kernel import record, tell_margins
from engine.trading.reserving_kernel import due_lots, position_of, reserve, reserve_loss
from engine.trading.steps_kernel import (
    admit_known,
    cut_reduce_only,
    due_cut_lots,
    expire,
    margin_reason,
    refuse_order,
)
from schemas.codes import AccountStatus, MarketAction, OrderType, PostOnly, RejectReason, Side

_BUY = int(Side.BUY)
_LIMIT = int(OrderType.LIMIT)
_STOP = int(OrderType.STOP)
_REPRICE = int(PostOnly.REPRICE)
_RESTRICTED = int(AccountStatus.RESTRICTED)
_OK = int(RejectReason.NONE)
_UNKNOWN_CODE = int(RejectReason.UNKNOWN_CODE)
_BAD_PRICE = int(RejectReason.BAD_PRICE)
_WOULD_TAKE = int(RejectReason.WOULD_TAKE)
_BAD_LINK = int(RejectReason.BAD_LINK)
_WOULD_INCREASE = int(RejectReason.WOULD_INCREASE)
_A_CANCEL = int(MarketAction.CANCEL)


@kernel
def cancel(state, packed, c, events, trade_epoch_day):
    """Cancel one order."""
    now = (c.sequence, c.received_at_ns)
    expire(state, packed, now, events, trade_epoch_day)
    reason, at = admit_known(state, c.account_id, c.client_order_id)
    if reason == _OK:
        order_id = state.day.rows[at].order_id
        pack(packed, _A_CANCEL, 0, 0, order_id, 0, 0, c.account_id, c.received_at_ns, at, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    else:
        refuse_order(events, CANCEL, now, c.account_id, c.client_order_id, 0, reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


@kernel
def replace(state, packed, c, events, trade_epoch_day):
    """Replace one order: another price, more or fewer lots."""
    now = (c.sequence, c.received_at_ns)
    expire(state, packed, now, events, trade_epoch_day)
    reason, at = admit_known(state, c.account_id, c.client_order_id)
    order = state.day.rows[at]
    instrument_id = order.instrument_id if at != 0 else 0
    more = np.int64(0)
    if reason == _OK and (c.post_only_code < 0 or c.post_only_code > _REPRICE):
        reason = _UNKNOWN_CODE
    # A pure reduction takes no risk on, so it is never refused for want of margin or of an open market.
    if reason == _OK and not (c.price_ticks == order.price_ticks and 0 < c.quantity_lots <= order.open_lots):
        reason, more = _admit_replace(state, c, at)
    if reason == _OK:
        pack_replace(state, packed, c, at)
        if order.is_reduce_only == 0 and (
            due_cut_lots(state, c.account_id, instrument_id, order.side_code, more) > 0
        ):
            reason = _reason_against_growing(state, packed, at)
            if reason == _OK:
                cut_reduce_only(
                    state, packed, now, c.account_id, instrument_id, order.side_code, more, events,
                    trade_epoch_day,
                )  # fmt: skip
                pack_replace(state, packed, c, at)
    if reason == _OK:
        decide(state.books, packed)
        reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        refuse_order(events, REPLACE, now, c.account_id, c.client_order_id, instrument_id, reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


@kernel
def _admit_replace(state, c, at):
    """The ladder for a change: the order as it would stand must pass as a new one would.

    Returns the reason, and the lots that the change adds to what the account has at risk.
    """
    order = state.day.rows[at]
    none, lots, kind = np.int64(0), c.quantity_lots, order.order_type_code
    reason = admit_instrument(state.instruments, order.instrument_id)
    if reason != _OK:
        return reason, none
    account, instrument = state.accounts[c.account_id], state.instruments[order.instrument_id]
    limit = c.price_ticks if is_priced(kind) else order.reserve_ticks
    stop = c.price_ticks if kind == _STOP else limit
    reason = admit_size(account, instrument, limit, stop, lots, state.window_count, kind == _LIMIT)
    if reason == _OK and (stop > limit if order.side_code == _BUY else stop < limit):
        reason = _BAD_PRICE  # its protection stays where it was, and a stop beyond it could never trade
    if reason == _OK:
        reason = admit_rate(state.accounts, c.account_id, c.received_at_ns)
    if reason == _OK and c.post_only_code == _REPRICE:
        limit = price_that_rests(state.books, order.instrument_id, order.side_code, limit)
        reason = _OK if is_in_window(instrument, limit, state.window_count) else _WOULD_TAKE
    if reason != _OK:
        return reason, none
    return _admit_larger(state, c.account_id, at, limit, lots)


@kernel
def _admit_larger(state, account_id, at, limit, lots):
    """Rungs 4xx for an order as it would stand. Returns as `_admit_replace` does."""
    order = state.day.rows[at]
    none = np.int64(0)
    partner_at = position_of(state, order.partner_order_id) if order.partner_order_id != 0 else 0
    if order.is_waiting != 0:
        if lots > order.open_lots:
            return _BAD_LINK, none  # it may not outgrow its entry
        return _admit_waiting(state, account_id, at, limit, lots), none
    partner = state.day.rows[partner_at]
    gives_way = order.is_second_leg != 0 and partner_at != 0 and partner.is_reduce_only > order.is_reduce_only
    if gives_way and lots > partner.open_lots:
        return _BAD_LINK, none
    open_lots, reserved = order.open_lots, order.reserved_lots
    # At another price alone an order asks what it asked: where there is enough, nothing is taken off for it.
    if lots == open_lots == reserved and partner_at == 0 and _may_only_move(state, account_id, order):
        reason = margin_reason(state, account_id, order.instrument_id, order.side_code, limit, lots, none)
        if reason == _OK:
            return _OK, none
    loss = order.loss_minor
    reserve_loss(state, at, none)
    reserve(state, at, -reserved)
    order.open_lots = lots
    more = due_lots(state, at)
    if partner_at != 0:
        more += due_lots(state, partner_at) - state.day.rows[partner_at].reserved_lots
    order.open_lots = open_lots
    if order.is_reduce_only != 0 and more > reducible_lots(
        state.instruments, state.positions, state.amounts, account_id, order.instrument_id, order.side_code
    ):
        reason = _WOULD_INCREASE
    else:
        reason = margin_reason(
            state, account_id, order.instrument_id, order.side_code, limit, lots, more
        )  # fmt: skip
    reserve(state, at, reserved)
    reserve_loss(state, at, loss)
    return reason, more - reserved


@kernel
def _admit_waiting(state, account_id, at, limit, lots):
    """Rungs 4xx for an exit as it would stand: its lots are its entry's, what it may lose is its own."""
    order = state.day.rows[at]
    account, instrument = state.accounts[account_id], state.instruments[order.instrument_id]
    lot_minor = lot_cost_minor(state.fees, account, instrument, limit)
    loss, none = order.loss_minor, np.int64(0)
    if (
        order.is_reduce_only != 0
        or lots * lot_loss_minor(instrument, order.side_code, limit, lot_minor) <= loss
    ):
        return _OK
    reserve_loss(state, at, none)
    reason = margin_reason(state, account_id, order.instrument_id, order.side_code, limit, lots, none)
    reserve_loss(state, at, loss)
    return reason


@kernel
def _may_only_move(state, account_id, order):
    """Whether nothing but margin stands against an order at another price."""
    account = state.accounts[account_id]
    is_free = account.account_status_code != _RESTRICTED and order.is_reduce_only == 0
    return is_free and not is_cash_account(account)


@kernel
def _reason_against_growing(state, packed, at):
    """What matching would say to a change that is no reduction."""
    order = state.day.rows[at]
    row = find_order(state.books, load(state.books, IDS), load(state.books, ORDERS), order.order_id)
    is_waiting = not is_on_book(order_at(state.books, row))
    return _reason_against_replacing(
        state.books, packed, load(packed, 0), row, order.instrument_id, is_waiting, False
    )
