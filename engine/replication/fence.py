"""Who reigns: one small register that every copy of the book can reach and change only by compare and swap.

Owns: `Reign`, the `Fence` protocol, the fence on a disk that copies share, and one in memory for simulation.
Does not own: when a reign may change (primary, standby).

The register names the holder of the reign and the one standby that has every acknowledged frame. Only that
standby may take the reign, and only by changing the register; the holder strikes the standby out the same way
before it acknowledges anything without it. So of two that disagree exactly one goes on.
"""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.errors import Fenced

_SUFFIX = ".reign"
_NAME = re.compile(r"(\d{12})\.reign")


class Reign(NamedTuple):
    """What the register says."""

    term: int  # from 1; goes up with every change of holder and every start of one
    holder: str  # identity of the copy whose process decides
    standby: str  # identity of the copy that has every acknowledged frame; empty when there is none

    @property
    def is_standby_in_step(self) -> bool:
        """Whether a standby may take over."""
        return bool(self.standby)


class Fence(Protocol):
    """A register with compare and swap. Every call raises Fenced when the register cannot be asked."""

    def read(self) -> Reign | None:
        """The register's content, None before the first reign."""
        ...

    def swap(self, expected: Reign | None, new: Reign) -> bool:
        """Change `expected` into `new`, durable on return; False, and nothing done, if it says another."""
        ...


class MemoryFence:
    """A register in memory, for simulation and tests; it keeps every reign that there was."""

    def __init__(self) -> None:
        self.reigns: list[Reign] = []

    def read(self) -> Reign | None:
        """The register's content."""
        return self.reigns[-1] if self.reigns else None

    def swap(self, expected: Reign | None, new: Reign) -> bool:
        """Change the register if it says `expected`."""
        if self.read() != expected:
            return False
        self.reigns.append(new)
        return True


class FolderFence:
    """A register in a folder: one numbered file a reign, the highest number counts.

    A swap makes the file of the next number under a name that can be taken once only (a hard link), so there
    is no lock that a paused process could hold on to. Files are never removed: a swap that was paused must
    find its number taken.
    """

    def __init__(self, folder: Path) -> None:
        """Use the register in `folder`, made when the first reign begins."""
        self._folder = folder

    def read(self) -> Reign | None:
        """The register's content. Raises Fenced when it cannot be read."""
        return self._newest()[1]

    def swap(self, expected: Reign | None, new: Reign) -> bool:
        """Change the register if it says `expected`. After Fenced it is unknown whether it was changed."""
        number, reign = self._newest()
        if reign != expected:
            return False
        unfinished = self._folder / f"{new.holder}-{os.getpid()}-{threading.get_native_id()}.unfinished"
        try:
            if not self._folder.exists():
                self._folder.mkdir(parents=True, mode=0o700)
                _sync_folder(self._folder.parent)
            with unfinished.open("wb") as file:
                file.write(json.dumps(new._asdict()).encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(unfinished, self._folder / f"{number + 1:012d}{_SUFFIX}")
            except FileExistsError:
                return False
            finally:
                unfinished.unlink()
            _sync_folder(self._folder)
        except OSError as error:
            raise Fenced(f"{self._folder}: the fence cannot be changed: {error}") from error
        return True

    def _newest(self) -> tuple[int, Reign | None]:
        try:
            names = sorted(n for n in os.listdir(self._folder) if _NAME.fullmatch(n))  # noqa: PTH208  names only
            if not names:
                return 0, None
            return int(names[-1].removesuffix(_SUFFIX)), _parsed((self._folder / names[-1]).read_bytes())
        except FileNotFoundError:
            return 0, None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Fenced(f"{self._folder}: the fence cannot be read: {error!r}") from error


def _parsed(content: bytes) -> Reign:
    parts = json.loads(content)
    term, holder, standby = parts["term"], parts["holder"], parts["standby"]
    if not (isinstance(term, int) and isinstance(holder, str) and isinstance(standby, str)):
        raise ValueError("a reign is a term and two identities")
    if term < 1 or not holder or holder == standby:
        raise ValueError(f"{parts} is no reign")
    return Reign(term, holder, standby)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
