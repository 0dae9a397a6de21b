"""Tables of sections say what their arrays say: joined, compared, copied, and as commands in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.batch import Batch
from engine.errors import InvariantBroken
from engine.gateway import binary
from engine.gateway.client import events_caused
from engine.journal.frame import ZERO_HASH, Frame
from engine.journal.sections import IS_COMMAND, IS_EVENT, Section, Sections
from engine.journal.sections_kernel import ALL_ALIKE, first_difference
from schemas.derive.layout import empty_rows
from schemas.market import CancelOrder, Fill, OrderAccepted, OrderCancelled, PlaceOrder, ReplaceOrder
from schemas.record import RECORDS, Role, record_of

COMMANDS = (PlaceOrder, CancelOrder, ReplaceOrder)
EVENTS = (OrderAccepted, OrderCancelled, Fill)


def _section(cls: type, first: int, count: int) -> Section:
    rows = empty_rows(cls, count)
    for at, name in enumerate(rows.dtype.names or ()):
        rows[name] = first + 100 * np.arange(count) + at
    return Section(record_of(cls), rows)


def _texts(sections: Sections) -> list[tuple[str, bytes]]:
    return [(s.record.table, s.rows.tobytes()) for s in sections]


@given(st.permutations([*COMMANDS, *EVENTS]), st.integers(0, 6))
def test_two_tables_joined_are_all_sections_in_order(classes: list[type], cut: int) -> None:
    sections = [_section(cls, 7 * at, at + 1) for at, cls in enumerate(classes)]
    joined = Sections.joined(Sections.of(sections[:cut]), Sections.of(sections[cut:]))
    assert _texts(joined) == _texts(Sections.of(sections))
    assert first_difference(joined.table, Sections.of(sections).table) == ALL_ALIKE


def test_a_type_in_both_is_refused() -> None:
    with pytest.raises(InvariantBroken, match="twice"):
        Sections.joined(Sections.of([_section(Fill, 1, 1)]), Sections.of([_section(Fill, 5, 2)]))
    with pytest.raises(InvariantBroken, match="one section a record type"):
        Sections.of([_section(Fill, 1, 1), _section(Fill, 5, 2)])


def test_any_word_that_differs_is_found_where_it_is() -> None:
    """Every word of every section, and sections that are missing or too many."""
    kept = Sections.of([_section(cls, 1, 3) for cls in (CancelOrder, OrderAccepted)])
    for which in range(2):
        for row in range(3):
            for name in kept[which].rows.dtype.names or ():
                other = Sections.of([Section(s.record, s.rows.copy()) for s in kept])
                other[which].rows[name][row] ^= 1 << 63 - 1
                assert first_difference(kept.table, other.table) == which
    shorter = Sections.of(kept[:1])
    assert first_difference(kept.table, shorter.table) == first_difference(shorter.table, kept.table) == 1
    fewer = Sections.of([kept[0], Section(kept[1].record, kept[1].rows[:2])])
    assert first_difference(kept.table, fewer.table) == 1


@given(st.lists(st.sampled_from(range(len(COMMANDS))), min_size=1, max_size=30), st.integers(1, 1 << 40))
def test_the_commands_of_a_frame_come_out_in_the_order_of_their_sequences(
    kinds: list[int], first: int
) -> None:
    sections = [_section(Fill, first + len(kinds), 2)]
    for kind, cls in enumerate(COMMANDS):
        rows = empty_rows(cls, kinds.count(kind))
        rows["sequence"] = [first + at for at, own in enumerate(kinds) if own == kind]
        sections.append(Section(record_of(cls), rows))
    batch = Batch.from_sections(sections)
    assert [batch.command(at).sequence for at in range(len(batch))] == [
        first + at for at in range(len(kinds))
    ]
    assert batch.classes() == [COMMANDS[kind] for kind in kinds]
    batch.rows[record_of(COMMANDS[kinds[0]]).type_code]["session_id"] = 9  # a copy: it may be written to
    assert all((s.rows["session_id"] == 0).all() for s in sections[1:])


def test_commands_that_are_no_run_are_refused() -> None:
    with pytest.raises(InvariantBroken, match="not one run"):
        Batch.from_sections([_section(CancelOrder, 1, 2)])  # 1 and 101
    with pytest.raises(InvariantBroken, match="not one run"):
        Batch.from_sections([_section(Fill, 1, 1)])


@given(
    causes=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(11, 16)), max_size=40),
    first=st.integers(10, 17),
    count=st.integers(1, 8),
)
def test_an_answer_holds_what_the_commands_caused(
    causes: list[tuple[type, int]], first: int, count: int
) -> None:
    sections = [_section(CancelOrder, 11, 1)]
    for cls in EVENTS:
        own = sorted(cause for event, cause in causes if event is cls)
        rows = _section(cls, 50, len(own)).rows
        rows["cause_sequence"] = own
        sections.append(Section(record_of(cls), rows))
    frame = Frame(3, 1, 11, 99, Sections.of(sections), ZERO_HASH, ZERO_HASH)
    answer = binary.decode_answer(binary.encode_answer(5, frame, first, count))
    assert (answer.request_id, answer.frame_index, answer.first_sequence) == (5, 3, first)
    assert [(s.record.table, s.rows.tobytes()) for s in answer.sections] == [
        (s.record.table, s.rows.tobytes()) for s in events_caused(frame, first, count)
    ]
    expected = sum(first <= cause < first + count for _, cause in causes)
    assert sum(len(s.rows) for s in answer.sections) == expected


def test_what_an_answer_rests_on_is_declared() -> None:
    """An event's second word is the command that caused it; codes tell commands from events."""
    for record in RECORDS.values():
        if record.type_code:
            assert IS_EVENT[record.type_code] == (record.role is Role.EVENT)
            assert IS_COMMAND[record.type_code] == (record.role is Role.COMMAND)
        if record.role is Role.EVENT:
            assert [c.name for c in record.columns[:2]] == ["sequence", "cause_sequence"]
