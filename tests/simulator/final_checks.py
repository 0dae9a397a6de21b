"""What must hold at the end of a run: all of the journal on the platter, against all that was promised."""

from __future__ import annotations

from engine.config import Home
from engine.journal.reader import read_frames
from engine.journal.verify import verify_journal
from engine.replay import recover
from schemas.derive.layout import row_tuple
from schemas.record import record_of
from tests.simulator import rot
from tests.simulator.books_model import BooksModel
from tests.simulator.engine_process import EngineProcess
from tests.simulator.errors import Violation
from tests.simulator.machine import Machine
from tests.simulator.oracle import Oracle
from tests.simulator.segments import marked


def check_all(machine: Machine, home: Home, oracle: Oracle, engine: EngineProcess) -> None:
    """Cut the power a last time, look at every byte, replay everything. Raises Violation."""
    engine.end()
    machine.running.clear()
    for path in machine.disk.files(rot.MARK):
        machine.disk.write_back(machine.disk.names[path])
    machine.disk.cut()
    _check_rot_is_seen(machine, home, oracle.last_index)
    for path in machine.disk.files(rot.SEGMENT):
        machine.disk.restore(path)
    engine.start()
    frames = list(read_frames(home.journal))
    if len(frames) != oracle.last_index:
        raise Violation(f"{oracle.last_index} frames were promised, the journal holds {len(frames)}")
    books = BooksModel()
    for frame, promise in zip(frames, oracle.promises, strict=True):
        is_same = frame.chain_hash == promise.frame.chain_hash and all(
            a.record is b.record and a.rows.tobytes() == b.rows.tobytes()
            for a, b in zip(frame.sections, promise.frame.sections, strict=True)
        )
        if not is_same:
            raise Violation(f"frame {frame.index} is not what it was when it was promised")
        books.fold(frame)
    if unasked := books.commands - oracle.asked:
        raise Violation(f"the journal holds commands that nobody sent so often: {unasked}")
    _check_answers(oracle, books)
    again = recover(home, use_snapshot=False)
    if again.state is None or engine.pipeline is None or again.state.hash() != engine.pipeline.state.hash():
        raise Violation("decided again from the first frame, the state is another one")
    books.compare(engine.pipeline.state)


def _check_rot_is_seen(machine: Machine, home: Home, last_index: int) -> None:
    """The whole journal verifies, or its check names a problem, as the platter has one or not."""
    rotten = rot.judge(machine.disk)
    problems = verify_journal(home.journal).problems
    marks = [marked(bytes(machine.disk.names[path].durable)) for path in machine.disk.files(rot.MARK)]
    if marks != [last_index]:
        return  # a check reads no further than the mark, and nothing without one, until the next start
    if rotten and not problems:
        raise Violation(f"the journal is rotten ({rotten}) and its check sees nothing")
    if problems and not rotten:
        raise Violation(f"the journal is whole and its check says: {problems}")


def _check_answers(oracle: Oracle, books: BooksModel) -> None:
    """Everything that a client was told stands in the journal, to the last column."""
    for answer in oracle.answers:
        for event in answer.events:
            told = record_of(type(event)).name, row_tuple(event)
            if books.events.get(event.sequence) != told:
                raise Violation(f"{answer.who} was told {event}, the journal has something else there")
