"""The chart of accounts as rows of one table: which side a kind is on and where its row lies.

Owns the arithmetic from (kind, party) to a row. Does not own the amounts: see `balances.py`.
"""

from __future__ import annotations

from schemas.codes import LedgerAccountKind as Kind

BANK_COUNT = 64
"""Rows of each kind whose party is a bank or a counterparty; their ids run from 1 to BANK_COUNT - 1."""

OWNER_KINDS = (
    Kind.CLIENT,
    Kind.FIRM_CAPITAL,
    Kind.FEE_INCOME,
    Kind.BANK_LOAN,
    Kind.WITHDRAWAL_PAYABLE,
    Kind.SUSPENSE,
    Kind.STOCK_BORROWED,
    Kind.REVERSE_REPO,
    Kind.STOCK_LOAN_PAYABLE,
    Kind.REPO_PAYABLE,
)
LOCATION_KINDS = (
    Kind.STREET_PENDING,
    Kind.FAIL,
    Kind.NOSTRO,
    Kind.RESERVE_BANK,
    Kind.CUSTODY,
    Kind.COLLATERAL_AT_BANK,
    Kind.STOCK_LENT,
    Kind.REPO_COLLATERAL,
    Kind.STOCK_BORROW_RECEIVABLE,
    Kind.REVERSE_REPO_RECEIVABLE,
    Kind.IN_TRANSFER,
    Kind.SUSPENSE_SHORT,
    Kind.COUNT_DIFFERENCE,
    Kind.DISTRIBUTION_RECEIVABLE,
    Kind.MARGIN_AT_OCC,
    Kind.MARGIN_AT_DCO,
    Kind.MARGIN_AT_TREASURY_CLEARING,
    Kind.PAB_RESERVE_BANK,
)

# Kinds in the order of their rows. Those of an account come first, so that with `n` accounts the
# row of CLIENT is account_id, of STREET_PENDING n + 1 + account_id, and so on without a lookup.
ACCOUNT_KINDS = (Kind.CLIENT, Kind.STREET_PENDING, Kind.FAIL, Kind.WITHDRAWAL_PAYABLE)
BANK_KINDS = (
    Kind.BANK_LOAN,
    Kind.COLLATERAL_AT_BANK,
    Kind.RESERVE_BANK,
    Kind.PAB_RESERVE_BANK,
    Kind.STOCK_BORROWED,
    Kind.REVERSE_REPO,
    Kind.STOCK_LOAN_PAYABLE,
    Kind.REPO_PAYABLE,
    Kind.STOCK_LENT,
    Kind.REPO_COLLATERAL,
    Kind.STOCK_BORROW_RECEIVABLE,
    Kind.REVERSE_REPO_RECEIVABLE,
)
FIRM_KINDS = (
    Kind.FIRM_CAPITAL,
    Kind.FEE_INCOME,
    Kind.SUSPENSE,
    Kind.NOSTRO,
    Kind.CUSTODY,
    Kind.IN_TRANSFER,
    Kind.SUSPENSE_SHORT,
    Kind.COUNT_DIFFERENCE,
    Kind.DISTRIBUTION_RECEIVABLE,
    Kind.MARGIN_AT_OCC,
    Kind.MARGIN_AT_DCO,
    Kind.MARGIN_AT_TREASURY_CLEARING,
)
FIXED_ROW_COUNT = BANK_COUNT * len(BANK_KINDS) + len(FIRM_KINDS)
"""Rows that do not depend on the number of accounts; they lie behind those that do."""


def party_count(kind: int, account_count: int) -> int:
    """How many rows a kind has; party ids run from zero to one less."""
    if kind in ACCOUNT_KINDS:
        return account_count + 1
    return BANK_COUNT if kind in BANK_KINDS else 1


def row_offsets(account_count: int) -> tuple[int, ...]:
    """First row of each kind, indexed by the kind's code; minus one where no kind has the code.

    The row of (kind, party) is `row_offsets(account_count)[kind] + party`.
    """
    offsets = [-1] * (max(Kind) + 1)
    row = 0
    for kind in (*ACCOUNT_KINDS, *BANK_KINDS, *FIRM_KINDS):
        offsets[kind] = row
        row += party_count(kind, account_count)
    return tuple(offsets)


def row_count(account_count: int) -> int:
    """How many rows the chart has."""
    return len(ACCOUNT_KINDS) * (account_count + 1) + FIXED_ROW_COUNT


def account_count_of(rows: int) -> int:
    """The inverse of `row_count`."""
    return (rows - FIXED_ROW_COUNT) // len(ACCOUNT_KINDS) - 1
