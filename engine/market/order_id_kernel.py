"""Which row carries an order: a hash table from order id to row.

Open addressing with entries of eight bytes: the low half of the id above, the row below. The full id stands
in the order's own line. Deleting shifts back what was displaced, so there are no tombstones and no
rebuilding.
"""

from engine.compiled_kernel import inner
from engine.market.price_index_kernel import FIBONACCI
from engine.market.words_kernel import (
    ID_MASK,
    ID_SHIFT,
    LOW,
    O_ID,
    ORDER_WORDS,
)
from engine.memory_kernel import load, store


@inner
def id_slot(order_id, mask, shift):
    """Where an id is looked for first; eight ids in a row share a cache line, as new ones come in a row."""
    mixed = (((order_id & LOW) >> 3) * FIBONACCI) >> shift
    return ((mixed & ~7) | (order_id & 7)) & mask


@inner
def row_hint(meta, ids, order_id):
    """The row that an id most likely has; for prefetching only."""
    return load(ids, id_slot(order_id, load(meta, ID_MASK), load(meta, ID_SHIFT))) & LOW


@inner
def find_order(meta, ids, orders, order_id):
    """The row of an order that lives, or zero."""
    mask = load(meta, ID_MASK)
    slot = id_slot(order_id, mask, load(meta, ID_SHIFT))
    tag = order_id & LOW
    while True:
        entry = load(ids, slot)
        if entry == 0:
            return 0
        if ((entry >> 32) & LOW) == tag:
            row = entry & LOW
            if load(orders, row * ORDER_WORDS + O_ID) == order_id:
                return row
        slot = (slot + 1) & mask


@inner
def remember_order(meta, ids, order_id, row):
    """Enter an id that is not in the table. It has room for twice the orders that may live."""
    mask = load(meta, ID_MASK)
    slot = id_slot(order_id, mask, load(meta, ID_SHIFT))
    while load(ids, slot) != 0:
        slot = (slot + 1) & mask
    store(ids, slot, (order_id << 32) | row)


@inner
def forget_order(meta, ids, order_id, row):
    """Take an id out of the table."""
    mask = load(meta, ID_MASK)
    shift = load(meta, ID_SHIFT)
    slot = id_slot(order_id, mask, shift)
    entry = (order_id << 32) | row
    while load(ids, slot) != entry:
        slot = (slot + 1) & mask
    hole = slot
    while True:
        slot = (slot + 1) & mask
        entry = load(ids, slot)
        if entry == 0:
            break
        if ((slot - id_slot(entry >> 32, mask, shift)) & mask) >= ((slot - hole) & mask):
            store(ids, hole, entry)
            hole = slot
    store(ids, hole, 0)
