"""A venue's book rebuilt from LOBSTER files: hand-made tables, and Nasdaq's own book row by row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.errors import BadInput
from engine.gateway.lobster_book import BookCounts, rebuild_book
from engine.market.matcher import Matcher
from engine.market.requests import LARGEST_TICKS, Venue
from orchestration.cli import app

BUY, SELL = 1, -1
FIRST_ROWS = "AAPL_2012-06-21_message_10_first1000.csv"
FIRST_BOOK = "AAPL_2012-06-21_orderbook_10_first1000.csv"
FIRST_HOUR = "AAPL_2012-06-21_message_50_0930_1030.csv"


@dataclass
class Rebuilt:
    """What came out: the text of the file, the counts, what was told."""

    text: str
    counts: BookCounts
    told: list[str]

    def books(self) -> list[str]:
        """Each row for people: bids best first | asks best first, as size@price."""
        return [_book(line) for line in self.text.splitlines()]


def _book(line: str) -> str:
    numbers = [int(column) for column in line.split(",")]
    levels = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
    bids = " ".join(f"{level[3]}@{level[2]}" for level in levels if level[3])
    asks = " ".join(f"{level[1]}@{level[0]}" for level in levels if level[1])
    return f"{bids} | {asks}".strip()


def rebuild(path: Path, levels: int = 3, book: Path | None = None, order_count: int = 1_000) -> Rebuilt:
    out, told = path.parent / "out.csv", list[str]()
    counts = rebuild_book(path, out, levels, Matcher({1: Venue()}, order_count), book, told.append)
    return Rebuilt(out.read_bytes().decode("ascii"), counts, told)


def written(folder: Path, rows: list[str], name: str = "rows.csv") -> Path:
    """A message file; a row without a time happens one second after the row before it."""
    path = folder / name
    times = (f"{34_200 + number}," if row.count(",") == 4 else "" for number, row in enumerate(rows))
    path.write_text("".join(f"{time}{row}\n" for time, row in zip(times, rows, strict=True)))
    return path


def seeded(folder: Path, first_book: str, rows: list[str], name: str = "X_2024-01-02_message_2.csv") -> Path:
    """A message file and, beside it, the order-book file whose first row is `first_book`."""
    (folder / name.replace("message", "orderbook")).write_text(first_book + "\n")
    return written(folder, rows, name)


def check(table: list[tuple[str, str]], path: Path) -> Rebuilt:
    rebuilt = rebuild(path)
    assert rebuilt.books() == [book for _, book in table]
    return rebuilt


def rows_of(table: list[tuple[str, str]]) -> list[str]:
    return [row for row, _ in table]


# type, order id, size, price, side of the resting order        the book after the row
EVERY_TYPE = [
    ("1,11,100,5853300,1", "100@5853300 |"),
    ("1,12,50,5853350,-1", "100@5853300 | 50@5853350"),  # half a cent is a price too
    ("1,13,70,5853300,1", "170@5853300 | 50@5853350"),
    ("1,14,30,5853400,-1", "170@5853300 | 50@5853350 30@5853400"),
    ("2,11,40,5853300,1", "130@5853300 | 50@5853350 30@5853400"),
    ("4,11,60,5853300,1", "70@5853300 | 50@5853350 30@5853400"),
    ("4,13,20,5853300,1", "50@5853300 | 50@5853350 30@5853400"),
    ("4,12,50,5853350,-1", "50@5853300 | 30@5853400"),
    ("5,0,500,5853325,1", "50@5853300 | 30@5853400"),  # hidden
    ("6,-1,900,5853300,-1", "50@5853300 | 30@5853400"),  # auction print
    ("6,0,900,0,-1", "50@5853300 | 30@5853400"),
    ("7,0,0,-1,-1", "50@5853300 | 30@5853400"),  # halted, quoted, trading again
    ("7,0,0,0,-1", "50@5853300 | 30@5853400"),
    ("7,0,0,1,-1", "50@5853300 | 30@5853400"),
    ("3,13,50,5853300,1", "| 30@5853400"),
    ("3,14,30,5853400,-1", "|"),
]


def test_each_row_is_followed_by_its_book(tmp_path: Path) -> None:
    rebuilt = check(EVERY_TYPE, written(tmp_path, rows_of(EVERY_TYPE)))
    assert rebuilt.counts == BookCounts(row_count=16, exact_count=3)
    assert rebuilt.told == [
        "no order-book file that belongs to rows.csv lies beside it: the book begins empty"
    ]


def test_a_row_is_written_as_lobster_writes_it(tmp_path: Path) -> None:
    path = written(tmp_path, ["5,0,5,100,1", "1,1,18,5853300,1", "1,2,7,5859400,-1", "1,3,9,5859500,-1"])
    assert rebuild(path, levels=2).text == (
        "9999999999,0,-9999999999,0,9999999999,0,-9999999999,0\n"
        "9999999999,0,5853300,18,9999999999,0,-9999999999,0\n"
        "5859400,7,5853300,18,9999999999,0,-9999999999,0\n"
        "5859400,7,5853300,18,5859500,9,-9999999999,0\n"
    )


OUT_OF_TURN = [
    ("1,21,10,100,-1", "| 10@100"),
    ("1,5,20,100,-1", "| 30@100"),
    ("1,23,30,100,-1", "| 60@100"),
    ("4,5,15,100,-1", "| 45@100"),  # 21 stands first, 5 is named, and 5 has the lower number
    ("4,21,10,100,-1", "| 35@100"),  # 21 has all that it had, and still stands first
    ("4,23,25,100,-1", "| 10@100"),  # 5 stands first with what it has left, 23 is named
    ("2,5,2,100,-1", "| 8@100"),
    ("3,23,5,100,-1", "| 3@100"),
    ("3,5,3,100,-1", "|"),
]


def test_an_execution_out_of_turn_moves_no_other(tmp_path: Path) -> None:
    rebuilt = check(OUT_OF_TURN, written(tmp_path, rows_of(OUT_OF_TURN)))
    assert rebuilt.counts == BookCounts(row_count=9, exact_count=1, different_count=2, lower_count=1)


FIRST_BOOK_ROW = "110,40,100,25,120,60,90,70"
AFTER_A_BOOK = [
    ("1,11,10,100,1", "25@100 70@90 | 40@110 60@120"),  # is in the first book row already
    (
        "4,3,5,100,1",
        "20@100 70@90 | 40@110 60@120",
    ),  # nobody introduced 3: it rested before, and stands first
    ("4,11,5,100,1", "15@100 70@90 | 40@110 60@120"),  # 10 from before the file stand ahead of 11
    ("3,4,10,100,1", "5@100 70@90 | 40@110 60@120"),
    ("4,11,5,100,1", "70@90 | 40@110 60@120"),
    ("2,5,30,90,1", "40@90 | 40@110 60@120"),
    ("3,6,99,90,1", "| 40@110 60@120"),  # no more than there is
    ("3,7,1,90,1", "| 40@110 60@120"),
    ("4,8,1,90,1", "| 40@110 60@120"),
]


def test_what_rested_before_the_file_is_nameless_and_stands_first(tmp_path: Path) -> None:
    rebuilt = check(AFTER_A_BOOK, seeded(tmp_path, FIRST_BOOK_ROW, rows_of(AFTER_A_BOOK)))
    assert rebuilt.told == [
        "the book begins as row 1 of X_2024-01-02_orderbook_2.csv, taken after the first message"
    ]
    assert rebuilt.counts == BookCounts(
        row_count=9, exact_count=1, seeded_count=1, different_count=1, absent_count=1,
        unknown_cancel_count=3, absent_cancel_count=1,
    )  # fmt: skip


def test_the_first_row_may_be_of_any_type(tmp_path: Path) -> None:
    for first in ("2,1,5,100,1", "3,1,5,100,1", "4,1,5,100,1", "5,0,5,100,1", "6,-1,5,100,1", "7,0,0,-1,-1"):
        rebuilt = rebuild(seeded(tmp_path, FIRST_BOOK_ROW, [first, "1,9,1,100,1"]))
        assert rebuilt.books() == ["25@100 70@90 | 40@110 60@120", "26@100 70@90 | 40@110 60@120"]


def test_a_book_of_another_file_is_set_to_its_time(tmp_path: Path) -> None:
    """Rows before that row of the other file are in it already; rows after it at the same instant are not."""
    shallow = ["34201.5,1,13,10,100,1", "34201.5,4,2,5,110,-1"]
    (tmp_path / "X_2024-01-02_orderbook_2.csv").write_text(FIRST_BOOK_ROW + "\n110,35,100,25,120,60,90,70\n")
    written(tmp_path, shallow, "X_2024-01-02_message_2.csv")
    deep = [
        ("34200,1,11,8,90,1", "8@90 |"),
        ("34201,1,12,5,80,1", "8@90 5@80 |"),
        ("34201.5,1,13,10,100,1", "25@100 70@90 5@80 | 40@110 60@120"),
        ("34201.5,4,2,5,110,-1", "25@100 70@90 5@80 | 35@110 60@120"),
        ("34202,3,12,5,80,1", "25@100 70@90 | 35@110 60@120"),
        ("34202,3,13,10,100,1", "15@100 70@90 | 35@110 60@120"),
        ("34202,3,11,8,90,1", "15@100 62@90 | 35@110 60@120"),
    ]
    rebuilt = check(deep, written(tmp_path, rows_of(deep), "X_2024-01-02_message_50.csv"))
    assert rebuilt.told == [
        "the book is set to row 1 of X_2024-01-02_orderbook_2.csv, "
        "the state after row 1 of X_2024-01-02_message_2.csv"
    ]
    assert rebuilt.counts.absent_cancel_count == rebuilt.counts.unknown_cancel_count == 0


def test_a_book_of_a_deeper_file_is_set_to_its_time_without_its_row(tmp_path: Path) -> None:
    deep = ["34201.5,1,13,10,80,1", "34201.5,4,2,5,110,-1"]
    (tmp_path / "X_2024-01-02_orderbook_9.csv").write_text("110,40,100,25,120,60,80,10\n")
    written(tmp_path, deep, "X_2024-01-02_message_9.csv")
    table = [
        ("34201,1,11,5,100,1", "5@100 |"),
        ("34201.5,1,12,5,100,1", "10@100 |"),  # not in the deeper file after its first row: before it
        ("34201.5,4,2,5,110,-1", "25@100 10@80 | 35@110 60@120"),
        ("34201.5,3,12,5,100,1", "20@100 10@80 | 35@110 60@120"),
    ]
    rebuilt = check(table, written(tmp_path, rows_of(table), "X_2024-01-02_message_1.csv"))
    assert rebuilt.counts == BookCounts(row_count=4, seeded_count=1)


def test_a_file_that_begins_later_begins_with_the_book_of_that_time(tmp_path: Path) -> None:
    rows = ["34200,1,1,10,100,1", "34201,1,2,5,100,1", "34202,1,3,5,100,1", "34203,3,2,5,100,1"]
    books = [f"110,40,100,{bid},120,60,90,70" for bid in (25, 30, 35, 30)]
    (tmp_path / "X_2024-01-02_orderbook_2.csv").write_text("\n".join(books))
    written(tmp_path, rows, "X_2024-01-02_message_2.csv")
    rebuilt = rebuild(written(tmp_path, rows[2:], "X_2024-01-02_message_2_late.csv"))
    assert [book.split()[0] for book in rebuilt.books()] == ["35@100", "30@100"]
    between = rebuild(written(tmp_path, ["34202.5,2,9,1,100,1"], "X_2024-01-02_message_50.csv"))
    assert [book.split()[0] for book in between.books()] == ["34@100"]


FOREIGN = ["X_2024-01-02_b_orderbook_9.csv", "X_2024-01-02_b_message_9.csv"]


@pytest.mark.parametrize(
    ("files", "used"),
    [
        (["X_2024-01-02_a_orderbook_5.csv", *FOREIGN], "X_2024-01-02_a_orderbook_5.csv"),
        (FOREIGN, "X_2024-01-02_b_orderbook_9.csv"),
        (
            [*FOREIGN, "X_2024-01-02_c_orderbook_10.csv", "X_2024-01-02_c_message_10.csv"],
            "X_2024-01-02_c_orderbook_10.csv",
        ),
        (["X_2024-01-02_b_orderbook_9.csv"], None),  # nothing tells its time
        (["Y_2024-01-02_b_orderbook_9.csv", "Y_2024-01-02_b_message_9.csv"], None),
        (["X_2024-01-03_b_orderbook_9.csv", "X_2024-01-03_b_message_9.csv"], None),
    ],
)
def test_which_book_is_found_beside_a_message_file(
    tmp_path: Path, files: list[str], used: str | None
) -> None:
    for name in files:
        (tmp_path / name).write_text("34200,1,1,10,100,1\n" if "message" in name else FIRST_BOOK_ROW + "\n")
    (told,) = rebuild(written(tmp_path, ["1,1,10,100,1"], "X_2024-01-02_a_message_5.csv")).told
    assert (used or "no order-book file") in told


def test_a_book_that_is_named_is_used(tmp_path: Path) -> None:
    path = seeded(tmp_path, FIRST_BOOK_ROW, ["1,1,10,100,1"])
    other = tmp_path / "book of mine.csv"
    other.write_text("111,1,100,10\n")
    assert rebuild(path, book=other).books() == ["10@100 | 1@111"]


CROSSED = [
    ("1,11,10,100,-1", "| 10@100"),
    ("1,12,10,102,-1", "| 10@100 10@102"),
    ("1,13,30,101,1", "30@101 | 10@100 10@102"),  # would trade; the venue says that it rests
    ("1,14,5,99,1", "30@101 5@99 | 10@100 10@102"),
    ("4,11,10,100,-1", "30@101 5@99 | 10@102"),
    ("4,13,7,101,1", "23@101 5@99 | 10@102"),  # no longer crossed: matched
    ("4,12,1,102,-1", "23@101 5@99 | 9@102"),
    ("4,14,5,99,1", "23@101 | 9@102"),  # behind a better price
]


def test_an_order_that_crosses_rests(tmp_path: Path) -> None:
    rebuilt = check(CROSSED, written(tmp_path, rows_of(CROSSED)))
    assert rebuilt.counts == BookCounts(row_count=8, exact_count=2, unmatched_count=2)


ODD = [
    (f"1,{10**18 - 1},10,100,1", "10@100 |"),  # a number of 18 digits
    (f"1,{10**18 - 1},20,100,1", "30@100 |"),  # used again: names the younger order
    (f"4,{10**18 - 1},50,100,1", "10@100 |"),  # more than is open; and out of turn
    ("3,77,10,100,1", "|"),  # the older one has no name any more
    ("2,1,5,100,1", "|"),
    ("1,2,10,100,1", "10@100 |"),
    ("3,2,10,101,1", "10@100 |"),  # at another price: another order
    ("4,2,10,100,-1", "10@100 |"),  # on the other side: another order
    ("3,2,1,100,1", "|"),  # a delete takes all of it
    (f"1,3,10,{LARGEST_TICKS},-1", f"| 10@{LARGEST_TICKS}"),
]


def test_odd_rows_take_what_is_there(tmp_path: Path) -> None:
    check(ODD, written(tmp_path, rows_of(ODD)))


# a file that is cut to one level has no row about what lies beyond the best price
CUT = [
    ("1,11,10,100,1", "10@100 |"),
    ("1,12,10,101,1", "10@101 10@100 |"),
    ("1,13,10,102,1", "10@102 10@101 10@100 |"),
    ("3,13,10,102,1", "10@101 10@100 |"),  # as far as anybody knows 12 is there
    ("4,11,5,100,1", "5@100 |"),  # no: an execution is at the best price
    ("1,14,10,103,1", "10@103 5@100 |"),
    ("1,15,10,104,1", "10@104 10@103 5@100 |"),
    ("3,15,10,104,1", "10@103 5@100 |"),
    ("2,11,1,100,1", "4@100 |"),  # a row about 100 says that no level is better
    ("1,16,10,103,1", "10@103 4@100 |"),
    ("3,16,10,103,1", "4@100 |"),
    ("1,17,6,100,1", "10@100 |"),
    ("4,17,2,100,1", "4@100 |"),  # 11 stands before 17, so it went while 103 was the best price
    ("1,18,5,105,1", "5@105 4@100 |"),
    ("3,18,5,105,1", "4@100 |"),
    ("1,19,3,99,-1", "| 3@99"),  # rests, so nobody bids 100 any more
    ("1,20,5,98,-1", "| 5@98 3@99"),
    ("4,19,1,99,-1", "| 5@98 2@99"),  # not at the best price, though 20 was seen just now: one of them is odd
    ("4,19,1,99,-1", "| 1@99"),  # again: 20 went
]


def test_quantity_that_went_unseen_is_taken_off_once_a_row_says_so(tmp_path: Path) -> None:
    rebuilt = check(CUT, written(tmp_path, rows_of(CUT), "X_2024-01-02_message_1.csv"))
    assert rebuilt.counts.dropped_level_count == 4
    assert rebuilt.counts.unmatched_count == 1


def test_a_file_that_is_complete_is_believed(tmp_path: Path) -> None:
    """Its name says one level, but no row ever contradicts what lies beyond it."""
    rows = [f"1,{price},10,{price},1" for price in (103, 102, 101, 100)]
    rows += ["2,101,1,101,1", "4,103,10,103,1", "3,102,10,102,1", "4,101,4,101,1", "1,7,5,101,-1"]
    rebuilt = rebuild(written(tmp_path, rows, "X_2024-01-02_message_1.csv"))
    assert rebuilt.books()[-1] == "5@101 10@100 | 5@101"
    assert rebuilt.counts.dropped_level_count == 0


NEW = "1,1,10,100,1"


@pytest.mark.parametrize(
    ("rows", "book", "says"),
    [
        (["1,2,10,100"], "", "message_1.csv:1: 6 columns are expected, not 4"),
        ([NEW, f"1,2,10,{LARGEST_TICKS + 1},1"], "", "message_1.csv:2: price or size is larger"),
        ([NEW, f"1,2,{1 << 31},100,1"], "", "message_1.csv:2: price or size is larger"),
        ([NEW, NEW, NEW], "", "message_1.csv:3: the matching engine says BOOK_FULL"),
        ([NEW], "1,2,3\n", "orderbook_1.csv:1: 4 columns a level are expected, not 3"),
        ([NEW], "ask,size,bid,size\n", "orderbook_1.csv:1: not a row of whole numbers"),
        ([NEW], "110,-5,100,10\n", "orderbook_1.csv:1: size and price are above zero"),
        ([NEW], "\n", "orderbook_1.csv:1: 4 columns a level are expected, not 1"),
        ([NEW], "110,5,100,3000000000\n", "message_1.csv:1: a size of the first book row is larger"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_file_and_line(
    tmp_path: Path, rows: list[str], book: str, says: str
) -> None:
    path = written(tmp_path, rows, "rows_message_1.csv")
    if book:
        (tmp_path / "rows_orderbook_1.csv").write_text(book)
    with pytest.raises(BadInput) as refused:
        rebuild(path, order_count=2)
    assert says in str(refused.value)


def test_a_file_that_is_read_is_not_written(tmp_path: Path) -> None:
    path = seeded(tmp_path, FIRST_BOOK_ROW, ["1,11,10,100,1"])
    for out in (path, tmp_path / "X_2024-01-02_orderbook_2.csv"):
        before = out.read_bytes()
        with pytest.raises(BadInput, match="is a file that is read here"):
            rebuild_book(path, out, 1, Matcher({1: Venue()}, 10), None, print)
        assert out.read_bytes() == before


# The command --------------------------------------------------------------------------------


def test_the_command_rebuilds_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, out = seeded(tmp_path, FIRST_BOOK_ROW, rows_of(AFTER_A_BOOK)), tmp_path / "out.csv"
    before = set(tmp_path.iterdir())
    told = CliRunner().invoke(
        app, ["replay", "--lobster", str(path), "--book-out", str(out), "--levels", "1"]
    )
    assert told.exit_code == 0, told.output
    assert out.read_text().splitlines()[0] == "110,40,100,25"
    assert "9 rows in" in told.stdout
    assert "1 hit the order that is named, 1 quantity from before the file, 1 another order" in told.stdout
    assert "the book begins as row 1 of" in told.stderr
    assert set(tmp_path.iterdir()) - before == {out}


@pytest.mark.parametrize(
    "words",
    [
        ["--book-out", "out.csv"],
        ["--book-in", "book.csv"],
        ["--lobster", "rows.csv", "--book-in", "book.csv"],
        ["--lobster", "none.csv", "--book-out", "out.csv"],
        ["--lobster", "rows.csv", "--book-out", "out.csv", "--book-in", "none.csv"],
        ["--lobster", "rows.csv", "--book-out", "out.csv", "--levels", "0"],
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, ["1,1,10,100,1"])
    (tmp_path / "book.csv").write_text(FIRST_BOOK_ROW)
    told = CliRunner().invoke(app, ["replay", *words])
    assert told.exit_code == 2
    assert "Invalid value" in told.output
    assert not (tmp_path / "out.csv").exists()


# Nasdaq's book ------------------------------------------------------------------------------


@pytest.fixture
def samples() -> Path:
    try:
        from tests.support.shared import SHARED
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    return SHARED / "data" / "lobster"


def rebuilt_sample(path: Path, tmp_path: Path) -> tuple[list[str], BookCounts, list[str]]:
    out, told = tmp_path / "out.csv", list[str]()
    counts = rebuild_book(path, out, 10, Matcher({1: Venue()}, 1 << 16), None, told.append)
    return out.read_text().splitlines(), counts, told


def right_at(depth: int, rebuilt: list[str], book: list[str]) -> int:
    columns = 4 * depth
    pairs = zip(rebuilt, book, strict=True)
    return sum(ours.split(",")[:columns] == theirs.split(",")[:columns] for ours, theirs in pairs)


def test_the_first_hour_within_50_levels_gives_every_row_of_the_venues_book(
    samples: Path, tmp_path: Path
) -> None:
    rebuilt, counts, told = rebuilt_sample(samples / FIRST_HOUR, tmp_path)
    deep = (samples / FIRST_HOUR).read_text().splitlines()
    shallow = (samples / FIRST_ROWS).read_text().splitlines()
    rows = iter(zip(deep, rebuilt, strict=True))
    found = [next(ours for row, ours in rows if row == wanted) for wanted in shallow]
    assert right_at(10, found, (samples / FIRST_BOOK).read_text().splitlines()) == len(shallow) == 999
    assert told == [f"the book is set to row 1 of {FIRST_BOOK}, the state after row 1 of {FIRST_ROWS}"]
    assert counts == BookCounts(
        row_count=91_997, exact_count=4_031, seeded_count=12, different_count=24, lower_count=15,
        unknown_cancel_count=19, absent_cancel_count=53,
    )  # fmt: skip


def test_ten_levels_alone_drift_no_further_than_their_rows_allow(samples: Path, tmp_path: Path) -> None:
    rebuilt, counts, _ = rebuilt_sample(samples / FIRST_ROWS, tmp_path)
    book = (samples / FIRST_BOOK).read_text().splitlines()
    assert [right_at(depth, rebuilt, book) for depth in (1, 3, 5, 10)] == [955, 790, 531, 113]
    assert (counts.exact_count, counts.different_count, counts.absent_count) == (94, 0, 4)
