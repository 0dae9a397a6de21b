"""What every store of lake tables promises the lake writer, as tests that any store can be held to.

A test module makes a class of `StorePromises` that says where its store is; the tests come with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pyarrow as pa
import pytest

from engine.errors import LakeError
from engine.projections.store import Part, RecordTable, TableStore
from schemas.derive.arrow import arrow_table
from schemas.derive.layout import empty_rows
from schemas.external import BankBalance
from schemas.ledger import Posting
from schemas.market import Fill
from schemas.record import record_of

FILLS, POSTINGS = record_of(Fill), record_of(Posting)


def rows_of(cls: type, *sequences: int) -> pa.Table:
    """Rows that differ in every column, one a sequence."""
    rows = empty_rows(cls, len(sequences))
    for position, column in enumerate(rows.dtype.names or ()):
        rows[column] = [sequence * 1_000_003 + position for sequence in sequences]
    rows["sequence"] = sequences
    return arrow_table(record_of(cls), rows)


class StorePromises(ABC):
    """The promises. Each test gets a place of its own."""

    @abstractmethod
    def new_store(self) -> TableStore:
        """Another store over this test's place, as another process would have it."""

    @abstractmethod
    def kept(self, cls: type) -> list[int]:
        """The sequences that a reader finds in the table of a class now, ascending; repeats stay."""

    @abstractmethod
    def tear(self, cls: type) -> None:
        """Make of the table's last commit what a power cut may leave of one that was under way."""

    @abstractmethod
    def compact(self, cls: type) -> None:
        """Put all files of a table into one, as a process beside the writer does."""

    def opened(self, cls: type, durable_batch: int = 0) -> RecordTable:
        return self.new_store().open(record_of(cls), durable_batch)

    def filled(self, *batches: Sequence[int]) -> RecordTable:
        """The table of fills with a batch for each list of sequences."""
        table = self.opened(Fill)
        for number, sequences in enumerate(batches, start=1):
            table.append(rows_of(Fill, *sequences), number)
        return table

    def test_a_new_table_is_empty(self) -> None:
        table = self.opened(Fill)
        assert (table.record, table.batch, table.row_count) == (FILLS, 0, 0)
        assert self.kept(Fill) == []

    def test_an_append_adds_its_rows_under_its_number(self) -> None:
        table = self.filled([1, 2], [5])
        assert (table.batch, table.row_count) == (2, 3)
        assert self.kept(Fill) == [1, 2, 5]

    def test_numbers_may_have_gaps_because_a_batch_may_have_no_row_for_a_table(self) -> None:
        table = self.filled([1])
        table.append(rows_of(Fill, 2), 7)
        assert (table.batch, self.kept(Fill)) == (7, [1, 2])

    def test_a_table_opened_again_has_what_was_appended(self) -> None:
        self.filled([1, 2], [3])
        table = self.opened(Fill, 2)
        assert (table.batch, table.row_count) == (2, 3)
        table.append(rows_of(Fill, 4), 3)
        assert self.kept(Fill) == [1, 2, 3, 4]

    def test_a_replacement_is_all_that_is_left(self) -> None:
        table = self.new_store().open(FILLS, 0, is_replaced=True)
        for number in (1, 2, 3):
            table.replace(rows_of(Fill, number), number)
            assert self.kept(Fill) == [number]
        assert (table.batch, table.row_count) == (3, 1)

    def test_several_tables_take_a_batch_together(self) -> None:
        store = self.new_store()
        fills, postings = store.open(FILLS, 0), store.open(POSTINGS, 0)
        store.append_each([Part(fills, rows_of(Fill, 1)), Part(postings, rows_of(Posting, 2, 3))], 1)
        assert (fills.batch, postings.batch) == (1, 1)
        assert (self.kept(Fill), self.kept(Posting)) == ([1], [2, 3])
        store.append_each([], 2)
        store.tend()
        assert (self.kept(Fill), self.kept(Posting)) == ([1], [2, 3])

    def test_a_refusal_by_one_table_is_told_for_all(self) -> None:
        store = self.new_store()
        fills, postings = store.open(FILLS, 0), store.open(POSTINGS, 0)
        self.opened(Fill).append(rows_of(Fill, 1), 1)
        with pytest.raises(LakeError):
            store.append_each([Part(fills, rows_of(Fill, 1)), Part(postings, rows_of(Posting, 2))], 1)
        assert self.kept(Fill) == [1]

    def test_a_second_writer_is_refused_while_the_first_lives(self) -> None:
        with (
            self.new_store().lock(),
            pytest.raises(LakeError, match="another"),
            self.new_store().lock(),
        ):
            pass
        with self.new_store().lock():
            pass

    def test_a_writer_that_was_overtaken_is_refused_for_good(self) -> None:
        zombie = self.opened(Fill)
        living = self.opened(Fill)
        living.append(rows_of(Fill, 1), 1)
        for number in (1, 2, 3):  # the same batch, the one after, and once more
            with pytest.raises(LakeError):
                zombie.append(rows_of(Fill, number), number)
        living.append(rows_of(Fill, 2), 2)
        assert self.kept(Fill) == [1, 2]

    def test_an_overtaken_replacement_is_refused(self) -> None:
        zombie = self.new_store().open(FILLS, 0, is_replaced=True)
        self.new_store().open(FILLS, 0, is_replaced=True).replace(rows_of(Fill, 1), 1)
        with pytest.raises(LakeError):
            zombie.replace(rows_of(Fill, 2), 1)
        assert self.kept(Fill) == [1]

    def test_a_compaction_beside_refuses_nobody(self) -> None:
        table = self.filled([1], [2], [3])
        self.compact(Fill)
        assert self.kept(Fill) == [1, 2, 3]
        table.append(rows_of(Fill, 4), 4)
        self.compact(Fill)
        table.append(rows_of(Fill, 5), 5)
        assert (table.batch, table.row_count) == (5, 5)
        assert self.kept(Fill) == [1, 2, 3, 4, 5]
        assert self.opened(Fill, 5).row_count == 5

    def test_a_compaction_hides_no_overtaking(self) -> None:
        zombie = self.filled([1], [2])
        self.compact(Fill)
        self.opened(Fill, 2).append(rows_of(Fill, 3), 3)
        with pytest.raises(LakeError):
            zombie.append(rows_of(Fill, 3), 3)
        assert self.kept(Fill) == [1, 2, 3]

    def test_a_torn_commit_that_nobody_was_told_of_is_dropped(self) -> None:
        self.filled([1], [2])
        self.tear(Fill)
        table = self.opened(Fill, 1)
        assert (table.batch, table.row_count) == (1, 1)
        table.append(rows_of(Fill, 2), 2)
        assert self.kept(Fill) == [1, 2]

    def test_a_torn_commit_that_was_told_durable_stops_and_stays(self) -> None:
        self.filled([1], [2])
        self.tear(Fill)
        for _ in range(2):
            with pytest.raises(LakeError, match="damaged"):
                self.opened(Fill, 2)

    def test_a_torn_compaction_is_dropped_whatever_was_told(self) -> None:
        self.filled([1], [2])
        self.compact(Fill)
        self.tear(Fill)
        assert self.opened(Fill, 2).row_count == 2
        assert self.kept(Fill) == [1, 2]

    def test_tables_from_outside_are_made(self) -> None:
        self.new_store().open_outside(record_of(BankBalance))
        assert self.kept(BankBalance) == []
