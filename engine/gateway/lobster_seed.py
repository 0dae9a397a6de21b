"""The book that a LOBSTER message file begins with: found beside it, read, and set to its place in time.

Row i of an order-book file is the book after row i of its own message file, which has the same name with
`message` for `orderbook`.
Owns: which order-book file fits a message file, one row of it, and after which message that row stands.
Does not own: what is made of it (`lobster_book.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from engine.errors import BadInput
from engine.gateway.lobster import Message, messages
from schemas.codes import Side

Tell = Callable[[str], None]
NO_PRICE = 9_999_999_999  # of an empty level: of an offer; of a bid its negative
LEVEL_COLUMNS = 4  # ask price, ask size, bid price, bid size
ROW_BYTES = 1 << 16

_TICKER_AND_DATE = re.compile(r"[^_]+_\d{4}-\d{2}-\d{2}_")
_BOOK = re.compile(r"_orderbook_(\d{1,4})(?!\d)")
_MESSAGES = re.compile(r"_message_(\d{1,4})(?!\d)")
_WHOLE = re.compile(r"-?\d{1,18}")

PriceLots = dict[int, int]


@dataclass(frozen=True)
class Seed:
    """One row of an order-book file."""

    path: Path
    line: int
    level_count: int
    sides: dict[Side, PriceLots]  # best first
    after: Message | None  # the message of its own file; none: the first of the file that is rebuilt
    later: frozenset[tuple[int, ...]]  # messages of the same instant that this row does not hold yet

    def is_due_before(self, message: Message) -> bool:
        """Whether this message comes after the row."""
        if self.after is None or _same(message) == _same(self.after):
            return False
        if message.since_midnight_ns == self.after.since_midnight_ns:
            return _same(message) in self.later
        return message.since_midnight_ns > self.after.since_midnight_ns

    def is_due_after(self, message: Message) -> bool:
        """Whether the row is the book after this message."""
        return self.after is None or _same(message) == _same(self.after)


def file_levels(path: Path, seed: Seed | None) -> int | None:
    """To how many levels a message file is cut, by its name, or as many as the book that it begins with."""
    found = _MESSAGES.search(path.name)
    if found is not None:
        return int(found[1]) or None
    return seed.level_count if seed is not None else None


def find_seed(path: Path, book: Path | None, tell: Tell) -> Seed | None:
    """The row to begin with: of `book`, or of a file beside the message file, named as LOBSTER names it.

    Raises BadInput naming file and line when that file cannot be read.
    """
    if book is None:
        book = _beside(path)
    if book is None:
        tell(f"no order-book file that belongs to {path.name} lies beside it: the book begins empty")
        return None
    own = book.with_name(book.name.replace("orderbook", "message"))
    if "orderbook" not in book.name or not own.is_file() or own.samefile(path):
        line, raw = next(_lines(book))
        tell(f"the book begins as row {line} of {book.name}, taken after the first message")
        return Seed(book, line, _level_count(raw), _sides(book, line, raw), None, frozenset())
    return _aligned(book, own, next(messages(path)), tell)


def _beside(path: Path) -> Path | None:
    """The message file's own order-book file, else the deepest of its ticker and day that tells its time."""
    own = path.with_name(path.name.replace("message", "orderbook"))
    if own.name != path.name and own.is_file():
        return own
    begin = _TICKER_AND_DATE.match(path.name)
    if begin is None:
        return None
    found: list[tuple[int, str]] = []
    for other in path.parent.iterdir():
        levels = _BOOK.search(other.name)
        if levels is None or not other.name.startswith(begin[0]) or other.suffix != ".csv":
            continue
        if other.with_name(other.name.replace("orderbook", "message")).is_file():
            found.append((-int(levels[1]), other.name))
    return path.with_name(min(found)[1]) if found else None


def _aligned(book: Path, own: Path, first: Message, tell: Tell) -> Seed:
    """The last row that is not after the first message, or the first row when all are."""
    rows, lines = messages(own), _lines(book)
    after, (line, raw) = next(rows), next(lines)
    later: set[tuple[int, ...]] = set()
    for message in rows:
        row = next(lines, None)
        if message.since_midnight_ns > max(first.since_midnight_ns, after.since_midnight_ns):
            break
        is_not_later = message.since_midnight_ns < first.since_midnight_ns or _same(message) == _same(first)
        if row is not None and is_not_later and _same(after) != _same(first):
            after, (line, raw) = message, row
            later.clear()
        elif message.since_midnight_ns == after.since_midnight_ns:
            later.add(_same(message))
    tell(f"the book is set to row {line} of {book.name}, the state after row {after.line} of {own.name}")
    return Seed(book, line, _level_count(raw), _sides(book, line, raw), after, frozenset(later))


def _same(message: Message) -> tuple[int, ...]:
    """What a message says, wherever it stands in its file."""
    return message[1:]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as rows:
            raw = rows.readline(ROW_BYTES)
            if not raw:
                raise BadInput(f"{path.name}:1: the file is empty")
            for line, row in enumerate(chain([raw], iter(lambda: rows.readline(ROW_BYTES), b"")), start=1):
                yield line, row.decode("ascii", errors="replace").rstrip("\r\n")
    except OSError as error:
        raise BadInput(f"{path.name}: {error.strerror}") from error


def _level_count(raw: str) -> int:
    return raw.count(",") // LEVEL_COLUMNS + 1


def _sides(path: Path, line: int, raw: str) -> dict[Side, PriceLots]:
    """Prices and sizes of one row."""
    columns = raw.split(",")
    if len(columns) % LEVEL_COLUMNS:
        raise BadInput(
            f"{path.name}:{line}: {LEVEL_COLUMNS} columns a level are expected, not {len(columns)}"
        )
    if not all(_WHOLE.fullmatch(column) for column in columns):
        raise BadInput(f"{path.name}:{line}: not a row of whole numbers")
    numbers = [int(column) for column in columns]
    sides: dict[Side, PriceLots] = {}
    for side, begin in ((Side.SELL, 0), (Side.BUY, 2)):
        prices, sizes = (islice(numbers, begin + i, None, LEVEL_COLUMNS) for i in (0, 1))
        levels = sides[side] = {p: n for p, n in zip(prices, sizes, strict=True) if abs(p) != NO_PRICE and n}
        if any(p < 1 or n < 1 for p, n in levels.items()):
            raise BadInput(f"{path.name}:{line}: size and price are above zero")
    return sides
