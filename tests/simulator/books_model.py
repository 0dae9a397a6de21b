"""The books as plain Python folds them from the journal's rows: orders, money, positions, numbers used.

Owns: the fold and its checks. It knows what events mean and decides nothing itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from engine.errors import InvariantBroken
from engine.journal.frame import Frame
from engine.market.day_orders import used_rows
from engine.state import State
from schemas.codes import InstrumentClass, LedgerAccountKind, Side
from schemas.ledger import Posting
from schemas.market import (
    BusinessDayStarted,
    Fill,
    InstrumentListed,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderReplaced,
)
from schemas.payments import DepositCredited, SecuritiesTransferredIn, WithdrawalApproved
from schemas.record import Role
from tests.simulator.errors import Violation
from tests.simulator.oracle import Row, identity_of_row

_CONTRACTS = (InstrumentClass.CFD, InstrumentClass.PERPETUAL, InstrumentClass.OPTION)


class BooksModel:
    """Folds frames and raises Violation at the first row that cannot be."""

    def __init__(self) -> None:
        self.sequence = 0
        self.frame = 0
        self.clock_ns = 0
        self.commands: Counter[Row] = Counter()
        self.events: dict[int, tuple[str, Row]] = {}  # sequence -> record name, columns
        self.open_lots: dict[int, int] = {}  # order -> what is open
        self.balances: Counter[tuple[int, int, int]] = Counter()  # kind, party, asset -> debits less credits
        self.positions: Counter[tuple[int, int]] = Counter()  # account, instrument of a contract -> lots
        self._contracts: set[int] = set()
        self._order_ids: set[tuple[int, int]] = set()  # account and client order id, this day
        self._payments: set[int] = set()

    def fold(self, frame: Frame) -> None:
        """Take in the next frame."""
        rows = sorted(
            (row[0], section.record, row) for section in frame.sections for row in section.rows.tolist()
        )
        commands = [row[0] for _, record, row in rows if record.role is Role.COMMAND]
        self._want(frame.index == self.frame + 1, frame, "is out of order")
        self._want(commands == list(range(self.sequence + 1, self.sequence + 1 + len(commands))), frame,
                   "numbers its commands with a gap")  # fmt: skip
        for sequence, record, row in rows:
            self._want(sequence == self.sequence + 1, frame, f"has no sequence {self.sequence + 1}")
            self.sequence = sequence
            named = dict(zip((c.name for c in record.columns), row, strict=True))
            if record.role is Role.COMMAND:
                self._want(row[1] >= self.clock_ns, frame, "goes back in time")
                self.clock_ns = row[1]
                self.commands[identity_of_row(record.type_code, row)] += 1
            else:
                self._want(named["cause_sequence"] in commands, frame, f"{sequence} has no cause")
                self.events[sequence] = (record.name, row)
                self._fold_event(record.cls, named, frame)
        self.frame = frame.index

    def _fold_event(self, cls: type, event: dict[str, int], frame: Frame) -> None:
        order = event.get("order_id", 0)
        if cls is OrderAccepted:
            number = event["account_id"], event["client_order_id"]
            self._want(number not in self._order_ids, frame, f"executes order {number} a second time")
            self._order_ids.add(number)
            self.open_lots[order] = event["quantity_lots"]
        elif cls in (OrderCancelled, OrderExpired, OrderReduced):
            column = {OrderCancelled: "cancelled_lots", OrderExpired: "expired_lots"}.get(cls, "reduced_lots")
            self._take(order, event[column], frame)
        elif cls is OrderReplaced:
            self.open_lots[order] = event["quantity_lots"]
        elif cls is Fill:
            self._fill(event, frame)
        elif cls is Posting:
            side = event["amount_units"], event["asset_id"]
            self._post("debit", *side, event)
            self._post("credit", -side[0], side[1], event)
        elif cls is InstrumentListed and event["instrument_class_code"] in _CONTRACTS:
            self._contracts.add(event["instrument_id"])
        elif cls is BusinessDayStarted:
            self._order_ids.clear()
        elif cls in (DepositCredited, SecuritiesTransferredIn, WithdrawalApproved):
            payment = event["payment_id"]
            self._want(payment not in self._payments, frame, f"books payment {payment} a second time")
            self._payments.add(payment)

    def _fill(self, event: dict[str, int], frame: Frame) -> None:
        lots, instrument = event["quantity_lots"], event["instrument_id"]
        for side in ("taker", "maker"):
            self._take(event[f"{side}_order_id"], lots, frame)
        if instrument in self._contracts:
            bought = lots if event["taker_side_code"] == Side.BUY else -lots
            self.positions[event["taker_account_id"], instrument] += bought
            self.positions[event["maker_account_id"], instrument] -= bought

    def _take(self, order: int, lots: int, frame: Frame) -> None:
        left = self.open_lots.get(order, 0) - lots
        self._want(left >= 0, frame, f"takes {lots} lots of order {order}, more than are open")
        self.open_lots[order] = left

    def _post(self, side: str, units: int, asset: int, event: dict[str, int]) -> None:
        self.balances[event[f"{side}_account_kind_code"], event[f"{side}_party_id"], asset] += units

    def _want(self, is_so: bool, frame: Frame, otherwise: str) -> None:
        if not is_so:
            raise Violation(f"frame {frame.index} {otherwise}")

    # Against the engine's state ---------------------------------------------------------------

    def compare(self, state: State) -> None:
        """Raise Violation where the engine's state is not what the events say."""
        sums: defaultdict[int, int] = defaultdict(int)
        for (_, _, asset), units in self.balances.items():
            sums[asset] += units
        if any(sums.values()):
            raise Violation(f"money is not conserved: {dict(sums)}")
        for kind in LedgerAccountKind:
            self._compare_kind(state, int(kind))
        open_lots = {o: lots for o, lots in self.open_lots.items() if lots}
        held = {
            int(row["order_id"]): int(row["open_lots"]) for row in used_rows(state.day) if row["open_lots"]
        }
        if open_lots != held:
            raise Violation(f"open orders by events {open_lots}, in the book {held}")
        for (account, instrument), lots in self.positions.items():
            if lots != int(state.positions[account, instrument]["position_lots"]):
                raise Violation(f"position of {account} in {instrument} is not {lots} lots")

    def _compare_kind(self, state: State, kind: int) -> None:
        for party in range(state.capacity.account_count + 1):
            for asset in state.assets:
                try:
                    held = state.balances.balance(kind, party, asset)
                except InvariantBroken:  # the chart has no such account
                    continue
                if held != self.balances[kind, party, asset]:
                    raise Violation(f"balance of kind {kind}, party {party}, asset {asset} is {held}")
