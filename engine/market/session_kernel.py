"""What concerns many orders at once: phases of a session, auctions, mass cancels, expiry, the kill switch.

Owns: the canonical walk over all orders, and the price of an auction. The rules are those of `naive_book.py`.
"""

from engine.compiled_kernel import inner, kernel
from engine.market.order_kernel import (
    AT_CLOSE,
    AT_OPEN,
    BECAUSE_LINKED,
    CANCELLED,
    EXPIRED,
    GTC,
    GTD,
    IS_AWAITING,
    IS_REDUCE_ONLY,
    MODE_SHIFT,
    TRADED,
    after_fill,
    book_at,
    event_word,
    finish,
    hidden_lots,
    is_on_book,
    life_of,
    order_at,
    reduce,
    refuse,
    side_of,
    take_lots,
    tell,
    tell_order,
    terms_of,
    type_of,
)
from engine.market.placing_kernel import (
    ASKED,
    BAD_PRICE,
    UNKNOWN_CODE,
    UNKNOWN_INSTRUMENT,
    instrument_asked,
    is_listed,
    side_asked,
)
from engine.market.price_index_kernel import key_below, level_of, price_of
from engine.market.requests import LARGEST_TICKS
from engine.market.running_kernel import (
    CLOSED,
    CLOSING,
    change_state,
    is_price,
    last_or_reference,
    limit_or_none,
    run,
    settle,
    trigger,
)
from engine.market.words_kernel import (
    ACT,
    ASKS,
    B_LAST,
    B_REFERENCE,
    B_STATE,
    B_WATCH,
    BIDS,
    BUY,
    BUY_STOPS,
    C_AT,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    C_TERMS,
    INSTRUMENT_LIMIT,
    IS_STOPPED,
    KIND_BITS,
    L_HIDDEN,
    L_LOTS,
    L_QUEUE,
    LEVEL_WORDS,
    LEVELS,
    LOW,
    NEXT_EXPIRY,
    NO_KEY,
    NO_PRICE,
    O_CLIENT,
    O_ID,
    O_LINKS,
    O_OPEN,
    O_OWNER,
    O_PRICE,
    O_TERMS,
    OPEN,
    ORDER_LIMIT,
    PARKED,
    READY,
    SCRATCH,
    SELL,
    SELL_STOPS,
    T_ENTRY,
    T_EXPIRES,
    T_PARTNER,
    T_TYPE,
    WATCH_STOPPED,
    unit,
)
from engine.memory_kernel import load, store
from schemas.codes import InstrumentState, MarketAction, MarketEventKind, MarketEventReason, OrderType

UNCROSSED = int(MarketEventKind.UNCROSSED)
PAIRED = int(MarketEventKind.PAIRED)
BECAUSE_OF_AUCTION = int(MarketEventReason.AUCTION)
DAY_END = int(MarketEventReason.DAY_END)
TIME = int(MarketEventReason.TIME)
MASS = int(MarketEventReason.MASS_CANCEL)
DISCONNECT = int(MarketEventReason.DISCONNECT)
REDUCE_ONLY = int(MarketEventReason.REDUCE_ONLY)
MASS_CANCEL = int(MarketAction.MASS_CANCEL)
SET_STATE = int(MarketAction.SET_STATE)
SET_REFERENCE = int(MarketAction.SET_REFERENCE)
EXPIRE = int(MarketAction.EXPIRE)
END_DAY = int(MarketAction.END_DAY)
SET_KILL_SWITCH = int(MarketAction.SET_KILL_SWITCH)
CUT_REDUCE_ONLY = int(MarketAction.CUT_REDUCE_ONLY)
LAST_STATE = int(InstrumentState.VOLATILITY_AUCTION)
MARKET = int(OrderType.MARKET)
NEVER = 1 << 62
ONE_SIDED, IS_DISCONNECT = 1 << 38, 1 << 39
KINDS = (BIDS, ASKS, BUY_STOPS, SELL_STOPS, PARKED, READY)


# Walking --------------------------------------------------------------------------------------------------


@kernel
def walk(meta, first, last, rows):
    """Write the rows of all orders of instruments first..last to an address, in canonical order.

    That is by instrument, kind of queue, key from the best, time. Returns how many; `rows` has room for every
    order that may live.
    """
    levels = load(meta, LEVELS)
    count = 0
    for instrument_id in range(first, last + 1):
        for kind in KINDS:
            key = load(book_at(meta, instrument_id), kind * 2)
            book = (instrument_id << KIND_BITS) | kind
            while key != NO_KEY:
                row = load(levels, level_of(meta, book, key) * LEVEL_WORDS + L_QUEUE) & LOW
                while row != 0:
                    store(rows, count, row)
                    count += 1
                    row = load(order_at(meta, row), O_LINKS) >> 32
                key = key_below(meta, book, key)
    return count


@kernel
def _collect(meta, first, last):
    """Note the rows of all orders, then their ids, in the scratch words. Returns how many."""
    rows = load(meta, SCRATCH)
    count = walk(meta, first, last, rows)
    ids = rows + (load(meta, ORDER_LIMIT) + 2) * 8
    for i in range(count):
        store(ids, i, load(order_at(meta, load(rows, i)), O_ID))
    return count


@inner
def _collected(meta, i):
    """The row of the i-th order noted, or zero when it has ended since."""
    rows = load(meta, SCRATCH)
    row = load(rows, i)
    noted = load(rows + (load(meta, ORDER_LIMIT) + 2) * 8, i)
    return row if load(order_at(meta, row), O_ID) == noted else 0


@inner
def _instrument_of(meta, row):
    return (load(order_at(meta, row), 5) >> (32 + KIND_BITS)) & 0xFFFFF


# Mass actions ---------------------------------------------------------------------------------------------


@kernel
def _is_meant(meta, command, word, row):
    """Whether a mass action asks for an order."""
    action = word & 0xFF
    order = order_at(meta, row)
    terms = terms_of(meta, row)
    if action == EXPIRE:
        expires = 0 if terms == 0 else load(terms, T_EXPIRES)
        return 0 < expires <= load(command, C_AT)
    if action == END_DAY:
        life = life_of(meta, row)
        return life != GTC and life != GTD
    account_id = load(command, C_OWNER) & LOW
    session_id = load(command, C_TERMS) >> 32
    if account_id != 0 and account_id != (load(order, O_OWNER) & LOW):
        return False
    if session_id != 0 and session_id != (load(order, O_TERMS) >> 32):
        return False
    if instrument_asked(word) != 0 and instrument_asked(word) != _instrument_of(meta, row):
        return False
    return (word & ONE_SIDED) == 0 or side_asked(word) == side_of(meta, row)


@kernel
def _end_all(meta, command, word):
    """End every order that is meant, in canonical order; then let each book settle."""
    action = word & 0xFF
    kind = CANCELLED if action == MASS_CANCEL else EXPIRED
    reason = DAY_END if action == END_DAY else TIME
    if action == MASS_CANCEL:
        reason = DISCONNECT if (word & IS_DISCONNECT) != 0 else MASS
    last = load(meta, INSTRUMENT_LIMIT)
    count = _collect(meta, 1, last)
    rows = load(meta, SCRATCH)
    for i in range(count):
        if not _is_meant(meta, command, word, load(rows, i)):
            store(rows, i, 0)
    for i in range(count):
        row = _collected(meta, i)
        if row != 0:
            finish(meta, row, side_of(meta, row), _instrument_of(meta, row), kind, reason)
    for instrument_id in range(1, last + 1):
        if load(book_at(meta, instrument_id), B_WATCH) != 0:
            settle(meta, instrument_id)
    if action == EXPIRE:
        _find_next_expiry(meta)


@kernel
def _find_next_expiry(meta):
    count = _collect(meta, 1, load(meta, INSTRUMENT_LIMIT))
    rows = load(meta, SCRATCH)
    earliest = NEVER
    for i in range(count):
        terms = terms_of(meta, load(rows, i))
        if terms != 0 and load(terms, T_EXPIRES) != 0:
            earliest = min(earliest, load(terms, T_EXPIRES))
    store(meta, NEXT_EXPIRY, earliest)


@kernel
def _cut_reduce_only(meta, command, word):
    """Take lots off an account's reduce-only orders of one side, in canonical order."""
    instrument_id = instrument_asked(word)
    if not is_listed(meta, instrument_id):
        return
    left = load(command, C_LOTS)
    count = _collect(meta, instrument_id, instrument_id)
    for i in range(count):
        row = _collected(meta, i)
        if row == 0 or left <= 0:
            continue
        order, terms = order_at(meta, row), terms_of(meta, row)
        if terms == 0 or (load(terms, T_TYPE) & IS_REDUCE_ONLY) == 0:
            continue
        if (load(order, O_OWNER) & LOW) != (load(command, C_OWNER) & LOW):
            continue
        if side_of(meta, row) != side_asked(word):
            continue
        lots = min(left, load(order, O_OPEN) + hidden_lots(meta, row))
        left -= lots
        reduce(meta, row, instrument_id, lots, REDUCE_ONLY, 0)
    settle(meta, instrument_id)


@kernel
def _stop_or_resume(meta, is_stopped):
    store(meta, IS_STOPPED, 1 if is_stopped != 0 else 0)
    for instrument_id in range(1, load(meta, INSTRUMENT_LIMIT) + 1):
        book = book_at(meta, instrument_id)
        bits = load(book, B_WATCH) & ~WATCH_STOPPED
        store(book, B_WATCH, bits | WATCH_STOPPED if is_stopped != 0 else bits)


# Auctions -------------------------------------------------------------------------------------------------


@inner
def _is_better(volume, imbalance, away, best_volume, best_imbalance, best_away):
    """The largest volume, then the smallest imbalance, then nearest to the reference."""
    if volume != best_volume:
        return volume > best_volume
    if imbalance != best_imbalance:
        return imbalance < best_imbalance
    return away < best_away


@kernel
def _gather(meta, instrument_id, kind, at):
    """Write price and lots of each level of a side to an address, from the best. Returns how many."""
    levels = load(meta, LEVELS)
    book = (instrument_id << KIND_BITS) | kind
    key = load(book_at(meta, instrument_id), kind * 2)
    count = 0
    while key != NO_KEY:
        level = level_of(meta, book, key) * LEVEL_WORDS
        store(at, count * 2, price_of(kind, key))
        store(at, count * 2 + 1, load(levels, level + L_LOTS) + load(levels, level + L_HIDDEN))
        count += 1
        key = key_below(meta, book, key)
    return count


@kernel
def indicative(meta, instrument_id):
    """Price, volume and imbalance (bids less asks) of an auction now; no volume when nothing would trade."""
    bids = load(meta, SCRATCH)
    asks = bids + (load(meta, ORDER_LIMIT) + 2) * 16
    bid_count = _gather(meta, instrument_id, BIDS, bids)
    ask_count = _gather(meta, instrument_id, ASKS, asks)
    reference = last_or_reference(book_at(meta, instrument_id))
    demand = 0
    for i in range(bid_count):
        demand += load(bids, i * 2 + 1)
    supply = 0
    best_volume, best_imbalance, best_away, best_price, best_sign = 0, 0, 0, 0, 0
    bid, ask = bid_count - 1, 0
    is_reference_next = reference != NO_PRICE and is_price(meta, instrument_id, reference)
    while bid >= 0 or ask < ask_count or is_reference_next:
        price = NEVER
        if bid >= 0:
            price = min(price, load(bids, bid * 2))
        if ask < ask_count:
            price = min(price, load(asks, ask * 2))
        if is_reference_next:
            price = min(price, reference)
            is_reference_next = price != reference
        if ask < ask_count and load(asks, ask * 2) == price:
            supply += load(asks, ask * 2 + 1)
            ask += 1
        if -LARGEST_TICKS <= price <= LARGEST_TICKS:
            volume = min(demand, supply)
            away = 0 if reference == NO_PRICE else abs(price - reference)
            imbalance = abs(demand - supply)
            if _is_better(volume, imbalance, away, best_volume, best_imbalance, best_away):
                best_volume, best_imbalance, best_away = volume, imbalance, away
                best_price, best_sign = price, demand - supply
        if bid >= 0 and load(bids, bid * 2) == price:
            demand -= load(bids, bid * 2 + 1)
            bid -= 1
    return best_price, best_volume, best_sign


@kernel
def _head(meta, instrument_id, kind):
    level = load(book_at(meta, instrument_id), kind * 2 + 1)
    return load(load(meta, LEVELS), level * LEVEL_WORDS + L_QUEUE) & LOW


@kernel
def _uncross(meta, instrument_id, price, left, imbalance):
    """Trade what the auction's price lets trade. Self-trade prevention has no part in an auction."""
    book = book_at(meta, instrument_id)
    word = event_word(UNCROSSED, BECAUSE_OF_AUCTION, BUY if imbalance >= 0 else SELL, instrument_id)
    tell(meta, word, 0, 0, price, left, abs(imbalance), 0, 0)
    while left > 0 and load(book, BIDS * 2) != NO_KEY and load(book, ASKS * 2) != NO_KEY:
        if price_of(BIDS, load(book, BIDS * 2)) < price or price_of(ASKS, load(book, ASKS * 2)) > price:
            break
        buyer_row, seller_row = _head(meta, instrument_id, BIDS), _head(meta, instrument_id, ASKS)
        buyer, seller = order_at(meta, buyer_row), order_at(meta, seller_row)
        terms = terms_of(meta, buyer_row)
        if terms != 0 and load(terms, T_PARTNER) == seller_row:
            store(terms, T_PARTNER, 0)
            store(terms_of(meta, seller_row), T_PARTNER, 0)
            finish(meta, seller_row, BUY + 1, instrument_id, CANCELLED, BECAUSE_LINKED)
            continue
        lots = min(min(load(buyer, O_OPEN), load(seller, O_OPEN)), left)
        left -= lots
        take_lots(meta, buyer_row, lots, 0)
        take_lots(meta, seller_row, lots, 0)
        store(book, B_LAST, price)
        limit = load(buyer, O_PRICE)
        tell_order(
            meta, buyer_row, BUY, instrument_id, PAIRED, BECAUSE_OF_AUCTION, limit, lots, load(buyer, O_OPEN)
        )
        accounts = (load(buyer, O_OWNER) & LOW) | ((load(seller, O_OWNER) & LOW) << 32)
        seller_id = load(seller, O_ID)
        tell(
            meta,
            event_word(TRADED, BECAUSE_OF_AUCTION, BUY, instrument_id),
            load(buyer, O_ID),
            seller_id,
            price,
            lots,
            load(seller, O_OPEN),
            accounts,
            load(seller, O_CLIENT),
        )
        after_fill(meta, buyer_row, instrument_id, lots)
        if load(seller, O_ID) == seller_id:
            after_fill(meta, seller_row, instrument_id, lots)


# Phases ---------------------------------------------------------------------------------------------------


@kernel
def _set_state(meta, command, word):
    instrument_id = instrument_asked(word)
    if not is_listed(meta, instrument_id):
        refuse(meta, command, UNKNOWN_INSTRUMENT)
        return
    new = load(command, C_LOTS)
    if new < OPEN or new > LAST_STATE:
        refuse(meta, command, UNKNOWN_CODE)
        return
    old = load(book_at(meta, instrument_id), B_STATE)
    is_closing = old == CLOSING and new == CLOSED
    if new == OPEN or is_closing:
        while True:
            price, volume, imbalance = indicative(meta, instrument_id)
            if volume == 0:
                break
            _uncross(meta, instrument_id, price, volume, imbalance)
    change_state(meta, instrument_id, new, ASKED)
    if new == OPEN or is_closing:
        _end_of_auction(meta, instrument_id, AT_OPEN if new == OPEN else AT_CLOSE)
    if new == CLOSING:
        _begin_closing(meta, instrument_id)
    settle(meta, instrument_id)


@kernel
def _end_of_auction(meta, instrument_id, life):
    """End what was for this auction only, and market orders that it left."""
    count = _collect(meta, instrument_id, instrument_id)
    for i in range(count):
        row = _collected(meta, i)
        if row == 0:
            continue
        order = order_at(meta, row)

        own = life_of(meta, row)
        is_left = is_on_book(order) and (type_of(meta, row) == MARKET or own == AT_CLOSE)
        if own == life or is_left:
            finish(meta, row, side_of(meta, row), instrument_id, EXPIRED, BECAUSE_OF_AUCTION)


@kernel
def _begin_closing(meta, instrument_id):
    """Bring what waited for the closing auction to the book."""
    count = _collect(meta, instrument_id, instrument_id)
    for i in range(count):
        row = _collected(meta, i)
        if row == 0 or life_of(meta, row) != AT_CLOSE:
            continue
        terms = terms_of(meta, row)
        is_waiting = (load(terms, T_TYPE) & IS_AWAITING) != 0 or load(terms, T_ENTRY) != 0
        if is_waiting or is_on_book(order_at(meta, row)):
            continue
        side = side_of(meta, row)
        mode = (load(terms, T_TYPE) >> MODE_SHIFT) & 7
        trigger(meta, row, instrument_id, side, BECAUSE_OF_AUCTION)
        run(meta, row, instrument_id, side, limit_or_none(terms), mode, AT_CLOSE)


@kernel
def _set_reference(meta, command, word):
    instrument_id = instrument_asked(word)
    price = load(command, C_PRICE)
    if not is_listed(meta, instrument_id):
        refuse(meta, command, UNKNOWN_INSTRUMENT)
    elif price > LARGEST_TICKS or price < -LARGEST_TICKS:
        refuse(meta, command, BAD_PRICE)
    else:
        store(book_at(meta, instrument_id), B_REFERENCE, price)


@unit(ACT)
def _act(meta, command, word, _c, _d, _e, _f):
    """Any action that is not of one order. Unknown ones are refused."""
    action = word & 0xFF
    if action == MASS_CANCEL or action == EXPIRE or action == END_DAY:
        _end_all(meta, command, word)
    elif action == SET_STATE:
        _set_state(meta, command, word)
    elif action == SET_REFERENCE:
        _set_reference(meta, command, word)
    elif action == SET_KILL_SWITCH:
        _stop_or_resume(meta, load(command, C_LOTS))
    elif action == CUT_REDUCE_ONLY:
        _cut_reduce_only(meta, command, word)
    else:
        refuse(meta, command, UNKNOWN_CODE)
    return 0
