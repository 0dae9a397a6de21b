"""Commits staged frames in order, small ones together, large ones on a thread while the next one is decided.

Owns: the queue between deciding and the disk. Whatever was staged while a sync ran shares the next one.
Handing a frame to another thread costs more than a small one takes; so small frames are held until there are
enough of them, or nothing more to decide, and are committed on the thread that decides.
Does not own: what a commit is (`writer.py`), nor who is answered.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.journal.frame import Frame
from engine.journal.writer import Staged

DEPTH = 4  # frames that may be on their way; the fifth waits, so that deciding cannot run away from the disk
SMALL_BYTES = 1 << 17  # of all frames that are held together


class CommittingJournal(Protocol):
    """What committing frames needs of a journal writer."""

    @property
    def is_low(self) -> bool:
        """Whether only what must still be journaled should be."""
        ...

    def commit(self, batch: Sequence[Staged]) -> list[Frame]:
        """Make staged frames durable, in order; only then return them."""
        ...


class Committer:
    """Commits the frames of one journal and tells of each, in order."""

    def __init__(self, journal: CommittingJournal, on_durable: Callable[[], None]) -> None:
        """`on_durable` is called on a thread of ours when `take` has a frame or a failure to tell."""
        self._journal = journal
        self._on_durable = on_durable
        self._held: list[Staged] = []
        self._waiting: deque[Staged] = deque()
        self._durable: deque[Frame] = deque()
        self._failure: BaseException | None = None
        self._in_flight = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    @property
    def has_room(self) -> bool:
        """Whether another frame may be given without waiting."""
        return self._in_flight + len(self._held) < DEPTH

    def put(self, staged: Staged) -> None:
        """Commit a frame after those given before; waits while too many are on their way.

        A small frame may be held until `flush` or `drain`. Raises what a commit on this thread raises.
        """
        self._held.append(staged)
        if self._in_flight or sum(s.frame_bytes for s in self._held) > SMALL_BYTES:
            self._hand_over()
        elif len(self._held) == DEPTH:
            self._commit_here()

    def flush(self) -> None:
        """Commit what is held: there is nothing more to decide. Raises what a commit raises."""
        if self._held and self._in_flight:
            self._hand_over()
        elif self._held:
            self._commit_here()

    def _commit_here(self) -> None:
        batch, self._held = self._held, []
        frames = self._journal.commit(batch)
        with self._changed:
            self._durable.extend(frames)

    def _hand_over(self) -> None:
        with self._changed:
            for staged in self._held:
                self._changed.wait_for(lambda: self._in_flight < DEPTH or self._failure is not None)
                self._in_flight += 1
                self._waiting.append(staged)
                self._changed.notify_all()
            self._held = []

    def take(self) -> list[Frame]:
        """The frames that became durable since the last call. Raises what a commit raised."""
        with self._changed:
            if self._failure is not None:
                raise self._failure
            taken = list(self._durable)
            self._durable.clear()
        return taken

    def drain(self) -> None:
        """Return when all that was given is durable. Raises what a commit raised."""
        self.flush()
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight == 0 or self._failure is not None)
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        """Commit what was given and end the thread; a failure was told before or is told by `take`."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                batch = list(self._waiting)
                self._waiting.clear()
            if not batch:
                return
            try:
                frames = self._journal.commit(batch)
            except BaseException as failure:  # whatever it is, the deciding thread has to stop
                with self._changed:
                    self._failure = failure
                    self._changed.notify_all()
                self._on_durable()
                return
            with self._changed:
                self._durable.extend(frames)
                self._in_flight -= len(frames)
                self._changed.notify_all()
            self._on_durable()
