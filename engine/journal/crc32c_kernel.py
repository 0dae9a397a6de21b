"""CRC32C (Castagnoli) over rows of 8-byte words, eight bytes a step.

Owns: the checksum. Does not own: what is summed or with which seed.
Source: RFC 3720, appendix B.4 (polynomial 0x1EDC6F41, reflected 0x82F63B78).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, types

_POLYNOMIAL = 0x82F63B78


def _tables() -> npt.NDArray[np.uint32]:
    """Table k gives the remainder of a byte that k more zero bytes follow."""
    tables = np.zeros((8, 256), dtype=np.uint32)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        tables[0, byte] = crc
    for k in range(1, 8):
        before = tables[k - 1]
        tables[k] = (before >> 8) ^ tables[0][before & 0xFF]
    return tables


_T = _tables()
_WORDS = types.Array(types.uint64, 2, "C", readonly=True)


@njit([types.Array(types.uint32, 1, "C")(_WORDS, types.uint32)], cache=True)
def crc32c_rows(words, seed):  # type: ignore[no-untyped-def]
    """CRC32C of each row of `words (n, w)`, continued from `seed` (0 starts afresh), shape (n,)."""
    count, width = words.shape
    sums = np.empty(count, dtype=np.uint32)
    for row in range(count):
        crc = np.uint64(seed ^ np.uint32(0xFFFFFFFF))
        for column in range(width):
            x = words[row, column] ^ crc
            crc = np.uint64(
                _T[7, x & np.uint64(0xFF)]
                ^ _T[6, (x >> np.uint64(8)) & np.uint64(0xFF)]
                ^ _T[5, (x >> np.uint64(16)) & np.uint64(0xFF)]
                ^ _T[4, (x >> np.uint64(24)) & np.uint64(0xFF)]
                ^ _T[3, (x >> np.uint64(32)) & np.uint64(0xFF)]
                ^ _T[2, (x >> np.uint64(40)) & np.uint64(0xFF)]
                ^ _T[1, (x >> np.uint64(48)) & np.uint64(0xFF)]
                ^ _T[0, x >> np.uint64(56)]
            )
        sums[row] = np.uint32(crc) ^ np.uint32(0xFFFFFFFF)
    return sums
