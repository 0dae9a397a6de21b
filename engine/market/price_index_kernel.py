"""Queues at prices: which prices have orders, which is best, and who stands where.

Owns: an index over an unbounded range of prices, in memory that is allocated once. Sixty-four prices are a
page of levels; pages, and the words that tell which of 64 pages, of 64 times 64 pages … have orders, are
found by hashing. A page is taken when its first order comes and given back when its last one goes, so prices
may be anywhere and nothing is ever moved. Does not own: what an order is beyond its place
(`order_kernel.py`).

A key is `KEY_ZERO` plus or minus the price, so that the best order of every queue has the highest key: one
code for both sides. A book is eight times the instrument plus the kind of queue.
"""

from engine.compiled_kernel import inner, kernel
from engine.market.words_kernel import (
    BOOK_MASK,
    BOOK_WORDS,
    BOOKS,
    CLOSE_PAGE,
    FREE_PAGE,
    HIGH,
    KEY_ZERO,
    KIND_BITS,
    L_COUNT,
    L_HIDDEN,
    L_LOTS,
    L_QUEUE,
    LEVEL_WORDS,
    LEVELS,
    LOW,
    N_FILLED,
    N_NODE,
    N_PAGE,
    NEXT_BEST,
    NEXT_PAGE,
    NO_KEY,
    NODE_COUNT,
    NODE_LIMIT,
    NODE_MASK,
    NODE_SHIFT,
    NODE_WORDS,
    NODES,
    O_LINKS,
    O_PLACE,
    OPEN_PAGE,
    ORDER_WORDS,
    PAGE_LEVELS,
    PAGE_LIMIT,
    call,
    highest_bit,
    unit,
)
from engine.memory_kernel import add, load, store

FIBONACCI = -7046029254386353131  # 2**64 over the golden ratio, as int64
DEPTHS = 7  # of the index: keys have 42 bits, six a depth
NO_LEVEL = -1
_BELOW_ZERO = 0b00010010  # kinds whose best price is the lowest: asks and buy stops


@inner
def key_of(kind, price):
    """The key of a price in a kind of queue."""
    below = -((_BELOW_ZERO >> kind) & 1)  # all ones turn the sign, without a branch
    return KEY_ZERO + (price ^ below) - below


@inner
def price_of(kind, key):
    """The price of a key."""
    below = -((_BELOW_ZERO >> kind) & 1)
    return ((key - KEY_ZERO) ^ below) - below


@inner
def best_at(book):
    """Where InstrumentBook words tell the best key of a book; its level stands behind."""
    return (book >> KIND_BITS) * BOOK_WORDS + (book & 7) * 2


# Nodes ----------------------------------------------------------------------------------------------------


@inner
def node_of(book, depth, key):
    """The name of the node that covers a key at a depth."""
    return (key >> (6 * depth + 6)) | (book << 36) | (depth << 59)


@inner
def node_slot(meta, node):
    """Where a node is looked for first; eight neighbours stand together."""
    mixed = ((node >> 3) * FIBONACCI) >> load(meta, NODE_SHIFT)
    return ((mixed & ~7) | (node & 7)) & load(meta, NODE_MASK)


@inner
def find_node(meta, nodes, node):
    """The slot of a node, or -1."""
    mask = load(meta, NODE_MASK)
    slot = node_slot(meta, node)
    while True:
        found = load(nodes, slot * NODE_WORDS + N_NODE)
        if found == node:
            return slot
        if found == 0:
            return -1
        slot = (slot + 1) & mask


@kernel
def _insert_node(meta, nodes, node, page, filled):
    mask = load(meta, NODE_MASK)
    slot = node_slot(meta, node)
    while load(nodes, slot * NODE_WORDS) != 0:
        slot = (slot + 1) & mask
    store(nodes, slot * NODE_WORDS + N_NODE, node)
    store(nodes, slot * NODE_WORDS + N_PAGE, page)
    store(nodes, slot * NODE_WORDS + N_FILLED, filled)
    add(meta, NODE_COUNT, 1)


@kernel
def _delete_node(meta, nodes, slot):
    """Free a slot and shift back what was displaced by it: no tombstones."""
    mask = load(meta, NODE_MASK)
    add(meta, NODE_COUNT, -1)
    hole = slot
    while True:
        slot = (slot + 1) & mask
        node = load(nodes, slot * NODE_WORDS)
        if node == 0:
            break
        if ((slot - node_slot(meta, node)) & mask) >= ((slot - hole) & mask):
            for word in range(3):
                store(nodes, hole * NODE_WORDS + word, load(nodes, slot * NODE_WORDS + word))
            hole = slot
    store(nodes, hole * NODE_WORDS, 0)


@unit(OPEN_PAGE)
def _open_page(meta, book, key, _c, _d, _e, _f):
    """Give a key's page to a book, and mark it at every depth. Returns the page, or -1 without room."""
    nodes = load(meta, NODES)
    if load(meta, NODE_COUNT) + DEPTHS > load(meta, NODE_LIMIT):
        return NO_LEVEL
    page = load(meta, FREE_PAGE)
    if page != 0:
        first = page * PAGE_LEVELS * LEVEL_WORDS
        store(meta, FREE_PAGE, load(load(meta, LEVELS), first))
        store(load(meta, LEVELS), first, 0)
    else:
        page = load(meta, NEXT_PAGE)
        if page >= load(meta, PAGE_LIMIT):
            return NO_LEVEL
        store(meta, NEXT_PAGE, page + 1)
    _insert_node(meta, nodes, node_of(book, 0, key), page, 1 << (key & 63))
    for depth in range(1, DEPTHS):
        bit = 1 << ((key >> (6 * depth)) & 63)
        node = node_of(book, depth, key)
        slot = find_node(meta, nodes, node)
        if slot >= 0:
            at = slot * NODE_WORDS + N_FILLED
            store(nodes, at, load(nodes, at) | bit)
            break
        _insert_node(meta, nodes, node, 0, bit)
    return page


@unit(CLOSE_PAGE)
def _close_page(meta, book, key, _c, _d, _e, _f):
    """Take an empty page back, and every node above it that has nothing left."""
    nodes = load(meta, NODES)
    slot = find_node(meta, nodes, node_of(book, 0, key))
    page = load(nodes, slot * NODE_WORDS + N_PAGE)
    store(load(meta, LEVELS), page * PAGE_LEVELS * LEVEL_WORDS, load(meta, FREE_PAGE))
    store(meta, FREE_PAGE, page)
    _delete_node(meta, nodes, slot)
    for depth in range(1, DEPTHS):
        slot = find_node(meta, nodes, node_of(book, depth, key))
        at = slot * NODE_WORDS + N_FILLED
        filled = load(nodes, at) & ~(1 << ((key >> (6 * depth)) & 63))
        store(nodes, at, filled)
        if filled != 0:
            break
        _delete_node(meta, nodes, slot)
    return 0


@kernel
def key_below(meta, book, key):
    """The highest key of a book under a key, or -1."""
    nodes = load(meta, NODES)
    for depth in range(DEPTHS):
        slot = find_node(meta, nodes, node_of(book, depth, key))
        if slot < 0:
            continue
        filled = load(nodes, slot * NODE_WORDS + N_FILLED)
        filled &= (1 << ((key >> (6 * depth)) & 63)) - 1
        if filled == 0:
            continue
        found = ((key >> (6 * depth + 6)) << 6) | highest_bit(filled)
        for up in range(depth):
            slot = find_node(meta, nodes, found | (book << 36) | ((depth - 1 - up) << 59))
            found = (found << 6) | highest_bit(load(nodes, slot * NODE_WORDS + N_FILLED))
        return found
    return NO_KEY


@kernel
def level_of(meta, book, key):
    """The level of a key that has orders."""
    nodes = load(meta, NODES)
    slot = find_node(meta, nodes, node_of(book, 0, key))
    return (load(nodes, slot * NODE_WORDS + N_PAGE) << 6) | (key & 63)


@unit(NEXT_BEST)
def _next_best(meta, book, key, _c, _d, _e, _f):
    """Find the best key below one that has run empty."""
    below = key_below(meta, book, key)
    books = load(meta, BOOKS)
    store(books, best_at(book), below)
    if below != NO_KEY:
        store(books, best_at(book) + 1, level_of(meta, book, below))
    return 0


# Levels ---------------------------------------------------------------------------------------------------


@inner
def enqueue(meta, orders, levels, nodes, books, book, key, row, lots):
    """Put a row at the end of the queue at a key. Returns its level, or -1 without room."""
    slot = find_node(meta, nodes, node_of(book, 0, key))
    if slot >= 0:
        page = load(nodes, slot * NODE_WORDS + N_PAGE)
    else:
        page = call(meta, OPEN_PAGE, book, key, 0, 0, 0, 0)
        if page < 0:
            return NO_LEVEL
    level = (page << 6) | (key & 63)
    at = level * LEVEL_WORDS
    queue = load(levels, at + L_QUEUE)
    if queue == 0:
        if slot >= 0:
            filled = slot * NODE_WORDS + N_FILLED
            store(nodes, filled, load(nodes, filled) | (1 << (key & 63)))
        store(levels, at + L_QUEUE, row | (row << 32))
        store(levels, at + L_LOTS, lots)
        store(levels, at + L_COUNT, 1)
        store(orders, row * ORDER_WORDS + O_LINKS, 0)
        best = best_at(book)
        if key > load(books, best):
            store(books, best, key)
            store(books, best + 1, level)
    else:
        tail = queue >> 32
        store(levels, at + L_QUEUE, (queue & LOW) | (row << 32))
        store(levels, at + L_LOTS, load(levels, at + L_LOTS) + lots)
        store(levels, at + L_COUNT, load(levels, at + L_COUNT) + 1)
        behind = tail * ORDER_WORDS + O_LINKS
        store(orders, behind, (load(orders, behind) & LOW) | (row << 32))
        store(orders, row * ORDER_WORDS + O_LINKS, tail)
    return level


@inner
def close_level(meta, levels, nodes, books, book, level, key):
    """A level has run empty: forget it, and find the next best price if it was the best."""
    at = level * LEVEL_WORDS
    for word in range(LEVEL_WORDS):
        store(levels, at + word, 0)
    filled = find_node(meta, nodes, node_of(book, 0, key)) * NODE_WORDS + N_FILLED
    left = load(nodes, filled) & ~(1 << (key & 63))
    store(nodes, filled, left)
    best = best_at(book)
    if load(books, best) == key:
        below = left & ((1 << (key & 63)) - 1)
        if below != 0:
            bit = highest_bit(below)
            store(books, best, (key & ~63) | bit)
            store(books, best + 1, (level & ~63) | bit)
        else:
            call(meta, NEXT_BEST, book, key, 0, 0, 0, 0)
    if left == 0:
        call(meta, CLOSE_PAGE, book, key, 0, 0, 0, 0)


@inner
def dequeue(meta, orders, levels, nodes, books, row, key, lots):
    """Take a row with so many lots out of its queue, whose key is given."""
    at = row * ORDER_WORDS
    place = load(orders, at + O_PLACE)
    links = load(orders, at + O_LINKS)
    level = place & LOW
    if links == 0:
        close_level(meta, levels, nodes, books, (place >> 32) & BOOK_MASK, level, key)
        return
    # Where nobody stands ahead or behind, row zero takes the write: cheaper than a branch nobody can foresee.
    ahead = links & LOW
    behind = links >> 32
    other = ahead * ORDER_WORDS + O_LINKS
    store(orders, other, (load(orders, other) & LOW) | (behind << 32))
    other = behind * ORDER_WORDS + O_LINKS
    store(orders, other, (load(orders, other) & HIGH) | ahead)
    at = level * LEVEL_WORDS
    queue = load(levels, at + L_QUEUE)
    head = behind if ahead == 0 else queue & LOW
    tail = ahead if behind == 0 else queue >> 32
    store(levels, at + L_QUEUE, head | (tail << 32))
    store(levels, at + L_LOTS, load(levels, at + L_LOTS) - lots)
    store(levels, at + L_COUNT, load(levels, at + L_COUNT) - 1)


@kernel
def hide(levels, level, lots, pegged):
    """Count lots that a level does not show, and pegged orders in it; negative numbers take back."""
    at = level * LEVEL_WORDS
    add(levels, at + L_HIDDEN, lots)
    add(levels, at + L_COUNT, pegged << 32)
