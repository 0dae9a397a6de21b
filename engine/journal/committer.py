"""A thread that commits staged frames in order, while the next one is decided.

Owns: the queue between deciding and the disk. Whatever was staged while a sync ran shares the next one.
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
        """`on_durable` is called on the committing thread when `take` has a frame or a failure to tell."""
        self._journal = journal
        self._on_durable = on_durable
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
        return self._in_flight < DEPTH

    def put(self, staged: Staged) -> None:
        """Commit a frame after those given before; waits while too many are on their way."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight < DEPTH or self._failure is not None)
            self._in_flight += 1
            self._waiting.append(staged)
            self._changed.notify_all()

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
