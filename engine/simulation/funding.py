"""Money and securities that clients and owners bring and take, at the bank and in the engine.

Owns: payment numbers and the pairing of each command with what bank or custodian do. Does not own:
faults; the bank is told of those beforehand.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from engine.simulation.bank import NOSTRO_OF, Bank, Family
from engine.simulation.custodian import Custodian
from engine.simulation.order_watch import OrderWatch
from engine.simulation.world import ASSET_BY_ID, LISTINGS, Holder
from schemas.codes import InstrumentClass
from schemas.payments import (
    ConfirmWithdrawal,
    CreditDeposit,
    RequestWithdrawal,
    TransferSecuritiesIn,
)

FIRST_PAYMENT_ID = 10_001


class Deposit(NamedTuple):
    """Money that a client will send."""

    payment_id: int
    account_id: int
    asset_id: int
    units: int

    @property
    def reference(self) -> str:
        """How the bank line names it."""
        return f"DP{self.payment_id}"


class Withdrawal(NamedTuple):
    """Money that a client will ask for."""

    payment_id: int
    account_id: int
    asset_id: int
    units: int

    @property
    def reference(self) -> str:
        """How the bank line names it."""
        return f"WD{self.payment_id}"


class Funding:
    """Gives payment numbers and makes each payment happen on both sides."""

    def __init__(self, seed: int, bank: Bank, custodian: Custodian, watch: OrderWatch) -> None:
        self.rng = random.Random(f"{seed}:funding")
        self._bank = bank
        self._custodian = custodian
        self._watch = watch
        self._next_payment_id = FIRST_PAYMENT_ID
        self._spot = {
            x.base_asset_id: x
            for x in LISTINGS
            if x.instrument_class not in (InstrumentClass.CFD, InstrumentClass.PERPETUAL)
        }

    def payment_id(self) -> int:
        """The next payment number."""
        self._next_payment_id += 1
        return self._next_payment_id - 1

    def plan_deposit(self, holder: Holder, asset_id: int, units: int) -> Deposit:
        """Number a deposit that is to come."""
        return Deposit(self.payment_id(), holder.account_id, asset_id, units)

    def plan_withdrawal(self, holder: Holder, asset_id: int, units: int) -> Withdrawal:
        """Number a withdrawal that is to be asked for."""
        return Withdrawal(self.payment_id(), holder.account_id, asset_id, units)

    def deposit(self, planned: Deposit, at_ns: int) -> CreditDeposit:
        """Money arrives at the bank; the engine is told to credit it."""
        currency = ASSET_BY_ID[planned.asset_id].symbol
        self._bank.pay(NOSTRO_OF[currency], planned.units, planned.reference, Family.RECEIPT, at_ns)
        self._count(planned.account_id, planned.asset_id, planned.units)
        return CreditDeposit(
            sequence=0,
            received_at_ns=at_ns,
            payment_id=planned.payment_id,
            account_id=planned.account_id,
            asset_id=planned.asset_id,
            amount_units=planned.units,
        )

    def transfer_in(self, holder: Holder, asset_id: int, units: int, at_ns: int) -> TransferSecuritiesIn:
        """Securities or tokens arrive at the custodian; the engine is told to credit them."""
        self._custodian.receive(asset_id, units)
        self._count(holder.account_id, asset_id, units)
        return TransferSecuritiesIn(
            sequence=0,
            received_at_ns=at_ns,
            payment_id=self.payment_id(),
            account_id=holder.account_id,
            asset_id=asset_id,
            amount_units=units,
        )

    def request(self, planned: Withdrawal, at_ns: int) -> RequestWithdrawal:
        """A client asks for money."""
        return RequestWithdrawal(
            sequence=0,
            received_at_ns=at_ns,
            payment_id=planned.payment_id,
            account_id=planned.account_id,
            asset_id=planned.asset_id,
            amount_units=planned.units,
        )

    def pay_out(self, planned: Withdrawal, at_ns: int) -> ConfirmWithdrawal:
        """The bank pays what was asked for and reports it."""
        currency = ASSET_BY_ID[planned.asset_id].symbol
        self._bank.pay(NOSTRO_OF[currency], -planned.units, planned.reference, Family.PAYMENT, at_ns)
        return ConfirmWithdrawal(sequence=0, received_at_ns=at_ns, payment_id=planned.payment_id)

    def _count(self, account_id: int, asset_id: int, units: int) -> None:
        listing = self._spot.get(asset_id)
        if listing is not None:
            self._watch.add_holding(account_id, listing.instrument_id, units // listing.lot_units)
