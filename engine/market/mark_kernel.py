"""Another mark: what the open orders of an instrument would lose as they fill is counted anew."""

from engine.compiled_kernel import kernel
from engine.market.session_kernel import walk
from engine.market.words_kernel import O_CLIENT, ORDER_WORDS, ORDERS, SCRATCH
from engine.memory_kernel import load
from engine.risk.loss_kernel import count_loss, due_loss_minor


@kernel
def count_losses(books, rows, accounts, instruments, positions, instrument_id):
    """Let each order of an instrument reserve for what it would lose at the mark as it is. Returns how many.

    `books` is the address of the matching engine's words, `rows` are the day's orders.
    """
    found = load(books, SCRATCH)
    count = walk(books, instrument_id, instrument_id, found)
    for n in range(count):
        at = load(load(books, ORDERS) + load(found, n) * (ORDER_WORDS * 8), O_CLIENT)
        order = rows[at]
        account = accounts[order.account_id]
        count_loss(positions, order, due_loss_minor(account, instruments[instrument_id], order))
    return count
