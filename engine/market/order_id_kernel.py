"""Which client order ids a business day has used, and the row of the order that carries each.

Owns: an append-only list of ids in order of first use, and an open-addressing table into it.
Nothing is deleted within a day, so an id that was used is found to the day's end.
Does not own: the orders (`matching_kernel.py`). All numbers are int64.
"""

from engine.market.price_kernel import SLOT_MASK, SLOT_SHIFT, USED_ID_COUNT, inner, kernel

USED = -1  # from find_order: the id was used today and its order has ended

FIBONACCI = -7046029254386353131  # 2**64 over the golden ratio, as int64
MIXER = -4658895280553007687  # another odd number without pattern


@inner
def slot_of(books, account_id, client_order_id):
    """The slot that holds an id, or the empty one where it belongs; the table is never full."""
    mask = books.meta[SLOT_MASK]
    mixed = (client_order_id ^ (account_id * MIXER)) * FIBONACCI
    slot = ((mixed ^ (mixed >> 32)) * FIBONACCI >> books.meta[SLOT_SHIFT]) & mask
    while books.id_slots[slot] != 0:
        at = books.id_slots[slot] - 1
        if books.id_keys[at, 0] == account_id and books.id_keys[at, 1] == client_order_id:
            break
        slot = (slot + 1) & mask
    return slot


@kernel
def find_order(books, account_id, client_order_id):
    """The row of a resting order; 0 when the id is new today, USED when its order has ended."""
    at = books.id_slots[slot_of(books, account_id, client_order_id)]
    if at == 0:
        return 0
    return books.id_rows[at - 1]


@kernel
def remember_id(books, account_id, client_order_id):
    """Take an id for the rest of the day: 1, or 0 when it is taken or the day's ids are used up."""
    slot = slot_of(books, account_id, client_order_id)
    count = books.meta[USED_ID_COUNT]
    if books.id_slots[slot] != 0 or count == len(books.id_rows):
        return 0
    books.id_keys[count, 0] = account_id
    books.id_keys[count, 1] = client_order_id
    books.id_rows[count] = USED
    books.id_slots[slot] = count + 1
    books.meta[USED_ID_COUNT] = count + 1
    return 1


@kernel
def clear_day(books):
    """Forget the ids of orders that have ended; those that rest stay, in their order of use."""
    books.id_slots[:] = 0
    used = books.meta[USED_ID_COUNT]
    kept = 0
    for at in range(used):
        row = books.id_rows[at]
        if row == USED:
            continue
        books.id_keys[kept, 0] = books.id_keys[at, 0]
        books.id_keys[kept, 1] = books.id_keys[at, 1]
        books.id_rows[kept] = row
        slot = slot_of(books, books.id_keys[kept, 0], books.id_keys[kept, 1])
        books.id_slots[slot] = kept + 1
        kept += 1
    books.meta[USED_ID_COUNT] = kept
