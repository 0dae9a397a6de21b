"""Whatever the slow lane is asked: no unit is lost, and the ledger says what a plain dict says.

The plain ledger knows two columns of positive words (owed to, held at) and no debit or credit.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ledger.chart import LOCATION_KINDS, OWNER_KINDS
from schemas.codes import AccountClass, FinancingKind, RejectReason, SuspenseSide
from schemas.codes import LedgerAccountKind as Kind
from schemas.financing import (
    ClearingMarginPosted,
    FinancingOpened,
    OpenFinancing,
    PostClearingMargin,
    ReduceFinancing,
    RepayBankLoan,
    ReturnClearingMargin,
)
from schemas.identity import OpenAccount
from schemas.ledger import (
    BankLoanTaken,
    BorrowFromBank,
    ContributeCapital,
    Posting,
)
from schemas.market import SetMark, StartBusinessDay
from schemas.payments import (
    ConfirmDraft,
    ConfirmWithdrawal,
    CreditDeposit,
    IssueDraft,
    RequestWithdrawal,
    TransferSecuritiesIn,
)
from schemas.reserve import (
    ApproveReserveOrder,
    OpenReserveAccount,
    PrepareReserveOrder,
    RecordBankEquity,
    RecordQualifiedSecurity,
)
from schemas.safekeeping import (
    ClearSuspense,
    CompleteTransfer,
    CountDifferenceFound,
    DeclareDistribution,
    DistributionDeclared,
    OpenSuspense,
    ReceiveDistribution,
    RecordCountDifference,
    ResolveCountDifference,
    SendToTransfer,
    SuspenseOpened,
    TransferSent,
)
from schemas.settlement import ConfirmSettlement, ReportSettlementFailure, RunSettlementCycle
from tests.support.plain_ledger import PlainLedger
from tests.support.slow_lane import CASH, COIN, EUR, MARGIN, SHARE, UNOPENED, USD, Firm, open_firm, trade

FINANCED = {  # securities and money, a debit is positive
    FinancingKind.STOCK_BORROW: ((Kind.STOCK_BORROWED, -1), (Kind.STOCK_BORROW_RECEIVABLE, 1)),
    FinancingKind.STOCK_LOAN: ((Kind.STOCK_LENT, 1), (Kind.STOCK_LOAN_PAYABLE, -1)),
    FinancingKind.REPO: ((Kind.REPO_COLLATERAL, 1), (Kind.REPO_PAYABLE, -1)),
    FinancingKind.REVERSE_REPO: ((Kind.REVERSE_REPO, -1), (Kind.REVERSE_REPO_RECEIVABLE, 1)),
}
MARGINS = (Kind.MARGIN_AT_OCC, Kind.MARGIN_AT_DCO, Kind.MARGIN_AT_TREASURY_CLEARING)
AGED = (
    *(kind for sides in FINANCED.values() for kind, _ in sides),
    *MARGINS,
    Kind.BANK_LOAN,
    Kind.COLLATERAL_AT_BANK,
    Kind.IN_TRANSFER,
    Kind.COUNT_DIFFERENCE,
    Kind.DISTRIBUTION_RECEIVABLE,
    Kind.SUSPENSE,
    Kind.SUSPENSE_SHORT,
)
HOUSE = UNOPENED  # an account of the firm's own
OPENINGS = ("finance", "margin", "transfer", "count", "distribute", "unclaimed", "gone")
CLASS_OF = {CASH: AccountClass.CUSTOMER_CASH, MARGIN: AccountClass.CUSTOMER_MARGIN}
# what closes what, and its columns of units and money
CLOSINGS: dict[type, tuple[type, tuple[str, ...]]] = {
    FinancingOpened: (ReduceFinancing, ("returned_units", "returned_money_units")),
    BankLoanTaken: (RepayBankLoan, ("released_units", "repaid_units")),
    ClearingMarginPosted: (ReturnClearingMargin, ("returned_units",)),
    TransferSent: (CompleteTransfer, ("returned_units",)),
    CountDifferenceFound: (ResolveCountDifference, ("found_units",)),
    DistributionDeclared: (ReceiveDistribution, ("received_units",)),
    SuspenseOpened: (ClearSuspense, ("cleared_units",)),
}


class Walk:
    """A firm and the plain ledger beside it, compared after every step."""

    def __init__(self) -> None:
        self.firm: Firm = open_firm()
        self.plain = PlainLedger()
        self.payment_id = 0
        self.withdrawals: list[int] = []
        self.drafts: list[int] = []
        self.postings: list[Posting] = []

        for bank_id in (1, 2):
            self.do(
                OpenReserveAccount,
                bank_id=bank_id,
                reserve_formula_code=bank_id,
                is_affiliate=0,
                letter_document_id=1,
                operator_id=1,
            )
            equity = {"bank_id": bank_id, "equity_minor": 10**6, "as_of_epoch_day": 1}
            self.do(RecordBankEquity, operator_id=1, **equity)
        self.do(
            OpenAccount,
            account_id=HOUSE,
            client_id=900,
            account_class_code=AccountClass.FIRM,
            max_notional_minor=0,
            rate_count=0,
            identity_document_id=0,
        )
        self.do(RecordQualifiedSecurity, asset_id=SHARE, document_id=1, operator_id=1)
        self.step("bring", HOUSE, SHARE, 3_000)
        for units in (1_000, 1_001, 300):  # shares into both reserves, and some out of the first
            self.step("reserve", HOUSE, SHARE, units)
        for verb, asset_id in (("capital", USD), ("bring", SHARE), ("bring", COIN)):
            self.step(verb, MARGIN, asset_id, 4_000)  # so that most of what follows finds something to move

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
            sign = -1 if amount % 3 == 0 else 1  # in and out, securities as well as money
            self.do(
                PrepareReserveOrder,
                payment_id=self.payment_id,
                asset_id=asset_id,
                amount_units=sign * amount,
                as_of_epoch_day=1,
                required_minor=0,
                eligible_minor=0,
                operator_id=1,
                bank_id=1 + amount % 2,
                reserve_formula_code=1 + amount % 2,
            )
            self.do(ApproveReserveOrder, payment_id=self.payment_id, operator_id=2)
        elif verb == "draft":
            if self.do(IssueDraft, **paid, **moved):
                self.drafts.append(self.payment_id)
        elif verb == "presented":
            self.do(ConfirmDraft, payment_id=self.drafts.pop() if self.drafts else 99)
        elif verb in OPENINGS:
            self.step_open(verb, account_id, asset_id, amount)
        elif verb in ("close", "part close"):
            self.close(verb, account_id, amount)
        else:
            self.step_market(verb, account_id, asset_id, amount)

    def step_open(self, verb: str, account_id: int, asset_id: int, amount: int) -> None:
        """Open one of the positions that close in parts."""
        since = {"opened_epoch_day": 0, "operator_id": 1}
        if verb == "finance":
            self.do(
                OpenFinancing,
                financing_kind_code=1 + amount % 4,
                counterparty_id=1 + amount % 3,
                asset_id=asset_id,
                financed_units=amount,
                money_asset_id=USD,
                money_units=amount // 2,
                conduit_item_id=0,
                **since,
            )
        elif verb == "margin":
            self.do(
                PostClearingMargin,
                clearing_agency_code=1 + amount % 3,
                account_class_code=CLASS_OF[account_id],
                account_id=account_id,
                asset_id=asset_id,
                margin_units=amount,
                **since,
            )
        elif verb == "transfer":
            self.do(SendToTransfer, asset_id=asset_id, transfer_units=amount, **since)
        elif verb == "count":
            self.do(RecordCountDifference, asset_id=asset_id, missing_units=amount, **since)
        elif verb == "distribute":
            held = (SHARE, COIN)[amount % 2]
            per = {"distributed_units": amount % 7, "per_units": 1 + amount % 5}
            self.do(DeclareDistribution, asset_id=held, distributed_asset_id=asset_id, **per, **since)
        else:
            side = SuspenseSide.LONG if verb == "unclaimed" else SuspenseSide.SHORT
            units = {"asset_id": asset_id, "suspense_units": amount}
            self.do(OpenSuspense, suspense_side_code=side, **units, **since)

    def close(self, verb: str, account_id: int, amount: int) -> None:
        """Close one of the open positions, all of it or a part."""
        items = self.firm.state.open_items.items
        number = sorted(items)[amount % len(items)] if items else 1
        item = items.get(number)
        if item is None:
            return
        is_all = verb == "close"
        units = item.open_units if is_all else amount
        money = item.open_money_units if is_all else amount // 3
        cls, names = CLOSINGS[type(item.opened)]
        fields = dict(zip(names, (units, money), strict=False))
        if cls is ClearSuspense:
            fields["account_id"] = account_id if amount % 2 else 0
        self.do(cls, item_id=number, operator_id=1, **fields)

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
    "deposit", "bring", "withdraw", "paid", "capital", "borrow", "reserve", "draft", "presented",
    *OPENINGS, "close", "close", "part close", "part close", "bring", "capital",
    "trade", "trade", "mark", "net", "fail", "part", "settle",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VERBS),
        st.sampled_from((CASH, MARGIN)),
        st.sampled_from((USD, EUR, SHARE, COIN)),
        st.integers(-50, 5_000),
    ),
    min_size=8,
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


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_the_parts_that_are_open_add_up_to_the_balances(steps: list[tuple[str, int, int, int]]) -> None:
    """What gives a balance its age explains all of it: no unit without an item, no item without its units."""
    walk = Walk()
    for step in steps:
        walk.step(*step)
    parts: Counter[tuple[Kind, int]] = Counter()
    for item in walk.firm.state.open_items.items.values():
        told = item.opened
        if isinstance(told, BankLoanTaken):
            parts[Kind.COLLATERAL_AT_BANK, told.pledged_asset_id] += item.open_units
            parts[Kind.BANK_LOAN, told.money_asset_id] -= item.open_money_units
        elif isinstance(told, FinancingOpened):
            (kind, sign), (money_kind, money_sign) = FINANCED[FinancingKind(told.financing_kind_code)]
            parts[kind, told.asset_id] += sign * item.open_units
            parts[money_kind, told.money_asset_id] += money_sign * item.open_money_units
        elif isinstance(told, ClearingMarginPosted):
            parts[MARGINS[told.clearing_agency_code - 1], told.asset_id] += item.open_units
        elif isinstance(told, TransferSent):
            parts[Kind.IN_TRANSFER, told.asset_id] += item.open_units
        elif isinstance(told, CountDifferenceFound):
            parts[Kind.COUNT_DIFFERENCE, told.asset_id] += item.open_units
        elif isinstance(told, DistributionDeclared):
            parts[Kind.DISTRIBUTION_RECEIVABLE, told.distributed_asset_id] += item.open_units
        elif isinstance(told, SuspenseOpened):
            is_long = told.suspense_side_code == SuspenseSide.LONG
            kind, sign = (Kind.SUSPENSE, -1) if is_long else (Kind.SUSPENSE_SHORT, 1)
            parts[kind, told.asset_id] += sign * item.open_units
    balances = walk.firm.state.balances
    for kind in AGED:
        for asset_id in (USD, EUR, SHARE, COIN):
            assert int(balances.rows_of(kind)[:, asset_id].sum()) == parts[kind, asset_id], kind.name


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
