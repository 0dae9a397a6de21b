"""An order's turn: it waits for its price or runs against the book, rests or ends; then everything settles.

Owns: prices that an order may have (ticks, bands), stops, trailing stops, pegged orders, and the phase of a
session. Does not own: admission of new orders (`placing_kernel.py`) and auctions (`session_kernel.py`).
"""

from engine.compiled_kernel import inner, kernel
from engine.market.crossing_kernel import BECAUSE_OF_SELF_TRADE, cross, worst_key_of
from engine.market.order_kernel import (
    AT_CLOSE,
    BECAUSE_LINKED,
    BECAUSE_OF_ENTRY,
    CANCELLED,
    EXPIRED,
    FOK,
    IOC,
    IS_AWAITING,
    LIFE_SHIFT,
    MARKET,
    MID,
    MODE_SHIFT,
    NO_ROOM,
    PRIMARY,
    REPRICED,
    RESTED,
    STATE_CHANGED,
    STOP,
    STOP_LIMIT,
    TRAILING,
    TRIGGERED,
    UNPRICED_TICKS,
    book_at,
    end,
    event_word,
    finish,
    is_on_book,
    is_queued,
    is_taking,
    kind_of,
    limit_of,
    order_at,
    parked,
    put,
    reduce,
    shown_lots,
    side_of,
    state_of,
    take_off,
    tell,
    tell_order,
    terms_of,
    type_of,
)
from engine.market.price_index_kernel import key_below, level_of, price_of
from engine.market.requests import BPS, LARGEST_TICKS, MOST_PEG_MOVES
from engine.market.words_kernel import (
    ASKS,
    B_DYNAMIC,
    B_LAST,
    B_PEGGED,
    B_RATCHET,
    B_REFERENCE,
    B_STATE,
    B_STATIC,
    B_TICK_ROW,
    B_TRAILING,
    B_WATCH,
    BIDS,
    BOOKS,
    BUY,
    BUY_STOPS,
    CROSS_ROW,
    EVENT_COUNT,
    EVENTS,
    IDS,
    KIND_BITS,
    L_COUNT,
    L_QUEUE,
    LEVEL_WORDS,
    LEVELS,
    LOW,
    NO_KEY,
    NO_PRICE,
    NODES,
    O_CLIENT,
    O_ID,
    O_OPEN,
    O_OWNER,
    O_PRICE,
    OPEN,
    ORDERS,
    PARKED,
    PLACE_IN_BATCH,
    READY,
    RUN,
    SELL_STOPS,
    SETTLE,
    START,
    T_DISPLAY,
    T_ENTRY,
    T_FILLED,
    T_FOLLOWER,
    T_HIDDEN,
    T_LIMIT,
    T_OFFSET,
    T_PARTNER,
    T_STOP,
    T_TRAIL,
    T_TYPE,
    TICK_WORDS,
    TICKS,
    WATCH_BANDS,
    WATCH_PEGS,
    WATCH_READY,
    WATCH_STATE,
    WATCH_STOPS,
    WATCH_TRAILS,
    call,
    unit,
)
from engine.memory_kernel import add, load, store
from schemas.codes import InstrumentState, MarketEventReason

HALTED = int(InstrumentState.HALTED)
CLOSED = int(InstrumentState.CLOSED)
CLOSING = int(InstrumentState.CLOSING_AUCTION)
VOLATILITY = int(InstrumentState.VOLATILITY_AUCTION)
UNFILLED = int(MarketEventReason.UNFILLED)
BECAUSE_OF_STOP = int(MarketEventReason.STOP)
OUTSIDE_BAND = int(MarketEventReason.PRICE_BAND)
BREAKER = int(MarketEventReason.CIRCUIT_BREAKER)
NO_LIMIT = NO_PRICE


# Prices ---------------------------------------------------------------------------------------------------


@kernel
def step_at(meta, instrument_id, price):
    """The distance of prices at a price."""
    row = load(book_at(meta, instrument_id), B_TICK_ROW)
    if row == 0:
        return 1
    table = load(meta, TICKS) + row * (TICK_WORDS * 8)
    step = 1
    for band in range(TICK_WORDS // 2):
        if price >= load(table, band * 2):
            step = load(table, band * 2 + 1)
    return step


@kernel
def is_price(meta, instrument_id, price):
    """Whether an order may have this price."""
    if price > LARGEST_TICKS or price < -LARGEST_TICKS:
        return False
    return price % step_at(meta, instrument_id, price) == 0


@kernel
def step_down(meta, instrument_id, price):
    """The highest price at or below."""
    return price - price % step_at(meta, instrument_id, price)


@kernel
def step_up(meta, instrument_id, price):
    """The lowest price at or above."""
    return price + (-price) % step_at(meta, instrument_id, price)


@inner
def is_in_call(state):
    """Whether orders are collected for an auction."""
    return state > CLOSED


@inner
def last_or_reference(book):
    """The last trade, else the reference price, else NO_PRICE."""
    last = load(book, B_LAST)
    return load(book, B_REFERENCE) if last == NO_PRICE else last


@inner
def _reach(price, share_bps):
    return abs(price) * share_bps // BPS


@kernel
def static_band(meta, instrument_id):
    """Lowest and highest price that the circuit breaker lets trade."""
    book = book_at(meta, instrument_id)
    around = load(book, B_REFERENCE)
    share = load(book, B_STATIC)
    if share == 0 or around == NO_PRICE:
        return -LARGEST_TICKS - 1, LARGEST_TICKS + 1
    return around - _reach(around, share), around + _reach(around, share)


@kernel
def band(meta, instrument_id):
    """Lowest and highest price at which anything may trade now."""
    low, high = static_band(meta, instrument_id)
    book = book_at(meta, instrument_id)
    around = last_or_reference(book)
    share = load(book, B_DYNAMIC)
    if share != 0 and around != NO_PRICE:
        low = max(low, around - _reach(around, share))
        high = min(high, around + _reach(around, share))
    return low, high


@kernel
def best_price(meta, instrument_id, kind):
    """The best price of a queue, or NO_PRICE."""
    key = load(book_at(meta, instrument_id), kind * 2)
    return NO_PRICE if key == NO_KEY else price_of(kind, key)


@kernel
def would_take(meta, instrument_id, side, limit):
    """Whether an order with this limit would meet somebody."""
    return load(book_at(meta, instrument_id), (2 - side) * 2) >= worst_key_of(side, limit)


@kernel
def price_that_rests(meta, instrument_id, side, limit):
    """The limit, or one step behind the best price of the other side where it would take."""
    if state_of(meta, instrument_id) != OPEN or not would_take(meta, instrument_id, side, limit):
        return limit
    best = best_price(meta, instrument_id, 2 - side)
    if side == BUY:
        return step_down(meta, instrument_id, best - 1)
    return step_up(meta, instrument_id, best + 1)


# Phases ---------------------------------------------------------------------------------------------------


@kernel
def change_state(meta, instrument_id, state, reason):
    """Enter a phase, and tell."""
    book = book_at(meta, instrument_id)
    store(book, B_STATE, state)
    bits = load(book, B_WATCH) & ~WATCH_STATE
    store(book, B_WATCH, bits if state == OPEN else bits | WATCH_STATE)
    tell(meta, event_word(STATE_CHANGED, reason, BUY, instrument_id), 0, 0, 0, state, 0, 0, 0)


# Running --------------------------------------------------------------------------------------------------


@unit(CROSS_ROW)
def _cross_row(meta, row, instrument_id, side, worst_key, mode, _f):
    """Cross with a row that has no queue now. Returns twice the lots traded, plus one if it ended itself."""
    order = order_at(meta, row)
    owner = load(order, O_OWNER)
    if (owner >> 32) == 0:
        mode = 0
    count, leaves, traded, is_over = cross(
        meta,
        load(meta, ORDERS),
        load(meta, LEVELS),
        load(meta, NODES),
        load(meta, BOOKS),
        load(meta, IDS),
        load(meta, EVENTS),
        load(meta, EVENT_COUNT),
        row,
        instrument_id,
        side,
        worst_key,
        load(order, O_OPEN),
        load(order, O_ID),
        owner,
        load(order, O_CLIENT),
        mode,
        load(meta, PLACE_IN_BATCH),
    )
    store(meta, EVENT_COUNT, count)
    store(order, O_OPEN, leaves)
    return traded * 2 + is_over


@inner
def run(meta, row, instrument_id, side, limit, mode, life):
    """Cross, then rest or end. Only in continuous trading does anything cross. NO_LIMIT takes any price."""
    call(meta, RUN, row, instrument_id, side, limit, mode, life)


@unit(RUN)
def _run(meta, row, instrument_id, side, limit, mode, life):
    order = order_at(meta, row)
    book = book_at(meta, instrument_id)
    traded, is_over, breach = 0, 0, 0
    if load(book, B_STATE) == OPEN:
        wanted = 0 if limit == NO_LIMIT else worst_key_of(side, limit)
        worst_key = wanted
        is_banded = (load(book, B_WATCH) & WATCH_BANDS) != 0
        is_outside = False
        if is_banded:
            low, high = band(meta, instrument_id)
            best = best_price(meta, instrument_id, 2 - side)
            is_outside = best != NO_PRICE and (best < low or best > high)
            worst_key = max(wanted, worst_key_of(side, high if side == BUY else low))
        if not is_outside:
            crossed = call(meta, CROSS_ROW, row, instrument_id, side, worst_key, mode, 0)
            traded, is_over = crossed >> 1, crossed & 1
        is_more = is_over == 0 and load(order, O_OPEN) > 0
        if is_banded and is_more and load(book, (2 - side) * 2) >= max(wanted, 0):
            low, high = static_band(meta, instrument_id)
            best = best_price(meta, instrument_id, 2 - side)
            breach = OUTSIDE_BAND if low <= best <= high else BREAKER
    terms = terms_of(meta, row)
    if terms != 0:
        add(terms, T_FILLED, traded)
        if traded != 0 and load(terms, T_PARTNER) != 0:
            reduce(meta, load(terms, T_PARTNER), instrument_id, traded, BECAUSE_LINKED, 0)
    if breach != 0:
        change_state(meta, instrument_id, HALTED if breach == BREAKER else VOLATILITY, breach)
    if load(order, O_OPEN) == 0:
        end(meta, row, instrument_id)
    elif is_over != 0:
        finish(meta, row, side, instrument_id, CANCELLED, BECAUSE_OF_SELF_TRADE)
    elif life == IOC or life == FOK:
        finish(meta, row, side, instrument_id, EXPIRED, UNFILLED)
    else:
        kind = type_of(meta, row)
        is_called = kind == MARKET and breach == 0 and is_in_call(load(book, B_STATE))
        if is_taking(kind) and not is_called:
            finish(meta, row, side, instrument_id, EXPIRED, UNFILLED)
        elif limit == NO_LIMIT:
            _rest(meta, row, instrument_id, side, UNPRICED_TICKS if side == BUY else -UNPRICED_TICKS)
        else:
            _rest(meta, row, instrument_id, side, limit)
    return 0


@kernel
def _rest(meta, row, instrument_id, side, price):
    order = order_at(meta, row)
    terms = terms_of(meta, row)
    lots = load(order, O_OPEN)
    if terms != 0 and load(terms, T_DISPLAY) != 0:
        shown = min(load(terms, T_DISPLAY), lots)
        store(terms, T_HIDDEN, lots - shown)
        store(order, O_OPEN, shown)
    if not put(meta, row, instrument_id, side - BUY, price):
        finish(meta, row, side, instrument_id, EXPIRED, NO_ROOM)
    elif terms != 0:
        tell_order(meta, row, side, instrument_id, RESTED, 0, price, lots, load(order, O_OPEN))


@inner
def start(meta, row, instrument_id, side, mode, life):
    """Let an order wait for its entry, the close or its price, or go to the book."""
    call(meta, START, row, instrument_id, side, mode, life, 0)


@inner
def limit_or_none(terms):
    """The limit or the protection of an order with terms, NO_LIMIT where it has neither."""
    limit = load(terms, T_LIMIT)
    return NO_LIMIT if limit == 0 and is_taking(load(terms, T_TYPE) & 0xFF) else limit


@unit(START)
def _start(meta, row, instrument_id, side, mode, life, _f):
    terms = terms_of(meta, row)
    if terms == 0:
        limit = NO_LIMIT if type_of(meta, row) == MARKET else load(order_at(meta, row), O_PRICE)
        run(meta, row, instrument_id, side, limit, mode, life)
        return 0
    state = state_of(meta, instrument_id)
    kind = load(terms, T_TYPE) & 0xFF
    is_waiting = (load(terms, T_TYPE) & IS_AWAITING) != 0 or load(terms, T_ENTRY) != 0
    if is_waiting or (life == AT_CLOSE and state != CLOSING):
        parked(meta, row, instrument_id)
    elif kind == STOP or kind == STOP_LIMIT:
        _arm(meta, row, instrument_id, side, load(terms, T_STOP))
    elif kind == TRAILING:
        last = load(book_at(meta, instrument_id), B_LAST)
        if last == NO_PRICE:
            parked(meta, row, instrument_id)
        else:
            _arm(meta, row, instrument_id, side, _behind(terms, side, last))
    elif kind == PRIMARY or kind == MID:
        _peg(meta, row, instrument_id, side, mode, life)
    else:
        run(meta, row, instrument_id, side, limit_or_none(terms), mode, life)
    return 0


@kernel
def _arm(meta, row, instrument_id, side, stop):
    if not put(meta, row, instrument_id, BUY_STOPS if side == BUY else SELL_STOPS, stop):
        finish(meta, row, side, instrument_id, EXPIRED, NO_ROOM)


@inner
def _behind(terms, side, last):
    """The stop of a trailing order after a trade, kept within the prices that there are."""
    trail = load(terms, T_TRAIL)
    stop = last + trail if side == BUY else last - trail
    return max(-LARGEST_TICKS, min(LARGEST_TICKS, stop))


@kernel
def trigger(meta, row, instrument_id, side, reason):
    """Take a waiting order from its queue, and tell that its turn has come."""
    take_off(meta, row)
    lots = load(order_at(meta, row), O_OPEN)
    tell_order(meta, row, side, instrument_id, TRIGGERED, reason, limit_of(meta, row), lots, 0)


# Settling -------------------------------------------------------------------------------------------------


@inner
def settle(meta, instrument_id):
    """Run what was set free, then the stops that the last trade reached, then pegs, until all is quiet."""
    call(meta, SETTLE, instrument_id, 0, 0, 0, 0, 0)


@unit(SETTLE)
def _settle(meta, instrument_id, _b, _c, _d, _e, _f):
    book = book_at(meta, instrument_id)
    moves = 0
    _ratchet(meta, instrument_id)  # an auction's trades are followed too
    while load(book, B_STATE) == OPEN:
        _ratchet(meta, instrument_id)
        if load(book, READY * 2) != NO_KEY:
            row = load(load(meta, LEVELS), load(book, READY * 2 + 1) * LEVEL_WORDS + L_QUEUE) & LOW
            _run_waiting(meta, row, instrument_id, BECAUSE_OF_ENTRY)
            continue
        row = _reached_stop(meta, instrument_id)
        if row != 0:
            _run_waiting(meta, row, instrument_id, BECAUSE_OF_STOP)
            continue
        if moves == MOST_PEG_MOVES or not _move_one_peg(meta, instrument_id):
            break
        moves += 1
    bits = load(book, B_WATCH) & ~(WATCH_STOPS | WATCH_READY | WATCH_PEGS | WATCH_TRAILS)
    if load(book, BUY_STOPS * 2) != NO_KEY or load(book, SELL_STOPS * 2) != NO_KEY:
        bits |= WATCH_STOPS
    if load(book, READY * 2) != NO_KEY:
        bits |= WATCH_READY
    if load(book, B_PEGGED) != 0:
        bits |= WATCH_PEGS
    if load(book, B_TRAILING) != 0:
        bits |= WATCH_TRAILS
    store(book, B_WATCH, bits)
    return 0


@kernel
def _run_waiting(meta, row, instrument_id, reason):
    terms = terms_of(meta, row)
    side = side_of(meta, row)
    mode = (load(terms, T_TYPE) >> MODE_SHIFT) & 7
    life = (load(terms, T_TYPE) >> LIFE_SHIFT) & 0xFF
    if reason == BECAUSE_OF_STOP:
        trigger(meta, row, instrument_id, side, reason)
        run(meta, row, instrument_id, side, limit_or_none(terms), mode, life)
        return
    trigger(meta, row, instrument_id, side, reason)
    start(meta, row, instrument_id, side, mode, life)


@kernel
def _reached_stop(meta, instrument_id):
    """The first stop that the last trade has reached, or zero."""
    book = book_at(meta, instrument_id)
    last = load(book, B_LAST)
    if last == NO_PRICE:
        return 0
    for kind in (BUY_STOPS, SELL_STOPS):
        key = load(book, kind * 2)
        if key == NO_KEY:
            continue
        stop = price_of(kind, key)
        if (stop <= last) if kind == BUY_STOPS else (stop >= last):
            return load(load(meta, LEVELS), load(book, kind * 2 + 1) * LEVEL_WORDS + L_QUEUE) & LOW
    return 0


@kernel
def _ratchet(meta, instrument_id):
    """Let trailing stops follow the last trade, by order id."""
    book = book_at(meta, instrument_id)
    last = load(book, B_LAST)
    if last == NO_PRICE or last == load(book, B_RATCHET):
        return
    store(book, B_RATCHET, last)
    row = load(book, B_TRAILING)
    while row != 0:
        terms = terms_of(meta, row)
        behind = load(terms, T_FOLLOWER)
        order = order_at(meta, row)
        is_waiting = (load(terms, T_TYPE) & IS_AWAITING) != 0 or load(terms, T_ENTRY) != 0
        if not is_waiting and is_queued(order) and kind_of(order) != READY:
            side = side_of(meta, row)
            closer = _behind(terms, side, last)
            stop = load(order, O_PRICE)
            is_new = kind_of(order) == PARKED
            if is_new or (closer < stop if side == BUY else closer > stop):
                _arm(meta, row, instrument_id, side, closer)
        row = behind


@kernel
def _best_unpegged(meta, instrument_id, kind):
    """The best price of a side where an order stands that is not pegged, or NO_PRICE."""
    key = load(book_at(meta, instrument_id), kind * 2)
    book = (instrument_id << KIND_BITS) | kind
    while key != NO_KEY:
        count = load(load(meta, LEVELS), level_of(meta, book, key) * LEVEL_WORDS + L_COUNT)
        if (count & LOW) > (count >> 32):
            return price_of(kind, key)
        key = key_below(meta, book, key)
    return NO_PRICE


@kernel
def _pegged_price(meta, row, instrument_id, side):
    """The price that a pegged order belongs to, or NO_PRICE."""
    terms = terms_of(meta, row)
    bid = _best_unpegged(meta, instrument_id, BIDS)
    ask = _best_unpegged(meta, instrument_id, ASKS)
    if (load(terms, T_TYPE) & 0xFF) == PRIMARY:
        base = bid if side == BUY else ask
    elif bid == NO_PRICE or ask == NO_PRICE:
        base = NO_PRICE
    else:
        base = (bid + ask) >> 1 if side == BUY else -((-bid - ask) >> 1)
    if base == NO_PRICE:
        return NO_PRICE
    limit = load(terms, T_LIMIT)
    offset = load(terms, T_OFFSET)
    if side == BUY:
        price = step_down(meta, instrument_id, min(base - offset, limit))
    else:
        price = step_up(meta, instrument_id, max(base + offset, limit))
    return price if is_price(meta, instrument_id, price) else NO_PRICE


@kernel
def _peg(meta, row, instrument_id, side, mode, life):
    """Go to the price of today's best, or wait where there is none."""
    price = _pegged_price(meta, row, instrument_id, side)
    if price == NO_PRICE:
        parked(meta, row, instrument_id)
    else:
        run(meta, row, instrument_id, side, price, mode, life)


@kernel
def _move_one_peg(meta, instrument_id):
    """Move the pegged order with the lowest id that is not where it belongs; whether there was one."""
    row = load(book_at(meta, instrument_id), B_PEGGED)
    while row != 0:
        terms = terms_of(meta, row)
        order = order_at(meta, row)
        if (load(terms, T_TYPE) & IS_AWAITING) == 0 and load(terms, T_ENTRY) == 0:
            side = side_of(meta, row)
            price = _pegged_price(meta, row, instrument_id, side)
            now = load(order, O_PRICE) if is_on_book(order) else NO_PRICE
            if price != now:
                to = 0 if price == NO_PRICE else price
                lots, shown = load(order, O_OPEN), shown_lots(order)
                tell_order(meta, row, side, instrument_id, REPRICED, 0, to, lots, shown)
                take_off(meta, row)
                mode = (load(terms, T_TYPE) >> MODE_SHIFT) & 7
                life = (load(terms, T_TYPE) >> LIFE_SHIFT) & 0xFF
                _peg(meta, row, instrument_id, side, mode, life)
                return True
        row = load(terms, T_FOLLOWER)
    return False
