"""A venue's book rebuilt from its LOBSTER message file, in our own matching engine, row by row.

Every row becomes requests to the matching engine; after each row the engine's depth is written as a row of
LOBSTER's order-book file. An execution is an immediate-or-cancel order of the other side at its price and
size, so that our matching chooses the resting order. Where it chooses another one than the row names, the
queue at that price is entered again as the file has it: one execution out of turn never moves the next.
Here a tick is 1/10,000 dollar and a lot is a share.

Owns: what a row asks of the engine, what becomes of quantity in doubt, the counts, the format of a depth row.
Does not own: columns and types (`lobster.py`), the file's account of a side (`lobster_side.py`), the book
that a file begins with (`lobster_seed.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.errors import BadInput, InvariantBroken
from engine.gateway.lobster import Message, MessageType, messages
from engine.gateway.lobster_seed import NO_PRICE, PriceLots, Seed, Tell, file_levels, find_seed
from engine.gateway.lobster_side import NAMELESS, BookSide, Level, Resting
from engine.market.matcher import Matcher
from engine.market.requests import LARGEST_LOTS, LARGEST_TICKS, Happening, Request, Venue
from schemas.codes import InstrumentState, MarketAction, MarketEventKind, RejectReason, Side, TimeInForce

INSTRUMENT = 1
MAKER, TAKER = 1, 2  # accounts
ORDER_COUNT = 1 << 20  # room for orders that rest at a time
NO_LEVEL = {Side.SELL: f"{NO_PRICE},0", Side.BUY: f"{-NO_PRICE},0"}
OTHER = {Side.SELL: Side.BUY, Side.BUY: Side.SELL}
FAR = 1 << 62  # beyond the key of every price

Hits = list[tuple[int, int]]  # engine id and lots, in the order of the trades


class MatchingEngine(Protocol):
    """What is needed of a matching engine; INSTRUMENT is listed and open, and every tick is a price."""

    def submit(self, request: Request) -> list[Happening]:
        """Decide one request."""
        ...

    def depth(self, instrument_id: int, side: Side, levels: int) -> Sequence[tuple[int, int, int]]:
        """Price, shown lots and number of orders of the best levels, best first."""
        ...


@dataclass
class BookCounts:
    """What the rows asked for, and how far our matching and the file agree."""

    row_count: int = 0
    exact_count: int = 0  # executions that hit the order that the row names, and no other
    seeded_count: int = 0  # executions of unknown orders that hit quantity from before the file
    different_count: int = 0  # executions that hit another order
    lower_count: int = 0  # of those: the row names an order with a lower number than the one that was hit
    unmatched_count: int = 0  # executions behind a better price or in a crossed book, taken by name
    absent_count: int = 0  # executions of unknown orders where nothing of the kind stood
    unknown_cancel_count: int = 0  # cancels of unknown orders, taken out of quantity from before the file
    absent_cancel_count: int = 0  # cancels of unknown orders where nothing of the kind stood
    dropped_level_count: int = 0  # levels that had gone while the file had no rows about them

    def text(self) -> str:
        """Three sentences for people."""
        executions = (
            self.exact_count + self.seeded_count + self.different_count + self.unmatched_count
            + self.absent_count
        )  # fmt: skip
        cancels = self.unknown_cancel_count + self.absent_cancel_count
        return (
            f"{executions:,} visible executions: {self.exact_count:,} hit the order that is named, "
            f"{self.seeded_count:,} quantity from before the file, {self.different_count:,} another order "
            f"({self.lower_count:,} of these name one with a lower number), {self.unmatched_count:,} could "
            f"not trade at their price, {self.absent_count:,} found nothing\n"
            f"{cancels:,} cancels of orders that no row introduced: {self.unknown_cancel_count:,} taken out "
            f"of quantity from before the file, {self.absent_cancel_count:,} found nothing\n"
            f"{self.dropped_level_count:,} levels had gone without a row and were taken off"
        )


def fresh_engine() -> MatchingEngine:
    """Our matching engine, empty."""
    return Matcher({INSTRUMENT: Venue()}, ORDER_COUNT)


def rebuild_book(
    path: Path, out: Path, levels: int, engine: MatchingEngine, book: Path | None, tell: Tell
) -> BookCounts:
    """Write the depth after each row of a message file; row n is the book after message n.

    `book` names the order-book file to begin with; none looks beside the message file. Raises BadInput naming
    file and line on the first row that cannot be used; the rows before it are written.
    """
    seed = find_seed(path, book, tell)
    for used in (path, *([seed.path] if seed else [])):
        if out.exists() and out.samefile(used):
            raise BadInput(f"{out} is a file that is read here")
    rebuild = BookRebuild(engine, path.name, levels, file_levels(path, seed))
    with out.open("w", encoding="ascii", newline="\n") as rows:
        for message in messages(path):
            if seed is not None and seed.is_due_before(message):
                rebuild.begin_with(seed)
                seed = None
            rebuild.apply(message)
            if seed is not None and seed.is_due_after(message):
                rebuild.begin_with(seed)
                seed = None
            rows.write(rebuild.depth.line())
    if seed is not None:
        tell(f"{path.name} ends before row {seed.line} of {seed.path.name}, which was not used")
    return rebuild.counts


class DepthLine:
    """The visible levels as a row of text, asked of the engine again only when one of them was touched."""

    def __init__(self, engine: MatchingEngine, levels: int) -> None:
        self._engine = engine
        self._levels = levels
        self._columns = {side: [NO_LEVEL[side]] * levels for side in Side}
        self._edge = dict.fromkeys(Side, FAR)  # key of the last visible level; far when not all are filled
        self._is_touched = dict.fromkeys(Side, True)
        self._line = ""

    def touch(self, book: BookSide, price: int) -> None:
        """Note that a level changed."""
        if book.key(price) <= self._edge[book.side]:
            self._is_touched[book.side] = True

    def line(self) -> str:
        """The row, with its line end."""
        is_old = False
        for side, is_touched in self._is_touched.items():
            if is_touched:
                is_old = True
                self._is_touched[side] = False
                self._ask(side)
        if is_old:
            pairs = zip(self._columns[Side.SELL], self._columns[Side.BUY], strict=True)
            self._line = ",".join([column for pair in pairs for column in pair]) + "\n"
        return self._line

    def _ask(self, side: Side) -> None:
        depth = self._engine.depth(INSTRUMENT, side, self._levels)
        empty_count = self._levels - len(depth)
        self._columns[side] = [f"{price},{lots}" for price, lots, _ in depth] + [NO_LEVEL[side]] * empty_count
        if empty_count:
            self._edge[side] = FAR
        else:
            self._edge[side] = -depth[-1][0] if side == Side.BUY else depth[-1][0]


class BookRebuild:
    """The book of one instrument: the engine that holds it, and the file's account of who stands where."""

    def __init__(
        self, engine: MatchingEngine, file_name: str, levels: int, cut_levels: int | None = None
    ) -> None:
        """`cut_levels` is to how many levels the file is cut; none when it has rows about all of them."""
        self.counts = BookCounts()
        self.depth = DepthLine(engine, levels)
        self._engine = engine
        self._file_name = file_name
        self._cut_levels = cut_levels
        self._sides = {side: BookSide(side, cut_levels) for side in Side}
        self._is_open = True  # continuous trading; otherwise the engine collects orders and nothing trades
        self._is_cut = False  # whether a row was seen that only a file cut to its levels can have
        self._engine_id = 0
        self._message: Message | None = None

    def apply(self, message: Message) -> None:
        """Bring the book to the state after a row."""
        self.counts.row_count += 1
        self._message = message
        kind = message.message_type
        if kind > MessageType.EXECUTION:  # hidden quantity, auction prints and halts leave the visible book
            return
        if message.price > LARGEST_TICKS or message.size > LARGEST_LOTS:
            raise self._bad("price or size is larger than the matching engine has")
        self._see(self._sides[message.side], message.price)
        if kind == MessageType.NEW:
            self._new(message)
        elif kind == MessageType.EXECUTION:
            self._execution(message)
        else:
            self._cancel(message)

    def begin_with(self, seed: Seed) -> None:
        """Bring the visible levels to a row of an order-book file.

        What rows of the message file have introduced keeps its name; the rest is nameless and stands first.
        """
        for side, visible in seed.sides.items():
            book = self._sides[side]
            edge = book.key(list(visible)[-1]) if len(visible) == seed.level_count else FAR
            unseen = [level for p, level in book.levels.items() if p not in visible and book.key(p) <= edge]
            for level in unseen:
                self._drop(book, level)
        for side, visible in seed.sides.items():
            self._fill(self._sides[side], visible)

    def _fill(self, book: BookSide, visible: PriceLots) -> None:
        for price, lots in visible.items():
            level = book.levels.get(price)
            there = list(level.queue.values()) if level is not None else []
            missing = lots - sum(resting.lots for resting in there)
            if missing > LARGEST_LOTS:
                raise self._bad("a size of the first book row is larger than the matching engine has")
            nameless = Resting(0, NAMELESS, missing, self.counts.row_count)
            if level is None:
                self._enter(book, price, nameless)
            elif missing > 0:
                self._take_off(book, level, {})
                self._enter_again(book, level, [nameless])
            else:
                for resting in there:
                    surplus = min(-missing, resting.lots)
                    missing += surplus
                    if surplus:
                        self._reduce(book, level, resting, surplus)

    # Rows ---------------------------------------------------------------------------

    def _new(self, message: Message) -> None:
        book, other = self._sides[message.side], self._sides[OTHER[message.side]]
        if self._is_cut and self._crosses(book, message.price):
            for level in [*other.better_than(message.price), other.levels.get(message.price)]:
                if level is not None and level.is_doubtful():
                    self._drop_unseen(other, level)
        self._enter(book, message.price, Resting(0, message.order_id, message.size, self.counts.row_count))

    def _cancel(self, message: Message) -> None:
        book = self._sides[message.side]
        level, order = self._named(book, message)
        if level is not None and order is not None:
            is_whole = message.message_type == MessageType.DELETE
            self._reduce(book, level, order, order.lots if is_whole else min(message.size, order.lots))
            return
        nameless = level.nameless(message.size) if level is not None else []
        for resting, lots in nameless:
            assert level is not None
            self._reduce(book, level, resting, lots)
        if nameless:
            self.counts.unknown_cancel_count += 1
        else:
            self.counts.absent_cancel_count += 1

    def _execution(self, message: Message) -> None:
        book = self._sides[message.side]
        self._clear_better(book, message.price)
        level, order = self._named(book, message)
        if level is None:
            self.counts.absent_count += 1
            return
        if order is not None:
            if self._is_cut:
                for ahead in level.doubtful_ahead_of(order):
                    self._reduce(book, level, ahead, ahead.lots)
            wanted = [(order, min(message.size, order.lots))]
        else:
            wanted = level.nameless(message.size)
        if not wanted:
            self.counts.absent_count += 1
        elif book.best() != level.price or self._is_crossed():
            self.counts.unmatched_count += 1
            for resting, lots in wanted:
                self._reduce(book, level, resting, lots)
        else:
            self._match(book, level, wanted, message.order_id)

    def _match(
        self, book: BookSide, level: Level, wanted: Sequence[tuple[Resting, int]], order_id: int
    ) -> None:
        """Let the engine trade at this price and compare; afterwards both have what the file has."""
        hits = self._trade(book, level.price, sum(lots for _, lots in wanted))
        self.depth.touch(book, level.price)
        is_agreed = hits == [(resting.engine_id, lots) for resting, lots in wanted]
        if not is_agreed:
            self.counts.different_count += 1
            self.counts.lower_count += order_id < level.queue[hits[0][0]].order_id
            self._take_off(book, level, dict(hits))
        elif wanted[0][0].order_id == NAMELESS:
            self.counts.seeded_count += 1
        else:
            self.counts.exact_count += 1
        for resting, lots in wanted:
            level.take(resting, lots)
        if not is_agreed:
            self._enter_again(book, level)
        if not level.queue:
            book.close_level(level.price, self.counts.row_count)

    def _named(self, book: BookSide, message: Message) -> tuple[Level | None, Resting | None]:
        level = book.levels.get(message.price)
        return level, level.named.get(message.order_id) if level else None

    # Doubt ---------------------------------------------------------------------------

    def _see(self, book: BookSide, price: int) -> None:
        """A row about a price says that fewer levels are better than the file is cut to."""
        if not self._is_cut or self._cut_levels is None:
            return
        surplus = book.rank(price) - self._cut_levels + 1
        if surplus > 0:
            for level in [level for level in book.better_than(price) if level.is_doubtful()][:surplus]:
                self._drop_unseen(book, level)

    def _clear_better(self, book: BookSide, price: int) -> None:
        """An execution says that no price is better: what is in doubt has gone, the rest is in doubt now."""
        for level in book.better_than(price):
            if level.is_doubtful():
                self._is_cut = True
                self._drop_unseen(book, level)
            elif self._is_cut:
                level.doubted_before = self.counts.row_count

    def _drop_unseen(self, book: BookSide, level: Level) -> None:
        self.counts.dropped_level_count += 1
        self._drop(book, level)

    # The engine ---------------------------------------------------------------------------

    def _enter(self, book: BookSide, price: int, resting: Resting) -> None:
        """Let an order join a queue and never trade: a crossed book only collects orders."""
        if self._is_open and self._crosses(book, price):
            self._set_state(InstrumentState.PRE_OPEN)
        self._engine_id += 1
        resting.engine_id = self._engine_id
        self._submit(
            Request(
                order_id=resting.engine_id,
                account_id=MAKER,
                instrument_id=INSTRUMENT,
                side=book.side,
                price_ticks=price,
                quantity_lots=resting.lots,
            )
        )
        level = book.levels.get(price) or book.open_level(price)
        level.add(resting)
        self.depth.touch(book, price)

    def _reduce(self, book: BookSide, level: Level, resting: Resting, lots: int) -> None:
        """Take lots out of an order; it keeps its place."""
        request = self._cancel_of(book, level, resting)
        if lots < resting.lots:
            request = request._replace(action=MarketAction.REPLACE, quantity_lots=resting.lots - lots)
        self._submit(request)
        level.take(resting, lots)
        if not level.queue:
            book.close_level(level.price, self.counts.row_count)
        self.depth.touch(book, level.price)

    @staticmethod
    def _cancel_of(book: BookSide, level: Level, resting: Resting) -> Request:
        return Request(
            action=MarketAction.CANCEL,
            order_id=resting.engine_id,
            account_id=MAKER,
            instrument_id=INSTRUMENT,
            side=book.side,
            price_ticks=level.price,
        )

    def _drop(self, book: BookSide, level: Level) -> None:
        for resting in list(level.queue.values()):
            self._reduce(book, level, resting, resting.lots)

    def _take_off(self, book: BookSide, level: Level, hits: dict[int, int]) -> None:
        """Cancel what the engine still has of a level; the file's account of it stays."""
        for resting in level.queue.values():
            if resting.lots > hits.get(resting.engine_id, 0):
                self._submit(self._cancel_of(book, level, resting))

    def _enter_again(self, book: BookSide, level: Level, first: Sequence[Resting] = ()) -> None:
        """Let the orders of a level that was taken off join the queue anew, in the file's order."""
        queue = [*first, *level.queue.values()]
        level.queue.clear()
        level.named.clear()
        for resting in queue:
            self._enter(book, level.price, resting)

    def _trade(self, book: BookSide, price: int, lots: int) -> Hits:
        """Send an order of the other side; which resting orders it hit."""
        if not self._is_open:
            self._set_state(InstrumentState.OPEN)
        self._engine_id += 1
        happenings = self._submit(
            Request(
                order_id=self._engine_id,
                account_id=TAKER,
                instrument_id=INSTRUMENT,
                side=OTHER[book.side],
                time_in_force=TimeInForce.IOC,
                price_ticks=price,
                quantity_lots=lots,
            )
        )
        trades = [h for h in happenings if h.kind == MarketEventKind.TRADED]
        if sum(h.quantity_lots for h in trades) != lots or any(h.price_ticks != price for h in trades):
            raise InvariantBroken(f"{lots} lots at {price} are on the book and did not trade there")
        return [(h.other_order_id, h.quantity_lots) for h in trades]

    def _crosses(self, book: BookSide, price: int) -> bool:
        """Whether an order of this side would trade at once."""
        best = self._sides[OTHER[book.side]].best()
        return best is not None and book.key(price) <= book.key(best)

    def _is_crossed(self) -> bool:
        best = self._sides[Side.BUY].best()
        return best is not None and self._crosses(self._sides[Side.BUY], best)

    def _set_state(self, state: InstrumentState) -> None:
        self._is_open = state == InstrumentState.OPEN
        self._submit(
            Request(action=MarketAction.SET_STATE, instrument_id=INSTRUMENT, quantity_lots=int(state))
        )

    def _bad(self, reason: str) -> BadInput:
        line = self._message.line if self._message else 1
        return BadInput(f"{self._file_name}:{line}: {reason}")

    def _submit(self, request: Request) -> list[Happening]:
        happenings = self._engine.submit(request)
        for happening in happenings:
            if happening.kind == MarketEventKind.REFUSED:
                raise self._bad(f"the matching engine says {RejectReason(happening.reason).name}")
        return happenings
