"""The chart, the balances and the stock record."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InvariantBroken
from engine.ledger.balances import LIMIT, Balances
from engine.ledger.chart import (
    LOCATION_KINDS,
    OWNER_KINDS,
    account_count_of,
    party_count,
    row_count,
)
from engine.ledger.posting_kernel import BROKEN, POSTINGS_PER_FILL, post_fill_side
from engine.ledger.postings import Transfer
from engine.ledger.stock_record import StockLine, check_stock_record, stock_record
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import PostingReason, Side
from schemas.derive.layout import empty_rows
from schemas.ledger import Posting

ACCOUNTS, ASSETS = 5, 3


def _transfer(units: int, debit: tuple[int, int], credit: tuple[int, int], asset_id: int = 1) -> Transfer:
    return Transfer(int(PostingReason.DEPOSIT), asset_id, units, *debit, *credit, 0, 0)


def _balances() -> Balances:
    return Balances.of(ACCOUNTS, ASSETS)


def test_every_kind_is_on_one_side() -> None:
    assert sorted((*OWNER_KINDS, *LOCATION_KINDS)) == sorted(Kind)


def test_every_party_has_its_own_row() -> None:
    balances = _balances()
    rows = [balances.row_of(kind, party) for kind in Kind for party in range(party_count(kind, ACCOUNTS))]
    assert sorted(rows) == list(range(row_count(ACCOUNTS)))
    assert account_count_of(row_count(ACCOUNTS)) == ACCOUNTS


@pytest.mark.parametrize("party", range(ACCOUNTS + 1))
def test_rows_of_accounts_need_no_lookup(party: int) -> None:
    balances = _balances()
    assert balances.row_of(Kind.CLIENT, party) == party
    assert balances.row_of(Kind.STREET_PENDING, party) == ACCOUNTS + 1 + party
    assert balances.offsets[Kind.FAIL] + party == balances.row_of(Kind.FAIL, party)


@pytest.mark.parametrize(
    ("kind", "party"),
    [(0, 0), (29, 0), (99, 0), (-1, 0), (Kind.CLIENT, 6), (Kind.CLIENT, -1), (Kind.NOSTRO, 1)],
)
def test_an_account_outside_the_chart_is_an_invariant_broken(kind: int, party: int) -> None:
    with pytest.raises(InvariantBroken, match="chart"):
        _balances().row_of(kind, party)


@pytest.mark.parametrize("asset_id", [0, -1, ASSETS + 1])
def test_an_asset_outside_the_ledger_is_an_invariant_broken(asset_id: int) -> None:
    move = _transfer(1, (Kind.NOSTRO, 0), (Kind.CLIENT, 1), asset_id)
    with pytest.raises(InvariantBroken, match="asset"):
        _balances().apply(move)


@pytest.mark.parametrize("units", [0, -1, LIMIT + 1])
def test_an_amount_out_of_bounds_moves_nothing(units: int) -> None:
    balances = _balances()
    with pytest.raises(InvariantBroken, match="units"):
        balances.apply(_transfer(units, (Kind.NOSTRO, 0), (Kind.CLIENT, 1)))
    assert not balances.amounts.any()


def test_a_debit_adds_and_a_credit_subtracts() -> None:
    balances = _balances()
    balances.apply(_transfer(7, (Kind.NOSTRO, 0), (Kind.CLIENT, 1)))
    assert balances.balance(Kind.NOSTRO, 0, 1) == 7
    assert balances.balance(Kind.CLIENT, 1, 1) == -7
    balances.check()


def test_a_balance_stops_at_its_bounds_before_anything_moves() -> None:
    balances = _balances()
    full = _transfer(LIMIT, (Kind.NOSTRO, 0), (Kind.CLIENT, 1))
    balances.apply(full)
    before = balances.amounts.copy()
    for credit in (1, 2):  # the debit side overflows either way
        with pytest.raises(InvariantBroken, match="bounds"):
            balances.apply(_transfer(1, (Kind.NOSTRO, 0), (Kind.CLIENT, credit)))
    assert (balances.amounts == before).all()


@pytest.mark.parametrize(("side", "units_of_client"), [(Side.BUY, -6), (Side.SELL, 6)])
def test_an_execution_posts_units_money_and_fee(side: Side, units_of_client: int) -> None:
    balances, out = _balances(), empty_rows(Posting, POSTINGS_PER_FILL)
    count = _post(balances, out, side, units=6, minor=90, fee=2)
    assert count == 3
    assert out["sequence"][:count].tolist() == [101, 102, 103]
    assert set(out["reference_id"][:count].tolist()) == {55}
    assert set(out["value_epoch_day"][:count].tolist()) == {20_001}
    money = 90 if side is Side.BUY else -90
    assert balances.balance(Kind.CLIENT, 2, 1) == units_of_client
    assert balances.balance(Kind.STREET_PENDING, 2, 1) == -units_of_client
    assert balances.balance(Kind.CLIENT, 2, 3) == money + 2
    assert balances.balance(Kind.STREET_PENDING, 2, 3) == -money
    assert balances.balance(Kind.FEE_INCOME, 0, 3) == -2
    check_stock_record(balances)


def test_what_the_kernel_writes_is_what_it_applies() -> None:
    balances, out = _balances(), empty_rows(Posting, POSTINGS_PER_FILL)
    count = _post(balances, out, Side.SELL, units=6, minor=90, fee=2)
    again = _balances()
    for row in out[:count]:
        again.apply(Posting(**{name: int(row[name]) for name in out.dtype.names or ()}))
    assert (again.amounts == balances.amounts).all()


def test_a_contract_posts_its_fee_only() -> None:
    balances, out = _balances(), empty_rows(Posting, POSTINGS_PER_FILL)
    assert _post(balances, out, Side.BUY, units=0, minor=0, fee=2) == 1
    assert out["posting_reason_code"][0] == PostingReason.FEE


def test_the_kernel_tells_when_a_balance_would_leave_its_bounds() -> None:
    balances, out = _balances(), empty_rows(Posting, POSTINGS_PER_FILL)
    balances.amounts[balances.row_of(Kind.STREET_PENDING, 2), 1] = LIMIT
    before = balances.amounts.copy()
    assert _post(balances, out, Side.BUY, units=1, minor=1, fee=1) == BROKEN
    assert (balances.amounts == before).all()


def _post(balances: Balances, out: np.ndarray, side: Side, units: int, minor: int, fee: int) -> int:
    tables = balances.amounts, balances.offsets, out, 0, (101, 50, 7)
    return int(post_fill_side(*tables, 2, int(side), 1, units, 3, minor, fee, 55, 20_001))


def test_check_names_the_asset_that_is_out_of_balance() -> None:
    balances = _balances()
    balances.amounts[balances.row_of(Kind.CUSTODY, 0), 2] = 5
    with pytest.raises(InvariantBroken, match="asset 2 is out of balance by 5"):
        balances.check()
    with pytest.raises(InvariantBroken, match="asset 2: 0 units owned, 5 located"):
        check_stock_record(balances)


def test_the_stock_record_shows_both_sides() -> None:
    balances = _balances()
    balances.apply(_transfer(50, (Kind.CUSTODY, 0), (Kind.CLIENT, 1)))
    balances.apply(_transfer(20, (Kind.COLLATERAL_AT_BANK, 9), (Kind.CUSTODY, 0)))
    balances.apply(_transfer(8, (Kind.CLIENT, 3), (Kind.FAIL, 3)))  # sold, not delivered
    record = stock_record(balances, 1)
    assert record.owners == (
        StockLine(Kind.CLIENT, 1, 50),
        StockLine(Kind.CLIENT, 3, -8),
    )
    assert record.locations == (
        StockLine(Kind.FAIL, 3, -8),
        StockLine(Kind.CUSTODY, 0, 30),
        StockLine(Kind.COLLATERAL_AT_BANK, 9, 20),
    )
    assert record.owned_units == record.located_units == 42
