"""Commands out of a binary request: counted first, which checks every length, then copied into their rows."""

from engine.compiled_kernel import inner, kernel
from engine.memory_kernel import load, store

WHOLE = -1  # what `count` returns when every command is whole and nothing is left over


@inner
def _kind_of(code, kinds, kind):
    """The row of `kinds` with a type code; looked for from the one before on. Their number when unknown."""
    if kinds[kind, 0] == code:
        return kind
    kind = 0
    while kind < len(kinds) and kinds[kind, 0] != code:
        kind += 1
    return kind


@kernel
def count(address, word_count, command_count, kinds, counts) -> int:
    """Count commands by kind. `kinds` (k, 2): type code, words in a row. Returns WHOLE, or which is not."""
    at = kind = 0
    for i in range(command_count):
        if at >= word_count:
            return i
        kind = _kind_of(load(address, at), kinds, kind)
        if kind == len(kinds):
            return i
        at += 1 + kinds[kind, 1]
        if at > word_count:
            return i
        counts[kind] += 1
    return WHOLE if at == word_count else command_count


@kernel
def copy(address, command_count, kinds, rows, order, received_at_ns):
    """Copy counted commands to their rows, stamped. `rows` (k, 2): address, how many are filled.

    `order` (n, 2) gets type code and row of each.
    """
    kind = 0
    for i in range(command_count):
        kind = _kind_of(load(address, 0), kinds, kind)
        width, row = kinds[kind, 1], rows[kind, 1]
        target = rows[kind, 0] + row * width * 8
        store(target, 0, 0)
        store(target, 1, received_at_ns)
        for column in range(2, width):
            store(target, column, load(address, 1 + column))
        order[i, 0] = kinds[kind, 0]
        order[i, 1] = row
        rows[kind, 1] = row + 1
        address += (1 + width) * 8
