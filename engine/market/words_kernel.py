"""The memory of matching: 64-bit words at known places, read and written without bounds checks.

Owns: bit counting, prefetching, units, and the positions of every word that the kernels of this folder use.
Positions derive from the declared records. Does not own: the arrays (`books.py` does, and keeps them alive),
nor any rule.

Addresses and words are int64. A function that takes `meta` gets the address of the words listed below, and
through them every other array. What comes from outside is checked once, in `matching_kernel.py` and
`placing_kernel.py`, before any address is computed from it.
"""

import functools
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.compiled_kernel import inner
from engine.memory_kernel import pointer_to
from schemas.codes import InstrumentState, Side
from schemas.matching import InstrumentBook, LiveTerms, MarketCommand, MarketEvent, OrderTerms, RestingOrder
from schemas.record import record_of


def word_of(cls: type, name: str) -> int:
    """The position of a column in its record, in words."""
    return [column.name for column in record_of(cls).columns].index(name)


def words_in(cls: type) -> int:
    """How many words a record has."""
    return len(record_of(cls).columns)


# Positions in `meta`: addresses, then counts.
ORDERS, LEVELS, NODES, BOOKS, IDS, LIVE_TERMS, TERMS, SCRATCH, TICKS, EVENTS = range(10)
(
    FREE_ORDER,
    NEXT_ORDER,
    LIVE_COUNT,
    ORDER_LIMIT,
    FREE_PAGE,
    NEXT_PAGE,
    PAGE_LIMIT,
    NODE_MASK,
    NODE_SHIFT,
    NODE_COUNT,
    NODE_LIMIT,
    ID_MASK,
    ID_SHIFT,
    FREE_TERMS,
    NEXT_TERMS,
    INSTRUMENT_LIMIT,
    IS_STOPPED,
    NEXT_EXPIRY,
    EVENT_COUNT,
    PLACE_IN_BATCH,
    SLICE_COUNT,
    TAKER_ID,
    TAKER_OWNER,
    TAKER_CLIENT,
    TAKER_MODE,
    MET_LEAVES,
    MET_TRADED,
    MET_IS_OVER,
    EVENT_ROOM,
) = range(10, 39)
(
    OPEN_PAGE,
    CLOSE_PAGE,
    NEXT_BEST,
    TAKE_OFF,
    PUT,
    END,
    FINISH,
    REDUCE,
    AFTER_FILL,
    MEET,
    CROSS_ROW,
    RUN,
    START,
    SETTLE,
    REFUSE,
    PLACE,
    CANCEL,
    REPLACE,
    ACT,
    DECIDE,
) = range(40, 60)
META_WORDS = 64

COMMAND_WORDS = words_in(MarketCommand)
TERMS_WORDS = words_in(OrderTerms)
EVENT_WORDS = words_in(MarketEvent)
ORDER_WORDS = words_in(RestingOrder)
LIVE_WORDS = words_in(LiveTerms)
BOOK_WORDS = words_in(InstrumentBook)
LEVEL_WORDS, NODE_WORDS = 4, 4
PAGE_LEVELS = 64
TICK_WORDS = 16

# MarketCommand
C_ID, C_PRICE, C_LOTS, C_OWNER, C_AT, C_CLIENT, C_TERMS = range(1, 8)
# OrderTerms
X_DISPLAY, X_MINIMUM, X_STOP, X_TRAIL, X_OFFSET, X_EXPIRES, X_LINKED, X_LINK = range(8)
# RestingOrder
O_ID, O_PRICE, O_OPEN, O_OWNER, O_LINKS, O_PLACE, O_CLIENT, O_TERMS = range(8)
# BookLevel
L_QUEUE, L_LOTS, L_COUNT, L_HIDDEN = range(4)
# PriceNode
N_NODE, N_PAGE, N_FILLED = range(3)
# LiveTerms
T_TYPE = word_of(LiveTerms, "type_word")
T_LIMIT = word_of(LiveTerms, "limit_ticks")
T_HIDDEN = word_of(LiveTerms, "hidden_lots")
T_DISPLAY = word_of(LiveTerms, "display_lots")
T_TRAIL = word_of(LiveTerms, "trail_ticks")
T_OFFSET = word_of(LiveTerms, "offset_ticks")
T_EXPIRES = word_of(LiveTerms, "expires_at_ns")
T_FILLED = word_of(LiveTerms, "filled_lots")
T_PARTNER = word_of(LiveTerms, "partner_count")
T_ENTRY = word_of(LiveTerms, "entry_count")
T_CHILD = word_of(LiveTerms, "child_count")
T_FOLLOWER = word_of(LiveTerms, "follower_count")
T_STOP = word_of(LiveTerms, "stop_ticks")
T_SLICES = word_of(LiveTerms, "slice_count")
T_NEXT = word_of(LiveTerms, "next_count")
# InstrumentBook: best key and level of a queue at twice its kind
B_WATCH = word_of(InstrumentBook, "watch_word")
B_LAST = word_of(InstrumentBook, "last_ticks")
B_STATE = word_of(InstrumentBook, "state_count")
B_RATCHET = word_of(InstrumentBook, "ratchet_ticks")
B_REFERENCE = word_of(InstrumentBook, "reference_ticks")
B_DYNAMIC = word_of(InstrumentBook, "dynamic_count")
B_STATIC = word_of(InstrumentBook, "static_count")
B_TICK_ROW = word_of(InstrumentBook, "tick_row_count")
B_PEGGED = word_of(InstrumentBook, "pegged_count")
B_TRAILING = word_of(InstrumentBook, "trailing_count")

# The queues of an instrument. Twice the kind is where its best key stands in InstrumentBook.
BIDS, ASKS, BUY_STOPS, SELL_STOPS, PARKED, READY = 0, 1, 4, 5, 6, 7
KIND_BITS = 3

# Why the common path must look closer. The first four stop it at once, the others only afterwards.
WATCH_STATE, WATCH_BANDS, WATCH_TICKS, WATCH_STOPPED = 1, 2, 4, 8
WATCH_STOPS, WATCH_READY, WATCH_PEGS, WATCH_TRAILS = 16, 32, 64, 128
WATCH_FIRST = WATCH_STATE | WATCH_BANDS | WATCH_TICKS | WATCH_STOPPED

LOW = (1 << 32) - 1
HIGH = ~LOW
BOOK_MASK = (1 << 23) - 1
PLACE_MASK = (1 << 55) - 1  # of a place word: where the order stands, zero when nowhere
OUTLIVES_DAY = 1 << 56
NO_KEY = -1
NO_PRICE = -(1 << 62)
KEY_ZERO = 1 << 41  # the key of price zero: keys are positive, and the best price has the highest

OPEN = int(InstrumentState.OPEN)
BUY, SELL = int(Side.BUY), int(Side.SELL)


# Intrinsics -----------------------------------------------------------------------------------------------


def _count_zeros(instruction: str):
    @intrinsic
    def count(_context, _word):
        def build(_target, builder, _signature, args):
            return getattr(builder, instruction)(args[0], ir.Constant(ir.IntType(1), 0))

        return types.int64(types.int64), build

    return count


_zeros_above = _count_zeros("ctlz")


@inner
def highest_bit(word):
    """The position of the highest bit that is set; the word is not zero."""
    return 63 - _zeros_above(word)


@intrinsic
def read_clock(_context):
    """The processor's time stamp counter, for latencies of single commands."""

    def build(_target, builder, _signature, args):
        kind = ir.FunctionType(ir.IntType(64), [])
        return builder.call(builder.module.declare_intrinsic("llvm.readcyclecounter", [], kind), [])

    return types.int64(), build


# Units ----------------------------------------------------------------------------------------------------
#
# A compiler that sees everything puts everything into everything: the rare paths would swell the common one,
# and compilation would take minutes. So rare functions are compiled by themselves, and reached through the
# address that `meta` holds at their position.

UNITS: dict[int, Callable[..., int]] = {}


def unit(position: int):
    """Make a function of (meta, six words) one that is compiled by itself; see `unit_addresses`."""

    def register(function):
        UNITS[position] = function
        return function

    return register


@functools.cache
def unit_addresses() -> dict[int, int]:
    """Position in `meta` -> address of the compiled function. Compiled, or loaded, on the first call."""
    _COMPILED.update(
        {
            at: numba.cfunc(_SIGNATURE, cache=True, error_model="numpy")(function)
            for at, function in UNITS.items()
        }
    )
    return {at: compiled.address for at, compiled in _COMPILED.items()}


_SIGNATURE = types.int64(*[types.int64] * 7)
_COMPILED: dict[int, Any] = {}


@intrinsic
def call(_context, _meta, _at, _a, _b, _c, _d, _e, _f):
    """Call the unit at a position of `meta`."""

    def build(_target, builder, _signature, args):
        word = ir.IntType(64)
        address = builder.load(pointer_to(builder, args[0], args[1]))
        function = builder.inttoptr(address, ir.FunctionType(word, [word] * 7).as_pointer())
        return builder.call(function, [args[0], *args[2:]])

    return types.int64(*[types.int64] * 8), build
