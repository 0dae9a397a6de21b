"""The matching engine's entry: a batch of commands in, their events out, in one compiled call.

Owns: the common commands in their shortest form, and the prefetching of what the next ones will touch. An
order is common when it is a plain limit order (day, good till cancelled, or immediate or cancel) on an
instrument in continuous trading without price bands or tick table. All else goes to `placing_kernel.py` and
`session_kernel.py`, which give the same events where both apply.

No allocation, no exception, no Python object. The caller gives room for all events (`books.py` says how
much).
"""

from engine.compiled_kernel import inner, kernel
from engine.market import words_kernel as w
from engine.market.crossing_kernel import BECAUSE_OF_SELF_TRADE, cross, worst_key_of
from engine.market.order_id_kernel import find_order, forget_order, id_slot, remember_order, row_hint
from engine.market.order_kernel import (
    ACCEPTED,
    CANCELLED,
    DAY,
    EXPIRED,
    GTC,
    IOC,
    LIMIT,
    REPLACED,
    free_row,
    refuse,
    take_row,
)
from engine.market.placing_kernel import (
    ASKED,
    BAD_PRICE,
    BAD_QUANTITY,
    BOOK_FULL,
    DUPLICATE_ID,
    LAST_MODE,
    PRIORITY_KEPT,
    UNKNOWN_ORDER,
)
from engine.market.price_index_kernel import dequeue, enqueue, key_of, node_of, node_slot
from engine.market.requests import (
    EVENTS_OF_A_MOVE,
    EVENTS_OF_A_SLICE,
    EVENTS_OF_AN_ORDER,
    LARGEST_LOTS,
    LARGEST_ORDER_ID,
    LARGEST_TICKS,
    MOST_PEG_MOVES,
    MOST_SLICES,
    SPARE_EVENTS,
)
from engine.market.running_kernel import NO_ROOM, UNFILLED, settle
from engine.market.words_kernel import (
    B_STATE,
    B_WATCH,
    BOOK_MASK,
    BOOK_WORDS,
    BOOKS,
    BUY,
    C_CLIENT,
    C_ID,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    C_TERMS,
    COMMAND_WORDS,
    DECIDE,
    EVENT_COUNT,
    EVENT_ROOM,
    EVENT_WORDS,
    EVENTS,
    ID_MASK,
    ID_SHIFT,
    IDS,
    INSTRUMENT_LIMIT,
    KIND_BITS,
    L_LOTS,
    LEVEL_WORDS,
    LEVELS,
    LIVE_COUNT,
    LOW,
    N_PAGE,
    NODE_WORDS,
    NODES,
    O_CLIENT,
    O_ID,
    O_LINKS,
    O_OPEN,
    O_OWNER,
    O_PLACE,
    O_PRICE,
    O_TERMS,
    ORDER_LIMIT,
    ORDER_WORDS,
    ORDERS,
    OUTLIVES_DAY,
    PLACE_IN_BATCH,
    PLACE_MASK,
    SELL,
    SLICE_COUNT,
    WATCH_FIRST,
    call,
    read_clock,
    unit,
)
from engine.memory_kernel import load, prefetch, store
from schemas.codes import MarketAction

PLACE, CANCEL, REPLACE = int(MarketAction.PLACE), int(MarketAction.CANCEL), int(MarketAction.REPLACE)

# Action, order type, post-only and reduce-only of a command's first word; and what they are when it is
# common.
_SHAPE_MASK = 0xFF | (0xFF << 16) | (3 << 32) | (1 << 37)
_COMMON_PLACE = PLACE | (LIMIT << 16)
_POST_ONLY_MASK = 3 << 32
_COMMON_LIVES = (1 << DAY) | (1 << IOC) | (1 << GTC)

# How many commands ahead each stage of prefetching looks.
_AHEAD_ID, _AHEAD_ORDER, _AHEAD_LEVEL = 12, 8, 4


@inner
def _write(events, count, word, order_id, price, lots, shown, account_id, client):
    at = count * EVENT_WORDS
    store(events, at, word)
    store(events, at + 1, order_id)
    store(events, at + 2, 0)
    store(events, at + 3, price)
    store(events, at + 4, lots)
    store(events, at + 5, shown)
    store(events, at + 6, account_id)
    store(events, at + 7, client)
    return count + 1


@kernel
def _refused(meta, command, reason, count):
    store(meta, EVENT_COUNT, count)
    refuse(meta, command, reason)
    return count + 1


@inner
def _quieted(meta, books, instrument_id, count):
    """Let an instrument settle, if anything on it waits for trades or prices."""
    if load(books, instrument_id * BOOK_WORDS + B_WATCH) == 0:
        return count
    store(meta, EVENT_COUNT, count)
    settle(meta, instrument_id)
    return load(meta, EVENT_COUNT)


@inner
def _place_common(meta, orders, levels, nodes, books, ids, events, count, command, word, position):
    """A plain limit order, from the rung of its quantity on."""
    side = (word >> 8) & 0xFF
    life = (word >> 24) & 0xFF
    instrument_id = (word >> 40) & 0x7FFFF
    order_id = load(command, C_ID)
    price = load(command, C_PRICE)
    lots = load(command, C_LOTS)
    owner = load(command, C_OWNER)
    client = load(command, C_CLIENT)
    if lots < 1 or lots > LARGEST_LOTS:
        return _refused(meta, command, BAD_QUANTITY, count)
    if price > LARGEST_TICKS or price < -LARGEST_TICKS:
        return _refused(meta, command, BAD_PRICE, count)
    if order_id < 1 or order_id > LARGEST_ORDER_ID or find_order(meta, ids, orders, order_id) != 0:
        return _refused(meta, command, DUPLICATE_ID, count)
    if life != IOC and load(meta, LIVE_COUNT) >= load(meta, ORDER_LIMIT):
        return _refused(meta, command, BOOK_FULL, count)
    where = (side << 20) | (instrument_id << 24) | (position << 44)
    shown = 0 if life == IOC else lots
    count = _write(events, count, ACCEPTED | where, order_id, price, lots, shown, owner & LOW, client)
    worst_key = worst_key_of(side, price)
    is_over = 0
    if load(books, instrument_id * BOOK_WORDS + (2 - side) * 2) >= worst_key:
        mode = (word >> 34) & 7
        count, lots, _traded, is_over = cross(
            meta, orders, levels, nodes, books, ids, events, count, 0, instrument_id, side, worst_key,
            lots, order_id, owner, client, mode if (owner >> 32) != 0 else 0, position,
        )  # fmt: skip
    if lots > 0:
        if is_over != 0:
            ended = CANCELLED | (BECAUSE_OF_SELF_TRADE << 8) | where
            count = _write(events, count, ended, order_id, price, lots, 0, owner & LOW, client)
        elif life == IOC:
            ended = EXPIRED | (UNFILLED << 8) | where
            count = _write(events, count, ended, order_id, price, lots, 0, owner & LOW, client)
        else:
            row = take_row(meta, orders)
            book = (instrument_id << KIND_BITS) | (side - BUY)
            level = enqueue(meta, orders, levels, nodes, books, book, key_of(side - BUY, price), row, lots)
            if level < 0:
                free_row(meta, orders, row)
                ended = EXPIRED | (NO_ROOM << 8) | where
                return _write(events, count, ended, order_id, price, lots, 0, owner & LOW, client)
            at = row * ORDER_WORDS
            store(orders, at + O_ID, order_id)
            store(orders, at + O_PRICE, price)
            store(orders, at + O_OPEN, lots)
            store(orders, at + O_OWNER, owner)
            store(orders, at + O_PLACE, level | (book << 32) | (OUTLIVES_DAY if life == GTC else 0))
            store(orders, at + O_CLIENT, client)
            store(orders, at + O_TERMS, load(command, C_TERMS))
            remember_order(meta, ids, order_id, row)
    return count


@inner
def _cancel_common(meta, orders, levels, nodes, books, ids, events, count, row, position):
    """Take a plain order off its book."""
    at = row * ORDER_WORDS
    place = load(orders, at + O_PLACE)
    book = (place >> 32) & BOOK_MASK
    order_id = load(orders, at + O_ID)
    price = load(orders, at + O_PRICE)
    lots = load(orders, at + O_OPEN)
    word = (
        CANCELLED | (ASKED << 8) | ((BUY + (book & 7)) << 20) | ((book >> KIND_BITS) << 24) | (position << 44)
    )
    count = _write(
        events,
        count,
        word,
        order_id,
        price,
        lots,
        lots,
        load(orders, at + O_OWNER) & LOW,
        load(orders, at + O_CLIENT),
    )
    dequeue(meta, orders, levels, nodes, books, row, key_of(book & 7, price), lots)
    forget_order(meta, ids, order_id, row)
    free_row(meta, orders, row)
    return count


@inner
def _replace_common(meta, orders, levels, nodes, books, ids, events, count, command, word, row, position):
    """Less of a plain order in its place, or anything else at the end of a queue, in continuous trading."""
    at = row * ORDER_WORDS
    place = load(orders, at + O_PLACE)
    book = (place >> 32) & BOOK_MASK
    order_id = load(orders, at + O_ID)
    price = load(command, C_PRICE)
    lots = load(command, C_LOTS)
    here = load(orders, at + O_PRICE)
    open_lots = load(orders, at + O_OPEN)
    owner = load(orders, at + O_OWNER)
    client = load(orders, at + O_CLIENT)
    if lots < 1 or lots > LARGEST_LOTS:
        return _refused(meta, command, BAD_QUANTITY, count)
    side = BUY + (book & 7)
    instrument_id = book >> KIND_BITS
    where = (side << 20) | (instrument_id << 24) | (position << 44)
    if price == here and lots <= open_lots:
        store(orders, at + O_OPEN, lots)
        level = (place & LOW) * LEVEL_WORDS + L_LOTS
        store(levels, level, load(levels, level) - (open_lots - lots))
        kept = REPLACED | (PRIORITY_KEPT << 8) | where
        return _write(events, count, kept, order_id, price, lots, lots, owner & LOW, client)
    if price > LARGEST_TICKS or price < -LARGEST_TICKS:
        return _refused(meta, command, BAD_PRICE, count)
    dequeue(meta, orders, levels, nodes, books, row, key_of(book & 7, here), open_lots)
    count = _write(events, count, REPLACED | where, order_id, price, lots, lots, owner & LOW, client)
    worst_key = worst_key_of(side, price)
    if load(books, instrument_id * BOOK_WORDS + (2 - side) * 2) >= worst_key:
        mode = (word >> 34) & 7
        count, lots, _traded, is_over = cross(
            meta, orders, levels, nodes, books, ids, events, count, row, instrument_id, side, worst_key,
            lots, order_id, owner, client, mode if (owner >> 32) != 0 else 0, position,
        )  # fmt: skip
        if lots == 0 or is_over != 0:
            if lots != 0:
                ended = CANCELLED | (BECAUSE_OF_SELF_TRADE << 8) | where
                count = _write(events, count, ended, order_id, price, lots, 0, owner & LOW, client)
            forget_order(meta, ids, order_id, row)
            free_row(meta, orders, row)
            return count
    level = enqueue(meta, orders, levels, nodes, books, book, key_of(book & 7, price), row, lots)
    if level < 0:
        ended = EXPIRED | (NO_ROOM << 8) | where
        count = _write(events, count, ended, order_id, price, lots, 0, owner & LOW, client)
        forget_order(meta, ids, order_id, row)
        free_row(meta, orders, row)
        return count
    store(orders, at + O_PRICE, price)
    store(orders, at + O_OPEN, lots)
    store(orders, at + O_PLACE, (place & ~PLACE_MASK) | (book << 32) | level)
    return count


@kernel
def _in_full(meta, command, word, row, position, count):
    """Any command that is not common. `row` is the order's, where it names one that lives."""
    store(meta, EVENT_COUNT, count)
    store(meta, PLACE_IN_BATCH, position)
    action = word & 0xFF
    if action == PLACE:
        call(meta, w.PLACE, command, word, 0, 0, 0, 0)
    elif action == CANCEL:
        call(meta, w.CANCEL, row, 0, 0, 0, 0, 0)
    elif action == REPLACE:
        call(meta, w.REPLACE, command, word, row, 0, 0, 0)
    else:
        call(meta, w.ACT, command, word, 0, 0, 0, 0)
    return load(meta, EVENT_COUNT)


@inner
def step(meta, orders, levels, nodes, books, ids, events, count, command, position):
    """Decide one command. Returns the number of events so far."""
    word = load(command, 0)
    action = word & 0xFF
    if (word & _SHAPE_MASK) == _COMMON_PLACE and (load(command, C_TERMS) & LOW) == 0:
        instrument_id = (word >> 40) & 0x7FFFF
        life = (word >> 24) & 0xFF
        side = (word >> 8) & 0xFF
        if (
            instrument_id <= load(meta, INSTRUMENT_LIMIT)
            and life < 8
            and ((_COMMON_LIVES >> life) & 1) != 0
            and (side == BUY or side == SELL)
            and ((word >> 34) & 7) <= LAST_MODE
        ):
            book = instrument_id * BOOK_WORDS
            watch = load(books, book + B_WATCH)
            if (watch & WATCH_FIRST) == 0 and load(books, book + B_STATE) != 0:
                store(meta, PLACE_IN_BATCH, position)
                count = _place_common(
                    meta, orders, levels, nodes, books, ids, events, count, command, word, position
                )
                return _quieted(meta, books, instrument_id, count)
        return _in_full(meta, command, word, 0, position, count)
    if action != CANCEL and action != REPLACE:
        return _in_full(meta, command, word, 0, position, count)
    order_id = load(command, C_ID)
    row = find_order(meta, ids, orders, order_id)
    store(meta, PLACE_IN_BATCH, position)
    if row == 0:
        return _refused(meta, command, UNKNOWN_ORDER, count)
    at = row * ORDER_WORDS
    if (load(orders, at + O_TERMS) & LOW) != 0:
        return _in_full(meta, command, word, row, position, count)
    instrument_id = (load(orders, at + O_PLACE) >> (32 + KIND_BITS)) & 0xFFFFF
    watch = load(books, instrument_id * BOOK_WORDS + B_WATCH)
    if action == CANCEL:
        count = _cancel_common(meta, orders, levels, nodes, books, ids, events, count, row, position)
    elif (watch & WATCH_FIRST) == 0 and (word & _POST_ONLY_MASK) == 0 and ((word >> 34) & 7) <= LAST_MODE:
        count = _replace_common(
            meta, orders, levels, nodes, books, ids, events, count, command, word, row, position
        )
    else:
        return _in_full(meta, command, word, row, position, count)
    return _quieted(meta, books, instrument_id, count)


@inner
def _foresee(meta, orders, ids, commands, at, last):
    """Ask for the id table's line of one command to come, and for the order's line of a nearer one."""
    order_id = load(commands, min(at + _AHEAD_ID, last) * COMMAND_WORDS + C_ID)
    prefetch(ids, id_slot(order_id, load(meta, ID_MASK), load(meta, ID_SHIFT)))
    order_id = load(commands, min(at + _AHEAD_ORDER, last) * COMMAND_WORDS + C_ID)
    prefetch(orders, row_hint(meta, ids, order_id) * ORDER_WORDS)


@inner
def _foresee_far(meta, orders, levels, nodes, ids, commands, at, last):
    """Ask for what books larger than the caches keep far away: levels and neighbours."""
    command = commands + min(at + _AHEAD_LEVEL, last) * (COMMAND_WORDS * 8)
    word = load(command, 0)
    if (word & 0xFF) == PLACE:
        book = (((word >> 40) & 0x7FFFF) << KIND_BITS) | (((word >> 8) - BUY) & 1)
        slot = node_slot(meta, node_of(book, 0, key_of(book & 1, load(command, C_PRICE))))
        prefetch(nodes, slot * NODE_WORDS)
        level = (load(nodes, slot * NODE_WORDS + N_PAGE) << 6) | (
            key_of(book & 1, load(command, C_PRICE)) & 63
        )
        prefetch(levels, level * LEVEL_WORDS)
    else:
        order = row_hint(meta, ids, load(command, C_ID)) * ORDER_WORDS
        place = load(orders, order + O_PLACE)
        links = load(orders, order + O_LINKS)
        prefetch(levels, (place & LOW) * LEVEL_WORDS)
        prefetch(orders, (links & LOW) * ORDER_WORDS)
        prefetch(orders, (links >> 32) * ORDER_WORDS)
        if (word & 0xFF) == REPLACE:
            book = (place >> 32) & BOOK_MASK
            key = key_of(book & 1, load(command, C_PRICE))
            slot = node_slot(meta, node_of(book, 0, key))
            level = (load(nodes, slot * NODE_WORDS + N_PAGE) << 6) | (key & 63)
            prefetch(levels, level * LEVEL_WORDS)


@inner
def has_event_room(meta, count):
    """Whether the most events that one command can cause have room behind so many. See EVENTS_OF_AN_ORDER."""
    most = EVENTS_OF_AN_ORDER * (load(meta, LIVE_COUNT) + 2) + EVENTS_OF_A_MOVE * MOST_PEG_MOVES
    most += EVENTS_OF_A_SLICE * (load(meta, SLICE_COUNT) + MOST_SLICES) + SPARE_EVENTS
    return count + most <= load(meta, EVENT_ROOM)


@kernel
def run(meta, commands, first, last, full_at, is_large):
    """Decide the commands first..last-1 at an address, in order. Returns the first that was not decided.

    It stops before a command whose events might have no room, and after `full_at` events; EVENT_COUNT tells
    how many there are. Make room and call again. Events tell their command as a distance from `first`; a call
    has at most 2**18. `is_large` tells that the books are larger than the processor's caches; it changes no
    outcome.
    """
    orders = load(meta, ORDERS)
    levels = load(meta, LEVELS)
    nodes = load(meta, NODES)
    books = load(meta, BOOKS)
    ids = load(meta, IDS)
    events = load(meta, EVENTS)
    count = load(meta, EVENT_COUNT)
    at = first
    while at < last and count < full_at and has_event_room(meta, count):
        _foresee(meta, orders, ids, commands, at, last - 1)
        if is_large:
            _foresee_far(meta, orders, levels, nodes, ids, commands, at, last - 1)
        command = commands + at * (COMMAND_WORDS * 8)
        count = step(meta, orders, levels, nodes, books, ids, events, count, command, at - first)
        at += 1
    store(meta, EVENT_COUNT, count)
    return at


@kernel
def run_timed(meta, commands, first, last, ticks):
    """Decide commands one by one and write the processor's ticks of each; events overwrite one another."""
    orders = load(meta, ORDERS)
    levels = load(meta, LEVELS)
    nodes = load(meta, NODES)
    books = load(meta, BOOKS)
    ids = load(meta, IDS)
    events = load(meta, EVENTS)
    for at in range(first, last):
        began = read_clock()
        step(meta, orders, levels, nodes, books, ids, events, 0, commands + at * (COMMAND_WORDS * 8), 0)
        store(ticks, at - first, read_clock() - began)


@unit(DECIDE)
def _decide(meta, command, _b, _c, _d, _e, _f):
    """Decide one command at an address; its events are the only ones then. Returns how many."""
    count = step(
        meta,
        load(meta, ORDERS),
        load(meta, LEVELS),
        load(meta, NODES),
        load(meta, BOOKS),
        load(meta, IDS),
        load(meta, EVENTS),
        0,
        command,
        0,
    )
    store(meta, EVENT_COUNT, count)
    return count


@inner
def decide(meta, command):
    """Decide one command at an address; its events are the only ones then. Returns how many."""
    return call(meta, DECIDE, command, 0, 0, 0, 0, 0)
