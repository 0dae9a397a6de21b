"""Commands and orders as the matching engine takes them: words of one row.

Owns: the words. Does not own: whether the order is admitted.
"""

from engine.compiled_kernel import kernel
from engine.market.words_kernel import (
    C_AT,
    C_CLIENT,
    C_ID,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    C_TERMS,
    TERMS,
    TERMS_WORDS,
    X_DISPLAY,
    X_EXPIRES,
    X_LINK,
    X_LINKED,
    X_MINIMUM,
    X_OFFSET,
    X_STOP,
    X_TRAIL,
)
from engine.memory_kernel import load, store
from engine.trading.linking_kernel import first_leg, linked_order_id, reduces_only
from schemas.codes import MarketAction, OrderType, TimeInForce

_MARKET = int(OrderType.MARKET)
_DAY, _IOC = int(TimeInForce.DAY), int(TimeInForce.IOC)
_A_PLACE = int(MarketAction.PLACE)
_A_REPLACE = int(MarketAction.REPLACE)


@kernel
def pack(packed, action, side, instrument_id, order_id, price, lots, owner, at_ns, client, session_id):
    """A command without terms or flags: the words that every action has."""
    store(packed, 0, action | (side << 8) | (instrument_id << 40))
    store(packed, C_ID, order_id)
    store(packed, C_PRICE, price)
    store(packed, C_LOTS, lots)
    store(packed, C_OWNER, owner)
    store(packed, C_AT, at_ns)
    store(packed, C_CLIENT, client)
    store(packed, C_TERMS, session_id << 32)


@kernel
def _pack_terms(state, packed, c, linked_id):
    """Write the order's terms into the one row that there is, and point at it where there are any."""
    terms = load(state.books, TERMS) + TERMS_WORDS * 8
    store(terms, X_DISPLAY, c.display_lots)
    store(terms, X_MINIMUM, c.minimum_lots)
    store(terms, X_STOP, c.stop_ticks)
    store(terms, X_TRAIL, c.trail_ticks)
    store(terms, X_OFFSET, c.offset_ticks)
    store(terms, X_EXPIRES, c.expires_at_ns)
    store(terms, X_LINKED, linked_id)
    store(terms, X_LINK, c.order_link_code)
    any_term = c.display_lots | c.minimum_lots | c.stop_ticks | c.trail_ticks | c.offset_ticks
    any_term |= c.expires_at_ns | linked_id | c.order_link_code
    if any_term != 0:
        store(packed, C_TERMS, load(packed, C_TERMS) | 1)


@kernel
def pack_place(state, packed, c, limit, at):
    """A PlaceOrder as matching takes it. A market order carries its protection; it never rests while open."""
    account = state.accounts[c.account_id]
    owner = c.account_id | (account.group_id << 32)
    session_id = min(max(c.session_id, 0), 0x7FFFFFFF)
    pack(
        packed, _A_PLACE, c.side_code, c.instrument_id, c.sequence, limit, c.quantity_lots, owner,
        c.received_at_ns, at, session_id,
    )  # fmt: skip
    kind, life = c.order_type_code, c.time_in_force_code
    if kind == _MARKET and life == _DAY:
        life = _IOC
    is_reduce_only = reduces_only(state, c, first_leg(state, c))
    flags = c.post_only_code | (self_trade_mode(state, c) << 2) | ((1 if is_reduce_only else 0) << 5)
    store(packed, 0, load(packed, 0) | (kind << 16) | (life << 24) | (flags << 32))
    _pack_terms(state, packed, c, linked_order_id(state, c))


@kernel
def pack_replace(state, packed, c, at):
    """A ReplaceOrder as matching takes it. What has no price keeps its protection."""
    order = state.day.rows[at]
    price = c.price_ticks
    if price == 0 and order.price_ticks == 0:
        price = order.reserve_ticks
    owner = c.account_id | (state.accounts[c.account_id].group_id << 32)
    pack(
        packed, _A_REPLACE, order.side_code, order.instrument_id, order.order_id, price, c.quantity_lots,
        owner, c.received_at_ns, at, 0,
    )  # fmt: skip
    flags = c.post_only_code | (order.self_trade_code << 2)
    store(packed, 0, load(packed, 0) | (flags << 32))


@kernel
def self_trade_mode(state, c):
    """What becomes of an order where it meets its own group."""
    return c.self_trade_code if c.self_trade_code != 0 else state.accounts[c.account_id].self_trade_code
