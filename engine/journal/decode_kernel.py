"""The sections of a frame looked through in one pass: lengths, sums, and their sequences.

Owns: the quick answer whether all is well. Does not own: what is wrong when it is not (`frame.py` does).
"""

from engine.compiled_kernel import inner, kernel
from engine.journal.crc32c_kernel import ONES, step
from engine.journal.sections_kernel import ADDRESS, COUNT, HEAD, SECTION_WORDS, WIDTH
from engine.memory_kernel import load


@inner
def _sums_of_two(address, width, crc):
    """The sums of two rows that lie one after the other, both in one word."""
    a, b = crc, crc
    for column in range(width):
        a, b = step(a, load(address, column)), step(b, load(address, width + column))
    return (a ^ ONES) | ((b ^ ONES) << 32)


@inner
def _sum(address, width, crc):
    for column in range(width):
        crc = step(crc, load(address, column))
    return crc ^ ONES


@kernel
def is_whole(address, end, seed, first, seen, table) -> bool:
    """Whether sections fill the `end` words from `address` on, every sum is right, and sequences are one run.

    `table` is filled in; `first` is the frame's first sequence and `seen` has a byte for
    each of its rows, zero.
    """
    at, before_head = 0, -1
    for i in range(len(table)):
        if at + SECTION_WORDS > end:
            return False
        head, count, row_bytes = load(address, at), load(address, at + 1), load(address, at + 2)
        width = row_bytes // 8
        if head & 0xFFFFFFFF <= before_head or width * 8 != row_bytes or width < 1:
            return False
        sums = at + SECTION_WORDS
        rows = sums + (count + count % 2) // 2
        if count < 1 or count > len(seen) or width > end or rows + count * width > end:
            return False
        crc = step(seed ^ ONES, head)
        before = first - 1
        for row in range(count):
            sequence = load(address, rows + row * width)
            if sequence <= before or sequence >= first + len(seen):
                return False
            before = sequence
            seen[sequence - first] = 1
        row = 0
        while row + 2 <= count:
            found = _sums_of_two(address + (rows + row * width) * 8, width, crc)
            if found != load(address, sums + row // 2):
                return False
            row += 2
        if row < count:
            found = _sum(address + (rows + row * width) * 8, width, crc)
            if found != load(address, sums + row // 2):
                return False
        table[i, HEAD], table[i, COUNT], table[i, WIDTH] = head, count, width
        table[i, ADDRESS] = address + rows * 8
        before_head = head & 0xFFFFFFFF
        at = rows + count * width
    if at != end:
        return False
    total = 0
    for i in range(len(seen)):
        total += seen[i]
    return total == len(seen)
