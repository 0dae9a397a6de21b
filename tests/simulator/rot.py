"""Damage at rest that the system promises to notice: flipped bits, writes that went astray.

A victim is chosen inside what is promised. A frame rots only once the mark on the platter names it (without
any mark, docs/journal.md says, a flip in the last frames looks like a write cut short); the mark rots only
while the segments are sound. `judge` says whether a halt was right.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.simulator.disk import SECTOR, DiskFile, MachineDisk
from tests.simulator.segments import PAGE, Extent, extents, marked

SEGMENT, SNAPSHOT, MARK = ".segment", ".snapshot", "durable.mark"


class Rot:
    """Damages one machine's journal."""

    def __init__(self, disk: MachineDisk, draw: random.Random) -> None:
        self._disk = disk
        self._draw = draw

    def flip_bit(self) -> str | None:
        """Flip one bit of a segment, a snapshot or the mark. Returns where; None when there is no victim."""
        place = self._draw.choice(
            [self._in_frame, self._in_frame, self._in_free, self._in_page, self._in_other]
        )()
        if place is None:
            return None
        path, at = place
        byte = self._disk.names[path].durable[at] ^ 1 << self._draw.randrange(8)
        self._disk.rot(path, at, bytes([byte]))
        return f"{path.name} byte {at}"

    def misdirect(self) -> str | None:
        """A frame's write went elsewhere: its place holds zeros, another place holds its bytes."""
        sources = self._safe_frames()
        targets = self._disk.files(SEGMENT)
        if not sources or len(targets) < 2:
            return None
        path, extent = self._draw.choice(sources)
        target = self._draw.choice([t for t in targets if t != path])
        content = bytes(self._disk.names[path].durable[extent.offset : extent.offset + extent.length])
        victim = self._disk.names[target]
        at = PAGE + self._draw.randrange(0, (len(victim.durable) - PAGE) // SECTOR) * SECTOR
        at += extent.offset % SECTOR
        room = len(victim.durable) - at
        free = self._free_of(target)
        met = _met(victim, at, len(content))
        is_safe = all(e.frame <= self._safe_index() for e in met) and _is_blank(victim, max(at, free), room)
        if room <= 0 or not is_safe or not _is_clean(victim, at, min(room, len(content))):
            return None
        self._disk.rot(target, at, content[:room])
        self._disk.rot(path, extent.offset, bytes(extent.length))
        return f"frame {extent.frame} of {path.name} to {target.name} byte {at}"

    def stray_copy(self) -> str | None:
        """A frame of an earlier segment was written a second time, into the last segment's free space."""
        paths = self._disk.files(SEGMENT)
        sources = [(p, e) for p, e in self._safe_frames() if p != paths[-1]]
        if not sources:
            return None
        path, extent = self._draw.choice(sources)
        content = bytes(self._disk.names[path].durable[extent.offset : extent.offset + extent.length])
        target = self._disk.names[paths[-1]]
        free = self._free_of(paths[-1]) + 8 * self._draw.choice([0, 0, 8, 80])
        content = content[: max(0, len(target.durable) - free)]
        is_free = _is_clean(target, free, len(content)) and _is_blank(target, free, len(content))
        if len(content) < extent.length or not is_free:
            return None
        self._disk.rot(paths[-1], free, content)
        return f"frame {extent.frame} of {path.name} to {paths[-1].name} byte {free}"

    def _safe_index(self) -> int:
        """The last frame that a rotten byte may not make us forget."""
        path = next(iter(self._disk.files(MARK)), None)
        return marked(bytes(self._disk.names[path].durable)) if path is not None else 0

    def _safe_frames(self) -> list[tuple[Path, Extent]]:
        """Frames whose damage must be noticed, on the platter and sound."""
        safe = self._safe_index()
        found: list[tuple[Path, Extent]] = []
        for path in self._disk.files(SEGMENT):
            file = self._disk.names[path]
            if file.true:
                continue
            found += [
                (path, e)
                for e in extents(bytes(file.durable))
                if e.frame <= safe and _is_clean(file, e.offset, e.length)
            ]
        return found

    def _in_frame(self) -> tuple[Path, int] | None:
        frames = self._safe_frames()
        if not frames:
            return None
        # The newest frames are the ones that a recovery may take for a write cut short.
        path, extent = self._draw.choice(frames[-3:] if self._draw.random() < 0.5 else frames)
        return path, extent.offset + self._draw.randrange(extent.length)

    def _in_free(self) -> tuple[Path, int] | None:
        paths = self._disk.files(SEGMENT)
        if not paths:
            return None
        file, free = self._disk.names[paths[-1]], self._free_of(paths[-1])
        at = free + self._draw.randrange(0, 600)
        is_free = at < len(file.durable) and _is_clean(file, at, 1) and _is_blank(file, at, 1)
        return (paths[-1], at) if is_free else None

    def _in_page(self) -> tuple[Path, int] | None:
        paths = self._disk.files(SEGMENT)
        path = self._draw.choice(paths) if paths else None
        is_there = path is not None and _is_clean(self._disk.names[path], 0, PAGE)
        return (path, self._draw.randrange(PAGE)) if path is not None and is_there else None

    def _in_other(self) -> tuple[Path, int] | None:
        marks = self._disk.files(MARK)
        if any(self._disk.names[p].true for p in self._disk.files(SEGMENT)):
            marks = []
        paths = [*self._disk.files(SNAPSHOT), *marks]
        if not paths:
            return None
        path = self._draw.choice(paths)
        file = self._disk.names[path]
        at = self._draw.randrange(len(file.durable)) if file.durable else 0
        return (path, at) if file.durable and _is_clean(file, at, 1) else None

    def _free_of(self, path: Path) -> int:
        return end_of_frames(self._disk.names[path])


def end_of_frames(file: DiskFile) -> int:
    """Where a segment's frames end, on the platter or in memory, whatever rots."""
    found = extents(file.true_content)
    end = found[-1].offset + found[-1].length if found else PAGE
    return max([end, *(sector + SECTOR for sector in file.dirty)])


def judge(disk: MachineDisk) -> str:
    """What of the journal is rotten, so that a start must halt; empty when nothing is."""
    paths = disk.files(SEGMENT)
    for path in paths:
        file = disk.names[path]
        found = extents(file.true_content)
        end = found[-1].offset + found[-1].length if found else PAGE
        if file.true and (path != paths[-1] or min(file.true) < end):
            return f"{path.name} byte {min(file.true)}"
    return ""


def _met(file: DiskFile, at: int, length: int) -> list[Extent]:
    return [e for e in extents(bytes(file.durable)) if e.offset < at + length and at < e.offset + e.length]


def _is_clean(file: DiskFile, at: int, length: int) -> bool:
    """Whether bytes are on the platter and nothing waits to be written over them."""
    sectors = range(at - at % SECTOR, at + length, SECTOR)
    return at + length <= len(file.durable) and not any(s in file.dirty for s in sectors)


def _is_blank(file: DiskFile, at: int, length: int) -> bool:
    """Whether bytes are zero on the platter: no write cut short has left anything there."""
    return not any(file.durable[at : at + length])
