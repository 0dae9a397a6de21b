"""The memory of the matching engine, allocated once; its image in a snapshot, and its hash.

Owns: the arrays behind every address that the kernels compute, their sizes, and reading them from outside.
Does not own: any rule of matching.

Memory is taken zeroed and touched as it is used: room for a million orders costs nothing until they come.
"""

from __future__ import annotations

import mmap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import BadInput, InvariantBroken
from engine.market import (
    books_kernel,
    matching_kernel,
    price_index_kernel,
    session_kernel,
)
from engine.market import words_kernel as w
from engine.market.requests import (
    EVENTS_OF_A_MOVE,
    EVENTS_OF_A_SLICE,
    EVENTS_OF_AN_ORDER,
    LARGEST_INSTRUMENT_ID,
    MOST_PEG_MOVES,
    MOST_SLICES,
    SPARE_EVENTS,
    Venue,
)
from schemas.codes import InstrumentState, Side, TimeInForce
from schemas.derive.layout import Rows, dtype_of, empty_rows
from schemas.matching import BookOrder, BookPhase, InstrumentBook, MarketEvent, OrderTerms

Words = npt.NDArray[np.int64]

_KERNELS = (
    matching_kernel,
    session_kernel,
)  # they, and what they import, register the units they are made of
_HUGE_PAGE = 2 << 20
_QUEUES = ("bid", "ask", "buy_stop", "sell_stop", "parked", "ready")
_PHASE = ("state_count", "last_ticks", "reference_ticks", "dynamic_count", "static_count")
LARGEST_ORDER_COUNT = 1 << 26


class Depth(NamedTuple):
    """One price of one side, as everybody sees it."""

    price_ticks: int
    shown_lots: int
    order_count: int


def _zeroed(words: int) -> Words:
    """Words of zero at the start of a huge page, taken from the system only as they are touched."""
    size = -(-words * 8 // _HUGE_PAGE) * _HUGE_PAGE
    memory = mmap.mmap(-1, size + _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    whole = np.frombuffer(memory, dtype=np.uint8)
    start = -whole.ctypes.data % _HUGE_PAGE
    return whole[start : start + words * 8].view(np.int64)


class Books:
    """Every order book of an engine."""

    def __init__(self, instrument_count: int, order_count: int) -> None:
        """Room for so many instruments (ids 1..n) and so many orders at a time.

        Raises BadInput on an impossible size.
        """
        if not 1 <= instrument_count <= LARGEST_INSTRUMENT_ID:
            raise BadInput(f"instrument_count is 1 to {LARGEST_INSTRUMENT_ID}")
        if not 1 <= order_count <= LARGEST_ORDER_COUNT:
            raise BadInput(f"order_count is 1 to {LARGEST_ORDER_COUNT}")
        self.instrument_count = instrument_count
        self.order_count = order_count
        rows = order_count + 2  # nobody, and the order that is on its way while all others live
        id_bits = (rows * 2 - 1).bit_length()
        node_bits = max((rows * 2 - 1).bit_length(), 9)
        self._arrays = {
            w.ORDERS: _zeroed(rows * w.ORDER_WORDS),
            w.LEVELS: _zeroed((rows + 1) * w.PAGE_LEVELS * w.LEVEL_WORDS),
            w.NODES: _zeroed((1 << node_bits) * w.NODE_WORDS),
            w.BOOKS: _zeroed((instrument_count + 1) * w.BOOK_WORDS),
            w.IDS: _zeroed(1 << id_bits),
            w.LIVE_TERMS: _zeroed(rows * w.LIVE_WORDS),
            w.SCRATCH: _zeroed(rows * 4),
            w.TICKS: _zeroed((instrument_count + 1) * w.TICK_WORDS),
            w.EVENTS: _zeroed(1),
            w.TERMS: _zeroed(w.TERMS_WORDS),
        }
        self.meta = _zeroed(w.META_WORDS)
        self.address = self.meta.ctypes.data
        for at, array in self._arrays.items():
            self.meta[at] = array.ctypes.data
        for at, address in w.unit_addresses().items():
            self.meta[at] = address
        self.instruments = self._arrays[w.BOOKS].view(dtype_of(InstrumentBook))
        for name in _QUEUES:
            self.instruments[f"{name}_key_word"] = w.NO_KEY
        for name in ("last_ticks", "reference_ticks", "ratchet_ticks"):
            self.instruments[name] = w.NO_PRICE
        for at, value in {
            w.NEXT_ORDER: 1,
            w.ORDER_LIMIT: order_count,
            w.NEXT_PAGE: 1,
            w.PAGE_LIMIT: rows + 1,
            w.NODE_MASK: (1 << node_bits) - 1,
            w.NODE_SHIFT: 64 - node_bits,
            w.NODE_LIMIT: (1 << node_bits) * 3 // 4,
            w.ID_MASK: (1 << id_bits) - 1,
            w.ID_SHIFT: 64 - id_bits,
            w.NEXT_TERMS: 1,
            w.INSTRUMENT_LIMIT: instrument_count,
            w.NEXT_EXPIRY: 1 << 62,
        }.items():
            self.meta[at] = value
        self._terms: Rows = empty_rows(OrderTerms, 0)
        self._event_room = 0
        self.make_room(0, 0)

    # Sizes ------------------------------------------------------------------------------------

    @property
    def live_count(self) -> int:
        """Orders that live."""
        return int(self.meta[w.LIVE_COUNT])

    @property
    def slice_count(self) -> int:
        """Slices that the icebergs that live may show."""
        return int(self.meta[w.SLICE_COUNT])

    def set_reference(self, instrument_id: int, price_ticks: int) -> None:
        """Set the price around which the circuit breaker lies, and that breaks ties of auctions."""
        self.instruments[instrument_id]["reference_ticks"] = price_ticks

    @property
    def next_expiry_ns(self) -> int:
        """The earliest end of a GTD order; far away when there is none."""
        return int(self.meta[w.NEXT_EXPIRY])

    @property
    def events(self) -> Rows:
        """The event rows, as many as were written since `take_events`."""
        count = int(self.meta[w.EVENT_COUNT])
        return self._arrays[w.EVENTS][: count * w.EVENT_WORDS].view(dtype_of(MarketEvent))

    def make_room(self, command_count: int, new_slices: int = 0) -> int:
        """Make room for the events of so many common commands, and for the most that any one can cause.

        The kernel stops before a command that might need more (an iceberg that came since may show a thousand
        slices): then call again. Allocates only when the books have outgrown what there is. Returns the room.
        """
        live = min(self.live_count + command_count, self.order_count) + 2
        slices = self.slice_count + new_slices + 2 * MOST_SLICES
        wanted = EVENTS_OF_AN_ORDER * (live + command_count) + EVENTS_OF_A_SLICE * slices
        wanted += EVENTS_OF_A_MOVE * MOST_PEG_MOVES + SPARE_EVENTS
        if wanted > self._event_room:
            held = self.events.copy()
            self._event_room = wanted * 2
            self._arrays[w.EVENTS] = _zeroed(self._event_room * w.EVENT_WORDS)
            self.meta[w.EVENTS] = self._arrays[w.EVENTS].ctypes.data
            self.meta[w.EVENT_ROOM] = self._event_room
            self.events[:] = held
        return self._event_room

    def use_terms(self, terms: Rows) -> None:
        """Let commands point into these OrderTerms rows; they must stay where they are while commands run."""
        if terms is self._terms:
            return
        if terms.dtype != dtype_of(OrderTerms) or not terms.flags.c_contiguous:
            raise BadInput("terms are contiguous rows of OrderTerms")
        self._terms = terms
        self.meta[w.TERMS] = terms.ctypes.data

    # Instruments ------------------------------------------------------------------------------

    def list_instrument(
        self,
        instrument_id: int,
        venue: Venue = Venue(),  # noqa: B008 - immutable
        state: InstrumentState = InstrumentState.OPEN,
    ) -> None:
        """Give an instrument a book. Raises BadInput on a bad ladder, or when there is no such number."""
        venue.check()
        if not 1 <= instrument_id <= self.instrument_count:
            raise BadInput(f"instrument_id is 1 to {self.instrument_count}")
        row = self.instruments[instrument_id]
        row["dynamic_count"], row["static_count"] = venue.dynamic_bps, venue.static_bps
        row["state_count"] = state
        self.tick_tables[instrument_id] = 0
        row["tick_row_count"] = 0
        if venue.tick_bands:
            table = self.tick_tables[instrument_id]
            table[0::2] = 1 << 62
            for i, band in enumerate(venue.tick_bands):
                table[i * 2 : i * 2 + 2] = band
            row["tick_row_count"] = instrument_id
        self._watch(instrument_id)

    def _watch(self, instrument_id: int) -> None:
        row = self.instruments[instrument_id]
        bits = 0 if row["state_count"] == InstrumentState.OPEN else w.WATCH_STATE
        bits |= w.WATCH_BANDS if row["dynamic_count"] or row["static_count"] else 0
        bits |= w.WATCH_TICKS if row["tick_row_count"] else 0
        bits |= w.WATCH_STOPPED if self.meta[w.IS_STOPPED] else 0
        row["watch_word"] = int(row["watch_word"]) & ~w.WATCH_FIRST | bits

    # Reading ----------------------------------------------------------------------------------

    def array(self, position: int) -> Words:
        """The words behind an address of `meta`, for those who check them."""
        return self._arrays[position]

    def level_of(self, book: int, key: int) -> int:
        """The level of a key that has orders."""
        return int(price_index_kernel.level_of(self.address, book, key))

    def indicative(self, instrument_id: int) -> tuple[int, int, int] | None:
        """Price, volume and imbalance (bids less asks) of an auction now; none when nothing would trade."""
        kernel: Any = session_kernel.indicative
        price, volume, imbalance = kernel(self.address, instrument_id)
        return (int(price), int(volume), int(imbalance)) if volume else None

    def depth(self, instrument_id: int, side: Side, levels: int) -> list[Depth]:
        """The best prices of a side, best first."""
        out = np.zeros((levels, 3), dtype=np.int64)
        count = books_kernel.read_depth(self.address, instrument_id, int(side), out)
        rows: list[list[int]] = out[:count].tolist()
        return [Depth(*row) for row in rows]

    def orders(self) -> Rows:
        """Every order that lives: BookOrder rows by instrument, queue, price from the best, and time."""
        rows = empty_rows(BookOrder, self.live_count)
        books_kernel.export_orders(self.address, rows)
        return rows

    def has_orders(self, instrument_id: int) -> bool:
        """Whether any order of an instrument lives."""
        row = self.instruments[instrument_id]
        return any(int(row[f"{name}_key_word"]) != w.NO_KEY for name in _QUEUES)

    def day_order_count(self) -> int:
        """Orders that do not outlive the day."""
        lives = self.orders()["time_in_force_code"]
        return int((~np.isin(lives, (TimeInForce.GTC, TimeInForce.GTD))).sum())

    def phases(self) -> Rows:
        """Where the session of every instrument stands: BookPhase rows."""
        rows = empty_rows(BookPhase, self.instrument_count)
        rows["instrument_id"] = np.arange(1, self.instrument_count + 1)
        for name in _PHASE:
            rows[name] = self.instruments[name][1:]
        return rows

    @property
    def tick_tables(self) -> Words:
        """The ladder of each instrument: (instrument_count + 1, words); a row of zeros is no ladder."""
        return self._arrays[w.TICKS].reshape(self.instrument_count + 1, w.TICK_WORDS)

    @property
    def is_stopped(self) -> bool:
        """Whether the kill switch is on."""
        return bool(self.meta[w.IS_STOPPED])

    def image(self, orders: Rows | None = None) -> bytes:
        """Canonical bytes: the same for the same books, whatever rows and pages their orders stand in.

        `orders` are those of `orders()`, where they are at hand.
        """
        parts = (
            self.phases(),
            self.orders() if orders is None else orders,
            self._arrays[w.TICKS],
            self.meta[[w.IS_STOPPED]],
        )
        return b"".join(part.tobytes() for part in parts)

    def restore(self, orders: Rows, phases: Rows, *, is_stopped: bool) -> None:
        """Fill empty books whose instruments are listed with what was read from others.

        Raises InvariantBroken when an order has no place.
        """
        if self.live_count:
            raise InvariantBroken("orders are restored into empty books only")
        self.meta[w.IS_STOPPED] = int(is_stopped)
        for phase in phases:
            for name in _PHASE:
                self.instruments[int(phase["instrument_id"])][name] = phase[name]
            if self.tick_tables[int(phase["instrument_id"])].any():
                self.instruments[int(phase["instrument_id"])]["tick_row_count"] = phase["instrument_id"]
            self._watch(int(phase["instrument_id"]))
        if len(orders) > self.order_count:
            raise InvariantBroken(f"{len(orders)} orders have no room among {self.order_count}")
        placed = books_kernel.restore_orders(self.address, orders)
        if placed != len(orders):
            raise InvariantBroken(f"order {int(orders[placed]['order_id'])} has no place on the book")
