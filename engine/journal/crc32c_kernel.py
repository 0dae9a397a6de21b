"""CRC32C (Castagnoli) over rows of 8-byte words: by the processor's own instruction where it has one.

Owns: the checksum. Does not own: what is summed or with which seed.
Source: RFC 3720, appendix B.4 (polynomial 0x1EDC6F41, reflected 0x82F63B78).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from engine.compiled_kernel import inner, kernel
from engine.memory_kernel import load

_POLYNOMIAL = 0x82F63B78
ONES = 0xFFFFFFFF


def _tables() -> npt.NDArray[np.int64]:
    """Table k gives the remainder of a byte that k more zero bytes follow."""
    tables = np.zeros((8, 256), dtype=np.int64)
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


@inner
def step_by_table(crc, word):
    """The checksum after eight more bytes, on any processor."""
    x = word ^ crc
    return (
        _T[7, x & 0xFF]
        ^ _T[6, (x >> 8) & 0xFF]
        ^ _T[5, (x >> 16) & 0xFF]
        ^ _T[4, (x >> 24) & 0xFF]
        ^ _T[3, (x >> 32) & 0xFF]
        ^ _T[2, (x >> 40) & 0xFF]
        ^ _T[1, (x >> 48) & 0xFF]
        ^ _T[0, (x >> 56) & 0xFF]
    )


def _instruction() -> str:
    """The processor's instruction for eight bytes, by LLVM's name; empty where there is none."""
    features = binding.get_host_cpu_features()
    if features.get("sse4.2"):
        return "llvm.x86.sse42.crc32.64.64"
    return ""


@intrinsic
def _step_by_instruction(_context, _crc, _word):
    def build(_target, builder, _signature, args):
        word = ir.IntType(64)
        kind = ir.FunctionType(word, [word, word])
        function = builder.module.globals.get(_instruction())
        if function is None:
            function = ir.Function(builder.module, kind, name=_instruction())
        return builder.call(function, args)

    return types.int64(types.int64, types.int64), build


step = _step_by_instruction if _instruction() else step_by_table
"""The checksum after eight more bytes; both begin with ONES, or with another checksum's complement."""


@kernel
def sum_rows(address, count, width, seed, sums):
    """CRC32C of `count` rows of `width` words at an address, continued from `seed`, into `sums (n,)`.

    Four rows at a time, because one step waits for the one before it and four do not.
    """
    row = 0
    start = seed ^ ONES
    while row + 4 <= count:
        a, b, c, d = start, start, start, start
        at = row * width
        for column in range(width):
            a = step(a, load(address, at + column))
            b = step(b, load(address, at + width + column))
            c = step(c, load(address, at + 2 * width + column))
            d = step(d, load(address, at + 3 * width + column))
        sums[row] = a ^ ONES
        sums[row + 1] = b ^ ONES
        sums[row + 2] = c ^ ONES
        sums[row + 3] = d ^ ONES
        row += 4
    while row < count:
        a = start
        for column in range(width):
            a = step(a, load(address, row * width + column))
        sums[row] = a ^ ONES
        row += 1


@kernel
def sum_words(address, count, seed):
    """CRC32C of `count` words at an address, continued from `seed`."""
    crc = seed ^ ONES
    for at in range(count):
        crc = step(crc, load(address, at))
    return crc ^ ONES


@kernel
def sum_by_table(address, count, seed):
    """CRC32C of `count` words by the portable way, to hold the other one against it."""
    crc = seed ^ ONES
    for at in range(count):
        crc = step_by_table(crc, load(address, at))
    return crc ^ ONES
