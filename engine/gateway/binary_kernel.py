"""Commands out of a binary request, and the events that they caused into its answer."""

from engine.compiled_kernel import inner, kernel
from engine.journal.sections_kernel import ADDRESS, COUNT, HEAD, TYPE_MASK, WIDTH
from engine.memory_kernel import load, store

WHOLE = -1  # the outcome when every command is whole and nothing is left over
SECTION_WORDS = 3  # before the rows of an answer's section
CAUSE = 1  # the word of an event that tells which command caused it


@inner
def _kind_of(code, kinds, kind):
    """The row of `kinds` with a type code; looked for from the one before on. Their number when unknown."""
    if kinds[kind, HEAD] & TYPE_MASK == code:
        return kind
    kind = 0
    while kind < len(kinds) and kinds[kind, HEAD] & TYPE_MASK != code:
        kind += 1
    return kind


@inner
def _count(address, word_count, command_count, kinds, table) -> int:
    """Count commands by kind, which checks every length. Returns WHOLE, or which command is not."""
    at = kind = 0
    for i in range(command_count):
        if at >= word_count:
            return i
        kind = _kind_of(load(address, at), kinds, kind)
        if kind == len(kinds):
            return i
        at += 1 + kinds[kind, WIDTH]
        if at > word_count:
            return i
        table[kind, COUNT] += 1
    return WHOLE if at == word_count else command_count


@kernel
def decode_commands(address, word_count, kinds, received_at_ns, room, table, order) -> tuple[int, int]:
    """Copy the commands of a body to rows in `room`, stamped. Returns (outcome, kinds that are there).

    `kinds` (k, columns of a table) tells heads and widths; `table`, as large and zero, gets the kinds that
    are there and where their rows lie, `order` (n, 2) type code and row of each of n commands. Outcome is
    WHOLE, or the command that is not; then nothing is copied.
    """
    outcome = _count(address, word_count, len(order), kinds, table)
    if outcome != WHOLE:
        return outcome, 0
    target = room.ctypes.data
    for kind in range(len(kinds)):
        table[kind, ADDRESS] = target
        target += table[kind, COUNT] * kinds[kind, WIDTH] * 8
        table[kind, COUNT] = 0
    kind = 0
    for i in range(len(order)):
        kind = _kind_of(load(address, 0), kinds, kind)
        width, row = kinds[kind, WIDTH], table[kind, COUNT]
        target = table[kind, ADDRESS] + row * width * 8
        store(target, 0, 0)
        store(target, 1, received_at_ns)
        for column in range(2, width):
            store(target, column, load(address, 1 + column))
        order[i, 0] = kinds[kind, HEAD] & TYPE_MASK
        order[i, 1] = row
        table[kind, COUNT] = row + 1
        address += (1 + width) * 8
    there = 0
    for kind in range(len(kinds)):
        if table[kind, COUNT] > 0:
            table[there, HEAD], table[there, WIDTH] = kinds[kind, HEAD], kinds[kind, WIDTH]
            table[there, COUNT], table[there, ADDRESS] = table[kind, COUNT], table[kind, ADDRESS]
            there += 1
    return WHOLE, there


@inner
def _first_caused_from(address, count, width, sequence):
    """The first row that a command of a sequence or a later one caused; rows ascend by what caused them."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if load(address, middle * width + CAUSE) < sequence:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def cut_events(table, is_event, first, end, cuts) -> tuple[int, int]:
    """Find what the commands first..end-1 caused. Returns (sections, words) of an answer that tells it.

    `is_event` is by type code; `cuts` (n, 2) gets the first row and one past the last of each section.
    """
    sections = words = 0
    for i in range(len(table)):
        cuts[i, 0] = cuts[i, 1] = 0
        if is_event[table[i, HEAD] & TYPE_MASK]:
            address, count, width = table[i, ADDRESS], table[i, COUNT], table[i, WIDTH]
            cuts[i, 0] = _first_caused_from(address, count, width, first)
            cuts[i, 1] = _first_caused_from(address, count, width, end)
            if cuts[i, 0] < cuts[i, 1]:
                sections += 1
                words += SECTION_WORDS + (cuts[i, 1] - cuts[i, 0]) * width
    return sections, words


@kernel
def copy_events(table, cuts, room, first_word):
    """Write the sections that were cut into `room` from a word on."""
    target = room.ctypes.data + first_word * 8
    for i in range(len(table)):
        count, width = cuts[i, 1] - cuts[i, 0], table[i, WIDTH]
        if count > 0:
            source = table[i, ADDRESS] + cuts[i, 0] * width * 8
            store(target, 0, table[i, HEAD])
            store(target, 1, count)
            store(target, 2, width * 8)
            target += SECTION_WORDS * 8
            for at in range(count * width):
                store(target, at, load(source, at))
            target += count * width * 8
