"""The live reserve after any commands is the reserve of the whole book, computed anew.

Oracle: a fresh fold of the same frames, all of its rows as one case, and `compute`. What the rows have to be
is held to the warehouse in tests/unit/test_warehouse_reserve_live.py.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine.projections.reserve_book import POSTING
from engine.projections.reserve_rows import ReserveRows, stock_cells
from engine.projections.reserve_view import ReserveRules, ReserveView
from engine.reserve.case_files import CLAIMS, FORMULAS, HOLDERS, LOCATIONS, TOTALS, Case
from engine.reserve.computation import Computation, Terms, compute
from engine.reserve.live import case_of_rows
from engine.reserve.terms import Formula, Frequency, Method
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import Side, TimeInForce
from schemas.financing import (
    OpenFinancing,
    PostClearingMargin,
    ReduceFinancing,
    RepayBankLoan,
    ReturnClearingMargin,
)
from schemas.identity import LinkAccount
from schemas.ledger import BorrowFromBank, ContributeCapital
from schemas.market import PlaceOrder, SetMark
from schemas.payments import ConfirmDraft, IssueDraft, RequestWithdrawal
from schemas.reserve import RecordFirmCapital
from schemas.safekeeping import (
    AcknowledgeTransfer,
    ClearSuspense,
    CompleteTransfer,
    DeclareDistribution,
    OpenSuspense,
    ReceiveDistribution,
    RecordCountDifference,
    ResolveCountDifference,
    SendToTransfer,
)
from schemas.settlement import ConfirmSettlement, ReportSettlementFailure, RunSettlementCycle
from tests.support.scenario import EPOCH, World

CASH, MARGIN, BORROWER, BROKER, PRINCIPAL, FIRM = 5, 6, 7, 8, 9, 10
OWNERS = (CASH, MARGIN, BORROWER, BROKER, PRINCIPAL, FIRM)
USD, ACME, BETA = 1, 2, 3
OPENING = """
    open 1 STREET
    open 5 CUSTOMER_CASH
    open 6 CUSTOMER_MARGIN
    open 7 CUSTOMER_MARGIN
    open 8 PAB
    open 9 NON_CUSTOMER
    open 10 FIRM
    deposit 5 90000.00
    deposit 6 900.00
    deposit 7 400.00
    deposit 8 40000.00
    deposit 9 50000.00
    transfer 5 ACME 300
    transfer 6 BETA 120
    transfer 7 ACME 80
    transfer 8 BETA 100
    transfer 10 ACME 50
"""
CLOSINGS: dict[str, tuple[type, tuple[str, ...]]] = {
    "BANK_LOAN": (RepayBankLoan, ("released_units", "repaid_units")),
    "TRANSFER": (CompleteTransfer, ("returned_units",)),
    "COUNT_DIFFERENCE": (ResolveCountDifference, ("found_units",)),
    "DISTRIBUTION": (ReceiveDistribution, ("received_units",)),
    **dict.fromkeys(("SUSPENSE_LONG", "SUSPENSE_SHORT"), (ClearSuspense, ("cleared_units",))),
    **dict.fromkeys(
        ("MARGIN_OCC", "MARGIN_DCO", "MARGIN_TREASURY"), (ReturnClearingMargin, ("returned_units",))
    ),
    **dict.fromkeys(
        ("STOCK_BORROW", "STOCK_LOAN", "REPO", "REVERSE_REPO"),
        (ReduceFinancing, ("returned_units", "returned_money_units")),
    ),
}


class Walk:
    """A world, and the live reserve that follows its journal frame by frame."""

    def __init__(self, method: Method) -> None:
        self.rules = ReserveRules(method, Frequency.WEEKLY)
        self.view = ReserveView(self.rules)
        self.world = World().play(OPENING)
        self.number = 0
        self.send(ContributeCapital, asset_id=USD, amount_units=900_000_00, operator_id=1)
        self.send(
            RecordFirmCapital, tentative_net_capital_minor=10**9, net_capital_minor=10**9,
            aggregate_indebtedness_minor=0, aggregate_debit_items_minor=0, customer_funds_minor=0,
            as_of_epoch_day=self.today, operator_id=1,
        )  # fmt: skip
        for step in (
            ("buy", MARGIN, ACME, 29),
            ("buy", BORROWER, ACME, 24),
            ("sell", BORROWER, BETA, 14),
            ("day", CASH, USD, 0),
        ):  # two debits and a short position
            self.step(*step)

    @property
    def today(self) -> int:
        return self.world.pipeline.state.business_epoch_day

    def send(self, cls: type, **columns: int) -> None:
        self.world.send(cls, **columns)

    def step(self, verb: str, account: int, asset: int, amount: int) -> None:
        """One step; what is impossible is refused, and nothing changes."""
        self.number += 1
        operated = {"operator_id": 1}
        since = {"opened_epoch_day": self.today - amount % 61, **operated}
        units = 1 + amount % 90
        paid = {"payment_id": 1_000 + self.number, "account_id": account, "asset_id": USD}
        match verb:
            case "buy" | "sell":
                self.trade(account, asset, units * 2, Side.BUY if verb == "buy" else Side.SELL)
            case "mark":
                for instrument in (asset - 1, asset + 1):  # the share, and of ACME the contract
                    self.send(SetMark, instrument_id=instrument, mark_ticks=8_000 + amount % 4_000)
            case "finance":
                items = self.view.book.items
                borrows = [n for n, i in items.items() if i.item_kind == "STOCK_BORROW" and amount % 3 == 0]
                self.send(
                    OpenFinancing, financing_kind_code=1 + amount % 4, counterparty_id=1, asset_id=asset,
                    financed_units=units, money_asset_id=USD, money_units=units * 9_900,
                    conduit_item_id=borrows[0] if borrows else 0, **since,
                )  # fmt: skip
            case "loan":
                self.send(
                    BorrowFromBank, bank_id=1, money_asset_id=USD, loan_units=units * 7_001,
                    pledged_asset_id=asset, pledged_units=units, **operated,
                )  # fmt: skip
            case "margin":
                code = int(self.world.pipeline.state.accounts[account]["account_class_code"])
                self.send(
                    PostClearingMargin, clearing_agency_code=1 + amount % 3, account_class_code=code,
                    account_id=account if amount % 2 else 0, asset_id=(USD, asset)[amount % 2],
                    margin_units=units, **since,
                )  # fmt: skip
            case "transfer":
                self.send(SendToTransfer, asset_id=asset, transfer_units=units, **since)
            case "acknowledge":
                for number, item in list(self.view.book.items.items()):
                    if item.item_kind == "TRANSFER":
                        self.send(AcknowledgeTransfer, item_id=number, **operated)
            case "count":
                self.send(RecordCountDifference, asset_id=asset, missing_units=units, **since)
            case "suspense":
                side = {"suspense_side_code": 1 + amount % 2, "asset_id": (USD, asset)[amount // 2 % 2]}
                self.send(OpenSuspense, suspense_units=units, **side, **since)
            case "distribute":
                self.send(
                    DeclareDistribution, asset_id=asset, distributed_asset_id=(USD, asset)[amount % 2],
                    distributed_units=1 + amount % 3, per_units=2, **since,
                )  # fmt: skip
            case "close":
                self.close(amount)
            case "withdraw":
                self.send(RequestWithdrawal, **paid, amount_units=units * 100)
            case "draft":
                self.send(IssueDraft, **paid, amount_units=units * 100)
            case "presented":
                for number in list(self.view.book.drafts)[:1]:
                    self.send(ConfirmDraft, payment_id=number)
            case "link":
                kin = {"household_id": amount % 3, "is_affiliate": int(amount % 5 == 0)}
                self.send(LinkAccount, account_id=account, **kin, **operated)
            case "fail":
                for number in list(self.view.book.obligations)[:2]:
                    self.send(ReportSettlementFailure, obligation_id=number)
            case "settle":
                for number, due in list(self.view.book.obligations.items())[: 1 + amount % 3]:
                    part = due.open_units if amount % 2 else max(due.open_units // 2, 1)
                    minor = due.open_minor if part == due.open_units else due.open_minor // 2
                    told = {"settled_units": part, "settled_minor": minor}
                    self.send(ConfirmSettlement, obligation_id=number, **told)
            case _:
                self.send(RunSettlementCycle, trade_epoch_day=self.today)
                gone = 1 if verb == "day" else 20
                text = (EPOCH.fromordinal(EPOCH.toordinal() + self.today + gone)).isoformat()
                self.world.day(text)

    def trade(self, account: int, asset: int, lots: int, side: Side) -> None:
        """Trade with the street at the mark."""
        mark = int(self.world.pipeline.state.instruments[asset - 1]["mark_ticks"])
        for number, (who, which) in enumerate(((1, Side(3 - side)), (account, side))):
            self.send(
                PlaceOrder, session_id=1, account_id=who, client_order_id=2 * self.number + number,
                instrument_id=asset - 1, side_code=which, order_type_code=1,
                time_in_force_code=TimeInForce.GTC if who == 1 else TimeInForce.IOC,
                price_ticks=mark, quantity_lots=lots,
            )  # fmt: skip

    def close(self, amount: int) -> None:
        """Close an open item, all of it or a part."""
        items = sorted(self.view.book.items)
        if not items:
            return
        item = self.view.book.items[items[amount % len(items)]]
        cls, names = CLOSINGS[item.item_kind]
        whole = (item.open_units, item.open_money_units)
        parts = whole if amount % 2 else tuple(part // 2 for part in whole)
        columns = dict(zip(names, parts, strict=False))
        if cls is ClearSuspense:
            columns["account_id"] = CASH if amount % 4 < 2 else 0
        self.send(cls, item_id=item.item_id, operator_id=1, **columns)

    def follow(self) -> None:
        """Fold what is new in the journal; update, as a reader does."""
        for frame in self.world.journal.frames[self.view.book.frame_count :]:
            self.view.fold(frame)
        self.view.update()

    def compare(self) -> None:
        anew = ReserveView(self.rules)
        for frame in self.world.journal.frames:
            anew.book.fold(frame)
        assert_is_computed(self.view, whole_case(anew.rows))


def whole_case(rows: ReserveRows) -> Case:
    """All rows of a book as one case."""
    rows.changes()
    issues = list(rows.book.assets_of_issue)
    return case_of_rows(
        rows.firm(),
        accounts=[
            (a.account_id, HOLDERS.index(a.holder), *a[2:]) for a in rows.accounts(rows.book.account_classes)
        ],
        claims=stock_cells([c for i in issues for c in rows.claims(i)], CLAIMS),
        locations=stock_cells([c for i in issues for c in rows.locations(i)], LOCATIONS),
        prices=rows.prices(issues),
        other=[
            (TOTALS.index(t.item), *t[1:3], FORMULAS.index(t.formula or Formula.CUSTOMER))
            for t in rows.totals()
        ],
    )


def assert_is_computed(view: ReserveView, case: Case) -> dict[Formula, Computation]:
    """Lines, requirement, notes and gaps of both formulas are those of the case."""
    found: dict[Formula, Computation] = {}
    for formula in Formula:
        due = compute(case, Terms(view.as_of, view.rules.method, view.rules.frequency, formula))
        told = view.figure(formula)
        assert told.lines == due.lines, formula
        assert told.requirement == due.requirement_minor
        assert sorted(told.notes) == sorted(due.notes)
        assert sorted(told.gaps) == sorted(due.gaps)
        assert told.stock_lines.charge_minor == due.stock_lines.charge_minor
        found[formula] = due
    return found


VERBS = (
    *["buy"] * 4, *["sell"] * 3, *["mark"] * 2, *["finance"] * 3, "loan", "loan", "margin", "transfer",
    "acknowledge", "count", "suspense", "suspense", "distribute", "close", "close", "withdraw", "draft",
    "presented", "link", "link", "fail", "settle", "day", "day", "day", "weeks", "weeks",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VERBS),
        st.sampled_from(OWNERS),
        st.sampled_from((ACME, BETA)),
        st.integers(0, 10**6),
    ),
    min_size=10,
    max_size=30,
)


@settings(max_examples=15, deadline=None)
@given(STEPS, st.sampled_from(Method), st.integers(1, 4))
def test_the_live_reserve_is_the_reserve_of_the_whole_book(
    steps: list[tuple[str, int, int, int]], method: Method, often: int
) -> None:
    walk = Walk(method)
    walk.follow()
    for number, step in enumerate(steps):
        walk.step(*step)
        if number % often == 0:
            walk.follow()
            walk.compare()
    walk.follow()
    walk.compare()
    for formula in Formula:
        for item, amount in walk.view.figure(formula).lines.items():
            if amount:
                event(f"{formula} {item}")


@settings(max_examples=15, deadline=None)
@given(STEPS)
def test_what_is_owed_and_what_is_still_to_come_are_the_engine_s_balances(
    steps: list[tuple[str, int, int, int]],
) -> None:
    """The engine's balances are those of the trade date: an entry counts there at once."""
    walk = Walk(Method.BASIC)
    for step in steps:
        walk.step(*step)
        walk.follow()
    book, balances = walk.view.book, walk.world.pipeline.state.balances
    owed: Counter[Any] = Counter()
    for asset, by_account in book.owed.items():
        owed.update({(asset, account): units for account, units in by_account.items()})
    for account, by_currency in book.cash.items():
        owed.update({(asset, account): units for asset, units in by_currency.items()})
    for posting in (posting for postings in book.pending.values() for posting in postings):
        row = dict(zip(POSTING, posting, strict=True))
        assert row["value_epoch_day"] > book.business_epoch_day
        for side, sign in (("debit", -1), ("credit", 1)):
            if row[f"{side}_account_kind_code"] == Kind.CLIENT:
                owed[row["asset_id"], row[f"{side}_party_id"]] += sign * row["amount_units"]
    for account in OWNERS:
        for asset in (USD, ACME, BETA):
            assert owed[asset, account] == -balances.balance(Kind.CLIENT, account, asset)
