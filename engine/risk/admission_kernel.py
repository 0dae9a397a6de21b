"""The admission ladder: one rung a reason, in the order of the reject codes; the first no is the answer.

Compiled, called on every trading command by the one pass. Nothing is changed but the rate counter.
Source: 17 CFR 240.15c3-5(c) (limits before entry), 240.15c3-5(c)(1)(ii) (price, size and duplicates).
"""

import numpy as np

from engine.compiled_kernel import kernel
from engine.risk.account_kernel import held_lots, is_contract
from engine.risk.fee_kernel import lot_cost_minor
from engine.risk.loss_kernel import is_street, lot_loss_minor
from engine.risk.margin_kernel import can_carry, equity, is_cash_account, open_bids_minor
from schemas.codes import (
    AccountStatus,
    InstrumentState,
    OrderLink,
    OrderType,
    PostOnly,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

_BUY, _SELL = int(Side.BUY), int(Side.SELL)
_LIMIT, _MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
_STOP, _STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_TRAILING, _LAST_TYPE = int(OrderType.TRAILING_STOP), int(max(OrderType))
_DAY, _LAST_LIFE = int(TimeInForce.DAY), int(max(TimeInForce))
_LAST_POST_ONLY, _LAST_LINK = int(max(PostOnly)), int(max(OrderLink))
_LAST_SELF_TRADE = int(max(SelfTradePrevention))
_ACTIVE, _RESTRICTED = int(AccountStatus.ACTIVE), int(AccountStatus.RESTRICTED)
_SUSPENDED = int(AccountStatus.SUSPENDED)
_HALTED, _SHUT = int(InstrumentState.HALTED), int(InstrumentState.CLOSED)
_BPS = 10_000
_SECOND = 1_000_000_000

_OK = int(RejectReason.NONE)
_UNKNOWN_ACCOUNT = int(RejectReason.UNKNOWN_ACCOUNT)
_ACCOUNT_RESTRICTED = int(RejectReason.ACCOUNT_RESTRICTED)
_ACCOUNT_SUSPENDED = int(RejectReason.ACCOUNT_SUSPENDED)
_ACCOUNT_CLOSED = int(RejectReason.ACCOUNT_CLOSED)
_UNKNOWN_INSTRUMENT = int(RejectReason.UNKNOWN_INSTRUMENT)
_INSTRUMENT_HALTED = int(RejectReason.INSTRUMENT_HALTED)
_INSTRUMENT_CLOSED = int(RejectReason.INSTRUMENT_CLOSED)
_UNKNOWN_CODE = int(RejectReason.UNKNOWN_CODE)
_BAD_QUANTITY = int(RejectReason.BAD_QUANTITY)
_BAD_PRICE = int(RejectReason.BAD_PRICE)
_PRICE_OUTSIDE_COLLAR = int(RejectReason.PRICE_OUTSIDE_COLLAR)
_ORDER_TOO_LARGE = int(RejectReason.ORDER_TOO_LARGE)
_NOTIONAL_TOO_LARGE = int(RejectReason.NOTIONAL_TOO_LARGE)
_RATE_EXCEEDED = int(RejectReason.RATE_EXCEEDED)
_INSUFFICIENT_MARGIN = int(RejectReason.INSUFFICIENT_MARGIN)
_INSUFFICIENT_CASH = int(RejectReason.INSUFFICIENT_CASH)
_INSUFFICIENT_SECURITIES = int(RejectReason.INSUFFICIENT_SECURITIES)
_NOT_CONFIGURED = int(RejectReason.NOT_CONFIGURED)


@kernel
def admit_account(accounts, account_id):
    """Rungs 1xx for any trading command; a restricted account is looked at by the order itself."""
    if account_id < 1 or account_id >= len(accounts) or accounts[account_id].account_id == 0:
        return _UNKNOWN_ACCOUNT
    status = accounts[account_id].account_status_code
    if status == _SUSPENDED:
        return _ACCOUNT_SUSPENDED
    if status != _ACTIVE and status != _RESTRICTED:
        return _ACCOUNT_CLOSED
    return _OK


@kernel
def admit_instrument(instruments, instrument_id):
    """Rungs 2xx."""
    if (
        instrument_id < 1
        or instrument_id >= len(instruments)
        or instruments[instrument_id].instrument_id == 0
    ):
        return _UNKNOWN_INSTRUMENT
    state = instruments[instrument_id].instrument_state_code
    if state == _HALTED:
        return _INSTRUMENT_HALTED
    if state == _SHUT:
        return _INSTRUMENT_CLOSED
    if instruments[instrument_id].mark_ticks == 0:
        return _NOT_CONFIGURED
    return _OK


@kernel
def admit_codes(side, order_type, time_in_force, post_only, self_trade, link):
    """Rung 301: every code is one that we know. Whether they make sense together, matching says."""
    if side != _BUY and side != _SELL:
        return _UNKNOWN_CODE
    if order_type < _LIMIT or order_type > _LAST_TYPE:
        return _UNKNOWN_CODE
    if time_in_force < _DAY or time_in_force > _LAST_LIFE:
        return _UNKNOWN_CODE
    if post_only < 0 or post_only > _LAST_POST_ONLY or link < 0 or link > _LAST_LINK:
        return _UNKNOWN_CODE
    if self_trade < 0 or self_trade > _LAST_SELF_TRADE:
        return _UNKNOWN_CODE
    return _OK


@kernel
def limit_of(instrument, side, order_type, price_ticks, stop_ticks, trail_ticks, window):
    """The worst price the order may trade at: its limit, or the edge of the collar.

    The collar lies around the mark, of a stop order around its stop. What is not sound is left to the rungs
    that follow: an order that has no limit, and is given one, has none that is sound.
    """
    if order_type == _LIMIT or order_type > _TRAILING or order_type == _STOP_LIMIT:
        return price_ticks
    if price_ticks != 0:
        return np.int64(0)
    lowest = max(instrument.window_floor_ticks, np.int64(1))
    highest = instrument.window_floor_ticks + window - 1
    middle = instrument.mark_ticks
    if order_type == _STOP:
        middle = max(min(stop_ticks, highest), lowest)
    if order_type == _TRAILING:
        trail = max(min(trail_ticks, highest), 0)
        middle = min(middle + trail, highest) if side == _BUY else max(middle - trail, lowest)
    reach = middle * instrument.collar_bps // _BPS
    if side == _BUY:
        return min(middle + reach, highest)
    return max(middle - reach, lowest)


@kernel
def is_in_window(instrument, ticks, window):
    """Whether an order may have this price, so that no product of it can overflow."""
    return ticks >= 1 and 0 <= ticks - instrument.window_floor_ticks < window


@kernel
def admit_size(account, instrument, limit_ticks, stop_ticks, lots, window, has_collar):
    """Rungs 302 to 306. The instrument's bounds were checked at listing, so no product can overflow.

    A stop lies where a limit may. An order that may trade at once keeps to the collar; a stop waits.
    """
    if lots < 1:
        return _BAD_QUANTITY
    if not is_in_window(instrument, limit_ticks, window) or not is_in_window(instrument, stop_ticks, window):
        return _BAD_PRICE
    away = abs(limit_ticks - instrument.mark_ticks)
    if has_collar and away * _BPS > instrument.collar_bps * instrument.mark_ticks:
        return _PRICE_OUTSIDE_COLLAR
    if lots > instrument.max_order_lots:
        return _ORDER_TOO_LARGE
    if limit_ticks * lots * instrument.tick_value_minor > account.max_notional_minor:
        return _NOTIONAL_TOO_LARGE
    return _OK


@kernel
def admit_rate(accounts, account_id, received_at_ns):
    """Rung 308: count the command in its second."""
    account = accounts[account_id]
    if account.rate_count == 0:
        return _OK
    second = received_at_ns // _SECOND
    if accounts[account_id].rate_second_count != second:
        accounts[account_id].rate_second_count = second
        accounts[account_id].rate_used_count = 0
    accounts[account_id].rate_used_count += 1
    if accounts[account_id].rate_used_count > account.rate_count:
        return _RATE_EXCEEDED
    return _OK


@kernel
def reducible_lots(instruments, positions, amounts, account_id, instrument_id, side):
    """Lots of the position that no open order of this side is about to take away."""
    row = positions[account_id, instrument_id]
    held = held_lots(instruments, positions, amounts, account_id, instrument_id)
    return max(-held - row.open_buy_lots if side == _BUY else held - row.open_sell_lots, 0)


@kernel
def lots_to_cut(instruments, positions, amounts, account_id, instrument_id, side, lots):
    """What the account's reduce-only orders of a side must give up when `lots` more are ordered on it."""
    row = positions[account_id, instrument_id]
    only = row.reduce_buy_lots if side == _BUY else row.reduce_sell_lots
    if only == 0:
        return np.int64(0)
    held = held_lots(instruments, positions, amounts, account_id, instrument_id)
    free = max(-held if side == _BUY else held, 0)
    open_lots = row.open_buy_lots if side == _BUY else row.open_sell_lots
    return max(min(open_lots + lots - free, only), 0)


@kernel
def admit_margin(
    risk, accounts, instruments, positions, amounts, fees, account_id, instrument_id, side, limit_ticks,
    lots, more_lots,
):  # fmt: skip
    """Rungs 102 and 4xx: what the account must have before the order may stand.

    `more_lots` are those that no other order stands in for: less than `lots` for the second leg of two.
    Restricted accounts may only reduce. What is delivered is sold only by those who have it, for the firm
    borrows no securities. Cash accounts pay in full; all others must keep equity at or above initial margin,
    what they would lose as any of their orders fill included.
    Source: 17 CFR 242.203(b)(1) (no short sale without a borrow or locate).
    """
    account = accounts[account_id]
    if is_street(account):
        return _OK
    instrument = instruments[instrument_id]
    row = positions[account_id, instrument_id]
    held = held_lots(instruments, positions, amounts, account_id, instrument_id)
    free = reducible_lots(instruments, positions, amounts, account_id, instrument_id, side)
    if account.account_status_code == _RESTRICTED and more_lots > free:
        return _ACCOUNT_RESTRICTED
    if side == _SELL and not is_contract(instrument) and more_lots > held - row.open_sell_lots:
        return _INSUFFICIENT_SECURITIES
    money = instrument.quote_asset_id
    lot_minor = lot_cost_minor(fees, account, instrument, limit_ticks)
    if is_cash_account(account):
        if is_contract(instrument):
            return _INSUFFICIENT_MARGIN
        cost = lots * lot_minor
        free_cash = -amounts[account_id, money] - open_bids_minor(positions, account_id)
        return _OK if side == _SELL or cost <= free_cash else _INSUFFICIENT_CASH
    left = equity(risk, account_id) - lots * lot_loss_minor(instrument, side, limit_ticks, lot_minor)
    more = more_lots if side == _BUY else -more_lots
    return _OK if can_carry(risk, account_id, instrument_id, more, left) else _INSUFFICIENT_MARGIN
