"""Client order ids: found by account and number, used once a business day.

Owns: an append-only list in order of first use, and an open-addressing table into it. An order's position in
the list is what the matching engine carries as its client_order_id, so every event leads back here at once.
"""

from engine.blocks_kernel import BlockType, rows_of, words
from engine.compiled_kernel import inner, kernel
from engine.market.order_id_kernel import find_order
from engine.market.price_index_kernel import FIBONACCI
from engine.market.words_kernel import (
    IDS,
    O_CLIENT,
    ORDER_WORDS,
    ORDERS,
    words_in,
)
from engine.memory_kernel import load, prefetch, store
from schemas.market import OrderRow

DAY_BLOCK = BlockType("DAY", rows=rows_of(OrderRow), slots=words(), meta=words())
"""The fields of `day_orders.DayOrders`; the kernels here take either."""

ROW_WORDS = words_in(OrderRow)
INVERSE = pow(FIBONACCI, -1, 1 << 64)
INVERSE -= (INVERSE >> 63) << 64  # of FIBONACCI, as a signed word: what was multiplied in can be taken back
MIXER = -4658895280553007687  # another odd number without pattern


@inner
def _mixed(account_id, client_order_id):
    """A word in which every bit of an id tells."""
    mixed = (client_order_id ^ (account_id * MIXER)) * FIBONACCI
    return (mixed ^ (mixed >> 32)) * FIBONACCI


@inner
def _first_slot(orders, account_id, client_order_id):
    """Where the search for an id begins."""
    return (_mixed(account_id, client_order_id) >> 20) & (len(orders.slots) - 1)


@kernel
def _slot_of(orders, account_id, client_order_id):
    """The slot that holds an id, or the empty one where it belongs; the table is never full."""
    mask = len(orders.slots) - 1
    slot = _first_slot(orders, account_id, client_order_id)
    while orders.slots[slot] != 0:
        row = orders.rows[orders.slots[slot]]
        if row.account_id == account_id and row.client_order_id == client_order_id:
            break
        slot = (slot + 1) & mask
    return slot


@inner
def foresee_slot(orders, account_id, client_order_id):
    """Ask for the memory where an id will be looked for."""
    prefetch(orders.slots_address, _first_slot(orders, account_id, client_order_id))


@inner
def foresee_row(orders, account_id, client_order_id):
    """Ask for the row that an id most likely has; its slot was asked for before."""
    at = orders.slots[_first_slot(orders, account_id, client_order_id)]
    prefetch(orders.rows_address, at * ROW_WORDS)
    prefetch(orders.rows_address, at * ROW_WORDS + 8)
    prefetch(orders.rows_address, at * ROW_WORDS + 16)


@kernel
def find_client_id(orders, account_id, client_order_id):
    """The position of an id that was used today, or zero."""
    return orders.slots[_slot_of(orders, account_id, client_order_id)]


@kernel
def has_client_id_left(orders):
    """Whether the day has a number left."""
    return orders.meta[0] < len(orders.rows)


@kernel
def remember_client_id(orders, account_id, client_order_id):
    """Take an id for the rest of the day: its position, or zero when it is taken or none is left."""
    slot = _slot_of(orders, account_id, client_order_id)
    at = orders.meta[0]
    if orders.slots[slot] != 0 or at >= len(orders.rows):
        return 0
    orders.rows[at].account_id = account_id
    orders.rows[at].client_order_id = client_order_id
    orders.slots[slot] = at
    orders.meta[0] = at + 1
    orders.meta[1] = orders.meta[1] * FIBONACCI + _mixed(account_id, client_order_id)
    return at


@kernel
def remember_all(orders, ids) -> int:
    """Take ids (n, 2), account and number, in order. Returns how many were taken before one had no place."""
    for i in range(len(ids)):
        if remember_client_id(orders, ids[i, 0], ids[i, 1]) == 0:
            return i
    return len(ids)


@kernel
def forget_last_client_id(orders):
    """Give back the id that was taken last: its order was refused after all."""
    at = orders.meta[0] - 1
    row = orders.rows[at]
    orders.slots[_slot_of(orders, row.account_id, row.client_order_id)] = 0
    orders.meta[0] = at
    orders.meta[1] = (orders.meta[1] - _mixed(row.account_id, row.client_order_id)) * INVERSE


@kernel
def turn_day(orders, meta):
    """Keep the orders that live, and tell the books where they stand now."""
    orders.slots[:] = 0
    used = orders.meta[0]
    orders.meta[0] = 1
    orders.meta[1] = 0
    for at in range(1, used):
        if orders.rows[at].open_lots == 0:
            continue
        kept = orders.meta[0]
        orders.rows[kept] = orders.rows[at]
        row = orders.rows[kept]
        orders.slots[_slot_of(orders, row.account_id, row.client_order_id)] = kept
        orders.meta[0] = kept + 1
        orders.meta[1] = orders.meta[1] * FIBONACCI + _mixed(row.account_id, row.client_order_id)
        books = load(meta, ORDERS)
        found = find_order(meta, load(meta, IDS), books, row.order_id)
        store(books, found * ORDER_WORDS + O_CLIENT, kept)
