"""Reserve orders between the filing and the engine: what the product prepares, and what a person decides.

Owns: the maker's command, and asking the engine for a decision. Does not own a figure (the statement's), or
who may approve (the engine's rule): the product itself never does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from engine.clock import Clock
from engine.config import Home
from engine.errors import PlatformError
from engine.gateway.client import EngineClient
from engine.reserve.terms import Formula
from engine.segregation.standing import FORMULA_CODES, ReserveRecords, undecided
from orchestration.lake.tables import catch_up, lake_rows
from orchestration.products.reserve.statement import PAYMENT_BASE, Statement, as_of_epoch_day_of
from schemas.codes import RejectReason
from schemas.market import CommandRefused
from schemas.reserve import (
    ApproveReserveOrder,
    BankEquityRecorded,
    ControlInstructionCompleted,
    ControlInstructionRecorded,
    FirmCapitalRecorded,
    FocusTotalsRecorded,
    PrepareReserveOrder,
    RejectReserveOrder,
    ReserveAccountOpened,
    ReserveDepositOrdered,
    ReserveElectionRecorded,
    ReserveOrderPrepared,
    ReserveOrderRejected,
    ReserveSecuritiesMoved,
)

Order = TypeVar("Order", ReserveOrderPrepared, ReserveDepositOrdered)


class OrderRefused(PlatformError):
    """The engine refused an order, or a decision on one."""


def reserve_records(home: Home) -> ReserveRecords:
    """Every record of the reserve that the lake knows."""
    return ReserveRecords(
        accounts=lake_rows(home, ReserveAccountOpened),
        prepared=lake_rows(home, ReserveOrderPrepared),
        rejected=lake_rows(home, ReserveOrderRejected),
        deposits=lake_rows(home, ReserveDepositOrdered),
        securities=lake_rows(home, ReserveSecuritiesMoved),
        equities=lake_rows(home, BankEquityRecorded),
        capitals=lake_rows(home, FirmCapitalRecorded),
        focus=lake_rows(home, FocusTotalsRecorded),
        elections=lake_rows(home, ReserveElectionRecorded),
        instructions=lake_rows(home, ControlInstructionRecorded),
        completed=lake_rows(home, ControlInstructionCompleted),
    )


def prepare_order(
    home: Home, clock: Clock, engine: EngineClient, statement: Statement, asset_id: int, sha256: str
) -> None:
    """Prepare what a statement asks for, in place of what former versions of its day still wait for.

    A computation that moves nothing is put on record as well, where there is an account: no withdrawal may
    rest on an older one. A number that is known is this filing's own. `sha256` is the digest of the statement
    as filed. Raises OrderRefused, also where no reserve account is open.
    """
    records, deposit = reserve_records(home), statement["deposit"]
    if is_nowhere_to_order(statement):
        return
    if not deposit["bank"]:
        raise OrderRefused(
            f"no {statement['formula']} reserve account is open for order {deposit['payment_id']}"
        )
    head = {"sequence": 0, "received_at_ns": 0, "operator_id": statement["people"]["preparer_operator_id"]}
    former = former_versions(undecided(records), statement)
    asked = PrepareReserveOrder(
        **head,
        **_words(sha256),
        payment_id=deposit["payment_id"],
        asset_id=asset_id,
        amount_units=due_minor(records.deposits, statement),
        as_of_epoch_day=as_of_epoch_day_of(statement),
        required_minor=required_minor(statement),
        eligible_minor=deposit["held_minor"],
        bank_id=int(deposit["bank"]),
        reserve_formula_code=int(FORMULA_CODES[Formula(statement["formula"])]),
    )
    taken_back = [RejectReserveOrder(**head, payment_id=order.payment_id) for order in former]
    submit(engine, [*taken_back, asked], tolerated=(RejectReason.ALREADY_EXISTS,))
    catch_up(home, clock)


def is_nowhere_to_order(statement: Statement) -> bool:
    """Whether no reserve account is open and nothing is to be ordered either."""
    return not statement["deposit"]["bank"] and not statement["deposit"]["order_minor"]


def required_minor(statement: Statement) -> int:
    """What must be on deposit by a statement, in cents, less what customers' excess debits cover."""
    return statement["totals"]["requirement_minor"] - statement["deposit"]["covered_minor"]


def due_minor(deposits: Iterable[ReserveDepositOrdered], statement: Statement) -> int:
    """What is still to be deposited, in cents: less what former versions of the day did, not held yet."""
    before = sum(d.deposit_minor for d in former_versions(deposits, statement))
    return max(statement["deposit"]["order_minor"] - before, 0)


def former_versions(orders: Iterable[Order], statement: Statement) -> list[Order]:
    """Orders of this product that rest on a former version of a statement's day."""
    code = FORMULA_CODES[Formula(statement["formula"])]
    as_of, number = as_of_epoch_day_of(statement), statement["deposit"]["payment_id"]
    return [
        o
        for o in orders
        if PAYMENT_BASE <= o.payment_id < number
        and (o.as_of_epoch_day, o.reserve_formula_code) == (as_of, code)
    ]


def approve(engine: EngineClient, payment_id: int, operator_id: int) -> None:
    """Approve a prepared order as its checker. Raises OrderRefused with the engine's reason."""
    asked = ApproveReserveOrder(sequence=0, received_at_ns=0, payment_id=payment_id, operator_id=operator_id)
    submit(engine, [asked])


def reject(engine: EngineClient, payment_id: int, operator_id: int) -> None:
    """Take a prepared order back, or refuse it. Raises OrderRefused with the engine's reason."""
    asked = RejectReserveOrder(sequence=0, received_at_ns=0, payment_id=payment_id, operator_id=operator_id)
    submit(engine, [asked])


def submit(engine: EngineClient, commands: Sequence[Any], tolerated: Sequence[RejectReason] = ()) -> None:
    """Have commands decided in one frame. Raises OrderRefused on the first refusal that is not tolerated."""
    for event in engine.submit(commands).events:
        if isinstance(event, CommandRefused) and event.reject_reason_code not in tolerated:
            reason = RejectReason(event.reject_reason_code).name
            raise OrderRefused(f"reserve order {commands[-1].payment_id} was refused: {reason}")


def _words(sha256: str) -> dict[str, int]:
    """A digest as the four words of a record."""
    raw, names = bytes.fromhex(sha256), ("filing_a_word", "filing_b_word", "filing_c_word", "filing_d_word")
    return {name: int.from_bytes(raw[8 * n : 8 * n + 8], "big", signed=True) for n, name in enumerate(names)}


def filing_sha256(order: ReserveOrderPrepared) -> str:
    """The digest of the filing that an order rests on."""
    words = order.filing_a_word, order.filing_b_word, order.filing_c_word, order.filing_d_word
    return b"".join(word.to_bytes(8, "big", signed=True) for word in words).hex()
