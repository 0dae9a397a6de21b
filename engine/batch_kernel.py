"""The sequences and instants of a batch, in one pass over the order in which its commands came."""

from engine.compiled_kernel import kernel
from engine.memory_kernel import load, store

TABLE_COLUMNS = 4  # type code, address of the rows, words in a row, whether it is a trading command


@kernel
def number(order, table, sequence, clock_ns) -> tuple[int, int]:
    """Give sequences from `sequence` on, and let time only go forward from `clock_ns`.

    `order` (n, 2): type code, row; `table` (k, TABLE_COLUMNS). A command's first word is its sequence, its
    second the instant. Returns the last instant, and whether all are trading commands.
    """
    all_trading = 1
    kind = 0
    for i in range(len(order)):
        code = order[i, 0]
        if table[kind, 0] != code:
            kind = 0
            while table[kind, 0] != code:
                kind += 1
        address = table[kind, 1] + order[i, 1] * table[kind, 2] * 8
        clock_ns = max(clock_ns, load(address, 1))
        store(address, 0, sequence + i)
        store(address, 1, clock_ns)
        all_trading &= table[kind, 3]
    return clock_ns, all_trading
