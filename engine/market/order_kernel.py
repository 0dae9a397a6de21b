"""The life of one order: made, queued, shown, reduced, refilled, ended, and what its end means to others.

Owns: the rows of the order and terms pools, and the events that tell of one order. Does not own: whom it
meets (`crossing_kernel.py`) or when (`running_kernel.py`). The rules are those of `naive_book.py`, function
by function.
"""

from engine.compiled_kernel import inner, kernel
from engine.market.order_id_kernel import forget_order, remember_order
from engine.market.price_index_kernel import dequeue, enqueue, hide, key_of
from engine.market.requests import LARGEST_TICKS
from engine.market.words_kernel import (
    AFTER_FILL,
    ASKS,
    B_PEGGED,
    B_STATE,
    B_TRAILING,
    B_WATCH,
    BOOK_MASK,
    BOOK_WORDS,
    BOOKS,
    BUY,
    BUY_STOPS,
    C_CLIENT,
    C_ID,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    COMMAND_WORDS,
    END,
    EVENT_COUNT,
    EVENT_WORDS,
    EVENTS,
    FINISH,
    FREE_ORDER,
    FREE_TERMS,
    IDS,
    KIND_BITS,
    L_LOTS,
    LEVEL_WORDS,
    LEVELS,
    LIVE_COUNT,
    LIVE_TERMS,
    LIVE_WORDS,
    LOW,
    NEXT_ORDER,
    NEXT_TERMS,
    NODES,
    O_CLIENT,
    O_ID,
    O_LINKS,
    O_OPEN,
    O_OWNER,
    O_PLACE,
    O_PRICE,
    O_TERMS,
    ORDER_WORDS,
    ORDERS,
    OUTLIVES_DAY,
    PARKED,
    PLACE_IN_BATCH,
    PLACE_MASK,
    PUT,
    READY,
    REDUCE,
    REFUSE,
    SELL_STOPS,
    SLICE_COUNT,
    T_CHILD,
    T_DISPLAY,
    T_ENTRY,
    T_FILLED,
    T_FOLLOWER,
    T_HIDDEN,
    T_LIMIT,
    T_NEXT,
    T_PARTNER,
    T_SLICES,
    T_TYPE,
    TAKE_OFF,
    WATCH_PEGS,
    WATCH_READY,
    WATCH_STOPS,
    WATCH_TRAILS,
    call,
    unit,
)
from engine.memory_kernel import add, load, store
from schemas.codes import MarketEventKind, MarketEventReason, OrderType, TimeInForce

ACCEPTED = int(MarketEventKind.ACCEPTED)
REFUSED = int(MarketEventKind.REFUSED)
TRADED = int(MarketEventKind.TRADED)
CANCELLED = int(MarketEventKind.CANCELLED)
REPLACED = int(MarketEventKind.REPLACED)
EXPIRED = int(MarketEventKind.EXPIRED)
RESTED = int(MarketEventKind.RESTED)
TRIGGERED = int(MarketEventKind.TRIGGERED)
REFILLED = int(MarketEventKind.REFILLED)
REDUCED = int(MarketEventKind.REDUCED)
REPRICED = int(MarketEventKind.REPRICED)
STATE_CHANGED = int(MarketEventKind.STATE_CHANGED)

BECAUSE_LINKED = int(MarketEventReason.LINKED)
BECAUSE_OF_ENTRY = int(MarketEventReason.ENTRY)
NO_ROOM = int(MarketEventReason.NO_ROOM)

LIMIT, MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
STOP, STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
TRAILING = int(OrderType.TRAILING_STOP)
PRIMARY, MID = int(OrderType.PEGGED_PRIMARY), int(OrderType.PEGGED_MID)
DAY, IOC, FOK = int(TimeInForce.DAY), int(TimeInForce.IOC), int(TimeInForce.FOK)
GTC, GTD = int(TimeInForce.GTC), int(TimeInForce.GTD)
AT_OPEN, AT_CLOSE = int(TimeInForce.AT_OPEN), int(TimeInForce.AT_CLOSE)

# Bits of LiveTerms.type_word
LIFE_SHIFT, MODE_SHIFT = 8, 16
IS_REDUCE_ONLY, IS_AWAITING = 1 << 19, 1 << 20
UNPRICED_TICKS = LARGEST_TICKS + 1  # where a market order to buy stands in a call; to sell, the negative


# Reading an order -----------------------------------------------------------------------------------------


@inner
def order_at(meta, row):
    """The address of an order."""
    return load(meta, ORDERS) + row * (ORDER_WORDS * 8)


@inner
def terms_of(meta, row):
    """The address of an order's terms, or zero for a plain order."""
    terms = load(order_at(meta, row), O_TERMS) & LOW
    if terms == 0:
        return 0
    return load(meta, LIVE_TERMS) + terms * (LIVE_WORDS * 8)


@inner
def book_at(meta, instrument_id):
    """The address of an instrument's words."""
    return load(meta, BOOKS) + instrument_id * (BOOK_WORDS * 8)


@inner
def is_queued(order):
    """Whether an order, by address, stands anywhere."""
    return (load(order, O_PLACE) & PLACE_MASK) != 0


@inner
def kind_of(order):
    """The kind of queue that an order stands in."""
    return (load(order, O_PLACE) >> 32) & 7


@inner
def is_on_book(order):
    """Whether an order stands among bids or asks."""
    return is_queued(order) and kind_of(order) <= ASKS


@inner
def shown_lots(order):
    """What others see of an order."""
    if is_on_book(order):
        return load(order, O_OPEN)
    return 0


@kernel
def hidden_lots(meta, row):
    """What of an order is open and not shown."""
    terms = terms_of(meta, row)
    if terms == 0:
        return 0
    return load(terms, T_HIDDEN)


@kernel
def type_of(meta, row):
    """The OrderType of an order; a plain one beyond all prices is a market order in a call."""
    terms = terms_of(meta, row)
    if terms != 0:
        return load(terms, T_TYPE) & 0xFF
    price = load(order_at(meta, row), O_PRICE)
    return MARKET if abs(price) > LARGEST_TICKS else LIMIT


@kernel
def life_of(meta, row):
    """The TimeInForce of an order that rests."""
    terms = terms_of(meta, row)
    if terms != 0:
        return (load(terms, T_TYPE) >> LIFE_SHIFT) & 0xFF
    return GTC if (load(order_at(meta, row), O_PLACE) & OUTLIVES_DAY) != 0 else DAY


@inner
def is_taking(kind):
    """Whether an order of this type never rests: its price is a protection, zero for none."""
    return kind == MARKET or kind == STOP or kind == TRAILING


@kernel
def limit_of(meta, row):
    """The limit of an order, or its protection; zero for one that takes any price."""
    terms = terms_of(meta, row)
    if terms != 0:
        return load(terms, T_LIMIT)
    price = load(order_at(meta, row), O_PRICE)
    return 0 if abs(price) > LARGEST_TICKS else price


# Telling --------------------------------------------------------------------------------------------------


@kernel
def tell(meta, word, order_id, other_id, price, lots, shown, accounts, client_order_id):
    """Write one event. `word` lacks only the command's position."""
    count = load(meta, EVENT_COUNT)
    event = load(meta, EVENTS) + count * (EVENT_WORDS * 8)
    store(event, 0, word | (load(meta, PLACE_IN_BATCH) << 44))
    store(event, 1, order_id)
    store(event, 2, other_id)
    store(event, 3, price)
    store(event, 4, lots)
    store(event, 5, shown)
    store(event, 6, accounts)
    store(event, 7, client_order_id)
    store(meta, EVENT_COUNT, count + 1)


@inner
def event_word(kind, reason, side, instrument_id):
    """The first word of an event, without the command's position."""
    return kind | (reason << 8) | (side << 20) | (instrument_id << 24)


@kernel
def tell_order(meta, row, side, instrument_id, kind, reason, price, lots, shown):
    """Tell of one order and no other."""
    order = order_at(meta, row)
    tell(
        meta,
        event_word(kind, reason, side, instrument_id),
        load(order, O_ID),
        0,
        price,
        lots,
        shown,
        load(order, O_OWNER) & LOW,
        load(order, O_CLIENT),
    )


@inner
def refuse(meta, command, reason):
    """Tell that a command, by address, changes nothing."""
    call(meta, REFUSE, command, reason, 0, 0, 0, 0)


@unit(REFUSE)
def _refuse(meta, command, reason, _c, _d, _e, _f):
    word = load(command, 0)
    tell(
        meta,
        event_word(REFUSED, reason, (word >> 8) & 3, (word >> 40) & 0x7FFFF),
        load(command, C_ID),
        0,
        load(command, C_PRICE),
        load(command, C_LOTS),
        0,
        load(command, C_OWNER) & LOW,
        load(command, C_CLIENT),
    )
    return 0


# Rows -----------------------------------------------------------------------------------------------------


@inner
def take_row(meta, orders):
    """A free row of the order pool; there always is one more than orders may live."""
    row = load(meta, FREE_ORDER)
    if row != 0:
        store(meta, FREE_ORDER, load(orders, row * ORDER_WORDS + O_LINKS))
    else:
        row = load(meta, NEXT_ORDER)
        store(meta, NEXT_ORDER, row + 1)
    store(meta, LIVE_COUNT, load(meta, LIVE_COUNT) + 1)
    return row


@inner
def free_row(meta, orders, row):
    """Give a row back."""
    at = row * ORDER_WORDS
    store(orders, at + O_ID, 0)
    store(orders, at + O_LINKS, load(meta, FREE_ORDER))
    store(meta, FREE_ORDER, row)
    store(meta, LIVE_COUNT, load(meta, LIVE_COUNT) - 1)


@kernel
def attach_terms(meta, row, type_word, limit):
    """Give an order a row of terms, all zero but for its type and limit."""
    at = load(meta, FREE_TERMS)
    base = load(meta, LIVE_TERMS)
    if at != 0:
        store(meta, FREE_TERMS, load(base, at * LIVE_WORDS + T_NEXT))
    else:
        at = load(meta, NEXT_TERMS)
        store(meta, NEXT_TERMS, at + 1)
    terms = base + at * (LIVE_WORDS * 8)
    for word in range(LIVE_WORDS):
        store(terms, word, 0)
    store(terms, T_TYPE, type_word)
    store(terms, T_LIMIT, limit)
    order = order_at(meta, row)
    store(order, O_TERMS, load(order, O_TERMS) | at)
    return terms


@kernel
def count_slices(meta, terms, lots):
    """Note how many slices an iceberg of so many lots may show; none of it when it ends."""
    display = load(terms, T_DISPLAY)
    slices = (lots + display - 1) // display if display != 0 else 0
    add(meta, SLICE_COUNT, slices - load(terms, T_SLICES))
    store(terms, T_SLICES, slices)


# Queues ---------------------------------------------------------------------------------------------------


@inner
def is_pegged(terms):
    """Whether terms are those of a pegged order."""
    kind = load(terms, T_TYPE) & 0xFF
    return kind == PRIMARY or kind == MID


@inner
def take_off(meta, row):
    """Take an order out of its queue, if it stands in one."""
    call(meta, TAKE_OFF, row, 0, 0, 0, 0, 0)


@unit(TAKE_OFF)
def _take_off(meta, row, _b, _c, _d, _e, _f):
    order = order_at(meta, row)
    if not is_queued(order):
        return 0
    place = load(order, O_PLACE)
    levels = load(meta, LEVELS)
    terms = terms_of(meta, row)
    if terms != 0 and load(order, O_LINKS) != 0:
        pegged = 1 if is_pegged(terms) and kind_of(order) <= ASKS else 0
        if pegged != 0 or load(terms, T_HIDDEN) != 0:
            hide(levels, place & LOW, -load(terms, T_HIDDEN), -pegged)
    dequeue(
        meta,
        load(meta, ORDERS),
        levels,
        load(meta, NODES),
        load(meta, BOOKS),
        row,
        key_of(kind_of(order), load(order, O_PRICE)),
        load(order, O_OPEN),
    )
    store(order, O_PLACE, place & ~PLACE_MASK)
    return 0


@inner
def put(meta, row, instrument_id, kind, price):
    """Stand an order at the end of a queue. Returns whether there was room."""
    return call(meta, PUT, row, instrument_id, kind, price, 0, 0) != 0


@unit(PUT)
def _put(meta, row, instrument_id, kind, price, _e, _f):
    take_off(meta, row)
    order = order_at(meta, row)
    levels = load(meta, LEVELS)
    book = (instrument_id << KIND_BITS) | kind
    level = enqueue(
        meta,
        load(meta, ORDERS),
        levels,
        load(meta, NODES),
        load(meta, BOOKS),
        book,
        key_of(kind, price),
        row,
        load(order, O_OPEN),
    )
    if level < 0:
        return 0
    store(order, O_PRICE, price)
    store(order, O_PLACE, load(order, O_PLACE) | (book << 32) | level)
    terms = terms_of(meta, row)
    if terms != 0:
        pegged = 1 if is_pegged(terms) and kind <= ASKS else 0
        if pegged != 0 or load(terms, T_HIDDEN) != 0:
            hide(levels, level, load(terms, T_HIDDEN), pegged)
    if kind == BUY_STOPS or kind == SELL_STOPS:
        watch(meta, instrument_id, WATCH_STOPS)
    elif kind == READY:
        watch(meta, instrument_id, WATCH_READY)
    return 1


@kernel
def watch(meta, instrument_id, bits):
    """Let the common path look closer at an instrument."""
    book = book_at(meta, instrument_id)
    store(book, B_WATCH, load(book, B_WATCH) | bits)


@inner
def follower_list(kind):
    """Where the list that an order type belongs to begins, and the bit that watches it; zero for none."""
    if kind == PRIMARY or kind == MID:
        return B_PEGGED, WATCH_PEGS
    if kind == TRAILING:
        return B_TRAILING, WATCH_TRAILS
    return 0, 0


@kernel
def follow(meta, row, instrument_id):
    """Enter a pegged or trailing order in its list, by order id."""
    terms = terms_of(meta, row)
    head, bit = follower_list(load(terms, T_TYPE) & 0xFF)
    if head == 0:
        return
    watch(meta, instrument_id, bit)
    order_id = load(order_at(meta, row), O_ID)
    before = 0
    after = load(book_at(meta, instrument_id), head)
    while after != 0 and load(order_at(meta, after), O_ID) < order_id:
        before = after
        after = load(terms_of(meta, after), T_FOLLOWER)
    store(terms, T_FOLLOWER, after)
    if before == 0:
        store(book_at(meta, instrument_id), head, row)
    else:
        store(terms_of(meta, before), T_FOLLOWER, row)


@kernel
def _unfollow(meta, row, instrument_id):
    terms = terms_of(meta, row)
    head, _bit = follower_list(load(terms, T_TYPE) & 0xFF)
    if head == 0:
        return
    behind = load(terms, T_FOLLOWER)
    before = load(book_at(meta, instrument_id), head)
    if before == row:
        store(book_at(meta, instrument_id), head, behind)
        return
    while load(terms_of(meta, before), T_FOLLOWER) != row:
        before = load(terms_of(meta, before), T_FOLLOWER)
    store(terms_of(meta, before), T_FOLLOWER, behind)


# Ending ---------------------------------------------------------------------------------------------------


@kernel
def _end_alone(meta, row, instrument_id):
    """Take an order away, whatever is linked to it."""
    take_off(meta, row)
    orders = load(meta, ORDERS)
    order = order_at(meta, row)
    if terms_of(meta, row) != 0:
        _unfollow(meta, row, instrument_id)
        at = load(order, O_TERMS) & LOW
        count_slices(meta, terms_of(meta, row), 0)
        store(load(meta, LIVE_TERMS), at * LIVE_WORDS + T_NEXT, load(meta, FREE_TERMS))
        store(meta, FREE_TERMS, at)
    forget_order(meta, load(meta, IDS), load(order, O_ID), row)
    free_row(meta, orders, row)


@kernel
def _tell_end(meta, row, side, instrument_id, kind, reason):
    order = order_at(meta, row)
    price = load(order, O_PRICE) if is_queued(order) else limit_of(meta, row)
    lots = load(order, O_OPEN) + hidden_lots(meta, row)
    tell_order(meta, row, side, instrument_id, kind, reason, price, lots, shown_lots(order))


@kernel
def side_of(meta, row):
    """The Side of an order that has terms or stands on a book: bit 21 of its type word, or its queue."""
    terms = terms_of(meta, row)
    if terms != 0:
        return BUY + ((load(terms, T_TYPE) >> 21) & 1)
    return BUY + kind_of(order_at(meta, row))


@kernel
def _finish_leg(meta, row, instrument_id):
    """Cancel the other leg of an order that is gone already."""
    terms = terms_of(meta, row)
    store(terms, T_PARTNER, 0)
    _tell_end(meta, row, side_of(meta, row), instrument_id, CANCELLED, BECAUSE_LINKED)
    entry = load(terms, T_ENTRY)
    _end_alone(meta, row, instrument_id)
    if entry != 0 and load(terms_of(meta, entry), T_CHILD) == row:
        store(terms_of(meta, entry), T_CHILD, 0)


@kernel
def _set_free(meta, row, instrument_id, filled):
    """Let an order that waited for its entry have its turn, for no more than the entry was filled."""
    order = order_at(meta, row)
    cut = load(order, O_OPEN) - filled
    take_off(meta, row)
    if cut > 0:
        store(order, O_OPEN, filled)
        tell_order(meta, row, side_of(meta, row), instrument_id, REDUCED, BECAUSE_OF_ENTRY, 0, cut, 0)
    if not put(meta, row, instrument_id, READY, 0):
        _tell_end(meta, row, side_of(meta, row), instrument_id, EXPIRED, NO_ROOM)
        _end_alone(meta, row, instrument_id)


@inner
def end(meta, row, instrument_id):
    """Take an order away, then its other leg; set free, or cancel, what waits for it."""
    call(meta, END, row, instrument_id, 0, 0, 0, 0)


@unit(END)
def _end(meta, row, instrument_id, _c, _d, _e, _f):
    """A leg has no child and a child has no child, so this goes one step only."""
    terms = terms_of(meta, row)
    if terms == 0:
        _end_alone(meta, row, instrument_id)
        return 0
    partner = load(terms, T_PARTNER)
    entry = load(terms, T_ENTRY)
    child = load(terms, T_CHILD)
    filled = load(terms, T_FILLED)
    _end_alone(meta, row, instrument_id)
    if partner != 0:
        _finish_leg(meta, partner, instrument_id)
    if entry != 0 and load(terms_of(meta, entry), T_CHILD) == row:
        store(terms_of(meta, entry), T_CHILD, 0)
    if child != 0:
        leg = load(terms_of(meta, child), T_PARTNER)
        store(terms_of(meta, child), T_ENTRY, 0)
        if leg != 0:
            store(terms_of(meta, leg), T_ENTRY, 0)
        if filled == 0:
            _finish_leg(meta, child, instrument_id)
            if leg != 0:
                _finish_leg(meta, leg, instrument_id)
            return 0
        _set_free(meta, child, instrument_id, filled)
        if leg != 0:
            _set_free(meta, leg, instrument_id, filled)
    return 0


@inner
def finish(meta, row, side, instrument_id, kind, reason):
    """Tell that an order ends with lots open, and end it."""
    call(meta, FINISH, row, side, instrument_id, kind, reason, 0)


@unit(FINISH)
def _finish(meta, row, side, instrument_id, kind, reason, _f):
    _tell_end(meta, row, side, instrument_id, kind, reason)
    end(meta, row, instrument_id)
    return 0


# Shrinking ------------------------------------------------------------------------------------------------


@kernel
def take_lots(meta, row, from_open, from_hidden):
    """Take lots off an order where it stands."""
    order = order_at(meta, row)
    store(order, O_OPEN, load(order, O_OPEN) - from_open)
    if is_queued(order):
        level = load(order, O_PLACE) & LOW
        add(load(meta, LEVELS), level * LEVEL_WORDS + L_LOTS, -from_open)
        if from_hidden != 0:
            hide(load(meta, LEVELS), level, -from_hidden, 0)
    if from_hidden != 0:
        terms = terms_of(meta, row)
        store(terms, T_HIDDEN, load(terms, T_HIDDEN) - from_hidden)


@kernel
def _refill(meta, row, instrument_id):
    """Show the next slice, behind everybody at the price."""
    order = order_at(meta, row)
    terms = terms_of(meta, row)
    side = side_of(meta, row)
    kind = kind_of(order)
    hidden = load(terms, T_HIDDEN)
    take_off(meta, row)
    slice_lots = min(load(terms, T_DISPLAY), hidden)
    store(order, O_OPEN, slice_lots)
    store(terms, T_HIDDEN, hidden - slice_lots)
    if not put(meta, row, instrument_id, kind, load(order, O_PRICE)):
        finish(meta, row, side, instrument_id, EXPIRED, NO_ROOM)
        return
    tell_order(meta, row, side, instrument_id, REFILLED, 0, load(order, O_PRICE), hidden, load(order, O_OPEN))


@inner
def reduce(meta, row, instrument_id, lots, reason, is_shown_first):
    """Take lots off an order, from what is hidden first; one that has none left is cancelled."""
    call(meta, REDUCE, row, instrument_id, lots, reason, is_shown_first, 0)


@unit(REDUCE)
def _reduce(meta, row, instrument_id, lots, reason, is_shown_first, _f):
    order = order_at(meta, row)
    terms = terms_of(meta, row)
    shown = load(order, O_OPEN)
    hidden = hidden_lots(meta, row)
    side = side_of(meta, row)
    if lots >= shown + hidden:
        if reason == BECAUSE_LINKED and terms != 0 and load(terms, T_PARTNER) != 0:
            store(terms_of(meta, load(terms, T_PARTNER)), T_PARTNER, 0)
            store(terms, T_PARTNER, 0)
        finish(meta, row, side, instrument_id, CANCELLED, reason)
        return 0
    from_hidden = 0 if is_shown_first != 0 else min(lots, hidden)
    take_lots(meta, row, lots - from_hidden, from_hidden)
    tell_order(meta, row, side, instrument_id, REDUCED, reason, load(order, O_PRICE), lots, shown_lots(order))
    if load(order, O_OPEN) == 0:
        _refill(meta, row, instrument_id)
    return 0


@inner
def after_fill(meta, row, instrument_id, lots):
    """What a fill of a resting order brings about: its other leg shrinks, an iceberg shows more, it ends."""
    call(meta, AFTER_FILL, row, instrument_id, lots, 0, 0, 0)


@unit(AFTER_FILL)
def _after_fill(meta, row, instrument_id, lots, _d, _e, _f):
    order = order_at(meta, row)
    terms = terms_of(meta, row)
    if terms != 0:
        add(terms, T_FILLED, lots)
        if load(terms, T_PARTNER) != 0:
            reduce(meta, load(terms, T_PARTNER), instrument_id, lots, BECAUSE_LINKED, 0)
    if load(order, O_OPEN) == 0:
        if terms != 0 and load(terms, T_HIDDEN) != 0:
            _refill(meta, row, instrument_id)
        else:
            end(meta, row, instrument_id)
    return 0


@kernel
def enter(meta, row, order_id):
    """Make a row known by its order id."""
    store(order_at(meta, row), O_ID, order_id)
    remember_order(meta, load(meta, IDS), order_id, row)


@kernel
def state_of(meta, instrument_id):
    """The InstrumentState, zero when not listed."""
    return load(book_at(meta, instrument_id), B_STATE)


@kernel
def parked(meta, row, instrument_id):
    """Let an order wait for something else than a price; it expires where there is no room to."""
    if not put(meta, row, instrument_id, PARKED, 0):
        finish(meta, row, side_of(meta, row), instrument_id, EXPIRED, NO_ROOM)


@inner
def command_at(commands, position):
    """The address of a command."""
    return commands + position * (COMMAND_WORDS * 8)


@inner
def book_of(order):
    """The book that an order stands in."""
    return (load(order, O_PLACE) >> 32) & BOOK_MASK
