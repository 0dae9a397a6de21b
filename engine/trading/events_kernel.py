"""What the compiled pass reads and writes: the state's tables, and the rows of events that it fills.

Owns: both blocks, the header of a row, and the type codes of the commands. Does not own: what an event means
(recording_kernel.py).
"""

from engine.blocks_kernel import WORD, BlockType, block_of, rows_of, words
from engine.compiled_kernel import inner
from engine.market.day_orders_kernel import DAY_BLOCK
from engine.risk.risk_block_kernel import RISK_BLOCK
from schemas.identity import AccountRow
from schemas.ledger import Posting
from schemas.market import (
    AuctionUncrossed,
    CancelOrder,
    CancelOrders,
    ChangeInstrumentState,
    CommandRefused,
    FeeRow,
    Fill,
    InstrumentRow,
    InstrumentStateChanged,
    KillSwitchSet,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderRefused,
    OrderReplaced,
    OrderShown,
    OrderTriggered,
    PlaceOrder,
    ReplaceOrder,
    SetKillSwitch,
)
from schemas.record import record_of
from schemas.risk import MarginChanged, PositionRow

PLACE = record_of(PlaceOrder).type_code
CANCEL = record_of(CancelOrder).type_code
REPLACE = record_of(ReplaceOrder).type_code
CANCEL_ALL = record_of(CancelOrders).type_code
SWITCH = record_of(SetKillSwitch).type_code
PHASE = record_of(ChangeInstrumentState).type_code

STATE_BLOCK = BlockType(
    "STATE",
    accounts=rows_of(AccountRow),
    instruments=rows_of(InstrumentRow),
    positions=rows_of(PositionRow, 2),
    amounts=words(2),
    offsets=words(),
    fees=rows_of(FeeRow, 2),
    day=block_of(DAY_BLOCK),
    books=WORD,  # the address of the matching engine's words
    touched=words(),  # per account, the command that last touched it
    touched_ids=words(),  # the accounts that this command touched, in order
    risk=block_of(RISK_BLOCK),
    window_count=WORD,  # how many ticks above its floor a price may lie
)
"""The state that the pass reads and writes."""

EVENT_CLASSES: dict[str, type] = {
    "accepted": OrderAccepted,
    "refused": OrderRefused,
    "cancelled": OrderCancelled,
    "replaced": OrderReplaced,
    "expired": OrderExpired,
    "triggered": OrderTriggered,
    "reduced": OrderReduced,
    "shown": OrderShown,
    "uncrossed": AuctionUncrossed,
    "phased": InstrumentStateChanged,
    "switched": KillSwitchSet,
    "declined": CommandRefused,
    "fills": Fill,
    "postings": Posting,
    "margins": MarginChanged,
}
"""What the pass writes; a kind's number is its place here."""

(
    ACCEPTED, REFUSED, CANCELLED, REPLACED, EXPIRED, TRIGGERED, REDUCED, SHOWN, UNCROSSED, PHASED, SWITCHED,
    DECLINED, FILLED, POSTED, MARGINED,
) = range(len(EVENT_CLASSES))  # fmt: skip
KIND_COUNT = len(EVENT_CLASSES)
SEQUENCE = KIND_COUNT  # behind the counts of rows: the sequence given last
IS_BROKEN = KIND_COUNT + 1  # and whether a balance would have left its bounds
TOUCHED = KIND_COUNT + 2  # and how many accounts the command touched
COUNTS = KIND_COUNT + 3

EVENT_BLOCK = BlockType(
    "EVENTS", **{name: rows_of(cls) for name, cls in EVENT_CLASSES.items()}, counts=words(), room=words()
)
"""Where the pass writes. `counts` holds the rows of each kind, then the words named above; `room` how many
rows of each kind there may be before another command."""


@inner
def next_row(events, kind, cause, at_ns, rows):
    """The next free row of one kind of event, its header filled in."""
    i = events.counts[kind]
    events.counts[kind] = i + 1
    events.counts[SEQUENCE] += 1
    rows[i].sequence = events.counts[SEQUENCE]
    rows[i].cause_sequence = cause
    rows[i].occurred_at_ns = at_ns
    return i


@inner
def order_row(state, events, kind, cause, at_ns, rows, at, order_id, instrument_id):
    """The next free row of an event about one order, filled in with whose it is."""
    i = next_row(events, kind, cause, at_ns, rows)
    order = state.day.rows[at]
    rows[i].order_id = order_id
    rows[i].account_id = order.account_id
    rows[i].client_order_id = order.client_order_id
    rows[i].instrument_id = instrument_id
    return i
