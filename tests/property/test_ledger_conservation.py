"""Whatever the slow lane is asked: no unit is lost, and the ledger says what a plain dict says.

The plain ledger knows two columns of positive words (owed to, held at) and no debit or credit.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ledger.chart import LOCATION_KINDS, OWNER_KINDS
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import ObligationSide, RejectReason
from schemas.ledger import (
    BankLoanTaken,
    BorrowFromBank,
    CapitalContributed,
    ContributeCapital,
    OrderReserveDeposit,
    Posting,
    ReserveDepositOrdered,
)
from schemas.market import SetMark, StartBusinessDay
from schemas.payments import (
    ConfirmWithdrawal,
    CreditDeposit,
    DepositCredited,
    RequestWithdrawal,
    SecuritiesTransferredIn,
    TransferSecuritiesIn,
    WithdrawalApproved,
    WithdrawalPaid,
)
from schemas.settlement import (
    ConfirmSettlement,
    ReportSettlementFailure,
    RunSettlementCycle,
    SettlementConfirmed,
    SettlementFailed,
    SettlementInstructed,
    VariationSettled,
)
from tests.support.slow_lane import (
    CASH,
    CFD,
    COIN,
    CRYPTO,
    EUR,
    FX,
    MARGIN,
    SHARE,
    STOCK,
    USD,
    Firm,
    open_firm,
    trade,
)

CURRENCIES = (USD, EUR)
DELIVERED = {STOCK: (SHARE, 1), FX: (EUR, 100), CRYPTO: (COIN, 10)}


class PlainLedger:
    """Who is owed how much, and where how much is held."""

    def __init__(self) -> None:
        self.owed: Counter[tuple[Kind, int, int]] = Counter()
        self.held: Counter[tuple[Kind, int, int]] = Counter()
        self.told: dict[int, SettlementInstructed] = {}
        self.failed: set[int] = set()

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
            self.owed[Kind.BANK_LOAN, e.bank_id, e.money_asset_id] += e.loan_units
            self.held[Kind.NOSTRO, 0, e.money_asset_id] += e.loan_units
            self.held[Kind.COLLATERAL_AT_BANK, e.bank_id, e.pledged_asset_id] += e.pledged_units
            self.held[Kind.CUSTODY, 0, e.pledged_asset_id] -= e.pledged_units
        elif isinstance(e, ReserveDepositOrdered):
            moved = e.deposit_minor - e.withdrawal_minor
            self.held[Kind.RESERVE_BANK, 0, e.asset_id] += moved
            self.held[Kind.NOSTRO, 0, e.asset_id] -= moved
        else:
            self.see_settlement(e)

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


def _sign(told: SettlementInstructed) -> int:
    """Plus where units come in and money goes out."""
    side = ObligationSide(told.obligation_side_code)
    return 1 if side in (ObligationSide.RECEIVE, ObligationSide.PAY_CASH) else -1


class Walk:
    """A firm and the plain ledger beside it, compared after every step."""

    def __init__(self) -> None:
        self.firm: Firm = open_firm()
        self.plain = PlainLedger()
        self.payment_id = 0
        self.withdrawals: list[int] = []
        self.postings: list[Posting] = []

    def do(self, cls: type, **fields: int) -> bool:
        before = self.firm.state.balances.amounts.copy()
        reason = self.firm.do(cls, **fields)
        for event in self.firm.events:
            self.plain.see(event)
        self.postings += self.firm.of(Posting)
        if reason is not RejectReason.NONE:
            assert (self.firm.state.balances.amounts == before).all()
        return reason is RejectReason.NONE

    def step(self, verb: str, account_id: int, asset_id: int, amount: int) -> None:
        """One step; `amount` may be anything, what is impossible is refused."""
        self.payment_id += 1
        paid = {"payment_id": self.payment_id, "account_id": account_id}
        moved = {"asset_id": asset_id, "amount_units": amount}
        if verb == "deposit":
            self.do(CreditDeposit, **paid, **moved)
        elif verb == "bring":
            self.do(TransferSecuritiesIn, **paid, **moved)
        elif verb == "withdraw":
            if self.do(RequestWithdrawal, **paid, **moved):
                self.withdrawals.append(self.payment_id)
        elif verb == "paid":
            self.do(ConfirmWithdrawal, payment_id=self.withdrawals.pop() if self.withdrawals else 99)
        elif verb == "capital":
            self.do(ContributeCapital, operator_id=1, **moved)
        elif verb == "borrow":
            self.do(
                BorrowFromBank,
                bank_id=1,
                money_asset_id=USD,
                loan_units=amount,
                pledged_asset_id=asset_id,
                pledged_units=amount,
                operator_id=1,
            )
        elif verb == "reserve":
            self.do(
                OrderReserveDeposit,
                payment_id=self.payment_id,
                as_of_epoch_day=1,
                preparer_operator_id=1,
                approver_operator_id=2,
                **moved,
            )
        else:
            self.step_market(verb, account_id, asset_id, amount)

    def step_market(self, verb: str, account_id: int, instrument_id: int, amount: int) -> None:
        """The steps of trading and settlement; ids of assets and instruments are both 1 to 4."""
        state = self.firm.state
        if verb == "trade":
            price = 50 + amount % 100
            lots = amount % 13 - 6 or 1
            self.plain.trade(account_id, instrument_id, lots, price)
            self.postings += trade(self.firm, account_id, instrument_id, lots, price)
        elif verb == "mark":
            self.do(SetMark, instrument_id=instrument_id, mark_ticks=50 + amount % 100)
        elif verb == "net":
            self.do(RunSettlementCycle, trade_epoch_day=state.business_epoch_day)
            day = state.business_epoch_day + 1
            days = {"next_epoch_day": day + 1, "second_epoch_day": day + 2}
            self.do(StartBusinessDay, business_epoch_day=day, **days)
        elif verb == "fail":
            self.do(ReportSettlementFailure, obligation_id=self.some_obligation(amount))
        else:
            self.settle(self.some_obligation(amount), amount if verb == "part" else 10**9)

    def some_obligation(self, amount: int) -> int:
        known = sorted(self.plain.told)
        return known[amount % len(known)] if known else 1

    def settle(self, number: int, at_most: int) -> None:
        """Settle what is open, up to so many units."""
        obligation = self.firm.state.settlement.obligations.get(number)
        if obligation is None:
            return
        units = min(abs(at_most), obligation.open_units)
        minor = obligation.open_minor
        if units < obligation.open_units:
            minor = minor * units // obligation.open_units
        self.do(ConfirmSettlement, obligation_id=number, settled_units=units, settled_minor=minor)

    def compare(self) -> None:
        balances = self.firm.state.balances
        for kind in (*OWNER_KINDS, *LOCATION_KINDS):
            for party, row in enumerate(balances.rows_of(kind)):
                for asset_id in range(1, len(row)):
                    here = self.plain.at(kind, party, asset_id)
                    assert int(row[asset_id]) == here, (kind.name, party, asset_id)
        balances.check()


VERBS = (
    "deposit", "bring", "withdraw", "paid", "capital", "borrow", "reserve",
    "trade", "trade", "mark", "net", "fail", "part", "settle",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VERBS),
        st.sampled_from((CASH, MARGIN)),
        st.sampled_from((USD, EUR, SHARE, COIN)),
        st.integers(-50, 5_000),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_the_ledger_says_what_a_plain_ledger_says(
    steps: list[tuple[str, int, int, int]],
) -> None:
    walk = Walk()
    for step in steps:
        walk.step(*step)
        walk.compare()


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_when_all_is_settled_nothing_is_pending_nor_failed(
    steps: list[tuple[str, int, int, int]],
) -> None:
    walk = Walk()
    for step in steps:
        walk.step(*step)
    walk.step("net", CASH, USD, 0)
    for number in sorted(walk.plain.told):
        walk.settle(number, 10**9)
    for account_id in (CASH, MARGIN):
        assert not walk.firm.pending(account_id)
    walk.compare()


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_balances_are_the_fold_of_the_postings(steps: list[tuple[str, int, int, int]]) -> None:
    walk = Walk()
    for step in steps:
        walk.step(*step)
    fold: Counter[tuple[int, int, int]] = Counter()
    for p in walk.postings:
        fold[p.debit_account_kind_code, p.debit_party_id, p.asset_id] += p.amount_units
        fold[p.credit_account_kind_code, p.credit_party_id, p.asset_id] -= p.amount_units
    balances = walk.firm.state.balances
    for kind in Kind:
        for party, row in enumerate(balances.rows_of(kind)):
            for asset_id in range(1, len(row)):
                assert int(row[asset_id]) == fold[kind, party, asset_id]
