"""Power cuts on a real file system: ext4 on a recorded device, and the device as it may be after a cut.

What was flushed is there. Of what was written since the last flush, each 4 KiB block is there or not, by
chance: smaller pieces would tear the superblock, which no disk does.
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ctypes.util import find_library
from pathlib import Path
from typing import NamedTuple

from tests.support.recording_disk import ENTRY, WRITE

BLOCK = 4096
ROOT = Path(__file__).resolve().parents[2]


def why_not() -> str:
    """Why no file system can be recorded here; empty where it can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if importlib.util.find_spec("mfusepy") is None:
        return "mfusepy is not installed"
    if find_library("fuse") is None and find_library("fuse3") is None:
        return "libfuse is not installed"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.access(device, os.R_OK | os.W_OK):
            return f"there is no {device}"
    missing = [name for name in ("mkfs.ext4", "losetup", "mount", "umount") if shutil.which(name) is None]
    if missing:
        return f"{missing[0]} is not installed"
    return ""


class Recording(NamedTuple):
    """A recorded run: the device before it, and all that was written to it."""

    before: Path
    log: Path


class Recorder(NamedTuple):
    """A file system whose device is being recorded."""

    root: Path
    recording: Recording
    position: Callable[[], int]  # how far the log is now, in bytes


@contextmanager
def recorded(folder: Path, device_bytes: int) -> Iterator[Recorder]:
    """A fresh ext4 mounted on a recorded device; unmounted at the end, when the log is whole."""
    before, image, log = folder / "before.img", folder / "now.img", folder / "log"
    mount_point, root = folder / "fuse", folder / "root"
    with image.open("wb") as file:
        file.truncate(device_bytes)
    _run("mkfs.ext4", "-q", "-F", "-b", str(BLOCK), "-J", "size=4", "-E", "lazy_itable_init=0", image)
    shutil.copyfile(image, before)
    mount_point.mkdir()
    with ExitStack() as held:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.recording_disk", image, log, mount_point], cwd=ROOT
        )
        held.callback(server.wait)
        held.callback(lambda: _run("umount", mount_point))
        deadline = time.monotonic() + 30
        while not (mount_point / "disk").exists():
            assert server.poll() is None and time.monotonic() < deadline, (
                "the recording disk does not come up"
            )
            time.sleep(0.01)
        with mounted(mount_point / "disk", root):
            yield Recorder(root, Recording(before, log), lambda: log.stat().st_size)


@contextmanager
def mounted(device: Path, root: Path) -> Iterator[None]:
    """A file mounted as ext4."""
    root.mkdir(exist_ok=True)
    _run("mount", "-o", "loop", "-t", "ext4", device, root)
    try:
        yield
    finally:
        _run("umount", root)


class _Write(NamedTuple):
    offset: int
    content: memoryview


class CutDevice:
    """The device after a cut at ever later places of the log."""

    def __init__(self, recording: Recording, work: Path) -> None:
        self._log = memoryview(recording.log.read_bytes())
        self._durable = work / "durable.img"
        self._cut = work / "cut.img"
        shutil.copyfile(recording.before, self._durable)
        self._position = 0
        self._volatile: list[_Write] = []

    def at(self, position: int, choice: random.Random, survival: float) -> Path:
        """The device cut at a byte of the log not before the last one; blocks survive with this chance."""
        flushed = self._read_to(position)
        with self._durable.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
            for offset, piece in flushed:
                content[offset : offset + len(piece)] = piece
        shutil.copyfile(self._durable, self._cut)
        with self._cut.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
            for offset, piece in self._volatile:
                for at in range(0, len(piece), BLOCK):
                    if choice.random() < survival:
                        block = piece[at : at + BLOCK]
                        content[offset + at : offset + at + len(block)] = block
        return self._cut

    def _read_to(self, position: int) -> list[_Write]:
        """The writes that became durable since the last call."""
        flushed: list[_Write] = []
        while self._position + ENTRY.size <= position:
            kind, offset, length = ENTRY.unpack_from(self._log, self._position)
            end = self._position + ENTRY.size + length
            if end > position:
                break
            if kind == WRITE:
                self._volatile.append(_Write(offset, self._log[end - length : end]))
            else:
                flushed += self._volatile
                self._volatile = []
            self._position = end
        return flushed


def places_in(log: Path, first: int, last: int) -> list[int]:
    """The ends of all entries between two bytes of a log: these are the cuts that differ."""
    content, position, found = log.read_bytes(), 0, list[int]()
    while position + ENTRY.size <= len(content):
        _, _, length = ENTRY.unpack_from(content, position)
        position += ENTRY.size + length
        if first <= position <= last:
            found.append(position)
    return found


def _run(*words: str | Path) -> None:
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(str(w) for w in words)}: {done.stderr}"
