"""What open orders reserve for margin, kept with everything that happens to them.

What an order reserves follows from its row and its other leg's. So whatever happens to either, both are
looked at again, and no event has to know how the two hang together. Exits reserve as their entry is filled:
from then on they can be set free at any time, and what they will take may be promised to nothing else.
What an order would lose as it fills it reserves by itself, for all of its open lots (loss_kernel.py).

Owns: lots and losses reserved. Does not own: what margin follows of them (engine/risk).
"""

from engine.compiled_kernel import kernel
from engine.market.order_id_kernel import find_order
from engine.market.placing_kernel import is_priced
from engine.market.words_kernel import IDS, O_CLIENT, ORDER_WORDS, ORDERS
from engine.memory_kernel import load
from engine.risk.account_kernel import note
from engine.risk.fee_kernel import lot_cost_minor
from engine.risk.loss_kernel import count_loss, due_loss_minor
from schemas.codes import OrderType, Side

_BUY = int(Side.BUY)
_MARKET, _TRAILING = int(OrderType.MARKET), int(OrderType.TRAILING_STOP)


@kernel
def position_of(state, order_id):
    """Where the day has an order that lives; zero when it has ended."""
    orders = load(state.books, ORDERS)
    row = find_order(state.books, load(state.books, IDS), orders, order_id)
    return load(orders, row * ORDER_WORDS + O_CLIENT) if row != 0 else 0


@kernel
def lots_alone(order):
    """What an order would reserve if it had no other leg."""
    return min(order.open_lots, order.freed_lots) if order.is_waiting != 0 else order.open_lots


@kernel
def due_lots(state, at):
    """What a day's order has to reserve as things are."""
    order = state.day.rows[at]
    lots = lots_alone(order)
    if order.is_second_leg != 0:
        first_at = position_of(state, order.partner_order_id)
        if first_at != 0:
            lots = max(lots - lots_alone(state.day.rows[first_at]), 0)
    return lots


@kernel
def reserve(state, at, lots):
    """Count lots of a day's order for margin; negative lots take back."""
    if lots == 0:
        return
    order = state.day.rows[at]
    order.reserved_lots += lots
    row = state.positions[order.account_id, order.instrument_id]
    if order.side_code == _BUY:
        row.open_buy_lots += lots
        row.open_buy_minor += lots * order.reserve_minor
        if order.is_reduce_only != 0:
            row.reduce_buy_lots += lots
    else:
        row.open_sell_lots += lots
        if order.is_reduce_only != 0:
            row.reduce_sell_lots += lots
    is_bid = order.side_code == _BUY
    note(state.risk, order.account_id, order.instrument_id, lots if is_bid else 0, 0 if is_bid else lots)


@kernel
def reserve_loss(state, at, minor):
    """Count what a day's order would lose as it fills."""
    order = state.day.rows[at]
    if minor != order.loss_minor:
        count_loss(state.positions, order, minor)
        note(state.risk, order.account_id, order.instrument_id, 0, 0)


@kernel
def keep_reserve(state, at):
    """Let an order and its other leg reserve what they have to now."""
    order = state.day.rows[at]
    account, instrument = state.accounts[order.account_id], state.instruments[order.instrument_id]
    reserve_loss(state, at, due_loss_minor(account, instrument, order))
    reserve(state, at, due_lots(state, at) - order.reserved_lots)
    partner_at = position_of(state, order.partner_order_id) if order.partner_order_id != 0 else 0
    if partner_at != 0:
        reserve(state, partner_at, due_lots(state, partner_at) - state.day.rows[partner_at].reserved_lots)


@kernel
def set_price(state, at, ticks):
    """Set what an order's price is, and what it reserves at. It reserves nothing now."""
    order = state.day.rows[at]
    kind = order.order_type_code
    if kind != _MARKET and kind != _TRAILING:
        order.price_ticks = ticks
    if is_priced(kind):
        order.reserve_ticks = ticks
    account, instrument = state.accounts[order.account_id], state.instruments[order.instrument_id]
    order.reserve_minor = lot_cost_minor(state.fees, account, instrument, order.reserve_ticks)


@kernel
def shrink(state, at, lots):
    """Take lots off a day's order, and what it reserves with them."""
    state.day.rows[at].open_lots -= lots
    keep_reserve(state, at)


@kernel
def end_order(state, at):
    """An order lives no longer: it reserves nothing."""
    shrink(state, at, state.day.rows[at].open_lots)


@kernel
def free_exit(state, at, lots):
    """Let an exit reserve what its entry was filled for."""
    state.day.rows[at].freed_lots += lots
    keep_reserve(state, at)


@kernel
def take_filled(state, at, lots):
    """Take filled lots off a day's order; its exit's two legs may have to give them back."""
    shrink(state, at, lots)
    child_id = state.day.rows[at].child_order_id
    child_at = position_of(state, child_id) if child_id != 0 else 0
    if child_at != 0:
        leg_id = state.day.rows[child_at].partner_order_id
        leg_at = position_of(state, leg_id) if leg_id != 0 else 0
        free_exit(state, child_at, lots)
        if leg_at != 0:
            free_exit(state, leg_at, lots)


@kernel
def stand_as(state, at, price, lots, is_kept):
    """Reserve for an order as it stands now."""
    order = state.day.rows[at]
    reserve(state, at, -order.reserved_lots)
    order.open_lots = lots
    if not is_kept:
        set_price(state, at, price)
    keep_reserve(state, at)
