"""Frames read and verified on a thread of their own, while those before are worked on.

Owns: the thread and the few frames between. Does not own: reading (`reader.py`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

from engine.journal.frame import Frame

DEPTH = 16  # frames that wait at most


def read_ahead(frames: Iterator[Frame]) -> Generator[Frame]:
    """The same frames in the same order, and what reading them raises where it is raised."""
    waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(DEPTH)
    is_over = threading.Event()

    def read() -> None:
        try:
            for frame in frames:
                if not _put(waiting, frame, is_over):
                    return
            _put(waiting, None, is_over)
        except BaseException as error:
            _put(waiting, error, is_over)

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_over.set()
        thread.join()


def _put(
    waiting: queue.Queue[Frame | BaseException | None],
    item: Frame | BaseException | None,
    is_over: threading.Event,
) -> bool:
    """Whether it was taken before nobody wanted any more."""
    while not is_over.is_set():
        try:
            waiting.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
