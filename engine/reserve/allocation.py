"""Who gets what: claims against locations, pair by pair in the order of the matrix, each unit once.

Owns: the pairing and the money that goes with it. Does not own the order (`matrix.py`) or what a pair gives
(`lines.py`). Identified rows are paired among themselves first, in the same order; what is left of them joins
their issue. Money is shared pro rata over a bucket's units by running totals, so that the parts of a bucket
sum to the whole: what is a credit is rounded up for whoever comes first, what is a debit down. Source: 17 CFR
240.15c3-3a; the order is the trade's, see docs/reserve.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.reserve.exact import Ints, shares
from engine.reserve.matrix import Long, Matrix, Short
from engine.reserve.stock import Pools, Side, Stock, moved


class Pairing(NamedTuple):
    """What one pair took, over all issues in which it took something; arrays are (issues,)."""

    long: Long
    short: Short
    issue: Ints
    pool: Ints  # of identified rows; -1 where the rest of the issue was paired
    quantity: Ints
    location_money: Ints
    excess: Ints  # of Notes C and D
    claim_money: Ints
    is_location_unvalued: np.ndarray
    is_location_undated: np.ndarray
    is_claim_unvalued: np.ndarray
    is_claim_undated: np.ndarray


class Allocation(NamedTuple):
    """Every pairing, and what identified rows left for their issue."""

    pairings: list[Pairing]
    longs_left: Side  # (buckets, identified pools)
    shorts_left: Side


def allocate(stock: Stock, matrix: Matrix) -> Allocation:
    """Every pairing of every issue; of an issue that balances, all units of both sides."""
    first, longs, shorts = _paired(stock.identified, list(matrix.identified_pairs()))
    issue = stock.identified.issue
    rest = Pools(
        stock.general.issue,
        moved(stock.general.longs, longs, issue, 1),
        moved(stock.general.shorts, shorts, issue, 1),
    )
    others = [p._replace(pool=np.full(len(p.issue), -1)) for p in _paired(rest, list(matrix.pairs()))[0]]
    return Allocation(first + others, longs, shorts)


class _Left:
    """What is left of one side, and its money."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.quantity = side.quantity.copy()
        self.contract = side.contract.copy()
        self.excess = side.excess.copy()

    def take(self, bucket: int, pools: Ints, units: Ints, *, is_up: bool) -> tuple[Ints, Ints]:
        """Take units out of a bucket; the contract money and the excess that go with them."""
        self.quantity[bucket, pools] -= units
        whole_units = self.side.quantity[bucket, pools]
        used = whole_units - self.quantity[bucket, pools]
        parts: list[Ints] = []
        for whole, left in ((self.side.contract, self.contract), (self.side.excess, self.excess)):
            money = whole[bucket, pools]
            remaining = money - shares(money, used, whole_units, is_up=is_up)
            parts.append(left[bucket, pools] - remaining)
            left[bucket, pools] = remaining
        return parts[0], parts[1]

    def rest(self) -> Side:
        is_left = self.quantity > 0
        return Side(
            self.quantity,
            self.contract,
            self.excess,
            self.side.unvalued * is_left,
            self.side.undated * is_left,
        )


def _paired(pools: Pools, pairs: Sequence[tuple[Long, Short]]) -> tuple[list[Pairing], Side, Side]:
    longs, shorts = _Left(pools.longs), _Left(pools.shorts)
    pairings: list[Pairing] = []
    is_long, is_short = (side.quantity.max(axis=1, initial=0) > 0 for side in (longs, shorts))
    for long, short in pairs:
        if not (is_long[long] and is_short[short]):
            continue
        units = np.minimum(longs.quantity[long], shorts.quantity[short])
        at = units.nonzero()[0]
        if not len(at):
            continue
        location_money, excess = shorts.take(short, at, units[at], is_up=True)
        claim_money, _ = longs.take(long, at, units[at], is_up=False)
        pairings.append(
            Pairing(
                long,
                short,
                pools.issue[at],
                at,
                units[at],
                location_money,
                excess,
                claim_money,
                pools.shorts.unvalued[short, at] > 0,
                pools.shorts.undated[short, at] > 0,
                pools.longs.unvalued[long, at] > 0,
                pools.longs.undated[long, at] > 0,
            )
        )
    return pairings, longs.rest(), shorts.rest()
