"""Passes over scenario vectors: one word a scenario, millicents of profit, by address.

Owns: sums of vectors, the mean of the worst losses of a stretch of scenarios, exactly and from above. Does
not own: what a vector stands for (tables.py), what margin follows from it (margin_kernel.py).
"""

import numpy as np

from engine.compiled_kernel import inner, kernel
from engine.memory_kernel import load, store

LEAST, MOST = -(1 << 62), 1 << 62
_STEPS = 6  # by one loss each, before all are sorted out
_BILLION, _MILLION, _THOUSAND = 1_000_000_000, 1_000_000, 1_000


@kernel
def clear(vector, count):
    """Set a vector to zero."""
    for s in range(count):
        store(vector, s, 0)


@kernel
def add_scaled(vector, row, lots, count):
    """Add `lots` times a row of profits per lot."""
    for s in range(count):
        store(vector, s, load(vector, s) + lots * load(row, s))


@kernel
def copy_scaled(target, vector, row, lots, count):
    """Write a vector plus `lots` times a row."""
    for s in range(count):
        store(target, s, load(vector, s) + lots * load(row, s))


@kernel
def fill_profits(returns, dampings, value, profits, bid_losses, ask_losses, count):
    """Profit per lot worth `value` millicents in every scenario; what a bid and an ask can lose of it.

    Rounded down; exact although value times return may not fit a word. An extreme scenario's profit is damped
    here once and for all. `value` is below 2**53.
    """
    for s in range(count):
        r = load(returns, s)
        high = (value // _MILLION) * r
        low = (value % _MILLION) * r
        profit = high // _THOUSAND + ((high % _THOUSAND) * _MILLION + low) // _BILLION
        damping = load(dampings, s)
        if damping != _MILLION:
            profit = (profit // _MILLION) * damping + ((profit % _MILLION) * damping) // _MILLION
        store(profits, s, profit)
        store(bid_losses, s, min(profit, 0))
        store(ask_losses, s, min(-profit, 0))


# The worst losses -------------------------------------------------------------------------------------------
#
# For any level at all, level + (all that losses have beyond it) / tail is no less than the mean of the `tail`
# worst losses, and equal to it where no more than `tail` losses exceed the level and no fewer reach it. So a
# pass bounds the mean, and says whether the bound is the mean. A level that was right is nearly so after the
# next order.
# Source: Rockafellar and Uryasev, "Optimization of conditional value-at-risk" (2000), theorem 1.


@kernel
def excess_over(vector, row, lots, first, last, level):
    """What the losses of a vector plus `lots` times a row have beyond a level, in all."""
    total = 0
    for s in range(first, last):
        total += max(-(load(vector, s) + lots * load(row, s)) - level, 0)
    return total


@kernel
def worst_loss(vector, row, lots, first, last):
    """The largest loss of a vector plus `lots` times a row; zero if there is none."""
    worst = 0
    for s in range(first, last):
        worst = max(worst, -(load(vector, s) + lots * load(row, s)))
    return worst


@inner
def divided_up(amount, by):
    """Amount over `by`, rounded up."""
    return -((-amount) // by)


@kernel
def tail_mean(vector, first, last, tail, memory, at, scratch):
    """The mean of the `tail` worst losses among first..last-1, rounded up.

    The word `at` of `memory` is the level to begin with, and becomes the right one; the result does not
    depend on it. `scratch` has room for last - first + 1 words.
    Source: Acerbi and Tasche, "On the coherence of expected shortfall" (2002), the discrete estimator.
    """
    level = load(memory, at)
    for _ in range(_STEPS):
        above, reaching, excess = _count_losses(vector, first, last, level)
        if above <= tail <= reaching:
            store(memory, at, level)
            return level + divided_up(excess, tail)
        level = _next_loss(vector, first, last, level, above > tail)
    found = _losses_over(vector, first, last, LEAST, scratch)
    _bring_largest(scratch, found, tail)
    total, level = 0, load(scratch, 0)
    for n in range(tail):
        total += load(scratch, n)
        level = min(level, load(scratch, n))
    store(memory, at, level)
    return divided_up(total, tail)


@kernel
def _count_losses(vector, first, last, level):
    """How many losses exceed a level, how many reach it, and what they have beyond it in all."""
    above, reaching, excess = 0, 0, 0
    for s in range(first, last):
        over = -load(vector, s) - level
        above += 1 if over > 0 else 0
        reaching += 1 if over >= 0 else 0
        excess += max(over, 0)
    return above, reaching, excess


@kernel
def _next_loss(vector, first, last, level, is_up):
    """The smallest loss beyond a level, or the largest below it."""
    if is_up:
        found = MOST
        for s in range(first, last):
            loss = -load(vector, s)
            found = min(found, loss if loss > level else MOST)
        return found
    found = LEAST
    for s in range(first, last):
        loss = -load(vector, s)
        found = max(found, loss if loss < level else LEAST)
    return found


@kernel
def _losses_over(vector, first, last, level, scratch):
    """Write the losses beyond a level; returns how many."""
    found = 0
    for s in range(first, last):
        loss = -load(vector, s)
        store(scratch, found, loss)
        found += 1 if loss > level else 0
    return found


@kernel
def _bring_largest(words, count, wanted):
    """Bring the `wanted` largest of `count` words to the front. Source: Hoare, "Find" (1961)."""
    low, high = 0, count - 1
    while low < high:
        pivot = load(words, (low + high) >> 1)
        i, j = low, high
        while i <= j:
            while load(words, i) > pivot:
                i += 1
            while load(words, j) < pivot:
                j -= 1
            if i <= j:
                word = load(words, i)
                store(words, i, load(words, j))
                store(words, j, word)
                i += 1
                j -= 1
        if wanted - 1 <= j:
            high = j
        elif wanted - 1 >= i:
            low = i
        else:
            return


@kernel
def square_root(number):
    """The whole square root of a number from 0 to 2**62."""
    root = np.int64(np.sqrt(np.float64(number)))
    while root * root > number:
        root -= 1
    while (root + 1) * (root + 1) <= number:
        root += 1
    return root
