"""Who meets whom: the best price first, at one price the oldest order first, at the resting order's price.

Owns: the loop of one aggressing order over the other side of its book. Does not own: what becomes of what is
left.
"""

from engine.compiled_kernel import inner
from engine.market.order_id_kernel import forget_order
from engine.market.order_kernel import (
    BECAUSE_LINKED,
    CANCELLED,
    REDUCED,
    TRADED,
    after_fill,
    event_word,
    finish,
    free_row,
    order_at,
    reduce,
    take_lots,
    tell,
    terms_of,
)
from engine.market.price_index_kernel import close_level, key_of, price_of
from engine.market.words_kernel import (
    B_LAST,
    BOOK_WORDS,
    BOOKS,
    BUY,
    EVENT_COUNT,
    EVENT_WORDS,
    HIGH,
    KIND_BITS,
    L_COUNT,
    L_LOTS,
    L_QUEUE,
    LEVEL_WORDS,
    LOW,
    MEET,
    MET_IS_OVER,
    MET_LEAVES,
    MET_TRADED,
    O_CLIENT,
    O_ID,
    O_LINKS,
    O_OPEN,
    O_OWNER,
    O_TERMS,
    ORDER_WORDS,
    T_PARTNER,
    TAKER_CLIENT,
    TAKER_ID,
    TAKER_MODE,
    TAKER_OWNER,
    call,
    unit,
)
from engine.memory_kernel import load, store
from schemas.codes import MarketEventReason, SelfTradePrevention

BECAUSE_OF_SELF_TRADE = int(MarketEventReason.SELF_TRADE)
CANCEL_RESTING = int(SelfTradePrevention.CANCEL_RESTING)
CANCEL_AGGRESSING = int(SelfTradePrevention.CANCEL_AGGRESSING)
CANCEL_BOTH = int(SelfTradePrevention.CANCEL_BOTH)
DECREMENT = int(SelfTradePrevention.DECREMENT)


@unit(MEET)
def _meet(meta, row, maker_row, instrument_id, side, price, leaves):
    """Let a taker meet one order that is more than plain, or of its own group, at the head of the best queue.

    MET_LEAVES, MET_TRADED and MET_IS_OVER tell the lots left, the lots traded, and whether the taker ends
    here.
    """
    order_id, owner = load(meta, TAKER_ID), load(meta, TAKER_OWNER)
    client, mode = load(meta, TAKER_CLIENT), load(meta, TAKER_MODE)
    store(meta, MET_LEAVES, leaves)
    store(meta, MET_TRADED, 0)
    store(meta, MET_IS_OVER, 0)
    maker = order_at(meta, maker_row)
    accounts = (owner & LOW) | ((load(maker, O_OWNER) & LOW) << 32)
    maker_side = BUY + 2 - side
    if row != 0 and terms_of(meta, row) != 0 and load(terms_of(meta, row), T_PARTNER) == maker_row:
        store(terms_of(meta, row), T_PARTNER, 0)
        store(terms_of(meta, maker_row), T_PARTNER, 0)
        finish(meta, maker_row, maker_side, instrument_id, CANCELLED, BECAUSE_LINKED)
        return 0
    if mode != 0 and (load(maker, O_OWNER) >> 32) == (owner >> 32):
        if mode == DECREMENT:
            lots = min(leaves, load(maker, O_OPEN))
            word = event_word(REDUCED, BECAUSE_OF_SELF_TRADE, side, instrument_id)
            tell(meta, word, order_id, load(maker, O_ID), price, lots, 0, accounts, client)
            reduce(meta, maker_row, instrument_id, lots, BECAUSE_OF_SELF_TRADE, 1)
            store(meta, MET_LEAVES, leaves - lots)
            return 0
        if mode != CANCEL_AGGRESSING:
            finish(meta, maker_row, maker_side, instrument_id, CANCELLED, BECAUSE_OF_SELF_TRADE)
        store(meta, MET_IS_OVER, 1 if mode != CANCEL_RESTING else 0)
        return 0
    lots = min(leaves, load(maker, O_OPEN))
    take_lots(meta, maker_row, lots, 0)
    store(load(meta, BOOKS), instrument_id * BOOK_WORDS + B_LAST, price)
    word = event_word(TRADED, 0, side, instrument_id)
    tell(
        meta,
        word,
        order_id,
        load(maker, O_ID),
        price,
        lots,
        load(maker, O_OPEN),
        accounts,
        load(maker, O_CLIENT),
    )
    store(meta, MET_LEAVES, leaves - lots)
    store(meta, MET_TRADED, lots)
    after_fill(meta, maker_row, instrument_id, lots)
    return 0


@inner
def cross(
    meta,
    orders,
    levels,
    nodes,
    books,
    ids,
    events,
    count,
    row,
    instrument_id,
    side,
    worst_key,
    leaves,
    order_id,
    owner,
    client,
    mode,
    position,
):
    """Trade until nothing is left, or no price on the other side has a key of `worst_key` or more.

    `row` is the taker's, zero for one that has none; `client` is its client order id; `mode` is zero where
    its group does not matter; `count` is how many events there are. Returns (events, lots left, lots traded,
    whether self-trade prevention ended it).
    """
    other = 2 - side  # the kind of queue that it meets
    best = instrument_id * BOOK_WORDS + other * 2
    key = load(books, best)
    traded = 0
    is_over = 0
    word = event_word(TRADED, 0, side, instrument_id) | (position << 44)
    while key >= worst_key and leaves > 0 and is_over == 0:
        level = load(books, best + 1)
        at = level * LEVEL_WORDS
        price = price_of(other, key)
        queue = load(levels, at + L_QUEUE)
        maker_row = queue & LOW
        lots_here = load(levels, at + L_LOTS)
        count_here = load(levels, at + L_COUNT)
        before = traded
        is_special = False
        while leaves > 0:
            maker = maker_row * ORDER_WORDS
            maker_owner = load(orders, maker + O_OWNER)
            if (load(orders, maker + O_TERMS) & LOW) != 0 or (
                mode != 0 and (maker_owner >> 32) == (owner >> 32)
            ):
                is_special = True
                break
            shown = load(orders, maker + O_OPEN)
            maker_id = load(orders, maker + O_ID)
            lots = min(shown, leaves)
            leaves -= lots
            shown -= lots
            lots_here -= lots
            traded += lots
            event = count * EVENT_WORDS
            store(events, event, word)
            store(events, event + 1, order_id)
            store(events, event + 2, maker_id)
            store(events, event + 3, price)
            store(events, event + 4, lots)
            store(events, event + 5, shown)
            store(events, event + 6, (owner & LOW) | ((maker_owner & LOW) << 32))
            store(events, event + 7, load(orders, maker + O_CLIENT))
            count += 1
            if shown != 0:
                store(orders, maker + O_OPEN, shown)
                break
            behind = load(orders, maker + O_LINKS) >> 32
            forget_order(meta, ids, maker_id, maker_row)
            free_row(meta, orders, maker_row)
            count_here -= 1
            maker_row = behind
            if maker_row == 0:
                break
        if traded != before:
            store(books, instrument_id * BOOK_WORDS + B_LAST, price)
        if maker_row == 0:
            close_level(meta, levels, nodes, books, (instrument_id << KIND_BITS) | other, level, key)
        else:
            store(levels, at + L_QUEUE, (queue & HIGH) | maker_row)
            store(levels, at + L_LOTS, lots_here)
            store(levels, at + L_COUNT, count_here)
            head = maker_row * ORDER_WORDS + O_LINKS
            store(orders, head, load(orders, head) & HIGH)
            if is_special:
                store(meta, EVENT_COUNT, count)
                store(meta, TAKER_ID, order_id)
                store(meta, TAKER_OWNER, owner)
                store(meta, TAKER_CLIENT, client)
                store(meta, TAKER_MODE, mode)
                call(meta, MEET, row, maker_row, instrument_id, side, price, leaves)
                leaves = load(meta, MET_LEAVES)
                traded += load(meta, MET_TRADED)
                is_over = load(meta, MET_IS_OVER)
                count = load(meta, EVENT_COUNT)
        key = load(books, best)
    return count, leaves, traded, is_over


@inner
def worst_key_of(side, limit):
    """The lowest key of the other side that a limit accepts."""
    return key_of(2 - side, limit)
