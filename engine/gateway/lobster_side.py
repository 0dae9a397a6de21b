"""One side of a venue's book as a LOBSTER file tells it: prices, the queue at each, and what is in doubt.

Owns: which order stands where by the file's account, and which may have gone without a row. A file that is
cut to N levels has no row about an order while its price lies beyond the N-th: what stood there is in doubt.
Does not own: what is shown (the matching engine has it), or what becomes of doubt (`lobster_book.py`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.codes import Side

NAMELESS = 0  # the order id of what rested before the file begins


@dataclass(slots=True)
class Resting:
    """An order that rests."""

    engine_id: int  # the number under which the matching engine has it
    order_id: int  # the number that the file has for it
    lots: int
    row: int  # that brought it


@dataclass(slots=True)
class Level:
    """The queue at one price."""

    price: int
    queue: dict[int, Resting] = field(default_factory=dict[int, Resting])  # by engine id, oldest first
    named: dict[int, Resting] = field(default_factory=dict[int, Resting])  # by the file's number
    is_beyond: bool = False  # the levels that the file has rows about
    doubted_before: int = 0  # orders of rows before this one may have gone without a row

    def add(self, resting: Resting) -> None:
        """Stand at the end of the queue. A number that is used again names the younger order."""
        self.queue[resting.engine_id] = resting
        if resting.order_id != NAMELESS:
            if (older := self.named.get(resting.order_id)) is not None:
                older.order_id = NAMELESS
            self.named[resting.order_id] = resting

    def take(self, resting: Resting, lots: int) -> None:
        """Take lots out of an order; one that has none left is gone."""
        resting.lots -= lots
        if resting.lots == 0:
            del self.queue[resting.engine_id]
            if resting.order_id != NAMELESS:
                del self.named[resting.order_id]

    def nameless(self, lots: int) -> list[tuple[Resting, int]]:
        """Up to so many lots out of orders without a number, oldest first."""
        found: list[tuple[Resting, int]] = []
        if len(self.named) < len(self.queue):
            for resting in self.queue.values():
                if lots and resting.order_id == NAMELESS:
                    found.append((resting, min(lots, resting.lots)))
                    lots -= found[-1][1]
        return found

    def is_doubtful(self) -> bool:
        """Whether all of it may have gone."""
        return self.is_beyond or next(reversed(self.queue.values())).row < self.doubted_before

    def doubtful_ahead_of(self, resting: Resting) -> list[Resting]:
        """Orders that stand before this one and may have gone."""
        found: list[Resting] = []
        for ahead in self.queue.values():
            if ahead is resting:
                break
            if ahead.row < self.doubted_before:
                found.append(ahead)
        return found


class BookSide:
    """Bids or asks, best first."""

    def __init__(self, side: Side, file_levels: int | None) -> None:
        """`file_levels` is how many levels the file has rows about; none for all of them."""
        self.side = side
        self.levels: dict[int, Level] = {}
        self._file_levels = file_levels
        self._keys: list[int] = []  # of the prices, ascending

    def key(self, price: int) -> int:
        """A price as a number that is lower the better the price is."""
        return -price if self.side == Side.BUY else price

    def price(self, key: int) -> int:
        """The price of a key."""
        return -key if self.side == Side.BUY else key

    def best(self) -> int | None:
        """The best price."""
        return self.price(self._keys[0]) if self._keys else None

    def rank(self, price: int) -> int:
        """How many levels are better."""
        return bisect_left(self._keys, self.key(price))

    def better_than(self, price: int) -> Iterator[Level]:
        """The levels that are better, best first; they may be closed while this runs."""
        for key in self._keys[: self.rank(price)]:
            yield self.levels[self.price(key)]

    def open_level(self, price: int) -> Level:
        """A level where there was none."""
        rank = self.rank(price)
        self._keys.insert(rank, self.key(price))
        level = self.levels[price] = Level(price)
        if self._file_levels is not None and len(self._keys) > self._file_levels:
            if rank >= self._file_levels:
                level.is_beyond = True
            else:
                self._at(self._file_levels).is_beyond = True
        return level

    def close_level(self, price: int, row: int) -> None:
        """Forget a level; the one that comes into view instead is in doubt."""
        rank = self.rank(price)
        del self._keys[rank], self.levels[price]
        if self._file_levels is not None and rank < self._file_levels <= len(self._keys):
            level = self._at(self._file_levels - 1)
            if level.is_beyond:
                level.is_beyond = False
                level.doubted_before = row

    def _at(self, rank: int) -> Level:
        return self.levels[self.price(self._keys[rank])]
