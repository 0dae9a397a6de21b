"""The ledger as a plain dict: who is owed how much, and where how much is held. No debit, no credit.

An oracle of the slow lane's postings, spelled out event by event.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from engine.ledger.chart import OWNER_KINDS
from schemas.codes import FinancingKind, ObligationSide, SuspenseSide
from schemas.codes import LedgerAccountKind as Kind
from schemas.financing import (
    BankLoanRepaid,
    ClearingMarginPosted,
    ClearingMarginReturned,
    FinancingOpened,
    FinancingReduced,
)
from schemas.ledger import BankLoanTaken, CapitalContributed
from schemas.payments import (
    DepositCredited,
    DraftIssued,
    DraftPaid,
    SecuritiesTransferredIn,
    WithdrawalApproved,
    WithdrawalPaid,
)
from schemas.reserve import ReserveDepositOrdered, ReserveSecuritiesMoved
from schemas.safekeeping import (
    CountDifferenceFound,
    CountDifferenceResolved,
    DistributionCredited,
    DistributionDeclared,
    DistributionReceived,
    SuspenseCleared,
    SuspenseOpened,
    TransferCompleted,
    TransferSent,
)
from schemas.settlement import (
    SettlementConfirmed,
    SettlementFailed,
    SettlementInstructed,
    VariationSettled,
)
from tests.support.slow_lane import CFD, COIN, CRYPTO, EUR, FX, SHARE, STOCK, USD

CURRENCIES = (USD, EUR)
DELIVERED = {STOCK: (SHARE, 1), FX: (EUR, 100), CRYPTO: (COIN, 10)}


class PlainLedger:
    """Who is owed how much, and where how much is held."""

    def __init__(self) -> None:
        self.owed: Counter[tuple[Kind, int, int]] = Counter()
        self.held: Counter[tuple[Kind, int, int]] = Counter()
        self.told: dict[int, SettlementInstructed] = {}
        self.failed: set[int] = set()
        self.opened: dict[int, Any] = {}  # positions that close in parts

    def at(self, kind: Kind, party: int, asset_id: int) -> int:
        """Debits less credits, as the engine would say it."""
        key = (kind, party, asset_id)
        return -self.owed[key] if kind in OWNER_KINDS else self.held[key]

    def place(self, asset_id: int) -> Kind:
        return Kind.NOSTRO if asset_id in CURRENCIES else Kind.CUSTODY

    def trade(self, account_id: int, instrument_id: int, lots: int, price: int) -> None:
        if instrument_id == CFD:
            return
        asset_id, lot_units = DELIVERED[instrument_id]
        for asset, units in ((asset_id, lots * lot_units), (USD, -lots * price)):
            self.owed[Kind.CLIENT, account_id, asset] += units
            self.held[Kind.STREET_PENDING, account_id, asset] += units

    def see(self, e: Any) -> None:
        """Book one event."""
        if isinstance(e, DepositCredited):
            self.owed[Kind.CLIENT, e.account_id, e.asset_id] += e.amount_units
            self.held[self.place(e.asset_id), 0, e.asset_id] += e.amount_units
        elif isinstance(e, SecuritiesTransferredIn):
            self.owed[Kind.CLIENT, e.account_id, e.asset_id] += e.amount_units
            self.held[Kind.CUSTODY, 0, e.asset_id] += e.amount_units
        elif isinstance(e, WithdrawalApproved):
            self.owed[Kind.CLIENT, e.account_id, e.asset_id] -= e.amount_units
            self.owed[Kind.WITHDRAWAL_PAYABLE, e.account_id, e.asset_id] += e.amount_units
        elif isinstance(e, WithdrawalPaid):
            self.owed[Kind.WITHDRAWAL_PAYABLE, e.account_id, e.asset_id] -= e.amount_units
            self.held[Kind.NOSTRO, 0, e.asset_id] -= e.amount_units
        elif isinstance(e, CapitalContributed):
            self.owed[Kind.FIRM_CAPITAL, 0, e.asset_id] += e.amount_units
            self.held[Kind.NOSTRO, 0, e.asset_id] += e.amount_units
        elif isinstance(e, BankLoanTaken):
            self.opened[e.sequence] = e
            self.owed[Kind.BANK_LOAN, e.bank_id, e.money_asset_id] += e.loan_units
            self.held[Kind.NOSTRO, 0, e.money_asset_id] += e.loan_units
            self.held[Kind.COLLATERAL_AT_BANK, e.bank_id, e.pledged_asset_id] += e.pledged_units
            self.held[Kind.CUSTODY, 0, e.pledged_asset_id] -= e.pledged_units
        elif isinstance(e, ReserveDepositOrdered):
            moved = e.deposit_minor - e.withdrawal_minor
            kind = Kind.RESERVE_BANK if e.reserve_formula_code == 1 else Kind.PAB_RESERVE_BANK
            self.held[kind, e.bank_id, e.asset_id] += moved
            self.held[Kind.NOSTRO, 0, e.asset_id] -= moved
        elif isinstance(e, ReserveSecuritiesMoved):
            kind = Kind.RESERVE_BANK if e.reserve_formula_code == 1 else Kind.PAB_RESERVE_BANK
            self.held[kind, e.bank_id, e.asset_id] += e.moved_units
            self.held[Kind.CUSTODY, 0, e.asset_id] -= e.moved_units
        elif isinstance(e, DraftIssued | DraftPaid):
            is_out = isinstance(e, DraftIssued)
            units = e.amount_units if is_out else -e.amount_units
            self.owed[Kind.WITHDRAWAL_PAYABLE, e.account_id, e.asset_id] += units
            if is_out:
                self.owed[Kind.CLIENT, e.account_id, e.asset_id] -= units
            else:
                self.held[Kind.NOSTRO, 0, e.asset_id] += units
        else:
            self.see_settlement(e)
            self.see_financing(e)
            self.see_safekeeping(e)

    def see_settlement(self, e: Any) -> None:
        if isinstance(e, SettlementInstructed):
            self.told[e.obligation_id] = e
        elif isinstance(e, VariationSettled):
            self.owed[Kind.CLIENT, e.account_id, USD] += e.variation_minor
            self.held[Kind.STREET_PENDING, e.account_id, USD] += e.variation_minor
        elif isinstance(e, SettlementConfirmed):
            told = self.told[e.obligation_id]
            waited = Kind.FAIL if e.obligation_id in self.failed else Kind.STREET_PENDING
            sign = _sign(told)
            for asset_id, units in (
                (told.asset_id, sign * e.settled_units),
                (told.quote_asset_id, -sign * e.settled_minor),
            ):
                self.held[waited, told.account_id, asset_id] -= units
                self.held[self.place(asset_id), 0, asset_id] += units
        elif isinstance(e, SettlementFailed):
            told = self.told[e.obligation_id]
            self.failed.add(e.obligation_id)
            sign = _sign(told)
            for asset_id, units in (
                (told.asset_id, sign * e.failed_units),
                (told.quote_asset_id, -sign * e.failed_minor),
            ):
                self.held[Kind.STREET_PENDING, told.account_id, asset_id] -= units
                self.held[Kind.FAIL, told.account_id, asset_id] += units

    def see_financing(self, e: Any) -> None:
        if isinstance(e, FinancingOpened):
            self.opened[e.item_id] = e
            self.finance(e, e.financed_units, e.money_units)
        elif isinstance(e, FinancingReduced):
            self.finance(self.opened[e.item_id], -e.returned_units, -e.returned_money_units)
        elif isinstance(e, BankLoanRepaid):
            loan = self.opened[e.item_id]
            self.owed[Kind.BANK_LOAN, loan.bank_id, loan.money_asset_id] -= e.repaid_units
            self.held[Kind.NOSTRO, 0, loan.money_asset_id] -= e.repaid_units
            self.held[Kind.COLLATERAL_AT_BANK, loan.bank_id, loan.pledged_asset_id] -= e.released_units
            self.held[Kind.CUSTODY, 0, loan.pledged_asset_id] += e.released_units
        elif isinstance(e, ClearingMarginPosted):
            self.opened[e.item_id] = e
            self.away(_margin_kind(e), e.asset_id, e.margin_units)
        elif isinstance(e, ClearingMarginReturned):
            told = self.opened[e.item_id]
            self.away(_margin_kind(told), told.asset_id, -e.returned_units)

    def finance(self, e: FinancingOpened, units: int, money: int) -> None:
        """So many units and so much money more; less is negative."""
        party, security, currency = e.counterparty_id, e.asset_id, e.money_asset_id
        if e.financing_kind_code in (FinancingKind.STOCK_BORROW, FinancingKind.REVERSE_REPO):
            is_borrow = e.financing_kind_code == FinancingKind.STOCK_BORROW
            self.owed[Kind.STOCK_BORROWED if is_borrow else Kind.REVERSE_REPO, party, security] += units
            self.held[Kind.CUSTODY, 0, security] += units
            given = Kind.STOCK_BORROW_RECEIVABLE if is_borrow else Kind.REVERSE_REPO_RECEIVABLE
            self.held[given, party, currency] += money
            self.held[Kind.NOSTRO, 0, currency] -= money
        else:
            is_loan = e.financing_kind_code == FinancingKind.STOCK_LOAN
            self.held[Kind.STOCK_LENT if is_loan else Kind.REPO_COLLATERAL, party, security] += units
            self.held[Kind.CUSTODY, 0, security] -= units
            self.owed[Kind.STOCK_LOAN_PAYABLE if is_loan else Kind.REPO_PAYABLE, party, currency] += money
            self.held[Kind.NOSTRO, 0, currency] += money

    def away(self, kind: Kind, asset_id: int, units: int) -> None:
        """So much more is there and no longer here; negative came back."""
        self.held[kind, 0, asset_id] += units
        self.held[self.place(asset_id), 0, asset_id] -= units

    def see_safekeeping(self, e: Any) -> None:
        if isinstance(e, TransferSent):
            self.opened[e.item_id] = e
            self.away(Kind.IN_TRANSFER, e.asset_id, e.transfer_units)
        elif isinstance(e, TransferCompleted):
            self.away(Kind.IN_TRANSFER, self.opened[e.item_id].asset_id, -e.returned_units)
        elif isinstance(e, CountDifferenceFound):
            self.opened[e.item_id] = e
            self.away(Kind.COUNT_DIFFERENCE, e.asset_id, e.missing_units)
        elif isinstance(e, CountDifferenceResolved):
            self.away(Kind.COUNT_DIFFERENCE, self.opened[e.item_id].asset_id, -e.found_units)
        elif isinstance(e, DistributionDeclared):
            self.opened[e.item_id] = e
            self.held[Kind.DISTRIBUTION_RECEIVABLE, 0, e.distributed_asset_id] += e.receivable_units
        elif isinstance(e, DistributionCredited):
            asset_id = self.opened[e.item_id].distributed_asset_id
            self.owed[Kind.CLIENT, e.account_id, asset_id] += e.credited_units
        elif isinstance(e, DistributionReceived):
            asset_id = self.opened[e.item_id].distributed_asset_id
            self.away(Kind.DISTRIBUTION_RECEIVABLE, asset_id, -e.received_units)
        elif isinstance(e, SuspenseOpened):
            self.opened[e.item_id] = e
            self.explain(e, -e.suspense_units, 0)
        elif isinstance(e, SuspenseCleared):
            self.explain(self.opened[e.item_id], e.cleared_units, e.account_id)

    def explain(self, e: SuspenseOpened, units: int, account_id: int) -> None:
        """So much less is unexplained; it is the account's, or nobody's who has an account."""
        is_long = e.suspense_side_code == SuspenseSide.LONG
        if is_long:
            self.owed[Kind.SUSPENSE, 0, e.asset_id] -= units
        else:
            self.held[Kind.SUSPENSE_SHORT, 0, e.asset_id] -= units
        sign = 1 if is_long else -1
        if account_id:
            self.owed[Kind.CLIENT, account_id, e.asset_id] += sign * units
        else:
            self.held[self.place(e.asset_id), 0, e.asset_id] -= sign * units


def _margin_kind(e: ClearingMarginPosted) -> Kind:
    kinds = {1: Kind.MARGIN_AT_OCC, 2: Kind.MARGIN_AT_DCO, 3: Kind.MARGIN_AT_TREASURY_CLEARING}
    return kinds[e.clearing_agency_code]


def _sign(told: SettlementInstructed) -> int:
    """Plus where units come in and money goes out."""
    side = ObligationSide(told.obligation_side_code)
    return 1 if side in (ObligationSide.RECEIVE, ObligationSide.PAY_CASH) else -1
