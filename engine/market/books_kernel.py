"""Reading the books from outside, and building them again from what was read.

Owns: exported orders, restored orders, depth. Does not own any rule.
"""

from engine.compiled_kernel import kernel
from engine.market.order_id_kernel import find_order
from engine.market.order_kernel import (
    GTC,
    GTD,
    LIFE_SHIFT,
    MODE_SHIFT,
    attach_terms,
    book_at,
    book_of,
    enter,
    follow,
    hidden_lots,
    kind_of,
    life_of,
    limit_of,
    order_at,
    put,
    side_of,
    take_row,
    terms_of,
    type_of,
)
from engine.market.price_index_kernel import key_below, level_of, price_of
from engine.market.session_kernel import walk
from engine.market.words_kernel import (
    ASKS,
    BIDS,
    BUY,
    IDS,
    INSTRUMENT_LIMIT,
    KIND_BITS,
    L_COUNT,
    L_LOTS,
    LEVEL_WORDS,
    LEVELS,
    LOW,
    NEXT_EXPIRY,
    NO_KEY,
    O_CLIENT,
    O_ID,
    O_LINKS,
    O_OPEN,
    O_OWNER,
    O_PLACE,
    O_PRICE,
    O_TERMS,
    ORDERS,
    OUTLIVES_DAY,
    SCRATCH,
    SLICE_COUNT,
    T_CHILD,
    T_DISPLAY,
    T_ENTRY,
    T_EXPIRES,
    T_FILLED,
    T_HIDDEN,
    T_OFFSET,
    T_PARTNER,
    T_SLICES,
    T_STOP,
    T_TRAIL,
    T_TYPE,
)
from engine.memory_kernel import add, load, store


@kernel
def _id_at(meta, row):
    return 0 if row == 0 else load(order_at(meta, row), O_ID)


@kernel
def export_orders(meta, out):
    """Fill BookOrder rows with every order that lives, in canonical order. Returns how many."""
    rows = load(meta, SCRATCH)
    count = walk(meta, 1, load(meta, INSTRUMENT_LIMIT), rows)
    for i in range(count):
        row = load(rows, i)
        order = order_at(meta, row)
        terms = terms_of(meta, row)
        told = out[i]
        told.order_id = load(order, O_ID)
        told.account_id = load(order, O_OWNER) & LOW
        told.group_count = load(order, O_OWNER) >> 32
        told.session_id = load(order, O_TERMS) >> 32
        told.client_order_id = load(order, O_CLIENT)
        told.instrument_id = book_of(order) >> KIND_BITS
        told.queue_count = kind_of(order)
        told.side_code = side_of(meta, row)
        told.order_type_code = type_of(meta, row)
        told.time_in_force_code = life_of(meta, row)
        told.price_ticks = load(order, O_PRICE)
        told.limit_ticks = limit_of(meta, row)
        told.open_lots = load(order, O_OPEN)
        told.hidden_lots = hidden_lots(meta, row)
        if terms == 0:
            continue
        told.has_terms = 1
        told.display_lots = load(terms, T_DISPLAY)
        told.stop_ticks = load(terms, T_STOP)
        told.trail_ticks = load(terms, T_TRAIL)
        told.offset_ticks = load(terms, T_OFFSET)
        told.expires_at_ns = load(terms, T_EXPIRES)
        told.filled_lots = load(terms, T_FILLED)
        told.slice_count = load(terms, T_SLICES)
        told.self_trade_code = (load(terms, T_TYPE) >> MODE_SHIFT) & 7
        told.is_reduce_only = (load(terms, T_TYPE) >> 19) & 1
        told.is_awaiting = (load(terms, T_TYPE) >> 20) & 1
        told.partner_order_id = _id_at(meta, load(terms, T_PARTNER))
        told.entry_order_id = _id_at(meta, load(terms, T_ENTRY))
        told.child_order_id = _id_at(meta, load(terms, T_CHILD))
    return count


@kernel
def restore_orders(meta, told_rows):
    """Put exported orders into empty books, in the order given. Returns how many had a place."""
    for i in range(len(told_rows)):
        told = told_rows[i]
        row = take_row(meta, load(meta, ORDERS))
        order = order_at(meta, row)
        life = told.time_in_force_code
        store(order, O_PRICE, told.price_ticks)
        store(order, O_OPEN, told.open_lots)
        store(order, O_OWNER, told.account_id | (told.group_count << 32))
        store(order, O_LINKS, 0)
        store(order, O_PLACE, OUTLIVES_DAY if life == GTC or life == GTD else 0)
        store(order, O_CLIENT, told.client_order_id)
        store(order, O_TERMS, told.session_id << 32)
        enter(meta, row, told.order_id)
        if told.has_terms != 0:
            _restore_terms(meta, row, told)
        if not put(meta, row, told.instrument_id, told.queue_count, told.price_ticks):
            return i
    for i in range(len(told_rows)):
        told = told_rows[i]
        if told.has_terms != 0:
            terms = terms_of(meta, _row_of(meta, told.order_id))
            store(terms, T_PARTNER, _row_of(meta, told.partner_order_id))
            store(terms, T_ENTRY, _row_of(meta, told.entry_order_id))
            store(terms, T_CHILD, _row_of(meta, told.child_order_id))
    return len(told_rows)


@kernel
def _row_of(meta, order_id):
    return 0 if order_id == 0 else find_order(meta, load(meta, IDS), load(meta, ORDERS), order_id)


@kernel
def _restore_terms(meta, row, told):
    type_word = told.order_type_code | (told.time_in_force_code << LIFE_SHIFT)
    type_word |= told.self_trade_code << MODE_SHIFT
    type_word |= (told.is_reduce_only << 19) | (told.is_awaiting << 20) | ((told.side_code - BUY) << 21)
    terms = attach_terms(meta, row, type_word, told.limit_ticks)
    store(terms, T_HIDDEN, told.hidden_lots)
    store(terms, T_DISPLAY, told.display_lots)
    store(terms, T_STOP, told.stop_ticks)
    store(terms, T_TRAIL, told.trail_ticks)
    store(terms, T_OFFSET, told.offset_ticks)
    store(terms, T_EXPIRES, told.expires_at_ns)
    store(terms, T_FILLED, told.filled_lots)
    store(terms, T_SLICES, told.slice_count)
    add(meta, SLICE_COUNT, told.slice_count)
    if told.expires_at_ns != 0 and told.expires_at_ns < load(meta, NEXT_EXPIRY):
        store(meta, NEXT_EXPIRY, told.expires_at_ns)
    follow(meta, row, told.instrument_id)


@kernel
def read_depth(meta, instrument_id, side, out):
    """Fill rows (price, shown lots, orders) of one side from the best price. Returns how many."""
    kind = BIDS if side == BUY else ASKS
    book = (instrument_id << KIND_BITS) | kind
    key = load(book_at(meta, instrument_id), kind * 2)
    count = 0
    while key != NO_KEY and count < len(out):
        level = level_of(meta, book, key) * LEVEL_WORDS
        out[count, 0] = price_of(kind, key)
        out[count, 1] = load(load(meta, LEVELS), level + L_LOTS)
        out[count, 2] = load(load(meta, LEVELS), level + L_COUNT) & LOW
        count += 1
        key = key_below(meta, book, key)
    return count
