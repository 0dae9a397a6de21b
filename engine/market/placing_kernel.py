"""Commands of one order, in full: every type, life, term and phase.

Owns: the ladder of refusals, placing, replacing and cancelling. `matching_kernel.py` takes the common ones
first. The rules are those of `naive_book.py`, in the same order.
"""

from engine.compiled_kernel import inner, kernel
from engine.market.crossing_kernel import worst_key_of
from engine.market.order_id_kernel import find_order
from engine.market.order_kernel import (
    ACCEPTED,
    AT_CLOSE,
    AT_OPEN,
    CANCELLED,
    DAY,
    FOK,
    GTC,
    GTD,
    IOC,
    IS_AWAITING,
    LIFE_SHIFT,
    LIMIT,
    MARKET,
    MID,
    MODE_SHIFT,
    PRIMARY,
    REPLACED,
    STOP,
    STOP_LIMIT,
    TRAILING,
    UNPRICED_TICKS,
    attach_terms,
    book_at,
    book_of,
    count_slices,
    enter,
    finish,
    follow,
    hidden_lots,
    is_on_book,
    life_of,
    limit_of,
    order_at,
    refuse,
    shown_lots,
    side_of,
    take_lots,
    take_off,
    take_row,
    tell_order,
    terms_of,
    type_of,
)
from engine.market.price_index_kernel import key_below, level_of, price_of
from engine.market.requests import LARGEST_LOTS, LARGEST_ORDER_ID, LARGEST_TICKS, MOST_SLICES
from engine.market.running_kernel import (
    CLOSED,
    HALTED,
    NO_LIMIT,
    band,
    is_in_call,
    is_price,
    price_that_rests,
    run,
    settle,
    start,
    state_of,
    would_take,
)
from engine.market.words_kernel import (
    BUY,
    C_AT,
    C_CLIENT,
    C_ID,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    C_TERMS,
    CANCEL,
    IDS,
    INSTRUMENT_LIMIT,
    IS_STOPPED,
    KIND_BITS,
    L_QUEUE,
    LEVEL_WORDS,
    LEVELS,
    LIVE_COUNT,
    LOW,
    NEXT_EXPIRY,
    NO_KEY,
    O_CLIENT,
    O_LINKS,
    O_OPEN,
    O_OWNER,
    O_PLACE,
    O_PRICE,
    O_TERMS,
    OPEN,
    ORDER_LIMIT,
    ORDERS,
    OUTLIVES_DAY,
    PLACE,
    REPLACE,
    SELL,
    T_CHILD,
    T_DISPLAY,
    T_ENTRY,
    T_EXPIRES,
    T_HIDDEN,
    T_LIMIT,
    T_OFFSET,
    T_PARTNER,
    T_STOP,
    T_TRAIL,
    T_TYPE,
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
    unit,
)
from engine.memory_kernel import load, store
from schemas.codes import (
    InstrumentState,
    MarketEventReason,
    OrderLink,
    PostOnly,
    RejectReason,
    SelfTradePrevention,
)

OK = int(RejectReason.NONE)
UNKNOWN_INSTRUMENT = int(RejectReason.UNKNOWN_INSTRUMENT)
UNKNOWN_CODE = int(RejectReason.UNKNOWN_CODE)
TRADING_STOPPED = int(RejectReason.TRADING_STOPPED)
INSTRUMENT_HALTED = int(RejectReason.INSTRUMENT_HALTED)
INSTRUMENT_CLOSED = int(RejectReason.INSTRUMENT_CLOSED)
WRONG_SESSION = int(RejectReason.WRONG_SESSION)
BAD_QUANTITY = int(RejectReason.BAD_QUANTITY)
BAD_PRICE = int(RejectReason.BAD_PRICE)
DUPLICATE_ID = int(RejectReason.DUPLICATE_ID)
BAD_TERMS = int(RejectReason.BAD_TERMS)
BAD_LINK = int(RejectReason.BAD_LINK)
BOOK_FULL = int(RejectReason.BOOK_FULL)
WOULD_TAKE = int(RejectReason.WOULD_TAKE)
CANNOT_FILL = int(RejectReason.CANNOT_FILL)
UNKNOWN_ORDER = int(RejectReason.UNKNOWN_ORDER)
NOT_AMENDABLE = int(RejectReason.NOT_AMENDABLE)
ASKED = int(MarketEventReason.ASKED)
PRIORITY_KEPT = int(MarketEventReason.PRIORITY_KEPT)
LAST_MODE = int(SelfTradePrevention.DECREMENT)
CANCEL_RESTING = int(SelfTradePrevention.CANCEL_RESTING)
REJECT, REPRICE = int(PostOnly.REJECT), int(PostOnly.REPRICE)
NO_LINK, OCO = int(OrderLink.NONE), int(OrderLink.OCO)
AWAIT, ENTRY = int(OrderLink.AWAIT), int(OrderLink.ENTRY)
PRE_OPEN, OPENING = int(InstrumentState.PRE_OPEN), int(InstrumentState.OPENING_AUCTION)


# Reading a command ----------------------------------------------------------------------------------------


@inner
def side_asked(word):
    """Side of a command's first word."""
    return (word >> 8) & 0xFF


@inner
def type_asked(word):
    """OrderType of a command's first word."""
    return (word >> 16) & 0xFF


@inner
def life_asked(word):
    """TimeInForce of a command's first word."""
    return (word >> 24) & 0xFF


@inner
def post_only_asked(word):
    """PostOnly of a command's first word."""
    return (word >> 32) & 3


@inner
def mode_asked(word):
    """SelfTradePrevention of a command's first word."""
    return (word >> 34) & 7


@inner
def instrument_asked(word):
    """instrument_id of a command's first word."""
    return (word >> 40) & 0x7FFFF


@inner
def term(meta, command, at):
    """One of the command's terms; zero where it has none."""
    row = load(command, C_TERMS) & LOW
    if row == 0:
        return 0
    return load(load(meta, TERMS), row * TERMS_WORDS + at)


@inner
def is_listed(meta, instrument_id):
    """Whether there is such an instrument."""
    return 0 < instrument_id <= load(meta, INSTRUMENT_LIMIT) and state_of(meta, instrument_id) != 0


@inner
def may_rest(life):
    """Whether an order with this life stays when it is not filled at once."""
    return life != IOC and life != FOK


@inner
def is_priced(kind):
    """Whether an order of this type has a limit."""
    return kind == LIMIT or kind == STOP_LIMIT or kind == PRIMARY or kind == MID


# Placing --------------------------------------------------------------------------------------------------


@kernel
def is_sensible(meta, command, word):
    """Whether the codes are known and make sense together."""
    side, kind, life, post_only = side_asked(word), type_asked(word), life_asked(word), post_only_asked(word)
    if side < BUY or side > SELL or kind < LIMIT or kind > MID or life < DAY or life > AT_CLOSE:
        return False
    if post_only > REPRICE or mode_asked(word) > LAST_MODE:
        return False
    link = term(meta, command, X_LINK)
    if link < NO_LINK or link > ENTRY:
        return False
    if post_only != 0 and (kind != LIMIT or not may_rest(life)):
        return False
    if kind == MARKET and (life == GTC or life == GTD):
        return False
    return not (kind > MARKET and life != DAY and life != GTC and life != GTD)


@kernel
def _reason_of_session(state, kind, life, minimum):
    if state == HALTED:
        return INSTRUMENT_HALTED
    if state == CLOSED:
        return INSTRUMENT_CLOSED
    if is_in_call(state) and (life == IOC or life == FOK or kind == PRIMARY or kind == MID):
        return WRONG_SESSION
    if is_in_call(state) and minimum != 0 and life != AT_CLOSE:
        return WRONG_SESSION
    if life == AT_OPEN and state != PRE_OPEN and state != OPENING:
        return WRONG_SESSION
    return OK


@kernel
def _has_sound_terms(meta, command, word, instrument_id):
    """Whether every term belongs to the order's type and lies within bounds."""
    kind, life, lots = type_asked(word), life_asked(word), load(command, C_LOTS)
    has_stop = kind == STOP or kind == STOP_LIMIT
    stop = term(meta, command, X_STOP)
    trail = term(meta, command, X_TRAIL)
    expires = term(meta, command, X_EXPIRES)
    offset = term(meta, command, X_OFFSET)
    display = term(meta, command, X_DISPLAY)
    minimum = term(meta, command, X_MINIMUM)
    if (stop != 0 and not has_stop) or (trail != 0 and kind != TRAILING) or (expires != 0 and life != GTD):
        return False
    if offset != 0 and kind != PRIMARY and kind != MID:
        return False
    if display != 0 and (kind != LIMIT or not may_rest(life)):
        return False
    if minimum != 0 and (kind > MARKET or life == FOK):
        return False
    if has_stop and not is_price(meta, instrument_id, stop):
        return False
    if kind == TRAILING and (trail < 1 or trail > LARGEST_TICKS):
        return False
    if life == GTD and expires <= load(command, C_AT):
        return False
    is_picky = minimum != 0 or post_only_asked(word) != 0
    if is_picky and (life == AT_CLOSE or (minimum != 0 and post_only_asked(word) != 0)):
        return False
    if offset < 0 or offset > LARGEST_TICKS or minimum < 0 or minimum > lots:
        return False
    if display < 0 or display > LARGEST_LOTS:
        return False
    return display == 0 or (display >= lots or lots <= display * MOST_SLICES)


@kernel
def _has_sound_link(meta, command, word, instrument_id):
    link = term(meta, command, X_LINK)
    linked_id = term(meta, command, X_LINKED)
    is_picky = term(meta, command, X_MINIMUM) != 0 or post_only_asked(word) != 0
    if link == NO_LINK:
        return linked_id == 0
    if link == AWAIT:
        return linked_id == 0 and may_rest(life_asked(word)) and not is_picky
    linked = 0
    if 0 < linked_id <= LARGEST_ORDER_ID:
        linked = find_order(meta, load(meta, IDS), load(meta, ORDERS), linked_id)
    if linked == 0:
        return False
    order = order_at(meta, linked)
    if (load(order, O_OWNER) & LOW) != (load(command, C_OWNER) & LOW):
        return False
    if (book_of(order) >> KIND_BITS) != instrument_id:
        return False
    terms = terms_of(meta, linked)
    is_awaiting = terms != 0 and (load(terms, T_TYPE) & IS_AWAITING) != 0
    if link == ENTRY:
        return is_awaiting
    is_free = terms == 0 or (load(terms, T_PARTNER) == 0 and load(terms, T_CHILD) == 0)
    is_waiting = is_awaiting or (terms != 0 and load(terms, T_ENTRY) != 0)
    return is_free and may_rest(life_asked(word)) and not (is_waiting and is_picky)


@kernel
def fillable(meta, instrument_id, side, limit, wanted, mode, group):
    """Lots that an order is sure to get at once, counted up to what it wants; NO_LIMIT takes any price.

    It gets nothing behind a price outside of the bands, nor behind one of its own group, unless those are
    cancelled. Orders that another one's fill may shrink do not count.
    """
    kind = 2 - side
    book = (instrument_id << KIND_BITS) | kind
    worst_key = 0 if limit == NO_LIMIT else worst_key_of(side, limit)
    low, high = band(meta, instrument_id)
    levels = load(meta, LEVELS)
    key, found = load(book_at(meta, instrument_id), kind * 2), 0
    while key != NO_KEY and key >= worst_key and found < wanted:
        price = price_of(kind, key)
        if price < low or price > high:
            break
        row = load(levels, level_of(meta, book, key) * LEVEL_WORDS + L_QUEUE) & LOW
        hidden = 0
        while row != 0 and found < wanted:
            order, terms = order_at(meta, row), terms_of(meta, row)
            if mode != 0 and group != 0 and (load(order, O_OWNER) >> 32) == group:
                if mode != CANCEL_RESTING:
                    return found
            elif terms == 0 or load(terms, T_PARTNER) == 0:
                found += load(order, O_OPEN)
                hidden += hidden_lots(meta, row)
            row = load(order, O_LINKS) >> 32
        found += hidden
        key = key_below(meta, book, key)
    return found


@kernel
def _reason_against(meta, command, word):
    """The first rung of the ladder that says no."""
    instrument_id = instrument_asked(word)
    if not is_listed(meta, instrument_id):
        return UNKNOWN_INSTRUMENT
    if not is_sensible(meta, command, word):
        return UNKNOWN_CODE
    if load(meta, IS_STOPPED) != 0:
        return TRADING_STOPPED
    side, kind, life = side_asked(word), type_asked(word), life_asked(word)
    state = state_of(meta, instrument_id)
    reason = _reason_of_session(state, kind, life, term(meta, command, X_MINIMUM))
    if reason != OK:
        return reason
    lots, price, order_id = load(command, C_LOTS), load(command, C_PRICE), load(command, C_ID)
    if lots < 1 or lots > LARGEST_LOTS:
        return BAD_QUANTITY
    if (is_priced(kind) or price != 0) and not is_price(meta, instrument_id, price):
        return BAD_PRICE
    if order_id < 1 or order_id > LARGEST_ORDER_ID:
        return DUPLICATE_ID
    if find_order(meta, load(meta, IDS), load(meta, ORDERS), order_id) != 0:
        return DUPLICATE_ID
    if not _has_sound_terms(meta, command, word, instrument_id):
        return BAD_TERMS
    if not _has_sound_link(meta, command, word, instrument_id):
        return BAD_LINK
    is_gone = kind == MARKET and life == DAY and state == OPEN and term(meta, command, X_LINK) == NO_LINK
    if may_rest(life) and not is_gone and load(meta, LIVE_COUNT) >= load(meta, ORDER_LIMIT):
        return BOOK_FULL
    if state == OPEN and (kind == LIMIT or kind == MARKET):
        return _reason_of_book(meta, command, word, instrument_id, side, kind, life)
    return OK


@kernel
def _reason_of_book(meta, command, word, instrument_id, side, kind, life):
    """What the book must allow before the order may enter it."""
    price, lots = load(command, C_PRICE), load(command, C_LOTS)
    if post_only_asked(word) == REJECT and would_take(meta, instrument_id, side, price):
        return WOULD_TAKE
    is_moving = post_only_asked(word) == REPRICE
    if is_moving and not is_price(meta, instrument_id, price_that_rests(meta, instrument_id, side, price)):
        return WOULD_TAKE
    wanted = lots if life == FOK else term(meta, command, X_MINIMUM)
    if wanted > 0:
        limit = NO_LIMIT if kind == MARKET and price == 0 else price
        group = load(command, C_OWNER) >> 32
        if fillable(meta, instrument_id, side, limit, wanted, mode_asked(word), group) < wanted:
            return CANNOT_FILL
    return OK


@unit(PLACE)
def _place(meta, command, word, _c, _d, _e, _f):
    """Place any order."""
    reason = _reason_against(meta, command, word)
    if reason != OK:
        refuse(meta, command, reason)
        return 0
    instrument_id, side = instrument_asked(word), side_asked(word)
    kind, life, mode = type_asked(word), life_asked(word), mode_asked(word)
    limit, lots = load(command, C_PRICE), load(command, C_LOTS)
    if post_only_asked(word) == REPRICE:
        limit = price_that_rests(meta, instrument_id, side, limit)
    link = term(meta, command, X_LINK)
    is_reduce_only = ((word >> 37) & 1) != 0
    is_special = (
        kind > MARKET
        or life >= GTD
        or is_reduce_only
        or term(meta, command, X_DISPLAY) != 0
        or link != NO_LINK
        or (kind == MARKET and limit != 0)
    )
    row = take_row(meta, load(meta, ORDERS))
    order = order_at(meta, row)
    unpriced = UNPRICED_TICKS if side == BUY else -UNPRICED_TICKS
    store(order, O_PRICE, limit if kind != MARKET else unpriced)
    store(order, O_OPEN, lots)
    store(order, O_OWNER, load(command, C_OWNER))
    store(order, O_LINKS, 0)
    store(order, O_PLACE, OUTLIVES_DAY if life == GTC or life == GTD else 0)
    store(order, O_CLIENT, load(command, C_CLIENT))
    store(order, O_TERMS, load(command, C_TERMS) & ~LOW)
    enter(meta, row, load(command, C_ID))
    if is_special:
        _fill_terms(meta, command, word, row, limit)
        follow(meta, row, instrument_id)
    is_plain = not is_special and kind == LIMIT and may_rest(life)
    tell_order(meta, row, side, instrument_id, ACCEPTED, 0, limit, lots, lots if is_plain else 0)
    if link != NO_LINK:
        _link(meta, row, link, term(meta, command, X_LINKED))
    start(meta, row, instrument_id, side, mode, life)
    settle(meta, instrument_id)
    return 0


@kernel
def _fill_terms(meta, command, word, row, limit):
    kind, life = type_asked(word), life_asked(word)
    type_word = kind | (life << LIFE_SHIFT) | (mode_asked(word) << MODE_SHIFT)
    type_word |= ((word >> 37) & 1) << 19
    type_word |= (side_asked(word) - BUY) << 21
    terms = attach_terms(meta, row, type_word, limit)
    store(terms, T_DISPLAY, term(meta, command, X_DISPLAY))
    count_slices(meta, terms, load(command, C_LOTS))
    store(terms, T_TRAIL, term(meta, command, X_TRAIL))
    store(terms, T_OFFSET, term(meta, command, X_OFFSET))
    expires = term(meta, command, X_EXPIRES)
    store(terms, T_EXPIRES, expires)
    if expires != 0 and expires < load(meta, NEXT_EXPIRY):
        store(meta, NEXT_EXPIRY, expires)
    store(terms, T_STOP, term(meta, command, X_STOP))


@kernel
def _link(meta, row, link, linked_id):
    """Join a new order with the one it names; bit by bit as the link asks."""
    terms = terms_of(meta, row)
    if link == AWAIT:
        store(terms, T_TYPE, load(terms, T_TYPE) | IS_AWAITING)
        return
    linked = find_order(meta, load(meta, IDS), load(meta, ORDERS), linked_id)
    if link == OCO:
        leg = terms_of(meta, linked)
        if leg == 0:
            leg = _attach_plain(meta, linked)
        store(terms, T_PARTNER, linked)
        store(leg, T_PARTNER, row)
        store(terms, T_TYPE, load(terms, T_TYPE) | (load(leg, T_TYPE) & IS_AWAITING))
        store(terms, T_ENTRY, load(leg, T_ENTRY))
        return
    leg = load(terms_of(meta, linked), T_PARTNER)
    _name_entry(meta, linked, row)
    if leg != 0:
        _name_entry(meta, leg, row)
    store(terms, T_CHILD, linked)


@kernel
def _name_entry(meta, row, entry):
    terms = terms_of(meta, row)
    store(terms, T_TYPE, load(terms, T_TYPE) & ~IS_AWAITING)
    store(terms, T_ENTRY, entry)


@kernel
def _attach_plain(meta, row):
    """Give terms to a plain order that becomes a leg."""
    kind, life, limit = type_of(meta, row), life_of(meta, row), limit_of(meta, row)
    side = side_of(meta, row)
    return attach_terms(meta, row, kind | (life << LIFE_SHIFT) | ((side - BUY) << 21), limit)


# Cancelling and replacing ---------------------------------------------------------------------------------


@unit(CANCEL)
def _cancel(meta, row, _b, _c, _d, _e, _f):
    """Cancel an order that lives."""
    order = order_at(meta, row)
    instrument_id = book_of(order) >> KIND_BITS
    finish(meta, row, side_of(meta, row), instrument_id, CANCELLED, ASKED)
    settle(meta, instrument_id)
    return 0


@kernel
def _reason_against_replacing(meta, command, word, row, instrument_id, is_waiting, is_kept):
    lots, price = load(command, C_LOTS), load(command, C_PRICE)
    if post_only_asked(word) > REPRICE or mode_asked(word) > LAST_MODE:
        return UNKNOWN_CODE
    if lots < 1 or lots > LARGEST_LOTS:
        return BAD_QUANTITY
    if is_kept:
        return OK
    if load(meta, IS_STOPPED) != 0:
        return TRADING_STOPPED
    state = state_of(meta, instrument_id)
    if state == HALTED:
        return INSTRUMENT_HALTED
    if state == CLOSED:
        return INSTRUMENT_CLOSED
    kind = type_of(meta, row)
    if kind == TRAILING or (kind == MARKET and price != limit_of(meta, row)):
        return NOT_AMENDABLE
    if kind != MARKET and not is_price(meta, instrument_id, price):
        return BAD_PRICE
    terms = terms_of(meta, row)
    if terms != 0 and load(terms, T_DISPLAY) != 0 and lots > load(terms, T_DISPLAY) * MOST_SLICES:
        return BAD_TERMS
    post_only = post_only_asked(word)
    if post_only != 0 and (kind != LIMIT or is_waiting):
        return NOT_AMENDABLE
    if is_in_call(state) and (kind == PRIMARY or kind == MID):
        return WRONG_SESSION
    if state == OPEN and post_only == REJECT and would_take(meta, instrument_id, side_of(meta, row), price):
        return WOULD_TAKE
    return OK


@unit(REPLACE)
def _replace(meta, command, word, row, _d, _e, _f):
    """Replace an order that lives: less of it in its place, or anything else at the end of a queue."""
    order = order_at(meta, row)
    instrument_id = book_of(order) >> KIND_BITS
    side, kind, life = side_of(meta, row), type_of(meta, row), life_of(meta, row)
    is_waiting = not is_on_book(order)
    is_stop = is_waiting and kind == STOP
    price, lots = load(command, C_PRICE), load(command, C_LOTS)
    limit = load(terms_of(meta, row), T_STOP) if is_stop else limit_of(meta, row)
    hidden = hidden_lots(meta, row)
    total = load(order, O_OPEN) + hidden
    is_kept = price == limit and 1 <= lots <= total
    reason = _reason_against_replacing(meta, command, word, row, instrument_id, is_waiting, is_kept)
    if reason != OK:
        refuse(meta, command, reason)
        return 0
    if is_kept:
        from_hidden = min(total - lots, hidden)
        take_lots(meta, row, total - lots - from_hidden, from_hidden)
        here = load(order, O_PRICE)
        tell_order(meta, row, side, instrument_id, REPLACED, PRIORITY_KEPT, here, lots, shown_lots(order))
        return 0
    take_off(meta, row)
    terms = terms_of(meta, row)
    mode = mode_asked(word)
    store(order, O_OPEN, lots)
    if is_priced(kind) and post_only_asked(word) == REPRICE:
        price = price_that_rests(meta, instrument_id, side, price)
    if terms != 0:
        store(terms, T_HIDDEN, 0)
        count_slices(meta, terms, lots)
        cleared = load(terms, T_TYPE) & ~(7 << MODE_SHIFT)
        store(terms, T_TYPE, cleared | (mode << MODE_SHIFT))
        if is_priced(kind):
            store(terms, T_LIMIT, price)
        if is_stop:
            store(terms, T_STOP, price)
    elif kind == LIMIT:
        store(order, O_PRICE, price)
    shown = 0 if is_waiting or terms != 0 else lots
    tell_order(meta, row, side, instrument_id, REPLACED, 0, price, lots, shown)
    if not is_waiting and kind == STOP_LIMIT:
        run(meta, row, instrument_id, side, price, mode, life)
    else:
        start(meta, row, instrument_id, side, mode, life)
    settle(meta, instrument_id)
    return 0
