"""Two business days of a tiny book, with one of every fault between our records and the outside's.

Every figure is written by hand: amounts in US cents, units in whole shares. What must be found in
it stands at the end (`expected_breaks`, `EXPECTED_ITEMS`), and the warehouse is held to it.

Thursday 1 October 2026: money arrives and trades are made. Friday the 2nd: they fall due, and each
obligation meets its fate. The book is told as of Friday.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas import codes, ledger, market, payments, settlement
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import ObligationSide, PostingReason
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
        fills = [
            *(self._fill(CASH, asset, 100) for asset in (AAA, BBB, CCC, DDD, EEE, FFF)),
            self._fill(MARGIN, GGG, 1_000),
            self._fill(CASH, HHH, 10, is_buy=False),
            self._fill(CASH, EURUSD, 1, settles=MONDAY),
            self._fill(MARGIN, CFD, 5, settles=THURSDAY),
        ]
        self._settlement_cycle(fills)

    def _fill(
        self, account: int, instrument: int, lots: int, *, is_buy: bool = True, settles: int = 0
    ) -> market.Fill:
        price = price_of(instrument)
        fill = self.event(
            market.Fill,
            fill_id="own",
            instrument_id=instrument,
            taker_side_code=int(codes.Side.BUY if is_buy else codes.Side.SELL),
            price_ticks=price,
            quantity_lots=lots,
            notional_minor=lots * price,
            taker_fee_minor=0,
            taker_order_id=1,
            taker_account_id=account,
            maker_order_id=2,
            maker_account_id=STREET,
            trade_epoch_day=self.day,
            settlement_epoch_day=settles or (FRIDAY if self.day == THURSDAY else MONDAY),
        )
        if instrument == CFD:
            return fill
        street, client = (Kind.STREET_PENDING, account), (Kind.CLIENT, account)
        asset = EUR if instrument == EURUSD else instrument
        units = lots * (100_000 if instrument == EURUSD else 1)
        into, out = (street, client) if is_buy else (client, street)
        due, number = fill.settlement_epoch_day, fill.fill_id
        self.post(PostingReason.TRADE, units, into, out, number, asset, due)
        self.post(PostingReason.TRADE, fill.notional_minor, out, into, number, USD, due)
        return fill

    def _settlement_cycle(self, fills: list[market.Fill]) -> None:
        cause = self.sequence
        for fill in fills:
            is_contract = fill.instrument_id == CFD
            is_buy = fill.taker_side_code == codes.Side.BUY
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
        self._fill(CASH, AAA, 10)  # after the last cycle
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
            ledger.ReserveDepositOrdered,
            payment_id=payment,
            asset_id=USD,
            deposit_minor=amount,
            withdrawal_minor=0,
            as_of_epoch_day=THURSDAY,
            preparer_operator_id=1,
            approver_operator_id=2,
        )
        reserve, nostro = (Kind.RESERVE_BANK, 0), (Kind.NOSTRO, 0)
        self.post(PostingReason.RESERVE_DEPOSIT, amount, reserve, nostro, payment)
        self.line(NOSTRO, -amount, f"RD{payment}")
        self.line(RESERVE, amount, f"RD{payment}")

    def expected_breaks(self) -> set[tuple[str, str, str]]:
        """Stage, cause and reference of every break in the two days."""
        return set(_expected_breaks(self.obligations))


EXPECTED_ITEMS = {
    # 500,000 less six purchases, plus a sale and four deposits, less a withdrawal paid
    1: 50_000_000 - 600_000 + 10_000 + 40_000 - 20_000,
    2: 500_000,  # the loan is secured by margin securities alone
    4: 100_000 + 60_000 + 100_000 + 100_000,  # EEE, the rest of FFF, and the overdue BBB and DDD
    10: 995_000,  # 10,000 less 20,000 of purchases plus 50 of variation
    12: 10_000,  # HHH
}


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
