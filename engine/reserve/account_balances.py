"""What an account owes the firm, on margin and in all, and what the firm owes it: expressions over accounts.

Owns: the reading of a row of accounts.csv, in cents; Note E(2). Does not own which debits count
(`debit_balances.py`). Source: 17 CFR 240.15c3-3a, Items 1 and 10, Note E(2).
"""

from __future__ import annotations

import polars as pl

from engine.reserve.case_files import HOLDERS
from engine.reserve.kinds import Holder


def owed() -> pl.Expr:
    """The account's debit; its credit is not set against it."""
    return _or_zero("margin_debit") + _overdrawn()


def owed_on_margin() -> pl.Expr:
    """Of the debit, what Notes E(1) and E(5) look at: a negative balance outside a cash account is margin."""
    is_cash_account = pl.col("class") == HOLDERS.index(Holder.CUSTOMER_CASH)
    return _or_zero("margin_debit") + pl.when(is_cash_account).then(0).otherwise(_overdrawn())


def omnibus_deficit() -> pl.Expr:
    """Deficits in an omnibus account less calls outstanding five business days or less. Source: Note E(2)."""
    return (_or_zero("omnibus_deficit") - _or_zero("omnibus_calls")).clip(lower_bound=0)


def credit() -> pl.Expr:
    """The account's credit, with what is left of an omnibus account's deficits when its debit is gone."""
    return _or_zero("cash_balance").clip(lower_bound=0) + omnibus_credit()


def omnibus_credit() -> pl.Expr:
    """What Note E(2) adds to an omnibus account's credit: deficits that its debit does not take up."""
    return (omnibus_deficit() - owed()).clip(lower_bound=0)


def _overdrawn() -> pl.Expr:
    return -_or_zero("cash_balance").clip(upper_bound=0)


def _or_zero(column: str) -> pl.Expr:
    return pl.col(column).fill_null(0)
