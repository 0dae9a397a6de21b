"""Two business days of a tiny book, with one of every fault between our records and the outside's.

Every figure is written by hand: amounts in US cents, units in whole shares. What must be found in
it stands at the end (`expected_breaks`, `EXPECTED_ITEMS`), and the warehouse is held to it.

Thursday 1 October 2026: money arrives and trades are made. Friday the 2nd: they fall due, and each
obligation meets its fate. The book is told as of Friday.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas import codes, identity, ledger, market, payments, reserve, settlement
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import MarketEventReason as Why
from schemas.codes import ObligationSide, OrderLink, OrderType, PostingReason, Side, TimeInForce
from tests.support.book_rows import (
    AAA,
    BBB,
    CASH,
    CCC,
    CFD,
    DDD,
    EEE,
    EUR,
    EURUSD,
    FFF,
    FRIDAY,
    GGG,
    HHH,
    III,
    ISINS,
    MARGIN,
    MONDAY,
    NOSTRO,
    PRICE,
    RESERVE,
    STREET,
    THURSDAY,
    TUESDAY,
    USD,
    BookRows,
    name_of,
    price_of,
)


class BrokenDay(BookRows):
    """Writes the rows of the two days in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.obligations: dict[str, int] = {}
        self.orders: dict[str, int] = {}
        self._thursday()
        self._friday()

    # What happens on the first day ----------------------------------------------------------------

    def _thursday(self) -> None:
        self.start(THURSDAY, FRIDAY, MONDAY)
        capital = self.event(ledger.CapitalContributed, asset_id=USD, amount_units=100_000_000, operator_id=1)
        reference = capital.cause_sequence
        nostro, equity = (Kind.NOSTRO, 0), (Kind.FIRM_CAPITAL, 0)
        self.post(PostingReason.CAPITAL, 100_000_000, nostro, equity, reference)
        self.line(NOSTRO, 100_000_000, f"CC{reference}")
        self._deposit(1, CASH, 50_000_000)
        self._deposit(2, MARGIN, 1_000_000)
        self._transfer_in(101, HHH, 50)
        self._transfer_in(102, III, 30)
        self._set_fees()
        fills = [
            self._fill(CASH, AAA, 100, fee=100),  # 1,000 millionths of 1,000.00
            *(self._fill(CASH, asset, 100) for asset in (BBB, CCC, DDD, EEE, FFF)),
            self._fill(MARGIN, GGG, 1_000, fee=-40),  # 20 millionths of 20,000.00, paid out
            self._fill(CASH, HHH, 10, is_buy=False),
            self._fill(CASH, EURUSD, 1, settles=MONDAY),
            self._fill(MARGIN, CFD, 2, settles=THURSDAY, fee=1),  # 0.2 rounded up
        ]
        self._place_orders()
        self._settlement_cycle(fills)

    def _set_fees(self) -> None:
        for account, group in ((CASH, 1), (MARGIN, 2)):
            self.event(
                identity.TradingTermsSet,
                account_id=account,
                fee_group_id=group,
                group_id=account,
                self_trade_code=int(codes.SelfTradePrevention.DECREMENT),
            )
        for group, instrument, taker, maker in ((1, AAA, 1_000, 0), (2, GGG, -20, 0), (2, CFD, 100, -2_000)):
            self.event(
                market.FeesSet,
                fee_group_id=group,
                instrument_id=instrument,
                taker_ppm=taker,
                maker_ppm=maker,
            )

    def _fill(
        self,
        account: int,
        instrument: int,
        lots: int,
        *,
        is_buy: bool = True,
        settles: int = 0,
        fee: int = 0,
        order_id: int = 1,
        is_maker: bool = False,
        is_auction: bool = False,
    ) -> market.Fill:
        """An account trades with the street, as the side that takes unless `is_maker`."""
        price = price_of(instrument)
        taker_side = Side.BUY if is_buy != is_maker else Side.SELL
        own = {"order_id": order_id, "account_id": account, "fee_minor": fee}
        other = {"order_id": 2, "account_id": STREET, "fee_minor": 0}
        taker, maker = (other, own) if is_maker else (own, other)
        fill = self.event(
            market.Fill,
            fill_id="own",
            instrument_id=instrument,
            taker_side_code=int(taker_side),
            price_ticks=price,
            quantity_lots=lots,
            notional_minor=lots * price,
            is_auction=int(is_auction),
            trade_epoch_day=self.day,
            settlement_epoch_day=settles or (FRIDAY if self.day == THURSDAY else MONDAY),
            **{f"taker_{name}": value for name, value in taker.items()},
            **{f"maker_{name}": value for name, value in maker.items()},
        )
        due, number = fill.settlement_epoch_day, fill.fill_id
        street, client = (Kind.STREET_PENDING, account), (Kind.CLIENT, account)
        if instrument != CFD:
            asset = EUR if instrument == EURUSD else instrument
            units = lots * (100_000 if instrument == EURUSD else 1)
            into, out = (street, client) if is_buy else (client, street)
            self.post(PostingReason.TRADE, units, into, out, number, asset, due)
            self.post(PostingReason.TRADE, fill.notional_minor, out, into, number, USD, due)
        if fee:
            payer, payee = (client, (Kind.FEE_INCOME, 0))[:: 1 if fee > 0 else -1]
            self.post(PostingReason.FEE, abs(fee), payer, payee, number, USD, due)
        return fill

    def _place_orders(self) -> None:
        """Orders that end in every way, or not at all; those of the contract are filled."""
        rested = self._order("maker", MARGIN, CFD, 2, life=TimeInForce.GTC)
        self._fill(MARGIN, CFD, 2, settles=THURSDAY, order_id=rested, is_maker=True, fee=-4)
        bought = self._order("auction", MARGIN, CFD, 3, life=TimeInForce.AT_OPEN)
        self._phase(CFD, codes.InstrumentState.OPENING_AUCTION)
        self.event(
            market.AuctionUncrossed,
            instrument_id=CFD,
            price_ticks=price_of(CFD),
            quantity_lots=1,
            surplus_lots=2,
            surplus_side_code=int(Side.BUY),
        )
        self._fill(MARGIN, CFD, 1, settles=THURSDAY, order_id=bought, is_auction=True, fee=-2)
        self._phase(CFD, codes.InstrumentState.OPEN)
        self._end(bought, MARGIN, CFD, 2, Why.AUCTION, is_expiry=True)
        iceberg = self._order(
            "iceberg", CASH, HHH, 100, side=Side.SELL, life=TimeInForce.GTC, display_lots=10
        )
        self._about(
            market.OrderReplaced, iceberg, CASH, HHH, price_ticks=PRICE, quantity_lots=40, is_priority_kept=1
        )
        self._reduce(iceberg, CASH, HHH, 15, Why.SELF_TRADE)
        stop = self._order(
            "stop",
            CASH,
            HHH,
            20,
            OrderType.STOP,
            side=Side.SELL,
            stop_ticks=900,
            order_link_code=OrderLink.AWAIT,
        )
        self._trigger(stop, CASH, HHH, 20, Why.ENTRY)
        self._reduce(stop, CASH, HHH, 5, Why.ENTRY)
        self._trigger(stop, CASH, HHH, 15, Why.STOP)
        self._end(stop, CASH, HHH, 15, Why.LINKED)
        # the last nanosecond of 64 bits: no timestamp holds it, and nothing keeps anybody from asking for it
        self._order("forever", CASH, HHH, 1, life=TimeInForce.GTD, expires_at_ns=(1 << 63) - 1)
        crossed = self._order("crossed", CASH, HHH, 7)
        self._reduce(crossed, CASH, HHH, 7, Why.SELF_TRADE)

    def _order(
        self,
        name: str,
        account: int,
        instrument: int,
        lots: int,
        kind: OrderType = OrderType.LIMIT,
        *,
        side: Side = Side.BUY,
        life: TimeInForce = TimeInForce.DAY,
        **terms: int,
    ) -> int:
        price = 0 if kind == OrderType.STOP else price_of(instrument)
        shared = {
            "account_id": account,
            "client_order_id": len(self.orders) + 1,
            "instrument_id": instrument,
            "side_code": int(side),
            "order_type_code": int(kind),
            "time_in_force_code": int(life),
            "price_ticks": price,
            "quantity_lots": lots,
        }
        order_id = self.command(market.PlaceOrder, **shared, **terms).sequence
        self.event(market.OrderAccepted, order_id=order_id, **shared)
        self.orders[name] = order_id
        return order_id

    def _about(self, cls: type, order_id: int, account: int, instrument: int, **fields: int) -> None:
        self.event(
            cls, order_id=order_id, account_id=account, client_order_id=1, instrument_id=instrument, **fields
        )

    def _trigger(self, order_id: int, account: int, instrument: int, lots: int, why: Why) -> None:
        cls = market.OrderTriggered
        self._about(cls, order_id, account, instrument, quantity_lots=lots, order_end_code=int(why))

    def _reduce(self, order_id: int, account: int, instrument: int, lots: int, why: Why) -> None:
        cls = market.OrderReduced
        self._about(cls, order_id, account, instrument, reduced_lots=lots, order_end_code=int(why))

    def _end(
        self, order_id: int, account: int, instrument: int, lots: int, why: Why, *, is_expiry: bool = False
    ) -> None:
        cls = market.OrderExpired if is_expiry else market.OrderCancelled
        told = {"expired_lots" if is_expiry else "cancelled_lots": lots, "order_end_code": int(why)}
        self._about(cls, order_id, account, instrument, **told)

    def _phase(self, instrument: int, state: codes.InstrumentState) -> None:
        self.event(
            market.InstrumentStateChanged,
            instrument_id=instrument,
            instrument_state_code=int(state),
            order_end_code=int(Why.ASKED),
        )

    def _settlement_cycle(self, fills: list[market.Fill]) -> None:
        cause = self.sequence
        for fill in fills:
            is_contract = fill.instrument_id == CFD
            is_buy = fill.taker_side_code == Side.BUY
            side = ObligationSide.RECEIVE if is_buy else ObligationSide.DELIVER
            units, minor, asset = fill.quantity_lots, fill.notional_minor, fill.instrument_id
            if fill.instrument_id == EURUSD:
                asset, units = EUR, 100_000
            if is_contract:
                side, asset, units, minor = ObligationSide.COLLECT_CASH, 0, 0, 5_000
                self._variation(cause, minor)
            made = self.event(
                settlement.SettlementInstructed,
                cause_sequence=cause,
                obligation_id="own",
                account_id=fill.taker_account_id,
                instrument_id=fill.instrument_id,
                asset_id=asset,
                quote_asset_id=USD,
                obligation_side_code=int(side),
                obligation_units=units,
                obligation_minor=minor,
                trade_epoch_day=self.day,
                settlement_epoch_day=fill.settlement_epoch_day,
            )
            self.obligations[name_of(fill.instrument_id)] = made.obligation_id
        self.event(
            settlement.SettlementCycleCompleted,
            cause_sequence=cause,
            trade_epoch_day=self.day,
            obligation_count=len(fills),
            variation_count=1,
        )
        self._settle("AAACFD", 0, 5_000)

    def _variation(self, cause: int, gain: int) -> None:
        event = self.event(
            settlement.VariationSettled,
            cause_sequence=cause,
            account_id=MARGIN,
            instrument_id=CFD,
            position_lots=5,
            mark_ticks=2_000,
            variation_minor=gain,
        )
        street, client = (Kind.STREET_PENDING, MARGIN), (Kind.CLIENT, MARGIN)
        self.post(PostingReason.VARIATION, gain, street, client, event.sequence)

    def _deposit(self, payment: int, account: int, amount: int, *, told: int | None = None) -> None:
        """`told` is what the bank's statement shows: nothing at all when zero."""
        self.event(
            payments.DepositCredited,
            payment_id=payment,
            account_id=account,
            asset_id=USD,
            amount_units=amount,
        )
        nostro, client = (Kind.NOSTRO, 0), (Kind.CLIENT, account)
        self.post(PostingReason.DEPOSIT, amount, nostro, client, payment)
        if told != 0:
            self.line(NOSTRO, amount if told is None else told, f"DP{payment}")

    def _transfer_in(self, payment: int, asset: int, units: int) -> None:
        self.event(
            payments.SecuritiesTransferredIn,
            payment_id=payment,
            account_id=CASH,
            asset_id=asset,
            amount_units=units,
        )
        custody, client = (Kind.CUSTODY, 0), (Kind.CLIENT, CASH)
        self.post(PostingReason.SECURITIES_TRANSFER, units, custody, client, payment, asset)

    # What happens on the second day ---------------------------------------------------------------

    def _friday(self) -> None:
        self.start(FRIDAY, MONDAY, TUESDAY)
        self._settle("AAA", 100, 100_000)
        self._bank_only("BBB", 100_000)  # settled, but nobody told us
        self._settle("CCC", 100, 100_000)
        self._confirm("CCC", 100, 100_000)  # told twice
        self._bank_only("DDD", 100_000)
        self._confirm("DDD", 90, 100_000)  # told wrongly: the engine refused it
        self._fail("EEE", 100, 100_000)
        self._settle("FFF", 40, 40_000)
        self._fail("FFF", 60, 60_000)
        self._settle("GGG", 300, 600_000)
        self._settle("GGG", 700, 1_400_000)
        self._fail("HHH", 10, 10_000)
        self.advise("OB900", 70, 70_000, "SETTLED", codes.AdviceType.CONFIRMATION)
        self._deposit(3, CASH, 10_000, told=0)
        self._deposit(4, CASH, 10_000, told=9_900)
        self._deposit(5, CASH, 10_000)
        self.line(NOSTRO, 10_000, "DP5")  # once more, as another entry
        self._deposit(6, CASH, 10_000)
        self.line(NOSTRO, 10_000, "DP6", entry=self.entry_count)  # once more, as the same entry
        self.line(NOSTRO, -2_500, "NOTPROVIDED", code="ACMT/MDOP/CHRG")
        self.line(NOSTRO, 77_700, "")
        self._withdraw(7, 30_000, is_paid=False)
        self._withdraw(8, 20_000, is_paid=True)
        self._borrow(500_000, 500)
        self._reserve(9, 10_000_000)
        self._fill(CASH, AAA, 10, fee=10)  # after the last cycle
        stated = {AAA: 100, BBB: 100, CCC: 100, DDD: 100, FFF: 40, GGG: 500, HHH: 57}
        for asset, units in stated.items():
            self.holding(asset, units)

    def _settle(self, name: str, units: int, minor: int) -> None:
        obligation = self._confirm(name, units, minor)
        before = [
            r
            for r in self.rows
            if isinstance(r, settlement.SettlementConfirmed) and r.obligation_id == obligation.obligation_id
        ]
        self.event(
            settlement.SettlementConfirmed,
            obligation_id=obligation.obligation_id,
            settled_units=units,
            settled_minor=minor,
            open_units=obligation.obligation_units - units - sum(r.settled_units for r in before),
            open_minor=obligation.obligation_minor - minor - sum(r.settled_minor for r in before),
        )
        number, account = obligation.obligation_id, obligation.account_id
        street, nostro = (Kind.STREET_PENDING, account), (Kind.NOSTRO, 0)
        reason = PostingReason.SETTLEMENT
        if units:
            self.post(reason, units, (Kind.CUSTODY, 0), street, number, obligation.asset_id)
            self.post(reason, minor, street, nostro, number)
        else:
            self.post(reason, minor, nostro, street, number)
        self.line(NOSTRO, -minor if units else minor, f"OB{number}")

    def _bank_only(self, name: str, minor: int) -> None:
        self.line(NOSTRO, -minor, f"OB{self.obligations[name]}")

    def _fail(self, name: str, units: int, minor: int) -> None:
        obligation = self._obligation(name)
        number, account = obligation.obligation_id, obligation.account_id
        self.advise(f"OB{number}", 0, 0, "LACK", codes.AdviceType.STATUS)
        self.event(
            settlement.SettlementFailed,
            obligation_id=number,
            failed_units=units,
            failed_minor=minor,
        )
        fail, street = (Kind.FAIL, account), (Kind.STREET_PENDING, account)
        is_receipt = obligation.obligation_side_code == ObligationSide.RECEIVE
        into, out = (fail, street) if is_receipt else (street, fail)
        self.post(PostingReason.FAIL, units, into, out, number, obligation.asset_id)
        self.post(PostingReason.FAIL, minor, out, into, number)

    def _confirm(self, name: str, units: int, minor: int) -> settlement.SettlementInstructed:
        obligation = self._obligation(name)
        reference, confirmation = f"OB{obligation.obligation_id}", codes.AdviceType.CONFIRMATION
        self.advise(reference, units, minor, "SETTLED", confirmation)
        return obligation

    def _obligation(self, name: str) -> settlement.SettlementInstructed:
        return next(
            r
            for r in self.rows
            if isinstance(r, settlement.SettlementInstructed) and r.obligation_id == self.obligations[name]
        )

    def _withdraw(self, payment: int, amount: int, *, is_paid: bool) -> None:
        fields = {
            "payment_id": payment,
            "account_id": CASH,
            "asset_id": USD,
            "amount_units": amount,
        }
        self.event(payments.WithdrawalApproved, **fields)
        client, payable = (Kind.CLIENT, CASH), (Kind.WITHDRAWAL_PAYABLE, CASH)
        self.post(PostingReason.WITHDRAWAL, amount, client, payable, payment)
        if is_paid:
            self.event(payments.WithdrawalPaid, **fields)
            self.post(PostingReason.WITHDRAWAL_PAID, amount, payable, (Kind.NOSTRO, 0), payment)
            self.line(NOSTRO, -amount, f"WD{payment}")

    def _borrow(self, money: int, units: int) -> None:
        loan = self.event(
            ledger.BankLoanTaken,
            bank_id=1,
            money_asset_id=USD,
            loan_units=money,
            pledged_asset_id=GGG,
            pledged_units=units,
        )
        number, bank = loan.sequence, (Kind.BANK_LOAN, 1)
        self.post(PostingReason.BANK_LOAN, money, (Kind.NOSTRO, 0), bank, number)
        pledged, custody = (Kind.COLLATERAL_AT_BANK, 1), (Kind.CUSTODY, 0)
        self.post(PostingReason.PLEDGE, units, pledged, custody, number, GGG)
        self.line(NOSTRO, money, f"BL{number}")

    def _reserve(self, payment: int, amount: int) -> None:
        self.event(
            reserve.ReserveAccountOpened,
            bank_id=1,
            reserve_formula_code=codes.ReserveFormula.CUSTOMER,
            is_affiliate=0,
            letter_document_id=1,
            operator_id=1,
        )
        self.event(
            reserve.BankEquityRecorded,
            bank_id=1,
            equity_minor=10**12,
            as_of_epoch_day=THURSDAY,
            operator_id=1,
        )
        self.event(
            reserve.ReserveDepositOrdered,
            payment_id=payment,
            asset_id=USD,
            deposit_minor=amount,
            withdrawal_minor=0,
            as_of_epoch_day=THURSDAY,
            preparer_operator_id=1,
            approver_operator_id=2,
        )
        account, nostro = (Kind.RESERVE_BANK, 1), (Kind.NOSTRO, 0)
        self.post(PostingReason.RESERVE_DEPOSIT, amount, account, nostro, payment)
        self.line(NOSTRO, -amount, f"RD{payment}")
        self.line(RESERVE, amount, f"RD{payment}")

    def expected_breaks(self) -> set[tuple[str, str, str]]:
        """Stage, cause and reference of every break in the two days."""
        return set(_expected_breaks(self.obligations))


EXPECTED_ITEMS = {
    # 500,000 less six purchases and a fee, plus a sale and four deposits, less a withdrawal paid
    1: 50_000_000 - 600_000 - 100 + 10_000 + 40_000 - 20_000,
    2: 500_000,  # the loan is secured by margin securities alone
    4: 100_000 + 60_000 + 100_000 + 100_000,  # EEE, the rest of FFF, and the overdue BBB and DDD
    # 10,000 less 20,000 of purchases plus 50 of variation, less 0.40 and 0.06 paid out and 0.01 of fee, is a
    # debit of 9,949.55. One security alone stands behind it, so that Note E(1) takes all of it
    10: 0,
    12: 0,  # HHH was failed to deliver, and no customer is short of it
}
# the securities that were not received: what customers own of them, and what is in control
EXPECTED_DEFICITS = {BBB: (100, 0), DDD: (100, 0), EEE: (100, 0), FFF: (100, 40)}


def _expected_breaks(obligations: dict[str, int]) -> Iterator[tuple[str, str, str]]:
    missing, twice, wrong = (f"OB{obligations[name]}" for name in ("BBB", "CCC", "DDD"))
    yield "settlement", "MISSING_THEIRS", missing
    yield "cash", "MISSING_OURS", missing
    yield "custody", "QUANTITY", ISINS[BBB]
    yield "settlement", "DUPLICATE", twice
    yield "settlement", "QUANTITY", wrong
    yield "cash", "MISSING_OURS", wrong
    yield "custody", "QUANTITY", ISINS[DDD]
    yield "settlement", "MISSING_OURS", "OB900"
    yield "cash", "MISSING_THEIRS", "DP3"
    yield "cash", "AMOUNT", "DP4"
    yield "cash", "DUPLICATE", "DP5"
    yield "cash", "DUPLICATE", "DP6"
    yield "cash", "BANK_FEE", "E16"
    yield "cash", "UNIDENTIFIED_RECEIPT", "E17"
    yield "custody", "QUANTITY", ISINS[HHH]
    yield "custody", "MISSING_THEIRS", ISINS[III]
