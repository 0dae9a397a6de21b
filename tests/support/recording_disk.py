"""A file that keeps a list of every write and flush: what stands below a file system under test.

Run as a program: `python -m tests.support.recording_disk IMAGE LOG MOUNT_POINT`. The file `disk` in the mount
point reads and writes IMAGE; each write and each flush is appended to LOG before it is answered.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from typing import Any

ENTRY = struct.Struct("<QQQ")  # kind, offset, length; a write's bytes follow
WRITE, FLUSH = 1, 2


def serve(image: str, log: str, mount_point: str) -> None:
    """Serve until unmounted."""
    import mfusepy  # type: ignore[import-not-found]

    class Recorder(mfusepy.Operations):  # type: ignore[misc]
        """One file, recorded."""

        use_ns = True

        def __init__(self) -> None:
            self._image = os.open(image, os.O_RDWR)
            self._size = os.fstat(self._image).st_size
            self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def getattr(self, path: str, fh: Any = None) -> dict[str, int]:
            if path == "/":
                return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
            if path == "/disk":
                return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": self._size}
            raise mfusepy.FuseOSError(errno.ENOENT)

        def readdir(self, path: str, fh: Any) -> list[str]:
            return [".", "..", "disk"]

        def open(self, path: str, flags: int) -> int:
            return 1

        def read(self, path: str, size: int, offset: int, fh: Any) -> bytes:
            return os.pread(self._image, size, offset)

        def write(self, path: str, content: bytes, offset: int, fh: Any) -> int:
            os.write(self._log, ENTRY.pack(WRITE, offset, len(content)) + content)
            return os.pwrite(self._image, content, offset)

        def fsync(self, path: str, datasync: int, fh: Any) -> int:
            os.write(self._log, ENTRY.pack(FLUSH, 0, 0))
            return 0

        def flush(self, path: str, fh: Any) -> int:
            return 0  # a file was closed: nothing becomes durable by that

    mfusepy.FUSE(Recorder(), mount_point, foreground=True, nothreads=True, big_writes=True)


if __name__ == "__main__":
    serve(*sys.argv[1:4])
