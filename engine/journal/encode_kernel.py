"""The sections of a frame written in one pass: rows copied, summed, and their sequences looked at.

Owns: the inner loop of encoding. Does not own: the layout (`frame.py` tells it), which gives the places.
"""

from engine.compiled_kernel import inner, kernel
from engine.journal.crc32c_kernel import ONES, step
from engine.journal.sections_kernel import ADDRESS, COUNT, HEAD, SECTION_WORDS, WIDTH
from engine.memory_kernel import load, store

WHOLE, DESCENDS, HAS_GAP = range(3)


@inner
def _copy(source, target, width, crc):
    for column in range(width):
        word = load(source, column)
        store(target, column, word)
        crc = step(crc, word)
    return crc ^ ONES


@inner
def _copy_two(source, target, width, crc):
    """Copy and sum two rows at once, for one step waits for the one before it; both sums in one word."""
    a, b = crc, crc
    for column in range(width):
        first, second = load(source, column), load(source, width + column)
        store(target, column, first)
        store(target, width + column, second)
        a, b = step(a, first), step(b, second)
    return (a ^ ONES) | ((b ^ ONES) << 32)


@kernel
def encode_sections(table, seed, seen, room, first_word, placed) -> tuple[int, int, int, int]:
    """Write all sections into `room` from a word on. Returns (outcome, section, first and last sequence).

    `placed` gets the table of the rows as written; `seen` has a byte for each row of the frame, zero. A row's
    sequence is its first word. Outcome DESCENDS names the section whose sequences do not ascend; HAS_GAP says
    that they are not one run over all sections.
    """
    address = room.ctypes.data + first_word * 8
    low, high = load(table[0, ADDRESS], 0), load(table[0, ADDRESS], 0)
    for i in range(len(table)):
        count, width, source = table[i, COUNT], table[i, WIDTH], table[i, ADDRESS]
        low = min(low, load(source, 0))
        high = max(high, load(source, (count - 1) * width))
    is_run = high - low + 1 == len(seen)
    for i in range(len(table)):
        head, count, width, source = table[i, HEAD], table[i, COUNT], table[i, WIDTH], table[i, ADDRESS]
        store(address, 0, head)
        store(address, 1, count)
        store(address, 2, width * 8)
        crc = step(seed ^ ONES, head)  # each row's sum goes on from that of the section's first word
        sums = address + SECTION_WORDS * 8
        rows = sums + (count + count % 2) * 4
        placed[i, HEAD], placed[i, COUNT], placed[i, WIDTH], placed[i, ADDRESS] = head, count, width, rows
        before = low - 1
        for row in range(count):
            sequence = load(source, row * width)
            if sequence <= before:
                return DESCENDS, i, low, high
            before = sequence
            if is_run and sequence <= high:
                seen[sequence - low] = 1
        step_bytes = width * 8
        row = 0
        while row + 2 <= count:
            pair = _copy_two(source + row * step_bytes, rows + row * step_bytes, width, crc)
            store(sums, row // 2, pair)
            row += 2
        if row < count:
            store(sums, row // 2, _copy(source + row * step_bytes, rows + row * step_bytes, width, crc))
        address = rows + count * step_bytes
    if not is_run:
        return HAS_GAP, 0, low, high
    for i in range(len(seen)):
        if seen[i] == 0:
            return HAS_GAP, 0, low, high
    return WHOLE, 0, low, high
