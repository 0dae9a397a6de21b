"""The loop that writes a standard order flow.

It draws a command, lets the matching engine decide it, and looks at what happened, so that every next command
knows which orders live and what is open of them.

Owns: which action comes next, of which order, at which price. Does not own: the draws (`order_flow.py` makes
them), nor who trades with whom.
"""

from engine.compiled_kernel import kernel
from engine.market.matching_kernel import decide
from engine.market.price_index_kernel import price_of
from engine.market.words_kernel import (
    ASKS,
    BIDS,
    BOOK_WORDS,
    BOOKS,
    C_ID,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    EVENT_WORDS,
    EVENTS,
    NO_KEY,
)
from engine.memory_kernel import load, store
from schemas.codes import MarketAction, MarketEventKind, OrderType, Side, TimeInForce

PLACE, CANCEL, REPLACE = int(MarketAction.PLACE), int(MarketAction.CANCEL), int(MarketAction.REPLACE)
LIMIT, IOC = int(OrderType.LIMIT), int(TimeInForce.IOC)
BUY = int(Side.BUY)
TRADED, REFUSED = int(MarketEventKind.TRADED), int(MarketEventKind.REFUSED)

MILLION = 1_000_000

# Columns of the draws
D_ACTION, D_TARGET, D_IS_RECENT, D_INSTRUMENT, D_SIDE, D_DISTANCE, D_LOTS, D_ACCOUNT, D_STEP, D_LUCK = range(
    10
)
DRAWS = 10
# Columns of the orders that live, in no order
L_ID, L_ACCOUNT, L_INSTRUMENT, L_SIDE, L_PRICE, L_OPEN = range(6)
LIVE_COLUMNS = 6
# What the flow counts
LIVE, NEXT_ID, ADDS, TAKES, CANCELS, MOVES, TRADING = range(7)
COUNTS = 7
# What makes a flow, in parts per million of the commands, unless told otherwise
(
    M_RESTING,  # orders that are to live
    M_ADD,
    M_TAKE,
    M_CANCEL,  # moves are what is left
    M_LEAN,  # how far adding and cancelling may lean from their shares
    M_MISS,  # of the takes that are priced one tick short of trading
    M_MOVE_TAKES,  # of the moves that are priced to trade
    M_RECENT,  # how many of the last ids are recent, a number
    M_LIFE,  # TimeInForce of what is added
) = range(9)
MIX = 9

WIDEST = 2_000  # ticks that a mid may stand away from where it began
THROUGH = 4  # a take accepts up to so many ticks less one behind the best price


@kernel
def _best(meta, instrument_id, side, fallback):
    """The best price of a side of a book, or the fallback when there is none."""
    kind = BIDS if side == 0 else ASKS
    key = load(load(meta, BOOKS), instrument_id * BOOK_WORDS + kind * 2)
    return fallback if key == NO_KEY else price_of(kind, key)


@kernel
def _resting_price(meta, instrument_id, side, mid, distance):
    """A price so far from the mid, yet behind the best price of the other side."""
    if side == 0:
        wanted = mid - distance
        return min(wanted, _best(meta, instrument_id, 1, wanted + 1) - 1)
    wanted = mid + distance
    return max(wanted, _best(meta, instrument_id, 0, wanted - 1) + 1)


@kernel
def _forget(live, slot_of, counts, order_id):
    """Take an order off the list; the last one takes its place."""
    slot = slot_of[order_id]
    last = counts[LIVE] - 1
    for column in range(LIVE_COLUMNS):
        live[slot, column] = live[last, column]
    slot_of[live[slot, L_ID]] = slot
    slot_of[order_id] = -1
    counts[LIVE] = last


@kernel
def _target(slot_of, counts, mix, draw):
    """The slot of the order that a cancel or move names."""
    number = draw[D_TARGET]
    if draw[D_IS_RECENT] != 0 and mix[M_RECENT] > 0:
        for _ in range(4):
            order_id = counts[NEXT_ID] - 1 - number % mix[M_RECENT]
            number //= mix[M_RECENT]
            if order_id > 0 and slot_of[order_id] >= 0:
                return slot_of[order_id]
    return draw[D_TARGET] % counts[LIVE]


@kernel
def _submit(meta, command, row):
    """Let the engine decide a row. Returns the number of its events."""
    store(command, 0, row[0] | ((row[4] + BUY) << 8) | (row[5] << 16) | (row[6] << 24) | (row[3] << 40))
    store(command, C_ID, row[1])
    store(command, C_OWNER, row[2])
    store(command, C_PRICE, row[7])
    store(command, C_LOTS, row[8])
    return decide(meta, command)


@kernel
def _settled(meta, live, slot_of, counts, event_count):
    """Take over the trades of the last command; how many lots it traded, or -1 when it was refused."""
    events = load(meta, EVENTS)
    traded = 0
    for i in range(event_count):
        event = events + i * EVENT_WORDS * 8
        kind = load(event, 0) & 0xFF
        if kind == REFUSED:
            return -1
        if kind == TRADED:
            traded += load(event, 4)
            maker = load(event, 2)
            if load(event, 5) == 0:
                _forget(live, slot_of, counts, maker)
            else:
                live[slot_of[maker], L_OPEN] = load(event, 5)
    if traded > 0:
        counts[TRADING] += 1
    return traded


@kernel
def _choose(mix, counts, action):
    """PLACE, IOC as a code of its own, CANCEL or REPLACE: fewer than wanted live, more are added."""
    missing = (mix[M_RESTING] - counts[LIVE]) * MILLION // mix[M_RESTING]
    lean = min(max(missing, -mix[M_LEAN]), mix[M_LEAN])
    if action < mix[M_ADD] + lean:
        return PLACE
    if action < mix[M_ADD] + mix[M_CANCEL]:
        return CANCEL if counts[LIVE] > 0 else PLACE
    if action < mix[M_ADD] + mix[M_CANCEL] + mix[M_TAKE]:
        return -IOC
    return REPLACE if counts[LIVE] > 0 else PLACE


@kernel
def _take_price(meta, mix, row, mid, draw):
    """The price of an order that takes: at the best one or a little behind; a few fall a tick short."""
    best = _best(meta, row[3], 1 - row[4], mid)
    slack = -1 if draw[D_LUCK] < mix[M_MISS] else draw[D_DISTANCE] % THROUGH
    return best + slack if row[4] == 0 else best - slack


@kernel
def _move_price(meta, mix, row, mid, draw, here):
    """Another price of an order: as if it were new, or now and then the best one of the other side."""
    if draw[D_LUCK] < mix[M_MOVE_TAKES]:
        price = _best(meta, row[3], 1 - row[4], here)
    else:
        price = _resting_price(meta, row[3], row[4], mid, draw[D_DISTANCE])
    if price != here:
        return price
    return price - 1 if row[4] == 0 else price + 1


@kernel
def _fill_row(meta, live, slot_of, counts, mids, mix, draw, action, row):
    """Write one row, and step the mid of its instrument."""
    slot = -1
    row[5], row[6], row[8] = LIMIT, mix[M_LIFE], draw[D_LOTS]
    if action == PLACE or action == -IOC:
        row[0], row[1], row[2], row[3], row[4] = (
            PLACE, counts[NEXT_ID], draw[D_ACCOUNT], draw[D_INSTRUMENT], draw[D_SIDE],
        )  # fmt: skip
        counts[NEXT_ID] += 1
    else:
        slot = _target(slot_of, counts, mix, draw)
        row[0], row[1], row[2], row[3], row[4] = (
            action, live[slot, L_ID], live[slot, L_ACCOUNT], live[slot, L_INSTRUMENT], live[slot, L_SIDE],
        )  # fmt: skip
        row[8] = live[slot, L_OPEN]
    mid = mids[row[3], 0] + draw[D_STEP]
    if abs(mid - mids[row[3], 1]) <= WIDEST:
        mids[row[3], 0] = mid
    mid = mids[row[3], 0]
    if action == -IOC:
        row[6] = IOC
        row[7] = _take_price(meta, mix, row, mid, draw)
    elif action == PLACE:
        row[7] = _resting_price(meta, row[3], row[4], mid, draw[D_DISTANCE])
    elif action == REPLACE:
        row[7] = _move_price(meta, mix, row, mid, draw, live[slot, L_PRICE])
    else:
        row[7] = row[8] = 0


@kernel
def _follow(live, slot_of, counts, action, row, left):
    """Bring the list to what a decided command made of its own order, of which so many lots are left."""
    if action == -IOC:
        counts[TAKES] += 1
    elif action == CANCEL:
        counts[CANCELS] += 1
        _forget(live, slot_of, counts, row[1])
    elif action == REPLACE:
        counts[MOVES] += 1
        if left == 0:
            _forget(live, slot_of, counts, row[1])
        else:
            live[slot_of[row[1]], L_PRICE] = row[7]
            live[slot_of[row[1]], L_OPEN] = left
    else:
        counts[ADDS] += 1
        if left > 0:
            slot = counts[LIVE]
            slot_of[row[1]] = slot
            live[slot, L_ID], live[slot, L_ACCOUNT], live[slot, L_INSTRUMENT] = row[1], row[2], row[3]
            live[slot, L_SIDE], live[slot, L_PRICE], live[slot, L_OPEN] = row[4], row[7], left
            counts[LIVE] = slot + 1


@kernel
def write_rows(meta, command, live, slot_of, counts, mids, mix, draws, is_prefill, rows):
    """Write and decide one command for each draw. Returns how many; fewer when the engine refused one."""
    for i in range(len(draws)):
        draw, row = draws[i], rows[i]
        action = PLACE if is_prefill else _choose(mix, counts, draw[D_ACTION])
        _fill_row(meta, live, slot_of, counts, mids, mix, draw, action, row)
        event_count = _submit(meta, command, row)
        traded = _settled(meta, live, slot_of, counts, event_count)
        if traded < 0:
            return i
        _follow(live, slot_of, counts, action, row, row[8] - traded)
    return len(draws)
