"""When the rows of a frame happened, gathered into the order of their sequences. Compiled."""

from engine.compiled_kernel import kernel
from engine.journal.sections_kernel import ADDRESS, COUNT, HEAD, TYPE_MASK, WIDTH
from engine.memory_kernel import load

NO_TIME = -1


@kernel
def gather_instants(table, time_words, first, times, is_known):
    """Put each row's time where its sequence is, counted from `first`, and mark the place as known.

    `time_words` tells by type code which word of a row is its time, NO_TIME for rows to leave out.
    """
    for i in range(len(table)):
        word = time_words[table[i, HEAD] & TYPE_MASK]
        if word == NO_TIME:
            continue
        address, width = table[i, ADDRESS], table[i, WIDTH]
        for row in range(table[i, COUNT]):
            at = load(address, row * width) - first
            times[at] = load(address, row * width + word)
            is_known[at] = True
