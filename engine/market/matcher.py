"""The matching engine as others use it: requests or packed commands in, what happened out.

Owns: batches. Does not own: any rule.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import BadInput
from engine.market import words_kernel as w
from engine.market.books import Books, Depth
from engine.market.matching_kernel import run
from engine.market.requests import LARGEST_BATCH, Happening, Request, Venue, pack_requests, unpack_events
from schemas.codes import InstrumentState, Side
from schemas.derive.layout import Rows, dtype_of, empty_rows
from schemas.matching import MarketCommand, OrderTerms

SMALL_BOOKS = 16_384  # orders; above it the books outgrow the caches, and foreseeing pays


_NO_TERMS = empty_rows(OrderTerms, 1)


class Matcher:
    """Books and the kernel that runs commands on them."""

    def __init__(
        self,
        venues: dict[int, Venue],
        order_count: int,
        state: InstrumentState = InstrumentState.OPEN,
    ) -> None:
        """Books of the given instruments, in the given phase, with room for so many orders at a time."""
        self.books = Books(max(venues), order_count)
        self.small_books = SMALL_BOOKS
        for instrument_id, venue in venues.items():
            self.books.list_instrument(instrument_id, venue, state)

    def submit(self, request: Request) -> list[Happening]:
        """Decide one request."""
        return self.submit_all([request])

    def submit_all(self, requests: Sequence[Request]) -> list[Happening]:
        """Decide requests in order."""
        commands, terms = pack_requests(requests)
        happened: list[Happening] = []
        done = 0
        while done < len(commands):
            done = self.run(commands, terms, done)
            happened += unpack_events(self.books.events)
        return happened

    def run(self, commands: Rows, terms: Rows = _NO_TERMS, first: int = 0) -> int:
        """Decide packed commands from `first` on. Returns the first that was not decided.

        `books.events` holds what happened until the next call; call again while commands are left. Raises
        BadInput where rows are not MarketCommand rows, or a command points at terms that are not there.
        """
        count = min(len(commands) - first, LARGEST_BATCH)
        if commands.dtype != dtype_of(MarketCommand) or not commands.flags.c_contiguous:
            raise BadInput("commands are contiguous rows of MarketCommand")
        if int((commands["terms_word"] & w.LOW).max(initial=0)) >= len(terms):
            raise BadInput("a command points at terms that are not there")
        books = self.books
        books.use_terms(terms)
        full_at = books.make_room(count)
        books.meta[w.EVENT_COUNT] = 0
        is_large = books.live_count > self.small_books
        return int(run(books.address, commands.ctypes.data, first, first + count, full_at, is_large))

    def depth(self, instrument_id: int, side: Side, levels: int) -> list[Depth]:
        """The best prices of a side, best first."""
        return self.books.depth(instrument_id, side, levels)
