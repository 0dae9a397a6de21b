"""Blocks: a kernel sees arrays by name behind one address, and a block refuses what is not its layout."""

from __future__ import annotations

import numpy as np
import pytest

from engine.blocks_kernel import WORD, BlockType, at_address, block_of, rows_of, words
from engine.compiled_kernel import kernel
from schemas.derive.layout import empty_rows
from schemas.identity import AccountRow

INNER = BlockType("TEST_INNER", steps=words())
OUTER = BlockType(
    "TEST_OUTER", accounts=rows_of(AccountRow), amounts=words(2), inner=block_of(INNER), factor=WORD
)
_outer_at = at_address(OUTER)


@kernel
def _touch(outer, account_id):
    row = outer.accounts[account_id]
    row.client_id = outer.factor * outer.inner.steps[2]
    outer.amounts[account_id, 1] += len(outer.accounts) * 100 + outer.amounts.shape[1]
    return outer.accounts_address


@kernel
def _run(address, account_id):
    return _touch(_outer_at(address), account_id)


def test_a_kernel_reads_and_writes_what_the_block_tells_of() -> None:
    accounts, amounts, steps = empty_rows(AccountRow, 5), np.zeros((5, 3), dtype=np.int64), np.arange(4)
    inner = INNER.fill(steps=steps)
    outer = OUTER.fill(accounts=accounts, amounts=amounts, inner=inner, factor=21)
    assert _run(outer.address, 3) == accounts.ctypes.data
    assert accounts["client_id"].tolist() == [0, 0, 0, 42, 0]
    assert amounts.tolist() == [[0] * 3, [0] * 3, [0] * 3, [0, 503, 0], [0] * 3]
    steps[2] = 5
    outer.set("factor", -1)
    _run(outer.address, 0)
    assert accounts["client_id"].tolist() == [-5, 0, 0, 42, 0]


def test_a_block_keeps_alive_what_it_tells_of() -> None:
    outer = OUTER.fill(
        accounts=empty_rows(AccountRow, 2),
        amounts=np.zeros((2, 2), dtype=np.int64),
        inner=INNER.fill(steps=np.arange(3)),
        factor=7,
    )
    np.zeros(100_000, dtype=np.int64).fill(99)
    _run(outer.address, 1)
    assert outer.held[0]["client_id"].tolist() == [0, 14]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amounts", np.zeros((2, 2))),
        ("amounts", np.zeros(4, dtype=np.int64)),
        ("amounts", np.zeros((4, 4), dtype=np.int64)[:, :2]),
        ("accounts", np.zeros(3, dtype=np.int64)),
    ],
)
def test_an_array_of_another_layout_is_refused(name: str, value: object) -> None:
    fields = {
        "accounts": empty_rows(AccountRow, 2),
        "amounts": np.zeros((2, 2), dtype=np.int64),
        "inner": INNER.fill(steps=np.arange(3)),
        "factor": 1,
    }
    with pytest.raises(ValueError, match=name):
        OUTER.fill(**fields | {name: value})
    del fields["factor"]
    with pytest.raises(KeyError):
        OUTER.fill(**fields)
