"""The sequences and instants of a batch, in one pass over the order in which its commands came."""

from engine.compiled_kernel import kernel
from engine.journal.sections_kernel import ADDRESS, HEAD, TYPE_MASK, WIDTH
from engine.memory_kernel import load, store


@kernel
def number(order, table, trading, sequence, clock_ns) -> tuple[int, int]:
    """Give sequences from `sequence` on, and let time only go forward from `clock_ns`.

    `order` (n, 2): type code, row; `table` tells of the rows, `trading` the types of trading commands. A
    command's first word is its sequence, its second the instant. Returns the last instant, and whether all
    are trading commands.
    """
    kind = 0
    for i in range(len(order)):
        code = order[i, 0]
        if table[kind, HEAD] & TYPE_MASK != code:
            kind = 0
            while table[kind, HEAD] & TYPE_MASK != code:
                kind += 1
        address = table[kind, ADDRESS] + order[i, 1] * table[kind, WIDTH] * 8
        clock_ns = max(clock_ns, load(address, 1))
        store(address, 0, sequence + i)
        store(address, 1, clock_ns)
    all_trading = 1
    for kind in range(len(table)):
        is_trading = 0
        for i in range(len(trading)):
            is_trading |= 1 if table[kind, HEAD] & TYPE_MASK == trading[i] else 0
        all_trading &= is_trading
    return clock_ns, all_trading
