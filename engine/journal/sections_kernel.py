"""Tables of sections: measured, joined, compared and copied without a look at each array.

A table has a row of TABLE_COLUMNS words for each record type. Owns: those words. Does not own: the rows that
they tell of.
"""

from engine.compiled_kernel import inner, kernel
from engine.memory_kernel import load, store

HEAD, COUNT, WIDTH, ADDRESS = range(4)  # type and version, rows, words in a row, address of the rows
TABLE_COLUMNS = 4
SECTION_WORDS = 3  # what stands before the sums of a section in a frame: HEAD, COUNT, bytes in a row
TYPE_MASK = 0xFFFFFFFF  # of HEAD
ALL_ALIKE = -1  # what `first_difference` returns then


@kernel
def frame_size(table) -> tuple[int, int]:
    """Rows of a table, and the words that its sections take in a frame."""
    rows, words = 0, 0
    for i in range(len(table)):
        count = table[i, COUNT]
        rows += count
        words += SECTION_WORDS + (count + 1) // 2 + count * table[i, WIDTH]
    return rows, words


@inner
def _take_over(table, at, source, i):
    for column in range(TABLE_COLUMNS):
        table[at, column] = source[i, column]


@kernel
def join(one, other, joined) -> bool:
    """Put two tables that ascend by type into one that does; whether they have no type in common."""
    i = j = 0
    while i < len(one) or j < len(other):
        left = one[i, HEAD] & TYPE_MASK if i < len(one) else TYPE_MASK
        right = other[j, HEAD] & TYPE_MASK if j < len(other) else TYPE_MASK
        if left < right:
            _take_over(joined, i + j, one, i)
            i += 1
        elif right < left:
            _take_over(joined, i + j, other, j)
            j += 1
        else:
            return False
    return True


@kernel
def first_difference(one, other) -> int:
    """The first section in which two tables are not the same, rows and all, or ALL_ALIKE."""
    for i in range(min(len(one), len(other))):
        for column in range(ADDRESS):
            if one[i, column] != other[i, column]:
                return i
        difference = 0
        for at in range(one[i, COUNT] * one[i, WIDTH]):
            difference |= load(one[i, ADDRESS], at) ^ load(other[i, ADDRESS], at)
        if difference != 0:
            return i
    return ALL_ALIKE if len(one) == len(other) else min(len(one), len(other))


@kernel
def copy_in_order(table, room, copied, order) -> bool:
    """Copy the rows of a table into `room`, and tell the order of their sequences.

    `copied` gets the table of the copies, `order` (n, 2) the type and row of each of the n rows. Returns
    whether their sequences are one run.
    """
    target, low = room.ctypes.data, load(table[0, ADDRESS], 0)
    for i in range(len(table)):
        low = min(low, load(table[i, ADDRESS], 0))
    for i in range(len(table)):
        count, width, source = table[i, COUNT], table[i, WIDTH], table[i, ADDRESS]
        _take_over(copied, i, table, i)
        copied[i, ADDRESS] = target
        for at in range(count * width):
            store(target, at, load(source, at))
        for row in range(count):
            place = load(source, row * width) - low
            if place >= len(order):
                return False
            order[place, 0] = table[i, HEAD] & TYPE_MASK
            order[place, 1] = row
        target += count * width * 8
    return True
